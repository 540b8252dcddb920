//! A Kafka that lets nobody do what no ACL allows: SASL/SCRAM and TLS, and client certificates, both by an
//! authority of its own. Whoever comes in plaintext is the super user: the test itself.
#![allow(unsafe_code)] // the binding does not show ACLs

use std::ffi::{CString, c_char};
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::ptr::null_mut;
use std::time::Duration;

use rdkafka::ClientConfig;
use rdkafka::admin::AdminClient;
use rdkafka::bindings as c;
use rdkafka::client::DefaultClientContext;
use serde_json::Value;

use crate::authority::{Authority, Certificate};
use crate::free_port;

/// Of all users.
pub const PASSWORD: &str = "of-all-users";

/// How a role shows who it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    Password,
    Certificate,
}

pub struct GuardedKafka {
    /// In plaintext, as the super user.
    pub address: String,
    sasl: u16,
    tls: u16,
    pub authority: Authority,
    folder: tempfile::TempDir,
    environment: Vec<(&'static str, String)>,
    admin: AdminClient<DefaultClientContext>,
}

impl std::fmt::Debug for GuardedKafka {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "GuardedKafka({})", self.address)
    }
}

/// One operation of a principal on a resource.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Grant {
    pub principal: String,
    pub resource_type: String,
    pub name: String,
    pub pattern_type: String,
    pub operation: String,
}

impl Grant {
    /// As `waybill topics acls --output json` lists them.
    ///
    /// # Panics
    /// When it is not of that form.
    pub fn all_of(json: &str) -> Vec<Self> {
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let acls: Vec<Value> = serde_json::from_str(json).unwrap();
        let each = acls.iter().flat_map(|acl| {
            acl["operations"].as_array().unwrap().iter().map(|operation| Self {
                principal: text(&acl["principal"]),
                resource_type: text(&acl["resource_type"]),
                name: text(&acl["name"]),
                pattern_type: text(&acl["pattern_type"]),
                operation: text(operation),
            })
        });
        each.collect()
    }
}

impl GuardedKafka {
    /// With these users.
    ///
    /// # Panics
    /// When it does not start.
    pub fn start(users: &[&str]) -> Self {
        let folder = tempfile::Builder::new().prefix("waybill-guarded-").tempdir().unwrap();
        let authority = Authority::new(&folder.path().join("ca"));
        let server = authority.sign("broker");
        let [plain, controller, sasl, tls] = [(); 4].map(|()| free_port());
        let properties = folder.path().join("guarded.properties");
        std::fs::write(
            &properties,
            Self::properties(&authority, &server, plain, controller, sasl, tls),
        )
        .unwrap();
        let users: Vec<String> = users.iter().map(|user| format!("{user}={PASSWORD}")).collect();
        let address = format!("127.0.0.1:{plain}");
        let environment = vec![
            ("WAYBILL_STATE", folder.path().display().to_string()),
            ("WAYBILL_KAFKA_PORT", plain.to_string()),
            ("WAYBILL_KAFKA_CONTROLLER_PORT", controller.to_string()),
            ("WAYBILL_KAFKA_PROPERTIES", properties.display().to_string()),
            ("WAYBILL_KAFKA_USERS", users.join(" ")),
        ];
        let admin = ClientConfig::new().set("bootstrap.servers", &address).create().unwrap();
        let kafka = Self { address, sasl, tls, authority, folder, environment, admin };
        let out = kafka.servers(&["up", "kafka"]);
        assert!(out.status.success(), "dev/servers: {}", String::from_utf8_lossy(&out.stderr));
        kafka
    }

    fn properties(
        authority: &Authority,
        server: &Certificate,
        plain: u16,
        controller: u16,
        sasl: u16,
        tls: u16,
    ) -> String {
        let keystore = authority.file().with_file_name("broker-store.pem");
        let read = |file: &PathBuf| std::fs::read_to_string(file).unwrap();
        std::fs::write(&keystore, read(&server.key) + &read(&server.chain)).unwrap();
        let at = |name: &str, port: u16| format!("{name}://127.0.0.1:{port}");
        let ours = [at("PLAINTEXT", plain), at("SASL_SSL", sasl), at("SSL", tls)].join(",");
        format!(
            "listeners={ours},{}\n\
             advertised.listeners={ours}\n\
             listener.security.protocol.map=PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SASL_SSL:SASL_SSL,SSL:SSL\n\
             inter.broker.listener.name=PLAINTEXT\n\
             authorizer.class.name=org.apache.kafka.metadata.authorizer.StandardAuthorizer\n\
             super.users=User:ANONYMOUS\n\
             allow.everyone.if.no.acl.found=false\n\
             sasl.enabled.mechanisms=SCRAM-SHA-512\n\
             listener.name.sasl_ssl.scram-sha-512.sasl.jaas.config=\
             org.apache.kafka.common.security.scram.ScramLoginModule required;\n\
             ssl.keystore.type=PEM\nssl.keystore.location={}\n\
             ssl.truststore.type=PEM\nssl.truststore.location={}\n\
             listener.name.ssl.ssl.client.auth=required\n\
             listener.name.sasl_ssl.ssl.client.auth=none\n\
             listener.name.ssl.ssl.principal.mapping.rules=RULE:^CN=([^,]+).*$/$1/,DEFAULT\n",
            at("CONTROLLER", controller),
            keystore.display(),
            authority.file().display(),
        )
    }

    fn servers(&self, args: &[&str]) -> Output {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("../dev/servers");
        let mut command = Command::new(script);
        command.args(args).envs(self.environment.iter().map(|(k, v)| (*k, v.as_str())));
        command.output().unwrap()
    }

    /// What a process must have in its environment to come as `user`.
    ///
    /// # Panics
    /// When its certificate cannot be made.
    pub fn environment(&self, user: &str, by: By) -> Vec<(String, String)> {
        let set = |key: &str, value: String| (format!("WAYBILL_KAFKA__{key}"), value);
        let ca = set("SSL_CA_FILE", self.authority.file().display().to_string());
        match by {
            By::Password => vec![
                ca,
                set("BROKERS", format!("127.0.0.1:{}", self.sasl)),
                set("SECURITY_PROTOCOL", "sasl_ssl".to_owned()),
                set("SASL_MECHANISM", "SCRAM-SHA-512".to_owned()),
                set("SASL_USERNAME", user.to_owned()),
                set("SASL_PASSWORD", PASSWORD.to_owned()),
            ],
            By::Certificate => {
                let Certificate { chain, key } = self.authority.sign(user);
                vec![
                    ca,
                    set("BROKERS", format!("127.0.0.1:{}", self.tls)),
                    set("SECURITY_PROTOCOL", "ssl".to_owned()),
                    set("SSL_CERTIFICATE_FILE", chain.display().to_string()),
                    set("SSL_KEY_FILE", key.display().to_string()),
                ]
            }
        }
    }

    /// # Panics
    /// When Kafka refuses.
    pub fn grant(&self, grants: &[Grant]) {
        let ask = |acls: &mut Vec<*mut c::rd_kafka_AclBinding_t>, client, queue| {
            // SAFETY: the client and the queue outlive the call; the bindings are ours.
            unsafe {
                c::rd_kafka_CreateAcls(client, acls.as_mut_ptr(), acls.len(), null_mut(), queue)
            }
        };
        self.change(
            grants,
            c::rd_kafka_AclPermissionType_t::RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW,
            ask,
        );
    }

    /// # Panics
    /// When Kafka refuses.
    pub fn take_away(&self, grants: &[Grant]) {
        let ask = |acls: &mut Vec<*mut c::rd_kafka_AclBinding_t>, client, queue| {
            // SAFETY: the client and the queue outlive the call; a binding without wildcards is a filter too, of
            // the same type.
            unsafe {
                c::rd_kafka_DeleteAcls(client, acls.as_mut_ptr(), acls.len(), null_mut(), queue)
            }
        };
        self.change(
            grants,
            c::rd_kafka_AclPermissionType_t::RD_KAFKA_ACL_PERMISSION_TYPE_ALLOW,
            ask,
        );
    }

    fn change(
        &self,
        grants: &[Grant],
        permission: c::rd_kafka_AclPermissionType_t,
        ask: impl Fn(
            &mut Vec<*mut c::rd_kafka_AclBinding_t>,
            *mut c::rd_kafka_t,
            *mut c::rd_kafka_queue_t,
        ),
    ) {
        let text = |text: &str| CString::new(text).unwrap();
        let limit = i32::try_from(Duration::from_secs(20).as_millis()).unwrap();
        // SAFETY: each binding is made and destroyed once, from texts that outlive the call that copies them; queue
        // and event are ours; what is read of the event is read before it is destroyed.
        unsafe {
            let mut acls: Vec<_> = grants
                .iter()
                .map(|grant| {
                    let (name, principal, host) =
                        (text(&grant.name), text(&grant.principal), text("*"));
                    let mut error = [0 as c_char; 256];
                    let acl = c::rd_kafka_AclBinding_new(
                        resource(&grant.resource_type),
                        name.as_ptr(),
                        pattern(&grant.pattern_type),
                        principal.as_ptr(),
                        host.as_ptr(),
                        operation(&grant.operation),
                        permission,
                        error.as_mut_ptr(),
                        error.len(),
                    );
                    assert!(!acl.is_null(), "{grant:?}");
                    acl
                })
                .collect();
            let client = self.admin.inner().native_ptr();
            let queue = c::rd_kafka_queue_new(client);
            ask(&mut acls, client, queue);
            let event = c::rd_kafka_queue_poll(queue, limit);
            assert!(!event.is_null(), "Kafka does not answer");
            let code = c::rd_kafka_event_error(event);
            assert_eq!(code, c::rd_kafka_resp_err_t::RD_KAFKA_RESP_ERR_NO_ERROR);
            let created = c::rd_kafka_event_CreateAcls_result(event);
            if !created.is_null() {
                let mut count = 0;
                let results = c::rd_kafka_CreateAcls_result_acls(created, &raw mut count);
                for (n, grant) in grants.iter().enumerate().take(count) {
                    let error = c::rd_kafka_acl_result_error(*results.add(n));
                    assert!(error.is_null(), "{grant:?}");
                }
            }
            c::rd_kafka_event_destroy(event);
            c::rd_kafka_queue_destroy(queue);
            acls.into_iter().for_each(|acl| c::rd_kafka_AclBinding_destroy(acl));
        }
    }
}

fn resource(name: &str) -> c::rd_kafka_ResourceType_t {
    use c::rd_kafka_ResourceType_t as Type;
    match name {
        "Topic" => Type::RD_KAFKA_RESOURCE_TOPIC,
        "Group" => Type::RD_KAFKA_RESOURCE_GROUP,
        "TransactionalId" => Type::RD_KAFKA_RESOURCE_TRANSACTIONAL_ID,
        other => panic!("{other}"),
    }
}

fn pattern(name: &str) -> c::rd_kafka_ResourcePatternType_t {
    use c::rd_kafka_ResourcePatternType_t as Type;
    match name {
        "LITERAL" => Type::RD_KAFKA_RESOURCE_PATTERN_LITERAL,
        "PREFIXED" => Type::RD_KAFKA_RESOURCE_PATTERN_PREFIXED,
        other => panic!("{other}"),
    }
}

fn operation(name: &str) -> c::rd_kafka_AclOperation_t {
    use c::rd_kafka_AclOperation_t as Operation;
    match name {
        "Read" => Operation::RD_KAFKA_ACL_OPERATION_READ,
        "Write" => Operation::RD_KAFKA_ACL_OPERATION_WRITE,
        "Create" => Operation::RD_KAFKA_ACL_OPERATION_CREATE,
        "Describe" => Operation::RD_KAFKA_ACL_OPERATION_DESCRIBE,
        "DescribeConfigs" => Operation::RD_KAFKA_ACL_OPERATION_DESCRIBE_CONFIGS,
        "AlterConfigs" => Operation::RD_KAFKA_ACL_OPERATION_ALTER_CONFIGS,
        other => panic!("{other}"),
    }
}

impl Drop for GuardedKafka {
    fn drop(&mut self) {
        if std::thread::panicking() {
            println!("guarded Kafka: {}", self.folder.path().display());
            self.folder.disable_cleanup(true);
        }
        let file = self.folder.path().join("run/kafka.pid");
        let text = std::fs::read_to_string(file).unwrap_or_default();
        if let Some(pid) = text.split_whitespace().next() {
            let _ = Command::new("kill").args(["-9", pid]).stderr(Stdio::null()).status();
        }
    }
}

//! A Kafka with its authorizer on: each role works with what `waybill topics acls` lists for it, and without one
//! right of it says which, and what grants it. Half of the roles show a password (SASL/SCRAM over TLS), half a
//! certificate; ClickHouse is reached over https.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::BTreeMap;
use std::process::Output;
use std::time::{Duration, Instant};

use waybill_sealing::seal::Proof;
use waybill_tests::{
    By, DCSA_22, Deployment, Door, Grant, GuardedKafka, Process, Servers, free_port, gate_in, seal,
    sealer, tls_door, wait_until,
};

const LIMIT: Duration = Duration::from_secs(30);

/// Role, how it shows who it is.
const ROLES: [(&str, By); 17] = [
    ("decrypt", By::Password),
    ("validate", By::Certificate),
    ("enrich", By::Password),
    ("validate,enrich", By::Password),
    ("aggregate", By::Certificate),
    ("clickhouse", By::Certificate),
    ("gateway", By::Password),
    ("webhooks", By::Password),
    ("replay", By::Password),
    ("publish", By::Certificate),
    ("redrive", By::Password),
    ("erase", By::Certificate),
    ("audit", By::Password),
    ("state", By::Password),
    ("keys", By::Password),
    ("topics", By::Password),
    ("late-line", By::Password),
];

fn user(role: &str) -> String {
    // A carrier is known by its id.
    if role == "late-line" {
        return role.to_owned();
    }
    format!("w-{}", role.replace(',', "-"))
}

/// What a role is to be granted.
fn listed(d: &Deployment, role: &str) -> Vec<Grant> {
    let args = ["topics", "acls", role, "--principal-prefix", "w-", "--output", "json"];
    Grant::all_of(&d.ok(&args))
}

struct World {
    kafka: GuardedKafka,
    /// As the super user.
    d: Deployment,
    /// As each role's processes and commands know it.
    roles: BTreeMap<&'static str, Deployment>,
}

impl World {
    fn start() -> Self {
        let servers = Servers::find();
        let users: Vec<String> =
            ROLES.iter().filter(|r| r.1 == By::Password).map(|r| user(r.0)).collect();
        let users: Vec<&str> = users.iter().map(String::as_str).collect();
        let kafka = GuardedKafka::start(&users);
        let door = tls_door(
            &kafka.authority.sign("clickhouse"),
            servers.clickhouse.strip_prefix("http://").unwrap(),
        );
        let servers = Servers { kafka: kafka.address.clone(), ..servers };
        let d = Deployment::on(servers, "acls", 2, "");
        let ca = kafka.authority.file().display().to_string();
        let https = format!("https://127.0.0.1:{door}");
        let master = d.folder.join("webhooks.key").display().to_string();
        d.with(&[("WAYBILL_WEBHOOKS__MASTER_KEY_FILE", &master)]).ok(&["carriers", "init"]);
        let of = |(role, by): &(&'static str, By)| {
            let environment = kafka.environment(&user(role), *by);
            let mut all: Vec<(&str, &str)> =
                environment.iter().map(|(key, value)| (key.as_str(), value.as_str())).collect();
            all.push(("WAYBILL_CLICKHOUSE__URL", &https));
            all.push(("WAYBILL_CLICKHOUSE__CA_FILE", &ca));
            all.push(("WAYBILL_WEBHOOKS__MASTER_KEY_FILE", &master));
            (*role, d.with(&all))
        };
        let roles = ROLES.iter().map(of).collect();
        Self { kafka, d, roles }
    }

    fn of(&self, role: &str) -> &Deployment {
        &self.roles[role]
    }
}

/// The line in which a role says what it lacks.
fn names(said: &str, grant: &Grant) -> bool {
    let Grant { principal, resource_type, name, operation, .. } = grant;
    let option = match resource_type.as_str() {
        "Topic" => "--topic",
        "Group" => "--group",
        _ => "--transactional-id",
    };
    said.lines().any(|line| {
        line.contains("Kafka does not allow")
            && line.contains(&format!(" on {resource_type} {name}"))
            && line.contains(&format!("--operation {operation} "))
            && line.contains(&format!("{option} {name}"))
            // Of a certificate the broker alone knows what it makes of it.
            && (line.contains(&format!("--allow-principal {principal} ")) || line.contains("User:OURS"))
    })
}

#[test]
fn each_role_works_with_what_is_listed_and_says_what_it_lacks() {
    let world = World::start();
    let d = &world.d;
    for (role, _) in ROLES.into_iter().filter(|(role, _)| *role != "late-line") {
        world.kafka.grant(&listed(d, role));
    }
    works_end_to_end(&world);
    each_says_what_is_missing(&world);
}

fn works_end_to_end(world: &World) {
    let d = &world.d;
    assert!(world.of("topics").ok(&["topics"]).contains("all there"));
    d.add_carrier("acme-line");
    let start = |stage: &str| world.of(stage).spawn(stage, "1", &[]);
    let mut processes: Vec<(&str, Process)> =
        ["decrypt", "validate", "enrich", "aggregate", "clickhouse", "webhooks"]
            .map(|s| (s, start(s)))
            .into();
    let door = Door::open(world.of("gateway"));
    for (stage, process) in &mut processes {
        process.wait_ready(stage);
    }
    // By the broker and by the gateway.
    let publisher = world.of("publish");
    publisher.publish("acme-line", DCSA_22, &gate_in("MSKU1234565"), &["--shipment", "h-1"]);
    publisher.publish("acme-line", DCSA_22, b"{}", &["--shipment", "h-2"]);
    let sealed =
        seal(&mut sealer(d, "acme-line", Proof::Granted), "m-1", DCSA_22, &gate_in("TCLU4265917"));
    assert_eq!(door.publish("application/jose", sealed, &[]).status, 202);
    d.wait_for("SELECT count() FROM events", 2);
    d.wait_for("SELECT count() FROM rejects", 1);
    // The gateway reads what became of it over https.
    let key = d.ok(&["carriers", "key", "new", "acme-line", "--scopes", "read"]);
    let key = key.trim();
    wait_until("the gateway to answer", LIMIT, || {
        let answer = door.get("/v1/events/m-1", &[("X-API-Key", key)]);
        answer.status == 200 && answer.body["status"] == "accepted"
    });
    assert!(world.of("state").ok(&["state", "list"]).contains("acme-line"));
    let redriven = world.of("redrive").ok(&["rejects", "redrive"]);
    assert!(redriven.contains("redrove 1 records"), "{redriven}");
    d.wait_for("SELECT count() FROM rejects WHERE attempt = 1", 1);
    let erase = ["erase", "--carrier", "acme-line", "--reference", "TCLU4265917", "--yes"];
    world.of("erase").ok(&erase);
    world.of("keys").ok(&["keys", "destroy", "internal", "--dry-run"]);
    world.of("audit").audit();
    world.of("replay").ok(&["webhooks", "list"]);
    world.of("replay").ok(&["webhooks", "replay", "--carrier", "acme-line", "--since", "1h"]);
    // validate and enrich, put together, take over where they stood.
    for (_, process) in processes.extract_if(.., |(s, _)| matches!(*s, "validate" | "enrich")) {
        process.stop(LIMIT);
    }
    let mut fused = start("validate,enrich");
    fused.wait_ready("validate,enrich");
    publisher.publish("acme-line", DCSA_22, &gate_in("CSQU3054383"), &["--shipment", "h-3"]);
    d.wait_for("SELECT count() FROM events", 2);
    takes_up_what_is_granted_again(world, &door, &fused);
    door.process.stop(LIMIT);
    processes.extract_if(.., |(s, _)| *s == "decrypt").for_each(|(_, p)| p.stop(LIMIT));
    carriers_may_have_topics_of_their_own(world);
}

/// Of topics that a pattern finds, rights are by what their names begin with. What may not be read of them costs
/// itself alone.
fn carriers_may_have_topics_of_their_own(world: &World) {
    let (p, d) = (&world.d.prefix, &world.d);
    let (one, own) = (format!("{p}sealed"), format!("{p}sealed.late-line"));
    // A bare dot is any character, and ends what names have in common.
    let sealed = format!("[\"{one}\", \"^{}sealed[.]\"]", p.replace('.', "[.]"));
    let several = |d: &Deployment| d.with(&[("WAYBILL_TOPICS__SEALED", &sealed)]);
    let pem = d.folder.join("late-line.pem");
    let add =
        ["carriers", "add", "late-line", "--name", "late", "--new-key", pem.to_str().unwrap()];
    several(d).ok(&[&add[..], &["--topic", &own]].concat());
    for role in ["decrypt", "gateway", "topics", "late-line"] {
        world.kafka.grant(&listed(&several(d), role));
    }
    several(world.of("topics")).ok(&["topics", "--carrier", &own]);
    let mut decrypt = several(world.of("decrypt")).spawn("decrypt", "several", &[]);
    let door = Door::open(&several(world.of("gateway")));
    decrypt.wait_ready("decrypt");
    let carrier = several(world.of("late-line"));
    let to = ["--topic", own.as_str(), "--shipment", "h-4"];
    carrier.publish("late-line", DCSA_22, &gate_in("MSKU0000006"), &to);
    let sealed = seal(&mut sealer(d, "late-line", Proof::Granted), "m-2", DCSA_22, b"{}");
    assert_eq!(door.publish("application/jose", sealed, &[]).status, 202);
    d.wait_for(&format!("SELECT count() FROM events WHERE sealed_topic = '{own}'"), 1);
    d.wait_for(&format!("SELECT count() FROM rejects WHERE sealed_topic = '{own}'"), 1);
    // It is not this carrier's.
    let key = ["publish", "--carrier", "late-line", "--signing-key", pem.to_str().unwrap()];
    let (jwks, message) = (d.folder.join("platform.jwks"), d.folder.join("message-0"));
    let rest = ["--jwks", jwks.to_str().unwrap(), "--media-type", DCSA_22];
    let out =
        carrier.run(&[&key[..], &rest, &["--topic", &one, message.to_str().unwrap()]].concat());
    let said = String::from_utf8_lossy(&out.stderr);
    assert!(said.contains(&format!("Write on Topic {one}.")), "{said}");

    decrypt.stop(LIMIT);
    let mut all = listed(&several(d), "decrypt").into_iter();
    let read = all.find(|g| g.pattern_type == "PREFIXED" && g.operation == "Read").unwrap();
    world.kafka.take_away(std::slice::from_ref(&read));
    // What it may not even describe, no pattern finds.
    world.kafka.grant(&[Grant { operation: "Describe".to_owned(), ..read.clone() }]);
    let mut decrypt = several(world.of("decrypt")).spawn("decrypt", "without", &[]);
    decrypt.wait_ready("decrypt");
    wait_until("decrypt to say it", LIMIT, || names(&decrypt.log(), &read));
    assert_eq!(decrypt.metric("waybill_refused_topics", &own), 1.0);
}

/// Rights that are taken away while they are used: within seconds the role says so, and goes on when it has them
/// again.
fn takes_up_what_is_granted_again(world: &World, door: &Door, fused: &Process) {
    let d = &world.d;
    let of = |role: &str, resource: &str, operation: &str| -> Grant {
        let is = |g: &Grant| g.resource_type == resource && g.operation == operation;
        listed(d, role).into_iter().find(is).unwrap()
    };
    let produce = of("gateway", "Topic", "Write");
    let group = of("validate,enrich", "Group", "Read");
    world.kafka.take_away(&[produce.clone(), group.clone()]);
    wait_until("the gateway to say it", LIMIT, || names(&door.process.log(), &produce));
    let answer = door.publish("application/jose", "a.b.c.d.e", &[]);
    assert_eq!((answer.status, answer.header("retry-after")), (503, Some("1")), "{answer:?}");
    let ready = unready(&door.process);
    assert!(names(&ready, &produce), "{ready}");
    assert_eq!(door.process.metric("waybill_missing_rights", "Topic"), 1.0);
    wait_until("validate,enrich to say it", LIMIT, || names(&fused.log(), &group));
    assert_eq!(fused.metric("waybill_missing_rights", "Group"), 1.0);
    world.kafka.grant(&[produce, group]);
    wait_until("the gateway to go on", LIMIT, || door.process.get("/readyz").is_some());
    wait_until("validate,enrich to go on", LIMIT, || fused.get("/readyz").is_some());
    assert_eq!(fused.metric("waybill_missing_rights", "Group"), 0.0);
}

/// The body of a 503 of `/readyz`.
fn unready(process: &Process) -> String {
    let config = ureq::Agent::config_builder().http_status_as_error(false);
    let agent: ureq::Agent = config.timeout_global(Some(Duration::from_secs(2))).build().into();
    let url = format!("http://127.0.0.1:{}/readyz", process.port);
    agent.get(url).call().unwrap().body_mut().read_to_string().unwrap()
}

/// One right after the other is taken away, beside each other for all roles, and each says so in bounded time.
fn each_says_what_is_missing(world: &World) {
    // validate and its like need the same as enrich, under other names.
    let roles = [
        "decrypt",
        "enrich",
        "aggregate",
        "clickhouse",
        "gateway",
        "webhooks",
        "replay",
        "publish",
        "redrive",
        "erase",
        "audit",
        "state",
        "keys",
    ];
    std::thread::scope(|scope| {
        let begin = |role| (role, scope.spawn(move || misses_each(world, role)));
        let threads: Vec<_> = roles.into_iter().map(begin).collect();
        for (role, thread) in threads {
            thread.join().unwrap_or_else(|_| panic!("{role}"));
        }
    });
    // What is not there yet cannot be asked after: the broker's refusal says it.
    let create = listed(&world.d, "topics").into_iter().find(|g| g.operation == "Create").unwrap();
    world.kafka.take_away(std::slice::from_ref(&create));
    let out = world.of("topics").run(&["topics"]);
    let said = String::from_utf8_lossy(&out.stderr).into_owned();
    assert_eq!(out.status.code(), Some(4), "{said}");
    assert!(said.contains(&create.name) && said.contains("`waybill topics acls topics`"), "{said}");
}

fn misses_each(world: &World, role: &str) {
    let d = world.of(role);
    for grant in listed(&world.d, role) {
        world.kafka.take_away(std::slice::from_ref(&grant));
        let began = Instant::now();
        match role {
            "decrypt" | "enrich" | "aggregate" | "clickhouse" | "gateway" | "webhooks" => {
                let listen = format!("127.0.0.1:{}", free_port());
                let more = [("WAYBILL_GATEWAY__LISTEN", listen.as_str())];
                let process = d.spawn(role, &format!("{}-{}", grant.operation, grant.name), &more);
                let what = format!("{role} without {grant:?} to say so");
                wait_until(&what, LIMIT, || names(&process.log(), &grant));
                assert!(process.get("/readyz").is_none(), "{role} without {grant:?} is ready");
            }
            _ => {
                let out = command(d, role);
                let said = String::from_utf8_lossy(&out.stderr).into_owned();
                assert_eq!(out.status.code(), Some(4), "{role} without {grant:?}: {said}");
                assert!(names(&said, &grant), "{role} without {grant:?}: {said}");
            }
        }
        assert!(began.elapsed() < LIMIT, "{role} without {grant:?}: {:?}", began.elapsed());
        world.kafka.grant(&[grant]);
    }
}

fn command(d: &Deployment, role: &str) -> Output {
    let of_erase = ["erase", "--carrier", "acme-line", "--reference", "MSKU1234565", "--yes"];
    let file = |name: &str| d.folder.join(name).to_str().unwrap().to_owned();
    let (key, jwks, message) = (file("acme-line.pem"), file("platform.jwks"), file("message-0"));
    match role {
        "redrive" => d.run(&["rejects", "redrive"]),
        "erase" => d.run(&of_erase),
        "audit" => d.run(&["audit"]),
        "state" => d.run(&["state", "list"]),
        "replay" => d.run(&["webhooks", "replay", "--carrier", "acme-line", "--since", "1h"]),
        "keys" => d.run(&["keys", "destroy", "internal", "--dry-run"]),
        _ => d.run(&[
            "publish",
            "--carrier",
            "acme-line",
            "--signing-key",
            &key,
            "--jwks",
            &jwks,
            "--media-type",
            DCSA_22,
            &message,
        ]),
    }
}

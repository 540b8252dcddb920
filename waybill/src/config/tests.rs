use super::*;

fn load(toml: &str) -> Result<Config, String> {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("waybill.toml");
    std::fs::write(&file, toml).unwrap();
    Config::load(Some(&file)).map_err(|f| f.message)
}

#[test]
fn what_is_wrong_is_said_with_its_place() {
    for (toml, expected) in [
        ("[kafka]\nborkers = \"x\"", "do you mean \"brokers\"?"),
        ("[kafkaa]\nbrokers = \"x\"", "do you mean \"kafka\"?"),
        ("[clickhouse]\nzzz = 1", "known here: url, allow_plaintext, database"),
        ("[kafka]\nbrokers = 1", "kafka.brokers"),
        ("[kafka]\nsecurity_protocol = \"tls\"", "none of plaintext, ssl"),
        ("[clickhouse]\nurl = \"tcp://x\"", "neither http:// nor https://"),
        ("[clickhouse]\nurl = \"https://me:s3cret@x\"", "keys of their own"),
        ("[clickhouse]\ndatabase = \"a-b\"", "no plain name"),
        ("[clickhouse]\nurl = \"http://ch:8123\"", "http to \"ch\", which is not this machine"),
        ("[kafka]\nbrokers = \"127.0.0.1:9092,b:9092\"", "plaintext to \"b\", which is not"),
        ("[topics]\npartitions = 0", "not 1 to 10000"),
        ("[topics.retention]\nsealed = \"30d\"", "topics.retention.redrive: 14days is less than"),
        ("[topics.retention]\nsealed = \"long\"", "neither \"forever\" nor a time such as"),
        ("[topics.retention]\naggregate_state = \"1d\"", "unknown key \"aggregate_state\""),
        (
            "[clickhouse.retention]\nledger = \"30d\"",
            "could not tell whether rows without an entry",
        ),
        ("[topics]\nvalid = \"a\"\nopened = \"a\"", "same name \"a\""),
        (
            "[topics]\nsealed = \"a\"\nopened = \"a\"",
            "topics.sealed: a is \"a\" too, the topic of opened",
        ),
        ("[topics]\nsealed = [\"a\", \"^waybill\"]", "a, ^waybill is \"waybill.redrive\" too"),
        ("[topics]\nsealed = []", "topics.sealed: no topic is named"),
        ("[topics]\nsealed = \"^(\"", "topics.sealed: \"^(\" is no pattern"),
        (
            "[topics]\nsealed = 7",
            "a topic's name, a pattern that begins with ^, or a list of these",
        ),
        ("[batch]\nrecords = 0\nbytes = 1\nage = \"1s\"", "at least 1"),
        ("[sink]\nrecords = 1\nbytes = 1\nage = \"2m\"", "at most 60s"),
        ("[batch]\nrecords = 1\nbytes = 99999999\nage = \"1s\"", "no single request"),
        ("[aggregate]\nretention = \"1h\"", "at least 2d"),
        ("deployment = \"\"", "must not be empty"),
        ("[keys.pkcs11]\nmodule = \"m\"\npin = \"s3cret\"", "either token_label or slot"),
        ("[keys.pkcs11]\nmodul = \"m\"", "do you mean \"module\"?"),
        ("[topics.retention]\nwebhooks = \"1d\"", "is less than 2d"),
        ("[webhooks]\nallow_addresses = [\"10.0.0.1\"]", "no network, such as"),
        ("[webhooks]\nmax_requests = 0", "webhooks.max_requests: at least 1"),
        ("[webhooks]\ngive_up_after = \"2d\"", "at most 1d"),
        ("[webhooks]\nrequest_timeout = \"2m\"", "at most 60s"),
        ("[webhooks]\nrequest_timeout = \"3s\"", "no less than step_timeout"),
        ("[kafka\n", "expected"),
    ] {
        let message = load(toml).expect_err(toml);
        assert!(message.contains(expected), "{toml}\n gave: {message}");
        assert!(!message.contains("s3cret"), "{message}");
    }
}

#[test]
fn two_deployments_can_share_one_cluster() {
    let config = load(
        "deployment = \"waybill:b\"\n[topics]\nprefix = \"b.\"\nsealed = \"in\"\n\
         [groups]\nprefix = \"b-\"\n[clickhouse]\ndatabase = \"b\"",
    )
    .unwrap();
    assert_eq!(config.topics().unwrap().sealed().only(), Some("in"));
    assert_eq!(config.topics().unwrap().name(Role::Opened), "b.opened");
    assert_eq!(config.host("decrypt", &config.batch).unwrap().group, "b-decrypt");
}

#[test]
fn carriers_may_have_a_topic_each() {
    let sealed = |toml: &str| load(toml).unwrap().topics().unwrap().sealed().to_string();
    assert_eq!(sealed(""), "waybill.sealed");
    assert_eq!(sealed("[topics]\nsealed = \"^in\""), "^in");
    assert_eq!(sealed("[topics]\nsealed = [\"in\", '^in[.]']"), "in, ^in[.]");
}

#[test]
fn secrets_come_from_files_and_are_never_printed() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("password");
    std::fs::write(&file, "hunter2\n").unwrap();
    let config = load(&format!(
        "[kafka]\nsecurity_protocol = \"sasl_ssl\"\nsasl_mechanism = \"PLAIN\"\n\
         sasl_username = \"me\"\nsasl_password_file = {file:?}\n\
         [clickhouse]\nuser = \"me\"\npassword = \"hunter2\"\n\
         [keys.pkcs11]\nmodule = \"m\"\nslot = 0\npin = \"hunter2\""
    ))
    .unwrap();
    let connection = config.connection().unwrap();
    assert!(connection.0.contains(&("sasl.password".to_owned(), "hunter2".to_owned())));
    for shown in [
        config.to_string(),
        format!("{config:?}"),
        format!("{connection:?}"),
        format!("{:?}", config.clickhouse().unwrap()),
        format!("{:?}", config.keyring_and_token().unwrap()),
    ] {
        assert!(!shown.contains("hunter2"), "{shown}");
    }
    assert!(config.to_string().contains("(hidden)"));
}

#[test]
fn the_example_in_the_docs_is_read_and_is_the_default() {
    let docs = include_str!("../../../docs/configuration.md");
    let example = docs.split("```toml\n").nth(1).unwrap().split("```").next().unwrap();
    let config = load(example).unwrap();
    assert_eq!(config.to_string(), Config::default().to_string());
    // And nothing that has a default is left out.
    fn absent(place: &str, ours: &toml::Table, docs: &toml::Table, found: &mut Vec<String>) {
        for (key, value) in ours {
            match (value, docs.get(key)) {
                (_, None) => found.push(format!("{place}{key}")),
                (toml::Value::Table(ours), Some(toml::Value::Table(docs))) => {
                    absent(&format!("{place}{key}."), ours, docs, found);
                }
                _ => {}
            }
        }
    }
    let mut found = Vec::new();
    let table = |text: &str| text.parse::<toml::Table>().unwrap();
    absent("", &table(&Config::default().to_string()), &table(example), &mut found);
    // A map that is empty unless something is set; the table below the example names it.
    assert_eq!(found, ["enrich", "validate.codes"]);
}

#[test]
fn private_codes_are_tables_too() {
    let folder = tempfile::tempdir().unwrap();
    let write = |name: &str, text: &str| std::fs::write(folder.path().join(name), text).unwrap();
    let toml = format!(
        "[validate]\ncodes_folder = {:?}\n[validate.codes.acme-line]\n\"X12/ZZ\" = \"in_transit\"",
        folder.path()
    );
    let read = || load(&toml).unwrap().validate.stage().map(|_| ()).map_err(|f| f.message);
    assert!(read().unwrap_err().contains("no table is there (CARRIER.tsv)"));
    write("acme-line.tsv", "code\tmilestone\tname\nX12/QQ\tloaded\tOurs\n");
    write("README", "not a table");
    read().unwrap();
    write(
        "acme-line.tsv",
        "code\tmilestone\tname\nX12/QQ\tloadet\nX12/zz\tloaded\nA\tarrived\na\tarrived\n",
    );
    write("other.tsv", "code\tmilestone\treason\nX12/ZZ\tloaded\t\n");
    let told = read().unwrap_err();
    let told: Vec<&str> = told.lines().map(|line| line.rsplit_once('/').unwrap().1).collect();
    let told: Vec<&str> =
        told.iter().map(|line| line.split_once(".tsv: ").map_or(*line, |l| l.1)).collect();
    assert_eq!(
        told,
        [
            "line 2: \"loadet\" is no milestone",
            "line 5: the code \"a\" stands in line 4",
            "zz\": validate.codes.acme-line has it, too",
            "line 1: unknown column \"reason\"; known are code, milestone, exception, name, source",
        ]
    );
    std::fs::remove_dir_all(folder.path()).unwrap();
    assert!(read().unwrap_err().contains("No such file"));
}

#[test]
fn only_our_names_in_the_environment_count() {
    for (name, ours) in [
        ("DEPLOYMENT", true),
        ("INSTANCE", true),
        ("KAFKA__BROKERS", true),
        ("STATE", false),
        ("KAFKA_PORT", false),
    ] {
        assert_eq!(is_ours(name), ours, "{name}");
    }
}

#[test]
fn a_password_of_digits_stays_as_it_is() {
    for (name, text) in [
        ("INSTANCE", true),
        ("CLICKHOUSE__PASSWORD", true),
        ("KAFKA__SASL_PASSWORD", true),
        ("KEYS__PASSPHRASE", true),
        ("KEYS__PKCS11__PIN", true),
        ("KEYS__PKCS11__SLOT", false),
        ("TOPICS__PARTITIONS", false),
        ("SINK__AGE", false),
    ] {
        assert_eq!(is_text(name), text, "{name}");
    }
}

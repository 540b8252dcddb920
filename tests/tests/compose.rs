//! docker-compose.yml and the Dockerfile, without a Docker engine: by the Compose Specification's
//! schema, and by whether what they name exists: commands, configuration keys, ports, files,
//! services.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;
use std::process::{Command, Output};

use serde_json::Value;
use waybill_tests::panels::root;

const IMAGE: &str = "waybill:local";

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn yaml(path: &str) -> Value {
    serde_saphyr::from_str(&read(path)).unwrap_or_else(|e| panic!("{path}: {e}"))
}

fn compose() -> Value {
    yaml("docker-compose.yml")
}

fn object(value: &Value) -> impl Iterator<Item = (&String, &Value)> {
    value.as_object().into_iter().flatten()
}

fn texts(value: &Value) -> Vec<String> {
    let list = value.as_array().into_iter().flatten();
    list.map(|v| v.as_str().unwrap_or_else(|| panic!("no text: {v}")).to_owned()).collect()
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), ToOwned::to_owned)
}

fn services(compose: &Value) -> BTreeMap<String, Value> {
    object(&compose["services"]).map(|(name, s)| (name.clone(), s.clone())).collect()
}

/// Those of our image.
fn ours(compose: &Value) -> BTreeMap<String, Value> {
    services(compose).into_iter().filter(|(_, s)| s["image"] == IMAGE).collect()
}

/// What Compose makes of `text` when no variable is set: `${NAME:-default}` is its default,
/// `${NAME:?message}` something, `$$` a dollar.
fn interpolated(text: &str) -> String {
    let (mut done, mut rest) = (String::new(), text);
    while let Some((before, after)) = rest.split_once('$') {
        done.push_str(before);
        if let Some(after) = after.strip_prefix('$') {
            done.push('$');
            rest = after;
            continue;
        }
        let inside = after.strip_prefix('{').and_then(|a| a.split_once('}'));
        let (inside, after) = inside.unwrap_or_else(|| panic!("no ${{NAME}}: {text}"));
        match (inside.split_once(":-"), inside.split_once(":?")) {
            (Some((_, default)), _) => done.push_str(default),
            (None, Some(_)) => done.push_str("given"),
            (None, None) => panic!("{inside}: neither a default nor a message in {text}"),
        }
        rest = after;
    }
    done + rest
}

/// The binary that this build made.
fn waybill() -> Command {
    let test = std::env::current_exe().unwrap();
    let folder = test.parent().and_then(|deps| deps.parent()).unwrap();
    let binary: PathBuf = folder.join("waybill");
    assert!(
        binary.is_file(),
        "{} is not built: run 'cargo build -p waybill' (with --release, if these tests have it)",
        binary.display()
    );
    let mut command = Command::new(binary);
    for (name, _) in std::env::vars_os() {
        if name.to_string_lossy().starts_with("WAYBILL_") {
            command.env_remove(name);
        }
    }
    command.current_dir(std::env::temp_dir());
    command
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned() + &String::from_utf8_lossy(&output.stdout)
}

#[test]
fn the_specification_accepts_it() {
    let schema: Value =
        serde_json::from_str(&read("tests/fixtures/compose-spec/compose-spec.json")).unwrap();
    let (mut schemas, mut compiler) = (boon::Schemas::new(), boon::Compiler::new());
    compiler.add_resource("compose-spec.json", schema).unwrap();
    let index = compiler.compile("compose-spec.json", &mut schemas).unwrap();
    let wrong = |value: &Value| schemas.validate(value, index).err().map(|e| e.to_string());
    let good = compose();
    assert_eq!(wrong(&good), None);
    // And it is no schema that accepts everything.
    for (pointer, bad) in [
        ("/services/decrypt/healthcheck", serde_json::json!({"intervall": "1s"})),
        ("/services/kafka/ports", serde_json::json!("9092")),
        ("/services/decrypt/depends_on/init/condition", serde_json::json!("ready")),
    ] {
        let mut broken = good.clone();
        *broken.pointer_mut(pointer).unwrap() = bad;
        assert!(wrong(&broken).is_some(), "{pointer} passed");
    }
}

#[test]
fn every_stage_is_a_service_of_its_own() {
    let ours = ours(&compose());
    let mut stages = BTreeSet::new();
    for service in ours.values() {
        assert_eq!(service["build"], ".");
        if let [first, stage] = &texts(&service["command"])[..]
            && first == "run"
        {
            assert!(stages.insert(stage.clone()), "{stage} twice");
        }
    }
    let expected =
        ["decrypt", "validate", "enrich", "aggregate", "clickhouse", "gateway", "webhooks"];
    assert_eq!(stages, expected.map(ToOwned::to_owned).into());
    // One configuration for all: else they would not meet in the same topics. Only who they are in
    // ClickHouse differs, and most are nobody there.
    let mut users = BTreeMap::new();
    let environments: BTreeSet<String> = ours
        .iter()
        .map(|(name, service)| {
            let mut environment = service["environment"].as_object().unwrap().clone();
            let user = environment.remove("WAYBILL_CLICKHOUSE__USER");
            let file = environment.remove("WAYBILL_CLICKHOUSE__PASSWORD_FILE");
            if let (Some(user), Some(file)) = (&user, &file) {
                users.insert(name.as_str(), plain(user));
                let secret = plain(user).replace("waybill_", "") + "_password";
                assert_eq!(plain(file), format!("/run/secrets/{secret}"), "{name}");
            }
            assert_eq!(user.is_some(), file.is_some(), "{name}");
            for secret in texts(&service["secrets"]) {
                let own = file.as_ref().is_some_and(|f| plain(f).ends_with(&secret));
                assert!(own || secret == "keys_passphrase", "{name} has {secret}");
            }
            Value::from(environment).to_string()
        })
        .collect();
    assert_eq!(environments.len(), 1);
    let expected = [
        ("clickhouse-sink", "waybill_sink"),
        ("gateway", "waybill_gateway"),
        ("init", "waybill_owner"),
        ("cli", "waybill_auditor"),
    ];
    assert_eq!(users, expected.map(|(name, user)| (name, user.to_owned())).into());
    let known = read("dashboards/clickhouse/users.xml");
    for user in users.values() {
        assert!(known.contains(&format!("<{user}>")), "users.xml has no {user}");
    }
    // Topics are created before a processor starts, and by nobody else.
    let init = &ours["init"];
    assert!(texts(&init["command"]).concat().contains("waybill topics"));
    assert_eq!(
        compose()["services"]["kafka"]["environment"]["KAFKA_AUTO_CREATE_TOPICS_ENABLE"],
        "false"
    );
    for (name, service) in &ours {
        if name != "init" && !service["depends_on"]["decrypt"].is_object() {
            let condition = &service["depends_on"]["init"]["condition"];
            assert_eq!(condition, "service_completed_successfully", "{name}");
        }
    }
}

/// Who breaks into a stage finds the keys of that stage: each has a volume of its own, which `init` fills,
/// and the folder where keys are made is mounted by nobody but it and `cli`.
#[test]
fn each_stage_has_its_own_keys() {
    let ours = ours(&compose());
    let folder = plain(&ours["decrypt"]["environment"]["WAYBILL_KEYS__FOLDER"]);
    let mounts = |service: &Value| -> BTreeMap<String, (String, bool)> {
        let mounts = texts(&service["volumes"]).into_iter().map(|mount| {
            let parts: Vec<&str> = mount.split(':').collect();
            (parts[0].to_owned(), (parts[1].to_owned(), parts.get(2) == Some(&"ro")))
        });
        mounts.filter(|(source, _)| source.starts_with("keys")).collect()
    };
    let init = mounts(&ours["init"]);
    let granted = commands(&compose());
    for (name, service) in &ours {
        let expected = match &texts(&service["command"])[..] {
            [run, stage] if run == "run" => {
                let volume = format!("keys-{stage}");
                let (target, _) = &init[&volume];
                let grant: Vec<String> =
                    ["keys", "grant", stage, "--out", target].map(ToOwned::to_owned).into();
                assert!(granted.contains(&("init".to_owned(), grant)), "{stage}: not granted");
                BTreeMap::from([(volume, (folder.clone(), true))])
            }
            _ if name == "init" => continue,
            _ if name == "cli" => BTreeMap::from([("keys".to_owned(), (folder.clone(), false))]),
            _ => BTreeMap::new(),
        };
        assert_eq!(mounts(service), expected, "{name}");
    }
    assert_eq!(init["keys"], (folder, false));
}

/// Each command of ours, as words.
fn commands(compose: &Value) -> Vec<(String, Vec<String>)> {
    let mut found = Vec::new();
    for (name, service) in ours(compose) {
        let words: Vec<String> =
            texts(&service["command"]).iter().map(|w| interpolated(w)).collect();
        if service["entrypoint"].is_null() {
            if !words.is_empty() {
                found.push((name, words));
            }
            continue;
        }
        // A shell's script: what comes after `waybill` up to what ends a command.
        for (_, rest) in words.concat().split("waybill ").skip(1).map(|r| (&name, r.to_owned())) {
            let end = rest.find(['\n', ')', '|', '&', ';', '>']).unwrap_or(rest.len());
            let words = rest[..end].split_whitespace().map(ToOwned::to_owned).collect();
            found.push((name.clone(), words));
        }
    }
    found
}

/// The command line is read before the configuration: with a configuration file that is not there,
/// a right command line ends with status 3, and a wrong one with 2.
#[test]
fn every_command_is_one_of_the_binary() {
    let status = |words: &[String]| {
        let output = waybill().args(["--config", "/no/such/file"]).args(words).output().unwrap();
        (output.status.code(), said(&output))
    };
    let commands = commands(&compose());
    assert!(commands.len() >= 9, "{commands:?}");
    for (service, words) in commands {
        let (code, said) = status(&words);
        assert_eq!(code, Some(3), "{service}: waybill {}\n{said}", words.join(" "));
    }
    for wrong in [&["run"][..], &["topics", "--now"], &["simulate", "--rate=fast"]] {
        let words: Vec<String> = wrong.iter().map(ToString::to_string).collect();
        assert_eq!(status(&words).0, Some(2), "{wrong:?}");
    }
}

#[test]
fn every_variable_is_a_configuration_key() {
    let secret = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(secret.path(), "secret\n").unwrap();
    let check = |extra: Option<(&str, &str)>| {
        let mut command = waybill();
        for (name, value) in object(&ours(&compose())["decrypt"]["environment"]) {
            let value = interpolated(&plain(value));
            if value.starts_with("/run/secrets/") {
                command.env(name, secret.path());
            } else {
                command.env(name, value);
            }
        }
        command.envs(extra).arg("check-config").output().unwrap()
    };
    let output = check(None);
    assert!(output.status.success(), "{}", said(&output));
    let effective = said(&output);
    for (name, value) in object(&ours(&compose())["decrypt"]["environment"]) {
        let value = interpolated(&plain(value));
        let is_key = name.contains("__") || name == "WAYBILL_DEPLOYMENT";
        if is_key && !value.starts_with("/run/secrets/") {
            assert!(effective.contains(&value), "{name}={value} has no effect:\n{effective}");
        }
        assert!(is_key || name == "WAYBILL_LOG", "{name} is nobody's variable");
    }
    let output = check(Some(("WAYBILL_KAFKA__BORKERS", "x")));
    assert_eq!(output.status.code(), Some(3), "{}", said(&output));
    // What goes in clear between containers is asked for, and refused if it is not.
    for (key, host) in [("KAFKA", "kafka"), ("CLICKHOUSE", "clickhouse")] {
        let output = check(Some((&format!("WAYBILL_{key}__ALLOW_PLAINTEXT"), "false")));
        assert_eq!(output.status.code(), Some(3), "{}", said(&output));
        let far = format!("to \"{host}\", which is not this machine");
        assert!(said(&output).contains(&far), "{}", said(&output));
    }
}

#[test]
fn published_ports_are_those_of_dev() {
    let known: BTreeMap<String, String> = read("dev/ports.env")
        .lines()
        .filter_map(|l| l.split_once('='))
        .filter(|(name, _)| !name.starts_with('#'))
        .map(|(name, port)| (name.to_owned(), port.to_owned()))
        .chain([("WAYBILL_GRAFANA_PORT".to_owned(), "3000".to_owned())]) // runs here alone
        .collect();
    let mut published = BTreeSet::new();
    for (service, definition) in services(&compose()) {
        for port in texts(&definition["ports"]) {
            let inside = port.strip_prefix("127.0.0.1:${").and_then(|p| p.split_once(":-"));
            let (name, rest) = inside.unwrap_or_else(|| panic!("{service}: {port}"));
            let (default, _) = rest.split_once('}').unwrap();
            assert_eq!(known.get(name).map(String::as_str), Some(default), "{service}: {port}");
            assert!(published.insert(name.to_owned()), "{name} twice");
        }
    }
    assert_eq!(published.len(), 6, "{published:?}");
}

/// Who shares a network with whom. One that is not named joins a network with all others that are not.
#[test]
fn each_server_is_reached_by_those_that_work_with_it() {
    let compose = compose();
    let services = services(&compose);
    let networks = |name: &str| -> BTreeSet<String> {
        let found: BTreeSet<_> = texts(&services[name]["networks"]).into_iter().collect();
        assert!(!found.is_empty(), "{name} is in no network that is named");
        for network in &found {
            assert!(compose["networks"].get(network).is_some(), "{name}: no network {network}");
        }
        found
    };
    let peers = |name: &str| -> BTreeSet<&str> {
        let own = networks(name);
        let others = services.keys().filter(|other| *other != name);
        others.filter(|other| !own.is_disjoint(&networks(other))).map(String::as_str).collect()
    };
    let processors =
        ["decrypt", "validate", "enrich", "aggregate", "clickhouse-sink", "gateway", "webhooks"];
    let and = |more: &[&'static str]| processors.iter().chain(more).copied().collect();
    assert_eq!(peers("kafka"), and(&["init", "cli", "demo"]));
    let of_the_store = ["clickhouse-sink", "gateway", "init", "cli"];
    assert_eq!(peers("clickhouse"), of_the_store.iter().copied().chain(["grafana"]).collect());
    assert_eq!(peers("prometheus"), and(&["grafana"]));
    let asked = of_the_store.iter().copied().chain(["clickhouse", "prometheus"]);
    assert_eq!(peers("grafana"), asked.collect());
    for name in services.keys() {
        // A process waits for what it works with, and must reach it.
        for (other, how) in object(&services[name]["depends_on"]) {
            let server = ["kafka", "clickhouse", "prometheus"].contains(&other.as_str());
            assert!(!server || peers(name).contains(other.as_str()), "{name}: {other}: {how}");
        }
    }
    // Nothing is published from there.
    assert_eq!(compose["networks"]["metrics"]["internal"], true);
}

#[test]
fn what_is_mounted_depended_on_and_kept_secret_exists() {
    let compose = compose();
    let services = services(&compose);
    let names =
        |key: &str| -> BTreeSet<String> { object(&compose[key]).map(|(k, _)| k.clone()).collect() };
    let (mut volumes, mut secrets) = (BTreeSet::new(), BTreeSet::new());
    for (name, service) in &services {
        for mount in texts(&service["volumes"]) {
            let source = mount.split(':').next().unwrap();
            if source.starts_with('.') {
                assert!(root().join(source).exists(), "{name}: {source} does not exist");
                assert!(mount.ends_with(":ro"), "{name}: {mount} can be written");
            } else {
                volumes.insert(source.to_owned());
            }
        }
        secrets.extend(texts(&service["secrets"]));
        for (other, how) in object(&service["depends_on"]) {
            let needed = services.get(other).unwrap_or_else(|| panic!("{name}: no {other}"));
            if how["condition"] == "service_healthy" {
                assert!(needed["healthcheck"].is_object(), "{name}: {other} has no health check");
            }
        }
        let once = service["restart"] == "no";
        assert!(once || service["restart"] == "unless-stopped", "{name}: restart");
        assert!(once || service["healthcheck"].is_object(), "{name}: no health check");
        assert!(service["mem_limit"].is_string(), "{name}: no limit of memory");
        let image = plain(&service["image"]);
        assert!(
            image.contains(':') && !image.ends_with(":latest"),
            "{name}: {image} is not pinned"
        );
        for (key, value) in object(&service["environment"]) {
            let hidden = ["PASSWORD", "PASSPHRASE", "SECRET"].iter().any(|w| key.contains(w));
            let value = plain(value);
            let outside = value.starts_with("/run/secrets/") || value.starts_with("${");
            assert!(!hidden || outside, "{name}: {key} stands in the file");
        }
    }
    assert_eq!(volumes, names("volumes"));
    assert_eq!(secrets, names("secrets"));
    for (name, secret) in object(&compose["secrets"]) {
        let variable = plain(&secret["environment"]);
        let runbook = read("docs/operations.md");
        let short = variable.strip_prefix("WAYBILL_").unwrap();
        assert!(runbook.contains(short), "{name}: docs/operations.md does not make {variable}");
    }
}

#[test]
fn prometheus_and_grafana_look_for_what_is_there() {
    let compose = compose();
    let services = services(&compose);
    let scrape = yaml("dashboards/prometheus/prometheus.yml");
    let job = &scrape["scrape_configs"][0];
    assert_eq!(job["job_name"], "waybill");
    let asked = &job["dns_sd_configs"][0];
    let processors: BTreeSet<String> = ours(&compose)
        .into_iter()
        .filter(|(_, s)| texts(&s["command"]).first().is_some_and(|c| c == "run"))
        .map(|(name, _)| name)
        .collect();
    assert_eq!(texts(&asked["names"]).into_iter().collect::<BTreeSet<_>>(), processors);
    let listen = plain(&services["decrypt"]["environment"]["WAYBILL_METRICS__LISTEN"]);
    assert_eq!(listen, format!("0.0.0.0:{}", asked["port"]));
    let probe = texts(&services["decrypt"]["healthcheck"]["test"]).concat();
    assert!(probe.contains(&format!("/127.0.0.1/{}", asked["port"])), "{probe}");

    let mounted = |service: &str, target: &str| {
        let mounts = texts(&services[service]["volumes"]);
        assert!(mounts.iter().any(|m| m.ends_with(target)), "{service}: nothing at {target}");
    };
    let command = texts(&services["prometheus"]["command"]).concat();
    assert!(command.contains("--config.file=/etc/prometheus/prometheus.yml"));
    mounted("prometheus", ":/etc/prometheus/prometheus.yml:ro");
    for rules in texts(&scrape["rule_files"]) {
        mounted("prometheus", &format!("/prometheus/{rules}:/etc/prometheus/{rules}:ro"));
    }
    let folder = plain(
        &yaml("dashboards/provisioning/dashboards/waybill.yaml")["providers"][0]["options"]["path"],
    );
    mounted("grafana", &format!(":{folder}/pipeline.json:ro"));
    mounted("grafana", ":/etc/grafana/provisioning:ro");

    let sources = yaml("dashboards/provisioning/datasources/waybill.yaml");
    let (prometheus, clickhouse) = (&sources["datasources"][0], &sources["datasources"][1]);
    assert_eq!(prometheus["url"], "http://prometheus:9090");
    assert!(services.contains_key(&plain(&clickhouse["jsonData"]["host"])));
    let password = plain(&clickhouse["secureJsonData"]["password"]);
    let file = password.strip_prefix("$__file{/run/secrets/").and_then(|p| p.strip_suffix('}'));
    assert!(texts(&services["grafana"]["secrets"]).iter().any(|s| Some(s.as_str()) == file));
    // What that user may, a test on the server says. It may wait for an answer as long as Grafana asks it to.
    let users = read("dashboards/clickhouse/users.xml");
    let user = plain(&clickhouse["jsonData"]["username"]);
    assert!(users.contains(&format!("<{user}>")), "users.xml has no {user}");
    let timeout: u32 = plain(&clickhouse["jsonData"]["queryTimeout"]).parse().unwrap();
    let bounds = format!("<max_execution_time><min>1</min><max>{}</max>", timeout + 5);
    assert!(users.contains(&bounds), "the plug-in sends {} s", timeout + 5);
    mounted("clickhouse", "users.xml:/etc/clickhouse-server/users.d/waybill.xml:ro");
}

#[test]
fn the_image_is_built_by_the_workspace_s_rust_and_runs_as_nobody_special() {
    let dockerfile = read("Dockerfile");
    let number = |text: &str| -> Vec<u32> {
        text.split(|c: char| !c.is_ascii_digit() && c != '.')
            .find(|v| !v.is_empty())
            .unwrap()
            .split('.')
            .map(|n| n.parse().unwrap())
            .collect()
    };
    let manifest = read("Cargo.toml");
    let minimum = manifest.lines().find(|l| l.starts_with("rust-version")).unwrap();
    let used = dockerfile.lines().find(|l| l.starts_with("FROM rust:")).unwrap();
    assert!(number(used) >= number(minimum), "{used}: {minimum} is needed");
    let last = dockerfile.rsplit("FROM ").next().unwrap();
    let user = last.lines().find_map(|l| l.strip_prefix("USER ")).expect("no USER");
    assert!(!user.starts_with('0') && !user.contains("root"), "USER {user}");
    assert!(last.contains("ca-certificates"));
    // Every folder that a volume is laid over is there with its owner, or the volume is root's.
    for service in ours(&compose()).values() {
        for mount in texts(&service["volumes"]) {
            let target = mount.split(':').nth(1).unwrap();
            assert!(last.contains(target), "the image has no {target}");
        }
    }
    // What the build needs goes to it, and nothing that is secret.
    let ignore = read(".dockerignore");
    let allowed: BTreeSet<&str> = ignore.lines().filter_map(|l| l.strip_prefix('!')).collect();
    assert!(ignore.lines().any(|l| l == "*"));
    for name in &allowed {
        assert!(root().join(name).exists(), "{name} of .dockerignore does not exist");
    }
    let members = manifest.lines().find_map(|l| l.strip_prefix("members = ")).unwrap();
    let members: Vec<String> = serde_json::from_str(members).unwrap();
    for member in members.iter().map(|m| m.trim_end_matches("/*")) {
        let goes = |a: &str| member == a || member.starts_with(&format!("{a}/"));
        assert!(allowed.iter().any(|a| goes(a)), "{member} does not go to the build");
    }
}

//! The clients for Python and TypeScript: their own tests and types, and what they publish becomes rows.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use serde_json::{Value, json};
use waybill_tests::panels::root;
use waybill_tests::{Deployment, Door, Installed, free_port, said};

use crate::examples::invite;

/// A copy of a client's sources, since building and testing writes beside them.
fn copy(name: &str, to: &Path) -> PathBuf {
    let from = root().join("connectors/publisher/clients").join(name);
    let copied = std::process::Command::new("cp").arg("-r").args([&from, to]).output();
    said(copied, "cp");
    to.join(name)
}

/// The client for TypeScript, compiled.
fn compiled(tools: &Installed, to: &Path) -> PathBuf {
    let folder = copy("typescript", to);
    let modules = tools.path("typescript/node_modules");
    std::os::unix::fs::symlink(modules, folder.join("node_modules")).unwrap();
    tools.shell(&folder, "node_modules/.bin/tsc");
    folder
}

#[test]
fn the_client_for_python_passes_its_own_tests() {
    let Some(tools) = Installed::find() else { return };
    let to = tempfile::tempdir().unwrap();
    let folder = copy("python", to.path());
    let python = |args: &[&str]| {
        let mut command = tools.command(&folder, tools.path("venv/bin/python"));
        said(command.env("PYTHONPATH", "src").args(args).output(), &args.join(" "))
    };
    python(&["-m", "mypy", "src", "tests", "e2e"]);
    python(&["-m", "unittest", "discover", "-s", "tests"]);
    // As it is published: with its types.
    python(&[
        "-m",
        "pip",
        "install",
        "-q",
        "--no-deps",
        "--no-build-isolation",
        "--target",
        "built",
        ".",
    ]);
    assert!(folder.join("built/waybill_client/py.typed").is_file());
}

#[test]
fn the_client_for_typescript_passes_its_own_tests() {
    let Some(tools) = Installed::find() else { return };
    let to = tempfile::tempdir().unwrap();
    let folder = compiled(&tools, to.path());
    tools.shell(&folder, "node --test build/test/");
    // As it is published: compiled, with its types, and nothing else.
    let packed: Value = serde_json::from_str(&tools.shell(&folder, "npm pack --json")).unwrap();
    let files = packed[0]["files"].as_array().unwrap();
    let files: BTreeSet<&str> = files.iter().filter_map(|file| file["path"].as_str()).collect();
    for file in ["dist/index.js", "dist/index.d.ts", "README.md", "package.json"] {
        assert!(files.contains(file), "{file}: {files:?}");
    }
    let is_meant = |file: &&str| file.starts_with("dist/") || !file.contains('/');
    assert!(files.iter().all(is_meant), "{files:?}");
}

#[test]
fn what_the_clients_publish_becomes_rows() {
    let Some(tools) = Installed::find() else { return };
    let to = tempfile::tempdir().unwrap();
    let script = compiled(&tools, to.path()).join("build/e2e/first-events.js");
    let source = root().join("connectors/publisher/clients/python");
    let d = Deployment::new("clients", "");
    let port = free_port();
    let carriers = ["python-line", "node-line"];
    let folders = carriers.map(|carrier| invite(&d, port, carrier, &["--new-key"]));
    let _stages = d.start_each(&["decrypt,validate,enrich", "aggregate", "clickhouse"]);
    let mut door = Door::again(&d, port);
    door.process.wait_ready("gateway");

    let expected = json!([
        ["m-1", "accepted", []],
        ["m-2", "accepted", []],
        ["m-3", "accepted", []],
        ["bad", "rejected", ["unparsable"]],
        ["m-1", "duplicate", []],
    ]);
    for (carrier, folder) in carriers.iter().zip(&folders) {
        let mut command = match *carrier {
            "python-line" => {
                let mut python = tools.command(folder, tools.path("venv/bin/python"));
                python.arg(source.join("e2e/first_events.py"));
                python.env("PYTHONPATH", source.join("src")).env("PYTHONDONTWRITEBYTECODE", "1");
                python
            }
            _ => {
                let mut node = tools.command(folder, "node");
                node.arg(&script);
                node
            }
        };
        let answers: Value = serde_json::from_str(&said(command.output(), carrier)).unwrap();
        assert_eq!(answers, expected, "{carrier}");
        let ids =
            format!("SELECT uniqExact(message_id) FROM events WHERE carrier_id = '{carrier}'");
        assert_eq!(d.number(&ids), 3);
    }
    // One content key for all that each has sealed.
    let sealed = d.read_all("sealed");
    let key = |value: &[u8]| String::from_utf8_lossy(value).split('.').nth(1).map(str::to_owned);
    let keys: BTreeSet<_> = sealed.iter().filter_map(|(_, value)| key(value.as_deref()?)).collect();
    assert_eq!((sealed.len(), keys.len()), (10, 2));
}

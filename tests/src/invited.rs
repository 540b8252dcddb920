use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};

use crate::panels::root;

/// What `dev/setup examples` has installed: what carriers' programs need in Python, JavaScript and Java.
#[derive(Debug)]
pub struct Installed(PathBuf);

impl Installed {
    /// Without it a test is passed over, and says so; in CI it fails.
    ///
    /// # Panics
    /// In CI.
    pub fn find() -> Option<Self> {
        let downloads = std::env::var_os("WAYBILL_DOWNLOADS")
            .map_or_else(|| root().join(".waybill/downloads"), PathBuf::from);
        let folder = downloads.join("examples");
        if folder.join("pins").is_file() {
            return Some(Self(folder));
        }
        let said = "what carriers' programs need is not installed (see 'dev/setup examples')";
        assert!(std::env::var("CI").as_deref() != Ok("true"), "{said}");
        // Not by println!, which tests that pass keep to themselves.
        let said = format!("SKIPPED: nobody did as carriers are told: {said}\n");
        std::io::Write::write_all(&mut std::io::stderr(), said.as_bytes()).unwrap();
        None
    }

    pub fn path(&self, name: &str) -> PathBuf {
        self.0.join(name)
    }

    /// What is run in a folder as a carrier runs it, but that packages come from where setup has put them: the
    /// package managers are told so in their own ways.
    pub fn command(&self, folder: &Path, program: impl AsRef<std::ffi::OsStr>) -> Command {
        let mut command = Command::new(program);
        command
            .current_dir(folder)
            .stdin(Stdio::null())
            .env("PIP_NO_INDEX", "1")
            .env("PIP_FIND_LINKS", self.path("wheels"))
            .env("PIP_DISABLE_PIP_VERSION_CHECK", "1")
            // Once is not often enough for it to pay.
            .env("PIP_NO_COMPILE", "1")
            .env("npm_config_cache", self.path("npm"))
            .env("npm_config_offline", "true")
            .env("MAVEN_OPTS", format!("-Dmaven.repo.local={}", self.path("maven").display()));
        command
    }

    /// Runs one of the blocks of a shell; it must succeed.
    ///
    /// # Panics
    /// When it does not.
    pub fn shell(&self, folder: &Path, block: &str) -> String {
        said(self.command(folder, "bash").args(["-euo", "pipefail", "-c", block]).output(), block)
    }
}

/// What it printed.
///
/// # Panics
/// When it failed.
pub fn said(output: std::io::Result<Output>, what: &str) -> String {
    let output = output.unwrap_or_else(|e| panic!("{what}: {e}"));
    let [said, wrong] = [&output.stdout, &output.stderr].map(|text| String::from_utf8_lossy(text));
    assert!(output.status.success(), "{what}: {}\n{said}\n{wrong}", output.status);
    said.into_owned()
}

/// The blocks of a README that a shell is to run, each under its heading.
pub fn steps(readme: &str) -> Vec<(String, String)> {
    let (mut heading, mut block, mut steps) = (String::new(), None::<String>, Vec::new());
    for line in readme.lines() {
        match &mut block {
            Some(text) if line != "```" => {
                text.push_str(line);
                text.push('\n');
            }
            Some(_) => steps.extend(block.take().map(|text| (heading.clone(), text))),
            None if line == "```sh" => block = Some(String::new()),
            None if line.starts_with('#') => {
                heading = line.trim_start_matches(['#', ' ']).to_owned()
            }
            None => {}
        }
    }
    steps
}

//! `waybill carriers invite`: a folder to hand over.

use std::fmt;
use std::fs::{DirBuilder, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use jiff::Timestamp;
use waybill_decrypt::{ApiKey, Carrier, Carriers, RegisteredKey, RegistryError, Scope};
use waybill_formats::{example, find};
use waybill_sealing::jws::Algorithm;
use waybill_sealing::signing_key::PrivateSigningKey;

use crate::config::{Config, is_this_machine_in};
use crate::exit::Failure;
use crate::invitation::{File, Invitation, Language};
use crate::registry_file::RegistryFile;

#[derive(Debug, clap::Args)]
pub struct Args {
    /// What its events name as their issuer; it is added if it is not there
    id: String,
    /// The folder to make; it holds keys
    #[arg(long, value_name = "FOLDER")]
    to: PathBuf,
    /// The carrier's name, if it is new
    #[arg(long, default_value = "")]
    name: String,
    /// Where carriers find the gateway, such as https://events.example.org [default: where it listens]
    #[arg(long, value_name = "URL")]
    endpoint: Option<String>,
    /// The type of the example, one of `waybill formats list`
    #[arg(long, value_name = "TYPE", default_value = "application/vnd.dcsa.tnt+json;version=2.2")]
    format: String,
    /// Programs in these languages
    #[arg(long, value_delimiter = ',', default_values = ["python", "javascript", "java"])]
    language: Vec<Language>,
    /// Make a signing key, too [default: the carrier makes its own, and gives back the public half]
    #[arg(long)]
    new_key: bool,
    /// What the holder of the API key may do; who has the page's link may read
    #[arg(long, value_delimiter = ',', default_values = ["publish", "read"])]
    scopes: Vec<Scope>,
    /// For how long its API keys count, such as 90d [default: for ever]
    #[arg(long, value_name = "TIME")]
    expires_in: Option<humantime::Duration>,
}

pub fn run(config: &Config, args: &Args) -> Result<(), Failure> {
    let wrong = |what: &str, why: &dyn fmt::Display| Failure::config(format!("{what}: {why}"));
    config.validate.connect()?;
    let format = find(&args.format).map_err(|reject| wrong("--format", &reject.detail))?;
    let example = example(format).ok_or_else(|| wrong("--format", &"has no example"))?;
    let counts =
        example.counts(format).ok_or_else(|| wrong("--format", &"cannot read its example"))?;
    let endpoint = match &args.endpoint {
        Some(url) => endpoint(url).map_err(|why| wrong("--endpoint", &why))?,
        None => {
            let is_tls = config.gateway.certificate_file.is_some();
            format!("http{}://{}", if is_tls { "s" } else { "" }, config.gateway.listen)
        }
    };
    if !args.scopes.contains(&Scope::Read) {
        return Err(wrong(
            "--scopes",
            &"read is needed: the carrier asks what became of its event",
        ));
    }
    let now = Timestamp::now();
    let expires = args.expires_in.map(|after| now.checked_add(*after)).transpose();
    let expires = expires.map_err(|e| wrong("--expires-in", &e))?;
    let platform_keys = config.keyring_and_token()?.shown(now)?.to_json();
    let key = |scopes: Vec<Scope>| {
        ApiKey::generate(scopes, now, expires).map_err(|e| Failure::failed(e.to_string()))
    };
    let (api_key, page_key) = (key(args.scopes.clone())?, key(vec![Scope::Read])?);
    // P-256, and not Ed25519: every JOSE library signs with it, none needs another beside it.
    let signing_key = args.new_key.then(|| PrivateSigningKey::generate(Algorithm::Es256));
    let signing_key = signing_key.transpose().map_err(|e| Failure::failed(e.to_string()))?;

    let file = RegistryFile::new(&config.carriers.file);
    let carriers = file.read()?.unwrap_or_default();
    let may_be_plain = |carrier: &Carrier| carrier.access.allows(&args.format);
    let mut languages = args.language.clone();
    languages.sort();
    languages.dedup();
    let invitation = Invitation {
        carrier: &args.id,
        audience: &config.deployment,
        endpoint: &endpoint,
        media_type: &args.format,
        example,
        counts,
        platform_keys: &platform_keys.map_err(|e| Failure::failed(e.to_string()))?,
        api_key: &api_key.text,
        page_key: &page_key.text,
        signing_key: signing_key.as_ref(),
        is_plain_allowed: args.scopes.contains(&Scope::Publish)
            && carriers.get(&args.id).is_some_and(may_be_plain),
        languages: &languages,
    };
    let files = invitation.files().map_err(|e| Failure::failed(e.to_string()))?;
    write(&args.to, &files).map_err(|e| Failure::failed(format!("{}: {e}", args.to.display())))?;

    let names = [&api_key, &page_key].map(|made| made.key.id.clone());
    let key = signing_key.map(|key| RegisteredKey::new(key.public().clone()));
    let entered = file.change(|carriers| {
        enter(carriers, args, [api_key.key, page_key.key], key)
            .map_err(|e| Failure::config(e.to_string()))
    });
    if let Err(failure) = entered {
        // The keys in it are nobody's.
        let _ = std::fs::remove_dir_all(&args.to);
        return Err(failure);
    }
    let [name, page] = names;
    println!(
        "carriers: {} is for {}. It has the API key {name}, and {page} in the link to the page: hand it over \
         where nobody else can read it, and remove it here",
        args.to.display(),
        args.id
    );
    if !args.new_key {
        println!(
            "carriers: {0} makes its signing key, and gives you signing-key.pub.pem: then\n  \
             waybill carriers add {0} --key signing-key.pub.pem",
            args.id
        );
    }
    if is_this_machine_in(&endpoint) {
        println!(
            "carriers: {endpoint} is this machine alone; say with --endpoint where carriers find the gateway"
        );
    }
    Ok(())
}

/// The carrier, if it is new, and its keys.
fn enter(
    carriers: &mut Carriers,
    args: &Args,
    api_keys: [ApiKey; 2],
    signing_key: Option<RegisteredKey>,
) -> Result<(), RegistryError> {
    if carriers.get(&args.id).is_none() {
        let name = if args.name.is_empty() { &args.id } else { &args.name };
        carriers.insert(Carrier::new(&args.id, name)?)?;
    }
    if let Some(carrier) = carriers.get_mut(&args.id) {
        carrier.access.api_keys.extend(api_keys);
        signing_key.map(|key| carrier.add_key(key)).transpose()?;
    }
    Ok(())
}

/// A folder that was not there before, with all of these files or not at all.
fn write(folder: &Path, files: &[File]) -> std::io::Result<()> {
    DirBuilder::new().mode(0o700).create(folder)?;
    let written = files.iter().try_for_each(|file| write_file(folder, file));
    if written.is_err() {
        let _ = std::fs::remove_dir_all(folder);
    }
    written
}

fn write_file(folder: &Path, file: &File) -> std::io::Result<()> {
    let path = folder.join(&file.path);
    if let Some(parent) = path.parent() {
        std::fs::create_dir_all(parent)?;
    }
    let mode = if file.is_secret { 0o600 } else { 0o644 };
    let mut to = OpenOptions::new().write(true).create_new(true).mode(mode).open(path)?;
    to.write_all(&file.bytes)?;
    to.sync_all()
}

/// Where the gateway is, as it stands in commands and links: without a slash at its end.
fn endpoint(url: &str) -> Result<String, &'static str> {
    let url = url.trim_end_matches('/');
    let rest = url.strip_prefix("https://").or(url.strip_prefix("http://"));
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "-._~:/[]".contains(c);
    match rest {
        Some(rest) if rest.starts_with(char::is_alphanumeric) || rest.starts_with('[') => {}
        _ => return Err("not of the form https://HOST[:PORT][/PATH]"),
    }
    if !url.chars().all(is_plain) {
        return Err("has a character that no such address needs");
    }
    if url.starts_with("http://") && !is_this_machine_in(url) {
        return Err("https is needed: anybody on the way could read the carrier's API key");
    }
    Ok(url.to_owned())
}

#[cfg(test)]
mod tests {
    #![allow(clippy::unwrap_used)]

    use super::*;

    #[test]
    fn a_folder_is_written_whole_or_not_at_all() {
        let beside = tempfile::tempdir().unwrap();
        let folder = beside.path().join("folder");
        let file = |path: &str| File { path: path.to_owned(), bytes: vec![], is_secret: false };
        // The second cannot be: the first is no folder.
        write(&folder, &[file("a"), file("a/b")]).unwrap_err();
        assert!(!folder.exists());
        write(&folder, &[file("a"), file("b/c")]).unwrap();
        // What is there already stays as it is.
        write(&folder, &[file("d")]).unwrap_err();
        assert!(folder.join("b/c").is_file() && !folder.join("d").exists());
    }

    #[test]
    fn keys_go_in_clear_to_this_machine_alone() {
        for (url, expect) in [
            ("https://events.example.org", Some("https://events.example.org")),
            (
                "https://events.example.org:8443/carriers/",
                Some("https://events.example.org:8443/carriers"),
            ),
            ("http://127.0.0.1:8080", Some("http://127.0.0.1:8080")),
            ("http://[::1]:8080/", Some("http://[::1]:8080")),
            ("http://events.example.org", None),
            ("http://127.0.0.1.example.org", None),
            ("https://", None),
            ("https:///path", None),
            ("events.example.org", None),
            ("ftp://events.example.org", None),
            ("https://events.example.org/?a=b", None),
            ("https://events.example.org/#x", None),
            ("https://user@events.example.org", None),
            ("https://events.example.org/$(id)", None),
            ("https://events.example.org/'", None),
        ] {
            assert_eq!(endpoint(url).ok().as_deref(), expect, "{url}");
        }
    }
}

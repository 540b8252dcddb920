use jiff::{SignedDuration, ToSpan};
use waybill_schemas::Role;
use waybill_sealing::internal::KeyFile;
use waybill_sealing::platform_key::KeyState;

use super::*;
use crate::work::Work;

fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

#[test]
fn a_new_key_is_shown_after_a_minute_and_a_retired_one_never() {
    let folder = tempfile::tempdir().unwrap();
    let ring = Keyring::new(&folder.path().join("keys"), None);
    let first = ring.create(None, 2048, now()).unwrap();
    assert_eq!(first.kid, "platform-2026-11-24");
    let kids =
        |at| ring.shown(at).unwrap().keys.iter().map(|k| k.kid().to_owned()).collect::<Vec<_>>();
    // The only key there is: shown at once.
    assert_eq!(kids(now()), ["platform-2026-11-24"]);
    let later = now().checked_add(2.hours()).unwrap();
    let second = ring.create(None, 2048, later).unwrap();
    assert_eq!(second.kid, "platform-2026-11-24-2");
    assert_eq!(kids(later.checked_add(59.seconds()).unwrap()), ["platform-2026-11-24"]);
    assert_eq!(kids(later.checked_add(60.seconds()).unwrap()).len(), 2);
    ring.retire(&first.kid, false, later).unwrap();
    assert_eq!(kids(later.checked_add(60.seconds()).unwrap()), ["platform-2026-11-24-2"]);
    // It still opens, until it is retired.
    assert_eq!(ring.load().unwrap().get(&first.kid).unwrap().state(), KeyState::Retiring);
    assert_eq!(ring.retire(&first.kid, false, later).unwrap(), KeyState::Retired);
}

#[test]
fn files_are_private_and_need_the_passphrase() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("keys");
    let ring = Keyring::new(&path, Some(secret()));
    ring.create(Some("k1".to_owned()), 2048, now()).unwrap();
    for file in ["k1.pem", "internal.key", "keys.json"] {
        let mode = std::fs::metadata(path.join(file)).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600, "{file}");
    }
    ring.load().unwrap();
    ring.role_keys(&[Role::Opened]).unwrap();
    let without = Keyring::new(&path, None);
    let why = without.load().unwrap_err().message;
    assert!(why.contains("k1.pem") && why.contains("passphrase"), "{why}");
    let why = without.role_keys(&[Role::Opened]).unwrap_err().message;
    assert!(why.contains("internal.key") && why.contains("passphrase"), "{why}");
}

fn secret() -> Secret {
    serde_json::from_str("\"correct horse\"").unwrap()
}

/// Where it is not said otherwise, keys are made this long before they seal.
const AFTER: SignedDuration = SignedDuration::from_secs(60);

/// A folder of before: `internal.key` as text, and no entry for it.
fn old_folder(path: &Path) -> (Keyring, String) {
    let ring = Keyring::new(path, None);
    ring.create(Some("k1".to_owned()), 2048, now()).unwrap();
    let text = "BwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwcHBwc";
    std::fs::write(path.join("internal.key"), format!("{text}\n")).unwrap();
    let index = Index { internal: Vec::new(), ..ring.index().unwrap() };
    ring.write_index(index).unwrap();
    (ring, text.to_owned())
}

#[test]
fn a_folder_of_before_goes_on_and_can_be_wrapped() {
    let folder = tempfile::tempdir().unwrap();
    let (ring, text) = old_folder(folder.path());
    let key = KeyFile::parse(&text, None).unwrap();
    let named = internal::ids(&key).unwrap();
    assert!(ring.role_keys(&[Role::Opened]).unwrap().serves(Role::Opened));
    assert_eq!(ring.index().unwrap().internal[0].ids, named);
    // A new platform key leaves the index as earlier builds read it.
    let written = std::fs::read_to_string(folder.path().join("keys.json")).unwrap();
    assert!(!written.contains("internal"), "{written}");

    assert!(ring.wrap().unwrap_err().message.contains("no passphrase"));
    let ring = Keyring::new(folder.path(), Some(secret()));
    assert_eq!(ring.wrap().unwrap(), ["k1.pem", "internal.key"]);
    for file in ["k1.pem", "internal.key"] {
        let written = std::fs::read_to_string(folder.path().join(file)).unwrap();
        assert!(!written.contains(&text) && !written.contains("BEGIN PRIVATE KEY"), "{written}");
    }
    assert!(ring.role_keys(&[Role::Opened]).is_ok());
    ring.load().unwrap();
    assert_eq!(ring.index().unwrap().internal[0].ids, named);
    assert!(ring.wrap().unwrap().is_empty());
}

#[test]
fn a_new_internal_key_opens_at_once_and_seals_later() {
    let folder = tempfile::tempdir().unwrap();
    for old in [true, false] {
        let path = folder.path().join(old.to_string());
        let ring = if old {
            std::fs::create_dir(&path).unwrap();
            old_folder(&path).0
        } else {
            let ring = Keyring::new(&path, Some(secret()));
            ring.create(None, 2048, now()).unwrap();
            ring
        };
        let later = now().checked_add(2.hours()).unwrap();
        let new = ring.rotate_internal(AFTER, later).unwrap();
        assert_eq!(new.kid, "internal-2026-11-24");
        let states = |ring: &Keyring| -> Vec<_> {
            ring.index().unwrap().internal.into_iter().map(|e| (e.kid, e.state)).collect()
        };
        let named = |kid: &str, state| (kid.to_owned(), state);
        assert_eq!(
            states(&ring),
            [named("internal", KeyState::Retiring), named(&new.kid, KeyState::Active)]
        );
        assert_eq!(new.seals_from, later.checked_add(AFTER).unwrap());
        // The old one seals until then, so there is no third one before, and the old one stays.
        let early = later.checked_add(59.seconds()).unwrap();
        assert!(ring.rotate_internal(AFTER, early).unwrap_err().message.contains("seals from"));
        let early = later.checked_add(119.seconds()).unwrap();
        for kid in ["internal", "internal-2026-11-24"] {
            let why = ring.retire(kid, true, early).unwrap_err().message;
            assert!(
                why.contains(if kid == "internal" { "may seal until" } else { "first" }),
                "{why}"
            );
        }
        let done = later.checked_add(120.seconds()).unwrap();
        assert_eq!(ring.retire("internal", false, done).unwrap(), KeyState::Retired);
        assert!(ring.role_keys(&[Role::Valid]).is_ok());
        let next = ring.rotate_internal(AFTER, done).unwrap();
        assert_eq!(next.kid, "internal-2026-11-24-2");
    }
}

/// To seal with a key that nobody else has would be to seal for nobody.
#[test]
fn another_key_in_the_file_of_one_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let [a, b] = ["a", "b"].map(|name| {
        let ring = Keyring::new(&folder.path().join(name), None);
        ring.create(None, 2048, now()).unwrap();
        ring
    });
    let file = "internal.key";
    // A later build knows more roles than the one that made the key: it is the same key for that.
    let mut index = a.index().unwrap();
    index.internal[0].ids.remove("ledger").unwrap();
    a.write_index(index).unwrap();
    assert!(a.role_keys(&[Role::Ledger]).is_ok());
    std::fs::copy(b.folder.join(file), a.folder.join(file)).unwrap();
    let why = a.role_keys(&[Role::Opened]).unwrap_err().message;
    assert!(why.contains("not the key that keys.json names"), "{why}");
    std::fs::remove_file(a.folder.join(file)).unwrap();
    assert!(a.role_keys(&[Role::Opened]).unwrap_err().message.contains("internal.key"));
    let why = Keyring::new(&folder.path().join("c"), None).role_keys(&[Role::Opened]);
    assert!(why.unwrap_err().message.contains("no internal key for the role `opened`"));
}

/// Names of the keys in a folder.
fn files(ring: &Keyring) -> Vec<String> {
    let names = std::fs::read_dir(&ring.folder).unwrap().map(|f| f.unwrap().file_name());
    let mut names: Vec<_> = names.map(|name| name.into_string().unwrap()).collect();
    names.retain(|name| name != "keys.json");
    names.sort();
    names
}

#[test]
fn a_granted_folder_holds_what_its_stages_need_and_nothing_else() {
    let folder = tempfile::tempdir().unwrap();
    let path = |name: &str| folder.path().join(name);
    let ring = Keyring::new(&path("keys"), None);
    ring.create(Some("k1".to_owned()), 2048, now()).unwrap();
    let all: Vec<_> = internal::internal_roles().collect();
    for stages in ["decrypt", "validate", "validate,enrich", "aggregate", "clickhouse"] {
        let work = Work::parse(stages).unwrap();
        let to = Keyring::new(&path(stages), Some(secret()));
        ring.grant(stages, work, false, &to.folder, Some(secret())).unwrap();
        let ids = to.index().unwrap().internal[0].ids.clone();
        let held: Vec<&str> = ids.keys().map(String::as_str).collect();
        let mut needed: Vec<_> = work.roles().iter().map(|role| role.as_str()).collect();
        needed.sort_unstable();
        assert_eq!(held, needed, "{stages}");
        assert!(to.role_keys(&work.roles()).is_ok());
        let lacking = all.iter().find(|role| !work.roles().contains(role)).unwrap();
        let why = to.role_keys(&[*lacking]).unwrap_err().message;
        assert!(why.contains(&format!("no internal key for the role `{}`", lacking.as_str())));
        let opens = stages == "decrypt";
        let expected: &[&str] = if opens { &["internal.key", "k1.pem"] } else { &["internal.key"] };
        assert_eq!(files(&to), expected, "{stages}");
        assert_eq!(to.load().is_ok(), opens, "{stages}");
        // The keys are those of the others, and of this role: values name them.
        let (whole, part) = (ring.index().unwrap(), to.index().unwrap());
        for (role, id) in &part.internal[0].ids {
            assert_eq!(whole.internal[0].ids[role], *id);
        }
        // It is encrypted, and no place to make keys in.
        for file in files(&to) {
            let text = to.read(&file).unwrap();
            assert!(text.contains("ENCRYPTED") || !KeyFile::is_plain(&text), "{file}");
        }
        let why = to.create(None, 2048, now()).unwrap_err().message;
        assert!(why.contains("was granted to"), "{why}");
        assert!(to.rotate_internal(AFTER, now()).unwrap_err().message.contains("granted anew"));
        assert!(to.grant(stages, work, false, &path("x"), None).is_err());
    }
    // Nor is a folder of others overwritten.
    let validate = Work::parse("validate").unwrap();
    let why =
        |out: &str| ring.grant("validate", validate, false, &path(out), None).unwrap_err().message;
    assert!(why("keys").contains("keys of its own"));
    assert!(why("decrypt").contains("was granted to decrypt"));
    // Only who asks for it gets the internal key itself.
    let out = path("version-1");
    ring.grant("validate", validate, true, &out, None).unwrap();
    assert!(Keyring::new(&out, None).index().unwrap().internal[0].is_whole());
}

#[test]
fn a_grant_is_brought_up_to_date_by_the_same_command() {
    let folder = tempfile::tempdir().unwrap();
    let ring = Keyring::new(&folder.path().join("keys"), None);
    ring.create(Some("k1".to_owned()), 2048, now()).unwrap();
    let out = folder.path().join("decrypt");
    let to = Keyring::new(&out, None);
    let work = Work::parse("decrypt").unwrap();
    let grant = || ring.grant("decrypt", work, false, &out, None).unwrap();
    grant();
    ring.create(Some("k2".to_owned()), 2048, now()).unwrap();
    let new = ring.rotate_internal(AFTER, now()).unwrap();
    grant();
    assert_eq!(files(&to), ["internal-2026-11-24.key", "internal.key", "k1.pem", "k2.pem"]);
    assert_eq!(to.index().unwrap().internal[1].seals_from, new.seals_from);
    let later = now().checked_add(1.hours()).unwrap();
    for _ in 0..2 {
        ring.retire("k1", false, later).unwrap();
    }
    ring.retire("internal", false, later).unwrap();
    grant();
    assert_eq!(files(&to), ["internal-2026-11-24.key", "k2.pem"]);
    // What was sealed for a retired key is still answered as such.
    let keys = to.load().unwrap();
    assert!(keys.is_retired("k1") && !keys.is_retired("k2") && keys.get("k1").is_none());
}

#[test]
fn a_destroyed_key_s_file_is_overwritten_before_it_is_removed() {
    let folder = tempfile::tempdir().unwrap();
    let ring = Keyring::new(&folder.path().join("keys"), None);
    for kid in ["k1", "k2"] {
        ring.create(Some(kid.to_owned()), 2048, now()).unwrap();
    }
    let (pem, other_name) = (ring.folder.join("k1.pem"), folder.path().join("k1"));
    std::fs::hard_link(&pem, &other_name).unwrap();
    for state in [KeyState::Active, KeyState::Retiring] {
        assert!(ring.destroy("k1").unwrap_err().message.contains(&format!("k1 is {state}")));
        assert!(pem.exists());
        ring.retire("k1", false, now()).unwrap();
    }
    ring.destroy("k1").unwrap();
    assert!(!pem.exists());
    let left = std::fs::read(&other_name).unwrap();
    assert!(left.len() > 1000 && left.iter().all(|byte| *byte == 0));
    assert_eq!(ring.index().unwrap().keys[0].state, KeyState::Destroyed);
    assert!(ring.load().unwrap().is_retired("k1"));
    // It has no way back.
    assert_eq!(ring.retire("k1", false, now()).unwrap(), KeyState::Destroyed);
    assert!(ring.destroy("k1").unwrap_err().message.contains("destroyed already"));
    assert!(ring.destroy("k3").unwrap_err().message.contains("no key \"k3\""));

    // A command that was broken off behind the file is given again.
    ring.rotate_internal(AFTER, now()).unwrap();
    ring.retire("internal", false, now().checked_add(1.hours()).unwrap()).unwrap();
    std::fs::remove_file(ring.folder.join("internal.key")).unwrap();
    let (Named::Internal(ids), _) = ring.named("internal").unwrap() else { panic!() };
    assert_eq!(ids.len(), 1 + internal::internal_roles().count());
    ring.destroy("internal").unwrap();
    assert_eq!(ring.index().unwrap().internal[0].state, KeyState::Destroyed);
}

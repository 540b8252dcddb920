use jiff::{SignedDuration, ToSpan};
use waybill_runtime::Role;
use waybill_sealing::internal::KeyFile;
use waybill_sealing::platform_key::KeyState;

use super::*;

fn now() -> Timestamp {
    "2026-11-24T12:00:00Z".parse().unwrap()
}

#[test]
fn a_new_key_is_shown_after_a_minute_and_a_retired_one_never() {
    let folder = tempfile::tempdir().unwrap();
    let ring = Keyring::new(&folder.path().join("keys"), None);
    let first = ring.create(None, 2048, now()).unwrap();
    assert_eq!(first.kid, "platform-2026-11-24");
    let kids = |at| ring.shown(at).unwrap().iter().map(|k| k.kid().to_owned()).collect::<Vec<_>>();
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

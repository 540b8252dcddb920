//! Keys in a real token: NSS's softoken, which Debian packages, and which has RSA-OAEP with SHA-256.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, clippy::indexing_slicing)]

use std::path::PathBuf;
use std::process::Command;
use std::sync::{LazyLock, Mutex, MutexGuard};

use cryptoki::context::Pkcs11;
use cryptoki::object::{Attribute, AttributeType, ObjectClass};
use cryptoki::session::{Session, UserType};
use cryptoki::types::AuthPin;
use waybill_pkcs11::{Settings, Token, Which};
use waybill_sealing::content_key::ContentKey;
use waybill_sealing::platform_key::{KeyState, PlatformKey, UnwrapError};

const PIN: &str = "a test pin";
const LABEL: &str = "NSS Certificate DB";
const BITS: usize = 2048;

/// One for this process: the library is initialized once. Who works with it has it alone.
struct Shared {
    settings: Settings,
    token: Token,
    _folder: tempfile::TempDir,
}

static SHARED: LazyLock<Mutex<Shared>> = LazyLock::new(|| {
    let folder = tempfile::tempdir().unwrap();
    let pin = folder.path().join("pin");
    std::fs::write(&pin, PIN).unwrap();
    let made = Command::new("certutil")
        .args(["-N", "-d", &format!("sql:{}", folder.path().display()), "-f"])
        .arg(&pin)
        .status()
        .expect("certutil (Debian: libnss3-tools) is not there: run dev/setup");
    assert!(made.success());
    let settings = Settings {
        module: module(),
        token: Which::Label(LABEL.to_owned()),
        pin: AuthPin::new(PIN.into()),
        parameters: Some(format!("configdir='sql:{}'", folder.path().display())),
    };
    Mutex::new(Shared { token: Token::new(settings.clone()), settings, _folder: folder })
});

fn module() -> PathBuf {
    let libraries = PathBuf::from(format!("/usr/lib/{}-linux-gnu", std::env::consts::ARCH));
    // Debian's place, and Ubuntu's.
    let modules = ["libsoftokn3.so", "nss/libsoftokn3.so"].map(|name| libraries.join(name));
    let module = modules.into_iter().find(|module| module.exists());
    module.expect("libsoftokn3.so (Debian: libnss3) is not there: run dev/setup")
}

fn shared() -> MutexGuard<'static, Shared> {
    SHARED.lock().unwrap_or_else(std::sync::PoisonError::into_inner)
}

fn key(shared: &Shared, kid: &str) -> PlatformKey {
    let public = shared.token.generate(kid, BITS).unwrap();
    let private = shared.token.key(public.clone()).unwrap();
    PlatformKey::new(KeyState::Active, public, Box::new(private))
}

/// Whether it unwraps what is wrapped for it.
fn works(key: &PlatformKey) -> bool {
    let (unwrapped, wrapped) = ContentKey::wrapped_for(key.public()).unwrap();
    let mut text = *b"text";
    let tag = unwrapped.encrypt(&[0; 12], b"", &mut text).unwrap();
    key.unwrap(&wrapped).is_ok_and(|key| key.decrypt(&[0; 12], b"", &mut text, &tag).is_ok())
}

/// A session of somebody else in this process.
fn other_session(shared: &Shared) -> Session {
    let library = Pkcs11::new(&shared.settings.module).unwrap();
    let slots = library.get_slots_with_token().unwrap();
    let is_it = |slot: &_| library.get_token_info(*slot).unwrap().label().trim() == LABEL;
    let slot = slots.into_iter().find(is_it).unwrap();
    library.open_rw_session(slot).unwrap()
}

#[test]
fn a_key_is_made_in_the_token_and_cannot_be_taken_out() {
    let shared = shared();
    let key = key(&shared, "made");
    assert_eq!((key.kid(), key.public().modulus_bits()), ("made", BITS));
    assert!(works(&key));
    let session = other_session(&shared);
    let id = Attribute::Id(b"made".to_vec());
    let found =
        session.find_objects(&[Attribute::Class(ObjectClass::PRIVATE_KEY), id.clone()]).unwrap();
    let attributes = session
        .get_attributes(found[0], &[AttributeType::Extractable, AttributeType::Sensitive])
        .unwrap();
    assert_eq!(attributes, [Attribute::Extractable(false), Attribute::Sensitive(true)]);
    let exponent = session.get_attributes(found[0], &[AttributeType::PrivateExponent]);
    assert!(exponent.is_ok_and(|found| found.is_empty()));
    // A name is given once, and the key goes when it is destroyed.
    assert!(shared.token.generate("made", BITS).unwrap_err().to_string().contains("already"));
    shared.token.destroy("made").unwrap();
    assert!(session.find_objects(&[id]).unwrap().is_empty());
    assert!(shared.token.key(key.public().clone()).is_err());
}

/// The same answers as a key in a file gives (sealing/src/platform_key.rs), so that nobody learns which
/// it is, nor what was wrong.
#[test]
fn what_is_wrong_is_one_answer() {
    let shared = shared();
    let [key, other] = ["one", "other"].map(|kid| key(&shared, kid));
    let file = PlatformKey::generate("file", BITS).unwrap();
    let cases = |key: &PlatformKey| {
        let wrapped = key.public().wrap(&[42; 32]).unwrap();
        let changed = |at: usize| {
            let mut changed = wrapped.clone();
            changed[at] ^= 1;
            changed
        };
        [
            other.public().wrap(&[42; 32]).unwrap(),
            changed(0),
            changed(1),
            changed(wrapped.len() - 1),
            vec![0; wrapped.len()],
            vec![0xff; wrapped.len()],
            wrapped[1..].to_vec(),
            Vec::new(),
        ]
    };
    let answers = |key: &PlatformKey| cases(key).map(|wrong| key.unwrap(&wrong).unwrap_err());
    let [.., short, empty] = answers(&key);
    assert_eq!((short, empty), (UnwrapError::Length, UnwrapError::Length));
    assert_eq!(answers(&key), answers(&file));
    assert!(answers(&key)[..6].iter().all(|answer| *answer == UnwrapError::Unwrap));
    assert!(works(&key), "and it goes on");
}

#[test]
fn many_threads_at_once() {
    let shared = shared();
    let key = key(&shared, "threads");
    std::thread::scope(|scope| {
        let each = |_| scope.spawn(|| (0..20).all(|_| works(&key)));
        let threads: Vec<_> = (0..8).map(each).collect();
        assert!(threads.into_iter().all(|thread| thread.join().unwrap()));
    });
}

#[test]
fn a_session_that_is_lost_is_found_again() {
    let shared = shared();
    let key = key(&shared, "lost");
    assert!(works(&key));
    // The login is the process's: whoever ends it, ends it for all.
    other_session(&shared).logout().unwrap();
    assert!(works(&key));
}

/// A token that does not work rejects nothing, and its PIN is not tried until it locks itself.
#[test]
fn a_token_that_refuses_us_is_unavailable() {
    let mut shared = shared();
    let key = key(&shared, "refused");
    let wrapped = key.public().wrap(&[42; 32]).unwrap();
    let [old, new] = [PIN, "another pin"].map(|pin| AuthPin::new(pin.into()));
    let change = |from: &AuthPin, to: &AuthPin| {
        let session = other_session(&shared);
        let _ = session.login(UserType::User, Some(from));
        session.set_pin(from, to).unwrap();
        session.logout().unwrap();
    };
    change(&old, &new);
    for wrong in [&wrapped, &vec![0; wrapped.len()]] {
        let Err(UnwrapError::Unavailable(why)) = key.unwrap(wrong) else { panic!("an answer") };
        assert!(why.contains("refused") && why.contains("the PIN"), "{why}");
        assert!(!why.contains(PIN), "{why}");
    }
    change(&new, &old);
    // Whoever starts again with the right one goes on.
    let again = Token::new(shared.settings.clone());
    let private = again.key(key.public().clone()).unwrap();
    assert!(works(&PlatformKey::new(KeyState::Active, key.public().clone(), Box::new(private))));
    // Before anybody else has the refused one.
    shared.token = again;
}

#[test]
fn what_is_not_there_is_named() {
    let shared = shared();
    let public = PlatformKey::generate("nobody", BITS).unwrap().public().clone();
    let why =
        |settings: Settings| Token::new(settings).key(public.clone()).unwrap_err().to_string();
    let settings = || shared.settings.clone();
    let said = why(settings());
    assert!(said.contains("key \"nobody\"") && said.contains("holds 0 private keys"), "{said}");
    let said = why(Settings { token: Which::Label("else".to_owned()), ..settings() });
    assert!(said.contains("the token \"else\" is not among") && said.contains(LABEL), "{said}");
    let said = why(Settings { module: "/no/such.so".into(), ..settings() });
    assert!(said.contains("/no/such.so"), "{said}");
    assert_eq!(format!("{:?}", settings()).matches(PIN).count(), 0);
}

use std::collections::{BTreeMap, VecDeque};
use std::fmt;
use std::sync::{Mutex, PoisonError, RwLock};

use waybill_schemas::Role;
use waybill_sealing::internal::{
    InternalError, InternalKey, OpenError, Opener, Pseudonym, Pseudonyms, RoleKey, Sealer,
};
use waybill_stage::Fault;

/// How a value in Avro single-object encoding begins.
const AVRO: [u8; 2] = [0xC3, 0x01];

/// The keys of those internal topics that a process reads or writes.
#[derive(Debug, Default)]
pub struct RoleKeys {
    roles: BTreeMap<Role, Vec<Held>>,
    version_1: Vec<InternalKey>,
}

#[derive(Debug)]
struct Held {
    key: RoleKey,
    /// It seals from then on, ms UTC: who reads must hold it before. `None`: it opens only.
    seals_from_ms: Option<i64>,
}

impl RoleKeys {
    /// Those of all roles under one internal key.
    pub fn of(key: &InternalKey) -> Result<Self, InternalError> {
        let mut keys = Self::default();
        for role in Role::ALL.into_iter().filter(|role| role.is_internal()) {
            keys.hold(role, key.role(role.as_str())?, Some(0));
        }
        keys.open_version_1(key.clone());
        Ok(keys)
    }

    /// Opens with `key`, and seals with it from a time on (ms UTC), if there is one. Of several, the one
    /// with the latest time that has come seals; before all of them, the one with the earliest.
    pub fn hold(&mut self, role: Role, key: RoleKey, seals_from_ms: Option<i64>) {
        self.roles.entry(role).or_default().push(Held { key, seals_from_ms });
    }

    /// Opens what earlier builds sealed under `key`, too, in every role that is held.
    pub fn open_version_1(&mut self, key: InternalKey) {
        self.version_1.push(key);
    }

    /// Whether values of the role can be both opened and sealed.
    pub fn serves(&self, role: Role) -> bool {
        let keys = self.roles.get(&role);
        keys.is_some_and(|keys| keys.iter().any(|held| held.seals_from_ms.is_some()))
    }
}

/// What is done for one role.
struct Keyed {
    opener: Mutex<Opener>,
    sealers: Mutex<Sealers>,
}

struct Sealers {
    current: Option<Current>,
    /// That take its place, with when; the earliest first.
    next: VecDeque<(i64, RoleKey)>,
}

/// The key in force: what it seals with, and what makes records' keys.
struct Current {
    sealer: Sealer,
    pseudonyms: Pseudonyms,
}

impl Current {
    fn new(key: &RoleKey) -> Result<Self, InternalError> {
        Ok(Self { sealer: Sealer::new(key)?, pseudonyms: key.pseudonyms()? })
    }
}

impl Sealers {
    fn new(keys: &[Held]) -> Result<Self, InternalError> {
        let mut next: Vec<_> =
            keys.iter().filter_map(|held| Some((held.seals_from_ms?, held.key.clone()))).collect();
        next.sort_by_key(|(from, _)| *from);
        let mut next = VecDeque::from(next);
        let first = next.pop_front();
        let current = first.map(|(_, key)| Current::new(&key)).transpose()?;
        Ok(Self { current, next })
    }

    /// The one in force. The clock is asked only while another one is to follow.
    fn at(&mut self, now_ms: impl FnOnce() -> i64) -> Result<Option<&mut Current>, InternalError> {
        if !self.next.is_empty() {
            let now_ms = now_ms();
            let mut due = None;
            while self.next.front().is_some_and(|(from, _)| *from <= now_ms) {
                due = self.next.pop_front();
            }
            if let Some((_, key)) = due {
                self.current = Some(Current::new(&key)?);
            }
        }
        Ok(self.current.as_mut())
    }
}

impl Keyed {
    fn new(keys: &[Held], version_1: &[InternalKey]) -> Result<Self, InternalError> {
        let opener = Opener::new(keys.iter().map(|held| &held.key));
        let opener = version_1.iter().fold(opener, Opener::with_version_1);
        Ok(Self { opener: Mutex::new(opener), sealers: Mutex::new(Sealers::new(keys)?) })
    }
}

/// Encrypts and opens the values of internal topics, so that no broker disk holds plaintext. The
/// role and the record's key are authenticated with each value: a value cannot be moved to
/// another topic or shipment.
pub struct TopicCipher {
    roles: RwLock<BTreeMap<Role, Keyed>>,
    takes_plain: bool,
    /// ms UTC: which key is in force, where another one is to follow.
    clock: fn() -> i64,
}

impl fmt::Debug for TopicCipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("TopicCipher")
    }
}

fn keyed(keys: &RoleKeys) -> Result<BTreeMap<Role, Keyed>, Fault> {
    let each = keys.roles.iter();
    each.map(|(role, held)| Ok((*role, Keyed::new(held, &keys.version_1)?)))
        .collect::<Result<_, InternalError>>()
        .map_err(|e| Fault(e.to_string()))
}

fn not_given(role: Role) -> Fault {
    Fault(format!(
        "this process was not given the internal key of the role `{}`: `waybill keys grant` makes a \
         keys folder for its stages",
        role.as_str()
    ))
}

impl TopicCipher {
    /// `clock` says what time it is, ms UTC: it is asked only while another key is to follow.
    pub fn new(keys: &RoleKeys, clock: fn() -> i64) -> Result<Self, Fault> {
        Ok(Self { roles: RwLock::new(keyed(keys)?), takes_plain: false, clock })
    }

    /// Takes plain Avro where earlier builds wrote such (redrive, rejects, ledger), until what they wrote
    /// has been read: meanwhile whoever may write to these topics is believed.
    pub fn taking_plain(self, takes_plain: bool) -> Self {
        Self { takes_plain, ..self }
    }

    /// From now on with these keys, and no others.
    pub fn take_up(&self, keys: &RoleKeys) -> Result<(), Fault> {
        let roles = keyed(keys)?;
        *self.roles.write().unwrap_or_else(PoisonError::into_inner) = roles;
        Ok(())
    }

    /// Appends `plain` to `out`, encrypted if the role is internal.
    pub fn seal(
        &self,
        role: Role,
        key: &[u8],
        plain: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        self.seal_from(role, key, &[], plain, out)
    }

    /// The same, and whoever opens it learns `origin`.
    pub fn seal_from(
        &self,
        role: Role,
        key: &[u8],
        origin: &[u8],
        plain: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<(), Fault> {
        if !role.is_internal() {
            out.extend_from_slice(plain);
            return Ok(());
        }
        self.with(role, |current| {
            current.sealer.seal(&[role.as_str().as_bytes(), key], origin, plain, out)
        })
    }

    /// The key, on the role's topic, of a record about `clear`.
    pub fn pseudonym(&self, role: Role, clear: &[u8]) -> Result<Pseudonym, Fault> {
        self.with(role, |current| Ok(current.pseudonyms.of(clear)))
    }

    /// What makes them, as it is now: another one follows with another internal key.
    pub fn pseudonyms(&self, role: Role) -> Result<Pseudonyms, Fault> {
        self.with(role, |current| Ok(current.pseudonyms.clone()))
    }

    /// Does something with the role's key that is in force.
    fn with<T>(
        &self,
        role: Role,
        act: impl FnOnce(&mut Current) -> Result<T, InternalError>,
    ) -> Result<T, Fault> {
        let roles = self.roles.read().unwrap_or_else(PoisonError::into_inner);
        let keyed = roles.get(&role).ok_or_else(|| not_given(role))?;
        let mut sealers = keyed.sealers.lock().unwrap_or_else(PoisonError::into_inner);
        let fault = |e| Fault(format!("encrypting for {}: {e}", role.as_str()));
        let current = sealers.at(self.clock).map_err(fault)?.ok_or_else(|| not_given(role))?;
        act(current).map_err(fault)
    }

    /// The plain value, or `None` if it was not written by this platform for this role and key. What was
    /// sealed with a key or in a form that is not known here is a fault: it may be ours, and opens once this
    /// process is put right. A reject would lose it.
    pub fn open(&self, role: Role, key: &[u8], value: &[u8]) -> Result<Option<Vec<u8>>, Fault> {
        let mut plain = Vec::with_capacity(value.len());
        Ok(self.open_onto(role, key, value, &mut plain)?.map(|()| plain))
    }

    /// Appends the plain value to `out`; or nothing, and `None`, if it was not written by this
    /// platform for this role and key.
    pub fn open_onto(
        &self,
        role: Role,
        key: &[u8],
        value: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Option<()>, Fault> {
        Ok(self.open_from(role, key, value, out)?.map(|_| ()))
    }

    /// The same, and what it was given as its origin.
    pub fn open_from(
        &self,
        role: Role,
        key: &[u8],
        value: &[u8],
        out: &mut Vec<u8>,
    ) -> Result<Option<Vec<u8>>, Fault> {
        let is_plain = self.takes_plain && role.was_plain() && value.starts_with(&AVRO);
        if !role.is_internal() || is_plain {
            out.extend_from_slice(value);
            return Ok(Some(Vec::new()));
        }
        let roles = self.roles.read().unwrap_or_else(PoisonError::into_inner);
        let keyed = roles.get(&role).ok_or_else(|| not_given(role))?;
        let mut opener = keyed.opener.lock().unwrap_or_else(PoisonError::into_inner);
        match opener.open_onto(&[role.as_str().as_bytes(), key], value, out) {
            Ok(origin) => Ok(Some(origin.to_vec())),
            Err(OpenError::NotAuthentic) => Ok(None),
            Err(error @ OpenError::UnknownKey { version: 1, .. }) => Err(Fault(format!(
                "a record is {error}: version 1 is opened by the internal key itself, so give this \
                 process the whole keys folder, or one of `waybill keys grant --version-1`, until it is read"
            ))),
            Err(error @ OpenError::UnknownKey { .. }) => Err(Fault(format!(
                "a record is {error}: give this process the keys folder (internal.key) of those that \
                 write to the topic, or grant its folder anew (`waybill keys grant`)"
            ))),
            Err(error @ OpenError::LaterVersion(_)) => Err(Fault(format!(
                "a record is {error}: upgrade those that read before those that write"
            ))),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn internal() -> impl Iterator<Item = Role> {
        Role::ALL.into_iter().filter(|role| role.is_internal())
    }

    fn of(key: &InternalKey) -> TopicCipher {
        TopicCipher::new(&RoleKeys::of(key).unwrap(), || 0).unwrap()
    }

    #[test]
    fn what_may_be_ours_is_a_fault_and_what_cannot_be_is_nobodys() {
        let key = InternalKey::generate().unwrap();
        let cipher = of(&key);
        let others = of(&InternalKey::generate().unwrap());
        for role in internal() {
            let mut sealed = Vec::new();
            cipher.seal(role, b"k", b"plain", &mut sealed).unwrap();
            assert_eq!(cipher.open(role, b"k", &sealed).unwrap().unwrap(), b"plain");
            assert_eq!(cipher.open(role, b"other", &sealed).unwrap(), None);
            let fault = others.open(role, b"k", &sealed).unwrap_err();
            assert!(fault.0.contains("give this process the keys folder"), "{fault}");
            sealed[0] = 1;
            let fault = others.open(role, b"k", &sealed).unwrap_err();
            assert!(fault.0.contains("the whole keys folder"), "{fault}");
            sealed[0] = 3;
            let fault = cipher.open(role, b"k", &sealed).unwrap_err();
            assert!(fault.0.contains("upgrade those that read before"), "{fault}");
            assert_eq!(cipher.open(role, b"k", b"{}").unwrap(), None);
        }
    }

    #[test]
    fn plain_values_are_taken_only_where_it_is_said_and_only_where_they_were_written() {
        let key = InternalKey::generate().unwrap();
        let plain = [&AVRO[..], b"anything"].concat();
        let strict = of(&key);
        let migrating = of(&key).taking_plain(true);
        for role in internal() {
            assert_eq!(strict.open(role, b"k", &plain).unwrap(), None);
            let expected = role.was_plain().then(|| plain.clone());
            assert_eq!(migrating.open(role, b"k", &plain).unwrap(), expected);
        }
    }

    /// What lies on the topics when a deployment is upgraded: written by the build of 27 November 2026 for
    /// the key "h-1" of `opened`.
    #[test]
    fn what_was_sealed_in_version_1_opens_with_the_internal_key() {
        let key = InternalKey::new([7; 32]);
        let text = "AZGJebcJCQkJCQkJCQkJCQkJCQkJAAAAAAAAAQIEQNfBVoC4owMGmoOVq0pWHJ_s9g";
        let value = waybill_sealing::base64url::decode(text).unwrap();
        let plain = of(&key).open(Role::Opened, b"h-1", &value).unwrap();
        assert_eq!(plain.as_deref(), Some(&b"text"[..]));
        let mut keys = RoleKeys::default();
        keys.hold(Role::Opened, key.role("opened").unwrap(), Some(0));
        let fault =
            TopicCipher::new(&keys, || 0).unwrap().open(Role::Opened, b"h-1", &value).unwrap_err();
        assert!(fault.0.contains("grant --version-1"), "{fault}");
    }

    /// A process that reads one topic can neither read nor write another.
    #[test]
    fn a_role_that_was_not_given_is_a_fault_that_names_it() {
        let key = InternalKey::generate().unwrap();
        let all = of(&key);
        let mut keys = RoleKeys::default();
        keys.hold(Role::Opened, key.role("opened").unwrap(), Some(0));
        assert!(keys.serves(Role::Opened) && !keys.serves(Role::Valid));
        let few = TopicCipher::new(&keys, || 0).unwrap();
        for role in internal() {
            let mut sealed = Vec::new();
            all.seal(role, b"k", b"plain", &mut sealed).unwrap();
            let opened = few.open(role, b"k", &sealed).map_err(|f| f.0);
            let written = few.seal(role, b"k", b"plain", &mut Vec::new()).map_err(|f| f.0);
            if role == Role::Opened {
                assert_eq!((opened, written), (Ok(Some(b"plain".to_vec())), Ok(())));
                continue;
            }
            let name = format!("the internal key of the role `{}`", role.as_str());
            assert!(opened.unwrap_err().contains(&name));
            assert!(written.unwrap_err().contains(&name));
        }
    }

    /// Readers first: a new key opens at once, and seals when its time has come.
    #[test]
    fn a_key_seals_when_its_time_has_come() {
        let keys = ["a", "b", "c"].map(|role| InternalKey::generate().unwrap().role(role).unwrap());
        let held = |n: usize, from| Held { key: keys[n].clone(), seals_from_ms: from };
        let seals_with = |held: &[Held], now: i64| {
            let mut sealers = Sealers::new(held).unwrap();
            let mut value = Vec::new();
            let Current { sealer, pseudonyms } = sealers.at(|| now).unwrap()?;
            sealer.seal(&[], &[], b"", &mut value).unwrap();
            let found = keys.iter().position(|key| Opener::new([key]).open(&[], &value).is_ok());
            // Records' keys go with it.
            let own = keys[found.unwrap()].pseudonyms().unwrap();
            assert_eq!(pseudonyms.of(b"k"), own.of(b"k"));
            found
        };
        let three = [held(2, Some(3000)), held(0, Some(1000)), held(1, Some(2000))];
        for (now, expected) in
            [(0, 0), (1000, 0), (1999, 0), (2000, 1), (2999, 1), (3000, 2), (9000, 2)]
        {
            assert_eq!(seals_with(&three, now), Some(expected), "{now}");
        }
        assert_eq!(seals_with(&[held(0, None), held(1, Some(5000))], 0), Some(1));
        assert_eq!(seals_with(&[held(0, None)], 0), None);
    }

    #[test]
    fn takes_up_other_keys_while_it_runs() {
        let [old, new] = [0, 1].map(|_| InternalKey::generate().unwrap());
        let (cipher, writer) = (of(&old), of(&new));
        let mut sealed = Vec::new();
        writer.seal(Role::Opened, b"k", b"plain", &mut sealed).unwrap();
        assert!(cipher.open(Role::Opened, b"k", &sealed).is_err());
        cipher.take_up(&RoleKeys::of(&new).unwrap()).unwrap();
        assert!(cipher.open(Role::Opened, b"k", &sealed).unwrap().is_some());
    }
}

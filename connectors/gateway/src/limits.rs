//! Who may send how much: by address before anything is read, by carrier for each message. One at its limit
//! costs others nothing.

use std::collections::HashMap;
use std::net::{IpAddr, Ipv6Addr};
use std::num::NonZeroU32;
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex, PoisonError, RwLock};
use std::time::Duration;

use governor::clock::{Clock, DefaultClock};
use governor::middleware::StateInformationMiddleware;
use governor::state::{InMemoryState, NotKeyed};
use governor::{DefaultKeyedRateLimiter, Quota, RateLimiter};
use waybill_decrypt::Carrier;

use crate::metrics::metrics;
use crate::problem::{Code, Problem};
use crate::quota::{OfDay, Quotas};
use crate::settings::{CarrierLimits, Settings};

/// Bytes are counted by so many at a time.
const CELL_BYTES: usize = 256;
/// How often what is known of addresses that ask no more is forgotten, requests.
const SWEEP_EVERY: u32 = 100_000;

type Rate = RateLimiter<NotKeyed, InMemoryState, DefaultClock, StateInformationMiddleware>;

#[derive(Debug)]
pub struct Limits {
    defaults: CarrierLimits,
    addresses: DefaultKeyedRateLimiter<IpAddr>,
    asked: AtomicU32,
    connections: Arc<Mutex<HashMap<IpAddr, usize>>>,
    per_address: usize,
    carriers: RwLock<HashMap<String, Arc<OfCarrier>>>,
    pub quotas: Quotas,
}

/// What a carrier has shown to be its own, and what only claims to be: a forger uses up the second alone.
#[derive(Debug)]
struct OfCarrier {
    limits: CarrierLimits,
    proven: Rates,
    claimed: Rates,
}

#[derive(Debug)]
struct Rates {
    messages: Rate,
    bytes: Rate,
}

/// How a carrier stands after one more message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Standing {
    /// So many messages may follow at once, and so many are the most.
    Within { remaining: u32, limit: u32, per_second: u32, of_day: Option<OfDay> },
    /// Nothing more until then. `quota`: of a day, if that is used up.
    Over { pause: Duration, quota: Option<u64> },
}

/// A connection that counts for its address.
#[derive(Debug)]
pub struct Connected {
    all: Arc<Mutex<HashMap<IpAddr, usize>>>,
    address: IpAddr,
}

impl Drop for Connected {
    fn drop(&mut self) {
        let mut all = self.all.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = all.get_mut(&self.address) {
            *count -= 1;
            if *count == 0 {
                all.remove(&self.address);
            }
        }
    }
}

fn at_least_one(number: u32) -> NonZeroU32 {
    NonZeroU32::new(number).unwrap_or(NonZeroU32::MIN)
}

fn rate(per_second: u32, burst: u32) -> Rate {
    let quota = Quota::per_second(at_least_one(per_second)).allow_burst(at_least_one(burst));
    RateLimiter::direct(quota).with_middleware()
}

impl Rates {
    fn new(limits: &CarrierLimits) -> Self {
        let cells = (limits.bytes_per_second as usize / CELL_BYTES) as u32;
        // The largest message must find room after a pause.
        let most =
            cells.saturating_mul(2).max((waybill_sealing::MAX_SEALED / CELL_BYTES) as u32 + 1);
        Self { messages: rate(limits.messages_per_second, limits.burst), bytes: rate(cells, most) }
    }
}

/// As an attacker has addresses: one of IPv4, a network of 64 bits of IPv6.
fn network(address: IpAddr) -> IpAddr {
    match address.to_canonical() {
        IpAddr::V6(address) => Ipv6Addr::from_bits(address.to_bits() >> 64 << 64).into(),
        v4 => v4,
    }
}

impl Limits {
    pub fn new(settings: &Settings) -> Self {
        let per_second = settings.requests_per_second_per_address;
        let quota = Quota::per_second(at_least_one(per_second))
            .allow_burst(at_least_one(per_second.saturating_mul(2)));
        Self {
            defaults: settings.carriers,
            addresses: RateLimiter::keyed(quota),
            asked: AtomicU32::new(0),
            connections: Arc::default(),
            per_address: settings.connections_per_address,
            carriers: RwLock::default(),
            quotas: Quotas::default(),
        }
    }

    /// A further connection of the address, unless it has as many as it may.
    pub fn connect(&self, address: IpAddr) -> Option<Connected> {
        let address = network(address);
        let mut all = self.connections.lock().unwrap_or_else(PoisonError::into_inner);
        let count = all.entry(address).or_default();
        if *count >= self.per_address {
            metrics().limited.with_label_values(&["connections"]).inc();
            return None;
        }
        *count += 1;
        drop(all);
        Some(Connected { all: self.connections.clone(), address })
    }

    /// A further request of the address.
    pub fn request(&self, address: IpAddr) -> Result<(), Problem> {
        let asked = self.asked.fetch_add(1, Ordering::Relaxed);
        if asked.is_multiple_of(SWEEP_EVERY) {
            self.addresses.retain_recent();
            self.addresses.shrink_to_fit();
        }
        self.addresses.check_key(&network(address)).map_err(|not_until| {
            metrics().limited.with_label_values(&["address"]).inc();
            let pause = not_until.wait_time_from(self.addresses.clock().now());
            let detail = "more requests came from this address than may in a second";
            Problem::new(Code::RateLimited, detail).after(pause)
        })
    }

    /// A further message of the carrier.
    pub fn message(
        &self,
        carrier: &Carrier,
        is_proven: bool,
        bytes: usize,
        now_ms: i64,
    ) -> Standing {
        let of = self.of(carrier);
        let of_day = of.limits.messages_per_day;
        let of_day = of_day.map(|quota| self.quotas.of_day(carrier.id(), quota, now_ms));
        let standing = match of_day.filter(|of_day| of_day.remaining == 0) {
            Some(OfDay { quota, left, .. }) => {
                metrics().limited.with_label_values(&["day"]).inc();
                Standing::Over { pause: left, quota: Some(quota) }
            }
            None => of.rates(is_proven).check(&of.limits, of_day, bytes),
        };
        of.unless_dry(standing, of_day)
    }

    /// Something else that costs as a message of the carrier's own does, and is none: it counts for no day.
    pub fn work(&self, carrier: &Carrier, bytes: usize) -> Standing {
        let of = self.of(carrier);
        of.unless_dry(of.rates(true).check(&of.limits, None, bytes), None)
    }

    /// Whether some carrier has a quota.
    pub fn has_quotas<'c>(&self, mut carriers: impl Iterator<Item = &'c Carrier>) -> bool {
        self.defaults.messages_per_day.is_some()
            || carriers.any(|carrier| carrier.access.limits.messages_per_day.is_some())
    }

    /// A carrier's limits as they are now; they begin anew when they change.
    fn of(&self, carrier: &Carrier) -> Arc<OfCarrier> {
        let own = &carrier.access.limits;
        let limits = CarrierLimits {
            messages_per_second: own
                .messages_per_second
                .unwrap_or(self.defaults.messages_per_second),
            burst: own.burst.or(own.messages_per_second).unwrap_or(self.defaults.burst),
            bytes_per_second: own.bytes_per_second.unwrap_or(self.defaults.bytes_per_second),
            messages_per_day: own.messages_per_day.or(self.defaults.messages_per_day),
            dry_run: own.dry_run.unwrap_or(self.defaults.dry_run),
        };
        let known = self.carriers.read().unwrap_or_else(PoisonError::into_inner);
        if let Some(of) = known.get(carrier.id()).filter(|of| of.limits == limits) {
            return of.clone();
        }
        drop(known);
        let of = OfCarrier { limits, proven: Rates::new(&limits), claimed: Rates::new(&limits) };
        let mut known = self.carriers.write().unwrap_or_else(PoisonError::into_inner);
        let entry = known.entry(carrier.id().to_owned()).or_insert_with(|| Arc::new(of));
        if entry.limits != limits {
            let rates = || Rates::new(&limits);
            *entry = Arc::new(OfCarrier { limits, proven: rates(), claimed: rates() });
        }
        entry.clone()
    }
}

impl OfCarrier {
    fn rates(&self, is_proven: bool) -> &Rates {
        if is_proven { &self.proven } else { &self.claimed }
    }

    /// What is over a limit is let pass in a dry run: it has been counted.
    fn unless_dry(&self, standing: Standing, of_day: Option<OfDay>) -> Standing {
        match standing {
            Standing::Over { .. } if self.limits.dry_run => self.limits.within(0, of_day),
            standing => standing,
        }
    }
}

impl Rates {
    fn check(&self, limits: &CarrierLimits, of_day: Option<OfDay>, bytes: usize) -> Standing {
        // The limiter's own clock: to make one asks the processor what it is, which takes 20 µs on a virtual one.
        let now = || self.bytes.clock().now();
        let over = |limit: &str, pause: Duration| {
            metrics().limited.with_label_values(&[limit]).inc();
            Standing::Over { pause, quota: None }
        };
        let cells = at_least_one(u32::try_from(bytes.div_ceil(CELL_BYTES)).unwrap_or(u32::MAX));
        match self.bytes.check_n(cells) {
            Ok(Ok(_)) => {}
            Ok(Err(not_until)) => return over("bytes", not_until.wait_time_from(now())),
            Err(_) => return over("bytes", Duration::from_secs(60)),
        }
        match self.messages.check() {
            Ok(snapshot) => limits.within(snapshot.remaining_burst_capacity(), of_day),
            Err(not_until) => over("messages", not_until.wait_time_from(now())),
        }
    }
}

impl CarrierLimits {
    fn within(&self, remaining: u32, of_day: Option<OfDay>) -> Standing {
        let (limit, per_second) = (self.burst, self.messages_per_second);
        Standing::Within { remaining, limit, per_second, of_day }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use waybill_decrypt::Limits as Own;

    fn limits(per_second: u32, burst: u32) -> Limits {
        let carriers = CarrierLimits {
            messages_per_second: per_second,
            burst,
            bytes_per_second: 1 << 20,
            messages_per_day: None,
            dry_run: false,
        };
        Limits::new(&Settings {
            carriers,
            connections_per_address: 2,
            requests_per_second_per_address: 5,
            ..Settings::default()
        })
    }

    /// Some day, an hour before its end.
    const NOW: i64 = 20_000 * 86_400_000 - 3_600_000;

    fn is_over(standing: Standing) -> bool {
        matches!(standing, Standing::Over { .. })
    }

    /// How many of 100 messages pass at once.
    fn passed(limits: &Limits, carrier: &Carrier, is_proven: bool, bytes: usize) -> usize {
        (0..100).filter(|_| !is_over(limits.message(carrier, is_proven, bytes, NOW))).count()
    }

    #[test]
    fn a_carrier_at_its_limit_is_alone_there() {
        let limits = limits(1, 10);
        let [acme, other] = ["acme", "other"].map(|id| Carrier::new(id, "").unwrap());
        assert_eq!(passed(&limits, &acme, true, 1), 10);
        assert!(is_over(limits.message(&acme, true, 1, NOW)));
        assert_eq!(
            limits.message(&other, true, 1, NOW),
            Standing::Within { remaining: 9, limit: 10, per_second: 1, of_day: None }
        );
        // What a forger sends in its name takes nothing of what it proves.
        let third = Carrier::new("third", "").unwrap();
        assert_eq!(passed(&limits, &third, false, 1), 10);
        assert_eq!(passed(&limits, &third, true, 1), 10);
    }

    #[test]
    fn bytes_count_too_and_the_largest_message_finds_room() {
        let limits = limits(1000, 1000);
        let acme = Carrier::new("acme", "").unwrap();
        let most = waybill_sealing::MAX_SEALED;
        assert_eq!(passed(&limits, &acme, true, most), 2, "2 MiB at once, 1 MiB a second");
        let mut small = Carrier::new("small", "").unwrap();
        small.access.limits = Own { bytes_per_second: Some(1), ..Own::default() };
        assert_eq!(passed(&limits, &small, true, most), 1);
    }

    #[test]
    fn own_limits_take_effect_and_a_dry_run_lets_pass() {
        let limits = limits(1, 10);
        let mut acme = Carrier::new("acme", "").unwrap();
        assert_eq!(passed(&limits, &acme, true, 1), 10);
        acme.access.limits = Own { messages_per_second: Some(20), ..Own::default() };
        assert_eq!(passed(&limits, &acme, true, 1), 20, "a burst is a second's, unless it is set");
        acme.access.limits.dry_run = Some(true);
        assert_eq!(passed(&limits, &acme, true, 1), 100);
    }

    #[test]
    fn an_address_has_its_connections_and_requests() {
        let limits = limits(1, 1);
        let v6 = |last: u16| IpAddr::from([0x2001, 0xdb8, 0, 1, 0, 0, 0, last]);
        let (a, b): (IpAddr, IpAddr) = ([10, 0, 0, 1].into(), [10, 0, 0, 2].into());
        let held = [limits.connect(a).unwrap(), limits.connect(a).unwrap()];
        assert!(limits.connect(a).is_none() && limits.connect(b).is_some());
        drop(held);
        assert!(limits.connect(a).is_some());
        assert!(limits.connections.lock().unwrap().is_empty(), "nothing is remembered");

        let asked = |address| (0..100).filter(|_| limits.request(address).is_ok()).count();
        assert_eq!(asked(a), 10);
        assert_eq!(asked(b), 10);
        assert_eq!((asked(v6(1)), asked(v6(2))), (10, 0), "a network of 64 bits is one");
        let mapped: IpAddr = std::net::Ipv4Addr::from([10, 0, 0, 1]).to_ipv6_mapped().into();
        assert_eq!(asked(mapped), 0);
        let refused = limits.request(a).unwrap_err();
        assert_eq!((refused.code, refused.retry_after.is_some()), (Code::RateLimited, true));
    }

    #[test]
    fn a_quota_is_of_what_is_taken_in_and_ends_with_the_day() {
        let limits = limits(1000, 1000);
        let mut acme = Carrier::new("acme", "").unwrap();
        acme.access.limits = Own { messages_per_day: Some(3), ..Own::default() };
        assert!(limits.has_quotas([&acme].into_iter()));
        assert_eq!(passed(&limits, &acme, true, 1), 100, "asking uses nothing up");
        for _ in 0..3 {
            limits.quotas.take("acme", NOW);
        }
        let over = limits.message(&acme, true, 1, NOW);
        let hour = Duration::from_secs(3_600);
        assert_eq!(over, Standing::Over { pause: hour, quota: Some(3) });
        assert!(!is_over(limits.message(&acme, true, 1, NOW + 3_600_000)));
        acme.access.limits.dry_run = Some(true);
        assert!(!is_over(limits.message(&acme, true, 1, NOW)));
        let other = Carrier::new("other", "").unwrap();
        assert!(!is_over(limits.message(&other, true, 1, NOW)));
        assert!(!limits.has_quotas([&other].into_iter()));
    }
}

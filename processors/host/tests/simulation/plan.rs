//! What happens to a world, by its seed: what comes in, and what goes wrong.

use crate::Ms;
use crate::content::Input;
use crate::flaw::Flaw;
use crate::random::Random;

/// Where in an instance's work something goes wrong: just before it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Moment {
    Start,
    Turn,
    Take,
    /// Committed offsets are read, of partitions that are given.
    Starts,
    Restore,
    Restored,
    Revoked,
    Commit,
    Send,
    Offsets,
    /// The transaction is to be decided.
    End,
    Abort,
    /// The answer of a commit comes to the host.
    Committed,
    Insert,
    /// The answer of an insert comes.
    Inserted,
}

impl Moment {
    const ALL: [Self; 15] = [
        Self::Start,
        Self::Turn,
        Self::Take,
        Self::Starts,
        Self::Restore,
        Self::Restored,
        Self::Revoked,
        Self::Commit,
        Self::Send,
        Self::Offsets,
        Self::End,
        Self::Abort,
        Self::Committed,
        Self::Insert,
        Self::Inserted,
    ];
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum What {
    /// The instance is no more, and another begins in its place.
    Crash,
    /// It stands still for so long, and goes on where it was.
    Freeze(Ms),
    /// It takes so long.
    Slow(Ms),
    /// A request or its answer is lost.
    Lose {
        arrives: bool,
    },
    /// A transaction does not come about.
    Abort,
    /// The instance is told to end in good order, and comes back.
    ShutDown,
    StoreCrash,
    /// Markers are written only then.
    SlowMarkers(Ms),
}

/// It happens the first time that any instance comes to this moment, not before its time.
#[derive(Clone, Copy, Debug)]
pub struct Planned {
    pub after: Ms,
    pub moment: Moment,
    pub what: What,
}

/// An input, and when it comes.
#[derive(Clone, Copy, Debug)]
pub struct Arrival {
    pub at: Ms,
    pub input: Input,
}

#[derive(Clone, Debug)]
pub struct Plan {
    pub seed: u64,
    pub flaw: Option<Flaw>,
    pub arrivals: Vec<Arrival>,
    pub faults: Vec<Planned>,
    /// Instances of each group, and when the later ones join.
    pub joins: Vec<Vec<Ms>>,
}

/// For so long things go wrong.
pub const TROUBLE: Ms = 40_000;

/// Longer than the store remembers a token.
const LONG_FREEZE: (Ms, Ms) = (320_000, 400_000);

impl Plan {
    pub fn new(seed: u64, flaw: Option<Flaw>) -> Self {
        let mut random = Random::new(seed);
        // A record that ends its process ends many of them, each for a session.
        let kills = flaw == Some(Flaw::NothingBegun) || random.permille(60);
        let count = random.within(8, 40);
        let mut at = 0;
        let arrivals = (0..count).map(|number| {
            at += if random.permille(700) { random.within(0, 50) } else { random.within(0, 5_000) };
            let number = u32::try_from(number).expect("it is small");
            Arrival { at: at.min(TROUBLE), input: Input::draw(number, kills, &mut random) }
        });
        let arrivals = arrivals.collect();
        let faults = if random.permille(150) { random.within(9, 30) } else { random.within(0, 9) };
        let mut faults: Vec<_> = (0..faults).map(|_| Planned::draw(&mut random)).collect();
        faults.sort_by_key(|fault| fault.after);
        limit_freezes(&mut faults);
        let joins = (0..3).map(|_| joins(&mut random)).collect();
        Self { seed, flaw, arrivals, faults, joins }
    }

    /// How long instances stand still at most, from when they may.
    pub fn longest_freeze(&self) -> Ms {
        let until = |fault: &Planned| match fault.what {
            What::Freeze(long) => fault.after + long,
            _ => 0,
        };
        self.faults.iter().map(until).max().unwrap_or(0)
    }

    pub fn has_kills(&self) -> bool {
        self.arrivals.iter().any(|a| a.input.kind == crate::content::Kind::Kill)
    }
}

/// One instance at most stands still for longer than the store remembers a token: that somebody takes its ranges over
/// by then, is what the store's window is reckoned by.
fn limit_freezes(faults: &mut Vec<Planned>) {
    let mut has_long = false;
    faults.retain(|fault| {
        let is_long = matches!(fault.what, What::Freeze(long) if long >= LONG_FREEZE.0);
        !is_long || !std::mem::replace(&mut has_long, true)
    });
}

fn joins(random: &mut Random) -> Vec<Ms> {
    let mut joins = vec![random.within(0, 500), random.within(0, 3_000)];
    if random.permille(300) {
        joins.push(random.within(1_000, TROUBLE));
    }
    joins
}

impl Planned {
    fn draw(random: &mut Random) -> Self {
        let after = random.within(0, TROUBLE);
        let moment = *random.pick(&Moment::ALL);
        let what = match (random.within(0, 100), moment) {
            (0..14, _) => What::StoreCrash,
            (14..20, _) => What::SlowMarkers(random.within(100, 12_000)),
            (20..27, _) => What::ShutDown,
            (27..50, Moment::Send | Moment::End | Moment::Insert | Moment::Inserted) => {
                What::Lose { arrives: random.permille(500) }
            }
            (50..60, Moment::Send | Moment::Offsets | Moment::End) => What::Abort,
            (20..65, _) => What::Crash,
            (65..80, _) => What::Freeze(random.within(100, 25_000)),
            (80..83, _) | (83..95, Moment::Committed | Moment::Insert) => {
                What::Freeze(random.within(LONG_FREEZE.0, LONG_FREEZE.1))
            }
            _ => What::Slow(random.within(50, 12_000)),
        };
        // A store that ends while it has nothing to do is felt by nobody.
        let is_of_store = what == What::StoreCrash && random.permille(700);
        let moment = if is_of_store { Moment::Inserted } else { moment };
        Self { after, moment, what }
    }
}

//! Runs costly records of a stage beside each other, on all cores, before their turn comes. Their
//! answers are taken up in the order of the records: nobody sees a difference but the time.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{LazyLock, Mutex, PoisonError};
use std::time::Instant;

use waybill_stage::{Context, Failure, Outputs, Stage};

/// What a stage said of one record.
#[derive(Debug)]
pub struct Said {
    /// `None`: it panicked.
    pub result: Option<Result<(), Failure>>,
    /// Seconds.
    pub took: f64,
}

/// Runs `apply` on one record, catches its panic, and times it. What passed is in `outputs`.
pub fn judge<T>(
    outputs: &mut Outputs<T>,
    apply: impl FnOnce(&mut Outputs<T>) -> Result<(), Failure>,
) -> Said {
    outputs.clear();
    #[allow(clippy::disallowed_methods, reason = "how long it took is shown, and decides nothing")]
    let began = Instant::now();
    // The panic hook has logged where; the record's content is not for the log.
    let result = catch_unwind(AssertUnwindSafe(|| apply(outputs))).ok();
    Said { result, took: began.elapsed().as_secs_f64() }
}

pub type Judged<T> = (Outputs<T>, Said);

/// The answers of those `inputs` that the stage calls costly, each in its record's place. One alone
/// is not worth a thread.
pub fn ahead<S>(stage: &S, cx: &Context, inputs: &[S::Input]) -> Vec<Option<Judged<S::Output>>>
where
    S: Stage + Sync,
    S::Input: Clone + Send,
    S::Output: Send,
{
    let mut answers: Vec<_> = inputs.iter().map(|_| None).collect();
    let costly = stage.costly(inputs);
    if costly.len() < 2 {
        return answers;
    }
    let threads = cores().min(costly.len());
    let jobs: Vec<_> =
        costly.into_iter().filter_map(|n| Some((n, inputs.get(n)?.clone()))).collect();
    let jobs = Mutex::new(jobs.into_iter());
    let work = || {
        let mut done = Vec::new();
        loop {
            let job = jobs.lock().unwrap_or_else(PoisonError::into_inner).next();
            let Some((n, input)) = job else { return done };
            let mut outputs = Outputs::default();
            let said = judge(&mut outputs, |outputs| stage.apply(cx, input, outputs));
            done.push((n, (outputs, said)));
        }
    };
    let done = std::thread::scope(|scope| {
        // If the system has no thread for us, those that are there do all of it.
        let beside: Vec<_> = (1..threads)
            .filter_map(|_| {
                std::thread::Builder::new().name("ahead".into()).spawn_scoped(scope, work).ok()
            })
            .collect();
        let mut done = work();
        done.extend(beside.into_iter().filter_map(|thread| thread.join().ok()).flatten());
        done
    });
    for (n, judged) in done {
        if let Some(place) = answers.get_mut(n) {
            *place = Some(judged);
        }
    }
    answers
}

/// That this process may use: container limits count. They are read from files, so once.
pub fn cores() -> usize {
    static CORES: LazyLock<usize> =
        LazyLock::new(|| std::thread::available_parallelism().map_or(1, usize::from));
    *CORES
}

#[cfg(test)]
mod tests {
    use std::sync::{Condvar, Mutex};
    use std::time::Duration;

    use waybill_schemas::Opened;
    use waybill_stage::{Code, Reject, SealedRecord};

    use super::*;

    /// A record waits until another one is in work too, if it is costly.
    #[derive(Default)]
    struct Meets {
        in_work: Mutex<usize>,
        met: Condvar,
    }

    impl Stage for Meets {
        type Input = SealedRecord;
        type Output = Opened;
        const NAME: &'static str = "meets";

        fn costly(&self, inputs: &[SealedRecord]) -> Vec<usize> {
            (0..inputs.len()).filter(|n| inputs[*n].value.is_some()).collect()
        }

        fn apply(
            &self,
            _: &Context,
            input: SealedRecord,
            _: &mut Outputs<Opened>,
        ) -> Result<(), Failure> {
            assert_ne!(input.source_offset, 3, "as it should");
            let mut in_work = self.in_work.lock().unwrap();
            *in_work += 1;
            self.met.notify_all();
            let alone = |in_work: &mut usize| *in_work < 2;
            let wait = Duration::from_secs(30);
            let (_guard, late) = self.met.wait_timeout_while(in_work, wait, alone).unwrap();
            assert!(!late.timed_out(), "nobody else was in work");
            Err(Reject::new(Code::Internal, input.source_offset.to_string()).into())
        }
    }

    fn record(offset: i64, costly: bool) -> SealedRecord {
        SealedRecord {
            key: None,
            value: costly.then(Vec::new),
            sealed_topic: String::new(),
            source_partition: 0,
            source_offset: offset,
            received_at: 0,
            attempt: 0,
        }
    }

    #[test]
    fn costly_records_are_in_work_together_and_answered_in_their_places() {
        if cores() < 2 {
            println!("skipped: it needs two cores");
            return;
        }
        let inputs: Vec<_> = (0..40).map(|n| record(n, n % 3 != 1)).collect();
        let answers = ahead(&Meets::default(), &Context::at(0), &inputs);
        for (n, outputs) in answers.into_iter().enumerate() {
            match outputs {
                None => assert_eq!(n % 3, 1),
                Some((_, Said { result: None, .. })) => assert_eq!(n, 3, "only this one panics"),
                Some((_, Said { result: Some(Err(Failure::Reject(reject))), .. })) => {
                    assert_eq!(reject.detail, n.to_string());
                }
                Some(_) => panic!("{n}"),
            }
        }
    }

    #[test]
    fn one_alone_is_left_to_its_turn() {
        let inputs = [record(0, false), record(1, true)];
        let answers = ahead(&Meets::default(), &Context::at(0), &inputs);
        assert!(answers.iter().all(Option::is_none));
    }
}

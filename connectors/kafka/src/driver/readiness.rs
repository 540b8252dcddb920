//! What `/healthz` and `/readyz` are told: a process is alive as long as its loop turns and no call hangs; it is
//! ready as long as it is in its group, and Kafka and its store answer.

use waybill_host::event::Paused;
use waybill_host::task::Task;

use super::Driver;
use crate::timeouts;
use crate::worker::Worker;

impl<T: Task> Driver<'_, T> {
    pub(super) fn show(&self) {
        let hangs = self.committer.hangs()
            || self.reader.hangs()
            || self.inserters.iter().any(Worker::hangs);
        // Who hangs is not alive, though the loop turns: whoever watches the process restarts it.
        if !hangs {
            self.health.beat();
        }
        match self.lack() {
            None => self.health.set_ready(true),
            Some(why) => self.health.lacks(&why),
        }
        if self.paused == Paused::Everything {
            self.consumer.show_lag();
        }
    }

    /// Why it is not ready, if it is not.
    fn lack(&self) -> Option<String> {
        let slow = |since: Option<std::time::Duration>| since.filter(|at| *at > timeouts::SLOW);
        if !self.consumer.has_joined() {
            return Some("it is not in its group yet".to_owned());
        }
        if let Some((_, since)) = &self.arriving {
            let seconds = since.elapsed().as_secs();
            return Some(format!("its partitions are being restored, for {seconds} s"));
        }
        if self.consumer.is_away() {
            return Some("no Kafka broker is connected".to_owned());
        }
        if let Some(since) = slow(self.committer.busy_for()) {
            return Some(format!("Kafka has not answered a commit for {} s", since.as_secs()));
        }
        if self.is_store_away {
            return Some("the store has not answered the last insert".to_owned());
        }
        let insert = self.inserters.iter().filter_map(Worker::busy_for).max();
        slow(insert).map(|since| format!("the store has not answered for {} s", since.as_secs()))
    }
}

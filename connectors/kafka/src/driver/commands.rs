//! What a host asks for, done.

use std::time::Instant;

use waybill_host::event::{Command, Event, Paused};
use waybill_host::metrics::metrics;
use waybill_host::task::Task;
use waybill_stage::{Fault, Lease};

use super::Driver;
use crate::committer;
use crate::crash_point::crash_point;
use crate::inserter;
use crate::restore;

impl<T: Task> Driver<'_, T> {
    /// Does what was asked for, and what comes of that.
    pub(super) fn obey(&mut self) -> Result<(), Fault> {
        while !self.commands.is_empty() {
            for command in std::mem::take(&mut self.commands) {
                self.command(command)?;
            }
        }
        Ok(())
    }

    fn command(&mut self, command: Command<T::Restorer>) -> Result<(), Fault> {
        match command {
            Command::Restore(readings) => self.reader.submit(restore::Job::Readings(readings)),
            Command::Assign(offsets) => {
                let Some((member, since)) = self.arriving.take() else {
                    return Err(Fault("invariant: nothing has arrived".to_owned()));
                };
                // Who was put out meanwhile has nothing.
                if !member.is_still(self.consumer.member().as_ref()) {
                    return self.lose();
                }
                self.consumer.assign(&offsets)?;
                metrics().restore_seconds.observe(since.elapsed().as_secs_f64());
                // librdkafka knows of no pause for what comes new.
                if self.paused != Paused::Nothing {
                    self.pause_all(self.paused, true)
                } else {
                    Ok(())
                }
            }
            Command::Unassign(inputs) => {
                crash_point("partitions_revoked");
                self.held.forget(&inputs);
                match self.revoking.take() {
                    Some(partitions) => self.consumer.unassign(&partitions),
                    None => Err(Fault("invariant: nothing was revoked".to_owned())),
                }
            }
            Command::Commit { batch, member } => match self.consumer.commit_as(&member) {
                Some(member) => self.committer.submit(committer::Job { batch, member }),
                None => self.lose(),
            },
            Command::Insert { worker, batches, lease } => {
                let lease = Lease::until(Instant::now() + lease);
                let places = self.inserters.get_mut(worker).zip(self.leases.get_mut(worker));
                let Some((inserter, place)) = places else {
                    return Err(Fault(format!("invariant: there is no insert worker {worker}")));
                };
                *place = Some(lease.clone());
                inserter.submit(inserter::Job { batches, lease })
            }
            Command::CancelInserts => {
                self.leases.iter().flatten().for_each(Lease::cancel);
                Ok(())
            }
            Command::Pause(paused) => {
                self.pause_all(self.paused, false)?;
                self.paused = paused;
                self.pause_all(paused, true)
            }
            Command::Stop(ended) => {
                self.ended = Some(ended);
                Ok(())
            }
        }
    }

    fn lose(&mut self) -> Result<(), Fault> {
        let now = self.now();
        self.host.on(now, Event::Lost, &mut self.commands);
        Ok(())
    }

    fn pause_all(&self, paused: Paused, stops: bool) -> Result<(), Fault> {
        match paused {
            Paused::Nothing => Ok(()),
            Paused::Topic(role) => self.consumer.stop(self.settings.topics.name(role), stops),
            Paused::Everything => self.consumer.pause(stops),
        }
    }
}

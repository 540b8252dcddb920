//! What a host asks for, done.

use waybill_host::event::{Command, Event, Paused};
use waybill_host::sink_task::LEASE;
use waybill_host::task::Task;
use waybill_stage::Fault;

use crate::flaw::Flaw;
use crate::inserting::Job;
use crate::instance::Instance;
use crate::reading::{ReadingJob, failed};
use crate::seen::Restored;
use crate::servers::Servers;
use crate::telling;

impl<T: Task> Instance<T>
where
    T::Restorer: Restored,
{
    /// Does what the host asks for.
    pub fn do_all(&mut self, s: &mut Servers) {
        for command in std::mem::take(&mut self.out) {
            let name = &self.name;
            s.say(|| format!("{name} {}", telling::command(&command)));
            self.execute(command, s);
        }
    }

    fn execute(&mut self, command: Command<T::Restorer>, s: &mut Servers) {
        match command {
            Command::Restore(readings) => self.reading = Some(ReadingJob::restore(readings, s)),
            Command::Assign(list) => {
                let list = list.into_iter().map(|(i, offset)| ((i.role, i.partition), offset));
                let list: Vec<_> = list.collect();
                self.client.assigned(list.iter().map(|(place, _)| *place));
                self.positions.extend(list);
            }
            Command::Unassign(inputs) => {
                let places: Vec<_> = inputs.iter().map(|i| (i.role, i.partition)).collect();
                self.positions.retain(|place, _| !places.contains(place));
                self.client.unassigned(&places);
            }
            Command::Commit { batch, member } => {
                // An identity, once lost, does not come back.
                let known = self.client.known.clone();
                if member.is_still(known.as_ref()) || s.is(Flaw::NotAskedWhoWeAre) {
                    self.commit = Some(self.transactor.begin(batch, known, s));
                } else {
                    s.count("commits not begun by who was put out", 1);
                    self.hears(failed("the group has put us out"), s);
                }
            }
            Command::Insert { worker, batches, lease } => {
                let lease = if s.is(Flaw::LeaseBeginsLate) { LEASE } else { lease };
                let job = Job::new(worker, batches, lease, s);
                if s.is(Flaw::SettledFirst) {
                    self.hears(Event::Inserted(job.unasked(s)), s);
                    self.unasked.push(job);
                } else {
                    self.inserts.push(job);
                }
            }
            Command::CancelInserts => {
                self.inserts.iter_mut().chain(&mut self.unasked).for_each(Job::cancel);
            }
            Command::Pause(paused) => {
                s.count("topics that wait", usize::from(matches!(paused, Paused::Topic(_))));
                self.paused = paused;
            }
            Command::Stop(ended) => self.stop(ended, s),
        }
    }

    fn stop(&mut self, ended: Result<(), Fault>, s: &mut Servers) {
        self.is_over = true;
        let leaves = ended.is_ok() || s.random.permille(700);
        if let Err(Fault(why)) = ended {
            let known = ["driver: ", "the group has put us out", "the group took our partitions"];
            if !known.iter().any(|known| why.starts_with(known)) {
                s.find(format!("{} has stopped: {why}", self.name));
            }
        }
        if leaves {
            self.client.leave(&mut s.groups[self.group], s.now);
        }
    }
}

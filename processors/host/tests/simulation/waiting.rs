//! A processor that lets one of its inputs wait at times.

use waybill_host::chain::OutputContext;
use waybill_host::processor::{Incoming, Processor, Stateless};
use waybill_schemas::Role;
use waybill_stage::Fault;

#[derive(Debug)]
pub struct Waiting<P>(pub P);

impl<P: Processor<State = Stateless>> Processor for Waiting<P> {
    type State = Stateless;

    fn stages(&self) -> Vec<&'static str> {
        self.0.stages()
    }

    fn inputs(&self) -> &'static [Role] {
        self.0.inputs()
    }

    fn waits(&self, now_ms: i64) -> Option<Role> {
        (now_ms / 4_000 % 4 == 1).then_some(Role::Redrive)
    }

    fn process(
        &mut self,
        record: &Incoming<'_>,
        flow: &mut OutputContext<'_>,
    ) -> Result<(), Fault> {
        self.0.process(record, flow)
    }
}

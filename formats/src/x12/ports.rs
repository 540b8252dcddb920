//! R4 loops: the ports and terminals of a shipment's way, and the dates there.

use std::borrow::Cow;

use waybill_identifiers::imo;
use waybill_schemas::vocabulary::{Classifier, Mode};
use waybill_schemas::{Place, Transport};
use waybill_stage::Reject;

use super::elements::{NOT_SENT, moment, port};
use super::status;
use crate::edi::{Odd, Segment, whole};
use crate::wrong::at;
use crate::{Draft, limits, text};

pub(super) struct Port<'s> {
    /// R401.
    pub function: Cow<'s, str>,
    pub place: Place,
    pub has_dates: bool,
}

impl<'s> Port<'s> {
    /// What cannot be read is left out: the dates of a port are known without it.
    pub(super) fn read(r4: &'s Segment<'_>, odd: &mut Odd) -> Result<Self, Reject> {
        let function = r4.code_at(1);
        let is_short = function.len() <= limits::CODE;
        odd.keep(whole(&function, at("R401"), limits::CODE).map(|_| ()))?;
        let function = if is_short { function } else { Cow::Borrowed("") };
        let place = port(r4);
        let known = place.as_ref().ok().cloned().unwrap_or_default();
        odd.keep(place.map(|_| ()))?;
        Ok(Self { function, place: known, has_dates: false })
    }
}

pub(super) fn find<'p, 's>(ports: &'p [Port<'s>], functions: &[&str]) -> Option<&'p Port<'s>> {
    functions.iter().find_map(|f| ports.iter().find(|port| port.function == *f))
}

/// What a DTM says of a port, or, where `port` is none, of a unit on its way; `None` if it is no
/// milestone.
pub(super) fn dated(dtm: &Segment<'_>, port: Option<&Port<'_>>) -> Result<Option<Draft>, Reject> {
    let qualifier = dtm.code_at(1);
    let function = port.map_or("", |port| &*port.function);
    let Some((milestone, classifier)) = status::port_date(&qualifier) else { return Ok(None) };
    let Some(milestone) = milestone.or_else(|| status::port_milestone(function)) else {
        return Ok(None);
    };
    // A date-time in one element stands in DTM06, its format in DTM05.
    let moment = match dtm.text(2).is_empty() && !dtm.text(6).is_empty() {
        true => moment(dtm, [6, NOT_SENT, 4], ["DTM06", "DTM06", "DTM04"])?,
        false => moment(dtm, [2, 3, 4], ["DTM02", "DTM03", "DTM04"])?,
    };
    let raw_code = match function {
        "" => ["X12-374/", &*qualifier].concat(),
        function => ["X12-374/", &*qualifier, "/", function].concat(),
    };
    let mut draft = Draft::new(milestone, raw_code, moment.at);
    draft.classifier = classifier;
    moment.note(&mut draft);
    draft.place = port.map(|port| port.place.clone());
    Ok(Some(draft))
}

/// Whether a date of a port is that of the event that the message is about.
pub(super) fn is_the_same(date: &Draft, event: &Draft) -> bool {
    let unlocode = |d: &Draft| d.place.as_ref().and_then(|p| p.unlocode.clone());
    date.classifier == Classifier::Actual
        && date.milestone == event.milestone
        && date.occurred == event.occurred
        && unlocode(date) == unlocode(event)
}

/// The vessel of Q2 or V1, and its voyage.
#[derive(Clone, Default)]
pub(super) struct Vessel(Transport);

impl Vessel {
    /// Code (597) with its qualifier (897), name and voyage.
    pub(super) fn read(
        code: (&str, &str, &'static str),
        name: &str,
        voyage: (&str, &'static str),
    ) -> Result<Self, Reject> {
        let (code, qualifier, code_name) = code;
        let code = whole(code, at(code_name), limits::ID)?;
        // L is Lloyd's register, that is the IMO number; C the call sign, which the model has not.
        let is_imo = |code: &&str| match qualifier {
            "L" => true,
            "C" => false,
            _ => imo::is_valid(code),
        };
        Ok(Self(Transport {
            vessel_imo: code.filter(is_imo).map(str::to_owned),
            vessel_name: text::clipped(name, limits::NAME),
            voyage: whole(voyage.0, at(voyage.1), limits::ID)?.map(str::to_owned),
            ..Transport::default()
        }))
    }

    /// How an event of that mode is transported: only at sea by this vessel.
    pub(super) fn transport(&self, mode: Option<Mode>) -> Option<Transport> {
        let transport = match mode {
            None | Some(Mode::Ocean) => Transport { mode, ..self.0.clone() },
            mode => Transport { mode, ..Transport::default() },
        };
        (transport != Transport::default()).then_some(transport)
    }
}

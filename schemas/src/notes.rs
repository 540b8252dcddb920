//! What each note says, for people; docs/formats.md has the same words.

use crate::ShipmentEvent;
use crate::vocabulary::NoteCode;

impl NoteCode {
    pub fn meaning(self) -> &'static str {
        match self {
            Self::ContainerCheckDigit => "the container number's check digit is wrong (ISO 6346)",
            Self::ContainerForm => "the container number has not the form of ISO 6346",
            Self::ImoCheckDigit => "the IMO number's check digit is wrong",
            Self::PlaceUnknown => "the UN/LOCODE is in no list",
            Self::InFuture => "it is said to have happened, and lies after its receipt",
            Self::RepeatedRawId => "the same event id stands before in the message",
            Self::LocalTimeAmbiguous => {
                "the local time exists twice there, or not at all (daylight saving)"
            }
            Self::UnmappedCode => "no mapping names the code: the milestone is `other`",
            Self::AirWaybillCheckDigit => "the air waybill number's check digit is wrong",
            Self::SsccCheckDigit => "the SSCC's check digit is wrong",
            Self::TrackingCheckDigit => "the tracking number's check digit is wrong",
            Self::MissingField => "the standard requires this field, and it is not there",
            Self::OddField => {
                "the field has not the form that it is to have: it was left out, or taken as it is"
            }
            Self::UnknownField => "the standard has no such field: it was left out",
            Self::OtherSpelling => "the name is written otherwise than in the standard",
            Self::VersionContradicted => {
                "the message says another version than its fields are of: the fields count"
            }
            Self::EnvelopeMismatch => {
                "a count or a control number of the envelope does not fit: something may be missing"
            }
            Self::ClassifierAssumed => {
                "nothing tells whether it was planned or happened: taken by its time and the receipt"
            }
            Self::EncodingAssumed => {
                "the text is not UTF-8 and says nothing else: it was read as Windows-1252"
            }
        }
    }
}

impl ShipmentEvent {
    /// Notes what is odd about the event, once.
    pub fn note(&mut self, code: NoteCode) {
        if !self.notes.contains(&code) {
            // In an older record they are shorter.
            self.notes_about.resize(self.notes.len(), String::new());
            self.notes.push(code);
            self.notes_about.push(String::new());
        }
    }

    /// Each note, and what it is about.
    pub fn noted(&self) -> impl Iterator<Item = (NoteCode, &str)> {
        let about = self.notes_about.iter().map(String::as_str);
        self.notes.iter().copied().zip(about.chain(std::iter::repeat("")))
    }
}

//! The closed lists of the shipment model. Each value's text (snake case) is the same in Avro, in
//! ClickHouse and in docs. A list may grow at its end, behind an Avro default; values never go.

use serde::{Deserialize, Serialize};
use strum::{EnumString, IntoStaticStr, VariantArray};

macro_rules! closed_list {
    ($(#[$doc:meta])* $name:ident { $($(#[$vdoc:meta])* $variant:ident),+ $(,)? }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, PartialOrd, Ord, Serialize, Deserialize,
            IntoStaticStr, EnumString, VariantArray)]
        #[serde(rename_all = "snake_case")]
        #[strum(serialize_all = "snake_case")]
        pub enum $name { $($(#[$vdoc])* $variant),+ }

        impl $name {
            pub fn as_str(self) -> &'static str { self.into() }
        }
    };
}

closed_list! {
/// What happened, whatever the mode.
Milestone {
    /// A code that no mapping names; the raw code stands beside it.
    Other,
    /// An earlier event of the carrier is declared void: it happened otherwise, or not at all.
    Withdrawn,
    // documents
    BookingRequested, BookingConfirmed, BookingDeclined, BookingCancelled,
    DocumentDrafted, DocumentIssued, DocumentApproved, DocumentPending, DocumentRejected,
    DocumentSurrendered, DocumentReceived, DocumentVoided, DocumentReleased, DocumentSubmitted,
    DocumentOnHold,
    /// The carrier knows of the shipment: a label, a manifest or an advice was made.
    ShipmentCreated, Manifested,
    /// The carrier has said, or agreed with somebody, when to come.
    AppointmentSet,
    /// The consignee, or who is to be told, has been told.
    Notified,
    // equipment
    EmptyPickedUp, GateIn, GateOut, Loaded, Discharged, Stuffed, Stripped, PickedUp, DroppedOff,
    EmptyReturned, Inspected, Resealed, Removed,
    // transport
    Departed, Arrived, Berthed, Unberthed,
    /// On its way, or handled on it, and the carrier says no more.
    InTransit,
    /// Handed to another carrier.
    Transferred,
    // delivery and authorities
    /// Taken in from the shipper, checked and fit to be carried.
    Accepted,
    /// Taken in at the end of a leg, from the carrier.
    Received,
    OutForDelivery, DeliveryAttempted, AvailableForPickup, Delivered,
    /// Back with, or on its way back to, the shipper.
    Returned,
    CustomsSubmitted, CustomsInspected, CustomsReleased, CustomsHold,
    // sensors
    SensorReading, SensorAlert,
}}

closed_list! {
/// DCSA event classifier: PLN, EST, ACT. REQ counts as planned.
Classifier { Planned, Estimated, Actual }}

closed_list! {
Mode { Ocean, Barge, Air, Road, Rail, Parcel, Post, Multimodal }}

closed_list! {
/// How the offset of an occurrence time is known.
ZoneQuality {
    /// The message states it.
    Stated,
    /// From the time zone of the place.
    FromPlace,
    /// Nothing told: taken as UTC.
    Assumed,
}}

closed_list! {
/// What the place of an event was known by.
#[derive(Default)]
PlaceSource {
    /// By nothing that a table knows.
    #[default]
    None,
    Unlocode,
    /// SMDG terminal code.
    Terminal,
    /// IATA code of an airport or a city.
    Airport,
    /// City, state and country.
    Name,
}}

closed_list! {
ReferenceKind {
    BillOfLading, Booking, TransportDocument, ShippingInstruction, Container, AirWaybill, Pro,
    TrackingNumber, PurchaseOrder, ForwarderReference, ShipperReference, ConsigneeReference,
    CustomerReference, ArrivalNotice, Seal, CarrierEquipment, Other,
    HouseAirWaybill, Sscc, Epc, Invoice,
}}

closed_list! {
/// What went otherwise than planned.
ExceptionKind {
    /// A reason that no mapping names; the raw code stands beside it.
    Other,
    Delay, Weather, Damage, Lost, Missing, Refused,
    /// Address wrong or incomplete, or nobody found at it.
    Address, RecipientAbsent, CustomsHold, DocumentsMissing, Misrouted, MechanicalFailure,
    Accident, Strike, Security, Theft, Capacity, Missed, Temperature, Payment, Cancelled, Holiday,
}}

closed_list! {
QuantityKind {
    Pieces, Packages, GrossWeight, NetWeight, ChargeableWeight, TareWeight, VerifiedGrossMass,
    Volume, Items, Other,
}}

closed_list! {
/// Of a webhook's delivery.
DeliveryState {
    /// To be tried, once or more.
    Open,
    /// The endpoint has taken it.
    Settled,
    /// Given up: only an operator has it tried again.
    Dead,
}}

closed_list! {
/// What became of a record in a stage, in the ledger.
LedgerOutcome {
    Passed,
    Rejected,
    /// A copy of what was accepted before.
    Duplicate,
    /// A later record of the same batch makes it void.
    Superseded,
    /// Dead letters that an operator has taken back, by sending their record through once more.
    Redriven,
    /// Put off, and counted again where it is read next.
    Deferred,
    /// A shipment that is to be forgotten: no event, but what makes the stages forget it.
    Erased,
}}

closed_list! {
ReadingKind {
    Temperature, SetPoint, AmbientTemperature, Humidity, Oxygen, CarbonDioxide, Pressure, Shock,
    DoorOpen, BatteryLevel, Other,
}}

closed_list! {
/// How finely the message tells the time.
#[derive(Default)]
TimePrecision {
    /// To the second, or finer.
    #[default]
    Second,
    Minute,
    /// A date alone. What is to be that day may be so until its end.
    Day,
}}

closed_list! {
/// Odd, but kept: carriers do send these.
NoteCode {
    /// ISO 6346 check digit of the container number is wrong.
    ContainerCheckDigit,
    /// The container number is not of ISO 6346 form.
    ContainerForm,
    /// IMO number's check digit is wrong.
    ImoCheckDigit,
    /// UN/LOCODE is well formed but not in the list.
    PlaceUnknown,
    /// An actual event that lies in the future of its receipt, within tolerance.
    InFuture,
    /// The same carrier event id stood before in the same message.
    RepeatedRawId,
    /// The local time does not exist, or exists twice, at the place (daylight saving change).
    LocalTimeAmbiguous,
    /// No mapping names the code: the milestone is `other`.
    UnmappedCode,
    /// Check digit of the air waybill number is wrong (modulo 7).
    AirWaybillCheckDigit,
    /// Check digit of the SSCC is wrong (GS1 modulo 10).
    SsccCheckDigit,
    /// The tracking number fits the form of a carrier's numbers and not their check digit.
    TrackingCheckDigit,
    /// A field that the standard requires is not there.
    MissingField,
    /// A field is not of the form that it is to have: it was left out, or taken as it is.
    OddField,
    /// A field that the standard does not have.
    UnknownField,
    /// A field's name is written otherwise than in the standard.
    OtherSpelling,
    /// The message says another version than its fields are of.
    VersionContradicted,
    /// Counts or control numbers of the envelope do not fit: it may not be whole.
    EnvelopeMismatch,
    /// Nothing tells whether it was planned or happened: taken by its time and the receipt.
    ClassifierAssumed,
    /// Neither UTF-8 nor an encoding that the message declares: read as Windows-1252.
    EncodingAssumed,
}}

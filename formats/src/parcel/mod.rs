//! Tracking answers of parcel and postal carriers, one dialect a file: which of its lists holds the
//! packages, which the events of each, and what its codes mean. Those of which a table says it all are in
//! `dialects/*.toml` ([`crate::dialect`]); here are the others.
//!
//! Alike in all of them:
//! - The tracking number is the document of every event and a reference of it; a few answers leave
//!   it out, as who asked knows it.
//! - A package that was not found, and any other error that a carrier answers with, is a reject
//!   `carrier_error`; the packages beside it are read.
//! - An estimated delivery is an event of its own (`…/estimated_delivery`), until an event says that
//!   the package was delivered.
//! - Times are wall clocks unless the answer states an offset. A date alone is its midnight.
//! - Optional fields that are not of the expected form say nothing.
//!
//! | carrier | media type |
//! |---|---|
//! | Australia Post | `application/vnd.auspost.tracking+json` |
//! | bpost | `application/vnd.bpost.tracking+xml` |
//! | Canada Post | `application/vnd.canadapost.track+xml` |
//! | DHL, unified | `application/vnd.dhl.unified-tracking+json` |
//! | DHL Express | `application/vnd.dhl.express-tracking+xml`, `application/vnd.mydhl.tracking+json` |
//! | DHL Parcel DE | `application/vnd.dhl.parcel-de-tracking+xml` |
//! | FedEx | `application/vnd.fedex.track+json`, `application/vnd.fedex.track+xml` |
//! | SmartKargo | `application/vnd.smartkargo.tracking+json` |
//! | UPS | `application/vnd.ups.track+json`, `application/vnd.ups.track-alert+json`, `application/vnd.ups.tracking+xml`, `application/vnd.ups.quantum-view+xml` |
//! | USPS | `application/vnd.usps.tracking+json`, `application/vnd.usps.tracking+xml` |

pub mod australia_post;
pub mod bpost;
pub mod canada_post;
pub mod dhl_express;
pub mod dhl_parcel_de;
pub mod dhl_unified;
pub mod fedex;
pub mod mydhl;
pub(crate) mod package;
pub mod smartkargo;
pub mod ups;
pub mod usps;

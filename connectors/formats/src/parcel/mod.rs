//! Tracking answers of parcel and postal carriers, one dialect a file: which of its lists holds the
//! packages, which the events of each, and what its codes mean.
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
//! | Asendia | `application/vnd.asendia.tracking+json` |
//! | Australia Post | `application/vnd.auspost.tracking+json` |
//! | bpost | `application/vnd.bpost.tracking+xml` |
//! | Canada Post | `application/vnd.canadapost.track+xml` |
//! | Chronopost | `application/vnd.chronopost.tracking+xml` |
//! | DHL, unified | `application/vnd.dhl.unified-tracking+json` |
//! | DHL Express | `application/vnd.dhl.express-tracking+xml`, `application/vnd.mydhl.tracking+json` |
//! | DHL Parcel DE | `application/vnd.dhl.parcel-de-tracking+xml` |
//! | DHL Parcel Poland | `application/vnd.dhl.poland-tracking+xml` |
//! | DPD | `application/vnd.dpd.tracking+xml` |
//! | FedEx | `application/vnd.fedex.track+json`, `application/vnd.fedex.track+xml` |
//! | GLS | `application/vnd.gls.tracking+json` |
//! | Hermes | `application/vnd.hermes.shipmentinfo+json` |
//! | La Poste | `application/vnd.laposte.suivi+json` |
//! | ParcelOne | `application/vnd.parcelone.tracking+json` |
//! | Royal Mail | `application/vnd.royalmail.tracking+json` |
//! | SEKO | `application/vnd.seko.tracking+json` |
//! | Sendle | `application/vnd.sendle.tracking+json` |
//! | SmartKargo | `application/vnd.smartkargo.tracking+json` |
//! | Spring | `application/vnd.spring.tracking+json` |
//! | Stamps.com | `application/vnd.stamps.tracking+xml` |
//! | Teleship | `application/vnd.teleship.tracking+json` |
//! | UPS | `application/vnd.ups.track+json` |
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

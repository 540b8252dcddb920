//! The carriers: invented.

/// A carrier of the simulation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Carrier {
    /// As registered: `iss`.
    pub id: &'static str,
    pub name: &'static str,
    /// First three letters of its containers' numbers (ISO 6346 owner code).
    pub(crate) owner: [u8; 3],
}

const fn carrier(id: &'static str, name: &'static str, owner: [u8; 3]) -> Carrier {
    Carrier { id, name, owner }
}

/// The larger ones first: the share of the nth is as 1 / (n + 1).
pub const CARRIERS: [Carrier; 12] = [
    carrier("acme-line", "Acme Line", *b"ACM"),
    carrier("blue-anchor", "Blue Anchor Shipping", *b"BAN"),
    carrier("cormorant", "Cormorant Container Lines", *b"CRM"),
    carrier("delta-star", "Delta Star", *b"DST"),
    carrier("east-wind", "East Wind Lines", *b"EWL"),
    carrier("fairway", "Fairway Ocean", *b"FWY"),
    carrier("gannet", "Gannet Feeders", *b"GNT"),
    carrier("harbour-cross", "Harbour Cross", *b"HBX"),
    carrier("ibis-sea", "Ibis Sea", *b"IBS"),
    carrier("juniper-line", "Juniper Line", *b"JNP"),
    carrier("kestrel", "Kestrel Shipping", *b"KST"),
    carrier("lantern", "Lantern Lines", *b"LTN"),
];

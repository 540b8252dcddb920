//! Whose list a code is of: the code list qualifier (1131) and the agency (3055) that stand beside it in
//! its composite. They decide what it means; where they name somebody's own list, nothing is made of
//! it, whatever a public list has under the same letters.

use std::borrow::Cow;

use crate::limits;

#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Owner {
    /// Nothing is said: the list that the segment is made for.
    Unsaid,
    /// UN/ECE, and GS1, whose EANCOM takes its lists.
    Un,
    /// ANSI ASC X12.
    X12,
    Iata,
    /// Another public list.
    Public(&'static str),
    /// Somebody's own, by what it is called in front of its codes.
    Own(String),
}

/// 3055: public lists.
const PUBLIC: &[(&str, &str)] = &[
    ("5", "ISO"),
    ("10", "ODETTE"),
    ("11", "LLOYDS"),
    ("12", "UIC"),
    ("13", "ICAO"),
    ("20", "BIC"),
    ("54", "IMO"),
    ("139", "UPU"),
    ("166", "NMFTA"),
    ("182", "SCAC"),
    ("306", "SMDG"),
];

/// 3055: whoever sends or carries; 21 is a transport company, 88 the owner of an operation.
const OWN: &[(&str, &str)] =
    &[("21", "CARRIER"), ("87", "CARRIER"), ("86", "SENDER"), ("88", "OWNER"), ("ZZZ", "MUTUAL")];

impl Owner {
    /// Both in upper case.
    pub(super) fn of(list: &str, agency: &str) -> Self {
        // Numbers are those of the public list of code lists (139 is ports), and nobody's own.
        let list = if list.bytes().all(|b| b.is_ascii_digit()) { "" } else { list };
        let find = |of: &[(&str, &'static str)]| {
            of.iter().find(|(code, _)| *code == agency).map(|(_, name)| *name)
        };
        let list: Cow<'_, str> = list.chars().take(limits::CODE).collect();
        match agency {
            "6" | "9" => Self::Un,
            "3" => Self::Iata,
            "116" => Self::X12,
            _ => match (find(PUBLIC), find(OWN)) {
                (Some(public), _) => Self::Public(public),
                (None, Some(own)) if list.is_empty() => Self::Own(own.to_owned()),
                (None, Some(own)) => Self::Own([own, "-", &list].concat()),
                (None, None) if is_agency(agency) => Self::Own(["3055-", agency].concat()),
                // No agency that the list of agencies has decides anything; a list that is named does.
                (None, None) if list.is_empty() => Self::Unsaid,
                (None, None) => Self::Own(list.into_owned()),
            },
        }
    }

    pub(super) fn is_own(&self) -> bool {
        matches!(self, Self::Own(_))
    }

    /// What stands in front of a code of it.
    pub(super) fn prefix(&self) -> &str {
        match self {
            Self::Unsaid | Self::Un => "EDIFACT",
            Self::X12 => "X12",
            Self::Iata => "IATA",
            Self::Public(name) => name,
            Self::Own(name) => name,
        }
    }
}

/// A code with its list in front.
pub(super) fn prefixed(owner: &Owner, code: &str) -> String {
    [owner.prefix(), "/", code].concat()
}

/// All codes of 3055 but `ZZZ` are of one to three digits.
fn is_agency(agency: &str) -> bool {
    (1..=3).contains(&agency.len()) && agency.bytes().all(|b| b.is_ascii_digit())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn who_is_responsible() {
        for (list, agency, prefix, is_own) in [
            ("", "", "EDIFACT", false),
            ("", "6", "EDIFACT", false),
            ("TRACK", "6", "EDIFACT", false),
            ("", "9", "EDIFACT", false),
            ("", "116", "X12", false),
            ("", "3", "IATA", false),
            ("", "12", "UIC", false),
            ("", "87", "CARRIER", true),
            ("", "21", "CARRIER", true),
            ("TRACK", "86", "SENDER-TRACK", true),
            ("", "ZZZ", "MUTUAL", true),
            ("", "92", "3055-92", true),
            ("TRACK", "", "TRACK", true),
            ("139", "", "EDIFACT", false),
            ("139", "87", "CARRIER", true),
            // Not of the list of agencies.
            ("", "HS", "EDIFACT", false),
        ] {
            let owner = Owner::of(list, agency);
            assert_eq!((owner.prefix(), owner.is_own()), (prefix, is_own), "{list}:{agency}");
        }
    }
}

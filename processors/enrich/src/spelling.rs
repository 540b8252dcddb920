//! How names are compared: by their letters and digits, without case, accents, punctuation and
//! blanks. `data/cities.py` does the same.

/// Upper case letters and digits, words apart by one blank, without accents. What is short for a
/// word stands for it: `ST` is `SAINT`.
pub(crate) fn normalised(name: &str) -> String {
    let mut text = String::with_capacity(name.len());
    for c in deunicode::AsciiChars::ascii_chars(name).flat_map(|ascii| ascii.unwrap_or(" ").chars())
    {
        if c.is_ascii_alphanumeric() {
            text.push(c.to_ascii_uppercase());
        } else if !matches!(c, '\'' | '`') && !text.ends_with(' ') && !text.is_empty() {
            text.push(' ');
        }
    }
    text.truncate(text.trim_end().len());
    if !text.split(' ').any(|word| in_full(word) != word) {
        return text;
    }
    text.split(' ').map(in_full).collect::<Vec<_>>().join(" ")
}

fn in_full(word: &str) -> &str {
    match word {
        "ST" => "SAINT",
        "STE" => "SAINTE",
        "FT" => "FORT",
        "MT" => "MOUNT",
        _ => word,
    }
}

/// What a normalised name is found by: 64 bits of its letters (FNV-1a), so that `SHANG HAI` is
/// `SHANGHAI`.
pub(crate) fn hash(normalised: &str) -> u64 {
    let letters = normalised.bytes().filter(|b| *b != b' ');
    letters.fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    })
}

/// Before and behind the name of a harbour.
const OF_HARBOURS: (&[&str], &[&str]) = (
    &[
        "PORT OF ",
        "PORT DE ",
        "PORT D ",
        "PORTO DI ",
        "PORTO DE ",
        "PORTO DO ",
        "PUERTO DEL ",
        "PUERTO DE ",
        "PUERTO ",
        "BAHIA DE ",
        "BAIA DE ",
        "RADE DE ",
        "RADA DI ",
        "RADA DE ",
        "MINA AL ",
        "MINA ",
        "ORMOS ",
        "LIMIN ",
        "PORT ",
        "PLAYA DE ",
    ],
    &[
        " OIL TERMINAL",
        " MARINE TERMINAL",
        " CONTAINER TERMINAL",
        " SEAPORT",
        " OLD HARBOUR",
        " HARBOR",
        " HARBORS",
        " HARBOUR",
        " HARBOURS",
        " BAY",
        " NEW PORT",
        " PORT",
        " PT",
        " KO",
        " GANG",
        " HANG",
        " LUKA",
        " LIMANI",
    ],
);

/// Of any other place.
const OF_PLACES: (&[&str], &[&str]) = (
    &[
        "CITY OF ",
        "GREATER ",
        "CENTRAL ",
        "THANH PHO ",
        "AL ",
        "AD ",
        "AN ",
        "AR ",
        "AS ",
        "ASH ",
        "AT ",
        "AZ ",
        "EL ",
    ],
    &[
        " INTERNATIONAL AIRPORT",
        " INTL AIRPORT",
        " INTL APT",
        " AIRPORT",
        " ARPT",
        " APT",
        " TERMINAL",
        " CITY",
        " RAMP",
        " HUB",
        " GATEWAY",
        " SHI",
        " METRO",
        " DISTRICT",
        " RAIL",
    ],
);

/// A name without what carriers and charts put around it, and whether that makes it a harbour.
/// `None` where nothing is left out, or nothing is left.
pub(crate) fn without_words(name: &str) -> Option<(&str, bool)> {
    let bare = |(before, behind): (&[&str], &[&str])| {
        let left = before.iter().find_map(|word| name.strip_prefix(word)).unwrap_or(name);
        let left = behind.iter().find_map(|word| left.strip_suffix(word)).unwrap_or(left);
        (left != name && !left.is_empty()).then_some(left)
    };
    let harbour = bare(OF_HARBOURS).map(|left| (left, true));
    harbour.or_else(|| bare(OF_PLACES).map(|left| (left, false)))
}

/// Without the second letter that stands for two dots above the first: `KOELN`, `DUESSELDORF`.
/// `None` where there is no such pair.
pub(crate) fn without_umlauts(name: &str) -> Option<String> {
    let bare = name.replace("AE", "A").replace("OE", "O").replace("UE", "U");
    (bare != name).then_some(bare)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_compared_without_case_accents_and_punctuation() {
        for (name, expect) in [
            ("Zürich", "ZURICH"),
            ("  são  paulo ", "SAO PAULO"),
            ("St. Petersburg", "SAINT PETERSBURG"),
            ("Ft. Worth", "FORT WORTH"),
            ("Sault Ste Marie", "SAULT SAINTE MARIE"),
            ("Stoke", "STOKE"),
            ("Val-d'Oise", "VAL DOISE"),
            ("Łódź", "LODZ"),
            ("上海", "SHANG HAI"),
            ("", ""),
        ] {
            assert_eq!(normalised(name), expect, "{name}");
        }
        assert_eq!(hash("SHANG HAI"), hash("SHANGHAI"));
        assert_ne!(hash("SHANGHAI"), hash("SHANGAI"));
    }

    #[test]
    fn words_around_a_name_are_none_of_it() {
        for (name, expect) in [
            ("PORT OF HAMBURG", Some(("HAMBURG", true))),
            ("OMAHA AIRPORT", Some(("OMAHA", false))),
            ("CINCINNATI HUB", Some(("CINCINNATI", false))),
            ("PORTLAND", None),
            ("AIRPORT", None),
            ("PORT ", None),
        ] {
            assert_eq!(without_words(name), expect, "{name}");
        }
        assert_eq!(without_umlauts("DUESSELDORF").as_deref(), Some("DUSSELDORF"));
        assert_eq!(without_umlauts("HAMBURG"), None);
    }
}

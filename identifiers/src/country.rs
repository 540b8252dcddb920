//! Codes of countries: ISO 3166-1 alpha-2.

/// An officially assigned code of ISO 3166-1 alpha-2, upper case.
pub fn is_country(code: &str) -> bool {
    let [a, b] = code.as_bytes() else { return false };
    bit(*a, *b).is_some_and(|(word, bit)| ASSIGNED.get(word).is_some_and(|w| w >> bit & 1 == 1))
}

const fn bit(a: u8, b: u8) -> Option<(usize, usize)> {
    if !a.is_ascii_uppercase() || !b.is_ascii_uppercase() {
        return None;
    }
    let n = (a - b'A') as usize * 26 + (b - b'A') as usize;
    Some((n / 64, n % 64))
}

/// ISO 3166-1, as of 2024: 249 codes.
const COUNTRIES: &str = "\
AD AE AF AG AI AL AM AO AQ AR AS AT AU AW AX AZ BA BB BD BE BF BG BH BI BJ BL BM BN BO BQ BR BS BT \
BV BW BY BZ CA CC CD CF CG CH CI CK CL CM CN CO CR CU CV CW CX CY CZ DE DJ DK DM DO DZ EC EE EG EH \
ER ES ET FI FJ FK FM FO FR GA GB GD GE GF GG GH GI GL GM GN GP GQ GR GS GT GU GW GY HK HM HN HR HT \
HU ID IE IL IM IN IO IQ IR IS IT JE JM JO JP KE KG KH KI KM KN KP KR KW KY KZ LA LB LC LI LK LR LS \
LT LU LV LY MA MC MD ME MF MG MH MK ML MM MN MO MP MQ MR MS MT MU MV MW MX MY MZ NA NC NE NF NG NI \
NL NO NP NR NU NZ OM PA PE PF PG PH PK PL PM PN PR PS PT PW PY QA RE RO RS RU RW SA SB SC SD SE SG \
SH SI SJ SK SL SM SN SO SR SS ST SV SX SY SZ TC TD TF TG TH TJ TK TL TM TN TO TR TT TV TW TZ UA UG \
UM US UY UZ VA VC VE VG VI VN VU WF WS YE YT ZA ZM ZW";

/// One bit for each pair of letters.
#[allow(clippy::indexing_slicing)] // evaluated when compiled
const ASSIGNED: [u64; 11] = {
    let mut set = [0; 11];
    let list = COUNTRIES.as_bytes();
    let mut i = 0;
    while i + 1 < list.len() {
        if let Some((word, bit)) = bit(list[i], list[i + 1]) {
            set[word] |= 1 << bit;
        }
        i += 3;
    }
    set
};

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn countries() {
        assert_eq!(COUNTRIES.split(' ').count(), 249);
        assert!(COUNTRIES.split(' ').all(is_country));
        assert_eq!(ASSIGNED.iter().map(|w| w.count_ones()).sum::<u32>(), 249);
        for wrong in ["XY", "XK", "UK", "EU", "fr", "", "F", "FRA"] {
            assert!(!is_country(wrong), "{wrong}");
        }
    }
}

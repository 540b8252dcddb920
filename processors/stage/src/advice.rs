//! What a carrier does about a reject: as docs/rejects.md says it, which is the one home of that.

use std::collections::HashMap;
use std::sync::LazyLock;

static PAGE: LazyLock<HashMap<&'static str, Advice>> = LazyLock::new(|| {
    let rows = include_str!("../../../docs/rejects.md").lines();
    rows.filter_map(|line| {
        let mut cells = line.strip_prefix("| `")?.trim_end_matches('|').split('|').map(str::trim);
        let code = cells.next()?.trim_end_matches('`');
        let meaning = cells.nth(1)?;
        Some((code, Advice { meaning, what_to_do: cells.next()? }))
    })
    .collect()
});

#[derive(Clone, Copy, Debug)]
pub struct Advice {
    pub meaning: &'static str,
    pub what_to_do: &'static str,
}

pub fn advice(code: &str) -> Option<Advice> {
    PAGE.get(code).copied()
}

#[cfg(test)]
mod tests {
    use super::*;
    use strum::VariantArray;

    #[test]
    fn there_is_advice_for_every_code() {
        for code in crate::Code::VARIANTS {
            let advice = advice(code.as_str()).unwrap_or_else(|| panic!("{}", code.as_str()));
            assert!(!advice.meaning.is_empty() && !advice.what_to_do.is_empty(), "{advice:?}");
        }
        assert!(advice("none").is_none());
    }
}

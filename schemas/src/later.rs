//! For tests: a process as one of the next build, which has other schemas. In its environment stands
//! `WAYBILL_TEST_LATER_SCHEMAS=1`, and it is built with the feature `failpoints`; elsewhere this is nothing.
//!
//! Each of its records has one more field at the end, and so another fingerprint. It knows both: what this build
//! writes is to it of a release before. What it writes is to this build of a schema that is not known.

/// The value of the field: a text of no length.
pub(crate) const SURPLUS: &[u8] = &[0];

/// The schema of the next build, if we are one.
pub(crate) fn schema(text: &str) -> Option<String> {
    if !cfg!(feature = "failpoints") || std::env::var_os("WAYBILL_TEST_LATER_SCHEMAS").is_none() {
        return None;
    }
    later(text)
}

fn later(text: &str) -> Option<String> {
    let mut schema: serde_json::Value = serde_json::from_str(text).ok()?;
    let field = serde_json::json!({"name": "of_the_next_build", "type": "string", "default": ""});
    schema.get_mut("fields")?.as_array_mut()?.push(field);
    Some(schema.to_string())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{NAMES, published};

    #[test]
    fn every_record_can_have_one_more_field() {
        for name in NAMES {
            let text = published(name).unwrap();
            let later: serde_avro_fast::Schema = later(&text).unwrap().parse().unwrap();
            let now: serde_avro_fast::Schema = text.parse().unwrap();
            assert_ne!(later.rabin_fingerprint(), now.rabin_fingerprint(), "{name}");
        }
    }
}

//! Parcel carriers' answers as they were seen: what each file comes to, and of some what a person
//! reads in them.

mod carriers;
mod dhl;
mod fedex;
mod files;
mod limits;
mod platforms;
mod posts;
mod ups;

use crate::shown::{read, said, shared, shown};

/// What a person reads in the file, of one part of it: each word of `expect` is one of its values, under its
/// name. Milestone, classifier and code stand without theirs; `_` is a blank in a value.
#[track_caller]
pub fn check(file: &str, media_type: &str, parts: &[(u32, &str)]) {
    let Some(payload) = shared(file) else { return };
    let text = shown(&read(&format!("application/vnd.{media_type}"), &payload));
    let all = said(&text);
    for (position, expect) in parts {
        let part = all.iter().find(|part| part.position == *position).unwrap();
        if let Some(reject) = expect.strip_prefix("reject ") {
            let (code, detail) = reject.split_once(' ').unwrap_or((reject, ""));
            assert!(part.has("reject", code), "{file}: {part:?}");
            assert!(detail.is_empty() || part.has("detail", detail), "{file}: {part:?}");
            continue;
        }
        for word in expect.split(' ') {
            let (name, value) = expected(word);
            let found = part.all(name).any(|own| own.replace('_', " ") == value.replace('_', " "));
            assert!(found, "{file}: {word} in {part:?}");
        }
        // What is not said of the time is not there.
        let is_expected = expect.split(' ').any(|word| word == "offset=none");
        assert_eq!(part.has("offset", "none"), is_expected, "{file}: {part:?}");
    }
}

/// The name of a value, and the value.
fn expected(word: &str) -> (&str, &str) {
    match word.split_once('=') {
        Some((name, value)) => {
            let text = value.strip_prefix('"').and_then(|value| value.strip_suffix('"'));
            (name, text.unwrap_or(value))
        }
        None if word.contains('/') => ("code", word),
        None if ["actual", "planned", "estimated"].contains(&word) => ("classifier", word),
        None => ("milestone", word),
    }
}

/// Of the whole message, or of its only part, nothing but this reject.
#[track_caller]
pub fn refused(file: &str, media_type: &str, expect: &str) {
    let Some(payload) = shared(file) else { return };
    let text = shown(&read(&format!("application/vnd.{media_type}"), &payload));
    let (code, detail) = expect.split_once(' ').unwrap_or((expect, ""));
    let all = said(&text);
    let [only] = all.as_slice() else { panic!("{file}: {text}") };
    assert!(only.has("reject", code), "{file}: {text}");
    assert!(only.all("detail").all(|own| own.starts_with(detail)), "{file}: {text}");
}

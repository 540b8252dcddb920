//! Parcel carriers' answers as they were seen: what each file comes to, and of some what a person
//! reads in them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod carriers;
mod dhl;
mod fedex;
mod files;
mod limits;
mod platforms;
mod posts;
#[path = "../shown/mod.rs"]
mod shown;
mod ups;

use shown::{read, shared, shown};

/// What a person reads in the file, of one part of it: every word of `expect` is one of the line's.
#[track_caller]
pub fn check(file: &str, media_type: &str, parts: &[(usize, &str)]) {
    let Some(payload) = shared(file) else { return };
    let text = shown(&read(&format!("application/vnd.{media_type}"), &payload));
    let lines: Vec<&str> = text.lines().collect();
    for (position, expect) in parts {
        let line = lines[position - 1];
        assert!(line.starts_with(&format!("{position} ")), "{file}: {line}");
        for word in expect.split(' ') {
            // `_` in an expectation is a blank in a value.
            let word = word.replace('_', " ");
            let found = line.replace('_', " ");
            assert!(format!("{found} ").contains(&format!(" {word} ")), "{file}: {word} in {line}");
        }
        // What is not said of the time is not there.
        assert_eq!(line.contains("offset=none"), expect.contains("offset=none"), "{file}: {line}");
    }
}

/// Of the whole message, or of its only part, nothing but this reject.
#[track_caller]
pub fn refused(file: &str, media_type: &str, expect: &str) {
    let Some(payload) = shared(file) else { return };
    let text = shown(&read(&format!("application/vnd.{media_type}"), &payload));
    let mut lines = text.lines();
    let line = lines.next().unwrap_or_default();
    assert!(line.split_once(' ').unwrap().1.starts_with(&format!("reject {expect}")), "{line}");
    assert_eq!(lines.next(), None, "{file}");
}

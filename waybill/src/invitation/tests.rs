#![allow(clippy::unwrap_used)]

use super::*;
use waybill_sealing::jws::Algorithm;

fn invitation<'a>(
    languages: &'a [Language],
    signing_key: Option<&'a PrivateSigningKey>,
) -> Invitation<'a> {
    Invitation {
        carrier: "acme-line",
        audience: "waybill:test",
        endpoint: "https://events.example",
        media_type: "application/EDIFACT",
        example: &Example { extension: "edi", payload: b"UNB" },
        counts: (1, 0),
        platform_keys: "{\"keys\":[]}",
        api_key: "waybill_id.secret",
        page_key: "waybill_page.secret",
        signing_key,
        is_plain_allowed: false,
        languages,
    }
}

fn text(files: &[File], path: &str) -> String {
    let file = files.iter().find(|file| file.path == path).unwrap();
    String::from_utf8(file.bytes.clone()).unwrap()
}

#[test]
fn what_is_secret_is_in_files_of_its_own() {
    let key = PrivateSigningKey::generate(Algorithm::Es256).unwrap();
    let all = Language::value_variants();
    for file in invitation(all, Some(&key)).files().unwrap() {
        let content = String::from_utf8(file.bytes).unwrap();
        let has_secret = ["waybill_id.secret", "waybill_page.secret", "PRIVATE KEY"]
            .iter()
            .any(|s| content.contains(s));
        assert_eq!(file.is_secret, has_secret, "{}", file.path);
    }
}

#[test]
fn nothing_is_left_to_be_filled_in() {
    let key = PrivateSigningKey::generate(Algorithm::Es256).unwrap();
    for (languages, key, is_plain_allowed) in
        [(Language::value_variants(), None, true), (&[Language::Java], Some(&key), false)]
    {
        let invitation = Invitation { is_plain_allowed, ..invitation(languages, key) };
        let files = invitation.files().unwrap();
        let readme = text(&files, "README.md");
        assert!(!readme.contains("{{"), "{readme}");
        for (heading, expect) in [
            ("### Python", languages.contains(&Language::Python)),
            ("### JavaScript", languages.contains(&Language::JavaScript)),
            ("### Java\n", languages.contains(&Language::Java)),
            ("openssl genpkey", true),
            ("## 5. Without sealing", is_plain_allowed),
            ("-H 'Content-Type: application/EDIFACT'", is_plain_allowed),
            ("--data-binary @example.edi", is_plain_allowed),
        ] {
            assert_eq!(readme.contains(heading), expect, "{heading}");
        }
        let names = ["python/quickstart.py", "javascript/package-lock.json", "java/pom.xml"];
        let is_there = |path: &str| files.iter().any(|file| file.path == path);
        assert_eq!(names.map(is_there).iter().filter(|there| **there).count(), languages.len());
        assert_eq!(text(&files, "page-link"), "https://events.example/#key=waybill_page.secret\n");
        assert_eq!(text(&files, "example.edi"), "UNB");
        let about: serde_json::Value = serde_json::from_str(&text(&files, "waybill.json")).unwrap();
        assert_eq!(about["media_type"], "application/EDIFACT");
        assert_eq!(about["example"], "example.edi");
    }
}

#[test]
fn the_readme_says_what_is_in_the_example() {
    for (counts, expect) in [
        ((1, 0), "The example has 1 event."),
        ((3, 0), "The example has 3 events."),
        ((2, 1), "The example has 2 events, and 1 mistake on purpose: these stand in `rejects`."),
    ] {
        let files = Invitation { counts, ..invitation(&[], None) }.files().unwrap();
        assert!(text(&files, "README.md").contains(expect), "{counts:?}");
    }
}

#[test]
fn a_media_type_is_one_word_of_the_shell() {
    assert_eq!(quoted("a/b;x=\"1 2\""), "'a/b;x=\"1 2\"'");
    assert_eq!(quoted("a/b;x='$(id)'"), r"'a/b;x='\''$(id)'\'''");
}

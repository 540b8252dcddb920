//! Formats of an operator's own: what may stand beside those that come with Waybill.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

use waybill_formats::{Format, REGISTRY, all, connect, dialect, find, guess};

fn own(name: &str, media_type: &str) -> Format {
    let text = format!(
        "name = {name:?}\nmedia_type = {media_type:?}\nkind = \"json\"\nmode = \"road\"\n\
         looks_like = [['\"acme\"']]\ncodes = {{ prefix = \"ACME\", rows = {{ D = \"delivered\" }} }}\n\
         [package]\nnumber = \"number\"\n[event]\ncode = \"code\"\ntime = {{ at = \"day\" }}\n"
    );
    dialect::load(&text, &|file| Err(format!("{file}: not here"))).unwrap()
}

#[test]
fn a_media_type_that_is_taken_is_refused() {
    let acme = "application/vnd.acme.tracking+json";
    let boreal = "application/vnd.boreal.events+json";
    let faults = connect(vec![
        own("Acme tracking", "application/vnd.gls.tracking+json"),
        own("UPS Tracking API", acme),
        own("Boreal export", boreal),
        own("Another", boreal),
    ]);
    assert_eq!(
        faults.unwrap_err(),
        [
            "Acme tracking: media_type: application/vnd.gls.tracking+json is that of GLS tracking",
            "UPS Tracking API: name: two have it",
            "Another: media_type: application/vnd.boreal.events+json is that of Boreal export",
        ]
    );
    assert!(find(acme).is_err());
    connect(vec![own("Acme tracking", acme)]).unwrap();
    assert_eq!(find(acme).unwrap().name, "Acme tracking");
    assert_eq!(guess(br#"{"acme": 1}"#)[0].name, "Acme tracking");
    assert_eq!(all().count(), REGISTRY.len() + 1);
    assert!(connect(vec![own("Boreal export", boreal)]).is_err());
}

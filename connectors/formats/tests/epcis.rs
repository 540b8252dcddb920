//! GS1's and others' own EPCIS documents (`../shared/data/epcis`), as a person reads them.

#![allow(clippy::unwrap_used, clippy::indexing_slicing)]

mod shown;

use shown::{read, shared, shown};
use waybill_formats::epcis::hash;

#[test]
fn explore() {
    for entry in ["", "capture_json", "hash"] {
        let folder = format!("/work/shared/data/epcis/{entry}");
        let mut names: Vec<_> = std::fs::read_dir(&folder).unwrap().map(|e| e.unwrap().path()).collect();
        names.sort();
        for p in names {
            let ext = p.extension().map(|e| e.to_string_lossy().into_owned()).unwrap_or_default();
            if !["xml","json","jsonld"].contains(&&*ext) { continue; }
            let payload = std::fs::read(&p).unwrap();
            let mt = if ext == "xml" { "application/vnd.gs1.epcis+xml" } else { "application/vnd.gs1.epcis+json" };
            println!("== {} ", p.display());
            print!("{}", shown(&read(mt, &payload)));
            if let Ok(ids) = hash::ids(&payload) {
                for id in ids {
                    println!("PRE {}\nID {}", id.pre_hash, id.id);
                }
            }
        }
    }
    _ = shared("epcis/SOURCES.tsv");
}

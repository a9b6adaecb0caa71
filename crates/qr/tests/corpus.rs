//! Replays the corpus of the fuzz target, as the daemon's tests do for all
//! others: each picture whole, cut short, and with a byte changed.
#![allow(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::disallowed_methods,
    missing_docs
)]

#[path = "../../../fuzz/bodies/qr_picture.rs"]
mod qr_picture;

use std::fs;
use std::path::Path;

#[test]
fn pictures_of_the_corpus_are_survived() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../fuzz/corpus/qr_picture");
    let mut count = 0;
    for entry in fs::read_dir(folder).unwrap() {
        let picture = fs::read(entry.unwrap().path()).unwrap();
        qr_picture::run(&picture);
        for at in (0..picture.len()).step_by(picture.len() / 12 + 1) {
            qr_picture::run(&picture[..at]);
            let mut changed = picture.clone();
            changed[at] ^= 0x81;
            qr_picture::run(&changed);
        }
        count += 1;
    }
    assert!(count > 1);
}

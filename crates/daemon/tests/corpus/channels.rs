//! Seeds about channels.

use std::fs;
use std::path::Path;

use crate::seeds::{Seed, hex};

/// From the vectors of channels.
pub(crate) fn channels() -> Vec<Seed> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../interop/vectors/channel.json");
    let vectors = fs::read_to_string(path).unwrap();
    let vector = |name: &str| {
        let rest = vectors.split_once(&format!("\"{name}\": \"")).unwrap().1;
        hex(rest.split_once('"').unwrap().0)
    };
    vec![
        ("conversation_channel", "post", vector("first")),
        ("conversation_channel", "void", vector("void")),
        ("conversation_channel", "key", vector("public")),
    ]
}

//! The header of a backup as somebody left it. The target sums by itself: a wrong
//! sum is found in no time.

use hushwing_store::backup::{lock_of, open};
use sha2::{Digest, Sha256};

/// What the inner sum is over ends here.
const INNER: usize = 112;

pub(crate) fn run(data: &[u8]) {
    let mut bytes = data.to_vec();
    if data.len() >= INNER {
        bytes.truncate(INNER);
        let inner = Sha256::digest(&bytes[6..]);
        bytes.extend_from_slice(&inner[..8]);
        let outer = Sha256::digest(&bytes);
        bytes.extend_from_slice(&outer[..8]);
    }
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("backup");
    std::fs::write(&path, bytes).unwrap();
    let _ = lock_of(&path);
    // Nothing follows the header, which is told before any key is stretched.
    assert!(open(&path, "words").is_err());
}

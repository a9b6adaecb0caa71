//! A key file as somebody left it.

use hushwing_store::keys::KeyFile;

pub(crate) fn run(data: &[u8]) {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("key");
    std::fs::write(&path, data).unwrap();
    let _ = KeyFile::at(path).protection();
}

//! What the tests share: chance that repeats itself, keys, files to open.
#![allow(dead_code)]

use std::path::{Path, PathBuf};

use hushwing_sansio::Entropy;
use hushwing_store::ProfileStore;
use hushwing_store::keys::{FileKey, MasterKey, Role};
use rand_chacha::ChaCha8Rng;
use rand_core::{RngCore, SeedableRng};

pub(crate) struct Seeded(ChaCha8Rng);

impl Seeded {
    pub(crate) fn new(seed: u64) -> Self {
        Self(ChaCha8Rng::seed_from_u64(seed))
    }
}

impl Entropy for Seeded {
    fn fill(&mut self, dest: &mut [u8]) {
        self.0.fill_bytes(dest);
    }
}

/// The key of alice's file of that role, the same in every test.
pub(crate) fn key(role: Role) -> FileKey {
    MasterKey::generate(&mut Seeded::new(1)).derive(role, "alice")
}

/// Where alice's `profile.db` lies in `dir`.
pub(crate) fn profile_path(dir: &tempfile::TempDir) -> PathBuf {
    dir.path().join("profiles/alice/profile.db")
}

pub(crate) fn open_profile(path: &Path) -> ProfileStore {
    ProfileStore::open(path, &key(Role::Profile)).unwrap()
}

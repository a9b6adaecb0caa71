//! The key file: what is asked for, what is refused, what a crash leaves.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

mod workshop;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use hushwing_store::keys::{Cost, KeyError, KeyFile, Passphrase, Protection, Role};
use workshop::Seeded;

/// As cheap as Argon2id allows: what is tested here is not its strength.
const CHEAP: Cost = Cost {
    memory: 8,
    passes: 1,
    lanes: 1,
};

fn phrase(text: &str) -> Passphrase {
    Passphrase::new(text.to_owned())
}

fn file(dir: &tempfile::TempDir) -> KeyFile {
    KeyFile::at(dir.path().join("home/key"))
}

#[test]
fn a_fresh_key_is_read_back_and_never_overwritten() {
    let dir = tempfile::tempdir().unwrap();
    let file = file(&dir);
    assert!(matches!(file.unlock(None), Err(KeyError::Missing)));
    file.create(&mut Seeded::new(1)).unwrap();
    let before = fs::read(file.path()).unwrap();
    assert!(matches!(
        file.create(&mut Seeded::new(2)),
        Err(KeyError::Exists)
    ));
    assert_eq!(fs::read(file.path()).unwrap(), before);
    assert_eq!(file.protection().unwrap(), Protection::None);
    file.unlock(None).unwrap();
    assert_eq!(
        fs::metadata(file.path()).unwrap().permissions().mode() & 0o777,
        0o600
    );
}

#[test]
fn a_passphrase_guards_the_same_key_until_it_is_cleared() {
    let dir = tempfile::tempdir().unwrap();
    let file = file(&dir);
    let mut chance = Seeded::new(1);
    file.create(&mut chance).unwrap();
    let raw = fs::read(file.path()).unwrap();
    let secret = &raw[6..38];

    file.set_passphrase(None, &phrase("first"), CHEAP, &mut chance)
        .unwrap();
    assert_eq!(file.protection().unwrap(), Protection::Passphrase);
    assert!(matches!(file.unlock(None), Err(KeyError::Locked)));
    assert!(matches!(
        file.unlock(Some(&phrase("frist"))),
        Err(KeyError::WrongPassphrase)
    ));
    file.unlock(Some(&phrase("first"))).unwrap();
    let wrapped = fs::read(file.path()).unwrap();
    assert!(!wrapped.windows(secret.len()).any(|window| window == secret));

    let changed = file.set_passphrase(Some(&phrase("wrong")), &phrase("x"), CHEAP, &mut chance);
    assert!(matches!(changed, Err(KeyError::WrongPassphrase)));
    assert_eq!(fs::read(file.path()).unwrap(), wrapped);
    file.set_passphrase(
        Some(&phrase("first")),
        &phrase("second"),
        CHEAP,
        &mut chance,
    )
    .unwrap();
    assert!(matches!(
        file.unlock(Some(&phrase("first"))),
        Err(KeyError::WrongPassphrase)
    ));

    assert!(matches!(
        file.clear_passphrase(&phrase("first")),
        Err(KeyError::WrongPassphrase)
    ));
    file.clear_passphrase(&phrase("second")).unwrap();
    assert_eq!(fs::read(file.path()).unwrap(), raw);
}

#[test]
fn an_empty_passphrase_and_an_absurd_cost_change_nothing() {
    let dir = tempfile::tempdir().unwrap();
    let file = file(&dir);
    let mut chance = Seeded::new(1);
    file.create(&mut chance).unwrap();
    let before = fs::read(file.path()).unwrap();
    let empty = file.set_passphrase(None, &phrase(""), CHEAP, &mut chance);
    assert!(matches!(empty, Err(KeyError::EmptyPassphrase)));
    let cost = Cost {
        memory: u32::MAX,
        ..Cost::STANDARD
    };
    let absurd = file.set_passphrase(None, &phrase("x"), cost, &mut chance);
    assert!(matches!(absurd, Err(KeyError::Cost)));
    assert_eq!(fs::read(file.path()).unwrap(), before);
}

#[test]
fn damage_is_not_mistaken_for_a_wrong_passphrase() {
    let dir = tempfile::tempdir().unwrap();
    let file = file(&dir);
    let mut chance = Seeded::new(1);
    file.create(&mut chance).unwrap();
    file.set_passphrase(None, &phrase("first"), CHEAP, &mut chance)
        .unwrap();
    let mut bytes = fs::read(file.path()).unwrap();
    bytes[60] ^= 1;
    fs::write(file.path(), &bytes).unwrap();
    assert!(matches!(
        file.unlock(Some(&phrase("first"))),
        Err(KeyError::Damaged)
    ));
}

#[test]
fn a_draft_left_by_a_crash_is_ignored_and_replaced() {
    let dir = tempfile::tempdir().unwrap();
    let file = file(&dir);
    let mut chance = Seeded::new(1);
    file.create(&mut chance).unwrap();
    // As if power went after the draft was half written, before the rename.
    let draft = dir.path().join("home/key.new");
    fs::write(&draft, b"HWKY half").unwrap();
    file.unlock(None).unwrap();
    file.set_passphrase(None, &phrase("first"), CHEAP, &mut chance)
        .unwrap();
    assert!(!draft.exists());
    file.unlock(Some(&phrase("first"))).unwrap();
}

#[test]
fn debug_shows_neither_key_nor_passphrase() {
    let dir = tempfile::tempdir().unwrap();
    let file = file(&dir);
    let master = file.create(&mut Seeded::new(1)).unwrap();
    let shown = format!(
        "{master:?} {:?} {:?}",
        phrase("sesame"),
        master.derive(Role::Profile, "a")
    );
    assert_eq!(shown, "MasterKey(..) Passphrase(..) FileKey(..)");
}

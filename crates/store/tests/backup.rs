//! A backup: what it holds comes back, under another key, in another home; what was
//! changed is refused before anything is in its place.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

mod records;
mod workshop;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use hushwing_conversation::Storage as _;
use hushwing_delivery::MailboxId;
use hushwing_relay::client::Storage as _;
use hushwing_sansio::StorageErrorKind;
use hushwing_store::backup::{
    Backup, BackupError, Contents, Lock, MAX_NOTE, Place, RecoveryCode, RestoreError, Secret,
    lock_of, open,
};
use hushwing_store::keys::{Cost, FileKey, KeyError, MasterKey, Passphrase, Role};
use hushwing_store::{OpenError, ProfileStore, RelayClientStore};
use sha2::{Digest, Sha256};
use tempfile::TempDir;
use workshop::{Seeded, key, open_profile};

/// As cheap as Argon2id allows: what is tested here is not its strength.
const CHEAP: Cost = Cost {
    memory: 8,
    passes: 1,
    lanes: 1,
};
const NOTE: &[u8] = b"what is not in the databases";

fn phrase(text: &str) -> Secret {
    Secret::Passphrase(Passphrase::new(text.to_owned()))
}

/// The key of a file in the home that restores.
fn other_key(role: Role) -> FileKey {
    MasterKey::generate(&mut Seeded::new(99)).derive(role, "restored")
}

/// A home with alice's files, and room for what is made of them.
struct Home {
    dir: TempDir,
    profile: ProfileStore,
    relay: RelayClientStore,
}

impl Home {
    fn new() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let mut profile = open_profile(&dir.path().join("profile.db"));
        profile.begin().unwrap();
        profile.put_setting("name", b"Alice").unwrap();
        profile.put_contact(&records::contact(1, 1)).unwrap();
        profile.commit().unwrap();
        let path = dir.path().join("relay.db");
        let mut relay = RelayClientStore::open(&path, &key(Role::RelayClient)).unwrap();
        relay.begin().unwrap();
        relay.put_mailbox(MailboxId(7), b"its keys").unwrap();
        relay.commit().unwrap();
        Self {
            dir,
            profile,
            relay,
        }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.dir.path().join(name)
    }

    fn write(&self, name: &str, overwrite: bool, secret: &Secret) -> Result<u64, BackupError> {
        let mut chance = Seeded::new(5);
        let backup = Backup::draw(&mut chance);
        let [profile, relay] = ["profile.copy", "relay.copy"].map(|name| self.path(name));
        let key = backup.key(Role::Profile);
        self.profile.snapshot(&profile, &key).unwrap();
        let key = backup.key(Role::RelayClient);
        self.relay.snapshot(&relay, &key).unwrap();
        let contents = Contents {
            note: NOTE,
            profile: &profile,
            relay: &relay,
        };
        let path = self.path(name);
        let written = backup.write(&path, overwrite, secret, CHEAP, &contents, &mut chance);
        fs::remove_file(profile).unwrap();
        fs::remove_file(relay).unwrap();
        written
    }

    /// The bytes of a backup under the passphrase `words`.
    fn backup(&self) -> Vec<u8> {
        self.write("backup", true, &phrase("words")).unwrap();
        fs::read(self.path("backup")).unwrap()
    }
}

/// Restores into a folder that was empty, and tells what is in it afterwards.
fn restore(file: &Path, typed: &str) -> (TempDir, Result<(), RestoreError>) {
    let dir = tempfile::tempdir().unwrap();
    let [profile, relay] = ["profile.db", "relay.db"].map(|name| dir.path().join(name));
    let keys = [Role::Profile, Role::RelayClient].map(other_key);
    let restored = open(file, typed).and_then(|opened| {
        assert_eq!(opened.note(), NOTE);
        opened.unpack(
            Place {
                path: &profile,
                key: &keys[0],
            },
            Place {
                path: &relay,
                key: &keys[1],
            },
        )
    });
    (dir, restored)
}

fn refused(bytes: &[u8]) -> RestoreError {
    let dir = tempfile::tempdir().unwrap();
    let file = dir.path().join("backup");
    fs::write(&file, bytes).unwrap();
    let (into, restored) = restore(&file, "words");
    for name in ["profile.db", "relay.db"] {
        assert!(!into.path().join(name).exists(), "{name} is in its place");
    }
    restored.unwrap_err()
}

#[test]
fn what_was_backed_up_is_there_under_the_keys_of_another_home() {
    let home = Home::new();
    let length = home.write("backup", false, &phrase("words")).unwrap();
    let file = home.path("backup");
    assert_eq!(fs::metadata(&file).unwrap().len(), length);
    let mode = fs::metadata(&file).unwrap().permissions().mode();
    assert_eq!(mode & 0o777, 0o600);
    let (into, restored) = restore(&file, "words");
    restored.unwrap();
    let path = into.path().join("profile.db");
    let profile = ProfileStore::open(&path, &other_key(Role::Profile)).unwrap();
    profile.check().unwrap();
    assert_eq!(profile.setting("name").unwrap().unwrap(), b"Alice");
    assert_eq!(profile.contacts().unwrap().len(), 1);
    let path = into.path().join("relay.db");
    let mut relay = RelayClientStore::open(&path, &other_key(Role::RelayClient)).unwrap();
    assert_eq!(relay.mailboxes().unwrap().len(), 1);
    drop((profile, relay));
    let mut left: Vec<_> = fs::read_dir(into.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .collect();
    left.sort();
    let expected = ["profile.db", "profile.db.lock", "relay.db", "relay.db.lock"];
    assert_eq!(left, expected);
}

/// The copy is of one moment between two transactions, and the writer goes on.
#[test]
fn a_copy_has_what_was_committed_and_nothing_later() {
    let mut home = Home::new();
    let copy = home.path("copy");
    let backup = Backup::draw(&mut Seeded::new(5));
    let key = backup.key(Role::Profile);
    home.profile.begin().unwrap();
    home.profile.put_setting("name", b"Bob").unwrap();
    let error = home.profile.snapshot(&copy, &key).unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Failed);
    assert!(!copy.exists());
    home.profile.commit().unwrap();
    home.profile.snapshot(&copy, &key).unwrap();
    home.profile.begin().unwrap();
    home.profile.put_setting("name", b"Carol").unwrap();
    home.profile.commit().unwrap();
    let copied = ProfileStore::open(&copy, &key).unwrap();
    copied.check().unwrap();
    assert_eq!(copied.setting("name").unwrap().unwrap(), b"Bob");
    assert_eq!(home.profile.setting("name").unwrap().unwrap(), b"Carol");
    home.profile.check().unwrap();
}

#[test]
fn a_copy_opens_with_its_own_key_only_and_replaces_no_file() {
    let home = Home::new();
    let copy = home.path("copy");
    let backup = Backup::draw(&mut Seeded::new(5));
    let own = backup.key(Role::Profile);
    home.profile.snapshot(&copy, &own).unwrap();
    for wrong in [key(Role::Profile), backup.key(Role::RelayClient)] {
        let refused = ProfileStore::open(&copy, &wrong);
        assert!(matches!(refused, Err(OpenError::WrongKey)));
    }
    let before = fs::read(&copy).unwrap();
    assert!(home.profile.snapshot(&copy, &own).is_err());
    assert_eq!(fs::read(&copy).unwrap(), before);
}

/// All is read to its end before anything is in its place.
#[test]
fn a_flipped_bit_in_any_region_is_damage() {
    let whole = Home::new().backup();
    let chunk = 65_552;
    // Of the header each byte, of the rest beginning, end and seams.
    let places = (0..128)
        .step_by(9)
        .chain([128, 129, 136, 200, 128 + chunk - 1, 128 + chunk])
        .chain([whole.len() / 2, whole.len() - 17, whole.len() - 1]);
    for at in places {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x10;
        let error = refused(&flipped);
        match at {
            0..4 => assert!(matches!(error, RestoreError::NotABackup), "{error}"),
            4 => assert!(matches!(error, RestoreError::Newer(_)), "{error}"),
            _ => assert!(matches!(error, RestoreError::Damaged), "byte {at}: {error}"),
        }
    }
}

#[test]
fn a_cut_more_bytes_and_parts_of_another_backup_are_damage() {
    let whole = Home::new().backup();
    let chunk = 65_552;
    for end in [
        5,
        127,
        128,
        129,
        128 + chunk,
        whole.len() - chunk,
        whole.len() - 1,
    ] {
        let error = refused(&whole[..end]);
        assert!(
            matches!(error, RestoreError::Damaged),
            "cut at {end}: {error}"
        );
    }
    let longer = [&whole[..], &whole[128..128 + chunk]].concat();
    assert!(matches!(refused(&longer), RestoreError::Damaged));
    let mut swapped = whole.clone();
    swapped[128..128 + 2 * chunk].rotate_left(chunk);
    assert!(matches!(refused(&swapped), RestoreError::Damaged));
    // One drawn otherwise, under the same passphrase.
    let mut other = Home::new();
    other.profile.begin().unwrap();
    other.profile.put_setting("name", b"Mallory").unwrap();
    other.profile.commit().unwrap();
    let mut chance = Seeded::new(77);
    let backup = Backup::draw(&mut chance);
    let [profile, relay] = ["p", "r"].map(|name| other.path(name));
    let key = backup.key(Role::Profile);
    other.profile.snapshot(&profile, &key).unwrap();
    let key = backup.key(Role::RelayClient);
    other.relay.snapshot(&relay, &key).unwrap();
    let contents = Contents {
        note: NOTE,
        profile: &profile,
        relay: &relay,
    };
    let file = other.path("backup");
    let secret = phrase("words");
    backup
        .write(&file, false, &secret, CHEAP, &contents, &mut chance)
        .unwrap();
    let other = fs::read(file).unwrap();
    let mixed = [&whole[..128], &other[128..]].concat();
    assert!(matches!(refused(&mixed), RestoreError::Damaged));
}

#[test]
fn another_passphrase_is_told_from_damage() {
    let home = Home::new();
    home.backup();
    let (_, restored) = restore(&home.path("backup"), "wrods");
    let error = restored.unwrap_err();
    assert!(matches!(error, RestoreError::Wrong(Lock::Passphrase)));
    assert_eq!(error.to_string(), "wrong passphrase");
}

#[test]
fn a_recovery_code_opens_its_backup_and_no_other() {
    let home = Home::new();
    let code = RecoveryCode::draw(&mut Seeded::new(3));
    home.write("backup", false, &Secret::Code(code.clone()))
        .unwrap();
    let file = home.path("backup");
    assert_eq!(lock_of(&file).unwrap(), Lock::Code);
    let typed = code.written().to_lowercase().replace('-', " ");
    restore(&file, &typed).1.unwrap();
    let other = RecoveryCode::draw(&mut Seeded::new(4));
    let error = restore(&file, &other.written()).1.unwrap_err();
    assert!(matches!(error, RestoreError::Wrong(Lock::Code)));
    let error = restore(&file, "words").1.unwrap_err();
    assert!(matches!(error, RestoreError::Mistyped));
}

#[test]
fn a_file_is_overwritten_only_if_told_to_and_no_draft_stays() {
    let home = Home::new();
    let file = home.path("backup");
    fs::write(&file, b"something else").unwrap();
    let refused = home.write("backup", false, &phrase("words"));
    assert!(matches!(refused, Err(BackupError::Exists)));
    let refused = home.write("backup", true, &phrase(""));
    assert!(matches!(
        refused,
        Err(BackupError::Secret(KeyError::EmptyPassphrase))
    ));
    assert_eq!(fs::read(&file).unwrap(), b"something else");
    home.write("backup", true, &phrase("words")).unwrap();
    restore(&file, "words").1.unwrap();
    let refused = home.write("nowhere/backup", false, &phrase("words"));
    assert!(matches!(refused, Err(BackupError::Io(_))));
    let drafts = fs::read_dir(home.dir.path())
        .unwrap()
        .map(|entry| entry.unwrap().file_name().into_string().unwrap())
        .filter(|name| name.ends_with(".part"))
        .count();
    assert_eq!(drafts, 0);
}

#[test]
fn the_file_tells_nothing_but_a_coarse_length() {
    let mut home = Home::new();
    let before = home.backup();
    home.profile.begin().unwrap();
    for number in 0..40 {
        let contact = records::contact(100 + number, 1);
        home.profile.put_contact(&contact).unwrap();
    }
    home.profile.commit().unwrap();
    let after = home.backup();
    assert_eq!(before.len(), after.len());
    let holds = |needle: &[u8]| after.windows(needle.len()).any(|window| window == needle);
    assert!(!holds(NOTE) && !holds(b"SQLite") && !holds(b"Alice"));
    assert!(!after.windows(16).any(|window| window == [0; 16]));
}

/// What this program writes today it reads in ten years: the bytes of a stream are
/// fixed by key and content.
#[test]
fn the_bytes_of_a_backup_do_not_change() {
    let dir = tempfile::tempdir().unwrap();
    let [profile, relay, file] = ["p", "r", "backup"].map(|name| dir.path().join(name));
    fs::write(&profile, b"conversations").unwrap();
    fs::write(&relay, b"mailboxes").unwrap();
    let mut chance = Seeded::new(1);
    let backup = Backup::draw(&mut chance);
    let contents = Contents {
        note: NOTE,
        profile: &profile,
        relay: &relay,
    };
    let secret = phrase("words");
    backup
        .write(&file, false, &secret, CHEAP, &contents, &mut chance)
        .unwrap();
    let bytes = fs::read(&file).unwrap();
    let digest: [u8; 32] = Sha256::digest(&bytes).into();
    let digest: String = digest.iter().map(|byte| format!("{byte:02x}")).collect();
    assert_eq!(bytes.len(), 128 + 16 * 65_552);
    assert_eq!(
        digest,
        "66b6a946b73cc2eb851a32e2bd73c3991efeaf3614d5dd801192565782e263d7"
    );
}

#[test]
fn a_note_that_could_not_be_read_back_is_not_written() {
    let home = Home::new();
    let mut chance = Seeded::new(5);
    let contents = Contents {
        note: &vec![0; MAX_NOTE + 1],
        profile: &home.path("p"),
        relay: &home.path("r"),
    };
    let backup = Backup::draw(&mut chance);
    let secret = phrase("words");
    let file = home.path("backup");
    let refused = backup.write(&file, false, &secret, CHEAP, &contents, &mut chance);
    assert!(matches!(refused, Err(BackupError::Note)));
}

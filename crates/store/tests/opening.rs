//! Opening a database file: whose it is, what is wrong with it.
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
use std::path::{Path, PathBuf};

use hushwing_sansio::StorageErrorKind;
use hushwing_store::keys::{FileKey, MasterKey, Role};
use hushwing_store::{Database, OpenError, Schema};
use workshop::Seeded;

const SCHEMA: Schema = Schema {
    steps: &[
        "CREATE TABLE t (id INTEGER PRIMARY KEY, bytes BLOB NOT NULL) STRICT;
         WITH RECURSIVE n (value) AS (SELECT 1 UNION ALL SELECT value + 1 FROM n LIMIT 200)
         INSERT INTO t (id, bytes) SELECT value, zeroblob(1000) FROM n;",
    ],
};
const NEWER: Schema = Schema {
    steps: &[SCHEMA.steps[0], "CREATE TABLE u (id INTEGER) STRICT;"],
};

fn key(name: &str) -> FileKey {
    MasterKey::generate(&mut Seeded::new(1)).derive(Role::Profile, name)
}

fn file(dir: &tempfile::TempDir) -> PathBuf {
    dir.path().join("profiles/alice/profile.db")
}

fn open(path: &Path) -> Result<Database, OpenError> {
    Database::open(path, &key("alice"), &SCHEMA)
}

#[test]
fn a_file_is_made_private_and_opens_again() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir);
    let database = open(&path).unwrap();
    let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
    for entry in fs::read_dir(path.parent().unwrap()).unwrap() {
        let entry = entry.unwrap().path();
        assert_eq!(mode(&entry), 0o600, "{}", entry.display());
    }
    assert_eq!(mode(path.parent().unwrap()), 0o700);
    drop(database);
    open(&path).unwrap().check().unwrap();
}

#[test]
fn no_page_is_readable_without_the_key() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir);
    drop(open(&path).unwrap());
    let bytes = fs::read(&path).unwrap();
    assert!(!bytes.starts_with(b"SQLite"));
    // A thousand zeroes a row would show as long runs.
    assert!(!bytes.windows(16).any(|window| window == [0; 16]));
}

#[test]
fn a_second_opener_is_told_who_is_first() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir);
    let first = open(&path).unwrap();
    let Err(error) = open(&path) else {
        panic!("opened twice")
    };
    assert!(matches!(error, OpenError::Busy { holder: Some(pid) } if pid == std::process::id()));
    assert_eq!(error.kind(), StorageErrorKind::Busy);
    assert!(error.to_string().contains(&std::process::id().to_string()));
    drop(first);
    open(&path).unwrap();
}

#[test]
fn another_key_is_told_from_damage() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir);
    drop(open(&path).unwrap());
    let other = Database::open(&path, &key("bob"), &SCHEMA);
    assert!(matches!(other, Err(OpenError::WrongKey)));
    open(&path).unwrap().check().unwrap();
}

#[test]
fn a_damaged_first_page_is_told_from_another_key() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir);
    drop(open(&path).unwrap());
    let mut bytes = fs::read(&path).unwrap();
    bytes[100] ^= 1;
    fs::write(&path, &bytes).unwrap();
    assert!(matches!(open(&path), Err(OpenError::Damaged)));
}

#[test]
fn a_file_too_short_to_be_one_is_damaged() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(&path, [7; 1000]).unwrap();
    assert!(matches!(open(&path), Err(OpenError::WrongKey)));
    fs::write(&path, [7; 5]).unwrap();
    assert!(matches!(open(&path), Err(OpenError::Damaged)));
}

#[test]
fn a_damaged_inner_page_is_found_by_the_check() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir);
    drop(open(&path).unwrap());
    let mut bytes = fs::read(&path).unwrap();
    let middle = bytes.len() / 2;
    bytes[middle] ^= 1;
    fs::write(&path, &bytes).unwrap();
    let error = open(&path).unwrap().check().unwrap_err();
    assert_eq!(error.kind, StorageErrorKind::Damaged);
}

#[test]
fn a_file_of_a_newer_program_is_left_alone() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir);
    drop(Database::open(&path, &key("alice"), &NEWER).unwrap());
    let before = fs::read(&path).unwrap();
    assert!(matches!(
        open(&path),
        Err(OpenError::Newer { found: 2, known: 1 })
    ));
    assert_eq!(fs::read(&path).unwrap(), before);
    Database::open(&path, &key("alice"), &NEWER).unwrap();
}

#[test]
fn an_old_file_is_brought_up_to_date() {
    let dir = tempfile::tempdir().unwrap();
    let path = file(&dir);
    drop(open(&path).unwrap());
    Database::open(&path, &key("alice"), &NEWER)
        .unwrap()
        .check()
        .unwrap();
}

#[test]
fn a_transaction_is_neither_nested_nor_ended_twice() {
    let dir = tempfile::tempdir().unwrap();
    let mut database = open(&file(&dir)).unwrap();
    database.rollback().unwrap();
    assert!(database.commit().is_err());
    database.begin().unwrap();
    assert!(database.begin().is_err());
    database.commit().unwrap();
    database.rollback().unwrap();
}

#[test]
fn debug_shows_neither_path_nor_key() {
    let dir = tempfile::tempdir().unwrap();
    let database = open(&file(&dir)).unwrap();
    assert_eq!(format!("{database:?}"), "Database(..)");
}

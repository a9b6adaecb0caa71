//! Certificates and keys of a server, in files that `openssl` reads too.
//!
//! `identity/ca.crt` is what the address names, `ca.key` signs further leaves
//! and may be moved away, `server.crt` and `server.key` are what the running
//! server shows. The folder appears under its name only when it is complete.

use std::fs::{self, DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use hushwing_relay::server::ServerIdentity;
use hushwing_relay::wire::SigningKey;
use hushwing_transport::tls::{Identity, IdentityError, pem_section, pem_text};
use zeroize::Zeroizing;

const FOLDER: &str = "identity";
const DRAFT: &str = "identity.new";
const CERTIFICATE: &str = "CERTIFICATE";
const PRIVATE_KEY: &str = "PRIVATE KEY";

/// Why a server has no identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityFileError {
    /// A file cannot be read or written.
    #[error("cannot use {path}")]
    File {
        /// Which.
        path: PathBuf,
        /// Why.
        source: io::Error,
    },
    /// A file is not PEM of the kind it should be.
    #[error("{path} is damaged")]
    Damaged {
        /// Which.
        path: PathBuf,
    },
    /// Certificates and key do not fit together, or cannot be made.
    #[error(transparent)]
    Identity(#[from] IdentityError),
}

/// The identity in `dir`, made now if there is none.
pub(super) fn load_or_make(dir: &Path, host: &str) -> Result<Identity, IdentityFileError> {
    let folder = dir.join(FOLDER);
    if !folder.exists() {
        make(dir, host).map_err(|error| match error {
            Made::Io(source) => IdentityFileError::File {
                path: folder.clone(),
                source,
            },
            Made::Identity(error) => error.into(),
        })?;
    }
    let leaf = read(&folder.join("server.crt"), CERTIFICATE)?;
    let ca = read(&folder.join("ca.crt"), CERTIFICATE)?;
    let key = read(&folder.join("server.key"), PRIVATE_KEY)?;
    Ok(Identity::from_der(
        vec![leaf.to_vec(), ca.to_vec()],
        key.to_vec(),
    )?)
}

/// What sessions need of it.
pub(super) fn for_sessions(identity: &Identity) -> Result<ServerIdentity, IdentityFileError> {
    let leaf_key =
        SigningKey::from_pkcs8(identity.leaf_key()).map_err(|_| IdentityFileError::Damaged {
            path: Path::new(FOLDER).join("server.key"),
        })?;
    Ok(ServerIdentity {
        fingerprint: identity.fingerprint(),
        chain: identity.chain(),
        leaf_key,
    })
}

enum Made {
    Io(io::Error),
    Identity(IdentityError),
}

impl From<io::Error> for Made {
    fn from(error: io::Error) -> Self {
        Self::Io(error)
    }
}

fn make(dir: &Path, host: &str) -> Result<(), Made> {
    let made = Identity::generate(host).map_err(Made::Identity)?;
    let draft = dir.join(DRAFT);
    // What a start that was cut short left behind.
    match fs::remove_dir_all(&draft) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error.into()),
        _ => {}
    }
    DirBuilder::new()
        .recursive(true)
        .mode(0o700)
        .create(&draft)?;
    let chain = made.identity.chain();
    for (name, certificate) in ["server.crt", "ca.crt"].iter().zip(&chain) {
        write(&draft.join(name), CERTIFICATE, certificate)?;
    }
    write(
        &draft.join("server.key"),
        PRIVATE_KEY,
        made.identity.leaf_key(),
    )?;
    write(&draft.join("ca.key"), PRIVATE_KEY, &made.identity_key)?;
    File::open(&draft)?.sync_all()?;
    fs::rename(&draft, dir.join(FOLDER))?;
    File::open(dir)?.sync_all()?;
    Ok(())
}

fn write(path: &Path, label: &str, der: &[u8]) -> io::Result<()> {
    let mut file = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(path)?;
    file.write_all(pem_text(label, der).as_bytes())?;
    file.sync_all()
}

fn read(path: &Path, label: &str) -> Result<Zeroizing<Vec<u8>>, IdentityFileError> {
    let text = fs::read_to_string(path).map_err(|source| IdentityFileError::File {
        path: path.to_owned(),
        source,
    })?;
    pem_section(&Zeroizing::new(text), label).ok_or_else(|| IdentityFileError::Damaged {
        path: path.to_owned(),
    })
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn the_identity_outlives_a_restart() {
        let dir = tempfile::tempdir().unwrap();
        let first = load_or_make(dir.path(), "localhost").unwrap();
        let again = load_or_make(dir.path(), "localhost").unwrap();
        assert_eq!(first.fingerprint(), again.fingerprint());
        assert!(for_sessions(&again).is_ok());
    }

    #[test]
    fn a_start_cut_short_leaves_no_half_identity() {
        let dir = tempfile::tempdir().unwrap();
        fs::create_dir(dir.path().join(DRAFT)).unwrap();
        fs::write(dir.path().join(DRAFT).join("ca.key"), "half").unwrap();
        load_or_make(dir.path(), "localhost").unwrap();
        assert!(!dir.path().join(DRAFT).exists());
    }

    #[test]
    fn keys_are_for_their_owner_alone() {
        let dir = tempfile::tempdir().unwrap();
        load_or_make(dir.path(), "localhost").unwrap();
        for name in ["ca.key", "server.key"] {
            let path = dir.path().join(FOLDER).join(name);
            assert_eq!(
                fs::metadata(path).unwrap().permissions().mode() & 0o777,
                0o600
            );
        }
    }

    #[test]
    fn a_damaged_file_is_named() {
        let dir = tempfile::tempdir().unwrap();
        load_or_make(dir.path(), "localhost").unwrap();
        fs::write(dir.path().join(FOLDER).join("server.key"), "rubbish").unwrap();
        let error = load_or_make(dir.path(), "localhost").unwrap_err();
        assert!(
            error
                .to_string()
                .ends_with("identity/server.key is damaged")
        );
    }
}

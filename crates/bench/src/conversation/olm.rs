//! The peer: Olm as Matrix clients use it (vodozemac).

use rusqlite::{Connection, params};
use tempfile::TempDir;
use vodozemac::olm::{Account, OlmMessage, Session, SessionConfig};

use super::encrypted;
use super::line::Line;
use crate::BenchError;

const FAILED: &str = "Olm failed";

/// Two sessions in memory.
pub(super) struct Olm([Session; 2]);

impl Olm {
    /// A session on each side, both of which have spoken, so that messages are
    /// no longer the longer first ones.
    pub(super) fn new() -> Result<Self, BenchError> {
        let (alice, mut bob) = (Account::new(), Account::new());
        bob.generate_one_time_keys(1);
        let one_time = bob.one_time_keys().into_values().next();
        let config = SessionConfig::version_1();
        let mut hers = alice
            .create_outbound_session(
                config,
                bob.curve25519_key(),
                one_time.ok_or(BenchError::Bug(FAILED))?,
            )
            .map_err(BenchError::bug(FAILED))?;
        let OlmMessage::PreKey(first) = hers.encrypt("hello").map_err(BenchError::bug(FAILED))?
        else {
            return Err(BenchError::Bug(FAILED));
        };
        let his = bob
            .create_inbound_session(config, alice.curve25519_key(), &first)
            .map_err(BenchError::bug(FAILED))?
            .session;
        let mut olm = Self([hers, his]);
        olm.bring(1, "well")?;
        Ok(olm)
    }

    fn pair(&mut self, from: usize) -> (&mut Session, &mut Session) {
        let [first, second] = &mut self.0;
        if from == 0 {
            (first, second)
        } else {
            (second, first)
        }
    }
}

impl Line for Olm {
    fn bring(&mut self, from: usize, text: &str) -> Result<(), BenchError> {
        let (speaker, listener) = self.pair(from);
        let message = encrypt(speaker, text)?;
        decrypt(listener, &message, text)
    }
}

/// The message as it travels: type and bytes.
fn encrypt(session: &mut Session, text: &str) -> Result<(usize, Vec<u8>), BenchError> {
    let message = session.encrypt(text).map_err(BenchError::bug(FAILED))?;
    Ok(message.to_parts())
}

fn decrypt(
    session: &mut Session,
    message: &(usize, Vec<u8>),
    text: &str,
) -> Result<(), BenchError> {
    let (kind, bytes) = message;
    let message = OlmMessage::from_parts(*kind, bytes).map_err(BenchError::bug(FAILED))?;
    let heard = session.decrypt(&message).map_err(BenchError::bug(FAILED))?;
    if heard == text.as_bytes() {
        Ok(())
    } else {
        Err(BenchError::Bug("another text arrived"))
    }
}

/// The same with each session's state in an encrypted file of its own, under
/// the settings of a profile, written in a durable transaction for each
/// message on each side.
pub(super) struct DurableOlm {
    sessions: Olm,
    files: [Connection; 2],
    // After the files, which lie there.
    _folder: TempDir,
}

impl DurableOlm {
    pub(super) fn new() -> Result<Self, BenchError> {
        let folder = tempfile::tempdir().map_err(BenchError::system("make a folder"))?;
        let open =
            |name| open(&folder.path().join(name)).map_err(BenchError::bug("no file for Olm"));
        Ok(Self {
            sessions: Olm::new()?,
            files: [open("alice.db")?, open("bob.db")?],
            _folder: folder,
        })
    }
}

fn open(path: &std::path::Path) -> rusqlite::Result<Connection> {
    let file = encrypted::open(path)?;
    file.execute_batch(
        "CREATE TABLE sessions (id INTEGER PRIMARY KEY, pickle BLOB NOT NULL) STRICT;",
    )?;
    Ok(file)
}

fn keep(file: &Connection, session: &Session) -> Result<(), BenchError> {
    const FAILED: &str = "Olm's state cannot be stored";
    let pickle = serde_json::to_vec(&session.pickle()).map_err(BenchError::bug(FAILED))?;
    let run = |sql| file.prepare_cached(sql)?.execute([]).map(drop);
    run("BEGIN")
        .and_then(|()| {
            file.prepare_cached(
                "INSERT INTO sessions (id, pickle) VALUES (1, ?1)
                 ON CONFLICT (id) DO UPDATE SET pickle = excluded.pickle",
            )?
            .execute(params![pickle])
        })
        .and_then(|_| run("COMMIT"))
        .map_err(BenchError::bug(FAILED))
}

impl Line for DurableOlm {
    fn bring(&mut self, from: usize, text: &str) -> Result<(), BenchError> {
        let [first, second] = &self.files;
        let (his, hers) = if from == 0 {
            (second, first)
        } else {
            (first, second)
        };
        let (speaker, listener) = self.sessions.pair(from);
        let message = encrypt(speaker, text)?;
        keep(hers, speaker)?;
        decrypt(listener, &message, text)?;
        keep(his, listener)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn olm_brings_texts_both_ways_and_keeps_its_state() {
        let mut olm = DurableOlm::new().unwrap();
        for from in [0, 1, 1, 0] {
            olm.bring(from, "hello").unwrap();
        }
        let stored: Vec<u8> = olm.files[0]
            .query_row("SELECT pickle FROM sessions", [], |row| row.get(0))
            .unwrap();
        let pickle = serde_json::from_slice(&stored).unwrap();
        let mut again = Session::from_pickle(pickle);
        let message = encrypt(&mut again, "once more").unwrap();
        decrypt(&mut olm.sessions.0[1], &message, "once more").unwrap();
    }
}

//! What the stream holds: three parts in one order, a mark of the end, zeros.
//!
//! ```text
//! part  1 kind, 8 length (big-endian), bytes
//! kinds 1 note, 2 profile.db, 3 relay.db; 0 alone is the end
//! ```

use std::fs::File;
use std::io::{self, Read, Write};
use std::path::Path;

use zeroize::Zeroizing;

use super::stream::Opener;
use super::{Contents, MAX_NOTE, RestoreError};

const END: u8 = 0;
const NOTE: u8 = 1;
pub(super) const PROFILE: u8 = 2;
pub(super) const RELAY: u8 = 3;

/// Writes all parts.
pub(super) fn write(contents: &Contents<'_>, out: &mut impl Write) -> io::Result<()> {
    let length = u64::try_from(contents.note.len()).unwrap_or(u64::MAX);
    begin(NOTE, length, out)?;
    out.write_all(contents.note)?;
    write_file(PROFILE, contents.profile, out)?;
    write_file(RELAY, contents.relay, out)?;
    out.write_all(&[END])
}

fn begin(kind: u8, length: u64, out: &mut impl Write) -> io::Result<()> {
    out.write_all(&[kind])?;
    out.write_all(&length.to_be_bytes())
}

fn write_file(kind: u8, path: &Path, out: &mut impl Write) -> io::Result<()> {
    let file = File::open(path)?;
    let length = file.metadata()?.len();
    begin(kind, length, out)?;
    match io::copy(&mut file.take(length), out)? == length {
        true => Ok(()),
        false => Err(io::ErrorKind::UnexpectedEof.into()),
    }
}

/// Reads the note, which comes first.
pub(super) fn note<R: Read>(stream: &mut Opener<R>) -> Result<Zeroizing<Vec<u8>>, RestoreError> {
    let length = begun(NOTE, stream)?;
    let room = usize::try_from(length).unwrap_or(usize::MAX);
    if room > MAX_NOTE {
        return Err(RestoreError::Damaged);
    }
    let mut note = Zeroizing::new(Vec::with_capacity(room));
    stream.pass(length, &mut *note)?;
    Ok(note)
}

/// Writes the part that comes next, of that kind, to `out`.
pub(super) fn unpack<R: Read>(
    kind: u8,
    stream: &mut Opener<R>,
    out: &mut impl Write,
) -> Result<(), RestoreError> {
    let length = begun(kind, stream)?;
    stream.pass(length, out)
}

/// Reads on to the end of the stream.
pub(super) fn end<R: Read>(mut stream: Opener<R>) -> Result<(), RestoreError> {
    match stream.take()? {
        [END] => stream.finish(),
        _ => Err(RestoreError::Damaged),
    }
}

fn begun<R: Read>(kind: u8, stream: &mut Opener<R>) -> Result<u64, RestoreError> {
    match stream.take()? {
        [found] if found == kind => Ok(u64::from_be_bytes(stream.take()?)),
        _ => Err(RestoreError::Damaged),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::stream::Sealer;
    use super::*;

    /// What a stream of that content gives: note, `profile.db`, `relay.db`.
    fn read(content: &[u8]) -> Result<[Vec<u8>; 3], RestoreError> {
        let key = [7; 32];
        let mut sealer = Sealer::new(Vec::new(), &key);
        sealer.write_all(content).unwrap();
        let sealed = sealer.finish().unwrap();
        let mut stream = Opener::new(&sealed[..], &key)?;
        let note = note(&mut stream)?.to_vec();
        let (mut profile, mut relay) = (Vec::new(), Vec::new());
        unpack(PROFILE, &mut stream, &mut profile)?;
        unpack(RELAY, &mut stream, &mut relay)?;
        end(stream)?;
        Ok([note, profile, relay])
    }

    fn written() -> Vec<u8> {
        let dir = tempfile::tempdir().unwrap();
        let [profile, relay] = ["profile", "relay"].map(|name| dir.path().join(name));
        std::fs::write(&profile, b"conversations").unwrap();
        std::fs::write(&relay, b"mailboxes").unwrap();
        let contents = Contents {
            note: b"a note",
            profile: &profile,
            relay: &relay,
        };
        let mut content = Vec::new();
        write(&contents, &mut content).unwrap();
        content
    }

    #[test]
    fn parts_come_back_as_they_were() {
        let parts = read(&written()).unwrap();
        assert_eq!(parts, [&b"a note"[..], b"conversations", b"mailboxes"]);
    }

    /// Whoever has the passphrase can seal what they like.
    #[test]
    fn parts_of_another_kind_order_or_length_are_damage() {
        let good = written();
        let note = 1 + 8 + 6;
        let profile = note + 1 + 8 + 13;
        let other_order = [&good[..note], &good[profile..], &good[note..profile]].concat();
        let mut endless = good.clone();
        endless[1..9].fill(0xFF);
        let mut longer = good.clone();
        longer[note + 1] = 1;
        let behind = [&good[..], &[1]].concat();
        for wrong in [&other_order, &endless, &longer, &behind, &vec![]] {
            assert!(matches!(read(wrong), Err(RestoreError::Damaged)));
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(4))]
        #[test]
        fn no_content_panics(content in prop::collection::vec(any::<u8>(), 0..60)) {
            prop_assert!(read(&content).is_err());
        }
    }
}

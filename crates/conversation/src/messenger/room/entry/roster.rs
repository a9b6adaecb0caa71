//! What a newcomer is told of who is there.
//!
//! It is hearsay: whatever a member tells of themselves, in whatever revision,
//! stands above it. And it fits into one letter, whatever is in it.

use hushwing_sansio::StorageError;

use crate::RoomId;
use crate::content::{Entry, MAX_ROSTER};
use crate::messenger::Messenger;
use crate::messenger::room::key;
use crate::storage::MemberRecord;

/// Bytes of the addresses of one member in a roster: one of any length, or a few
/// short ones.
const MOST_OF_ONE: usize = 1_536;
/// Bytes of all its entries. Who does not fit greets.
const MOST_IN_ALL: usize = 98_304;
/// Rosters that go with one Welcome.
const MOST_LETTERS: usize = 12;
/// Bytes of an entry beside its key, its name and its addresses.
const FRAME: usize = 32;

impl Messenger {
    /// What a newcomer is told, in letters' worths: only of who is there now, and has
    /// addresses; me first, and then those whom all have to reach.
    pub(super) fn rosters(&mut self, room: RoomId) -> Result<Vec<Vec<Entry>>, StorageError> {
        let mut entries = vec![self.my_entry(room)?];
        let known = self.rooms.find(room)?;
        let mut others: Vec<_> = known.others().collect();
        others.sort_by_cached_key(|member| !known.is_sought(member));
        for member in others {
            entries.push(entry_of(key(&member.key)?, member));
        }
        let letters = entries.chunks(MAX_ROSTER).take(MOST_LETTERS);
        Ok(letters.map(|part| fitted(part.to_vec())).collect())
    }
}

/// What is known of a member.
pub(super) fn entry_of(key: [u8; 32], member: &MemberRecord) -> Entry {
    let addresses = member.addresses.iter();
    Entry {
        key,
        name: member.name.clone(),
        revision: member.revision,
        addresses: addresses.map(|to| to.expose().to_vec()).collect(),
    }
}

/// Those of the entries, and of their addresses, that a letter can take.
pub(super) fn fitted(entries: Vec<Entry>) -> Vec<Entry> {
    let mut room = MOST_IN_ALL;
    let mut fitted = Vec::new();
    for mut entry in entries {
        let mut bytes = 0;
        entry.addresses.retain(|address| {
            let fits = bytes + address.len() <= MOST_OF_ONE;
            bytes += if fits { address.len() } else { 0 };
            fits
        });
        let size = FRAME + entry.key.len() + entry.name.len() + bytes;
        if entry.addresses.is_empty() || entry.name.is_empty() || size > room {
            continue;
        }
        room -= size;
        fitted.push(entry);
    }
    fitted.truncate(MAX_ROSTER);
    fitted
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ConversationId;
    use crate::content::{Content, Frame, Lamport, RoomStep, RoomWord, Salt, Stamp};

    fn entry(number: u8, addresses: &[usize]) -> Entry {
        Entry {
            key: [number; 32],
            name: "n".repeat(40),
            revision: u64::MAX,
            addresses: addresses.iter().map(|length| vec![1; *length]).collect(),
        }
    }

    #[test]
    fn a_roster_fits_into_a_letter_whatever_is_in_it() {
        for lengths in [&[2_560; 16][..], &[1_100; 4], &[1_536], &[80; 4], &[1; 16]] {
            let entries = (0..200).map(|number| entry(number, lengths)).collect();
            let step = RoomStep::Roster(fitted(entries));
            let word = RoomWord {
                room: ConversationId([4; 16]),
                step,
            };
            let frame = Frame {
                salt: Salt([1; 16]),
                stamp: Stamp {
                    lamport: Lamport::MAX,
                    sent: hushwing_sansio::Timestamp::from_secs(1),
                },
                expires: None,
            };
            assert!(Content::Room(word.clone()).compose(frame).is_ok());
            assert_eq!(RoomWord::decode(&word.encode()), Ok(word));
        }
    }

    #[test]
    fn of_each_the_first_address_is_told_and_nobody_without() {
        let told = fitted(vec![
            entry(1, &[1_100, 1_100, 90]),
            entry(2, &[]),
            entry(3, &[2_560]),
            entry(4, &[80]),
        ]);
        let lengths: Vec<_> = told
            .iter()
            .map(|one| one.addresses.iter().map(Vec::len).collect::<Vec<_>>())
            .collect();
        assert_eq!(lengths, [vec![1_100, 90], vec![80]]);
        let full: Vec<_> = (0..32).map(|number| entry(number, &[1_100; 4])).collect();
        assert_eq!(fitted(full).len(), 32);
    }
}

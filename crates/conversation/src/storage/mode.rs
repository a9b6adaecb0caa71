//! What both sides of a conversation wished it to be, and my key for it.
//!
//! It lies in a setting: most conversations never have any.

use core::fmt;

use hushwing_sansio::StorageError;
use serde::{Deserialize, Serialize};
use zeroize::Zeroizing;

use super::codec;
use super::{Position, Storage};
use crate::content::{Mode, Wish};
use crate::proof::PublicIdentity;
use crate::{ContactId, MessageId, Secret};

/// Wishes of one side that are remembered. Beyond, wishes for `Normal` go
/// first, the oldest of them before others, then what repeats a key, and never
/// the only wish with a key: so messages signed long ago stay provable however
/// often somebody changed their mind.
pub const MOST_WISHES: usize = 32;

/// Keys of one side that are remembered, for good. An honest program makes one.
const MOST_KEYS: usize = 8;
const _: () = assert!(MOST_KEYS + 1 < MOST_WISHES);

/// Of one conversation: both sides' wishes, in its order.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct ModeRecord {
    /// My private identity key (32 bytes), made at my first wish for
    /// `Provable` and kept.
    pub secret: Option<Secret>,
    mine: Vec<WishRecord>,
    theirs: Vec<WishRecord>,
}

/// What stands for the key in a wish to be off the record: no key is this one.
const NO_KEY: [u8; 32] = [0; 32];

/// One wish.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
struct WishRecord {
    epoch: u64,
    lamport: u64,
    leaf: u32,
    id: [u8; 32],
    /// Of a wish for `Provable`; [`NO_KEY`] of one for `Otr`.
    key: Option<[u8; 32]>,
}

impl WishRecord {
    fn new(at: &Position, wish: &Wish) -> Self {
        Self {
            epoch: at.epoch,
            lamport: at.lamport,
            leaf: at.leaf,
            id: *at.id.as_bytes(),
            key: match wish {
                Wish::Otr => Some(NO_KEY),
                _ => wish.key().map(|key| *key.as_bytes()),
            },
        }
    }

    fn position(&self) -> Option<Position> {
        Some(Position {
            epoch: self.epoch,
            lamport: self.lamport,
            leaf: self.leaf,
            id: MessageId::from_bytes(&self.id).ok()?,
        })
    }

    fn mode(&self) -> Mode {
        match self.key {
            Some(NO_KEY) => Mode::Otr,
            Some(_) => Mode::Provable,
            None => Mode::Normal,
        }
    }

    fn key(&self) -> Option<PublicIdentity> {
        self.key
            .and_then(|key| PublicIdentity::from_bytes(&key).ok())
    }
}

impl ModeRecord {
    /// The wishes in the conversation with `contact`.
    ///
    /// # Errors
    ///
    /// When storage fails or holds something else.
    pub fn of(storage: &dyn Storage, contact: ContactId) -> Result<Self, StorageError> {
        let body = storage.setting(&mode_with(contact))?.map(Zeroizing::new);
        match body.filter(|body| !body.is_empty()) {
            Some(body) => Self::decode(&body),
            None => Ok(Self::default()),
        }
    }

    /// Writes the wishes in the conversation with `contact`.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn put(&self, storage: &mut dyn Storage, contact: ContactId) -> Result<(), StorageError> {
        let body = Zeroizing::new(self.encode());
        storage.put_setting(&mode_with(contact), &body)
    }

    /// Forgets them, and my key with them.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn clear(storage: &mut dyn Storage, contact: ContactId) -> Result<(), StorageError> {
        storage.remove_setting(&mode_with(contact))
    }

    /// The versioned body.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Decodes what [`Self::encode`] made.
    ///
    /// # Errors
    ///
    /// [`StorageErrorKind::Corrupt`](hushwing_sansio::StorageErrorKind::Corrupt).
    pub fn decode(body: &[u8]) -> Result<Self, StorageError> {
        let what = "reading the mode of a conversation";
        let record: Self = codec::decode(body, what)?;
        let mut wishes = record.mine.iter().chain(&record.theirs);
        // A key that is none could never have been told.
        match wishes.all(|wish| {
            let keyed = wish.mode() == Mode::Provable;
            wish.position().is_some() && keyed == wish.key().is_some()
        }) {
            true => Ok(record),
            false => Err(StorageError::corrupt(what)),
        }
    }

    /// Whether nobody ever wished anything.
    #[must_use]
    pub fn is_untouched(&self) -> bool {
        self.mine.is_empty() && self.theirs.is_empty()
    }

    /// Notes a wish of mine, or of theirs; whether it is new. The same wish may
    /// come twice, and an older one after a newer one.
    pub fn note(&mut self, mine: bool, at: &Position, wish: &Wish) -> bool {
        let wishes = match mine {
            true => &mut self.mine,
            false => &mut self.theirs,
        };
        let Err(place) = wishes.binary_search_by_key(&Some(*at), WishRecord::position) else {
            return false;
        };
        wishes.insert(place, WishRecord::new(at, wish));
        if wishes.len() > MOST_WISHES {
            let gone = least(wishes);
            wishes.remove(gone);
        }
        true
    }

    /// What I wish, or they, before `before`; now, if that is nothing.
    #[must_use]
    pub fn wish(&self, mine: bool, before: Option<&Position>) -> Mode {
        let last = self.last(mine, before);
        last.map_or(Mode::Normal, WishRecord::mode)
    }

    /// The mode in force before `before`; now, if that is nothing.
    #[must_use]
    pub fn in_force(&self, before: Option<&Position>) -> Mode {
        let both = [true, false].map(|mine| self.wish(mine, before));
        match both {
            [one, other] if one == other => one,
            _ => Mode::Normal,
        }
    }

    /// Whether a wish of theirs can be noted: one with a key more than
    /// eight would push another one out, and what it signed.
    #[must_use]
    pub fn has_room_for(&self, wish: &Wish) -> bool {
        let keys = self.their_keys();
        let known = |key| keys.contains(&key);
        wish.key().is_none_or(known) || keys.len() < MOST_KEYS
    }

    /// The key they told last before `before`, also if they wished for `Normal`
    /// since; now, if that is nothing.
    #[must_use]
    pub fn their_key(&self, before: Option<&Position>) -> Option<PublicIdentity> {
        let told = self.until(false, before);
        told.rev().find_map(WishRecord::key)
    }

    /// All keys they ever told that are remembered, each once, oldest first.
    #[must_use]
    pub fn their_keys(&self) -> Vec<PublicIdentity> {
        let mut keys: Vec<PublicIdentity> = Vec::new();
        for key in self.theirs.iter().filter_map(WishRecord::key) {
            if !keys.contains(&key) {
                keys.push(key);
            }
        }
        keys
    }

    fn last(&self, mine: bool, before: Option<&Position>) -> Option<&WishRecord> {
        self.until(mine, before).next_back()
    }

    fn until(
        &self,
        mine: bool,
        before: Option<&Position>,
    ) -> impl DoubleEndedIterator<Item = &WishRecord> {
        let wishes = if mine { &self.mine } else { &self.theirs };
        let before = before.copied();
        wishes
            .iter()
            .filter(move |wish| before.is_none_or(|before| wish.position() < Some(before)))
    }
}

/// Which wish says least: not the last one, which is in force.
fn least(wishes: &[WishRecord]) -> usize {
    let older = wishes.split_last().map_or(wishes, |(_, older)| older);
    let normal = older.iter().position(|wish| wish.key().is_none());
    let repeats = || {
        let mut pairs = older.iter().zip(older.iter().skip(1));
        pairs
            .position(|(one, next)| one.key == next.key)
            .map(|at| at + 1)
    };
    // There is one, for there are more wishes than keys.
    let told_elsewhere = || {
        let times = |key: Option<[u8; 32]>| wishes.iter().filter(|wish| wish.key == key).count();
        older.iter().position(|wish| times(wish.key) > 1)
    };
    let gone = normal.or_else(repeats).or_else(told_elsewhere);
    gone.unwrap_or(0)
}

// It holds a private key.
impl fmt::Debug for ModeRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ModeRecord")
            .field("in_force", &self.in_force(None))
            .finish_non_exhaustive()
    }
}

fn mode_with(contact: ContactId) -> String {
    format!("mode with contact {}", contact.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::proof::IdentityKey;

    fn at(lamport: u64) -> Position {
        Position {
            epoch: 1,
            lamport,
            leaf: 0,
            id: MessageId::from_bytes(&[1; 32]).unwrap(),
        }
    }

    fn provable(seed: u8) -> Wish {
        let key = IdentityKey::from_seed(&[seed; 32]).public();
        let proof = [0; 64];
        Wish::Provable { key, proof }
    }

    #[test]
    fn a_conversation_is_provable_while_both_wish_it() {
        let mut record = ModeRecord::default();
        assert!(record.is_untouched());
        record.note(true, &at(1), &provable(1));
        assert_eq!(record.in_force(None), Mode::Normal);
        record.note(false, &at(3), &provable(2));
        assert_eq!(record.in_force(None), Mode::Provable);
        record.note(true, &at(7), &Wish::Normal);
        assert_eq!(record.in_force(None), Mode::Normal);
        let stretch: Vec<_> = (1..9).map(|n| record.in_force(Some(&at(n)))).collect();
        let mut expected = vec![Mode::Normal; 8];
        expected[3..7].fill(Mode::Provable);
        assert_eq!(stretch, expected);
    }

    #[test]
    fn off_the_record_is_what_both_wish_and_tells_no_key() {
        let mut record = ModeRecord::default();
        record.note(true, &at(1), &Wish::Otr);
        record.note(false, &at(2), &provable(1));
        assert_eq!(record.in_force(None), Mode::Normal);
        record.note(false, &at(3), &Wish::Otr);
        assert_eq!(record.in_force(None), Mode::Otr);
        assert_eq!(record.in_force(Some(&at(3))), Mode::Normal);
        assert_eq!(record.their_keys().len(), 1);
        let read = ModeRecord::decode(&record.encode()).unwrap();
        assert_eq!(read, record);
        assert_eq!(read.wish(true, None), Mode::Otr);
    }

    #[test]
    fn wishes_stand_in_the_order_of_the_conversation_whenever_they_come() {
        let mut record = ModeRecord::default();
        assert!(record.note(false, &at(5), &Wish::Normal));
        assert!(record.note(false, &at(3), &provable(2)));
        assert!(!record.note(false, &at(3), &provable(2)));
        assert_eq!(record.wish(false, None), Mode::Normal);
        assert_eq!(record.wish(false, Some(&at(4))), Mode::Provable);
        assert_eq!(record.their_key(None), provable(2).key());
        assert_eq!(record.their_key(Some(&at(3))), None);
    }

    #[test]
    fn a_changed_key_is_known_by_where_it_was_told() {
        let mut record = ModeRecord::default();
        record.note(false, &at(2), &provable(1));
        record.note(false, &at(6), &provable(2));
        assert_eq!(record.their_key(Some(&at(6))), provable(1).key());
        assert_eq!(record.their_key(Some(&at(7))), provable(2).key());
        assert_eq!(record.their_keys().len(), 2);
    }

    #[test]
    fn changing_ones_mind_a_thousand_times_takes_bounded_room_and_costs_no_key() {
        let mut record = ModeRecord::default();
        for n in 0..1_000 {
            let wish = if n % 2 == 0 {
                provable(1)
            } else {
                Wish::Normal
            };
            record.note(false, &at(n), &wish);
        }
        assert_eq!(record.theirs.len(), MOST_WISHES);
        assert_eq!(record.wish(false, None), Mode::Normal);
        assert_eq!(record.their_key(Some(&at(1))), provable(1).key());
        assert!(record.encode().len() < 4_096);
    }

    #[test]
    fn no_key_is_ever_pushed_out_and_there_are_eight() {
        let mut record = ModeRecord::default();
        record.note(false, &at(1), &provable(8));
        for n in 2..200 {
            // In turn, so that none repeats the one before it.
            let wish = provable(u8::try_from(n % 7).unwrap() + 1);
            assert!(record.has_room_for(&wish));
            record.note(false, &at(n), &wish);
        }
        assert_eq!(record.theirs.len(), MOST_WISHES);
        assert_eq!(record.their_keys().len(), MOST_KEYS);
        assert!(!record.has_room_for(&provable(9)));
        assert!(record.has_room_for(&provable(1)));
        assert!(record.has_room_for(&Wish::Normal));
        // Told before all that is remembered: it pushes out no other.
        record.note(false, &at(0), &provable(3));
        assert_eq!(record.their_keys().len(), MOST_KEYS);
    }

    #[test]
    fn the_record_survives_and_damage_is_told() {
        let mut record = ModeRecord {
            secret: Some(Secret::new([7; 32])),
            ..ModeRecord::default()
        };
        record.note(true, &at(1), &provable(1));
        record.note(false, &at(2), &provable(2));
        let body = record.encode();
        assert_eq!(ModeRecord::decode(&body).unwrap(), record);
        assert!(ModeRecord::decode(&body[..body.len() - 1]).is_err());
        record.theirs[0].key = Some([2; 32]);
        assert!(ModeRecord::decode(&record.encode()).is_err());
        assert!(!format!("{record:?}").contains('7'));
    }
}

//! What a group has agreed on: who its stewards are, its name, its modes.
//!
//! It lies in the group context, so all who share a state share it, and only a
//! commit changes it.

use serde::{Deserialize, Serialize};

use crate::ConversationId;
use crate::fork_choice::{AccountId, MAX_STEWARDS, Shape};

/// Version byte of the blob.
const VERSION: u8 = 1;
/// Most bytes of a name, in UTF-8.
pub const MOST_NAME_BYTES: usize = 256;
/// Most entries that this version does not know.
pub const MOST_FURTHER: usize = 16;
/// Most bytes of such an entry.
pub const MOST_FURTHER_BYTES: usize = 1024;
/// Most bytes of the picture of a group. Its entry has one more, and it alone may have so
/// many: could all entries, a steward could leave no room for what others agree on.
pub const MOST_PICTURE_BYTES: usize = 3071;
/// The further entry that bounds the leaves.
const MOST_LEAVES: u16 = 2;
/// The further entry that bounds the leaves of one account.
const MOST_OF_ONE: u16 = 3;
/// The further entry that says when messages disappear.
const DISAPPEAR: u16 = 4;
/// The further entry that names the heralds, and says without whom how many there may
/// be.
const HERALDS: u16 = 5;
/// The further entry that is the picture of the group.
const PICTURE: u16 = 6;
/// Number of the further entry that says since when newcomers are handed what was said.
const SHARED_SINCE: u16 = 7;
/// Of the further entries that which says which conversation a pair goes on with.
const CONTINUES: u16 = 8;
/// Most heralds of a group.
pub const MOST_HERALDS: usize = 3;
/// Most bytes of the whole blob. No policy that is within the other bounds comes near.
const MOST_BYTES: usize = 32 * 1024;

/// What can be proved to others of what is said.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum Mode {
    /// Neither provable nor deniable beyond what MLS gives.
    #[default]
    Normal,
    /// Messages carry a signature that can be shown to others.
    Provable,
    /// Off the record: keys are revealed afterwards, so nothing is proof.
    OffTheRecord,
}

/// What a new member is given of what was said before.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub enum History {
    /// Nothing.
    #[default]
    FromJoining,
    /// Members may hand it on.
    Shared,
}

/// What a group has agreed on.
///
/// `Debug` hides the name and the stewards, which name people.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct GroupPolicy {
    /// Of two or of more.
    pub shape: Shape,
    /// Whose commits count, first of rank first; nobody twice.
    pub stewards: Vec<AccountId>,
    /// What the group calls itself; empty if it does not.
    pub name: String,
    /// What can be proved.
    pub mode: Mode,
    /// What new members are given.
    pub history: History,
    /// What later versions agree on, by number, each once and in order. Kept as
    /// it is by versions that do not know it.
    pub further: Vec<(u16, Vec<u8>)>,
}

/// Why bytes are no policy.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum PolicyError {
    /// Of a version this program does not know.
    #[error("policy of an unknown version")]
    Version,
    /// Not what the encoder makes.
    #[error("policy malformed")]
    Malformed,
    /// Too long, or longer in a part than allowed.
    #[error("policy too long")]
    TooLong,
    /// Somebody is steward twice, or an entry is there twice.
    #[error("policy names something twice")]
    Twice,
}

impl GroupPolicy {
    /// The policy of a new group.
    #[must_use]
    pub fn of_group(stewards: Vec<AccountId>, name: impl Into<String>) -> Self {
        Self {
            shape: Shape::Group,
            stewards,
            name: name.into(),
            mode: Mode::default(),
            history: History::default(),
            further: Vec::new(),
        }
    }

    /// The policy of a new pair. Nobody is a steward in it, it has no name, and no
    /// commit changes it: what two agree on they say.
    #[must_use]
    pub fn of_pair() -> Self {
        Self {
            shape: Shape::Pair,
            ..Self::of_group(Vec::new(), "")
        }
    }

    /// The same for a group of at most so many leaves, for good: no commit makes it
    /// larger, or changes the bound.
    #[must_use]
    pub fn bounded(self, leaves: u16) -> Self {
        self.with_entry(MOST_LEAVES, &leaves.to_be_bytes())
    }

    /// The same for one in which each account has at most so many leaves, for
    /// good as well: 1 where nobody has several devices. Where it is the bound of all
    /// leaves too, the group is of one account: it has no steward, and takes in nobody else.
    #[must_use]
    pub fn bounded_each(self, leaves: u16) -> Self {
        self.with_entry(MOST_OF_ONE, &leaves.to_be_bytes())
    }

    /// The same with messages that disappear so many seconds after they were read, or
    /// with 0 that stay.
    #[must_use]
    pub fn disappearing(mut self, seconds: u32) -> Self {
        if seconds == 0 {
            self.further.retain(|(number, _)| *number != DISAPPEAR);
            return self;
        }
        self.with_entry(DISAPPEAR, &seconds.to_be_bytes())
    }

    /// The same with this picture, or with an empty one without any.
    #[must_use]
    pub fn pictured(mut self, picture: &[u8]) -> Self {
        if picture.is_empty() {
            self.further.retain(|(number, _)| *number != PICTURE);
            return self;
        }
        self.with_entry(PICTURE, picture)
    }

    /// The same where newcomers are handed what was said since so many milliseconds
    /// after 1970, or with `None` nothing.
    #[must_use]
    pub fn sharing(mut self, since: Option<u64>) -> Self {
        let Some(since) = since else {
            self.history = History::FromJoining;
            self.further.retain(|(number, _)| *number != SHARED_SINCE);
            return self;
        };
        self.history = History::Shared;
        self.with_entry(SHARED_SINCE, &since.to_be_bytes())
    }

    /// The same for a group of at most so many leaves, for good, unless somebody passes
    /// on what others say: of these accounts, of which the first [`MOST_HERALDS`] count.
    #[must_use]
    pub fn heralded(self, narrow: u16, heralds: &[AccountId]) -> Self {
        let mut value = narrow.to_be_bytes().to_vec();
        for account in heralds.iter().take(MOST_HERALDS) {
            // An account has at most 32 bytes.
            value.push(u8::try_from(account.as_bytes().len()).unwrap_or(u8::MAX));
            value.extend_from_slice(account.as_bytes());
        }
        self.with_entry(HERALDS, &value)
    }

    /// The same for a pair that goes on with a conversation, as its pair number `turn`.
    #[must_use]
    pub fn continuing(self, conversation: ConversationId, turn: u32) -> Self {
        let value = [conversation.0.as_slice(), &turn.to_be_bytes()].concat();
        self.with_entry(CONTINUES, &value)
    }

    fn with_entry(mut self, at: u16, value: &[u8]) -> Self {
        self.further.retain(|(number, _)| *number != at);
        self.further.push((at, [&[VERSION], value].concat()));
        self.further.sort();
        self
    }

    /// Its own bound of the leaves, if it has one.
    #[must_use]
    pub fn most_leaves(&self) -> Option<usize> {
        self.number(MOST_LEAVES)
    }

    /// Its own bound of the leaves of one account, if it has one.
    #[must_use]
    pub fn most_of_one(&self) -> Option<usize> {
        self.number(MOST_OF_ONE)
    }

    /// Seconds after reading until what is said disappears; `None` if it stays.
    #[must_use]
    pub fn disappear_after(&self) -> Option<u32> {
        let seconds = u32::from_be_bytes(self.entry(DISAPPEAR)?.try_into().ok()?);
        (seconds > 0).then_some(seconds)
    }

    /// The picture of the group, as whoever set it made it.
    #[must_use]
    pub fn picture(&self) -> Option<&[u8]> {
        let picture = self.entry(PICTURE)?;
        (self.shape == Shape::Group && !picture.is_empty()).then_some(picture)
    }

    /// The conversation that it goes on with, and as its which pair, if it is a pair that
    /// says so.
    #[must_use]
    pub fn continues(&self) -> Option<(ConversationId, u32)> {
        let (conversation, turn) = self.entry(CONTINUES)?.split_first_chunk()?;
        let turn = u32::from_be_bytes(turn.try_into().ok()?);
        (self.shape == Shape::Pair).then_some((ConversationId(*conversation), turn))
    }

    /// Since when newcomers are handed what was said, in milliseconds after 1970;
    /// `None` if they are handed nothing, or nothing says since when.
    #[must_use]
    pub fn shared_since(&self) -> Option<u64> {
        let since = self.entry(SHARED_SINCE)?.try_into().ok();
        since
            .filter(|_| self.history == History::Shared)
            .map(u64::from_be_bytes)
    }

    /// Most leaves without a herald, if that is bounded.
    #[must_use]
    pub fn narrow(&self) -> Option<usize> {
        self.read_heralds().map(|(narrow, _)| narrow)
    }

    /// Who passes on what others say, in their order; of these who has a leaf does.
    #[must_use]
    pub fn heralds(&self) -> Vec<AccountId> {
        self.read_heralds()
            .map_or(Vec::new(), |(_, heralds)| heralds)
    }

    fn read_heralds(&self) -> Option<(usize, Vec<AccountId>)> {
        let (narrow, mut rest) = self.entry(HERALDS)?.split_first_chunk()?;
        let mut heralds: Vec<AccountId> = Vec::new();
        while let Some((&length, tail)) = rest.split_first() {
            let (account, tail) = tail.split_at_checked(usize::from(length))?;
            let account = AccountId::try_from(account).ok()?;
            if heralds.contains(&account) || heralds.len() == MOST_HERALDS {
                return None;
            }
            heralds.push(account);
            rest = tail;
        }
        Some((usize::from(u16::from_be_bytes(*narrow)), heralds))
    }

    fn number(&self, at: u16) -> Option<usize> {
        let number = self.entry(at)?.try_into().ok();
        number.map(u16::from_be_bytes).map(usize::from)
    }

    /// What stands in a further entry, if it is there and of this version.
    fn entry(&self, at: u16) -> Option<&[u8]> {
        let mut entries = self.further.iter();
        let (_, entry) = entries.find(|(number, _)| *number == at)?;
        match entry.split_first() {
            Some((&VERSION, value)) => Some(value),
            _ => None,
        }
    }

    /// As it lies in the group context: a version byte, then postcard.
    ///
    /// # Errors
    ///
    /// When a part is longer than allowed or named twice.
    pub fn encode(&self) -> Result<Vec<u8>, PolicyError> {
        self.check()?;
        postcard::to_extend(self, vec![VERSION]).map_err(|_| PolicyError::Malformed)
    }

    /// Reads a policy. There is one encoding of each.
    ///
    /// # Errors
    ///
    /// When the bytes are not such an encoding.
    pub fn decode(bytes: &[u8]) -> Result<Self, PolicyError> {
        if bytes.len() > MOST_BYTES {
            return Err(PolicyError::TooLong);
        }
        let body = match bytes.split_first() {
            Some((&VERSION, body)) => body,
            Some(_) => return Err(PolicyError::Version),
            None => return Err(PolicyError::Malformed),
        };
        let policy: Self = postcard::from_bytes(body).map_err(|_| PolicyError::Malformed)?;
        if policy.encode()? == bytes {
            Ok(policy)
        } else {
            Err(PolicyError::Malformed)
        }
    }

    fn check(&self) -> Result<(), PolicyError> {
        let longer = |(number, entry): &(u16, Vec<u8>)| entry.len() > most_bytes_of(*number);
        let long = self.stewards.len() > MAX_STEWARDS
            || self.name.len() > MOST_NAME_BYTES
            || self.further.len() > MOST_FURTHER
            || self.further.iter().any(longer);
        if long {
            return Err(PolicyError::TooLong);
        }
        let mut rest = self.stewards.as_slice();
        while let Some((first, others)) = rest.split_first() {
            if others.contains(first) {
                return Err(PolicyError::Twice);
            }
            rest = others;
        }
        let ordered = self.further.is_sorted_by(|(a, _), (b, _)| a < b);
        if ordered {
            Ok(())
        } else {
            Err(PolicyError::Twice)
        }
    }
}

/// Most bytes of a further entry.
fn most_bytes_of(number: u16) -> usize {
    match number {
        PICTURE => MOST_PICTURE_BYTES + 1,
        _ => MOST_FURTHER_BYTES,
    }
}

impl core::fmt::Debug for GroupPolicy {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str("GroupPolicy(..)")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(byte: u8, length: usize) -> AccountId {
        AccountId::try_from(vec![byte; length].as_slice()).unwrap()
    }

    #[test]
    fn a_pair_says_what_it_goes_on_with_and_a_group_does_not() {
        let conversation = ConversationId([7; 16]);
        let policy = GroupPolicy::of_pair().continuing(conversation, 3);
        let read = GroupPolicy::decode(&policy.encode().unwrap()).unwrap();
        assert_eq!(read.continues(), Some((conversation, 3)));
        assert_eq!(GroupPolicy::of_pair().continues(), None);
        let group = GroupPolicy::of_group(vec![account(1, 16)], "many");
        assert_eq!(group.continuing(conversation, 3).continues(), None);
        let bent = policy.with_entry(CONTINUES, &[7; 19]);
        assert_eq!(bent.continues(), None);
    }

    #[test]
    fn a_picture_is_of_a_group_and_within_its_bounds() {
        let policy = GroupPolicy::of_group(vec![account(1, 16)], "many");
        assert_eq!(policy.picture(), None);
        let picture = [7; MOST_PICTURE_BYTES];
        let pictured = policy.clone().pictured(&picture);
        let read = GroupPolicy::decode(&pictured.encode().unwrap()).unwrap();
        assert_eq!(read.picture(), Some(picture.as_slice()));
        assert_eq!(pictured.pictured(&[]), policy);
        let more = policy.pictured(&[7; MOST_PICTURE_BYTES + 1]);
        assert_eq!(more.encode(), Err(PolicyError::TooLong));
        let pair = GroupPolicy::of_pair().pictured(&picture);
        assert_eq!(pair.picture(), None);
    }

    #[test]
    fn a_policy_that_is_full_everywhere_leaves_room_for_all_stewards_and_any_name() {
        let stewards = (1..=32).map(|byte| account(byte, 32)).collect();
        let policy = GroupPolicy::of_group(stewards, "n".repeat(MOST_NAME_BYTES));
        let longest = [7; MOST_FURTHER_BYTES - 1];
        let numbers = u16::MAX - 14..=u16::MAX;
        let full = numbers.fold(policy, |policy, at| policy.with_entry(at, &longest));
        let full = full.pictured(&[7; MOST_PICTURE_BYTES]);
        assert_eq!(full.further.len(), MOST_FURTHER);
        let read = GroupPolicy::decode(&full.encode().unwrap());
        assert_eq!(read.as_ref(), Ok(&full));
        // No other entry may be so long.
        let longer = full.with_entry(u16::MAX, &[7; MOST_FURTHER_BYTES]);
        assert_eq!(longer.encode(), Err(PolicyError::TooLong));
    }

    #[test]
    fn what_newcomers_are_handed_is_read_as_it_was_agreed() {
        let policy = GroupPolicy::of_group(vec![account(1, 16)], "many");
        assert_eq!(policy.shared_since(), None);
        let shared = policy.clone().sharing(Some(7));
        let read = GroupPolicy::decode(&shared.encode().unwrap()).unwrap();
        assert_eq!(read.shared_since(), Some(7));
        assert_eq!(shared.clone().sharing(Some(8)).shared_since(), Some(8));
        assert_eq!(shared.clone().sharing(None), policy);
        let bent = shared.with_entry(SHARED_SINCE, &[0; 7]);
        assert_eq!(bent.shared_since(), None);
        let history = History::Shared;
        assert_eq!(GroupPolicy { history, ..policy }.shared_since(), None);
    }

    #[test]
    fn heralds_are_read_as_they_were_named_and_bent_ones_bound_nothing() {
        let named = [account(1, 16), account(2, 32), account(3, 20)];
        let policy = GroupPolicy::of_group(vec![account(1, 16)], "many");
        assert_eq!(policy.narrow(), None);
        let heralded = policy.clone().heralded(32, &named);
        assert_eq!(heralded.narrow(), Some(32));
        assert_eq!(heralded.heralds(), named);
        let read = GroupPolicy::decode(&heralded.encode().unwrap()).unwrap();
        assert_eq!(read, heralded);
        assert_eq!(policy.clone().heralded(32, &[]).heralds(), []);

        let bent = |value: &[u8]| {
            let policy = policy.clone().with_entry(HERALDS, value);
            (policy.narrow(), policy.heralds())
        };
        let one = [&[0, 32, 16][..], &[1; 16]].concat();
        assert_eq!(bent(&one), (Some(32), vec![account(1, 16)]));
        let twice = [&one[..], &one[2..]].concat();
        let four = [1_u8, 2, 3, 4]
            .iter()
            .flat_map(|byte| [vec![16], vec![*byte; 16]].concat());
        let four: Vec<u8> = [0, 32].into_iter().chain(four).collect();
        for bytes in [
            &one[..one.len() - 1],
            &[0],
            &[0, 32, 16],
            &[0, 32, 1, 7],
            &twice,
            &four,
        ] {
            assert_eq!(bent(bytes), (None, Vec::new()), "{bytes:?}");
        }
    }
}

//! Rooms: conversations of many, who is in them, and whom a message of mine
//! reached.
//!
//! What is said in a room lies where messages of contacts lie, under the room's
//! number ([`RoomId::place`]).

use core::fmt;

use hushwing_sansio::{StorageError, Timestamp};
use serde::{Deserialize, Serialize};

use super::codec::{self, millis, optional_millis};
use super::message::{MessageRecord, MessageState, Owed};
use crate::{ContactId, ConversationId, MemberId, MessageId, RoomId, Secret};

/// Whether I am in a room.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub enum RoomStanding {
    /// A contact asks whether I want to be in it.
    Offered,
    /// I want to; the Welcome has not come yet.
    Joining,
    /// I am.
    Member,
    /// I said that I leave; nobody has removed me yet.
    Leaving,
    /// I left, or was removed.
    Left,
    /// It cannot go on here: what is stored of it is damaged.
    Broken,
    /// It was read from a backup: I ask to be let in again as another leaf.
    Restoring,
}

/// A room, as it is kept here. `Debug` shows neither names nor accounts.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct RoomRecord {
    /// Key.
    pub id: RoomId,
    /// The conversation, unique: its MLS group id.
    pub conversation: ConversationId,
    /// Whether I am in it.
    pub standing: RoomStanding,
    /// What it calls itself.
    pub name: String,
    /// How many are in it, as told with an offer.
    pub told_size: u32,
    /// The account I am in it (16 bytes, of this room alone).
    pub account: Vec<u8>,
    /// What I am called in it; empty before I entered. What the profile is called
    /// later changes nothing here.
    pub my_name: String,
    /// Who offered it; nobody if I founded it.
    pub offered_by: Option<ContactId>,
    /// The last offer, decided or not.
    pub offer: Option<RoomOfferRecord>,
    /// The key package I answered with.
    pub package: Option<PackageRecord>,
    /// My mailbox for it.
    pub mailbox: Option<u64>,
    /// My mailboxes from before, and when each is closed.
    pub leaving: Vec<LeavingRecord>,
    /// Whether somebody who is out knows my mailbox, so that another is to take
    /// its place.
    pub exposed: bool,
    /// Whether I was removed, and am in it again should another branch win.
    pub may_return: bool,
    /// The revision of my addresses; 0 before there are any.
    pub revision: u64,
    /// Contacts I asked and who have not answered.
    pub asked: Vec<AskedRecord>,
    /// Commits of mine that no network took yet.
    pub publishing: Vec<PublishingRecord>,
    /// When I left, or began to, or was removed.
    #[serde(with = "optional_millis")]
    pub ended: Option<Timestamp>,
    /// How often I said once more that I leave.
    pub leave_said: u8,
    /// When it was founded or offered.
    #[serde(with = "millis")]
    pub since: Timestamp,
    /// What newcomers are handed, as long as they are.
    pub shared: Option<SharedRecord>,
}

/// From where on newcomers are handed what was said.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct SharedRecord {
    /// Since when, as the policy says: milliseconds after 1970.
    pub since: u64,
    /// The epoch in which I learned that, as it is shown.
    pub epoch: u64,
}

/// An offer of a room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct RoomOfferRecord {
    /// Whose.
    pub by: ContactId,
    /// The public signature key of their leaf, which would sign the Welcome.
    pub key: [u8; 32],
    /// What names the offer.
    pub id: [u8; 8],
    /// Whether I decided; until then it is shown.
    pub decided: bool,
}

/// A key package of mine for one room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PackageRecord {
    /// The account it was made for, which is that of one entry alone.
    pub account: Vec<u8>,
    /// Who was given it.
    pub by: ContactId,
    /// The public signature key of their leaf: a Welcome of another is not followed.
    pub steward: [u8; 32],
    /// What names it in the MLS rows.
    pub reference: Vec<u8>,
    /// The MLS KeyPackage message.
    pub message: Vec<u8>,
    /// The private Ed25519 key of the leaf it becomes (32 bytes).
    pub key: Secret,
    /// What a Welcome made of it, once one was followed.
    pub entered: Option<EntryRecord>,
}

/// That a Welcome was followed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct EntryRecord {
    /// The epoch of the state that the last one brought.
    pub epoch: u64,
    /// When the first was followed.
    #[serde(with = "millis")]
    pub since: Timestamp,
}

/// A mailbox that was replaced.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct LeavingRecord {
    /// Its number.
    pub mailbox: u64,
    /// When another took its place.
    #[serde(with = "millis")]
    pub since: Timestamp,
}

/// A contact that was asked to be in a room.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct AskedRecord {
    /// Whom.
    pub contact: ContactId,
    /// When.
    #[serde(with = "millis")]
    pub since: Timestamp,
}

/// A commit of mine on its way to its first network.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct PublishingRecord {
    /// Its hash.
    pub commit: [u8; 32],
    /// The letters it leaves in.
    pub letters: Vec<u64>,
}

/// Somebody in a room, me included. Who is not in it any more stays, so that
/// what they said has a name. `Debug` shows neither names nor accounts.
#[derive(Clone, PartialEq, Serialize, Deserialize)]
pub struct MemberRecord {
    /// In which room.
    pub room: RoomId,
    /// Key.
    pub member: MemberId,
    /// Their account in it.
    pub account: Vec<u8>,
    /// The public signature key of their leaf: what they are known by. Whoever
    /// comes back is another member.
    pub key: Vec<u8>,
    /// Whether it is I, now or before I came back.
    pub mine: bool,
    /// What they call themselves; empty before they told.
    pub name: String,
    /// Where to write: encoded addresses.
    pub addresses: Vec<Secret>,
    /// The revision of their addresses that these are, as they told themselves; 0
    /// if somebody else told, whom anything they tell overrules.
    pub revision: u64,
    /// The contact they are, where I know.
    pub contact: Option<ContactId>,
    /// Whether they are in it now.
    pub present: bool,
    /// When they were removed, if they are out.
    #[serde(with = "optional_millis")]
    pub gone: Option<Timestamp>,
    /// Whether they were told once more that they are out.
    pub told_again: bool,
    /// My Welcome to them, until they greet.
    pub welcome: Option<WelcomeRecord>,
    /// Letters up to this one went where they may be written to no longer: what
    /// they hold and was not confirmed is to be said again.
    pub stranded: Option<u64>,
}

/// A Welcome of mine that was not answered by a greeting yet.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub struct WelcomeRecord {
    /// The letter it leaves in; none while its receiver is out.
    pub letter: Option<u64>,
    /// What it says, should another branch bring its receiver back.
    pub body: Secret,
}

impl fmt::Debug for RoomRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("RoomRecord")
            .field("id", &self.id)
            .field("standing", &self.standing)
            .finish_non_exhaustive()
    }
}

impl fmt::Debug for MemberRecord {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("MemberRecord")
            .field("room", &self.room)
            .field("member", &self.member)
            .field("present", &self.present)
            .finish_non_exhaustive()
    }
}

/// A room whose record cannot be read.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct DamagedRoom {
    /// Key.
    pub id: RoomId,
    /// The conversation.
    pub conversation: ConversationId,
}

impl DamagedRoom {
    /// What stands for it until it is forgotten: a room I am not in.
    #[must_use]
    pub fn stand_in(&self) -> RoomRecord {
        RoomRecord {
            id: self.id,
            conversation: self.conversation,
            standing: RoomStanding::Left,
            name: "?".to_owned(),
            told_size: 0,
            account: Vec::new(),
            my_name: String::new(),
            offered_by: None,
            offer: None,
            package: None,
            mailbox: None,
            leaving: Vec::new(),
            revision: 0,
            asked: Vec::new(),
            publishing: Vec::new(),
            ended: None,
            leave_said: 0,
            exposed: false,
            may_return: false,
            since: Timestamp::default(),
            shared: None,
        }
    }
}

/// How far a message of mine got to one member.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct RecipientRecord {
    /// Key: which message.
    pub message: MessageId,
    /// Key: to whom.
    pub member: MemberId,
    /// The letter it leaves in; none before it is known where to write.
    pub letter: Option<u64>,
    /// How far it got.
    pub state: MessageState,
}

impl RoomRecord {
    /// Whether an offer waits for my decision; I may be in the room nevertheless.
    #[must_use]
    pub fn is_offered(&self) -> bool {
        let open = matches!(
            self.standing,
            RoomStanding::Offered | RoomStanding::Member | RoomStanding::Leaving
        );
        open && self.offer.as_ref().is_some_and(|offer| !offer.decided)
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
        codec::decode(body, "reading a room")
    }
}

impl MemberRecord {
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
        codec::decode(body, "reading a member of a room")
    }
}

/// The rows of rooms.
pub trait RoomRows {
    /// Writes or replaces a room (key: `id`).
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn put_room(&mut self, record: &RoomRecord) -> Result<(), StorageError>;

    /// All rooms, by id. One whose record is damaged is told apart: it concerns no
    /// other.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn rooms(&self) -> Result<Vec<Result<RoomRecord, DamagedRoom>>, StorageError>;

    /// Removes a room with its members; not what was said in it, which
    /// [`SaidRows::remove_messages`](super::SaidRows::remove_messages) removes.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn remove_room(&mut self, id: RoomId) -> Result<(), StorageError>;

    /// Writes or replaces a member (keys: `room`, `member`).
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn put_member(&mut self, record: &MemberRecord) -> Result<(), StorageError>;

    /// The members of a room, by number.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn members(&self, of: RoomId) -> Result<Vec<MemberRecord>, StorageError>;

    /// Removes a member.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn remove_member(&mut self, of: RoomId, member: MemberId) -> Result<(), StorageError>;

    /// Writes or replaces how far a message got to a member (keys: `message`,
    /// `member`). It goes with the message.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn put_recipient(&mut self, record: &RecipientRecord) -> Result<(), StorageError>;

    /// Removes how far a message got to a member.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn remove_recipient(
        &mut self,
        message: &MessageId,
        member: MemberId,
    ) -> Result<(), StorageError>;

    /// How far a message got to each member, by member.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn recipients(&self, message: &MessageId) -> Result<Vec<RecipientRecord>, StorageError>;

    /// Which message leaves in a letter, and to which member.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn recipient_of(&self, letter: u64) -> Result<Option<RecipientRecord>, StorageError>;

    /// Messages that have not reached a member as far as I know and whose letter
    /// is `up_to` at most, those without one first, in the order of their letters,
    /// at most `most`. What failed without a letter was given up, and is not among
    /// them.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn unreached(
        &self,
        member: MemberId,
        up_to: u64,
        most: usize,
    ) -> Result<Vec<RecipientRecord>, StorageError>;

    /// The last letter to a member of which I do not know that it reached them.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn last_unreached(&self, member: MemberId) -> Result<Option<u64>, StorageError>;

    /// My messages that have not reached everybody and left last under the keys of
    /// these epochs: the last `most` of them by that epoch and then by when they
    /// were stored, in that order.
    ///
    /// # Errors
    ///
    /// When storage fails, or one of them is damaged.
    fn unconfirmed_in(
        &self,
        of: ContactId,
        sealed: core::ops::Range<u64>,
        most: usize,
    ) -> Result<Vec<MessageRecord>, StorageError>;

    /// Messages of a member for which I owe a receipt, at most `most` of them.
    ///
    /// # Errors
    ///
    /// When storage fails or holds damage.
    fn owing_to(
        &self,
        of: ContactId,
        author: MemberId,
        most: usize,
    ) -> Result<Vec<(MessageId, Owed)>, StorageError>;

    /// Changes the epoch under whose keys a message of mine left last.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn set_sealed(&mut self, id: &MessageId, epoch: u64) -> Result<(), StorageError>;
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_survive_and_damage_is_told() {
        let room = RoomRecord {
            id: RoomId(7),
            conversation: ConversationId([1; 16]),
            standing: RoomStanding::Member,
            name: "Rowing".to_owned(),
            told_size: 3,
            account: vec![2; 16],
            my_name: "Bob".to_owned(),
            offered_by: Some(ContactId(1)),
            offer: Some(RoomOfferRecord {
                by: ContactId(1),
                key: [8; 32],
                id: [9; 8],
                decided: true,
            }),
            package: Some(PackageRecord {
                account: vec![2; 16],
                by: ContactId(1),
                steward: [8; 32],
                reference: vec![3; 40],
                message: vec![4; 60],
                key: Secret::new([5; 32]),
                entered: Some(EntryRecord {
                    epoch: 4,
                    since: Timestamp::from_secs(2),
                }),
            }),
            mailbox: Some(8),
            leaving: vec![LeavingRecord {
                mailbox: 6,
                since: Timestamp::from_secs(2),
            }],
            exposed: true,
            may_return: false,
            revision: 2,
            asked: vec![AskedRecord {
                contact: ContactId(2),
                since: Timestamp::from_secs(3),
            }],
            publishing: vec![PublishingRecord {
                commit: [6; 32],
                letters: vec![9],
            }],
            ended: None,
            leave_said: 0,
            since: Timestamp::from_secs(1),
            shared: Some(SharedRecord { since: 7, epoch: 3 }),
        };
        let body = room.encode();
        assert_eq!(RoomRecord::decode(&body).unwrap(), room);
        assert!((0..body.len()).all(|end| RoomRecord::decode(&body[..end]).is_err()));
        let member = MemberRecord {
            room: RoomId(7),
            member: MemberId(9),
            account: vec![2; 16],
            key: vec![3; 32],
            mine: false,
            name: "Bob".to_owned(),
            addresses: vec![Secret::new([7; 40])],
            revision: 4,
            contact: None,
            present: true,
            gone: Some(Timestamp::from_secs(5)),
            told_again: false,
            welcome: Some(WelcomeRecord {
                letter: Some(3),
                body: Secret::new([4; 20]),
            }),
            stranded: Some(2),
        };
        let body = member.encode();
        assert_eq!(MemberRecord::decode(&body).unwrap(), member);
        assert!((0..body.len()).all(|end| MemberRecord::decode(&body[..end]).is_err()));
        let shown = format!("{room:?} {member:?}");
        assert!(
            !shown.contains("Bob") && !shown.contains("Rowing"),
            "{shown}"
        );
    }
}

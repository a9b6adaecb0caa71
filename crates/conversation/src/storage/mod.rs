//! What conversation asks of whoever keeps its state.
//!
//! Reads see the writes of the same transaction. Lists come in the order their
//! method states, so that a run can be repeated. Nothing here is committed by
//! the room: the driver brackets each call in a transaction.

mod channel;
mod codec;
mod contact;
mod conversation;
mod detour;
mod devices;
mod era;
mod hidden;
mod history;
mod identity;
mod introduction;
mod invitation;
mod kin;
mod lack;
mod leaves;
mod list;
mod loss;
mod mail;
mod memory;
mod message;
mod mode;
mod orphan;
mod pair;
mod parted;
mod profile;
mod reunion;
mod room;
mod room_link;
mod room_renewal;
mod room_return;
mod room_roll;
mod said;
mod seen;
mod signed_receipt;
mod stretch;

use hushwing_delivery::MailboxId;
use hushwing_sansio::{StorageError, Timestamp};

pub use channel::{
    ChannelPart, ChannelRecord, DamagedChannel, Floor, PostRecord, PublisherRecord, ReaderRecord,
    ReaderRow, ReaderState, SubscriptionRecord,
};
pub use contact::{CardRecord, ContactRecord, JoinRecord, Side, Standing};
pub use conversation::{
    ConversationRecord, ConversationRows, DraftRecord, MOST_PINNED, TimerRecord,
};
pub use detour::DetourRecord;
pub use devices::{CalledRecord, DevicesRecord, ShownRecord, TalkRecord};
pub use era::{EraRecord, RequestRecord};
pub use history::{HandedRecord, HandingRecord, TakingGroup, TakingRecord};
pub use identity::{
    ChangeKind, Compared, Comparison, IdentityChange, IdentityRecord, MOST_CHANGES, Seen,
};
pub use introduction::{
    ExpectedRecord, IntroducedRecord, IntroductionRecord, IntroductionsRecord, OfferRecord,
    OfferState, OffersRecord,
};
pub use invitation::{
    InvitationRecord, InvitationState, KeyPackageRecord, MailboxRecord, MailboxState, MailboxUse,
};
pub use kin::KinRecord;
pub use lack::{LackRecord, MOST_LACKING};
pub use leaves::{LeafRecord, LeavesRecord, MOST_LEAVES_KNOWN, RevokedRecord};
pub use list::{
    CopyRecord, ListPostRecord, ListPostRow, ListRecord, ListsRecord, MOST_LISTED, MOST_LISTS,
    MOST_POSTS, Missed,
};
pub use loss::{LossRecord, RepeatRecord};
pub use mail::{Doubt, MailRecord, MailboxNote, Role};
pub use memory::MemoryStorage;
pub use message::{
    Allowance, Extent, HeldHead, HeldRecord, MessageKind, MessageRecord, MessageState,
    MessageTimes, Owed, Position,
};
pub use mode::{MOST_WISHES, ModeRecord};
pub use orphan::{MOST_ORPHAN_BYTES, MOST_ORPHANS, OrphanRecord};
pub use pair::{
    AnsweredPairRecord, KnownRecord, MOST_PAIRS, OfferedPairRecord, PairRecord, PairingRecord,
    PairsRecord,
};
pub use parted::{PartedDevice, PartedGroup, PartedRecord};
pub use profile::{FaceRecord, FormerName, MOST_NAMES, MyProfileRecord};
pub use reunion::{FormerGroup, ReunionRecord};
pub use room::{
    AskedRecord, DamagedRoom, EntryRecord, LeavingRecord, MemberRecord, PackageRecord,
    PublishingRecord, RecipientRecord, RoomOfferRecord, RoomRecord, RoomRows, RoomStanding,
    SharedRecord, WelcomeRecord,
};
pub use room_link::{RoomConsentRecord, RoomLinkRecord, RoomMeetingRecord};
pub use room_renewal::RoomRenewalRecord;
pub use room_return::{RoomFollowersRecord, RoomReturnRecord, RoomReturnersRecord};
pub use room_roll::{Dated, RoomRollRecord, Silence};
pub use said::SaidRows;
pub use seen::SeenRecord;
pub use signed_receipt::{ReceiptRows, SignedReceiptRecord};
pub use stretch::{Ending, HANDED_ON, MOST_STRETCHES, OFF_RECORD, Stretch, StretchRecord};

use crate::{ContactId, InvitationId, MessageId, Secret};

/// The rows in which MLS keeps its state.
///
/// A scope is a group id, or empty for keys that belong to no group yet. All
/// rows of a scope together are a snapshot of that group. Most values hold
/// private keys or ratchets, so they are [`Secret`]s wherever they are owned.
pub trait MlsRows {
    /// The value under (`scope`, `label`, `key`).
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn mls_row(&self, scope: &[u8], label: u8, key: &[u8]) -> Result<Option<Secret>, StorageError>;

    /// Writes or replaces the value under (`scope`, `label`, `key`).
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn put_mls_row(
        &mut self,
        scope: &[u8],
        label: u8,
        key: &[u8],
        value: &[u8],
    ) -> Result<(), StorageError>;

    /// Removes the value under (`scope`, `label`, `key`), if there is one.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn remove_mls_row(&mut self, scope: &[u8], label: u8, key: &[u8]) -> Result<(), StorageError>;

    /// All rows of `scope`: (label, key, value), by label, then key.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn mls_scope(&self, scope: &[u8]) -> Result<Vec<MlsRow>, StorageError>;

    /// Removes all rows of `scope`.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn remove_mls_scope(&mut self, scope: &[u8]) -> Result<(), StorageError>;
}

/// One row of a group's state: label, key, value.
pub type MlsRow = (u8, Vec<u8>, Secret);

/// A message of mine on its way: name, `Queued` or `Accepted`, letter.
pub type OnTheWay = (MessageId, MessageState, Option<u64>);

/// Whose conversation a message belongs to, whether I said it, how far it got.
pub type Outline = (ContactId, bool, MessageState);

/// Everything conversation keeps.
///
/// A record that cannot be read is told as
/// [`StorageErrorKind::Corrupt`](hushwing_sansio::StorageErrorKind::Corrupt), and
/// ends the conversation it belongs to; damage of the whole file as
/// [`StorageErrorKind::Damaged`](hushwing_sansio::StorageErrorKind::Damaged).
///
/// Records with a `body` (their `encode` and `decode`) may be kept as their key
/// columns and that body: conversation versions it and reads older ones.
pub trait Storage:
    hushwing_delivery::Storage + MlsRows + ConversationRows + SaidRows + ReceiptRows + RoomRows
{
    /// A number never given before in this profile, from 1 on. One sequence
    /// serves contacts, invitations, mailboxes and fetches.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn next_number(&mut self) -> Result<u64, StorageError>;

    /// From now on only numbers above `number` are given.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn skip_numbers_to(&mut self, number: u64) -> Result<(), StorageError>;

    /// The value of a setting.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn setting(&self, name: &str) -> Result<Option<Vec<u8>>, StorageError>;

    /// The settings whose names begin so, which are ASCII, in the order of their names.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn settings_of(&self, prefix: &str) -> Result<Vec<(String, Vec<u8>)>, StorageError>;

    /// Writes or replaces a setting.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn put_setting(&mut self, name: &str, value: &[u8]) -> Result<(), StorageError>;

    /// Removes a setting, if it is there.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn remove_setting(&mut self, name: &str) -> Result<(), StorageError>;

    /// Writes or replaces an invitation (key: `id`).
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn put_invitation(&mut self, record: &InvitationRecord) -> Result<(), StorageError>;

    /// All invitations, by id.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn invitations(&self) -> Result<Vec<InvitationRecord>, StorageError>;

    /// Removes an invitation and its key package records.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn remove_invitation(&mut self, id: InvitationId) -> Result<(), StorageError>;

    /// Writes or replaces a key package (key: `reference`).
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn put_key_package(&mut self, record: &KeyPackageRecord) -> Result<(), StorageError>;

    /// The key packages of an invitation, by reference.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn key_packages(&self, of: InvitationId) -> Result<Vec<KeyPackageRecord>, StorageError>;

    /// Removes a key package.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn remove_key_package(&mut self, reference: &[u8]) -> Result<(), StorageError>;

    /// Writes or replaces a mailbox (key: `id`).
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn put_mailbox_record(&mut self, record: &MailboxRecord) -> Result<(), StorageError>;

    /// All mailboxes, by id.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn mailbox_records(&self) -> Result<Vec<MailboxRecord>, StorageError>;

    /// Removes a mailbox.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn remove_mailbox_record(&mut self, id: MailboxId) -> Result<(), StorageError>;

    /// Writes or replaces a join (key: `fetch`).
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn put_join(&mut self, record: &JoinRecord) -> Result<(), StorageError>;

    /// All joins, by fetch.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn joins(&self) -> Result<Vec<JoinRecord>, StorageError>;

    /// Removes a join.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn remove_join(&mut self, fetch: u64) -> Result<(), StorageError>;

    /// Writes or replaces a contact (key: `id`; `conversation` is unique).
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn put_contact(&mut self, record: &ContactRecord) -> Result<(), StorageError>;

    /// All contacts, by id.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn contacts(&self) -> Result<Vec<ContactRecord>, StorageError>;

    /// Removes a contact with its held letters. Its messages are removed by
    /// [`SaidRows::remove_messages`].
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn remove_contact(&mut self, id: ContactId) -> Result<(), StorageError>;

    /// Adds a message (key: `id`); the machine never adds one twice.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn add_message(&mut self, record: &MessageRecord) -> Result<(), StorageError>;

    /// One message.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn message(&self, id: &MessageId) -> Result<Option<MessageRecord>, StorageError>;

    /// Whether a message is known; cheaper than reading it.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn has_message(&self, id: &MessageId) -> Result<bool, StorageError>;

    /// Ids of messages of kind `Text`, from `first` on in their order, at most
    /// `most`: only these are named by a beginning of their id.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn message_ids(&self, first: &[u8; 32], most: usize) -> Result<Vec<MessageId>, StorageError>;

    /// The message that left in `letter`, if any.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn message_of_letter(&self, letter: u64) -> Result<Option<MessageId>, StorageError>;

    /// Changes how far a message of mine got, and when.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn set_state(
        &mut self,
        id: &MessageId,
        state: MessageState,
        times: &MessageTimes,
    ) -> Result<(), StorageError>;

    /// Changes the letter and epoch in which a message of mine leaves.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn set_letter(
        &mut self,
        id: &MessageId,
        letter: u64,
        sealed_epoch: u64,
    ) -> Result<(), StorageError>;

    /// Changes which receipt I owe for a message.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn set_owed(&mut self, id: &MessageId, owed: Owed) -> Result<(), StorageError>;

    /// The newest `most` messages of kinds a face lists (`Text`), before
    /// `before` if given; oldest first. Fewer, but at least one, where they
    /// have more than `bytes` of content together. It reads no others, and no
    /// more than it gives and one.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn messages(
        &self,
        of: ContactId,
        before: Option<&Position>,
        most: usize,
        bytes: usize,
    ) -> Result<Vec<MessageRecord>, StorageError>;

    /// Of the edits, deletions and reactions in a conversation that name
    /// `target`, the last of each kind and author, by position: three at most of
    /// each author, however many there are.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn changes(
        &self,
        of: ContactId,
        target: &MessageId,
    ) -> Result<Vec<MessageRecord>, StorageError>;

    /// The messages of kind `Control` that I, or a contact, said, by position.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn control(&self, of: ContactId, mine: bool) -> Result<Vec<MessageRecord>, StorageError>;

    /// Removes a message, if it is there.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn remove_message(&mut self, id: &MessageId) -> Result<(), StorageError>;

    /// Messages from the contact that it does not know I read: kind `Text`,
    /// not mine, [`MessageState::Delivered`]; up to `until`, by position.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn unread(&self, of: ContactId, until: &Position) -> Result<Vec<MessageId>, StorageError>;

    /// Messages of a contact for which I owe a receipt, by id.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn owing(&self, to: ContactId) -> Result<Vec<(MessageId, Owed)>, StorageError>;

    /// My messages to a contact that are `Queued` or `Accepted`, with the
    /// letters they leave in, by position. What is damaged is left out: this is
    /// asked where a conversation is given up.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn on_the_way(&self, to: ContactId) -> Result<Vec<OnTheWay>, StorageError>;

    /// Of a message: whose conversation it belongs to, whether I said it, and
    /// how far it got; cheaper than reading it.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn outline(&self, id: &MessageId) -> Result<Option<Outline>, StorageError>;

    /// Whose conversation a message belongs to; asked where it is damaged.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn whose_message(&self, id: &MessageId) -> Result<Option<ContactId>, StorageError>;

    /// Whose conversation the message that left in `letter` belongs to; asked
    /// where it is damaged.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn whose_letter(&self, letter: u64) -> Result<Option<ContactId>, StorageError>;

    /// My messages that left in an epoch before `epoch` and are `Queued` or
    /// `Accepted`, by position.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn unconfirmed_before(
        &self,
        of: ContactId,
        epoch: u64,
    ) -> Result<Vec<MessageRecord>, StorageError>;

    /// What a contact confirmed of my messages at `since` or later counts no more:
    /// each `Delivered` or `Read` one is `Accepted`.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn unconfirm_since(&mut self, to: ContactId, since: Timestamp) -> Result<(), StorageError>;

    /// My messages to a contact that are `Failed`, of any kind, by position.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn failed_to(&self, contact: ContactId) -> Result<Vec<MessageRecord>, StorageError>;

    /// The position of the last message of a contact, of any kind.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn last_position(&self, of: ContactId) -> Result<Option<Position>, StorageError>;

    /// The highest Lamport counter of a contact's messages, or 0.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn highest_lamport(&self, of: ContactId) -> Result<u64, StorageError>;

    /// How many messages of a contact left in `epoch`, of any kind.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn count_in_epoch(&self, of: ContactId, epoch: u64) -> Result<u64, StorageError>;

    /// How much was said in a conversation. Reads all of it; asked only where
    /// little can have been said.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn extent(&self, of: ContactId) -> Result<Extent, StorageError>;

    /// Adds a letter that cannot be read yet (keys: contact, `number`).
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn add_held(&mut self, record: &HeldRecord) -> Result<(), StorageError>;

    /// The held letters of a contact without their bytes, by number.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn held_heads(&self, of: ContactId) -> Result<Vec<HeldHead>, StorageError>;

    /// A held letter.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn held(&self, of: ContactId, number: u64) -> Result<Option<HeldRecord>, StorageError>;

    /// Removes a held letter.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn remove_held(&mut self, of: ContactId, number: u64) -> Result<(), StorageError>;

    /// Removes all held letters of a contact.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn remove_all_held(&mut self, of: ContactId) -> Result<(), StorageError>;
}

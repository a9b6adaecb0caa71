//! What a contact says that no face lists by itself, and how much of it stays.
//!
//! Texts are kept for ever; that is what they are for. What merely changes
//! something else is theirs to send as often as they like, so it takes no more
//! room than what it changes: of what tells about them the last of each kind is
//! kept, of changes the last of each kind to a message and a few edits before it,
//! and of changes to what is not here (yet, or any more) a few.

use hushwing_sansio::StorageError;

use super::inquiry::message_with;
use super::show::{content_of, taken_back};
use super::{Call, Messenger};
use crate::content::Content;
use crate::storage::{MessageKind, MessageRecord, OrphanRecord, Standing};
use crate::{ContactId, MessageId, RoomId, Storage};

/// Texts that a message of theirs had and that are kept, the present one
/// included.
const MOST_EDITS: usize = 16;
/// Bytes of content of those before the present one.
const EARLIER_BYTES: usize = 64 * 1024;

impl Messenger {
    /// Makes room for something of a contact, or finds that it changes nothing:
    /// then it is `false`, and not to be kept.
    pub(super) fn find_place(
        &mut self,
        call: &mut Call<'_, '_>,
        record: &MessageRecord,
        content: &Content,
    ) -> Result<bool, StorageError> {
        match (record.kind, record.target) {
            (MessageKind::Control, _) => {
                // What strangers say is counted instead.
                let stranger = self.standing(record.contact) == Some(Standing::Requested);
                Ok(stranger || renew_control(call.storage, record, content)?)
            }
            (_, None) => adopt(call.storage, record),
            (_, Some(target)) => match message_with(call.storage, record.contact, &target)? {
                Some(target) if !may_change(record, &target) => Ok(false),
                // What was said before a pair is changed where it was said, and nowhere else.
                Some(target) if self.is_copy(record, &target) && !is_delete(content) => Ok(false),
                // What was taken back stays as it is.
                Some(target) if target.is_erased() || taken_back(call.storage, &target)? => {
                    Ok(false)
                }
                Some(_) => Ok(supersede(call.storage, record)? && adopt(call.storage, record)?),
                None => {
                    let stands = supersede(call.storage, record)?;
                    if stands {
                        wait(call.storage, record)?;
                    }
                    Ok(stands)
                }
            },
        }
    }

    /// Whether something that is said in a pair is about what was said before it.
    fn is_copy(&self, said: &MessageRecord, target: &MessageRecord) -> bool {
        let room = RoomId::at(said.contact);
        !said.is_handed_on() && self.is_before_pair(room, target.position.epoch)
    }

    /// Forgets addresses of mine that a contact was told before and that newer
    /// ones replace.
    pub(super) fn forget_old_addresses(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        forget_settled(call.storage, contact, |content| {
            matches!(content, Content::Addresses(_))
        })
    }
}

fn is_delete(content: &Content) -> bool {
    matches!(content, Content::Delete { .. })
}

/// Forgets which of my control messages to a contact are settled and `over`;
/// not those still on their way, which may share a letter.
pub(super) fn forget_settled(
    storage: &mut dyn Storage,
    contact: ContactId,
    over: fn(&Content) -> bool,
) -> Result<(), StorageError> {
    use crate::MessageState::{Delivered, Failed, Read};
    for record in storage.control(contact, true)? {
        let settled = matches!(record.state, Delivered | Read | Failed);
        if settled && over(&content_of(&record)?) {
            storage.remove_message(record.id())?;
        }
    }
    Ok(())
}

/// Of profiles, and of addresses, the last one stands.
fn renew_control(
    storage: &mut dyn Storage,
    record: &MessageRecord,
    content: &Content,
) -> Result<bool, StorageError> {
    // What means nothing here is not kept.
    let mut stands = !matches!(content, Content::Newer);
    for other in storage.control(record.contact, false)? {
        let same =
            core::mem::discriminant(&content_of(&other)?) == core::mem::discriminant(content);
        if same && other.position < record.position {
            storage.remove_message(other.id())?;
        } else if same {
            stands = false;
        }
    }
    Ok(stands)
}

/// Whether a change of theirs to something in the same conversation can ever mean anything: they may change what they
/// said, react to all that is said, and take their reactions back.
fn may_change(change: &MessageRecord, target: &MessageRecord) -> bool {
    match (change.kind, target.kind) {
        (MessageKind::Reaction, MessageKind::Text) => true,
        (MessageKind::Edit, MessageKind::Text)
        | (MessageKind::Delete, MessageKind::Text | MessageKind::Reaction) => {
            change.is_by_author_of(target)
        }
        _ => false,
    }
}

/// Makes a change of theirs the only one of its kind to its target: what it
/// supersedes goes. `false` if it is superseded itself, and not to be kept.
fn supersede(storage: &mut dyn Storage, record: &MessageRecord) -> Result<bool, StorageError> {
    let Some(target) = &record.target else {
        return Ok(true);
    };
    if record.kind == MessageKind::Edit {
        return make_room(storage, record, target);
    }
    let rivals = storage.changes(record.contact, target)?.into_iter();
    let mut rivals =
        rivals.filter(|rival| rival.is_by_author_of(record) && rival.kind == record.kind);
    let Some(rival) = rivals.next() else {
        return Ok(true);
    };
    // What was taken back once stays so.
    if record.kind == MessageKind::Delete || record.position < rival.position {
        return Ok(false);
    }
    for taking_back in storage.changes(record.contact, rival.id())? {
        if taking_back.is_by_author_of(record) {
            storage.remove_message(taking_back.id())?;
        }
    }
    storage.remove_message(rival.id())?;
    Ok(true)
}

/// Of the texts a message of theirs had, the last ones are kept: at most
/// [`MOST_EDITS`], and [`EARLIER_BYTES`] of those that are not shown any more.
/// `false` if there is no room for this one.
fn make_room(
    storage: &mut dyn Storage,
    record: &MessageRecord,
    target: &MessageId,
) -> Result<bool, StorageError> {
    let mut edits = storage.edits(record.contact, target, record.mine)?;
    edits.retain(|edit| edit.is_by_author_of(record));
    let mut all: Vec<_> = edits.iter().chain([record]).collect();
    all.sort_unstable_by_key(|edit| core::cmp::Reverse(edit.position));
    let mut stands = true;
    let mut earlier = 0;
    for (newer, edit) in all.into_iter().enumerate() {
        earlier += if newer == 0 { 0 } else { edit.content.len() };
        if newer < MOST_EDITS && earlier <= EARLIER_BYTES {
            continue;
        }
        match edit.id() == record.id() {
            true => stands = false,
            false => storage.remove_message(edit.id())?,
        }
    }
    Ok(stands)
}

/// Notes a change of what is not here. The one that waited longest goes where
/// there is no room for all.
fn wait(storage: &mut dyn Storage, record: &MessageRecord) -> Result<(), StorageError> {
    let mut orphans = OrphanRecord::of(storage, record.contact)?;
    for gone in orphans.add(record.id(), record.content.len()) {
        storage.remove_message(&gone)?;
    }
    orphans.put(storage, record.contact)
}

/// Changes that waited for this message wait no longer; those that it cannot
/// have go.
fn adopt(storage: &mut dyn Storage, record: &MessageRecord) -> Result<bool, StorageError> {
    let mut orphans = OrphanRecord::of(storage, record.contact)?;
    if orphans.is_empty() {
        return Ok(true);
    }
    let mut changes = storage.edits(record.contact, record.id(), false)?;
    changes.extend(storage.edits(record.contact, record.id(), true)?);
    changes.extend(storage.changes(record.contact, record.id())?);
    for change in changes {
        if orphans.remove(change.id()) && !may_change(&change, record) {
            storage.remove_message(change.id())?;
        }
    }
    orphans.put(storage, record.contact)?;
    Ok(true)
}

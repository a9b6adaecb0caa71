//! What was said before somebody came, where the group agreed on that: mine to those I
//! add, in the letter of the Welcome, and another's to me.
//!
//! Nothing proves who said what is handed on, and it is shown as what it is. So only
//! what reached me under its author's own keys goes further, and nobody can have me
//! say anything.

use hushwing_sansio::StorageError;

use crate::MemberId;
use crate::RoomId;
use crate::content::{self, Content, Opened, Past, RoomStep, RoomWord};
use crate::messenger::hear::classify;
use crate::messenger::show::taken_back;
use crate::messenger::{Call, Messenger};
use crate::storage::{
    HANDED_ON, MemberRecord, MessageKind, MessageRecord, MessageState, MessageTimes, Owed, Position,
};

/// Messages that are handed on, the last ones.
const MOST_HANDED: usize = 100;
/// Bytes of these.
const MOST_BYTES: usize = 64 * 1024;
/// Bytes of messages in one part of a letter.
const PART: usize = 12 * 1024;
/// Messages in one.
const MOST_IN_PART: usize = content::MAX_PAST;

impl Messenger {
    /// What somebody who is added now is handed, sealed for them, in parts.
    pub(super) fn past_for(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
    ) -> Result<Vec<Vec<u8>>, StorageError> {
        let known = self.rooms.find(room)?;
        let conversation = known.record.conversation;
        let mut all = Vec::new();
        if known.shared_since.is_some() && known.is_mine() {
            for text in (call.storage).messages(room.place(), None, MOST_HANDED, MOST_BYTES)? {
                all.extend(self.with_changes(call, room, &text)?);
            }
        }
        let mut parts = Vec::new();
        for part in in_parts(all) {
            let content = Content::Room(RoomWord {
                room: conversation,
                step: RoomStep::Past(part),
            });
            parts.extend(self.seal_aside(call, room, member, &content)?);
        }
        Ok(parts)
    }

    /// A text with what changed it, as it is handed on; nothing of what is not.
    fn with_changes(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        text: &MessageRecord,
    ) -> Result<Vec<Past>, StorageError> {
        if text.is_erased() || taken_back(call.storage, text)? {
            return Ok(Vec::new());
        }
        let Some(first) = self.as_past(call, room, text)? else {
            return Ok(Vec::new());
        };
        let mut all = vec![first];
        for change in call.storage.changes(text.contact, text.id())? {
            let stands = match change.kind {
                MessageKind::Edit => change.is_by_author_of(text),
                MessageKind::Reaction => !taken_back(call.storage, &change)?,
                _ => false,
            };
            if stands {
                all.extend(self.as_past(call, room, &change)?);
            }
        }
        Ok(all)
    }

    /// A message as it is handed on, if it is: what was said before the group agreed on
    /// that, what disappears, and what was handed to me is not.
    fn as_past(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        record: &MessageRecord,
    ) -> Result<Option<Past>, StorageError> {
        let known = self.rooms.find(room)?;
        let agreed = known
            .shared_since
            .is_some_and(|since| since <= record.sent_at);
        if !agreed || record.is_handed_on() || record.times.vanishes.is_some() {
            return Ok(None);
        }
        let wall = call.cx.wall();
        for author in known.members.values() {
            let meant = match record.author {
                Some(member) => author.member == member,
                // One of my leaves, of which there were several if I left in between.
                None => author.mine,
            };
            if !meant {
                continue;
            }
            let origin = known.origin(&author.key)?;
            let opened = content::open(&record.content, &origin, wall).ok();
            let said = opened.filter(|opened| opened.id == *record.id());
            if said.is_some_and(|said| said.expires.is_none()) {
                return as_said_by(author, record).map(Some);
            }
        }
        Ok(None)
    }

    /// Who welcomed me hands me what was said before.
    pub(super) fn heard_past(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        by: &[u8],
        all: Vec<Past>,
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        let package = known.record.package.as_ref();
        let entered = package
            .filter(|package| package.steward == by)
            .and_then(|package| package.entered)
            .filter(|_| known.shared_since.is_some());
        let Some(entered) = entered else {
            return self.drop_letter(None, crate::DropReason::Room);
        };
        for past in all {
            // From then on all that is said reaches me as it is said.
            if past.epoch < entered.epoch {
                self.take_past(call, room, past)?;
            }
        }
        Ok(())
    }

    fn take_past(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        past: Past,
    ) -> Result<(), StorageError> {
        let wall = call.cx.wall();
        let known = self.rooms.find(room)?;
        let origin = known.origin(&past.key)?;
        let mut there = known.members.values().filter(|one| one.key == past.key);
        if there.any(|one| one.mine || one.account != past.account.as_bytes()) {
            return Ok(());
        }
        let opened = content::open(&past.message, &origin, wall).ok();
        let opened = opened.filter(|opened| {
            opened.expires.is_none() && known.tail.lamport.may_be_followed_by(opened.stamp.lamport)
        });
        let Some(opened) = opened.filter(|opened| is_handed_on(&opened.content)) else {
            return Ok(());
        };
        if call.storage.has_message(&opened.id)? {
            return Ok(());
        }
        let author = self.past_author(call, room, &past)?;
        let record = past_record(room, author, past, &opened, wall);
        if !self.find_place(call, &record, &opened.content)? {
            return Ok(());
        }
        call.storage.add_message(&record)?;
        let known = self.rooms.find(room)?;
        let before = known.tail.last;
        known.note(record.position);
        let event = self.put_on_show(call, &record, &opened.content, before, true)?;
        self.events.extend(event);
        Ok(())
    }

    /// Who is said to have said it; of whom nothing else is known, under the name that
    /// was told.
    fn past_author(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        past: &Past,
    ) -> Result<MemberId, StorageError> {
        let member = self.member_for(call, room, &past.account, &past.key)?;
        let record = self.rooms.find(room)?.members.get(&member);
        let unnamed = record.filter(|record| record.name.is_empty() && !record.present);
        if let Some(record) = unnamed.filter(|_| !past.name.is_empty()).cloned() {
            let name = past.name.clone();
            self.save_member(call, MemberRecord { name, ..record })?;
        }
        Ok(member)
    }
}

/// What of a past is shown.
fn is_handed_on(content: &Content) -> bool {
    matches!(
        content,
        Content::Post(_)
            | Content::Edit { .. }
            | Content::Reaction { .. }
            | Content::Unsupported { .. }
    )
}

fn as_said_by(author: &MemberRecord, record: &MessageRecord) -> Result<Past, StorageError> {
    Ok(Past {
        account: super::account(&author.account)?,
        key: super::key(&author.key)?,
        name: author.name.clone(),
        epoch: record.position.epoch,
        leaf: record.position.leaf,
        message: record.content.clone(),
    })
}

fn past_record(
    room: RoomId,
    author: MemberId,
    past: Past,
    opened: &Opened,
    wall: hushwing_sansio::Timestamp,
) -> MessageRecord {
    let (kind, target) = classify(&opened.content);
    MessageRecord {
        contact: room.place(),
        position: Position {
            epoch: past.epoch,
            lamport: opened.stamp.lamport.get(),
            leaf: past.leaf,
            id: opened.id,
        },
        mine: false,
        author: Some(author),
        kind,
        target,
        sent_at: opened.stamp.shown_at(wall),
        // Nobody waits for it to be read, or for a word that it was.
        state: MessageState::Read,
        times: MessageTimes {
            delivered: Some(wall),
            ..MessageTimes::default()
        },
        owed: Owed::Nothing,
        letter: None,
        sealed_epoch: HANDED_ON,
        content: past.message,
    }
}

/// In the same order, so much in each part; what is longer stands alone.
fn in_parts(all: Vec<Past>) -> Vec<Vec<Past>> {
    let mut parts: Vec<Vec<Past>> = Vec::new();
    let mut room = 0;
    for one in all {
        let much = one.message.len();
        match parts.last_mut() {
            Some(part) if much <= room && part.len() < MOST_IN_PART => {
                room -= much;
                part.push(one);
            }
            _ => {
                room = PART.saturating_sub(much);
                parts.push(vec![one]);
            }
        }
    }
    parts
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::branches::AccountId;

    #[test]
    fn parts_hold_so_much_in_order() {
        let past = |length: usize| Past {
            account: AccountId::try_from([1; 16].as_slice()).unwrap(),
            key: [2; 32],
            name: String::new(),
            epoch: 1,
            leaf: 0,
            message: vec![0; length],
        };
        let lengths = |all: &[usize]| -> Vec<Vec<usize>> {
            let parts = in_parts(all.iter().map(|one| past(*one)).collect());
            let of = |part: &Vec<Past>| part.iter().map(|one| one.message.len()).collect();
            parts.iter().map(of).collect()
        };
        let none: Vec<Vec<usize>> = Vec::new();
        assert_eq!(lengths(&[]), none);
        assert_eq!(lengths(&[PART, 1, 2]), [vec![PART], vec![1, 2]]);
        assert_eq!(
            lengths(&[1, 3 * PART, 1]),
            [vec![1], vec![3 * PART], vec![1]]
        );
        let many = vec![1; MOST_IN_PART + 1];
        assert_eq!(
            lengths(&many).iter().map(Vec::len).collect::<Vec<_>>(),
            [MOST_IN_PART, 1]
        );
    }
}

//! What was said before somebody came, where the group agreed on that: mine to those I
//! add, in the letter of the Welcome, and another's to me.
//!
//! Nothing proves who said what is handed on, and it is shown as what it is. So only
//! what reached me under its author's own keys goes further; what is handed to me changes
//! nothing that did, and nobody can have me say anything.

use hushwing_sansio::StorageError;

use crate::content::{self, Content, Opened, Origin, Past, RoomStep, RoomWord};
use crate::fork_choice::StateName;
use crate::messenger::hear::classify;
use crate::messenger::pair::stays;
use crate::messenger::room::Room;
use crate::messenger::show::taken_back;
use crate::messenger::{Call, Messenger};
use crate::storage::{
    HANDED_ON, MemberRecord, MessageKind, MessageRecord, MessageState, MessageTimes, Owed,
    Position, SharedRecord,
};
use crate::{DropReason, MemberId, RoomId};

/// Texts that are handed on, the last ones.
const MOST_HANDED: usize = 100;
/// These with what changed them, and bytes of all.
const MOST_PAST: usize = 256;
/// See [`MOST_PAST`].
const MOST_BYTES: usize = 64 * 1024;
/// Bytes of messages in one part of a letter.
const PART: usize = 12 * 1024;
/// Messages in one.
const MOST_IN_PART: usize = content::MAX_PAST;
/// The highest counter with which what was said before a pair stands there. The pair counts
/// from nought, and a contact may have raised that of the conversation: what I said after it
/// would then be taken by nobody in the pair.
const HIGHEST_BEFORE: u64 = 1 << 31;

/// What of what was said somebody is handed.
#[derive(Clone, Copy)]
pub(in crate::messenger::room) struct Scope {
    shared: SharedRecord,
    /// Also what was itself handed on.
    hearsay: bool,
}

impl Scope {
    /// A device of mine: all that I have.
    pub(in crate::messenger::room) const OWN: Self = Self {
        shared: SharedRecord { since: 0, epoch: 0 },
        hearsay: true,
    };
}

/// What became of something that was handed to me.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(in crate::messenger::room) enum Taken {
    /// It is here now.
    New,
    /// It was here.
    Known,
    /// It cannot be so, or is of something that is not here as it says.
    Refused,
}

/// Members with whom nobody further is made known because they spoke once.
const MOST_KNOWN: usize = crate::messenger::room::MOST_REMEMBERED / 2;

impl Messenger {
    /// Notes from which epoch on newcomers are handed what was said, as soon as I learn
    /// that they are: what a steward says of the time before binds nobody.
    pub(in crate::messenger) fn note_shared(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        since: Option<u64>,
    ) -> Result<(), StorageError> {
        let epoch = self.keeper(call, room, |keeper, _| Ok(keeper.epoch()))?;
        let known = self.rooms.find(room)?;
        let epoch = known.base.saturating_add(epoch);
        let record = &mut known.record;
        if record.shared.map(|shared| shared.since) == since {
            return Ok(());
        }
        record.shared = since.map(|since| SharedRecord { since, epoch });
        self.save_room(call, room)
    }

    /// What somebody who is added now is handed, sealed for them, in so many parts at
    /// most.
    pub(super) fn past_for(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        (member, state): (MemberId, StateName),
        most: usize,
    ) -> Result<Vec<Vec<u8>>, StorageError> {
        let known = self.rooms.find(room)?;
        let conversation = known.record.conversation;
        // A device of mine asks for it in pieces.
        let own = known.members.get(&member);
        let own = own.is_some_and(|one| one.account == known.record.account);
        let shared = known.record.shared.filter(|_| known.is_mine() && !own);
        let Some(shared) = shared else {
            return Ok(Vec::new());
        };
        let parts = in_parts(self.newest(call, room, shared)?);
        let over = parts.len().saturating_sub(most);
        let mut sealed = Vec::new();
        for part in parts.into_iter().skip(over) {
            let content = Content::Room(RoomWord {
                room: conversation,
                step: RoomStep::Past(part),
            });
            sealed.extend(self.seal_aside_in(call, room, (member, state), &content)?);
        }
        Ok(sealed)
    }

    /// The last texts that are handed on, with what changed them, oldest first.
    fn newest(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        shared: SharedRecord,
    ) -> Result<Vec<Past>, StorageError> {
        let texts = (call.storage).messages(room.place(), None, MOST_HANDED, MOST_BYTES)?;
        let (mut all, mut bytes) = (Vec::new(), 0);
        let scope = Scope {
            shared,
            hearsay: false,
        };
        for text in texts.iter().rev() {
            let one = self.with_changes(call, room, scope, text)?;
            bytes += one.iter().map(|past| past.message.len()).sum::<usize>();
            if bytes > MOST_BYTES || all.len() + one.len() > MOST_PAST {
                break;
            }
            all.extend(one.into_iter().rev());
        }
        all.reverse();
        Ok(all)
    }

    /// A text with what changed it, as it is handed on; nothing of what is not.
    pub(in crate::messenger::room) fn with_changes(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        scope: Scope,
        text: &MessageRecord,
    ) -> Result<Vec<Past>, StorageError> {
        if text.is_erased() || taken_back(call.storage, text)? {
            return Ok(Vec::new());
        }
        let Some(first) = self.as_past(call, room, scope, text)? else {
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
                all.extend(self.as_past(call, room, scope, &change)?);
            }
        }
        Ok(all)
    }

    /// A message as it is handed on, if it is: what was said before the group agreed on
    /// that, what disappears, and what was handed to me is not, the last but among devices of
    /// mine.
    fn as_past(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        Scope { shared, hearsay }: Scope,
        record: &MessageRecord,
    ) -> Result<Option<Past>, StorageError> {
        let before = self.is_before_pair(room, record.position.epoch);
        if before && (!hearsay || stays(record)) {
            return Ok(None);
        }
        let from = match before {
            true => 0,
            // What was said before the group was founded anew has no epoch in it.
            false => shared.epoch.max(self.rooms.find(room)?.base),
        };
        let agreed = record.position.epoch >= from && record.sent_at.as_millis() >= shared.since;
        let heard = record.is_handed_on() && !hearsay;
        if !agreed || heard || record.times.vanishes.is_some() {
            return Ok(None);
        }
        let (wall, counted_from) = (call.cx.wall(), self.counted_from(room)?);
        let known = self.rooms.get(room.place());
        let known = known.ok_or_else(|| StorageError::corrupt("finding a room"))?;
        for author in known.members.values() {
            let own = known.is_own(author.member);
            let ours = own || author.account == known.record.account;
            let meant = match record.author {
                Some(member) => known.person(author.member) == known.person(member),
                // In a conversation of two it is one of two.
                None if before => own && record.mine || !ours && !record.mine,
                // One of my leaves, of which there were several if I left in between, or a
                // device of mine, perhaps one that is gone.
                None => ours,
            };
            if !meant {
                continue;
            }
            let place = (record.position.epoch, record.position.leaf);
            let origin = self.origin_of_past(room, place, &author.key)?;
            let opened = content::open(&record.content, &origin, wall).ok();
            let said = opened.filter(|opened| opened.id == *record.id());
            if said.is_some_and(|said| said.expires.is_none()) {
                let epoch = record.position.epoch.saturating_sub(counted_from);
                return as_said_by(author, epoch, record).map(Some);
            }
        }
        Ok(None)
    }

    /// From where epochs are counted of what is handed on: of a pair as they are shown, since
    /// what was said before it has one, too.
    pub(in crate::messenger::room) fn counted_from(
        &mut self,
        room: RoomId,
    ) -> Result<u64, StorageError> {
        Ok(match self.is_pair(room) {
            true => 0,
            false => self.rooms.find(room)?.base,
        })
    }

    /// The origin of what is handed on: of what was said before a pair that of the leaf that it
    /// had there.
    fn origin_of_past(
        &self,
        room: RoomId,
        (epoch, leaf): (u64, u32),
        key: &[u8],
    ) -> Result<Origin, StorageError> {
        if self.is_before_pair(room, epoch) {
            return self.origin_before_pair(room, leaf);
        }
        let known = self.rooms.get(room.place());
        let known = known.ok_or_else(|| StorageError::corrupt("finding a room"))?;
        known.origin(key)
    }

    /// Who welcomed me hands me, in the letter of the Welcome, what was said before.
    pub(in crate::messenger) fn heard_past(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        (by, with_welcome): (&[u8], bool),
        all: Vec<Past>,
    ) -> Result<(), StorageError> {
        let record = &self.rooms.find(room)?.record;
        let package = record.package.as_ref();
        let entered = package
            .filter(|package| with_welcome && package.steward == by)
            .and_then(|package| package.entered);
        let known = self.rooms.find(room)?;
        // A device of mine is asked for it in pieces.
        let shared = known.record.shared.filter(|_| !known.is_proved(by));
        let entered = entered.zip(shared);
        let Some((entered, shared)) = entered else {
            return self.drop_letter(None, DropReason::Room);
        };
        if !self.leads_still(room, by)? {
            return self.drop_letter(None, DropReason::Room);
        }
        for past in all {
            // From then on all that is said reaches me as it is said.
            if past.epoch < entered.epoch {
                self.take_past(call, room, shared, (past, false))?;
            }
        }
        Ok(())
    }

    /// Takes what was handed to me, as hearsay.
    pub(in crate::messenger::room) fn take_past(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        shared: SharedRecord,
        (past, by_own): (Past, bool),
    ) -> Result<Taken, StorageError> {
        let wall = call.cx.wall();
        let before = self.is_before_pair(room, past.epoch);
        // Where the contact is, it is as it was said.
        if before && (!by_own || self.contact_of_pair(room).is_some()) {
            return Ok(Taken::Refused);
        }
        let origin = self.origin_of_past(room, (past.epoch, past.leaf), &past.key)?;
        let known = self.rooms.find(room)?;
        if !may_have_said(known, &past, by_own) {
            return Ok(Taken::Refused);
        }
        let opened = content::open(&past.message, &origin, wall).ok();
        let opened = opened.filter(|opened| {
            opened.expires.is_none()
                && opened.stamp.shown_at(wall).as_millis() >= shared.since
                && (before || known.tail.lamport.may_be_followed_by(opened.stamp.lamport))
        });
        let Some(opened) = opened else {
            return Ok(Taken::Refused);
        };
        if call.storage.has_message(&opened.id)? {
            return Ok(Taken::Known);
        }
        if !is_of_the_past(call, &opened)? {
            return Ok(Taken::Refused);
        }
        let mine = known.record.account == past.account.as_bytes();
        let author = match mine {
            true => None,
            false => Some(self.past_author(call, room, &past)?),
        };
        let mut record = past_record(room, author, past, &opened, wall);
        let counted_from = self.counted_from(room)?;
        record.position.epoch = record.position.epoch.saturating_add(counted_from);
        if before {
            record.position.lamport = record.position.lamport.min(HIGHEST_BEFORE);
        }
        if !self.find_place(call, &record, &opened.content)? {
            return Ok(Taken::Refused);
        }
        call.storage.add_message(&record)?;
        let known = self.rooms.find(room)?;
        let last = known.tail.last;
        known.note(record.position);
        let event = self.put_on_show(call, &record, &opened.content, last, true)?;
        self.forget_mark(call, &record, &opened.content)?;
        self.events.extend(event);
        Ok(Taken::New)
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

/// Whether it can be of somebody else who is known as they are named, or of somebody of
/// whom nothing is known, as long as there is place for them. What I said only a device
/// of mine tells me.
fn may_have_said(known: &Room, past: &Past, by_own: bool) -> bool {
    let account = past.account.as_bytes();
    let same = |one: &&MemberRecord| one.key == past.key && one.account == account;
    let alike = |one: &&MemberRecord| one.key == past.key || one.account == account;
    let members = known.members.values();
    if known.record.account == account {
        // What this leaf said is here, or was deleted; another's key is none of mine.
        let other = |one: &MemberRecord| one.key == past.key && one.account != account;
        return by_own && known.key != past.key && !members.clone().any(other);
    }
    let place = known.members.len() < MOST_KNOWN;
    match members.clone().find(same) {
        // Beside other devices of theirs, if it is there. As whom I was here before nobody
        // has me say anything.
        Some(one) => !one.mine && (by_own || one.present || members.filter(alike).count() == 1),
        // A device of mine also tells of devices that they have no more.
        None if by_own => place && !members.clone().any(|one| one.key == past.key),
        None => place && !members.clone().any(|one| alike(&one)),
    }
}

/// Whether it is a text, or changes one that was handed on: what reached me from its
/// author is theirs to change, and so is what may yet come from them.
fn is_of_the_past(call: &Call<'_, '_>, opened: &Opened) -> Result<bool, StorageError> {
    let target = match &opened.content {
        Content::Post(_) | Content::Unsupported { .. } => return Ok(true),
        Content::Edit { target, .. } | Content::Reaction { target, .. } => target,
        _ => return Ok(false),
    };
    let target = call.storage.message(target)?;
    Ok(target.is_some_and(|target| target.is_handed_on()))
}

fn as_said_by(
    author: &MemberRecord,
    epoch: u64,
    record: &MessageRecord,
) -> Result<Past, StorageError> {
    Ok(Past {
        account: crate::messenger::room::account(&author.account)?,
        key: crate::messenger::room::key(&author.key)?,
        name: author.name.clone(),
        epoch,
        leaf: record.position.leaf,
        message: record.content.clone(),
    })
}

fn past_record(
    room: RoomId,
    author: Option<MemberId>,
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
        mine: author.is_none(),
        author,
        kind,
        target,
        sent_at: opened.stamp.shown_at(wall),
        // Nobody waits for it to be read, or for a word that it was.
        state: match author {
            Some(_) => MessageState::Read,
            // How far it got, the device knows that said it.
            None => MessageState::Accepted,
        },
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

    #[test]
    fn nobody_has_me_say_anything_as_whom_i_was_before() {
        use crate::messenger::room::devices::{ME, room};
        let mut known = room(&[(3, 5), (4, 6)]);
        let past = |account: u8, key: u8| Past {
            account: AccountId::try_from([account; 16].as_slice()).unwrap(),
            key: [key; 32],
            name: String::new(),
            epoch: 1,
            leaf: 0,
            message: Vec::new(),
        };
        assert!(may_have_said(&known, &past(5, 3), false));
        assert!(may_have_said(&known, &past(7, 7), false), "who went before");
        assert!(!may_have_said(&known, &past(5, 8), false));
        assert!(!may_have_said(&known, &past(ME, 8), false));
        assert!(
            may_have_said(&known, &past(ME, 8), true),
            "my device says so"
        );
        assert!(!may_have_said(&known, &past(ME, ME), true));
        assert!(!may_have_said(&known, &past(ME, 3), true), "another's key");
        assert!(may_have_said(&known, &past(5, 8), true), "a device before");
        assert!(!may_have_said(&known, &past(6, 3), true), "of another");
        // I left and came back under another account.
        let before = known.members.get_mut(&MemberId(3)).unwrap();
        (before.mine, before.present) = (true, false);
        assert!(!may_have_said(&known, &past(5, 3), false));
        assert!(!may_have_said(&known, &past(5, 3), true));
    }
}

//! Sending my commits, which count once a network took them.

use core::time::Duration;

use hushwing_delivery::LetterId;
use hushwing_sansio::StorageError;

use crate::RoomId;
use crate::branches::CommitHash;
use crate::letter::LetterBody;
use crate::messenger::room::wide::Name;
use crate::messenger::{Call, Messenger};
use crate::storage::PublishingRecord;

/// How long a commit of mine rests after a network took it: rivals made at the
/// same time may arrive meanwhile.
const REST: Duration = Duration::from_secs(2);

impl Messenger {
    /// Sends a commit of mine to all who are in the state it was made in.
    pub(in crate::messenger) fn publish(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        commit: CommitHash,
        bytes: &[u8],
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        let body = LetterBody::room(&known.key, bytes);
        let letters = self.post_to_all(call, room, &body)?;
        if letters.is_empty() || self.waits_for_no_device(call, room)? {
            // Nobody can be written to: they ask for it when they hear of it. Nor has anybody
            // to hear of it who is thrown out, whose mailbox may be full for ever.
            return self.published(call, room, commit);
        }
        let ours = letters.iter().map(|letter| (*letter, room));
        self.rooms.publishing.extend(ours);
        let record = &mut self.rooms.find(room)?.record;
        record.publishing.push(PublishingRecord {
            commit: commit.0,
            letters,
        });
        self.save_room(call, room)
    }

    /// A commit of mine leaves by further letters, if it is one that no network took yet.
    pub(in crate::messenger) fn publish_also(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        name: Name,
        letters: &[LetterId],
    ) -> Result<(), StorageError> {
        let mut publishing = self.rooms.find(room)?.record.publishing.iter_mut();
        let Some(one) = publishing.find(|one| name.is_of(&one.commit)) else {
            return Ok(());
        };
        one.letters.extend(letters.iter().map(|letter| letter.0));
        let ours = letters.iter().map(|letter| (letter.0, room));
        self.rooms.publishing.extend(ours);
        self.save_room(call, room)
    }

    pub(in crate::messenger) fn published(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        commit: CommitHash,
    ) -> Result<(), StorageError> {
        let told = self.keeper(call, room, |keeper, lent| {
            keeper.published(lent, commit, REST)
        })?;
        self.act_on(call, room, told)
    }

    /// A letter with a commit of mine was taken by a network, or given up;
    /// `false` if it is none. When the first is taken, or none is left, the
    /// commit counts as published.
    pub(in crate::messenger) fn commit_left(
        &mut self,
        call: &mut Call<'_, '_>,
        letter: LetterId,
        taken: bool,
    ) -> Result<bool, StorageError> {
        let Some(room) = self.rooms.publishing.remove(&letter.0) else {
            return Ok(false);
        };
        self.within(call, room.place(), |this, call| {
            let publishing = &mut this.rooms.find(room)?.record.publishing;
            let of = |one: &PublishingRecord| one.letters.contains(&letter.0);
            let Some(at) = publishing.iter().position(of) else {
                return Ok(());
            };
            let Some(one) = publishing.get_mut(at) else {
                return Ok(());
            };
            one.letters.retain(|other| *other != letter.0);
            if !taken && !one.letters.is_empty() {
                return this.save_room(call, room);
            }
            let one = publishing.remove(at);
            for letter in one.letters {
                this.rooms.publishing.remove(&letter);
            }
            this.save_room(call, room)?;
            this.published(call, room, CommitHash(one.commit))
        })?;
        Ok(true)
    }
}

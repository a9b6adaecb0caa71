//! What my devices tell each other of pairs, and of whom they are with.

use hushwing_sansio::StorageError;

use crate::content::{Content, MAX_SHARED, Paired, RoomStep, RoomWord};
use crate::messenger::{Call, Messenger};
use crate::storage::{KnownRecord, MOST_PAIRS, PairRecord};
use crate::{ContactId, DropReason, MemberId, RoomId};

/// What a device knows of a contact.
struct Acquaintance {
    name: String,
    keys: [[u8; 32]; 2],
    verified: bool,
    blocked: bool,
    /// Whether it is this device's own contact.
    mine: bool,
}

impl Messenger {
    /// Tells each other device of the pairs I am in, and of whom they are with, where that
    /// is not what it was told last.
    pub(super) fn tell_of_pairs(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        let Some(good) = self.good_devices(call.storage)? else {
            return Ok(());
        };
        let rooms: Vec<_> = self.rooms.entered().map(RoomId::at).collect();
        let heads = rooms.iter().filter(|room| {
            let head = self.head_of(room.place());
            self.is_pair(**room) && self.pair_of(head) == Some(**room)
        });
        let heads: Vec<_> = heads.copied().collect();
        for device in good.others() {
            let mut news = Vec::new();
            for room in &heads {
                news.extend(self.paired_news(call, *room, device, &good.me, good.conversation)?);
            }
            for part in news.chunks(MAX_SHARED) {
                let content = Content::Room(RoomWord {
                    room: good.conversation,
                    step: RoomStep::Paired(part.to_vec()),
                });
                if self.within_told(call, good.room, device, &content)? {
                    let told = part.iter().map(|one| {
                        let revision = 0;
                        let one = Paired {
                            revision,
                            ..one.clone()
                        };
                        ((device, one.shared.room), one)
                    });
                    self.pairs.told.extend(told);
                }
            }
        }
        Ok(())
    }

    fn paired_news(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        device: MemberId,
        me: &[u8],
        meeting: crate::ConversationId,
    ) -> Result<Option<Paired>, StorageError> {
        let Some(pair) = self.pair_in(room).cloned() else {
            return Ok(None);
        };
        let Some(known) = self.acquaintance(call, room)? else {
            return Ok(None);
        };
        let mut shared = None;
        self.within(call, room.place(), |this, call| {
            shared = this.shared(call, room, me, meeting)?;
            Ok(())
        })?;
        let Some(mut shared) = shared else {
            return Ok(None);
        };
        shared.name = known.name;
        let mut word = Paired {
            shared,
            conversation: pair.conversation,
            turn: pair.turn,
            keys: known.keys,
            verified: known.verified,
            blocked: known.blocked,
            revision: 0,
        };
        if self.pairs.told.get(&(device, pair.group)) == Some(&word) {
            return Ok(None);
        }
        if known.mine {
            word.revision = call.storage.next_number()?;
        }
        Ok(Some(word))
    }

    /// With whom a pair is, as this device knows them.
    fn acquaintance(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<Option<Acquaintance>, StorageError> {
        let Some(contact) = self.contact_of_pair(room) else {
            let conversation = self.pair_in(room).map(|pair| pair.conversation);
            let mut known = self.pairs.record.known.iter();
            let known = known.find(|one| Some(one.conversation) == conversation);
            return Ok(known.map(|one| Acquaintance {
                name: one.name.clone(),
                keys: one.keys,
                verified: one.verified,
                blocked: one.blocked,
                mine: false,
            }));
        };
        if self.standing(contact) != Some(crate::Standing::Established) {
            return Ok(None);
        }
        let mut keys = None;
        self.within(call, contact, |this, call| {
            let (_, group, _) = this.at_hand(call, contact)?;
            keys = group
                .their_key()
                .map(|theirs| [group.key().public(), theirs]);
            Ok(())
        })?;
        let person = self.people.get(&contact);
        Ok(person.zip(keys).map(|(person, keys)| Acquaintance {
            name: person.record.name.clone(),
            keys,
            verified: person.record.verified.is_some(),
            blocked: person.kept.blocked.is_some(),
            mine: true,
        }))
    }

    /// Another device is in a pair. So am I before long, and know with whom.
    pub(in crate::messenger) fn heard_paired(
        &mut self,
        call: &mut Call<'_, '_>,
        device: MemberId,
        paired: &Paired,
    ) -> Result<(), StorageError> {
        let (group, conversation) = (paired.shared.room, paired.conversation);
        let at = |id| self.conversations.get(&id).copied();
        let is_a_pair = |place: ContactId| self.is_pair(RoomId::at(place));
        // Nothing else that is here becomes a pair by what a device says.
        let fits = (!self.rooms.knows(group) || at(group).is_some_and(is_a_pair))
            && at(conversation)
                .is_none_or(|place| is_a_pair(place) || self.people.contains_key(&place));
        let same =
            |pair: &PairRecord| (pair.conversation, pair.turn) == (conversation, paired.turn);
        let known = self.pairs.of_group(group);
        if self.pairs.is_forgotten(conversation) {
            return Ok(());
        }
        if !fits || !known.is_none_or(same) || group == conversation {
            return self.drop_letter(None, DropReason::Room);
        }
        if at(conversation).is_some_and(|place| self.people.contains_key(&place)) {
            // I have the contact myself, and go on with them. As which leaf the device is in the
            // pair I have to know: it may be thrown out, or ask for what was said.
            return match self.note_shared_leaf(call, device, &paired.shared)? {
                true => Ok(()),
                false => self.drop_letter(None, DropReason::Room),
            };
        }
        self.note_known(call, device, paired)?;
        if self.pairs.is_blocked_elsewhere(conversation)
            && let Some(head) = self.conversations.get(&conversation).copied()
        {
            self.fail_in_pairs(call, head, |_, _| true)?;
        }
        if self.pairs.of_group(group).is_none() {
            let pair = PairRecord {
                group,
                conversation,
                turn: paired.turn,
                forgotten: false,
            };
            self.note_pair(call, pair)?;
        }
        self.heard_shared(call, device, &paired.shared)?;
        let room = self.conversations.get(&group).copied().map(RoomId::at);
        if let Some(room) = room.filter(|room| self.is_pair(*room)) {
            self.name_thread(room);
            self.tell_pair(room);
            self.tell_kept(call, room.place())?;
        }
        Ok(())
    }

    /// Of what one device told of a contact the newest stands; of what one tells who does not
    /// have them, nothing that is known better.
    fn note_known(
        &mut self,
        call: &mut Call<'_, '_>,
        device: MemberId,
        paired: &Paired,
    ) -> Result<(), StorageError> {
        let Some(good) = self.good_devices(call.storage)? else {
            return Ok(());
        };
        let Some(by) = good.key_of(device).map(<[u8]>::to_vec) else {
            return Ok(());
        };
        let record = KnownRecord {
            conversation: paired.conversation,
            turn: paired.turn,
            name: paired.shared.name.clone(),
            keys: paired.keys,
            verified: paired.verified,
            blocked: paired.blocked,
            by: (by, paired.revision),
        };
        // Which pair it goes on as is for the device to tell that has the contact, while I have
        // such a device.
        let is_good = |key: &[u8]| {
            let mut keys = good.others().filter_map(|one| good.key_of(one));
            keys.any(|one| one == key)
        };
        let all = &mut self.pairs.record.known;
        let full = all.len() >= MOST_PAIRS;
        let mut known = all.iter_mut();
        let before = known.find(|one| one.conversation == record.conversation);
        match before {
            Some(before) => {
                let (by, revision) = &before.by;
                let newer = *by != record.by.0 || *revision < paired.revision;
                let told = *revision > 0 && is_good(by);
                match paired.revision {
                    0 if !told && paired.turn > before.turn => before.turn = paired.turn,
                    0 => return Ok(()),
                    _ if newer => *before = record,
                    _ => return Ok(()),
                }
            }
            None if full => return Ok(()),
            None => all.push(record),
        }
        self.save_pairs(call)
    }

    /// What another device told of the contact that a pair is with.
    pub(in crate::messenger) fn known_with(&self, room: RoomId) -> Option<&KnownRecord> {
        let conversation = self.pair_in(room)?.conversation;
        let mut known = self.pairs.record.known.iter();
        known.find(|one| one.conversation == conversation)
    }
}

//! Whose the keys of a stretch are: what I announce, and what they do.
//!
//! ```text
//! leaf 1: offer ─▶            ◀─ begin :leaf 0      either: over
//! ```
//!
//! An offer is tagged in the epoch in which it is made, and a beginning in that of
//! the offer it answers. Who reads an offer in a later epoch cannot know its tag
//! key; who made it learns of that epoch and offers anew. A letter for an epoch
//! that a commit has still to begin waits for it as others do.

use core::time::Duration;

use hushwing_delivery::{Keep, RepeatId};
use hushwing_sansio::StorageError;

use super::super::{Call, Messenger};
use super::place_of;
use crate::content::{Content, Mode, StretchWord};
use crate::letter::LetterBody;
use crate::mls::{CheckedKeyPackage, FreshKeyPackage, Group, LeafKey};
use crate::otr::{Announced, Step, TagKey};
use crate::storage::{Ending, MOST_STRETCHES, Standing, Stretch};
use crate::{ContactId, ConversationId, DropReason, Secret};

/// Bytes of the longest key package or Welcome that is looked at.
const MOST_OBJECT: usize = 64 * 1024;
/// What nobody answered is posted again after so long, then after twice as long.
const AGAIN: Duration = Duration::from_secs(60 * 60);
/// The longest wait.
const LONGEST: Duration = Duration::from_secs(24 * 60 * 60);

/// An announcement of theirs.
struct Heard<'l> {
    said: Announced,
    object: &'l [u8],
    tag: &'l [u8],
}

impl Messenger {
    /// An announcement came; nothing of it is believed yet.
    pub(in crate::messenger) fn hear_announcement(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        letter: &[u8],
        repeat: Option<RepeatId>,
    ) -> Result<(), StorageError> {
        if self.is_blocked(contact) {
            return Ok(());
        }
        if self.standing(contact) != Some(Standing::Established) {
            return self.drop_letter(Some(contact), DropReason::Broken);
        }
        let (_, group, _) = self.at_hand(call, contact)?;
        let (epoch, theirs, my_turn) = (group.epoch(), group.their_leaf(), group.holds_turn());
        let Some(heard) = Heard::read(letter).filter(|heard| heard.is_of(theirs)) else {
            return self.drop_letter(Some(contact), DropReason::Content);
        };
        if heard.said.step == Step::Begin {
            return self.hear_begin(call, contact, &heard);
        }
        match heard.said.epoch.checked_sub(epoch) {
            Some(0) => {}
            Some(1) if !my_turn => return self.hold(call, contact, letter, repeat),
            Some(_) => return self.drop_letter(Some(contact), DropReason::FarAhead),
            None => return self.drop_letter(Some(contact), DropReason::Unreadable),
        }
        let key = self.tag_key(call, contact)?;
        let Some(person) = self.people.get(&contact) else {
            return Ok(());
        };
        if !heard.is_tagged(&key, person.record.conversation, None) {
            return self.drop_letter(Some(contact), DropReason::Unreadable);
        }
        match heard.said.step {
            Step::Offer => self.hear_offer(call, contact, &heard, &key, repeat),
            _ => self.hear_over(call, contact, heard.said.stretch),
        }
    }

    /// Offers a stretch; what stood before is forgotten.
    pub(super) fn offer_stretch(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        self.forget_stretch(call, contact)?;
        let tag_key = self.tag_key(call, contact)?;
        let (person, group, crypto) = self.at_hand(call, contact)?;
        let (of, epoch, number) = (
            person.record.conversation,
            group.epoch(),
            person.stretch.last.saturating_add(1),
        );
        if number > MOST_STRETCHES {
            return Ok(());
        }
        let key = LeafKey::generate(call.cx);
        let fresh = FreshKeyPackage::make(crypto, call.cx, &mut *call.storage, &key)?;
        let said = Announced {
            step: Step::Offer,
            leaf: 1,
            epoch,
            stretch: number,
            key: key.public(),
        };
        person.stretch.last = number;
        person.stretch.now = Some(Stretch {
            package: fresh.reference,
            announcement: letter(&said, &tag_key, of, None, &fresh.message),
            ..begun(call, &said, &tag_key, &key)
        });
        self.post_announcement(call, contact)
    }

    fn hear_offer(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        heard: &Heard<'_>,
        tag_key: &TagKey,
        repeat: Option<RepeatId>,
    ) -> Result<(), StorageError> {
        let now = call.cx.now();
        if !self.stretches.may_act(contact, now) {
            return self.pass_over(call, Some(contact), DropReason::Stretch, repeat);
        }
        let Some(person) = self.people.get(&contact) else {
            return Ok(());
        };
        let (number, stands) = (heard.said.stretch, person.stretch.now.as_ref());
        if stands.is_some_and(|stretch| stretch.their_key == Some(heard.said.key)) {
            // My answer may be lost.
            return self.post_announcement(call, contact);
        }
        if stands.is_some_and(|stretch| number < stretch.number) {
            // A late copy: they are in this one, and were to forget it.
            return self.drop_letter(Some(contact), DropReason::Stretch);
        }
        if number <= person.stretch.last {
            // They put a backup back, or I did not hear that it is over.
            return self.say_over(call, contact, person.stretch.last);
        }
        let wish = person.mode.wish(true, None);
        if wish != Mode::Otr && Self::unsaid(call, contact)?.is_empty() {
            // They think that I wish it.
            return self.wish_again(call, contact, wish);
        }
        self.begin_stretch(call, contact, heard, tag_key)
    }

    fn begin_stretch(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        heard: &Heard<'_>,
        tag_key: &TagKey,
    ) -> Result<(), StorageError> {
        let offer = &heard.said;
        let package = CheckedKeyPackage::check(&self.crypto, heard.object);
        let Some(package) = package.filter(|package| package.is_of(&offer.key)) else {
            return self.drop_letter(Some(contact), DropReason::Stretch);
        };
        self.forget_stretch(call, contact)?;
        let Some(person) = self.people.get_mut(&contact) else {
            return Ok(());
        };
        let of = person.record.conversation;
        let key = LeafKey::generate(call.cx);
        let said = Announced {
            step: Step::Begin,
            leaf: 0,
            key: key.public(),
            ..*offer
        };
        let mut stretch = begun(call, &said, tag_key, &key);
        let name = tag_key.group(of, offer.stretch, [&said.key, &offer.key]);
        let (rows, id) = (&mut *call.storage, ConversationId(name));
        let made = Group::create(&self.crypto, call.cx, rows, id, key, &package)?;
        let Ok((group, welcome)) = made else {
            return self.drop_letter(Some(contact), DropReason::Stretch);
        };
        stretch.their_key = Some(offer.key);
        stretch.group = Some(name);
        stretch.announcement = letter(&said, tag_key, of, Some(&offer.key), &welcome);
        let place = place_of(offer.stretch, person.place().own_leaf);
        person.stretch.last = offer.stretch;
        person.stretch.now = Some(stretch);
        self.stretches.groups.insert(contact, group.placed(place));
        self.post_announcement(call, contact)?;
        self.stretch_stands(call, contact)
    }

    fn hear_begin(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        heard: &Heard<'_>,
    ) -> Result<(), StorageError> {
        let (now, number) = (call.cx.now(), heard.said.stretch);
        let Some(person) = self.people.get(&contact) else {
            return Ok(());
        };
        let of = person.record.conversation;
        let stands = person.stretch.now.as_ref();
        let Some(stretch) = stands.filter(|stretch| stretch.number == number) else {
            // What they answer I know no more; they are to wait for the next.
            let gone = number <= person.stretch.last && self.stretches.may_act(contact, now);
            return match gone {
                true => self.say_over(call, contact, number),
                false => self.drop_letter(Some(contact), DropReason::Stretch),
            };
        };
        let tagged = tag_key_of(stretch).zip(LeafKey::from_secret(&stretch.seed));
        let tagged = tagged.filter(|(key, mine)| {
            let same = stretch.epoch == heard.said.epoch;
            same && heard.is_tagged(key, of, Some(&mine.public()))
        });
        let Some((tag_key, mine)) = tagged else {
            return self.drop_letter(Some(contact), DropReason::Unreadable);
        };
        if stretch.group.is_some() {
            let same = stretch.their_key == Some(heard.said.key);
            return match same && self.stretches.may_act(contact, now) {
                true => self.say_here(call, contact),
                false => self.drop_letter(Some(contact), DropReason::Stretch),
            };
        }
        let keys = [&heard.said.key, &mine.public()];
        let name = ConversationId(tag_key.group(of, number, keys));
        self.join_stretch(call, contact, heard, name, mine)
    }

    /// Enters the group of a stretch, if it is the one that belongs to what was
    /// announced.
    fn join_stretch(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        heard: &Heard<'_>,
        name: ConversationId,
        mine: LeafKey,
    ) -> Result<(), StorageError> {
        let key_of = |public: &[u8]| (mine.public() == public).then_some(mine);
        let rows = &mut *call.storage;
        let joined = Group::join(&self.crypto, call.cx, rows, heard.object, key_of)?;
        let Ok(group) = joined else {
            return self.drop_letter(Some(contact), DropReason::Stretch);
        };
        let called = group.conversation();
        if called != Some(name) || group.their_key() != Some(heard.said.key) {
            if let Some(called) = called {
                call.storage.remove_mls_scope(&Group::scope(called))?;
            }
            return self.drop_letter(Some(contact), DropReason::Stretch);
        }
        let Some(person) = self.people.get(&contact) else {
            return Ok(());
        };
        let place = place_of(heard.said.stretch, person.place().own_leaf);
        self.stretches.groups.insert(contact, group.placed(place));
        self.forget_offer(call, contact)?;
        self.keep_stretch(call, contact, |stretch| {
            stretch.their_key = Some(heard.said.key);
            stretch.group = Some(name.0);
        })?;
        self.say_here(call, contact)?;
        self.stretch_stands(call, contact)?;
        self.hear_held(call, contact)
    }

    /// Tells them that I am in the group, and need no further beginning.
    fn say_here(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let here = Content::Stretch(StretchWord::Here);
        self.say_in_stretch(call, contact, &here, Keep::UntilAccepted)
            .map(drop)
    }

    /// What waited is said, and confirmed.
    fn stretch_stands(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        if !Self::unsaid(call, contact)?.is_empty() {
            self.say_all_again(call, contact, false, false)?;
        }
        self.resume_debts_of(call, contact)?;
        self.stretches.tend(contact);
        Ok(())
    }

    fn hear_over(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        number: u64,
    ) -> Result<(), StorageError> {
        let Some(person) = self.people.get_mut(&contact) else {
            return Ok(());
        };
        self.stretches.tend(contact);
        let stands = person.stretch.now.as_ref();
        let revealed = stands.is_some_and(|now| now.number == number && now.end.revealed);
        let behind = stands.is_some_and(|now| now.number <= number);
        person.stretch.last = person.stretch.last.max(number);
        if revealed {
            return self.keep_stretch(call, contact, |stretch| stretch.end.they_left = true);
        }
        person.stretch.put(call.storage, contact)?;
        match behind {
            // It is over with them, whatever I thought.
            true => self.forget_stretch(call, contact),
            false => Ok(()),
        }
    }

    /// Tells them that I need nothing of a stretch any more.
    pub(super) fn say_over(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        number: u64,
    ) -> Result<(), StorageError> {
        if !self.is_written_to(contact) {
            return Ok(());
        }
        let tag_key = self.tag_key(call, contact)?;
        let (person, group, _) = self.at_hand(call, contact)?;
        let of = person.record.conversation;
        let said = Announced {
            step: Step::Over,
            leaf: u8::from(person.offers()),
            epoch: group.epoch(),
            stretch: number,
            key: [0; 32],
        };
        let bytes = letter(&said, &tag_key, of, None, &[]);
        self.post(call, contact, bytes, Keep::UntilAccepted)
            .map(drop)
    }

    /// Posts my announcement, in place of the letter that has it already.
    pub(in crate::messenger) fn post_announcement(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let person = self.people.get(&contact);
        let stretch = person.and_then(|person| person.stretch.now.as_ref());
        let Some(stretch) = stretch.filter(|stretch| !stretch.announcement.is_empty()) else {
            return Ok(());
        };
        let (bytes, before) = (stretch.announcement.clone(), stretch.letter);
        before.map_or(Ok(()), |letter| self.recall(call, letter))?;
        let letter = self.post(call, contact, bytes, Keep::UntilSettled)?;
        let now = call.cx.wall();
        self.keep_stretch(call, contact, |stretch| {
            stretch.letter = letter.map(|letter| letter.0);
            stretch.posted = now;
        })
    }

    /// Says once more what nobody answered for long; what has not left yet leaves
    /// by itself.
    pub(in crate::messenger) fn sweep_stretches(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        self.resume_stretches();
        let now = call.cx.wall();
        let people = self.people.iter().filter(|(_, person)| {
            let stretch = person.stretch.now.as_ref();
            stretch.is_some_and(|stretch| {
                let wait = AGAIN.saturating_mul(2_u32.saturating_pow(stretch.again));
                let ahead = now < stretch.posted;
                ahead || stretch.posted + wait.min(LONGEST) <= now
            })
        });
        for contact in people.map(|(contact, _)| *contact).collect::<Vec<_>>() {
            self.within(call, contact, |this, call| this.get_on_again(call, contact))?;
        }
        Ok(())
    }
}

impl<'l> Heard<'l> {
    fn read(letter: &'l [u8]) -> Option<Self> {
        let LetterBody::Announcement([head, object, tag]) = LetterBody::read(letter)? else {
            return None;
        };
        let said = Announced::read(head)?;
        Some(Self { said, object, tag })
    }

    /// Whether the holder of that leaf may announce such a thing.
    fn is_of(&self, leaf: u32) -> bool {
        let step = match self.said.step {
            Step::Offer => leaf == 1,
            Step::Begin => leaf == 0,
            Step::Over => self.object.is_empty() && self.said.key == [0; 32],
        };
        let bounded = self.object.len() <= MOST_OBJECT && self.said.stretch <= MOST_STRETCHES;
        step && bounded && u32::from(self.said.leaf) == leaf
    }

    fn is_tagged(&self, key: &TagKey, of: ConversationId, answered: Option<&[u8; 32]>) -> bool {
        self.said
            .is_tagged(key, of, answered, self.object, self.tag)
    }
}

fn letter(
    said: &Announced,
    key: &TagKey,
    of: ConversationId,
    answered: Option<&[u8; 32]>,
    object: &[u8],
) -> Vec<u8> {
    let tag = said.tag(key, of, answered, object);
    LetterBody::announcement([&said.head(), object, &tag])
}

/// A stretch of which nothing is known but my key.
fn begun(call: &Call<'_, '_>, said: &Announced, tag_key: &TagKey, key: &LeafKey) -> Stretch {
    Stretch {
        number: said.stretch,
        epoch: said.epoch,
        tag_key: Secret::new(*tag_key.expose()),
        seed: key.secret(),
        package: Vec::new(),
        their_key: None,
        group: None,
        announcement: Vec::new(),
        letter: None,
        posted: call.cx.wall(),
        again: 0,
        end: Ending::default(),
        their_seed: None,
    }
}

fn tag_key_of(stretch: &Stretch) -> Option<TagKey> {
    stretch.tag_key.array().map(TagKey::new)
}

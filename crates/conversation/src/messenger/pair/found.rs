//! Founding a pair, once an offer was answered.

use hushwing_sansio::StorageError;

use crate::branches::{GroupPolicy, MemberPackage};
use crate::content::Entry;
use crate::messenger::{Call, Messenger};
use crate::mls::LeafKey;
use crate::storage::{OfferedPairRecord, PairRecord, RoomRecord, RoomStanding};
use crate::{ContactId, ConversationId, DropReason};

impl Messenger {
    /// Whether an answer is to a pair that I offered; then it is founded.
    pub(in crate::messenger) fn pair_answered(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        group: ConversationId,
        (package, entry): (&[u8], &Entry),
    ) -> Result<bool, StorageError> {
        let offered = self.pairs.with(contact).offered.clone();
        let Some(offered) = offered.filter(|offered| offered.group == group) else {
            return Ok(false);
        };
        let checked = MemberPackage::check(&self.crypto, package);
        let sound = checked.is_some_and(|one| one.signature_key() == entry.key);
        if !sound || !self.may_be_a_pair(contact) || !self.may_be_one_more(contact) {
            self.drop_letter(Some(contact), DropReason::Room)?;
            return Ok(true);
        }
        let pairing = self.pairs.with(contact);
        pairing.offered = None;
        pairing.at = call.cx.wall();
        self.found_pair(call, contact, offered, (package, entry))?;
        Ok(true)
    }

    fn found_pair(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        offered: OfferedPairRecord,
        answer: (&[u8], &Entry),
    ) -> Result<(), StorageError> {
        let damaged = || StorageError::corrupt("founding a pair");
        let person = self.people.get(&contact).ok_or_else(damaged)?;
        let (conversation, name) = (person.record.conversation, person.record.name.clone());
        let pair = PairRecord {
            group: offered.group,
            conversation,
            turn: offered.turn,
            forgotten: false,
        };
        let key = LeafKey::from_secret(&offered.key).ok_or_else(damaged)?;
        let record = RoomRecord {
            standing: RoomStanding::Member,
            my_name: self.config.name.clone(),
            ..self.new_room(call, offered.group, &name)?
        };
        let room = record.id;
        let policy = GroupPolicy::of_pair().continuing(conversation, offered.turn);
        let Some(founded) = self.make_pair(call, &record, key, &policy, answer.0)? else {
            return self.drop_letter(Some(contact), DropReason::Room);
        };
        self.note_pair(call, pair)?;
        self.add_room(call, record)?;
        self.within(call, room.place(), |this, call| {
            this.enter_founded_pair(call, room, founded, (contact, answer.1))
        })?;
        self.pair_entered(call, room)
    }
}

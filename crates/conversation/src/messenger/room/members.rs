//! The members of a room, present and past.

use core::time::Duration;

use hushwing_sansio::StorageError;

use super::commits::FAREWELL;
use super::{MOST_REMEMBERED, Room};
use crate::branches::{AccountId, StatePrefix};
use crate::messenger::{Call, Messenger};
use crate::storage::MemberRecord;
use crate::{MemberId, RoomId};

/// When who was removed is told so once more.
const AGAIN: Duration = Duration::from_secs(24 * 60 * 60);

impl Messenger {
    /// Those who are told aside that I am writing; nobody if I am not in a room, or if
    /// it is wide.
    pub(in crate::messenger) fn listeners(&self, room: RoomId) -> Vec<MemberId> {
        let room = self.rooms.by_id.get(&room);
        let room = room.filter(|room| room.is_mine() && !room.is_wide());
        let others = room.into_iter().flat_map(Room::strangers);
        others.map(|member| member.member).collect()
    }

    /// Writes a member, and knows it from then on.
    pub(super) fn save_member(
        &mut self,
        call: &mut Call<'_, '_>,
        record: MemberRecord,
    ) -> Result<(), StorageError> {
        call.storage.put_member(&record)?;
        self.rooms.of_member.insert(record.member, record.room);
        let room = self.rooms.find(record.room)?;
        room.members.insert(record.member, record);
        Ok(())
    }

    /// The member whose leaf has this key, made known if it was not.
    pub(super) fn member_for(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        account: &AccountId,
        key: &[u8],
    ) -> Result<MemberId, StorageError> {
        let known = self.rooms.find(room)?;
        if let Some(member) = known.member_by(account, key) {
            return Ok(member.member);
        }
        let mine = known.key == key;
        if known.members.len() >= MOST_REMEMBERED {
            let mut members = known.members.values();
            let oldest = members.find(|member| !member.present);
            if let Some(oldest) = oldest.map(|member| member.member) {
                self.forget_member(call, room, oldest)?;
            }
        }
        let member = MemberId(call.storage.next_number()?);
        let record = MemberRecord {
            room,
            member,
            account: account.as_bytes().to_vec(),
            key: key.to_vec(),
            mine,
            name: String::new(),
            addresses: Vec::new(),
            revision: 0,
            contact: None,
            present: false,
            gone: None,
            told_again: false,
            welcome: None,
            stranded: None,
        };
        self.save_member(call, record)?;
        Ok(member)
    }

    /// Forgets somebody who is out.
    pub(super) fn forget_member(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
    ) -> Result<(), StorageError> {
        self.call_back_welcome(call, room, member)?;
        self.give_up_on(call, &[member])?;
        self.debts.forget(member.place());
        self.notices.forget(member.place());
        let known = self.rooms.find(room)?;
        known.members.remove(&member);
        known.refused.remove(&member);
        known.roll.forget_member(member);
        self.rooms.of_member.remove(&member);
        self.forget_kin(call, room, member)?;
        self.rooms.missing.forget_member(member);
        self.rooms.greetings.forget(member);
        self.rooms.passing.forget_member(member);
        self.rooms.counts.forget_member(member);
        self.rooms.signs.forget_member(member);
        call.storage.remove_member(room, member)
    }

    pub(super) fn mark_present(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        there: &[MemberId],
    ) -> Result<Turns, StorageError> {
        let now = call.cx.wall();
        let known = self.rooms.find(room)?;
        let my_name = known.record.my_name.clone();
        let mut turns = Turns::default();
        for (number, member) in &mut known.members {
            let present = there.contains(number);
            let renamed = member.mine && member.name != my_name;
            if member.present == present && !renamed {
                continue;
            }
            if member.present && !present && !member.mine {
                member.gone = Some(now);
                turns.gone.push(*number);
            }
            if present && !member.present {
                turns.came.push(*number);
            }
            if present && member.gone.take().is_some() {
                member.told_again = false;
                turns.back.push(*number);
                known.former.remove(number);
            }
            member.present = present;
            if renamed {
                member.name.clone_from(&my_name);
            }
            call.storage.put_member(member)?;
        }
        known.part(&turns.gone);
        known.relink();
        match turns.gone.is_empty() && turns.back.is_empty() {
            true => {}
            false => self.save_kin(call, room)?,
        }
        Ok(turns)
    }

    /// A day after somebody was removed they are told once more that they are out: a relay may
    /// have dropped the word, and nobody answers what they say. A steward's program does it, at
    /// a time that nothing of theirs has a part in.
    pub(super) fn tell_the_gone_again(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let wall = call.cx.wall();
        let known = self.rooms.find(room)?;
        if !known.is_mine() || !known.is_steward(&known.record.account) {
            return Ok(());
        }
        let members = known.members.values().filter(|one| {
            let long_ago = one.gone.is_some_and(|at| at + AGAIN <= wall);
            long_ago && !one.mine && !one.told_again && !one.addresses.is_empty()
        });
        let gone: Vec<_> = members.cloned().collect();
        for member in gone {
            let (to, key) = (member.member, member.key.clone());
            let told_again = true;
            self.save_member(
                call,
                MemberRecord {
                    told_again,
                    ..member
                },
            )?;
            let chain = self.keeper(call, room, |keeper, lent| {
                match keeper.out_of(lent, &key)? {
                    Some(state) => keeper.chain_to(lent.rows, StatePrefix::of(&state)),
                    None => Ok(None),
                }
            })?;
            self.hand_out(call, room, to, &chain.unwrap_or_default())?;
        }
        Ok(())
    }

    /// Nothing waits any more for those whose removal nothing undoes.
    pub(super) fn let_go_of_the_gone(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let wall = call.cx.wall();
        let members = self.rooms.find(room)?.members.values();
        let gone = members.filter(|member| member.gone.is_some_and(|at| at + FAREWELL <= wall));
        let gone: Vec<_> = gone.map(|member| member.member).collect();
        for member in &gone {
            if self.rooms.find(room)?.devices_of(*member).next().is_none() {
                self.owe_nothing_to(call, room, *member)?;
            }
            if self.devices.meet_in(room) {
                // A device is told that it is out for as long as it takes.
                continue;
            }
            let Some(record) = self.rooms.find(room)?.members.get(member).cloned() else {
                continue;
            };
            if record.welcome.is_some() || !record.addresses.is_empty() {
                self.cancel_letters_to(call, room, &record.addresses)?;
                let addresses = Vec::new();
                let welcome = None;
                self.save_member(
                    call,
                    MemberRecord {
                        addresses,
                        welcome,
                        ..record
                    },
                )?;
            }
        }
        match gone.is_empty() {
            true => Ok(()),
            false => self.give_up_on(call, &gone),
        }
    }
}

/// Who went out of a room, who came in, and who of these came back as they were.
#[derive(Default)]
pub(in crate::messenger) struct Turns {
    pub(super) gone: Vec<MemberId>,
    pub(super) came: Vec<MemberId>,
    pub(super) back: Vec<MemberId>,
}

impl Turns {
    pub(super) fn is_empty(&self) -> bool {
        self.gone.is_empty() && self.came.is_empty()
    }
}

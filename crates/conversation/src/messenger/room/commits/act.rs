//! What the keeper of a room's branches tells, and what is done about it, in the
//! same transaction.

use hushwing_sansio::StorageError;

use crate::branches::{AccountId, IntentId, Keeper, MakeFault, Succession, Told, Wish, WishFault};
use crate::content::{Avatar, MAX_TIMER};
use crate::event::RoomFault;
use crate::messenger::room::Room;
use crate::messenger::room::members::Turns;
use crate::messenger::stop::Stop;
use crate::messenger::{Call, Messenger};
use crate::storage::{HANDED_ON, RoomStanding};
use crate::view::PendingView;
use crate::{Event, MemberId, Refusal, RoomId};

impl Messenger {
    /// I want a change of a room.
    pub(in crate::messenger) fn want(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        wish: Wish,
    ) -> Result<(), StorageError> {
        let wished = self.keeper(call, room, |keeper, lent| keeper.wish(lent, wish))?;
        match wished {
            Ok((_, told)) => self.act_on(call, room, told)?,
            Err(WishFault::Package | WishFault::Full) => {
                self.tell_unchanged(room, MakeFault::Sense)?;
            }
        }
        self.count_changes(room)
    }

    /// The same, for a command.
    pub(in crate::messenger) fn change_room(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        wish: Wish,
    ) -> Result<crate::Reply, Stop> {
        self.want(call, room, wish)?;
        if self.is_broken_room(room.place()) {
            return Err(Refusal::RoomBroken.into());
        }
        self.tell_room(room);
        self.show_room(room)
    }

    fn count_changes(&mut self, room: RoomId) -> Result<(), StorageError> {
        let keeper = self.rooms.keepers.get(&room);
        let open = keeper.map_or(0, |keeper| keeper.open_intents().count());
        let pending = keeper.into_iter().flat_map(Keeper::pending);
        let pending: Vec<_> = pending
            .map(|(wish, adds)| (wish.clone(), adds.map(<[u8]>::to_vec)))
            .collect();
        let known = self.rooms.find(room)?;
        known.changing = open;
        let shown = pending.iter();
        known.pending = shown
            .flat_map(|(wish, adds)| shown_of(known, wish, adds.as_deref()))
            .collect();
        Ok(())
    }

    /// Acts on what the keeper told, in its order.
    pub(in crate::messenger) fn act_on(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        told: Vec<Told>,
    ) -> Result<(), StorageError> {
        let any = !told.is_empty();
        for one in told {
            match one {
                Told::Publish { commit, bytes } => self.publish(call, room, commit, &bytes)?,
                Told::Followed { left, entered, .. } => {
                    self.followed(call, room, !left.is_empty(), entered.len())?;
                }
                Told::Welcome {
                    state, to, bytes, ..
                } => self.welcome_to(call, room, state, (&to, &bytes))?,
                // What I am follows from the state all of this leads to.
                Told::Removed | Told::Settled(_) => {}
                // It comes by itself.
                Told::Waits(_, MakeFault::TooSoon | MakeFault::Full) => {}
                Told::Waits(wish, _) | Told::GivenUp(wish, _) if self.is_relief(room, wish) => {
                    self.unwish(call, room, wish)?;
                }
                Told::Waits(wish, fault) | Told::GivenUp(wish, fault) => {
                    self.let_wish_go(call, room, wish)?;
                    self.tell_unchanged(room, fault)?;
                }
                Told::Forgotten(_) => {
                    let oldest = self.rooms.keepers.get(&room).map(|k| k.oldest_epoch());
                    let oldest = oldest.unwrap_or(0);
                    self.say_again_in(call, room, 0..oldest)?;
                    self.let_package_go(call, room)?;
                }
            }
        }
        if any {
            self.take_stand(call, room)?;
            self.count_changes(room)?;
            self.tell_room(room);
        }
        self.stay_if_last(call, room)
    }

    /// A device that a person let in comes in by what was committed for it or not at all:
    /// once they were told that it cannot, it is not added later behind their back.
    fn let_wish_go(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        wish: IntentId,
    ) -> Result<(), StorageError> {
        if !self.devices.meet_in(room) {
            return Ok(());
        }
        self.keeper(call, room, |keeper, lent| {
            match matches!(keeper.wish_of(wish), Some(Wish::Add(_))) {
                true => keeper.unwish(lent.rows, wish),
                false => Ok(()),
            }
        })
    }

    /// Whether nobody asked for a wish, but my program replaces heralds by it.
    fn is_relief(&self, room: RoomId, wish: IntentId) -> bool {
        let keeper = self.rooms.keepers.get(&room);
        let wish = keeper.and_then(|keeper| keeper.wish_of(wish));
        matches!(wish, Some(Wish::Relieve { .. }))
    }

    fn unwish(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        wish: IntentId,
    ) -> Result<(), StorageError> {
        self.keeper(call, room, |keeper, lent| keeper.unwish(lent.rows, wish))
    }

    /// Tells faces that a change cannot be had. Who leaves wants no more than that.
    fn tell_unchanged(&mut self, room: RoomId, fault: MakeFault) -> Result<(), StorageError> {
        let reason = match fault {
            MakeFault::NotIn | MakeFault::Rules => RoomFault::NotAllowed,
            _ => RoomFault::Sense,
        };
        let hidden = self.devices.meet_in(room);
        if hidden {
            self.tell(Event::DevicesUnchanged { reason });
        } else if self.rooms.find(room)?.is_mine() {
            self.tell(Event::RoomUnchanged { room, reason });
        }
        Ok(())
    }

    /// Another state is followed.
    fn followed(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        rewound: bool,
        entered: usize,
    ) -> Result<(), StorageError> {
        let turns = self.refresh(call, room)?;
        for member in &turns.gone {
            self.call_back_welcome(call, room, *member)?;
        }
        for member in turns.back.iter().copied() {
            self.welcome_again(call, room, member)?;
            self.resume_debts_to(call, room, member)?;
        }
        if rewound {
            let epoch = self.rooms.keepers.get(&room).map_or(0, |k| k.epoch());
            let entered = u64::try_from(entered).unwrap_or(u64::MAX);
            let common = epoch.saturating_sub(entered);
            self.say_again_in(call, room, common.saturating_add(1)..HANDED_ON)?;
        }
        self.devices_turned(call, room, &turns)?;
        self.pair_turned(call, room)?;
        if !turns.is_empty() {
            self.tell_devices_of_pair(room);
        }
        self.expose_to(call, room, &turns.gone)?;
        match self.rooms.find(room)?.record.standing {
            RoomStanding::Leaving => self.leave_further(call, room),
            _ => {
                self.replace_heralds(call, room)?;
                self.replace_room_mailbox(call, room)
            }
        }
    }

    /// Reads who is in a room now, and what it calls itself. If I am not in it,
    /// what I knew stays: another branch may bring me back.
    pub(in crate::messenger) fn refresh(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<Turns, StorageError> {
        let (members, policy, stewards, key) = self.keeper(call, room, |keeper, lent| {
            let members = keeper.members(lent)?;
            let policy = keeper.policy(lent)?;
            Ok((members, policy, keeper.stewards()?, keeper.signature_key()))
        })?;
        let known = self.rooms.find(room)?;
        let first = core::mem::replace(&mut known.key, key).is_empty();
        let Some(policy) = policy else {
            known.stewards.clear();
            known.named.clear();
            known.disappear_after = None;
            known.picture = None;
            return Ok(Turns::default());
        };
        known.stewards = stewards;
        known.named = policy.heralds();
        let succession = Succession::of(&policy);
        let paired = policy.continues().map(|(_, turn)| u64::from(turn) << 32);
        let founded_anew = succession.as_ref().map(Succession::base);
        known.base = founded_anew.or(paired).unwrap_or(0);
        known.before = succession.map(|succession| succession.group);
        known.narrow = policy.narrow().unwrap_or(usize::MAX);
        known.most = policy.most_leaves().unwrap_or(usize::MAX);
        known.each = policy.most_of_one().unwrap_or(usize::MAX);
        let disappear = policy.disappear_after().map(|after| after.min(MAX_TIMER));
        let otherwise = core::mem::replace(&mut known.disappear_after, disappear) != disappear;
        let otherwise = otherwise && !first;
        // A steward may have set what no face could show.
        let picture = policy
            .picture()
            .map(|picture| Avatar::new(picture.to_vec()));
        known.picture = picture.and_then(Result::ok).filter(Avatar::is_fit);
        let mut there = Vec::new();
        for member in &members {
            let key = &member.signature_key;
            there.push(self.member_for(call, room, &member.account, key)?);
            let known = self.rooms.find(room)?;
            if known.key == *key {
                known.leaf = member.leaf;
            }
        }
        let turns = self.mark_present(call, room, &there)?;
        let known = self.rooms.find(room)?;
        if let Some(name) = crate::content::shown::clean_name(&policy.name)
            && known.record.name != name
        {
            known.record.name = name;
            self.save_room(call, room)?;
        }
        self.note_shared(call, room, policy.shared_since())?;
        if otherwise {
            self.tell_kept(call, room.place())?;
        }
        self.count_changes(room)?;
        Ok(turns)
    }
}

/// What is shown of a wish; nothing of what nobody asked for by a command.
fn shown_of(known: &Room, wish: &Wish, adds: Option<&[u8]>) -> Vec<PendingView> {
    let present = |account: &AccountId| {
        let mut members = known.members.values();
        members.find(|one| one.present && one.account == account.as_bytes())
    };
    let by_account = |account, view: fn(MemberId) -> PendingView| {
        let member = present(account).map(|one| view(known.person(one.member)));
        member.into_iter().collect()
    };
    match wish {
        Wish::Add(_) => {
            let mut members = known.members.values();
            // A further device of mine is nobody whom anybody asked in.
            let member = members.find(|one| {
                adds == Some(one.key.as_slice()) && one.account != known.record.account
            });
            let member = member.map(|one| PendingView::Add(one.member));
            member.into_iter().collect()
        }
        Wish::Remove(account) => by_account(account, PendingView::Remove),
        Wish::Appoint(account) => by_account(account, |one| PendingView::Steward(one, true)),
        Wish::Dismiss(account) => by_account(account, |one| PendingView::Steward(one, false)),
        Wish::Policy(change) => {
            let name = change.name.clone().map(PendingView::Name);
            let disappear = change.disappear.map(PendingView::Disappear);
            name.into_iter().chain(disappear).collect()
        }
        Wish::NameHerald(account) => by_account(account, |one| PendingView::Herald(one, true)),
        Wish::DismissHerald { herald, .. } => {
            by_account(herald, |one| PendingView::Herald(one, false))
        }
        Wish::Picture(picture) => vec![PendingView::Picture(!picture.is_empty())],
        Wish::RemoveLeaf(_)
        | Wish::AddAnew(_)
        | Wish::AddLeafAnew { .. }
        | Wish::Relieve { .. }
        | Wish::Refresh => Vec::new(),
    }
}

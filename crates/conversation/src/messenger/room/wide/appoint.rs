//! Who passes on in a room: a steward says, or a steward's program does.

use hushwing_sansio::StorageError;

use crate::branches::{AccountId, Keeper, MOST_HERALDS, PolicyChange, Wish};
use crate::messenger::room::{Room, account};
use crate::messenger::stop::Stop;
use crate::messenger::{Call, Messenger};
use crate::storage::RoomRollRecord;
use crate::{MemberId, Refusal, Reply, RoomId};

impl Messenger {
    /// Puts a member first among those who pass on, so that the last of three goes; or
    /// takes them from it, and where the room is wide another comes in their place. Who was
    /// dismissed is named by no program before a person names them.
    pub(in crate::messenger) fn set_herald(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
        on: bool,
    ) -> Result<Reply, Stop> {
        let most = self.config.group_size.most();
        let known = self.my_stewardship(room)?;
        let most = most.min(known.most);
        if on && most <= known.narrow {
            return Err(Refusal::NeedsNoHeralds { most }.into());
        }
        let person = known.person(member);
        let mut theirs = known.members.values();
        let named = theirs.find(|one| one.present && known.person(one.member) == person);
        let named = account(&named.ok_or(Refusal::NoMember)?.account)?;
        if on && known.rolled.is_unwilling(named.as_bytes()) {
            return Err(Refusal::HeraldDeclines.into());
        }
        let mut record = known.rolled.clone();
        record.note_dismissed(named.as_bytes(), !on);
        let wish = match on {
            true => Some(Wish::NameHerald(named.clone())),
            false => self.dismissal(room, &record, named.clone())?,
        };
        self.save_roll(call, room, &record)?;
        self.tell_dismissed(call, room, named, !on)?;
        match wish {
            Some(wish) => self.change_room(call, room, wish),
            None => self.show_room(room),
        }
    }

    /// The wish that somebody passes on no longer, if they do or are about to.
    fn dismissal(
        &mut self,
        room: RoomId,
        record: &RoomRollRecord,
        herald: AccountId,
    ) -> Result<Option<Wish>, Stop> {
        let mut named = self.rooms.find(room)?.named_and_present();
        let keeper = self.rooms.keepers.get(&room).into_iter();
        for (wish, _) in keeper.flat_map(Keeper::pending) {
            match wish {
                Wish::NameHerald(one) => named.push(one.clone()),
                Wish::DismissHerald { herald, .. } => named.retain(|one| one != herald),
                _ => {}
            }
        }
        let before = named.len();
        named.retain(|one| *one != herald);
        if named.len() == before {
            return Ok(None);
        }
        let known = self.rooms.find(room)?;
        let mut by = match known.is_wide() {
            true => successors(known, record)?,
            false => Vec::new(),
        };
        by.retain(|one| *one != herald && !named.contains(one));
        by.truncate(MOST_HERALDS);
        if known.is_wide() && named.is_empty() && by.is_empty() {
            return Err(Refusal::LastHerald.into());
        }
        Ok(Some(Wish::DismissHerald { herald, by }))
    }

    /// Sees to it that three pass on where `coming` more make a room too large to do
    /// without: stewards first, then who was there first.
    pub(in crate::messenger) fn name_heralds(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        coming: usize,
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        let mut heralds = known.named_and_present();
        let enough = heralds.len() == MOST_HERALDS || known.size() + coming <= known.narrow;
        if enough || !known.is_mine() {
            return Ok(());
        }
        for account in successors(known, &known.rolled)? {
            if heralds.len() < MOST_HERALDS && !heralds.contains(&account) {
                heralds.push(account);
            }
        }
        if heralds == known.named {
            return Ok(());
        }
        let change = PolicyChange {
            heralds: Some(heralds),
            ..PolicyChange::default()
        };
        self.want(call, room, Wish::Policy(change))
    }

    /// The first steward sees to it that a wide room has heralds when some of them left.
    pub(in crate::messenger) fn replace_heralds(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        let first = known.stewards.first();
        let mine = first.is_some_and(|first| first.as_bytes() == known.record.account);
        match mine {
            true => self.name_heralds(call, room, 0),
            false => Ok(()),
        }
    }
}

/// Who may be named, in which order: stewards first, then who was there first. Who was silent
/// comes last: a group without heralds could not grow.
fn successors(known: &Room, record: &RoomRollRecord) -> Result<Vec<AccountId>, StorageError> {
    let present = known.members.values().filter(|member| member.present);
    let reachable = present.filter(|member| member.mine || !member.addresses.is_empty());
    let mut members: Vec<_> = reachable
        .filter(|one| !record.is_unwilling(&one.account) && !record.was_dismissed(&one.account))
        .collect();
    members.sort_by_key(|member| {
        let passed_over = !record.may_be_named(&member.account);
        (passed_over, !known.is_steward(&member.account))
    });
    let mut accounts = Vec::new();
    for member in members {
        let account = account(&member.account)?;
        if !accounts.contains(&account) {
            accounts.push(account);
        }
    }
    Ok(accounts)
}

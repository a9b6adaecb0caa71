//! Who passes on in a room: a steward says, or a steward's program does.

use hushwing_sansio::StorageError;

use crate::branches::{AccountId, MOST_HERALDS, PolicyChange, Wish};
use crate::messenger::room::{Room, account};
use crate::messenger::stop::Stop;
use crate::messenger::{Call, Messenger};
use crate::{MemberId, Refusal, Reply, RoomId};

impl Messenger {
    /// Puts a member first among those who pass on, so that the last of three goes; or
    /// takes them from it, and another comes in their place.
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
        let mut heralds = known.named_and_present();
        let before = heralds.len();
        heralds.retain(|one| *one != named);
        match on {
            true => heralds.insert(0, named),
            false if heralds.len() == before => return self.show_room(room),
            false if known.is_wide() => fill(&mut heralds, known, Some(&named))?,
            false => {}
        }
        heralds.truncate(MOST_HERALDS);
        let change = PolicyChange {
            heralds: Some(heralds),
            ..PolicyChange::default()
        };
        self.change_room(call, room, Wish::Policy(change))
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
        fill(&mut heralds, known, None)?;
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

/// Adds to those who pass on as many as there may be: stewards, and who was there first,
/// but one.
fn fill(
    heralds: &mut Vec<AccountId>,
    known: &Room,
    but: Option<&AccountId>,
) -> Result<(), StorageError> {
    let present = known.members.values().filter(|member| member.present);
    let reachable = present.filter(|member| member.mine || !member.addresses.is_empty());
    let mut members: Vec<_> = reachable.collect();
    // Who was silent comes last: a group without heralds could not grow.
    members.sort_by_key(|member| {
        let passed_over = !known.rolled.may_be_named(&member.account);
        (passed_over, !known.is_steward(&member.account))
    });
    for member in members {
        let account = account(&member.account)?;
        let declines = known.rolled.is_unwilling(account.as_bytes());
        let taken = heralds.contains(&account) || but == Some(&account) || declines;
        if heralds.len() < MOST_HERALDS && !taken {
            heralds.push(account);
        }
    }
    Ok(())
}

//! One room as this program knows it.

use std::collections::{BTreeMap, BTreeSet};

use hushwing_sansio::{Moment, StorageError, Timestamp};

use super::account;
use super::closing::Look;
use super::commits::Renewal;
use super::entry::Question;
use super::wide::Roll;
use crate::branches::AccountId;
use crate::content::{Avatar, Lamport, Origin};
use crate::messenger::people::Tail;
use crate::storage::{
    ConversationRecord, MemberRecord, Position, RoomRecord, RoomRollRecord, RoomStanding,
    SeenRecord,
};
use crate::view::{MemberView, PendingView, RoomView, Speaker};
use crate::{ConversationId, MemberId, Storage};

/// A room with what would be slow to read for each message.
pub(in crate::messenger) struct Room {
    pub(in crate::messenger) record: RoomRecord,
    /// How I keep it.
    pub(in crate::messenger) kept: ConversationRecord,
    pub(in crate::messenger) members: BTreeMap<MemberId, MemberRecord>,
    /// Further devices, and the member by whom their owner is known.
    pub(super) kin: BTreeMap<MemberId, MemberId>,
    /// Which leaves members say are other devices of theirs.
    pub(super) claims: BTreeMap<MemberId, BTreeSet<[u8; 32]>>,
    /// Who is gone, and the member by whom their owner was known then.
    pub(super) former: BTreeMap<MemberId, MemberId>,
    /// The leaves that good devices of mine proved to be theirs.
    pub(super) own: BTreeSet<[u8; 32]>,
    /// Most leaves of one account.
    pub(super) each: usize,
    /// The group in whose place this one was founded, if in one's.
    pub(super) before: Option<ConversationId>,
    /// Leaves of my account that nobody proved or vouches for, and since when that is so.
    pub(super) doubted: BTreeMap<Vec<u8>, Moment>,
    /// Up to where another device of mine read.
    pub(super) seen: Option<Position>,
    pub(in crate::messenger) tail: Tail,
    /// Those in force, by account.
    pub(super) stewards: Vec<AccountId>,
    /// Those named to pass on what others say, and how many leaves get on without.
    pub(super) named: Vec<AccountId>,
    pub(super) narrow: usize,
    /// What epochs are shown above, for rooms that were founded anew.
    pub(super) base: u64,
    /// How many leaves there may be.
    pub(super) most: usize,
    /// Seconds after reading until what is said disappears.
    pub(in crate::messenger) disappear_after: Option<u32>,
    /// The picture that all see.
    pub(super) picture: Option<Avatar>,
    /// My leaf in the state that is followed, and its public signature key.
    pub(super) leaf: u32,
    pub(super) key: Vec<u8>,
    /// Changes of mine that a fork can still undo.
    pub(super) changing: usize,
    /// Those that are not so yet.
    pub(super) pending: Vec<PendingView>,
    /// When I greet, and when I greeted last in this run.
    pub(super) greets: Option<Moment>,
    /// Until when no further mailbox is asked for, since none could be made.
    pub(super) rests: Option<Moment>,
    pub(super) greeted: Option<Moment>,
    /// When I move to another mailbox, where all do one after the other.
    pub(super) moves: Option<Moment>,
    /// When it is looked at next whether old mailboxes are closed.
    pub(super) closes: Option<Look>,
    /// The accounts that said that they leave, and until when that counts.
    pub(super) leavers: BTreeMap<Vec<u8>, Moment>,
    /// Those who took nothing any more at any address I know, in a wide group: they moved, and
    /// I never heard where to.
    pub(super) refused: BTreeSet<MemberId>,
    /// When it is asked for those who are missing.
    pub(super) question: Option<Question>,
    /// When a letter of it came last in this run.
    pub(super) heard: Option<Moment>,
    /// How far it is that keys of mine are renewed.
    pub(super) renewal: Renewal,
    /// Who answers of those who pass on.
    pub(super) roll: Roll,
    /// What is written down of that, and who does not want to pass on.
    pub(super) rolled: RoomRollRecord,
    /// When the keeper is to look at the calendar.
    pub(super) daily: Moment,
}

impl Room {
    pub(super) fn new(record: RoomRecord) -> Self {
        Self {
            record,
            kept: ConversationRecord::default(),
            members: BTreeMap::new(),
            kin: BTreeMap::new(),
            claims: BTreeMap::new(),
            former: BTreeMap::new(),
            own: BTreeSet::new(),
            each: 1,
            before: None,
            doubted: BTreeMap::new(),
            seen: None,
            tail: Tail::new(),
            stewards: Vec::new(),
            named: Vec::new(),
            narrow: usize::MAX,
            base: 0,
            most: usize::MAX,
            disappear_after: None,
            picture: None,
            leaf: 0,
            key: Vec::new(),
            changing: 0,
            pending: Vec::new(),
            greets: None,
            rests: None,
            greeted: None,
            moves: None,
            closes: None,
            leavers: BTreeMap::new(),
            refused: BTreeSet::new(),
            question: None,
            heard: None,
            renewal: Renewal::default(),
            roll: Roll::default(),
            rolled: RoomRollRecord::default(),
            daily: Moment::default(),
        }
    }

    pub(super) fn read(&mut self, storage: &dyn Storage) -> Result<(), StorageError> {
        let members = storage.members(self.record.id)?.into_iter();
        self.members = members.map(|record| (record.member, record)).collect();
        self.read_kin(storage)?;
        self.rolled = RoomRollRecord::of(storage, self.record.id)?.unwrap_or_default();
        self.seen = SeenRecord::of(storage, self.record.id)?;
        let kept = storage.conversation(self.record.conversation)?;
        self.kept = kept.unwrap_or_default();
        let place = self.record.id.place();
        let lamport = storage.highest_lamport(place)?;
        self.tail.lamport = Lamport::new(lamport).unwrap_or(Lamport::MAX);
        self.tail.last = storage.last_position(place)?;
        Ok(())
    }

    /// The account I am here.
    pub(super) fn account(&self) -> Result<AccountId, StorageError> {
        account(&self.record.account)
    }

    /// The member whose leaf has this key, present or past. An account alone says
    /// nothing: a steward can put another leaf under the account of who is out.
    pub(super) fn member_by(&self, account: &AccountId, key: &[u8]) -> Option<&MemberRecord> {
        let mut members = self.members.values();
        members.find(|member| member.key == key && member.account == account.as_bytes())
    }

    /// The member whose leaf has this key in the state that is followed.
    pub(super) fn present(&self, key: &[u8]) -> Option<&MemberRecord> {
        let mut members = self.members.values();
        members.find(|member| member.present && member.key == key)
    }

    /// Those a message of mine is for.
    pub(super) fn others(&self) -> impl Iterator<Item = &MemberRecord> {
        let members = self.members.values();
        members.filter(|member| member.present && !member.mine)
    }

    /// Since when newcomers are handed what was said, if they are.
    pub(super) fn shared_since(&self) -> Option<Timestamp> {
        let shared = self.record.shared;
        shared.map(|shared| Timestamp::from_millis(shared.since))
    }

    /// How many are in it.
    pub(super) fn size(&self) -> usize {
        self.members
            .values()
            .filter(|member| member.present)
            .count()
    }

    pub(super) fn is_steward(&self, account: &[u8]) -> bool {
        self.stewards.iter().any(|one| one.as_bytes() == account)
    }

    /// Whether who has this leaf may say who is in it, and lead me into it again: a
    /// steward, or I myself by another device. Who is of my account and proved nothing is
    /// neither.
    pub(super) fn leads(&self, account: &[u8], leaf: &[u8]) -> bool {
        match self.record.account == account {
            true => self.is_proved(leaf),
            false => self.is_steward(account),
        }
    }

    /// Whether I am in it and may speak.
    pub(super) fn is_mine(&self) -> bool {
        self.record.standing == RoomStanding::Member
    }

    /// The epoch of the group in which something was said first, by where it is shown.
    pub(super) fn epoch_of(&self, position: &Position) -> u64 {
        position.epoch.saturating_sub(self.base)
    }

    /// The origin of what the leaf with this key says here.
    pub(super) fn origin(&self, key: &[u8]) -> Result<Origin, StorageError> {
        Origin::new(key, &self.record.conversation.0)
            .ok_or_else(|| StorageError::corrupt("naming a speaker"))
    }

    /// Takes note of a message that is in the room now.
    pub(super) fn note(&mut self, position: Position) {
        let lamport = Lamport::new(position.lamport).unwrap_or(Lamport::MAX);
        self.tail.lamport = self.tail.lamport.max(lamport);
        if self.tail.last.is_none_or(|last| last < position) {
            self.tail.last = Some(position);
        }
    }

    /// Who is named by the URI of a sender.
    pub(in crate::messenger) fn named_by(&self, uri: &str) -> Option<Speaker> {
        let of_uri = |member: &&MemberRecord| Origin::sender_uri(&member.key) == uri;
        let all = || self.members.values().filter(of_uri);
        let member = all()
            .find(|member| member.present)
            .or_else(|| all().next())?;
        Some(match self.is_own(member.member) {
            true => Speaker::Me,
            false => Speaker::Member(self.person(member.member)),
        })
    }

    /// What those present are called, and the URIs that name them.
    pub(in crate::messenger) fn names(&self) -> Vec<(&str, String)> {
        let present = self.members.values().filter(|member| member.present);
        present
            .map(|member| (member.name.as_str(), Origin::sender_uri(&member.key)))
            .collect()
    }

    pub(super) fn view(&self) -> RoomView {
        let heralds = self.heralds();
        // As whom I was here before says nothing to anybody.
        let shown = self.members.values();
        let shown = shown.filter(|member| match member.account == self.record.account {
            true => member.present || member.key == self.key,
            false => !member.mine,
        });
        let shown = shown.filter(|member| self.person(member.member) == member.member);
        let mut people: BTreeMap<MemberId, Vec<&MemberRecord>> = BTreeMap::new();
        for one in self.members.values() {
            people.entry(self.person(one.member)).or_default().push(one);
        }
        let members = shown.map(|person| {
            let theirs = people.get(&person.member).map_or(&[][..], Vec::as_slice);
            let there = theirs.iter().filter(|one| one.present);
            MemberView {
                member: person.member,
                name: person.name.clone(),
                me: person.mine,
                steward: self.is_steward(&person.account) && there.clone().next().is_some(),
                herald: theirs.iter().any(|one| heralds.includes(one.member)),
                sign: theirs
                    .iter()
                    .filter_map(|one| self.roll.sign(one.member))
                    .max(),
                declines: theirs
                    .iter()
                    .any(|one| self.rolled.is_unwilling(&one.account)),
                devices: there.count(),
                present: theirs.iter().any(|one| one.present),
                reachable: theirs.iter().any(|one| !one.addresses.is_empty()),
                contact: theirs.iter().find_map(|one| one.contact),
            }
        });
        let offered = matches!(
            self.record.standing,
            RoomStanding::Offered | RoomStanding::Joining
        );
        RoomView {
            room: self.record.id,
            conversation: self.record.conversation,
            name: self.record.name.clone(),
            channel: false,
            standing: self.record.standing,
            offered_by: self.record.offered_by,
            offered: self.record.is_offered(),
            asked: self
                .record
                .asked
                .iter()
                .map(|asked| asked.contact)
                .collect(),
            members: members.collect(),
            size: match offered {
                true => usize::try_from(self.record.told_size).unwrap_or(usize::MAX),
                false => self.people(),
            },
            disappear_after: self.disappear_after,
            avatar: self.picture.as_ref().map(Avatar::hash),
            shared_since: self.shared_since(),
            changing: self.changing,
            pending: self.pending.clone(),
            since: self.record.since,
        }
    }
}

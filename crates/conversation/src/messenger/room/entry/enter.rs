//! Getting in: my mailbox, my answer, who is there, and greeting them.

use core::time::Duration;

use hushwing_delivery::{Address, LetterId, SealKey};
use hushwing_sansio::{Moment, StorageError};

use crate::branches::{AccountId, Keeper, Lent, OwnPackage};
use crate::content::{Content, Entry, RoomStep, RoomWord};
use crate::messenger::mailbox::shared_address;
use crate::messenger::room::commits::Budgets;
use crate::messenger::room::{Room, account, key};
use crate::messenger::{Call, Messenger};
use crate::mls::LeafKey;
use crate::storage::{PackageRecord, RoomStanding};
use crate::{DropReason, MemberId, RoomId, Secret};

/// Addresses of one member that are told and kept.
pub(in crate::messenger::room) const MOST_ADDRESSES: usize = 4;
/// Between two greetings of mine in one room: whoever asks for them over and
/// over must not make everybody write to everybody.
pub(in crate::messenger::room) const GREETING_REST: Duration = Duration::from_secs(30);
/// Letters of what I know of others that one member gets at once: as many as tell of 500, for
/// whoever was away while these came in, and some that are lost.
const TOLD_AT_ONCE: u32 = 10;
/// How often I greet and ask on in a room since I was told of others, at once, and the time in
/// which I may once more.
const MOST_FOLLOWED: u32 = 16;
const FOLLOWED_EVERY: Duration = Duration::from_secs(225);

/// Answers to the greetings of one member: so many at once, and one more in the
/// time in which an honest member greets once.
pub(in crate::messenger) struct Greetings {
    of_me: Budgets,
    /// What I know of others takes more room: all of a large group at once, and one letter
    /// an hour.
    of_others: Budgets,
    /// What I say and ask because I was told of others in a room.
    followed: Budgets,
}

impl Default for Greetings {
    fn default() -> Self {
        Self {
            of_me: Budgets::new(4, GREETING_REST),
            of_others: Budgets::new(TOLD_AT_ONCE, Duration::from_secs(60 * 60)),
            followed: Budgets::new(MOST_FOLLOWED, FOLLOWED_EVERY),
        }
    }
}

impl Greetings {
    pub(super) fn may_answer(&mut self, member: MemberId, now: Moment) -> bool {
        self.of_me.take(member, 1, now)
    }

    pub(super) fn may_be_told_of_others(&mut self, member: MemberId, now: Moment) -> bool {
        self.of_others.take(member, 1, now)
    }

    fn may_follow(&mut self, room: RoomId, now: Moment) -> bool {
        self.followed.take(MemberId(room.0), 1, now)
    }

    /// Forgets a member.
    pub(in crate::messenger) fn forget(&mut self, member: MemberId) {
        self.of_me.forget(member);
        self.of_others.forget(member);
    }
}

impl Messenger {
    /// Answers who offered a room, once.
    pub(in crate::messenger) fn answer(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let record = &self.rooms.find(room)?.record;
        let (Some(offer), None) = (record.offer.clone(), &record.package) else {
            return Ok(());
        };
        // Of this entry alone: as whom I was here before says nothing any more.
        let me = account(&call.cx.random::<16>())?;
        let mut lent = Lent {
            crypto: &self.crypto,
            cx: &mut *call.cx,
            rows: &mut *call.storage,
        };
        let package = OwnPackage::make(&mut lent, &me)?;
        let record = &mut self.rooms.find(room)?.record;
        record.package = Some(PackageRecord {
            account: me.as_bytes().to_vec(),
            by: offer.by,
            steward: offer.key,
            reference: package.reference,
            message: package.message,
            key: package.key,
            entered: None,
        });
        self.save_room(call, room)?;
        self.say_answer(call, room)
    }

    /// Says the answer, or says it again: as the same leaf, and where I am written to
    /// now.
    pub(in crate::messenger) fn say_answer(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<(), StorageError> {
        let record = &self.rooms.find(room)?.record;
        let conversation = record.conversation;
        let package = record.package.clone();
        let Some(package) = package.filter(|_| !self.devices.meet_in(room)) else {
            return Ok(());
        };
        let key = LeafKey::from_secret(&package.key);
        let key = key.ok_or_else(|| StorageError::corrupt("reading the key of a package"))?;
        if self.say_come(call, room, &package, &key)? {
            return Ok(());
        }
        let entry = self.entry_of(room, key.public())?;
        let word = RoomWord {
            room: conversation,
            step: RoomStep::Answer {
                package: package.message,
                entry,
            },
        };
        self.say_of_room(call, package.by, word)
    }

    /// Who I am in a room.
    pub(in crate::messenger) fn my_entry(&mut self, room: RoomId) -> Result<Entry, StorageError> {
        let mine = key(&self.rooms.find(room)?.key)?;
        self.entry_of(room, mine)
    }

    pub(in crate::messenger) fn entry_of(
        &mut self,
        room: RoomId,
        key: [u8; 32],
    ) -> Result<Entry, StorageError> {
        let service = self.in_service(room);
        let record = &self.rooms.find(room)?.record;
        let mailboxes = service.iter().filter_map(|id| self.mailboxes.get(id));
        let addresses = mailboxes.filter_map(shared_address);
        Ok(Entry {
            key,
            name: match record.my_name.is_empty() {
                true => "?".to_owned(),
                false => record.my_name.clone(),
            },
            revision: record.revision,
            addresses: addresses
                .take(MOST_ADDRESSES)
                .map(|to| to.encode())
                .collect(),
        })
    }

    /// Whether anything is kept of a room's branches.
    pub(in crate::messenger) fn has_keeper(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
    ) -> Result<bool, StorageError> {
        if self.rooms.keepers.contains_key(&room) {
            return Ok(true);
        }
        let record = &self.rooms.find(room)?.record;
        if matches!(
            record.standing,
            RoomStanding::Broken | RoomStanding::Restoring
        ) || self.devices.is_stale(room)
        {
            // What a backup brought must not be used again.
            return Ok(false);
        }
        let id = record.conversation;
        let mut lent = Lent {
            crypto: &self.crypto,
            cx: &mut *call.cx,
            rows: &mut *call.storage,
        };
        let keeper = Keeper::open(&mut lent, id)?;
        let found = keeper.is_some();
        self.rooms
            .keepers
            .extend(keeper.map(|keeper| (room, keeper)));
        Ok(found)
    }

    /// A member told who they are, to me alone; or a steward told who is there, which
    /// is taken of those of whom nothing is known, until they tell themselves.
    pub(in crate::messenger) fn heard_roster(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        (by, leaf): (&AccountId, &[u8]),
        entries: &[Entry],
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        let their_own = |entry: &Entry| entry.key == leaf;
        // Where devices meet all are of one account, and nobody else can be.
        let leads = self.devices.meet_in(room) || known.leads(by.as_bytes(), leaf);
        if !leads && !entries.iter().all(their_own) {
            return self.drop_letter(None, DropReason::Room);
        }
        let of = |known: &Room, entry: &Entry| {
            let record = known.present(&entry.key)?;
            let lacks = known.lacks_addresses(record, entry);
            let name = (record.revision > 0).then(|| record.name.clone());
            (!record.mine).then_some((record.member, record.revision, name, lacks))
        };
        let mut found = 0;
        for entry in entries {
            let Some((member, revision, name, lacks)) = of(self.rooms.find(room)?, entry) else {
                continue;
            };
            if their_own(entry) {
                self.learn(call, room, member, entry)?;
            } else if lacks {
                // What they told themselves of their name stands, and what they tell later.
                let name = name.unwrap_or_else(|| entry.name.clone());
                let entry = Entry {
                    name,
                    ..entry.clone()
                };
                self.set_addresses(call, room, member, &entry, revision)?;
                let known = self.rooms.find(room)?;
                let record = known.members.get(&member);
                found += usize::from(record.is_some_and(|one| known.reaches(one)));
            }
        }
        self.tell_room(room);
        // An entry without addresses is no news, nor one of the teller, however often it is told.
        if found == 0 || !self.rooms.greetings.may_follow(room, call.cx.now()) {
            return Ok(());
        }
        self.ask_on(call, room, found)?;
        self.greet_room(call, room)
    }

    /// Somebody greeted.
    pub(in crate::messenger) fn heard_greeting(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
        entry: &Entry,
        told: &[([u8; 32], u64)],
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        let Some(record) = known.members.get_mut(&member) else {
            return Ok(());
        };
        if record.key != entry.key {
            return self.drop_letter(None, DropReason::Room);
        }
        if let Some(welcome) = record.welcome.take() {
            call.storage.put_member(record)?;
            if let Some(letter) = welcome.letter {
                self.office
                    .settle(call.cx, &mut *call.storage, LetterId(letter))?;
            }
        }
        self.learn(call, room, member, entry)?;
        self.device_greeted(call, room, member, false)?;
        self.tell_room(room);
        let known = self.rooms.find(room)?;
        let record = &known.record;
        let mut told = told.iter();
        let mine = told.find(|(key, _)| key.as_slice() == known.key);
        let knows_me = mine.is_some_and(|(_, revision)| *revision >= record.revision);
        let bare = record.mailbox.is_none();
        let quiet = self.is_quiet(room)?;
        let now = call.cx.now();
        // Whoever greets over and over may give an address that nobody reads.
        match knows_me || bare || quiet || !self.rooms.greetings.may_answer(member, now) {
            true => Ok(()),
            false => self.greet_one(call, room, member),
        }
    }

    /// Whether others answer greetings: in a wide group many would, and who greets
    /// needs to know those who change it and pass on.
    fn is_quiet(&mut self, room: RoomId) -> Result<bool, StorageError> {
        let known = self.rooms.find(room)?;
        let me = known.me().and_then(|me| known.members.get(&me));
        Ok(known.is_wide() && !me.is_some_and(|me| known.is_sought(me)))
    }

    /// Tells one member who I am: they do not know, or only by hearsay.
    pub(super) fn greet_one(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
    ) -> Result<(), StorageError> {
        let entry = self.my_entry(room)?;
        let content = Content::Room(RoomWord {
            room: self.rooms.find(room)?.record.conversation,
            step: RoomStep::Roster(vec![entry]),
        });
        self.say_aside(call, room, member, &content)?;
        match self.some_claims(room)? {
            Some(mine) => self.say_aside(call, room, member, &mine).map(drop),
            None => Ok(()),
        }
    }

    /// Where to write to somebody, and what they are called, as they told
    /// themselves.
    pub(in crate::messenger) fn learn(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
        entry: &Entry,
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?.members.get(&member);
        match known.is_some_and(|known| entry.revision > known.revision) {
            true => self.set_addresses(call, room, member, entry, entry.revision),
            false => Ok(()),
        }
    }

    /// Writes to a member there from now on. What waited for them leaves, and what
    /// was on its way is said again.
    fn set_addresses(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        member: MemberId,
        entry: &Entry,
        revision: u64,
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        let Some(mut record) = known.members.get(&member).cloned() else {
            return Ok(());
        };
        // Among members there are shared secrets only: letters to others must be
        // short.
        let usable = entry.addresses.iter().filter(|bytes| {
            let seal = Address::decode(bytes).map(|to| to.seal);
            matches!(seal, Ok(SealKey::Shared(_)))
        });
        let usable = usable.take(MOST_ADDRESSES);
        let addresses: Vec<Secret> = usable.map(|to| Secret::new(to.clone())).collect();
        let before = core::mem::replace(&mut record.addresses, addresses);
        let moved = record.addresses != before;
        record.revision = revision;
        // Where devices meet a name is what its device said first: what a person let in by
        // its name does not take another's later, and no other device names it.
        let hearsay = revision == 0 || !record.name.is_empty();
        if !self.devices.meet_in(room) || !hearsay {
            record.name.clone_from(&entry.name);
        }
        self.save_member(call, record)?;
        if !moved {
            return Ok(());
        }
        self.rooms.find(room)?.refused.remove(&member);
        self.cancel_letters_to(call, room, &before)?;
        self.call_back_welcome(call, room, member)?;
        let there = self.rooms.find(room)?;
        if there.others().any(|one| one.member == member) {
            self.welcome_again(call, room, member)?;
        }
        self.strand(call, room, member, call.cx.now())?;
        self.device_greeted(call, room, member, true)?;
        match before.is_empty() {
            // What was owed could not leave before.
            true => self.resume_debts_to(call, room, member),
            false => Ok(()),
        }
    }
}

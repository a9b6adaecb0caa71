//! What a text costs its author in the largest group: a whole messenger over a
//! profile's file, in a group of which the other leaves are nobody's.

use std::time::Duration;

use hushwing_conversation::branches::{
    AccountId, CommitHash, Crypto, GroupPolicy, Keeper, Lent, Member, OwnPackage, PolicyChange,
    Told, Wish,
};
use hushwing_conversation::storage::{MemberRecord, RoomRecord};
use hushwing_conversation::{
    Command, Config, ConversationId, GroupSize, Incoming, MemberId, MemoryStorage, Messenger,
    Outgoing, RoomId, RoomStanding, Secret, Ticket,
};
use hushwing_delivery::{Address, Locator, NetworkCommand, NetworkTag, SealKey};
use hushwing_sansio::{Context, Input, Machine as _, Moment, Output, StorageError, Timestamp};
use hushwing_transport::OsEntropy;

use crate::BenchError;
use crate::clock::{cost, millis};
use crate::conversation::desk::{Desk as _, Profile, storage};

const GROUP: ConversationId = ConversationId([8; 16]);
const BEGINNING: Timestamp = Timestamp::from_secs(1_800_000_000);
/// Between two commits, so that none of them waits.
const REST: Duration = Duration::from_secs(130);

/// What one text took.
pub(super) struct Spent {
    pub(super) envelopes: usize,
    /// Milliseconds of processor time until they could leave.
    pub(super) time: f64,
}

/// Somebody in a group with so many leaves, who is none of its heralds.
pub(super) struct Author {
    desk: Profile,
    room: RoomId,
    messenger: Messenger,
    now: Duration,
}

fn account(number: u16) -> Result<AccountId, BenchError> {
    let mut bytes = [0; 16];
    bytes[..2].copy_from_slice(&number.to_be_bytes());
    AccountId::try_from(bytes.as_slice()).map_err(BenchError::bug("an account cannot be named"))
}

/// As large as the rules allow, which the program does not yet.
const WIDE: GroupSize = GroupSize {
    narrow: 32,
    most: 500,
};

impl Author {
    pub(super) fn among(leaves: u16) -> Result<Self, BenchError> {
        let mut group = Group::found()?;
        let narrow = WIDE.narrow;
        group.add(2..narrow)?;
        let heralds = (2..5).map(account).collect::<Result<_, _>>()?;
        group.want(vec![Wish::Policy(PolicyChange {
            heralds: Some(heralds),
            ..PolicyChange::default()
        })])?;
        group.add(narrow..leaves + 1)?;
        let room = group.keep()?;
        let Group { mut desk, now, .. } = group;
        let config = Config {
            name: "Alice".to_owned(),
            network: NetworkTag::TOY,
            group_size: WIDE,
            ..Config::default()
        };
        let messenger = Messenger::open(desk.lend(), config).map_err(storage)?;
        let mut author = Self {
            desk,
            room,
            messenger,
            now,
        };
        author.call(Input::Timeout)?;
        Ok(author)
    }

    /// Says a text.
    pub(super) fn say(&mut self, text: &str) -> Result<Spent, BenchError> {
        self.now += Duration::from_secs(1);
        let mut envelopes = 0;
        let send = Command::Send {
            contact: self.room.place(),
            text: text.into(),
            reply_to: None,
        };
        let mut ask = Some(Incoming::Ask {
            ticket: Ticket(1),
            command: send,
        });
        let time = cost(1, || {
            let ask = ask.take().ok_or(BenchError::Bug("a text was said twice"))?;
            envelopes = self.call(Input::Command(ask))?;
            Ok(())
        })?;
        Ok(Spent {
            envelopes,
            time: millis(Duration::from_secs_f64(time / 1e6)),
        })
    }

    /// One call in a transaction; how many envelopes leave.
    fn call(&mut self, input: Input<Incoming>) -> Result<usize, BenchError> {
        let mut entropy = OsEntropy;
        let now = Moment::from_origin(self.now);
        let mut cx = Context::new(now, BEGINNING + self.now, &mut entropy);
        self.desk.begin().map_err(storage)?;
        self.messenger
            .handle(&mut cx, self.desk.lend(), input)
            .map_err(storage)?;
        self.desk.commit().map_err(storage)?;
        let mut envelopes = 0;
        while let Some(output) = self.messenger.poll_output() {
            let sends = matches!(
                output,
                Output::Event(Outgoing::Network {
                    command: NetworkCommand::Send { .. },
                    ..
                })
            );
            envelopes += usize::from(sends);
        }
        Ok(envelopes)
    }
}

/// The group while it is made.
struct Group {
    desk: Profile,
    crypto: Crypto,
    keeper: Option<Keeper>,
    now: Duration,
}

impl Group {
    fn found() -> Result<Self, BenchError> {
        let mut group = Self {
            desk: Profile::new()?,
            crypto: Crypto::default(),
            keeper: None,
            now: Duration::ZERO,
        };
        let me = account(1)?;
        let policy = GroupPolicy::of_group(vec![me.clone()], "many")
            .bounded(WIDE.most)
            .heralded(WIDE.narrow, &[])
            .bounded_each(3);
        group.lend(|keeper, lent| {
            *keeper = Keeper::found(lent, GROUP, &me, &policy)?.ok();
            Ok(())
        })?;
        Ok(group)
    }

    fn lend<T>(
        &mut self,
        act: impl FnOnce(&mut Option<Keeper>, &mut Lent<'_, '_>) -> Result<T, StorageError>,
    ) -> Result<T, BenchError> {
        let mut entropy = OsEntropy;
        let now = Moment::from_origin(self.now);
        let mut cx = Context::new(now, BEGINNING + self.now, &mut entropy);
        self.desk.begin().map_err(storage)?;
        let mut lent = Lent {
            crypto: &self.crypto,
            cx: &mut cx,
            rows: self.desk.lend(),
        };
        let done = act(&mut self.keeper, &mut lent).map_err(storage)?;
        self.desk.commit().map_err(storage)?;
        Ok(done)
    }

    fn with<T>(
        &mut self,
        act: impl FnOnce(&mut Keeper, &mut Lent<'_, '_>) -> Result<T, StorageError>,
    ) -> Result<T, BenchError> {
        let nobody = || StorageError::corrupt("finding a keeper");
        self.lend(|keeper, lent| act(keeper.as_mut().ok_or_else(nobody)?, lent))
    }

    /// Adds leaves whose private keys nobody keeps.
    fn add(&mut self, numbers: core::ops::Range<u16>) -> Result<(), BenchError> {
        let mut wishes = Vec::new();
        for number in numbers {
            let account = account(number)?;
            let mut rows = MemoryStorage::new();
            let mut entropy = OsEntropy;
            let mut cx = Context::new(Moment::default(), BEGINNING, &mut entropy);
            let mut lent = Lent {
                crypto: &self.crypto,
                cx: &mut cx,
                rows: &mut rows,
            };
            let package = OwnPackage::make(&mut lent, &account).map_err(storage)?;
            wishes.push(Wish::Add(package.message));
        }
        self.want(wishes)
    }

    /// Wishes, and makes commits until all are fulfilled.
    fn want(&mut self, wishes: Vec<Wish>) -> Result<(), BenchError> {
        let mut commits: Vec<CommitHash> = Vec::new();
        for wish in wishes {
            let told = self.with(|keeper, lent| keeper.wish(lent, wish))?;
            let (_, told) = told.map_err(BenchError::bug("a wish was refused"))?;
            commits.extend(published(&told));
        }
        while !commits.is_empty() {
            for commit in core::mem::take(&mut commits) {
                let told =
                    self.with(|keeper, lent| keeper.published(lent, commit, Duration::ZERO))?;
                commits.extend(published(&told));
            }
            self.now += REST;
            let told = self.with(|keeper, lent| keeper.tick(lent))?;
            commits.extend(published(&told));
        }
        Ok(())
    }

    /// Keeps the room, as a messenger that founded it does.
    fn keep(&mut self) -> Result<RoomId, BenchError> {
        let members = self.with(|keeper, lent| keeper.members(lent))?;
        let mine = account(1)?;
        self.desk.begin().map_err(storage)?;
        let rows = self.desk.lend();
        let room = RoomId(rows.next_number().map_err(storage)?);
        rows.put_room(&room_record(room, &mine)).map_err(storage)?;
        for member in &members {
            let number = MemberId(rows.next_number().map_err(storage)?);
            let record = member_record(room, number, member, member.account == mine);
            rows.put_member(&record).map_err(storage)?;
        }
        self.desk.commit().map_err(storage)?;
        Ok(room)
    }
}

fn room_record(room: RoomId, mine: &AccountId) -> RoomRecord {
    RoomRecord {
        id: room,
        conversation: GROUP,
        standing: RoomStanding::Member,
        name: "many".to_owned(),
        told_size: 0,
        account: mine.as_bytes().to_vec(),
        my_name: "Alice".to_owned(),
        offered_by: None,
        offer: None,
        package: None,
        mailbox: None,
        leaving: Vec::new(),
        exposed: false,
        may_return: false,
        revision: 1,
        asked: Vec::new(),
        publishing: Vec::new(),
        ended: None,
        leave_said: 0,
        since: BEGINNING,
        shared: None,
    }
}

fn member_record(room: RoomId, number: MemberId, member: &Member, mine: bool) -> MemberRecord {
    let address = Address {
        network: NetworkTag::TOY,
        seal: SealKey::Shared([7; 32]),
        locator: Locator(format!("mailbox {}", number.0).into_bytes()),
    };
    MemberRecord {
        room,
        member: number,
        account: member.account.as_bytes().to_vec(),
        key: member.signature_key.clone(),
        mine,
        name: format!("N{}", number.0),
        addresses: vec![Secret::new(address.encode())],
        revision: 1,
        contact: None,
        present: true,
        gone: None,
        told_again: false,
        welcome: None,
        stranded: None,
    }
}

fn published(told: &[Told]) -> Vec<CommitHash> {
    let commits = told.iter().filter_map(|one| match one {
        Told::Publish { commit, .. } => Some(*commit),
        _ => None,
    });
    commits.collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_costs_its_author_as_many_envelopes_as_there_are_heralds() {
        // Its tree is small, its leaves more than an author writes to.
        let mut author = Author::among(40).unwrap();
        assert_eq!(author.say("to all").unwrap().envelopes, 3);
        assert_eq!(author.say(&"long ".repeat(3_000)).unwrap().envelopes, 6);
    }
}

//! What a herald does: passing on what others say.
//!
//! Only what it could read itself, newly and from a member, is passed on, so nobody who
//! merely knows its mailbox makes it write to all. It serves those it is in charge of in
//! the same transaction, and keeps in mind whom it may have to serve later. That is
//! forgotten when the program ends: the other heralds have it in mind as well.

use core::time::Duration;
use std::collections::{BTreeMap, BTreeSet};

use hushwing_delivery::Keep;
use hushwing_sansio::{Moment, StorageError};
use sha2::{Digest as _, Sha256};

use super::Heralds;
use super::backlog::{Backlog, Queued};
use super::duties::{Charge, Duties, Waiting};
use crate::branches::{CommitHash, Heard, Said};
use crate::content::{self, Content, MAX_PASSED};
use crate::letter::LetterBody;
use crate::messenger::broken::is_damage;
use crate::messenger::room::Room;
use crate::messenger::room::commits::Allowance;
use crate::messenger::{Call, Messenger};
use crate::{MemberId, MessageId, RoomId};

/// When those are served whom another herald is in charge of.
const WAIT: (Duration, Duration) = (Duration::from_secs(30), Duration::from_secs(90));
/// How long what another is to see to about now is put off: longer than the longest and the
/// shortest wait lie apart, with the report of it.
const LATER: Duration = Duration::from_secs(100);
/// Between what is passed on and the report of it.
const REPORT: Duration = Duration::from_secs(5);
/// Reports of one room that came before what they are of.
const MOST_EARLY: usize = 512;

/// What was passed on: the first bytes of the SHA-256 of the MLS message.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(in crate::messenger) struct Name(pub(super) [u8; 16]);

impl Name {
    fn of(message: &[u8]) -> Self {
        let hash = Sha256::digest(message);
        Self(hash.first_chunk().copied().unwrap_or_default())
    }

    /// That of the one message in a letter.
    pub(super) fn of_letter(body: &[u8]) -> Option<Self> {
        match LetterBody::read(body)? {
            LetterBody::Room { messages, .. } => messages.first().map(|one| Self::of(one)),
            _ => None,
        }
    }

    pub(in crate::messenger) const fn new(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// Whether it is that of a commit.
    pub(in crate::messenger) fn is_of(self, commit: &[u8; 32]) -> bool {
        commit.starts_with(&self.0)
    }
}

/// What heralds have in mind.
pub(in crate::messenger) struct Passing {
    rooms: BTreeMap<RoomId, Duties>,
    said: Allowance,
    commits: Allowance,
    /// What is passed on when its author's allowance has grown.
    pub(super) backlog: Backlog,
}

impl Default for Passing {
    fn default() -> Self {
        Self {
            rooms: BTreeMap::new(),
            said: Allowance::of_what_is_said(),
            commits: Allowance::of_commits(),
            backlog: Backlog::default(),
        }
    }
}

/// A herald, and whom it has to serve.
pub(in crate::messenger) struct Round {
    me: MemberId,
    heralds: Heralds,
    others: Vec<Charge>,
    /// Whether it is about what I say myself: that is not dropped, whoever is away.
    mine: bool,
}

impl Room {
    /// Whom I have to serve, if I am a herald.
    fn round(&self) -> Option<Round> {
        self.round_of(self.heralds())
    }

    fn round_of(&self, heralds: Heralds) -> Option<Round> {
        let me = self.me().filter(|me| heralds.includes(*me))?;
        let others = self.others().filter_map(|member| {
            Some(Charge {
                member: member.member,
                in_charge: heralds.in_charge_of(&member.key)?,
                looks_after: heralds.looks_after(&member.key)?,
                herald: heralds.includes(member.member),
            })
        });
        let others = others.collect();
        Some(Round {
            me,
            heralds,
            others,
            mine: false,
        })
    }
}

impl Passing {
    pub(in crate::messenger) fn due(&self) -> Option<Moment> {
        let rooms = self.rooms.values();
        let due = rooms.flat_map(|one| {
            let first = one.first_due();
            first.into_iter().chain(one.report_due)
        });
        due.chain(self.backlog.due()).min()
    }

    /// What waits, and what is passed on at once of what each says.
    pub(super) fn backlog_and_account(&mut self) -> (&mut Backlog, &mut Allowance) {
        (&mut self.backlog, &mut self.said)
    }

    pub(in crate::messenger) fn forget_member(&mut self, member: MemberId) {
        self.said.forget(member);
        self.commits.forget(member);
    }

    /// A room is none of mine any more.
    pub(in crate::messenger) fn forget(&mut self, room: RoomId) {
        self.rooms.remove(&room);
        self.backlog.forget(room);
    }

    /// Somebody has a message.
    pub(in crate::messenger) fn confirmed(
        &mut self,
        room: RoomId,
        message: &MessageId,
        by: MemberId,
    ) {
        let waiting = self.rooms.get_mut(&room);
        for one in waiting.into_iter().flat_map(Duties::all) {
            if one.message.as_ref() == Some(message) {
                one.left.retain(|charge| charge.member != by);
            }
        }
    }

    fn reported(&mut self, room: RoomId, herald: MemberId, me: MemberId, name: Name) {
        let duties = self.rooms.entry(room).or_default();
        let mut known = false;
        for one in duties.all().filter(|one| one.name == name) {
            one.reported(herald, me);
            known = true;
        }
        if known {
            return;
        }
        if duties.early.len() >= MOST_EARLY {
            duties.early.pop_front();
        }
        duties.early.push_back((herald, name));
    }
}

impl Messenger {
    /// Whom I have to serve in a room, if I am a herald.
    pub(in crate::messenger) fn round(
        &mut self,
        room: RoomId,
    ) -> Result<Option<Round>, StorageError> {
        let known = self.rooms.find(room)?;
        Ok(known.round().filter(|_| known.is_inside()))
    }

    /// Something was heard for the first time: it is passed on to those who were there
    /// before, since who is removed by a commit is told of it as well. What was said
    /// can show first that the group is wide: then to those who are there now.
    pub(in crate::messenger) fn pass_on(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        before: Option<Round>,
        message: &[u8],
        heard: &Heard,
    ) -> Result<(), StorageError> {
        let round = match heard {
            Heard::Said(said) if before.is_none() => self.round_for(call, room, said)?,
            _ => before,
        };
        let Some(round) = round else {
            return Ok(());
        };
        let (author, id) = match heard {
            Heard::Said(said) => match self.said_by(call, room, said)? {
                Some((author, id)) => (Some(author), id),
                None => return Ok(()),
            },
            Heard::Commit(commit) => (self.made_by(room, commit)?, None),
            Heard::Known => return Ok(()),
        };
        if let Some(author) = author {
            self.is_there(room, author, call.cx.now());
        }
        // Whoever lacks a commit asks me for it.
        let body = LetterBody::room(&self.rooms.find(room)?.key, message);
        let (leaves, now) = (round.others.len(), call.cx.now());
        let whose = author.unwrap_or(MemberId(room.0));
        let passing = &mut self.rooms.passing;
        let (account, queues) = match heard {
            Heard::Said(_) => (&mut passing.said, author),
            // Whoever lacks a commit asks for it.
            _ => (&mut passing.commits, None),
        };
        let waits = queues.is_some_and(|author| passing.backlog.holds(room, author));
        if !waits && account.take(whose, body.len(), leaves, now) {
            return self.serve(call, room, round, &body, id, author).map(drop);
        }
        if let Some(author) = queues {
            passing.backlog.add(room, Queued { author, id, body }, now);
        }
        Ok(())
    }

    /// How many leaves I serve now, if I am a herald.
    pub(super) fn leaves_to_serve(&mut self, room: RoomId) -> Result<Option<usize>, StorageError> {
        let known = self.rooms.find(room)?;
        let round = known.round_of(known.heralds_if_wide());
        let round = round.filter(|_| known.is_inside());
        Ok(round.map(|round| round.others.len()))
    }

    /// Passes on what waited for its turn, to those who are there now.
    pub(super) fn pass_on_late(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        one: Queued,
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        let there = known.members.get(&one.author).is_some_and(|of| of.present);
        let round = known.round_of(known.heralds_if_wide()).filter(|_| there);
        match round {
            Some(round) if !is_gone(call, one.id)? => {
                let author = Some(one.author);
                self.serve(call, room, round, &one.body, one.id, author)
                    .map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Whom I have to serve with what was said, if the group was wide there: its author
    /// wrote to heralds alone, whatever I follow.
    fn round_for(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        said: &Said,
    ) -> Result<Option<Round>, StorageError> {
        let known = self.rooms.find(room)?;
        let heralds = known.heralds_if_wide();
        let herald = known.me().is_some_and(|me| heralds.includes(me));
        if !herald || !known.is_inside() {
            return Ok(None);
        }
        let narrow = known.narrow;
        let there = self.keeper(call, room, |keeper, lent| {
            keeper.members_of(lent, said.state)
        })?;
        let known = self.rooms.find(room)?;
        Ok(match there.len() > narrow {
            true => known.round_of(heralds),
            false => known.round(),
        })
    }

    /// The present member who said something, and the id of it if it is one that
    /// is confirmed.
    fn said_by(
        &mut self,
        call: &Call<'_, '_>,
        room: RoomId,
        said: &Said,
    ) -> Result<Option<(MemberId, Option<MessageId>)>, StorageError> {
        let known = self.rooms.find(room)?;
        let origin = known.origin(&said.key)?;
        let author = known.member_by(&said.author, &said.key);
        let Some(author) = author.filter(|author| author.present && !author.mine) else {
            return Ok(None);
        };
        let opened = content::open(&said.plaintext, &origin, call.cx.wall()).ok();
        Ok(opened.map(|opened| {
            let confirmed = !matches!(opened.content, Content::Room(_));
            (author.member, confirmed.then_some(opened.id))
        }))
    }

    fn made_by(
        &mut self,
        room: RoomId,
        commit: &CommitHash,
    ) -> Result<Option<MemberId>, StorageError> {
        let keeper = self.rooms.keepers.get(&room);
        let author = keeper.and_then(|keeper| keeper.author_of(commit));
        let known = self.rooms.by_id.get(&room);
        let author = known.zip(author);
        let author = author.and_then(|(known, author)| known.present_of(author));
        Ok(author.map(|author| author.member))
    }

    /// Passes on what I say myself, if I am a herald.
    pub(super) fn pass_on_mine(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        body: &[u8],
        message: Option<MessageId>,
    ) -> Result<Vec<u64>, StorageError> {
        match self.round(room)? {
            Some(round) => {
                let round = Round {
                    mine: true,
                    ..round
                };
                self.serve(call, room, round, body, message, None)
            }
            None => Ok(Vec::new()),
        }
    }

    /// Serves whom I am in charge of, by these letters, and has in mind the others.
    fn serve(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        round: Round,
        body: &[u8],
        message: Option<MessageId>,
        author: Option<MemberId>,
    ) -> Result<Vec<u64>, StorageError> {
        let Some(name) = Name::of_letter(body) else {
            return Ok(Vec::new());
        };
        let (me, heralds) = (round.me, round.heralds);
        let others = round.others.into_iter();
        let others = others.filter(|one| Some(one.member) != author);
        let (mine, left): (Vec<_>, Vec<_>) =
            others.partition(|one| one.in_charge == me && !one.herald);
        let keep = match round.mine {
            true => Keep::UntilAccepted,
            false => Keep::ForOthers,
        };
        let letters = self.post_to_each(call, room, &mine, body, keep)?;
        let wait = WAIT.0 + call.cx.random_time_below(WAIT.1.saturating_sub(WAIT.0));
        // Who has it says so later where many do.
        let wait = wait + self.spread_in(room);
        let now = call.cx.now();
        let duties = self.rooms.passing.rooms.entry(room).or_default();
        duties.report.push(name);
        if let Some(author) = author.filter(|author| !heralds.includes(*author)) {
            duties.authors.entry(author).or_default().push(name);
        }
        duties.report_due.get_or_insert(now + REPORT);
        let waiting = Waiting {
            name,
            message,
            body: body.to_vec(),
            keep,
            left,
            told: BTreeMap::new(),
            due: now + wait,
        };
        let over = duties.keep(waiting, me);
        for over in over {
            self.post_to_each(call, room, &over.left, &over.body, over.keep)?;
        }
        Ok(letters)
    }

    /// Serves each of these, and shows those I look after that I am there. Who hears it from
    /// several of us hears it by several addresses, if they have them: a server that drops what
    /// it took drops one.
    fn post_to_each(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        to: &[Charge],
        body: &[u8],
        keep: Keep,
    ) -> Result<Vec<u64>, StorageError> {
        let mut letters = Vec::new();
        for one in to {
            let bytes = self.with_sign(call, room, one.member, body)?;
            let me = self.rooms.find(room)?.me();
            let further = usize::from(Some(one.in_charge) != me);
            let to = (one.member, further);
            let letter = self.post_to_member_by(call, room, to, bytes, keep)?;
            letters.extend(letter.map(|letter| letter.0));
        }
        Ok(letters)
    }

    /// Another herald told what it passed on.
    pub(in crate::messenger) fn heard_passed(
        &mut self,
        room: RoomId,
        by: MemberId,
        names: &[[u8; 16]],
    ) -> Result<(), StorageError> {
        let known = self.rooms.find(room)?;
        if !known.heralds().includes(by) {
            return self.drop_letter(None, crate::DropReason::Room);
        }
        let herald = known.round().map(|round| round.me);
        for name in names.iter().copied().map(Name::new) {
            match herald {
                Some(me) => self.rooms.passing.reported(room, by, me, name),
                None => self.rooms.unheard.passed(room, name),
            }
        }
        Ok(())
    }

    /// Serves those who may not have been served, and reports.
    pub(in crate::messenger) fn passing_due(
        &mut self,
        call: &mut Call<'_, '_>,
    ) -> Result<(), StorageError> {
        let now = call.cx.now();
        let mut due = Vec::new();
        for (room, duties) in &mut self.rooms.passing.rooms {
            let waiting = duties.take_due(now);
            let late = duties.take_late(now);
            let reports = duties.report_due.is_some_and(|at| at <= now);
            if reports || !waiting.is_empty() || !late.is_empty() {
                due.push((*room, waiting, late, reports));
            }
        }
        for (room, waiting, late, reports) in due {
            self.within(call, room.place(), |this, call| {
                for one in waiting {
                    this.see_to(call, room, one)?;
                }
                for one in late {
                    this.serve_left(call, room, &one)?;
                }
                match reports {
                    true => this.report(call, room),
                    false => Ok(()),
                }
            })?;
        }
        Ok(())
    }

    /// Serves those who may not have been served, and reports that I saw to those I look
    /// after. Whom others see to about now are put off.
    fn see_to(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        mut one: Waiting,
    ) -> Result<(), StorageError> {
        let now = call.cx.now();
        let me = self.rooms.find(room)?.me();
        let later = me.and_then(|me| one.put_off(me, now + LATER));
        self.serve_left(call, room, &one)?;
        let duties = self.rooms.passing.rooms.entry(room).or_default();
        duties.report.push(one.name);
        duties.report_due.get_or_insert(now + REPORT);
        if let Some(later) = later {
            duties.keep_late(later);
        }
        Ok(())
    }

    fn serve_left(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        one: &Waiting,
    ) -> Result<(), StorageError> {
        if is_gone(call, one.message)? {
            return Ok(());
        }
        let known = self.rooms.find(room)?;
        let present: BTreeSet<_> = known.others().map(|one| one.member).collect();
        let left = one.left.iter().copied();
        let left: Vec<_> = left.filter(|one| present.contains(&one.member)).collect();
        let left = self.without_the_silent(call, room, left)?;
        self.post_to_each(call, room, &left, &one.body, one.keep)
            .map(drop)
    }

    /// Leaves out other heralds that give no sign: they get what authors wrote to them.
    fn without_the_silent(
        &mut self,
        call: &mut Call<'_, '_>,
        room: RoomId,
        mut to: Vec<Charge>,
    ) -> Result<Vec<Charge>, StorageError> {
        let others = self.rooms.find(room)?.heralds_if_wide().count();
        let lots = (others, self.config.to_silent);
        let signs = &mut self.rooms.signs;
        to.retain(|one| !one.herald || signs.take(call.cx, one.member, lots).is_ok());
        Ok(to)
    }

    fn report(&mut self, call: &mut Call<'_, '_>, room: RoomId) -> Result<(), StorageError> {
        let Some(duties) = self.rooms.passing.rooms.get_mut(&room) else {
            return Ok(());
        };
        duties.report_due = None;
        let names = core::mem::take(&mut duties.report);
        let mut told = core::mem::take(&mut duties.authors);
        let known = self.rooms.find(room)?;
        let (me, heralds) = (known.me(), known.heralds());
        let lots = (heralds.count(), self.config.to_silent);
        let signs = &mut self.rooms.signs;
        for herald in heralds.iter().filter(|one| Some(*one) != me) {
            if signs.take(call.cx, herald, lots).is_ok() {
                told.insert(herald, names.clone());
            }
        }
        for (member, names) in told {
            for names in names.chunks(MAX_PASSED) {
                let word = self.rooms.find(room)?.passed_word(names);
                self.tell_for_others(call, room, member, &word)?;
            }
        }
        Ok(())
    }
}

/// Whether a message was deleted, or disappeared: nobody is to have it from me.
fn is_gone(call: &Call<'_, '_>, message: Option<MessageId>) -> Result<bool, StorageError> {
    let Some(message) = message else {
        return Ok(false);
    };
    match call.storage.message(&message) {
        Err(error) if is_damage(&error) => Ok(true),
        record => Ok(record?.is_some_and(|record| record.is_erased())),
    }
}

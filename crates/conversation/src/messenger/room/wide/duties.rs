//! What a herald has in mind for a room: what it may have to pass on later, to whom, and
//! what it reports.

use std::collections::{BTreeMap, VecDeque};

use hushwing_delivery::Keep;
use hushwing_sansio::Moment;

use super::passing::Name;
use crate::{MemberId, MessageId};

/// Bytes of one room that may still have to be passed on.
const MOST_BYTES: usize = 4 * 1024 * 1024;

#[derive(Default)]
pub(super) struct Duties {
    /// In the order in which it is due.
    pub(in crate::messenger) waiting: VecDeque<Waiting>,
    /// What others were to see to about when it was due, in the same order.
    late: VecDeque<Waiting>,
    pub(in crate::messenger) bytes: usize,
    pub(in crate::messenger) early: VecDeque<(MemberId, Name)>,
    /// What is to be reported, and to whom beside the other heralds.
    pub(super) report: Vec<Name>,
    pub(in crate::messenger) authors: BTreeMap<MemberId, Vec<Name>>,
    pub(super) report_due: Option<Moment>,
}

/// Something that may have to be passed on.
pub(in crate::messenger) struct Waiting {
    pub(in crate::messenger) name: Name,
    pub(in crate::messenger) message: Option<MessageId>,
    pub(in crate::messenger) body: Vec<u8>,
    /// How long letters with it are kept.
    pub(in crate::messenger) keep: Keep,
    pub(in crate::messenger) left: Vec<Charge>,
    /// Heralds who reported it, and how often: first when they served those they are in
    /// charge of, again when they saw to those they look after.
    pub(in crate::messenger) told: BTreeMap<MemberId, u8>,
    pub(in crate::messenger) due: Moment,
}

/// Somebody in a wide group, and who serves them.
#[derive(Clone, Copy)]
pub(super) struct Charge {
    pub(in crate::messenger) member: MemberId,
    pub(super) in_charge: MemberId,
    pub(in crate::messenger) looks_after: MemberId,
    /// Whether it is a herald itself, whom authors write to.
    pub(in crate::messenger) herald: bool,
}

impl Waiting {
    /// A herald said that it passed this on. Whom I look after tell me themselves; others
    /// I leave out once both who are to serve them said that they did.
    pub(super) fn reported(&mut self, herald: MemberId, me: MemberId) {
        let times = self.told.entry(herald).or_default();
        *times = times.saturating_add(1);
        let told = &self.told;
        let times = |herald| told.get(&herald).copied().unwrap_or(0);
        self.left.retain(|one| match one.herald {
            true => one.member != herald,
            false => {
                let served = times(one.in_charge) > 0 && times(one.looks_after) > 1;
                one.looks_after == me || !served
            }
        });
    }

    /// It is due: takes out those of whom both who are to serve them reported, but the one
    /// that looks after them did not say yet that it saw to them.
    pub(in crate::messenger) fn put_off(&mut self, me: MemberId, until: Moment) -> Option<Self> {
        let told = &self.told;
        let seen_to = |one: &Charge| {
            let both = [one.in_charge, one.looks_after];
            !one.herald && one.looks_after != me && both.iter().all(|one| told.contains_key(one))
        };
        let all = core::mem::take(&mut self.left);
        let (later, now): (Vec<_>, Vec<_>) = all.into_iter().partition(seen_to);
        self.left = now;
        (!later.is_empty()).then(|| Self {
            name: self.name,
            message: self.message,
            body: self.body.clone(),
            keep: self.keep,
            left: later,
            told: self.told.clone(),
            due: until,
        })
    }
}

impl Duties {
    /// Keeps something in mind; gives what finds no room any more.
    pub(in crate::messenger) fn keep(&mut self, mut new: Waiting, me: MemberId) -> Vec<Waiting> {
        self.early.retain(|(herald, name)| {
            let early = *name == new.name;
            if early {
                new.reported(*herald, me);
            }
            !early
        });
        // What was said first leaves first.
        let last = self.waiting.back().map(|last| last.due);
        new.due = last.map_or(new.due, |last| last.max(new.due));
        self.bytes += new.body.len();
        self.waiting.push_back(new);
        let mut over = Vec::new();
        while self.bytes > MOST_BYTES
            && let Some(first) = self.take_first()
        {
            over.push(first);
        }
        over
    }

    /// Keeps in mind what was put off.
    pub(super) fn keep_late(&mut self, one: Waiting) {
        self.bytes += one.body.len();
        self.late.push_back(one);
    }

    pub(super) fn take_late(&mut self, now: Moment) -> Vec<Waiting> {
        let mut due = Vec::new();
        while let Some(first) = self.late.pop_front_if(|first| first.due <= now) {
            self.bytes = self.bytes.saturating_sub(first.body.len());
            due.push(first);
        }
        due
    }

    /// All that may still have to be passed on.
    pub(in crate::messenger) fn all(&mut self) -> impl Iterator<Item = &mut Waiting> {
        self.waiting.iter_mut().chain(&mut self.late)
    }

    /// When the first of it is due.
    pub(super) fn first_due(&self) -> Option<Moment> {
        let first = [self.waiting.front(), self.late.front()];
        let due = first.into_iter().flatten().map(|first| first.due);
        due.min()
    }

    fn take_first(&mut self) -> Option<Waiting> {
        let first = self.waiting.pop_front()?;
        self.bytes = self.bytes.saturating_sub(first.body.len());
        Some(first)
    }

    pub(in crate::messenger) fn take_due(&mut self, now: Moment) -> Vec<Waiting> {
        let mut due = Vec::new();
        while self.waiting.front().is_some_and(|first| first.due <= now) {
            due.extend(self.take_first());
        }
        due
    }
}

#[cfg(test)]
mod tests {
    use core::time::Duration;

    use super::*;

    fn at(seconds: u64) -> Moment {
        Moment::from_origin(Duration::from_secs(seconds))
    }

    fn waiting(number: u8, bytes: usize, due: u64) -> Waiting {
        let charge = |member, in_charge, looks_after| Charge {
            member: MemberId(member),
            in_charge: MemberId(in_charge),
            looks_after: MemberId(looks_after),
            herald: member < 4,
        };
        Waiting {
            name: Name::new([number; 16]),
            message: None,
            body: vec![0; bytes],
            keep: Keep::ForOthers,
            left: vec![
                charge(10, 2, 1),
                charge(11, 2, 3),
                charge(2, 3, 1),
                charge(3, 2, 3),
            ],
            told: BTreeMap::new(),
            due: at(due),
        }
    }

    fn left(one: &Waiting) -> Vec<u64> {
        one.left.iter().map(|charge| charge.member.0).collect()
    }

    #[test]
    fn a_report_is_believed_but_for_those_one_looks_after_whenever_it_comes() {
        let (me, other) = (MemberId(1), MemberId(2));
        let mut duties = Duties::default();
        duties.early.push_back((other, Name::new([5; 16])));
        duties.keep(waiting(5, 1, 40), me);
        duties.keep(waiting(6, 1, 40), me);
        assert_eq!(left(&duties.waiting[0]), [10, 11, 3]);
        assert_eq!(left(&duties.waiting[1]), [10, 11, 2, 3]);
        duties.waiting[1].reported(other, me);
        assert_eq!(left(&duties.waiting[1]), [10, 11, 3], "one may lie");
        duties.waiting[1].reported(MemberId(3), me);
        assert_eq!(
            left(&duties.waiting[1]),
            [10, 11],
            "it may go before it sees to it"
        );
        let later = duties.waiting[1].put_off(me, at(90)).unwrap();
        assert_eq!(left(&duties.waiting[1]), [10]);
        assert_eq!(left(&later), [11]);
        duties.keep_late(later);
        assert!(duties.take_late(at(89)).is_empty());
        duties.late[0].reported(MemberId(3), me);
        assert!(left(&duties.late[0]).is_empty(), "it saw to it");
        assert_eq!(duties.take_late(at(90)).len(), 1);
        assert!(duties.early.is_empty());
    }

    #[test]
    fn what_was_said_first_is_due_first_and_what_finds_no_room_at_once() {
        let me = MemberId(1);
        let mut duties = Duties::default();
        assert!(duties.keep(waiting(1, MOST_BYTES / 2, 80), me).is_empty());
        assert!(duties.keep(waiting(2, MOST_BYTES / 2, 40), me).is_empty());
        assert_eq!(duties.waiting[1].due, at(80));
        let over = duties.keep(waiting(3, 1, 90), me);
        assert_eq!(over.len(), 1);
        assert_eq!(over[0].name, Name::new([1; 16]));
        assert!(duties.take_due(at(79)).is_empty());
        assert_eq!(duties.take_due(at(85)).len(), 1);
        assert_eq!(duties.bytes, 1);
    }
}

//! What is to be done next about a stretch: a pure function of how far it is.
//!
//! ```text
//! leaf 1   offers ─▶ ─────────────── joins ─▶ says ─▶ says no more ─▶ reveals ─▶ left
//! leaf 0           ─▶ begins ─▶ says ──────────────▶ says no more ─▶ reveals ─▶ left
//! ```
//!
//! Each side goes on by itself when it can, and what it said last is repeated
//! until the other side shows that it came. Nobody waits for anything but that
//! the other side says no more, and that it knows the key that was revealed.

use crate::storage::Stretch;

/// How things stand around a stretch.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Around {
    /// Whether it is mine to offer one: my leaf is 1.
    pub(crate) offers: bool,
    /// Whether both wish to be off the record.
    pub(crate) in_force: bool,
    /// The present epoch of the conversation.
    pub(crate) epoch: u64,
    /// Whether something that I said off the record is not confirmed.
    pub(crate) unsaid: bool,
    /// Whether I owe receipts for what they said so.
    pub(crate) owes: bool,
    /// Whether it stood for a day, and something was said in it: nobody commits in
    /// a stretch, so only the next one heals.
    pub(crate) aged: bool,
}

/// What is to be done next.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Next {
    /// Nothing.
    Wait,
    /// A stretch is to be offered; what stands is forgotten.
    Offer,
    /// I am to say that I say nothing more.
    SayLast,
    /// My private key is to be given away.
    Reveal,
    /// What stands is to be forgotten.
    Forget,
}

/// What is to be done next about the stretch that stands.
pub(crate) fn next(stretch: Option<&Stretch>, around: Around) -> Next {
    let wanted = around.offers && around.in_force;
    let Some(stretch) = stretch else {
        return if wanted { Next::Offer } else { Next::Wait };
    };
    if stretch.group.is_none() {
        // They may have counted on, and then cannot read the tag. What waits does so
        // until both wish it again: one who does not begins nothing.
        return match around.in_force {
            true if stretch.epoch != around.epoch => Next::Offer,
            true => Next::Wait,
            false => Next::Forget,
        };
    }
    let end = &stretch.end;
    if end.revealed && end.they_left && (stretch.their_seed.is_some() || wanted) {
        return Next::Forget;
    }
    let settled = !around.unsaid && !around.owes;
    // Who has not answered my announcement cannot read it.
    let heard = stretch.announcement.is_empty();
    let over = !around.in_force || end.their_last || around.aged;
    if !end.my_last && over && settled && heard {
        return Next::SayLast;
    }
    if end.my_last && end.their_last && !end.revealed && !around.owes {
        return Next::Reveal;
    }
    Next::Wait
}

#[cfg(test)]
mod tests {
    use hushwing_sansio::Timestamp;

    use super::*;
    use crate::Secret;
    use crate::storage::Ending;

    const QUIET: Around = Around {
        offers: true,
        in_force: true,
        epoch: 5,
        unsaid: false,
        owes: false,
        aged: false,
    };

    fn stretch(end: Ending) -> Stretch {
        Stretch {
            number: 1,
            epoch: 5,
            tag_key: Secret::new([1; 32]),
            seed: Secret::new([2; 32]),
            package: Vec::new(),
            their_key: Some([3; 32]),
            group: Some([4; 16]),
            announcement: Vec::new(),
            letter: None,
            posted: Timestamp::default(),
            again: 0,
            end,
            their_seed: None,
        }
    }

    fn offered() -> Stretch {
        Stretch {
            group: None,
            their_key: None,
            announcement: vec![1],
            ..stretch(Ending::default())
        }
    }

    #[test]
    fn leaf_one_offers_while_both_wish_it_and_offers_anew_in_a_new_epoch() {
        assert_eq!(next(None, QUIET), Next::Offer);
        let other = Around {
            offers: false,
            ..QUIET
        };
        assert_eq!(next(None, other), Next::Wait);
        let normal = Around {
            in_force: false,
            ..QUIET
        };
        assert_eq!(next(None, normal), Next::Wait);
        assert_eq!(next(Some(&offered()), QUIET), Next::Wait);
        let later = Around { epoch: 6, ..QUIET };
        assert_eq!(next(Some(&offered()), later), Next::Offer);
        assert_eq!(next(Some(&offered()), normal), Next::Forget);
        let waits = Around {
            unsaid: true,
            ..normal
        };
        assert_eq!(next(Some(&offered()), waits), Next::Forget);
    }

    #[test]
    fn nobody_says_the_last_before_all_is_confirmed_both_ways() {
        let open = stretch(Ending::default());
        assert_eq!(next(Some(&open), QUIET), Next::Wait);
        let ends = Around {
            in_force: false,
            ..QUIET
        };
        assert_eq!(next(Some(&open), ends), Next::SayLast);
        let aged = Around {
            aged: true,
            ..QUIET
        };
        assert_eq!(next(Some(&open), aged), Next::SayLast);
        for unfinished in [
            Around {
                unsaid: true,
                ..ends
            },
            Around { owes: true, ..ends },
        ] {
            assert_eq!(next(Some(&open), unfinished), Next::Wait);
        }
        let unheard = Stretch {
            announcement: vec![1],
            ..open
        };
        assert_eq!(next(Some(&unheard), ends), Next::Wait);
    }

    #[test]
    fn a_key_is_given_away_only_when_both_say_nothing_more() {
        let mut end = Ending {
            my_last: true,
            ..Ending::default()
        };
        assert_eq!(next(Some(&stretch(end)), QUIET), Next::Wait);
        end.their_last = true;
        let owes = Around {
            owes: true,
            ..QUIET
        };
        assert_eq!(next(Some(&stretch(end)), owes), Next::Wait);
        assert_eq!(next(Some(&stretch(end)), QUIET), Next::Reveal);
        end.revealed = true;
        assert_eq!(next(Some(&stretch(end)), QUIET), Next::Wait);
    }

    #[test]
    fn it_is_forgotten_when_both_keys_are_known() {
        let end = Ending {
            my_last: true,
            their_last: true,
            revealed: true,
            they_left: true,
        };
        let normal = Around {
            in_force: false,
            ..QUIET
        };
        assert_eq!(next(Some(&stretch(end)), normal), Next::Wait);
        let known = Stretch {
            their_seed: Some(Secret::new([9; 32])),
            ..stretch(end)
        };
        assert_eq!(next(Some(&known), normal), Next::Forget);
        // Who never gives theirs away keeps nobody from another stretch.
        assert_eq!(next(Some(&stretch(end)), QUIET), Next::Forget);
    }
}

//! What two people say off the record.

use std::time::Duration;

use hushwing_conversation::content::Mode;
use hushwing_conversation::storage::{MessageKind, OFF_RECORD, StretchRecord};
use hushwing_conversation::village::{Home, Village};
use hushwing_conversation::{
    Command, ContactId, DropReason, Event, MessageId, MessageState, Refusal, Reply, Storage as _,
};

use crate::provable::{mode, wish};
use crate::support::*;

const HOUR: Duration = Duration::from_secs(3_600);

/// The stretches that somebody keeps with a contact.
pub(crate) fn stretches(village: &mut Village, home: Home, contact: ContactId) -> StretchRecord {
    let storage = village.storage(home).unwrap();
    StretchRecord::of(&*storage, contact).unwrap()
}

/// Whether a message is off the record with somebody, and in which stretch.
pub(crate) fn sealed(village: &mut Village, home: Home, message: MessageId) -> Option<u64> {
    let storage = village.storage(home).unwrap();
    let record = storage.message(&message).unwrap()?;
    record.sealed_epoch.checked_sub(OFF_RECORD)
}

pub(crate) fn state(village: &mut Village, home: Home, message: MessageId) -> MessageState {
    let storage = village.storage(home).unwrap();
    storage.message(&message).unwrap().unwrap().state
}

/// A couple that agreed to be off the record, with a stretch.
pub(crate) fn off_record_couple(seed: u64) -> Couple {
    let mut c = couple(seed);
    agree(&mut c);
    c
}

pub(crate) fn agree(c: &mut Couple) {
    wish(&mut c.village, c.alice, c.her_bob, Mode::Otr);
    wish(&mut c.village, c.bob, c.his_alice, Mode::Otr);
    c.village.pass(DELAY * 4).unwrap();
    c.village.events(c.alice);
    c.village.events(c.bob);
}

/// Nobody read on record, where the key of the conversation signs, a receipt that
/// names something they said off it.
pub(crate) fn nothing_named_on_record(c: &mut Couple) {
    for home in [c.alice, c.bob] {
        let events = c.village.events(home);
        let named = |event: &&Event| {
            let reason = DropReason::Receipt;
            matches!(event, Event::Dropped { reason: why, .. } if *why == reason)
        };
        assert_eq!(events.iter().find(named), None);
    }
}

/// The stretch ends with both, for all that was said in it was confirmed.
fn it_ends(c: &mut Couple) {
    wish(&mut c.village, c.alice, c.her_bob, Mode::Normal);
    c.village.pass(DELAY * 20).unwrap();
    nothing_named_on_record(c);
    for (home, of) in sides(c) {
        let now = stretches(&mut c.village, home, of).now;
        assert!(now.is_none(), "{home:?}: {now:?}");
    }
}

/// Both sides of a couple.
fn sides(c: &Couple) -> [(Home, ContactId); 2] {
    [(c.alice, c.her_bob), (c.bob, c.his_alice)]
}

pub(crate) fn reply(c: &mut Couple, to: MessageId, text: &str) -> MessageId {
    let command = Command::Send {
        contact: c.her_bob,
        text: text.to_owned(),
        reply_to: Some(to),
    };
    sent(ask(&mut c.village, c.alice, command))
}

#[test]
fn what_both_wish_is_told_and_a_stretch_begins() {
    let mut c = couple(2300);
    let hers = wish(&mut c.village, c.alice, c.her_bob, Mode::Otr);
    assert_eq!((hers.in_force, hers.mine), (Mode::Normal, Mode::Otr));
    c.village.pass(DELAY).unwrap();
    let told = c.village.events(c.bob);
    let seen = |event: &Event| matches!(event, Event::Mode(view) if view.theirs == Mode::Otr);
    assert!(told.iter().any(seen), "{told:?}");
    let his = wish(&mut c.village, c.bob, c.his_alice, Mode::Otr);
    assert_eq!(his.in_force, Mode::Otr);
    c.village.pass(DELAY * 4).unwrap();
    let told = c.village.events(c.alice);
    let seen = |event: &Event| matches!(event, Event::Mode(view) if view.in_force == Mode::Otr);
    assert!(told.iter().any(seen), "{told:?}");
    let [hers, his] = sides(&c).map(|(home, of)| stretches(&mut c.village, home, of));
    let (hers, his) = (hers.now.unwrap(), his.now.unwrap());
    assert_eq!((hers.number, hers.group), (1, his.group));
    assert!(hers.announcement.is_empty() && his.announcement.is_empty());
    assert_ne!(hers.their_key, his.their_key);
    assert_eq!(
        contacts(&mut c.village, c.alice)[0].mode.in_force,
        Mode::Otr
    );
    assert_eq!(dropped(&c.village.events(c.bob)), 0);
    nothing_named_on_record(&mut c);
}

#[test]
fn all_that_is_said_is_said_in_the_stretch_and_confirmed_there() {
    let mut c = off_record_couple(2301);
    tell_of_reading(&mut c.village, c.bob);
    let first = send(&mut c.village, c.alice, c.her_bob, "off the record");
    c.village.pass(DELAY).unwrap();
    let answer = send(&mut c.village, c.bob, c.his_alice, "indeed");
    c.village.pass(DELAY * 4).unwrap();
    let second = reply(&mut c, answer, "an answer");
    let edit = Command::Edit {
        message: first,
        text: "edited".into(),
    };
    let edit = sent(ask(&mut c.village, c.alice, edit));
    let mark = Command::React {
        message: answer,
        mark: "👍".into(),
    };
    let mark = sent(ask(&mut c.village, c.alice, mark));
    c.village.pass(DELAY * 4).unwrap();
    let shown = read(&mut c.village, c.bob, c.his_alice);
    let words: Vec<_> = shown.iter().map(|view| view.text.as_str()).collect();
    assert_eq!(words, ["edited", "indeed", "an answer"]);
    assert_eq!(shown[1].reactions.len(), 1);
    c.village.pass(DELAY * 4).unwrap();
    for said in [first, answer, second, edit, mark] {
        for home in [c.alice, c.bob] {
            assert_eq!(sealed(&mut c.village, home, said), Some(1));
        }
    }
    // Only a receipt that came in the stretch counts.
    assert_eq!(state(&mut c.village, c.alice, first), MessageState::Read);
    assert_eq!(
        state(&mut c.village, c.bob, answer),
        MessageState::Delivered
    );
    let delete = Command::Delete { message: first };
    ask(&mut c.village, c.alice, delete);
    c.village.pass(DELAY * 4).unwrap();
    assert!(read(&mut c.village, c.bob, c.his_alice)[0].deleted);
    let events = [c.village.events(c.alice), c.village.events(c.bob)];
    assert_eq!(events.map(|events| dropped(&events)), [0, 0]);
    nothing_named_on_record(&mut c);
}

#[test]
fn either_ends_it_and_both_give_their_keys_away() {
    let mut c = off_record_couple(2302);
    let message = send(&mut c.village, c.alice, c.her_bob, "gone soon");
    wish(&mut c.village, c.alice, c.her_bob, Mode::Normal);
    let seeds = sides(&c).map(|(home, of)| {
        let now = stretches(&mut c.village, home, of).now.unwrap();
        now.seed
    });
    c.village.remember(c.alice);
    c.village.remember(c.bob);
    c.village.pass(DELAY * 10).unwrap();
    assert_eq!(
        state(&mut c.village, c.alice, message),
        MessageState::Delivered
    );
    for (at, (home, of)) in sides(&c).into_iter().enumerate() {
        let learned = c
            .village
            .remembered(home)
            .into_iter()
            .filter_map(|storage| {
                let now = StretchRecord::of(&storage, of).unwrap().now?;
                Some((now.their_seed?, now.end.my_last))
            });
        let learned: Vec<_> = learned.collect();
        assert!(!learned.is_empty(), "{at}");
        assert!(
            learned
                .iter()
                .all(|known| *known == (seeds[1 - at].clone(), true))
        );
        let after = stretches(&mut c.village, home, of);
        assert!(after.now.is_none());
        assert_eq!(after.last, 1);
    }
    // From here on it is on record again, and all is quiet.
    let later = send(&mut c.village, c.alice, c.her_bob, "on record");
    c.village.pass(DELAY * 4).unwrap();
    assert_eq!(sealed(&mut c.village, c.bob, later), None);
    c.village.overhear();
    c.village.pass(HOUR * 30).unwrap();
    assert!(c.village.overhear().len() <= 1, "new keys after a day");
    nothing_named_on_record(&mut c);
}

#[test]
fn nobody_else_decides_that_my_next_message_goes_on_record() {
    let mut c = off_record_couple(2303);
    wish(&mut c.village, c.bob, c.his_alice, Mode::Normal);
    // Before she hears of it she speaks, and it is off the record.
    let crossing = send(&mut c.village, c.alice, c.her_bob, "crossing");
    c.village.pass(DELAY * 10).unwrap();
    assert_eq!(sealed(&mut c.village, c.bob, crossing), Some(1));
    let told = c.village.events(c.alice);
    let seen = |event: &Event| matches!(event, Event::Mode(view) if view.theirs == Mode::Normal);
    assert!(told.iter().any(seen));
    let say = Command::Send {
        contact: c.her_bob,
        text: "and now?".into(),
        reply_to: None,
    };
    let refused = refusal(&mut c.village, c.alice, say.clone());
    assert_eq!(refused, Refusal::OffRecordAlone);
    wish(&mut c.village, c.alice, c.her_bob, Mode::Normal);
    let said = sent(ask(&mut c.village, c.alice, say));
    c.village.pass(DELAY * 4).unwrap();
    assert_eq!(sealed(&mut c.village, c.bob, said), None);
    assert_eq!(
        state(&mut c.village, c.alice, said),
        MessageState::Delivered
    );
    nothing_named_on_record(&mut c);
}

#[test]
fn who_wishes_it_alone_says_nothing_on_record() {
    let mut c = couple(2304);
    wish(&mut c.village, c.alice, c.her_bob, Mode::Otr);
    let say = Command::Send {
        contact: c.her_bob,
        text: "yet?".into(),
        reply_to: None,
    };
    let refused = refusal(&mut c.village, c.alice, say);
    assert_eq!(refused, Refusal::OffRecordAlone);
    // They may, and see that she wishes otherwise.
    c.village.pass(DELAY).unwrap();
    let his = send(&mut c.village, c.bob, c.his_alice, "on record");
    c.village.pass(DELAY * 4).unwrap();
    assert_eq!(sealed(&mut c.village, c.alice, his), None);
    assert_eq!(state(&mut c.village, c.bob, his), MessageState::Delivered);
    nothing_named_on_record(&mut c);
}

#[test]
fn nothing_on_record_names_what_was_said_off_it() {
    let mut c = off_record_couple(2305);
    let hers = send(&mut c.village, c.alice, c.her_bob, "off");
    c.village.pass(DELAY).unwrap();
    let mark = |mark: &str| Command::React {
        message: hers,
        mark: mark.into(),
    };
    ask(&mut c.village, c.bob, mark("👍"));
    c.village.pass(DELAY * 4).unwrap();
    let on_record = |c: &mut Couple| {
        wish(&mut c.village, c.alice, c.her_bob, Mode::Normal);
        wish(&mut c.village, c.bob, c.his_alice, Mode::Normal);
        c.village.pass(DELAY * 10).unwrap();
        let now = stretches(&mut c.village, c.alice, c.her_bob).now;
        assert!(now.is_none());
    };
    on_record(&mut c);
    c.village.overhear();
    let naming = [
        (
            c.alice,
            Command::Edit {
                message: hers,
                text: "on".into(),
            },
        ),
        (c.alice, Command::Delete { message: hers }),
        (
            c.alice,
            Command::Send {
                contact: c.her_bob,
                text: "an answer".into(),
                reply_to: Some(hers),
            },
        ),
        (c.bob, mark("👎")),
        (c.bob, mark("")),
    ];
    for (home, command) in naming {
        let refused = refusal(&mut c.village, home, command);
        assert_eq!(refused, Refusal::SaidOffRecord);
    }
    for home in [c.alice, c.bob] {
        let refused = refusal(&mut c.village, home, Command::Prove { message: hers });
        assert_eq!(refused, Refusal::OffRecord);
    }
    // It was read after all was over: the receipt is owed until the next stretch.
    tell_of_reading(&mut c.village, c.bob);
    read(&mut c.village, c.bob, c.his_alice);
    c.village.open_again(c.bob).unwrap();
    c.village.pass(DELAY * 10).unwrap();
    assert_eq!(c.village.overhear().len(), 0);
    assert_eq!(
        state(&mut c.village, c.alice, hers),
        MessageState::Delivered
    );
    agree(&mut c);
    c.village.pass(DELAY * 4).unwrap();
    assert_eq!(state(&mut c.village, c.alice, hers), MessageState::Read);
    assert_eq!(stretches(&mut c.village, c.alice, c.her_bob).last, 2);
    ask(&mut c.village, c.alice, Command::Delete { message: hers });
    c.village.pass(DELAY * 4).unwrap();
    on_record(&mut c);
    assert!(read(&mut c.village, c.bob, c.his_alice)[0].deleted);
    nothing_named_on_record(&mut c);
}

#[test]
fn a_reaction_made_off_the_record_is_not_replaced_on_it() {
    let mut c = couple(2306);
    let on = send(&mut c.village, c.alice, c.her_bob, "on record");
    c.village.pass(DELAY * 4).unwrap();
    agree(&mut c);
    let mark = |mark: &str| Command::React {
        message: on,
        mark: mark.into(),
    };
    let off = sent(ask(&mut c.village, c.bob, mark("👍")));
    c.village.pass(DELAY * 4).unwrap();
    assert_eq!(sealed(&mut c.village, c.alice, off), Some(1));
    wish(&mut c.village, c.bob, c.his_alice, Mode::Normal);
    c.village.pass(DELAY * 10).unwrap();
    for changed in ["👎", ""] {
        let refused = refusal(&mut c.village, c.bob, mark(changed));
        assert_eq!(refused, Refusal::SaidOffRecord);
    }
    nothing_named_on_record(&mut c);
}

#[test]
fn what_is_said_before_there_is_a_stretch_waits_for_it() {
    let mut c = couple(2307);
    wish(&mut c.village, c.bob, c.his_alice, Mode::Otr);
    c.village.pass(DELAY).unwrap();
    c.village.events(c.alice);
    // Her offer is on its way; nothing stands yet.
    let wished = Command::SetMode {
        contact: c.her_bob,
        mode: Mode::Otr,
    };
    c.village.cut_off(c.bob);
    ask(&mut c.village, c.alice, wished);
    let waits = send(&mut c.village, c.alice, c.her_bob, "waits");
    assert_eq!(sealed(&mut c.village, c.alice, waits), Some(0));
    let Reply::Where(found) = ask(&mut c.village, c.alice, Command::Where { message: waits })
    else {
        panic!("another reply")
    };
    assert_eq!(
        (found.state, found.attempts.len()),
        (MessageState::Queued, 0)
    );
    nothing_named_on_record(&mut c);
}

#[test]
fn what_waited_is_said_when_the_stretch_stands_after_a_restart() {
    let mut c = couple(2308);
    wish(&mut c.village, c.alice, c.her_bob, Mode::Otr);
    c.village.pass(DELAY).unwrap();
    // Bob agrees: hers is the offer, so his first words wait for it.
    let wished = Command::SetMode {
        contact: c.his_alice,
        mode: Mode::Otr,
    };
    ask(&mut c.village, c.bob, wished);
    let words: Vec<_> = (0..3)
        .map(|n| send(&mut c.village, c.bob, c.his_alice, &format!("word {n}")))
        .collect();
    assert_eq!(sealed(&mut c.village, c.bob, words[0]), Some(0));
    c.village.open_again(c.bob).unwrap();
    c.village.pass(DELAY * 10).unwrap();
    for word in words {
        assert_eq!(sealed(&mut c.village, c.alice, word), Some(1));
        assert_eq!(state(&mut c.village, c.bob, word), MessageState::Delivered);
    }
    assert_eq!(
        texts(&mut c.village, c.alice, c.her_bob),
        ["word 0", "word 1", "word 2"]
    );
    assert_eq!(mode(&mut c.village, c.bob, c.his_alice).in_force, Mode::Otr);
    nothing_named_on_record(&mut c);
}

fn react(c: &mut Couple, to: MessageId, mark: &str) -> MessageId {
    let mark = mark.into();
    let command = Command::React { message: to, mark };
    sent(ask(&mut c.village, c.bob, command))
}

#[test]
fn a_reaction_that_is_replaced_before_it_is_confirmed_is_confirmed_off_the_record() {
    let mut c = off_record_couple(2310);
    let text = send(&mut c.village, c.alice, c.her_bob, "what do you think?");
    c.village.pass(DELAY * 4).unwrap();
    let mut said = Vec::new();
    for mark in ["👍", "❤", "", "🎉"] {
        said.push(react(&mut c, text, mark));
    }
    c.village.pass(DELAY * 4).unwrap();
    nothing_named_on_record(&mut c);
    for message in said {
        let is = state(&mut c.village, c.bob, message);
        assert_eq!(is, MessageState::Delivered);
    }
    it_ends(&mut c);
}

#[test]
fn a_reaction_to_what_was_taken_back_meanwhile_is_confirmed_off_the_record() {
    let mut c = off_record_couple(2311);
    let text = send(&mut c.village, c.alice, c.her_bob, "forget it");
    c.village.pass(DELAY * 4).unwrap();
    let command = Command::Delete { message: text };
    // Neither hears of the other before both spoke.
    ask(&mut c.village, c.alice, command);
    let mark = react(&mut c, text, "👍");
    c.village.pass(DELAY * 4).unwrap();
    assert_eq!(sealed(&mut c.village, c.alice, mark), None, "not kept");
    assert_eq!(state(&mut c.village, c.bob, mark), MessageState::Delivered);
    it_ends(&mut c);
}

#[test]
fn edits_beyond_those_that_are_kept_are_confirmed_off_the_record() {
    for (count, bytes) in [(18, 1), (4, 40_000)] {
        let mut c = off_record_couple(2312);
        let message = send(&mut c.village, c.bob, c.his_alice, "first");
        c.village.pass(DELAY * 4).unwrap();
        let edits = (0..count).map(|n| {
            let text = format!("{n}{}", "x".repeat(bytes));
            let command = Command::Edit { message, text };
            sent(ask(&mut c.village, c.bob, command))
        });
        let edits = edits.collect::<Vec<_>>();
        c.village.pass(DELAY * 4).unwrap();
        let kept = edits
            .iter()
            .filter(|edit| sealed(&mut c.village, c.alice, **edit).is_some());
        assert!(kept.count() < count);
        for edit in edits {
            assert_eq!(state(&mut c.village, c.bob, edit), MessageState::Delivered);
        }
        it_ends(&mut c);
    }
}

#[test]
fn what_never_left_is_taken_back_here_and_nobody_hears_of_it() {
    let mut c = couple(2313);
    wish(&mut c.village, c.bob, c.his_alice, Mode::Otr);
    c.village.pass(DELAY).unwrap();
    wish(&mut c.village, c.alice, c.her_bob, Mode::Otr);
    let waits = send(&mut c.village, c.alice, c.her_bob, "off, regretted");
    let edit = Command::Edit {
        message: waits,
        text: "off, regretted more".into(),
    };
    ask(&mut c.village, c.alice, edit);
    assert_eq!(sealed(&mut c.village, c.alice, waits), Some(0));
    wish(&mut c.village, c.alice, c.her_bob, Mode::Normal);
    ask(&mut c.village, c.alice, Command::Delete { message: waits });
    assert_eq!(texts(&mut c.village, c.alice, c.her_bob).len(), 0);
    c.village.pass(DELAY * 4).unwrap();
    wish(&mut c.village, c.alice, c.her_bob, Mode::Otr);
    c.village.pass(DELAY * 4).unwrap();
    let later = send(&mut c.village, c.alice, c.her_bob, "off, meant");
    c.village.pass(DELAY * 4).unwrap();
    assert_eq!(sealed(&mut c.village, c.bob, waits), None);
    assert_eq!(texts(&mut c.village, c.bob, c.his_alice), ["off, meant"]);
    let is = state(&mut c.village, c.alice, later);
    assert_eq!(is, MessageState::Delivered);
    it_ends(&mut c);
}

#[test]
fn a_waiting_text_whose_correction_left_is_taken_back_at_both() {
    let mut c = couple(2314);
    wish(&mut c.village, c.bob, c.his_alice, Mode::Otr);
    c.village.pass(DELAY).unwrap();
    wish(&mut c.village, c.alice, c.her_bob, Mode::Otr);
    // More than leave at once when the stretch stands.
    let texts_said: Vec<_> = (0..70)
        .map(|n| send(&mut c.village, c.alice, c.her_bob, &format!("off {n}")))
        .collect();
    let (first, last) = (texts_said[0], texts_said[69]);
    for _ in 0..120 {
        if sealed(&mut c.village, c.alice, first) == Some(0) {
            c.village.pass(Duration::from_millis(500)).unwrap();
        }
    }
    assert_ne!(sealed(&mut c.village, c.alice, first), Some(0));
    assert_eq!(sealed(&mut c.village, c.alice, last), Some(0), "it waits");
    let edit = Command::Edit {
        message: last,
        text: "off, corrected".into(),
    };
    ask(&mut c.village, c.alice, edit);
    ask(&mut c.village, c.alice, Command::Delete { message: last });
    c.village.pass(Duration::from_secs(3_600)).unwrap();
    for (home, contact) in [(c.alice, c.her_bob), (c.bob, c.his_alice)] {
        let shown = texts(&mut c.village, home, contact);
        assert!(
            !shown
                .iter()
                .any(|text| text == "off, corrected" || text == "off 69")
        );
    }
    // He holds the correction of a text that never came, and is told that it is gone.
    let (his, alice) = (c.village.storage(c.bob).unwrap(), c.his_alice);
    let kept = his.changes(alice, &last).unwrap();
    assert!(kept.iter().any(|one| one.kind == MessageKind::Delete));
    it_ends(&mut c);
}

//! Stretches off the record that are interrupted: by crashes, bad weather, lost
//! mailboxes, backups that are put back, and new keys.

use std::time::Duration;

use hushwing_conversation::content::Mode;
use hushwing_conversation::village::{Conduct, Crash, Home, Weather};
use hushwing_conversation::{
    Change, Command, ContactId, MemoryStorage, MessageId, MessageState, Reply, Storage as _,
};

use crate::otr::{agree, nothing_named_on_record, off_record_couple, sealed, state, stretches};
use crate::provable::{mode, wish};
use crate::support::*;

const HOUR: Duration = Duration::from_secs(3_600);
const DAY: Duration = Duration::from_secs(24 * 3_600);

fn backup(c: &mut Couple, home: Home) -> MemoryStorage {
    c.village.storage(home).unwrap().clone()
}

fn sides(c: &Couple) -> [(Home, ContactId); 2] {
    [(c.alice, c.her_bob), (c.bob, c.his_alice)]
}

/// Both say something. They have the same words, each once, confirmed; all that
/// begins with "off" is off the record with both, and nothing else is.
fn agree_on_all(c: &mut Couple, what: &str) {
    nothing_named_on_record(c);
    let mut seen = Vec::new();
    for (home, of) in sides(c) {
        let views = read(&mut c.village, home, of);
        for view in &views {
            let off = sealed(&mut c.village, home, view.id).is_some();
            assert_eq!(off, view.text.starts_with("off"), "{what}: {}", view.text);
            assert!(
                view.state >= MessageState::Delivered,
                "{what}: {}",
                view.text
            );
        }
        let words = views.into_iter().map(|view| (view.id, view.text));
        seen.push(words.collect::<Vec<(MessageId, String)>>());
    }
    assert_eq!(seen[0], seen[1], "{what}");
}

/// What a patient person does: asks again until it was done.
fn insist(c: &mut Couple, home: Home, command: &Command) {
    for _ in 0..3 {
        if let Some(Ok(_)) = c.village.ask(home, command.clone()).unwrap() {
            return;
        }
    }
    panic!("{command:?} was not done")
}

/// Says something that was not said before.
fn say(c: &mut Couple, who: usize, text: &str) {
    let (home, contact) = sides(c)[who];
    for _ in 0..3 {
        let command = Command::Send {
            contact,
            text: text.into(),
            reply_to: None,
        };
        c.village.ask(home, command).unwrap();
        c.village.pass(DELAY).unwrap();
        if texts(&mut c.village, home, contact).contains(&text.to_owned()) {
            return;
        }
    }
    panic!("{text} was not said")
}

/// A stretch from its beginning to its end and another after it, with a crash of
/// `whom` at their `at`th call. Gives how often both were called.
fn story(seed: u64, whom: usize, at: u64, crash: Crash) -> [u64; 2] {
    let mut c = couple(seed);
    let before = [c.alice, c.bob].map(|home| c.village.calls(home));
    c.village.crash_in([c.alice, c.bob][whom], at, crash);
    for round in 0..2 {
        for (home, contact) in sides(&c) {
            let mode = Mode::Otr;
            insist(&mut c, home, &Command::SetMode { contact, mode });
            c.village.pass(DELAY).unwrap();
        }
        for who in [0, 1] {
            say(&mut c, who, &format!("off {round} {who}"));
        }
        let (home, contact) = sides(&c)[round];
        let mode = Mode::Normal;
        insist(&mut c, home, &Command::SetMode { contact, mode });
        c.village.pass(HOUR * 3).unwrap();
    }
    let (home, contact) = sides(&c)[0];
    let mode = Mode::Normal;
    insist(&mut c, home, &Command::SetMode { contact, mode });
    say(&mut c, 0, "on record");
    c.village.pass(HOUR * 3).unwrap();
    let what = format!("{whom} {at} {crash:?}");
    agree_on_all(&mut c, &what);
    for (home, of) in sides(&c) {
        assert_eq!(read(&mut c.village, home, of).len(), 5, "{what}");
        assert!(stretches(&mut c.village, home, of).now.is_none(), "{what}");
    }
    [0, 1].map(|who| c.village.calls([c.alice, c.bob][who]) - before[who])
}

/// Every other step loses the commit, and the steps between lose what comes after it.
fn at_every_step(before: u64) {
    let calls = story(2400, 0, u64::MAX, Crash::BeforeCommit);
    for whom in [0, 1] {
        for at in 1..=calls[whom] {
            let crash = match at % 2 == before {
                true => Crash::BeforeCommit,
                false => Crash::AfterCommit,
            };
            story(2401, whom, at, crash);
        }
    }
}

#[test]
fn a_crash_at_any_step_loses_nothing_and_puts_nothing_on_record() {
    at_every_step(0);
}

#[test]
fn nor_does_the_other_crash_at_any_step() {
    at_every_step(1);
}

#[test]
fn loss_repetition_and_reordering_change_nothing_in_the_end() {
    for seed in 0..6 {
        let mut c = couple(2410 + seed);
        c.village.set_weather(Weather {
            loss: 40,
            repeat: 40,
            reorder: 80,
        });
        wish(&mut c.village, c.alice, c.her_bob, Mode::Otr);
        wish(&mut c.village, c.bob, c.his_alice, Mode::Otr);
        for n in 0..30 {
            let (who, text) = (sides(&c)[n % 2], format!("off {n}"));
            let command = Command::Send {
                contact: who.1,
                text,
                reply_to: None,
            };
            // Not before she knows that he agrees.
            let _: Option<_> = c.village.ask(who.0, command).unwrap();
            c.village.pass(Duration::from_secs(2)).unwrap();
        }
        wish(&mut c.village, c.bob, c.his_alice, Mode::Normal);
        c.village.pass(Duration::from_secs(30)).unwrap();
        c.village.set_weather(Weather::default());
        c.village.pass(HOUR * 6).unwrap();
        agree_on_all(&mut c, &format!("seed {seed}"));
        assert!(texts(&mut c.village, c.alice, c.her_bob).len() > 15);
        for (home, of) in sides(&c) {
            let record = stretches(&mut c.village, home, of);
            assert!(record.now.is_none(), "seed {seed}");
            assert!(record.last <= 3, "seed {seed}: {}", record.last);
        }
    }
}

#[test]
fn a_backup_that_is_put_back_ends_the_stretch_and_loses_nothing() {
    for whose in [0, 1] {
        let mut c = off_record_couple(2420);
        say(&mut c, 0, "off 1, hers");
        say(&mut c, 1, "off 1, his");
        let home = [c.alice, c.bob][whose];
        let old = backup(&mut c, home);
        let (other, of_other) = sides(&c)[1 - whose];
        say(&mut c, 1 - whose, "off 2, confirmed");
        c.village.restore(home, old).unwrap();
        let (_, of) = sides(&c)[whose];
        assert!(stretches(&mut c.village, home, of).now.is_none());
        say(&mut c, 1 - whose, "off 3, to nobody yet");
        c.village.pass(DAY).unwrap();
        agree_on_all(&mut c, &format!("{whose}"));
        assert_eq!(read(&mut c.village, home, of).len(), 4, "{whose}");
        say(&mut c, whose, "off 4");
        c.village.pass(HOUR).unwrap();
        agree_on_all(&mut c, &format!("{whose}, after"));
        let record = stretches(&mut c.village, home, of);
        assert_eq!(record.last, stretches(&mut c.village, other, of_other).last);
    }
}

/// A backup from before they agreed: who restored does not know that they wished
/// it, and the other learns so before anything goes on record unseen.
#[test]
fn a_backup_from_before_it_was_agreed_takes_the_wish_back_and_it_is_seen() {
    for whose in [0, 1] {
        let mut c = couple(2430);
        let home = [c.alice, c.bob][whose];
        let old = backup(&mut c, home);
        agree(&mut c);
        let (other, of_other) = sides(&c)[1 - whose];
        say(&mut c, 1 - whose, "off 1");
        c.village.restore(home, old).unwrap();
        c.village.pass(DAY).unwrap();
        let (_, of) = sides(&c)[whose];
        let views = [
            mode(&mut c.village, home, of),
            mode(&mut c.village, other, of_other),
        ];
        assert_eq!(
            [views[0].mine, views[1].theirs],
            [Mode::Normal; 2],
            "{whose}"
        );
        assert_eq!([views[0].theirs, views[1].mine], [Mode::Otr; 2], "{whose}");
        // What waits for a stretch is said when they agree again.
        agree(&mut c);
        c.village.pass(HOUR).unwrap();
        agree_on_all(&mut c, &format!("{whose}"));
        assert_eq!(texts(&mut c.village, home, of), ["off 1"]);
    }
}

#[test]
fn both_may_put_backups_back() {
    let mut c = off_record_couple(2440);
    say(&mut c, 0, "off 1");
    c.village.pass(HOUR).unwrap();
    let (alice, bob) = (c.alice, c.bob);
    let old = [backup(&mut c, alice), backup(&mut c, bob)];
    say(&mut c, 1, "off, lost with both");
    let [hers, his] = old;
    c.village.restore(c.alice, hers).unwrap();
    c.village.restore(c.bob, his).unwrap();
    c.village.pass(DAY * 3).unwrap();
    say(&mut c, 0, "off 2");
    c.village.pass(HOUR).unwrap();
    agree_on_all(&mut c, "both");
    assert_eq!(
        texts(&mut c.village, c.bob, c.his_alice),
        ["off 1", "off 2"]
    );
}

#[test]
fn lost_mailboxes_are_asked_about_and_repeated_in_the_stretch() {
    for tell in [false, true] {
        let mut c = off_record_couple(2450);
        for n in 0..3 {
            c.village.lose_mailboxes(c.alice, tell);
            for m in 0..4 {
                send(&mut c.village, c.bob, c.his_alice, &format!("off {n} {m}"));
            }
            c.village.pass(Duration::from_secs(30)).unwrap();
            c.village.open_again(c.alice).unwrap();
            c.village.pass(HOUR * 3).unwrap();
        }
        agree_on_all(&mut c, "lost");
        assert_eq!(texts(&mut c.village, c.alice, c.her_bob).len(), 12);
        // No other stretch was needed for it.
        assert_eq!(stretches(&mut c.village, c.alice, c.her_bob).last, 1);
    }
}

#[test]
fn a_server_that_drops_everything_stops_no_stretch() {
    for server in [0, 1] {
        let mut c = crate::failover::with_two_servers(2460);
        c.village.set_conduct(server, Conduct::Dropping);
        wish(&mut c.village, c.alice, c.her_bob, Mode::Otr);
        c.village.pass(HOUR * 3).unwrap();
        wish(&mut c.village, c.bob, c.his_alice, Mode::Otr);
        c.village.pass(HOUR * 6).unwrap();
        for n in 0..6 {
            let (home, of) = sides(&c)[n % 2];
            send(&mut c.village, home, of, &format!("off {n}"));
        }
        c.village.pass(DAY).unwrap();
        agree_on_all(&mut c, "dropping");
        wish(&mut c.village, c.alice, c.her_bob, Mode::Normal);
        c.village.pass(DAY * 4).unwrap();
        for (home, of) in sides(&c) {
            let now = stretches(&mut c.village, home, of).now;
            assert!(now.is_none(), "{server}");
        }
    }
}

#[test]
fn new_keys_of_the_conversation_change_nothing_in_a_stretch() {
    let mut c = off_record_couple(2470);
    let epoch = |c: &mut Couple| {
        let storage = c.village.storage(c.alice).unwrap();
        storage.last_position(c.her_bob).unwrap().unwrap().epoch
    };
    let before = epoch(&mut c);
    for round in 0..5 {
        say(&mut c, 0, &format!("off {round}, hers"));
        say(&mut c, 1, &format!("off {round}, his"));
        ask(
            &mut c.village,
            c.alice,
            Command::Rotate { contact: c.her_bob },
        );
        c.village.pass(HOUR * 4).unwrap();
    }
    agree_on_all(&mut c, "rounds");
    assert_eq!(stretches(&mut c.village, c.alice, c.her_bob).last, 1);
    assert!(epoch(&mut c) > before, "the conversation went on");
}

/// Nobody commits in a stretch, so what was said long ago is healed by the next one.
#[test]
fn a_stretch_in_which_something_is_said_stands_for_a_day() {
    let mut c = off_record_couple(2471);
    for day in 1..5 {
        say(&mut c, 0, &format!("off {day}, hers"));
        say(&mut c, 1, &format!("off {day}, his"));
        c.village.pass(DAY + HOUR).unwrap();
        agree_on_all(&mut c, "days");
        for (home, of) in sides(&c) {
            let record = stretches(&mut c.village, home, of);
            let now = record.now.expect("the next one");
            assert_eq!((record.last, now.group.is_some()), (day + 1, true));
        }
    }
    // Nothing is to be healed where nothing is said.
    c.village.pass(DAY * 5).unwrap();
    for (home, of) in sides(&c) {
        assert_eq!(stretches(&mut c.village, home, of).last, 5);
    }
    say(&mut c, 0, "off at last");
    c.village.pass(HOUR).unwrap();
    agree_on_all(&mut c, "at last");
}

/// What failed before a backup was put back waits for the next stretch, though none is
/// open when what failed is said again.
#[test]
fn what_failed_is_said_again_after_a_backup_was_put_back() {
    let mut c = couple(2472);
    let bob = c.bob;
    let old = backup(&mut c, bob);
    agree(&mut c);
    c.village.swallow(c.bob, 1);
    let failed = send(&mut c.village, c.alice, c.her_bob, "off, failed");
    c.village.pass(DELAY).unwrap();
    let storage = c.village.storage(c.alice).unwrap();
    let times = storage.message(&failed).unwrap().unwrap().times;
    let fails = MessageState::Failed;
    storage.set_state(&failed, fails, &times).unwrap();
    c.village.restore(c.bob, old).unwrap();
    c.village.pass(DAY).unwrap();
    let waits = state(&mut c.village, c.alice, failed);
    assert_eq!(waits, MessageState::Queued);
    agree(&mut c);
    c.village.pass(HOUR).unwrap();
    agree_on_all(&mut c, "failed");
    assert_eq!(texts(&mut c.village, c.bob, c.his_alice), ["off, failed"]);
}

#[test]
fn who_is_blocked_hears_nothing_and_all_of_it_afterwards() {
    let mut c = off_record_couple(2480);
    let conversation = conversation(&mut c.village, c.alice, c.her_bob);
    let block = |on| Command::Keep {
        conversation,
        change: Change::Blocked(on),
    };
    ask(&mut c.village, c.alice, block(true));
    let told = send(&mut c.village, c.bob, c.his_alice, "off, unheard");
    c.village.pass(DAY).unwrap();
    assert_eq!(texts(&mut c.village, c.alice, c.her_bob).len(), 0);
    assert_eq!(state(&mut c.village, c.bob, told), MessageState::Accepted);
    ask(&mut c.village, c.alice, block(false));
    c.village.pass(DAY).unwrap();
    agree_on_all(&mut c, "unblocked");
    assert_eq!(state(&mut c.village, c.bob, told), MessageState::Delivered);
}

/// The texts that somebody finds by a word.
fn found(c: &mut Couple, who: usize, text: &str) -> Vec<String> {
    let search = Command::Search {
        text: text.into(),
        within: None,
        most: 10,
    };
    match ask(&mut c.village, [c.alice, c.bob][who], search) {
        Reply::Messages(views) => views.into_iter().map(|view| view.text).collect(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn what_disappears_and_what_is_found_is_so_off_the_record_too() {
    let mut c = off_record_couple(2490);
    let conversation = conversation(&mut c.village, c.alice, c.her_bob);
    say(&mut c, 0, "off with its head");
    assert_eq!(found(&mut c, 1, "head"), ["off with its head"]);
    assert_eq!(kept(&mut c.village, c.bob, c.his_alice).unread, 1);
    let disappear = Command::Disappear {
        conversation,
        seconds: 60,
    };
    ask(&mut c.village, c.alice, disappear);
    c.village.pass(DELAY * 4).unwrap();
    let vanishes = send(&mut c.village, c.alice, c.her_bob, "off and away");
    c.village.pass(DELAY * 4).unwrap();
    assert!(sealed(&mut c.village, c.bob, vanishes).is_some());
    read(&mut c.village, c.bob, c.his_alice);
    c.village.pass(HOUR).unwrap();
    for who in [0, 1] {
        assert_eq!(found(&mut c, who, "away").len(), 0);
    }
    // It ends though a message of it is gone.
    wish(&mut c.village, c.bob, c.his_alice, Mode::Normal);
    c.village.pass(HOUR).unwrap();
    for (home, of) in sides(&c) {
        assert!(stretches(&mut c.village, home, of).now.is_none());
    }
}

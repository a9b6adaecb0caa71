//! Messages that disappear on both sides, and those that were taken back.

use std::time::Duration;

use hushwing_conversation::content::{Content, Expiration, MAX_TIMER, Post, Text, Timer};
use hushwing_conversation::storage::{MessageKind, SaidRows as _};
use hushwing_conversation::view::Notice;
use hushwing_conversation::village::{Conduct, Crash, Home, Village};
use hushwing_conversation::{
    Command, ContactId, Event, MessageId, MessageState, Refusal, Reply, Storage as _,
};

use crate::intruder::Intruder;
use crate::support::*;

const HOUR: Duration = Duration::from_secs(3_600);

fn disappear(village: &mut Village, home: Home, contact: ContactId, seconds: u32) {
    let conversation = conversation(village, home, contact);
    let command = Command::Disappear {
        conversation,
        seconds,
    };
    let Reply::Conversation(view) = ask(village, home, command) else {
        panic!("another reply")
    };
    assert_eq!(view.disappear_after.unwrap_or_default(), seconds);
}

/// Whether anything of what a message said lies in somebody's storage.
fn holds(village: &mut Village, home: Home, words: &str) -> bool {
    village.storage(home).unwrap().holds(words)
}

/// Texts without notices.
fn words(village: &mut Village, home: Home, contact: ContactId) -> Vec<String> {
    let views = read(village, home, contact).into_iter();
    let said = views.filter(|view| view.notice.is_none() && !view.deleted);
    said.map(|view| view.text).collect()
}

#[test]
fn both_sides_agree_and_are_shown_so() {
    let mut c = couple(700);
    disappear(&mut c.village, c.alice, c.her_bob, 60);
    c.village.pass(DELAY).unwrap();
    let notice = Some(Notice::Disappear { seconds: 60 });
    for (home, contact) in [(c.alice, c.her_bob), (c.bob, c.his_alice)] {
        let views = read(&mut c.village, home, contact);
        assert_eq!(views.last().unwrap().notice, notice);
        let kept = kept(&mut c.village, home, contact);
        assert_eq!(kept.disappear_after, Some(60));
        c.village.open_again(home).unwrap();
    }
    disappear(&mut c.village, c.bob, c.his_alice, 0);
    c.village.pass(DELAY).unwrap();
    assert_eq!(
        kept(&mut c.village, c.alice, c.her_bob).disappear_after,
        None
    );
}

#[test]
fn of_two_who_choose_at_once_both_go_by_the_same() {
    let mut c = couple(701);
    // Neither has heard of the other when they choose.
    disappear(&mut c.village, c.alice, c.her_bob, 60);
    disappear(&mut c.village, c.bob, c.his_alice, 90);
    c.village.pass(HOUR).unwrap();
    let hers = kept(&mut c.village, c.alice, c.her_bob).disappear_after;
    let his = kept(&mut c.village, c.bob, c.his_alice).disappear_after;
    assert!(hers.is_some() && hers == his, "{hers:?} {his:?}");
}

#[test]
fn time_runs_from_the_network_for_the_author_and_from_reading_for_the_reader() {
    let mut c = couple(702);
    disappear(&mut c.village, c.alice, c.her_bob, 3_600);
    c.village.pass(DELAY).unwrap();
    send(&mut c.village, c.alice, c.her_bob, "burn this");
    c.village.pass(HOUR + DELAY).unwrap();
    assert!(words(&mut c.village, c.alice, c.her_bob).is_empty());
    assert!(!holds(&mut c.village, c.alice, "burn"));
    // Unread, it waits.
    assert!(holds(&mut c.village, c.bob, "burn"));
    c.village.pass(HOUR * 24).unwrap();
    assert_eq!(words(&mut c.village, c.bob, c.his_alice), ["burn this"]);
    let until = read(&mut c.village, c.bob, c.his_alice).pop().unwrap();
    assert!(until.disappears.is_some());
    c.village.pass(HOUR - Duration::from_secs(1)).unwrap();
    assert_eq!(words(&mut c.village, c.bob, c.his_alice), ["burn this"]);
    c.village.events(c.bob);
    c.village.pass(Duration::from_secs(2)).unwrap();
    assert!(words(&mut c.village, c.bob, c.his_alice).is_empty());
    assert!(!holds(&mut c.village, c.bob, "burn"));
    let told = c.village.events(c.bob);
    let gone = |event: &Event| matches!(event, Event::Disappeared { .. });
    assert!(told.iter().any(gone), "{told:?}");
}

#[test]
fn what_waits_in_the_outbox_does_not_disappear() {
    let mut c = couple(703);
    disappear(&mut c.village, c.alice, c.her_bob, 60);
    c.village.pass(DELAY).unwrap();
    c.village.cut_off(c.bob);
    send(&mut c.village, c.alice, c.her_bob, "not sent yet");
    c.village.pass(HOUR).unwrap();
    assert_eq!(words(&mut c.village, c.alice, c.her_bob), ["not sent yet"]);
}

#[test]
fn times_survive_restarts_and_time_in_which_nothing_ran() {
    let mut c = couple(704);
    disappear(&mut c.village, c.alice, c.her_bob, 600);
    c.village.pass(DELAY).unwrap();
    send(&mut c.village, c.alice, c.her_bob, "soon gone");
    c.village.pass(DELAY).unwrap();
    read(&mut c.village, c.bob, c.his_alice);
    c.village.set_clocks_ahead(HOUR);
    for (home, contact) in [(c.alice, c.her_bob), (c.bob, c.his_alice)] {
        c.village.open_again(home).unwrap();
        c.village.rest().unwrap();
        // The first call takes it up.
        contacts(&mut c.village, home);
        c.village.rest().unwrap();
        assert!(!holds(&mut c.village, home, "soon"));
        assert!(words(&mut c.village, home, contact).is_empty());
    }
}

#[test]
fn a_crash_between_any_two_calls_forgets_no_timer() {
    let story = |whom: usize, at: u64, crash: Crash| {
        let mut c = couple(705);
        let home = [c.alice, c.bob][whom];
        c.village.crash_in(home, at, crash);
        let (alice, bob) = (c.alice, c.bob);
        for (home, contact) in [(alice, c.her_bob), (bob, c.his_alice)] {
            let conversation = conversation(&mut c.village, home, contact);
            let seconds = 300;
            let command = Command::Disappear {
                conversation,
                seconds,
            };
            if c.village.ask(home, command).unwrap().is_some() {
                break;
            }
        }
        c.village.pass(HOUR).unwrap();
        let command = Command::Send {
            contact: c.her_bob,
            text: "ephemeral".to_owned(),
            reply_to: None,
        };
        let _ = c.village.ask(alice, command).unwrap();
        c.village.pass(Duration::from_secs(30)).unwrap();
        // Twice, for a crash may have swallowed the first.
        for _ in 0..2 {
            let command = Command::Read {
                contact: c.his_alice,
                before: None,
                most: 10,
            };
            let _ = c.village.ask(bob, command).unwrap();
        }
        c.village.pass(HOUR * 2).unwrap();
        for (home, contact) in [(alice, c.her_bob), (bob, c.his_alice)] {
            let left = words(&mut c.village, home, contact);
            assert!(left.is_empty(), "{whom} {at} {crash:?}: {left:?}");
            assert!(
                !holds(&mut c.village, home, "ephemeral"),
                "{whom} {at} {crash:?}"
            );
        }
        !c.village.will_crash(home)
    };
    for whom in [0, 1] {
        for crash in [Crash::BeforeCommit, Crash::AfterCommit] {
            let mut at = 1;
            while story(whom, at, crash) {
                at += 1;
                assert!(at < 200);
            }
            assert!(at > 5, "{at}");
        }
    }
}

#[test]
fn edits_and_reactions_go_with_what_they_change_and_late_ones_stay_out() {
    let mut c = couple(706);
    disappear(&mut c.village, c.alice, c.her_bob, 600);
    c.village.pass(DELAY).unwrap();
    let id = send(&mut c.village, c.alice, c.her_bob, "first wording");
    let edit = |text: &str| Command::Edit {
        message: id,
        text: text.to_owned(),
    };
    ask(&mut c.village, c.alice, edit("second wording"));
    c.village.pass(DELAY).unwrap();
    read(&mut c.village, c.bob, c.his_alice);
    let react = Command::React {
        message: id,
        mark: "👍".to_owned(),
    };
    ask(&mut c.village, c.bob, react);
    c.village.pass(HOUR).unwrap();
    for home in [c.alice, c.bob] {
        assert!(!holds(&mut c.village, home, "wording"));
        assert!(!holds(&mut c.village, home, "👍"));
        let record = c.village.storage(home).unwrap().message(&id).unwrap();
        assert_eq!(record.unwrap().kind, MessageKind::Gone);
    }
    assert_eq!(
        refusal(&mut c.village, c.alice, edit("third")),
        Refusal::NotMine
    );
}

#[test]
fn a_further_copy_of_what_disappeared_is_not_shown_again() {
    let mut c = couple(707);
    let mut mallory = Intruder::new();
    let contact = mallory.meet(&mut c.village, c.alice);
    c.village.pass(HOUR).unwrap();
    mallory.tell(&mut c.village, &Content::Timer(Timer { seconds: 60 }));
    let post = mallory.compose_to_vanish(
        &Content::Post(Post::new(Text::new("again and again").unwrap(), None)),
        Expiration::AfterReading(60),
    );
    for _ in 0..3 {
        let message = mallory.message(&post);
        mallory.post(&mut c.village, &[&message]);
        c.village.pass(DELAY).unwrap();
        read(&mut c.village, c.alice, contact);
        c.village.pass(HOUR).unwrap();
        assert!(words(&mut c.village, c.alice, contact).is_empty());
    }
    assert_eq!(
        kept(&mut c.village, c.alice, contact).disappear_after,
        Some(60)
    );
}

#[test]
fn a_fixed_end_is_obeyed_though_nobody_reads() {
    let mut c = couple(708);
    let mut mallory = Intruder::new();
    let contact = mallory.meet(&mut c.village, c.alice);
    c.village.pass(HOUR).unwrap();
    let post = Content::Post(Post::new(Text::new("until midnight").unwrap(), None));
    let midnight = 1_767_225_600 + 24 * 3_600;
    let post = mallory.compose_to_vanish(&post, Expiration::At(midnight));
    let message = mallory.message(&post);
    mallory.post(&mut c.village, &[&message]);
    c.village.pass(HOUR).unwrap();
    assert!(holds(&mut c.village, c.alice, "midnight"));
    c.village.pass(HOUR * 24).unwrap();
    assert!(!holds(&mut c.village, c.alice, "midnight"));
    assert!(words(&mut c.village, c.alice, contact).is_empty());
}

#[test]
fn a_deletion_overwrites_the_text_its_history_and_what_the_outbox_has() {
    let mut c = couple(709);
    let id = send(&mut c.village, c.alice, c.her_bob, "regret");
    let edit = Command::Edit {
        message: id,
        text: "remorse".to_owned(),
    };
    ask(&mut c.village, c.alice, edit);
    c.village.pass(HOUR).unwrap();
    let history = Command::History { message: id };
    let versions = match ask(&mut c.village, c.bob, history.clone()) {
        Reply::History(versions) => versions,
        other => panic!("{other:?}"),
    };
    let texts: Vec<_> = versions
        .iter()
        .map(|version| version.text.as_str())
        .collect();
    assert_eq!(texts, ["regret", "remorse"]);
    ask(&mut c.village, c.alice, Command::Delete { message: id });
    c.village.pass(HOUR).unwrap();
    for (home, contact) in [(c.alice, c.her_bob), (c.bob, c.his_alice)] {
        assert!(!holds(&mut c.village, home, "regret") && !holds(&mut c.village, home, "remorse"));
        let view = read(&mut c.village, home, contact).pop().unwrap();
        assert!(view.deleted && view.text.is_empty());
        assert_eq!(
            refusal(&mut c.village, home, history.clone()),
            Refusal::Deleted
        );
    }
}

#[test]
fn what_was_deleted_before_it_left_never_arrives() {
    let mut c = couple(710);
    c.village.cut_off(c.bob);
    let id = send(&mut c.village, c.alice, c.her_bob, "never mind");
    ask(&mut c.village, c.alice, Command::Delete { message: id });
    c.village.pass(HOUR).unwrap();
    assert!(!holds(&mut c.village, c.alice, "never mind"));
    // New keys do not bring it back.
    for n in 0..120 {
        send(&mut c.village, c.alice, c.her_bob, &n.to_string());
    }
    c.village.pass(HOUR).unwrap();
    let record = c.village.storage(c.alice).unwrap().message(&id).unwrap();
    assert!(record.unwrap().state < MessageState::Delivered);
}

#[test]
fn it_is_told_that_something_was_delivered_though_it_has_disappeared_here() {
    let mut c = couple(712);
    disappear(&mut c.village, c.alice, c.her_bob, 1);
    c.village.pass(DELAY * 2).unwrap();
    c.village.events(c.alice);
    let id = send(
        &mut c.village,
        c.alice,
        c.her_bob,
        "gone before its receipt",
    );
    c.village.pass(DELAY * 2).unwrap();
    let told = c.village.events(c.alice);
    let at = |wanted: fn(&Event, MessageId) -> bool| {
        let found = told.iter().position(|event| wanted(event, id));
        found.expect("an event")
    };
    let gone =
        at(|event, id| matches!(event, Event::Disappeared { message, .. } if *message == id));
    let state = MessageState::Delivered;
    let delivered = at(
        |event, id| matches!(event, Event::State { message, state: MessageState::Delivered, .. } if *message == id),
    );
    assert!(gone < delivered);
    assert_eq!(
        match ask(&mut c.village, c.alice, Command::Where { message: id }) {
            Reply::Where(place) => place.state,
            other => panic!("{other:?}"),
        },
        state
    );
}

#[test]
fn a_time_over_a_year_is_refused() {
    let mut c = couple(711);
    let command = Command::Disappear {
        conversation: conversation(&mut c.village, c.alice, c.her_bob),
        seconds: MAX_TIMER + 1,
    };
    assert_eq!(
        refusal(&mut c.village, c.alice, command),
        Refusal::TimerTooLong { most: MAX_TIMER }
    );
    let next = c.village.storage(c.alice).unwrap().next_vanishing();
    assert_eq!(next.unwrap(), None);
}

/// Letters that somebody's outbox has.
fn letters(village: &mut Village, home: Home) -> usize {
    use hushwing_delivery::Storage as _;
    village.storage(home).unwrap().letters().unwrap().len()
}

#[test]
fn the_letters_of_what_disappeared_end() {
    let mut c = crate::failover::with_two_servers(730);
    disappear(&mut c.village, c.alice, c.her_bob, 60);
    c.village.pass(HOUR).unwrap();
    let before = letters(&mut c.village, c.alice);
    // Bob's servers take everything, and bring nothing.
    for server in [0, 1] {
        c.village.set_conduct(server, Conduct::Dropping);
    }
    for n in 0..30 {
        send(&mut c.village, c.alice, c.her_bob, &n.to_string());
    }
    c.village.pass(HOUR).unwrap();
    assert!(words(&mut c.village, c.alice, c.her_bob).is_empty());
    assert_eq!(letters(&mut c.village, c.alice), before);
    // What stays is asked after, and comes.
    disappear(&mut c.village, c.alice, c.her_bob, 0);
    send(&mut c.village, c.alice, c.her_bob, "this one stays");
    c.village.pass(HOUR).unwrap();
    for server in [0, 1] {
        c.village.set_conduct(server, Conduct::Fair);
    }
    c.village.pass(HOUR * 48).unwrap();
    assert_eq!(
        words(&mut c.village, c.bob, c.his_alice),
        ["this one stays"]
    );
}

#[test]
fn what_is_over_when_it_comes_is_not_confirmed() {
    let mut c = couple(731);
    let mut mallory = Intruder::new();
    let contact = mallory.meet(&mut c.village, c.alice);
    c.village.pass(HOUR).unwrap();
    let post = Content::Post(Post::new(Text::new("too late").unwrap(), None));
    let over = Expiration::At(1_767_225_600 + 60);
    let late = mallory.compose_to_vanish(&post, over);
    let name = mallory.name_of(&late);
    let message = mallory.message(&late);
    mallory.post(&mut c.village, &[&message]);
    c.village.overhear();
    c.village.pass(HOUR).unwrap();
    let said = c.village.overhear();
    let told = mallory.understand(said);
    let about = |content: &Content| match content {
        Content::Receipts(receipts) => receipts.iter().any(|receipt| receipt.message == name),
        _ => false,
    };
    assert!(!told.iter().any(about), "{told:?}");
    assert!(words(&mut c.village, c.alice, contact).is_empty());
    assert!(!holds(&mut c.village, c.alice, "too late"));
}

#[test]
fn of_a_reaction_that_was_taken_back_the_mark_goes() {
    let mut c = couple(732);
    let message = send(&mut c.village, c.alice, c.her_bob, "what do you say?");
    c.village.pass(HOUR).unwrap();
    let react = |c: &mut Couple, mark: &str| {
        let mark = mark.to_owned();
        ask(&mut c.village, c.bob, Command::React { message, mark });
        c.village.pass(HOUR).unwrap();
    };
    for (mark, before) in [("+one", None), ("+two", Some("+one")), ("", Some("+two"))] {
        react(&mut c, mark);
        for home in [c.alice, c.bob] {
            assert!(mark.is_empty() || holds(&mut c.village, home, mark));
            let gone = before.is_none_or(|before| !holds(&mut c.village, home, before));
            assert!(gone, "{before:?}");
        }
    }
    // And with the message that it was for.
    react(&mut c, "+three");
    ask(&mut c.village, c.alice, Command::Delete { message });
    c.village.pass(HOUR).unwrap();
    for (home, contact) in [(c.alice, c.her_bob), (c.bob, c.his_alice)] {
        assert!(!holds(&mut c.village, home, "+three"));
        assert!(read(&mut c.village, home, contact)[0].deleted);
    }
}

#[test]
fn the_index_is_tidied_once_a_day_after_something_went() {
    let mut c = couple(733);
    let tidied = |c: &mut Couple| c.village.storage(c.alice).unwrap().tidied();
    for n in 0..3 {
        send(&mut c.village, c.alice, c.her_bob, &n.to_string());
    }
    c.village.pass(HOUR * 48).unwrap();
    assert_eq!(tidied(&mut c), 0, "nothing went");
    for n in 0..3 {
        let message = send(&mut c.village, c.alice, c.her_bob, &n.to_string());
        ask(&mut c.village, c.alice, Command::Delete { message });
        // Whatever is left to do survives a restart.
        c.village.open_again(c.alice).unwrap();
        c.village.pass(HOUR).unwrap();
        assert_eq!(tidied(&mut c), 1);
    }
    c.village.pass(HOUR * 24).unwrap();
    assert_eq!(tidied(&mut c), 2);
    c.village.pass(HOUR * 48).unwrap();
    assert_eq!(tidied(&mut c), 2);
}

//! Wide groups of which some have no network, or sleep.

use std::time::Duration;

use hushwing_conversation::content::Content;
use hushwing_conversation::storage::RoomRows as _;
use hushwing_conversation::{Command, Config};
use hushwing_delivery::Storage as _;

use crate::rooms_shadow::{Shadow, members, post};
use crate::rooms_wide::{delivered, everybody_has, sent, wide, wide_beyond};

#[test]
fn who_has_no_network_does_not_write_to_everybody() {
    let mut c = wide(2_540);
    c.village.set_offline(c.homes[8], true);
    c.say(8, "to all");
    c.pass(500);
    let mine = sent(&mut c, |c| {
        c.village.set_offline(c.homes[8], false);
        for herald in 0..3 {
            c.village.set_asleep(c.homes[herald], true);
        }
        c.pass(60);
        for herald in 0..3 {
            c.village.set_asleep(c.homes[herald], false);
        }
    });
    // To each herald, and to three who were asked whether a server answers, and answer.
    assert!((3..=9).contains(&mine), "{mine}");
    c.pass(400);
    everybody_has(&mut c, &[], &["to all"]);
    assert_eq!(delivered(&mut c, 8, "to all"), 8);
}

#[test]
fn whose_network_goes_when_it_was_said_does_not_write_to_everybody() {
    let mut c = wide(2_541);
    for herald in 0..3 {
        c.village.set_asleep(c.homes[herald], true);
    }
    let id = c.say(8, "to all");
    c.village.set_offline(c.homes[8], true);
    for herald in 0..3 {
        c.village.set_asleep(c.homes[herald], false);
    }
    c.pass(1_000);
    everybody_has(&mut c, &[], &["to all"]);
    assert_eq!(delivered(&mut c, 8, "to all"), 0);
    // To heralds, and to four who were asked whether a server answers.
    let all = c.village.storage(c.homes[8]).unwrap().recipients(&id);
    let written = all
        .unwrap()
        .iter()
        .filter(|one| one.letter.is_some())
        .count();
    assert!(written <= 7, "{written}");
    c.village.set_offline(c.homes[8], false);
    let sent = sent(&mut c, |c| c.pass(600));
    assert_eq!(delivered(&mut c, 8, "to all"), 8);
    // To those who were asked, and their receipts.
    assert!(sent <= 8, "{sent}");
}

#[test]
fn what_is_written_to_each_is_confirmed_and_written_once() {
    let mut c = wide(2_542);
    for herald in 0..3 {
        c.village.cut_off(c.homes[herald]);
    }
    c.say(8, "to all");
    c.pass(300);
    everybody_has(&mut c, &[0, 1, 2], &["to all"]);
    assert_eq!(delivered(&mut c, 8, "to all"), 5, "all but heralds");
    // She is a steward, and would ask others whether they are there.
    c.village.set_asleep(c.homes[0], true);
    for start in 0..3 {
        c.village.open_again(c.homes[8]).unwrap();
        let again = sent(&mut c, |c| c.pass(600));
        assert_eq!(again, 0, "{start}");
    }
}

#[test]
fn a_receipt_goes_back_the_way_it_came_also_after_a_crash() {
    let mut c = wide(2_543);
    for herald in 0..3 {
        c.village.cut_off(c.homes[herald]);
    }
    c.say(8, "to all");
    // All have it, and owe the receipt yet.
    c.pass(211);
    for who in 3..8 {
        c.village.open_again(c.homes[who]).unwrap();
    }
    c.pass(100);
    everybody_has(&mut c, &[0, 1, 2], &["to all"]);
    assert_eq!(delivered(&mut c, 8, "to all"), 5);
}

#[test]
fn what_was_said_where_the_group_was_wide_is_passed_on() {
    let mut c = wide_beyond(2_544, 8);
    let mut heidi = Shadow::of(&mut c, 7);
    let (room, member) = (c.rooms[0], c.member(0, "Ivan").member);
    c.ask(0, Command::RemoveMember { room, member });
    c.pass(60);
    assert!(c.view(0).members.iter().all(|one| !one.herald));
    let content = Content::Post(post("said before"));
    let message = heidi.say(&content);
    for herald in 0..3 {
        heidi.post_message(&mut c, herald, &message);
    }
    c.pass(200);
    for who in [0, 1, 2, 3, 4, 5, 6] {
        assert_eq!(c.texts(who), ["said before"], "{who}");
    }
}

#[test]
fn nobody_is_cut_off_by_one_herald_while_another_is_away() {
    for liar in 0..3 {
        for away in (0..3).filter(|away| *away != liar) {
            let mut c = wide(2_546);
            c.village.set_asleep(c.homes[away], true);
            // It loses what it passes on to those it is in charge of, and tells that it did.
            let others = c.homes[3..].to_vec();
            c.village.withhold(c.homes[liar], &others);
            c.say(8, "to all");
            c.pass(200);
            everybody_has(&mut c, &[away], &["to all"]);
        }
    }
}

#[test]
fn what_comes_to_a_herald_whose_mailbox_is_full_is_not_lost() {
    let mut c = wide(2_548);
    c.village.set_asleep(c.homes[1], true);
    let count = 120;
    for number in 0..count {
        c.say(3 + number % 6, &number.to_string());
        c.pass(6);
    }
    c.pass(100);
    assert_eq!(
        c.village.waiting_for(c.homes[1]),
        128,
        "its mailbox is full"
    );
    for who in [0, 2, 3, 8] {
        assert_eq!(c.texts(who).len(), count, "{who} does not wait");
    }
    c.village.set_asleep(c.homes[1], false);
    c.village.pass(Duration::from_secs(3_000)).unwrap();
    assert_eq!(c.texts(1), c.texts(0));
    for number in 0..count {
        let text = number.to_string();
        let counted = delivered(&mut c, 3 + number % 6, &text);
        assert_eq!(counted, 8, "{text}");
    }
}

#[test]
fn what_heralds_do_not_pass_on_at_once_waits_its_turn_with_them() {
    let mut c = wide(2_549);
    for herald in 0..3 {
        c.village.set_asleep(c.homes[herald], true);
    }
    let mine = sent(&mut c, |c| {
        for number in 0..70 {
            c.say(8, &number.to_string());
        }
        c.pass(1);
    });
    assert_eq!(mine, 70 * 3);
    for herald in 0..3 {
        c.village.set_asleep(c.homes[herald], false);
    }
    c.pass(200);
    for who in 0..8 {
        assert_eq!(c.texts(who).len(), 70, "{who}");
    }
}

#[test]
fn a_herald_whose_outbox_is_full_serves_all_who_take_letters() {
    // All at once, or one after the other.
    for (seed, most) in [(2_550, [2, 2, 2]), (2_552, [2, 3, 4]), (2_553, [4, 3, 2])] {
        let mut c = wide(seed);
        for (herald, most) in most.into_iter().enumerate() {
            c.village
                .choose(c.homes[herald], |config| {
                    config.most_for_others = (most, 30_000)
                })
                .unwrap();
        }
        for away in [3, 4] {
            c.village.cut_off(c.homes[away]);
        }
        let texts = ["1", "2", "3", "4", "5", "6", "7", "8"];
        for text in texts {
            let cost = sent(&mut c, |c| {
                c.say(8, text);
            });
            assert_eq!(cost, 3);
            c.pass(120);
            for who in [0, 1, 2, 5, 6, 7] {
                assert_eq!(c.texts(who).pop().as_deref(), Some(text), "{who}");
            }
            assert_eq!(delivered(&mut c, 8, text), 6, "all but two");
        }
        c.pass(400);
        for herald in 0..3 {
            let storage = c.village.storage(c.homes[herald]).unwrap();
            let letters = storage.letters().unwrap();
            // To the two who are away, and on their way.
            assert!(letters.len() <= 8, "{}", letters.len());
            assert_eq!(c.texts(herald), texts);
        }
        for who in [5, 6, 7] {
            assert_eq!(c.texts(who), texts, "{who}");
        }
    }
}

#[test]
fn a_commit_goes_to_each_though_it_is_not_known_where_to_write_to_most() {
    let mut c = wide(2_551);
    c.make_steward(0, "Ivan");
    c.pass(120);
    for herald in 0..3 {
        c.village.cut_off(c.homes[herald]);
    }
    let known = ["Alice", "Bob", "Carol", "Heidi"];
    for mut record in members(&mut c, 8) {
        if !known.contains(&record.name.as_str()) {
            record.addresses.clear();
            let storage = c.village.storage(c.homes[8]).unwrap();
            storage.put_member(&record).unwrap();
        }
    }
    c.village.open_again(c.homes[8]).unwrap();
    let (room, name) = (c.rooms[8], "Sailing".to_owned());
    c.ask(8, Command::RenameRoom { room, name });
    c.pass(600);
    assert_eq!(c.view(7).name, "Sailing");
}

#[test]
fn a_herald_that_sleeps_is_not_buried_in_receipts_and_gets_them_when_it_wakes() {
    let mut c = wide(2_560);
    c.village.set_asleep(c.homes[1], true);
    c.pass(600);
    let before = c.village.waiting_for(c.homes[1]);
    let texts: Vec<String> = (0..20).map(|number| format!("text {number}")).collect();
    for (number, text) in texts.iter().enumerate() {
        c.say(3 + number % 6, text);
        c.pass(40);
    }
    c.pass(120);
    // The texts themselves; of receipts sixteen letters and sixteen after ten minutes, and
    // as many of the other heralds. Else each text would bring three receipts, and of each
    // herald the text and a report.
    let waiting = c.village.waiting_for(c.homes[1]) - before;
    assert!((20..=20 + 4 * 16 + 6).contains(&waiting), "{waiting}");
    c.village.set_asleep(c.homes[1], false);
    c.pass(600);
    for (number, text) in texts.iter().enumerate() {
        let author = 3 + number % 6;
        assert_eq!(delivered(&mut c, author, text), 8, "{text}");
    }
}

#[test]
fn who_was_away_gets_all_and_who_stays_away_takes_no_more_than_heralds_keep() {
    let mut c = wide(2_561);
    for herald in 0..3 {
        let less = |config: &mut Config| config.most_for_others.0 = 400;
        c.village.choose(c.homes[herald], less).unwrap();
    }
    c.village.cut_off(c.homes[3]);
    c.village.set_asleep(c.homes[4], true);
    // Each herald that serves one of them sends more than a mailbox holds.
    let texts: Vec<String> = (0..220).map(|number| format!("text {number}")).collect();
    for (number, text) in texts.iter().enumerate() {
        c.say(5 + number % 4, text);
        c.pass(10);
    }
    c.pass(200);
    for herald in 0..3 {
        let storage = c.village.storage(c.homes[herald]).unwrap();
        // Reports to authors are on their way.
        let letters = storage.letters().unwrap().len();
        assert!(letters <= 400 + 8, "{herald}: {letters}");
    }
    c.village.set_asleep(c.homes[4], false);
    c.village.pass(Duration::from_secs(3_000)).unwrap();
    for who in [0, 1, 2, 5, 6, 7, 8] {
        assert_eq!(c.texts(who).len(), texts.len(), "{who}");
    }
    let mut all = c.texts(4);
    all.sort_by_key(|text| texts.iter().position(|one| one == text));
    assert_eq!(all, texts);
    let author = 5 + 219 % 4;
    assert_eq!(delivered(&mut c, author, &texts[219]), 7, "all but one");
}

#[test]
fn who_said_much_without_a_network_leaves_it_to_heralds_when_it_is_back() {
    let mut c = wide(2_562);
    c.village.set_offline(c.homes[8], true);
    // More than heralds pass on at once, and no more than wait their turn there.
    let texts: Vec<String> = (0..120).map(|number| format!("text {number}")).collect();
    let ids: Vec<_> = texts.iter().map(|text| c.say(8, text)).collect();
    c.pass(3_600);
    c.village.set_offline(c.homes[8], false);
    c.pass(170);
    for who in 0..8 {
        assert_eq!(c.texts(who), texts, "{who}");
    }
    c.pass(600);
    let storage = c.village.storage(c.homes[8]).unwrap();
    let written = ids.iter().map(|id| {
        let all = storage.recipients(id).unwrap().into_iter();
        all.filter(|one| one.letter.is_some()).count()
    });
    // To three heralds; while it had no network it asked one after the other whether a
    // server answers, about the first of them alone. Of the last the receipts come after
    // three minutes, for they waited: these it writes to the five others, and not all.
    let written: usize = written.sum();
    assert!((360..=360 + 30 * 5).contains(&written), "{written}");
}

#[test]
fn what_no_herald_passes_on_is_written_to_each_one_after_the_other() {
    let mut c = wide(2_563);
    for herald in 0..3 {
        c.village.swallow(c.homes[herald], 100_000);
    }
    let texts: Vec<String> = (0..12).map(|number| format!("text {number}")).collect();
    for text in &texts {
        c.say(8, text);
    }
    c.pass(179);
    let mut most = 0;
    for _ in 0..300 {
        most = most.max(sent(&mut c, |c| c.pass(1)));
    }
    for who in 3..8 {
        assert_eq!(c.texts(who), texts, "{who}");
    }
    // One text to each, and receipts of the one before.
    assert!(most <= 24, "{most}");
}

#[test]
fn nobody_is_cut_off_by_one_herald_while_another_goes_before_it_saw_to_it() {
    for liar in 0..3 {
        for goes in (0..3).filter(|goes| *goes != liar) {
            let mut c = wide(2_552);
            let others = c.homes[3..].to_vec();
            c.village.withhold(c.homes[liar], &others);
            c.say(8, "to all");
            // It reported what it passed on to those it is in charge of, and no more.
            c.pass(12);
            c.village.set_asleep(c.homes[goes], true);
            c.pass(300);
            everybody_has(&mut c, &[goes], &["to all"]);
        }
    }
}

#[test]
fn what_a_herald_says_itself_is_not_dropped_for_who_is_away() {
    let mut c = wide(2_564);
    for away in [1, 2, 3] {
        c.village.set_asleep(c.homes[away], true);
    }
    let texts: Vec<String> = (0..270).map(|number| format!("text {number}")).collect();
    for text in &texts {
        c.say(0, text);
        c.pass(1);
    }
    c.pass(200);
    for away in [1, 2, 3] {
        c.village.set_asleep(c.homes[away], false);
    }
    c.pass(3_600);
    for who in 1..9 {
        assert_eq!(c.texts(who).len(), texts.len(), "{who}");
    }
}

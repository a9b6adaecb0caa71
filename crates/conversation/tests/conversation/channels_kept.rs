//! What a channel has to hold through long absences, backups and damage.

use hushwing_conversation::storage::{ChannelPart, ChannelRecord, ReaderRecord, ReaderState};
use hushwing_conversation::village::{Conduct, Crash};
use hushwing_conversation::{
    Change, Command, Event, MemberId, Refusal, RoomStanding, Storage as _,
};
use hushwing_delivery::SendFailure;
use hushwing_sansio::Timestamp;

use crate::channels::channel;
use crate::rooms::{Circle, room_of, rooms};
use crate::support::*;

const A_DAY: u64 = 24 * 3_600;

fn stored(c: &mut Circle, who: usize) -> ChannelRecord {
    let (home, room) = (c.homes[who], c.rooms[who]);
    let all = ChannelRecord::all(c.village.storage(home).unwrap()).unwrap();
    let mut sound = all.into_iter().flatten();
    sound.find(|record| record.id == room).unwrap()
}

/// Has a reader's program believe that it lacks all there ever was.
fn ask_for_everything(c: &mut Circle, who: usize) {
    let mut record = stored(c, who);
    let ChannelPart::Reader(mine) = &mut record.part else {
        panic!("{record:?}");
    };
    (mine.next, mine.ask_after) = (0, Timestamp::from_secs(0));
    mine.came.clear();
    record.chains.clear();
    let home = c.homes[who];
    record.put(c.village.storage(home).unwrap()).unwrap();
    c.village.open_again(home).unwrap();
    c.pass(2 * 3_600);
}

#[test]
fn who_was_out_gets_nothing_of_that_time_by_asking() {
    let mut c = channel(2_880, &["Alice", "Bob", "Carol"]);
    c.say(0, "before");
    c.pass(60);
    let (room, member) = (c.rooms[0], MemberId(c.hers[0].0));
    c.ask(0, Command::RemoveMember { room, member });
    c.say(0, "between");
    c.pass(60);
    let carol = c.rooms.remove(2);
    c.rooms.truncate(1);
    c.offer(1);
    c.accept(1);
    c.rooms.push(carol);
    c.pass(60);
    c.say(0, "again");
    c.pass(60);
    ask_for_everything(&mut c, 1);
    assert_eq!(c.texts(1), ["before", "again"]);
    // Who was not out has all there was since they came.
    ask_for_everything(&mut c, 2);
    assert_eq!(c.texts(2), ["before", "between", "again"]);
    // No key of theirs opens what was said meanwhile.
    let floor = |c: &mut Circle, who: usize| {
        let chains = stored(c, who).chains;
        chains.iter().map(|chain| chain.generation).min()
    };
    assert!(floor(&mut c, 1) > Some(0));
}

#[test]
fn more_missed_than_a_chain_reaches_ends_no_channel() {
    let mut c = channel(2_881, &["Alice", "Bob"]);
    c.say(0, "first");
    c.pass(60);
    c.village.swallow(c.homes[0], u32::MAX);
    for n in 0..1_200 {
        c.say(0, &n.to_string());
    }
    c.pass(60);
    c.village.swallow(c.homes[0], 0);
    c.say(0, "last");
    c.pass(A_DAY);
    let all = c.texts(1);
    assert_eq!(all.last().map(String::as_str), Some("last"));
    assert_eq!(all.len(), 65, "{all:?}");
    c.say(0, "and on");
    c.pass(60);
    assert_eq!(c.texts(1).len(), 66);
}

#[test]
fn the_same_backup_twice_repeats_no_number() {
    let mut c = channel(2_882, &["Alice", "Bob"]);
    c.say(0, "before");
    c.pass(60);
    let backup = c.village.storage(c.homes[0]).unwrap().clone();
    let mut expected = vec!["before".to_owned()];
    let mut last = (0, 0, 0);
    for n in 0..2 {
        c.village.restore(c.homes[0], backup.clone()).unwrap();
        c.pass(2 * A_DAY);
        let text = format!("after {n}");
        c.say(0, &text);
        c.pass(A_DAY);
        expected.push(text);
        assert_eq!(c.texts(1), expected);
        let record = stored(&mut c, 0);
        let generation = record.chains.last().unwrap().generation;
        let ChannelPart::Publisher(mine) = record.part else {
            panic!("a publisher");
        };
        let now = (u64::from(generation), mine.head, mine.admissions);
        assert!(now.0 > last.0 && now.1 > last.1 && now.2 > last.2);
        last = now;
    }
}

#[test]
fn a_publisher_who_put_a_backup_back_asks_everybody_again() {
    let mut c = channel(2_883, &["Alice", "Bob", "Carol", "Dave"]);
    c.say(0, "before");
    c.pass(60);
    let backup = c.village.storage(c.homes[0]).unwrap().clone();
    let (room, member) = (c.rooms[0], MemberId(c.hers[1].0));
    c.ask(0, Command::RemoveMember { room, member });
    let daves = c.rooms[3];
    c.ask(3, Command::LeaveRoom { room: daves });
    c.say(0, "without Carol");
    c.pass(60);
    c.village.restore(c.homes[0], backup).unwrap();
    c.pass(A_DAY);
    c.say(0, "after");
    c.pass(A_DAY);
    // Bob reads on and was not asked; who was out is asked, and reads nothing.
    assert_eq!(c.texts(1), ["before", "without Carol", "after"]);
    for who in [2, 3] {
        assert_eq!(c.view(who).standing, RoomStanding::Offered);
        assert_eq!(c.texts(who), ["before"]);
    }
    assert_eq!((c.view(0).size, c.view(0).asked.len()), (2, 2));
}

fn broken(c: &mut Circle, who: usize) -> usize {
    let place = c.rooms[who].place();
    let events = c.village.events(c.homes[who]);
    let told = |event: &&Event| matches!(event, Event::Broken { contact, .. } if *contact == place);
    events.iter().filter(told).count()
}

/// Somebody's rows whose names begin so are damaged.
fn spoil(c: &mut Circle, who: usize, prefix: &str) {
    let home = c.homes[who];
    let storage = c.village.storage(home).unwrap();
    let (name, _) = storage.settings_of(prefix).unwrap().remove(0);
    storage.put_setting(&name, &[0xFF]).unwrap();
    c.village.events(home);
    c.village.open_again(home).unwrap();
    c.pass(60);
}

/// One channel is broken, and all else goes on: another channel, and conversations.
fn it_alone_is_broken(c: &mut Circle, who: usize) {
    assert_eq!(broken(c, who), 1);
    assert_eq!(c.view(who).standing, RoomStanding::Broken);
    let (home, room) = (c.homes[who], c.rooms[who]);
    let write = Command::Send {
        contact: room.place(),
        text: "on".to_owned(),
        reply_to: None,
    };
    assert_eq!(refusal(&mut c.village, home, write), Refusal::RoomBroken);
    let name = "Other".to_owned();
    let other = room_of(c.ask(who, Command::FoundChannel { name })).room;
    send(&mut c.village, home, other.place(), "here it goes on");
    let contact = contacts(&mut c.village, home)[0].contact;
    send(&mut c.village, home, contact, "and here");
    // It lasts, is told once, and leaves nothing behind.
    c.village.open_again(home).unwrap();
    c.pass(60);
    assert_eq!(broken(c, who), 0);
    assert_eq!(c.view(who).standing, RoomStanding::Broken);
    c.ask(who, Command::ForgetRoom { room });
    c.village.open_again(home).unwrap();
    assert_eq!(rooms(&mut c.village, home).len(), 1);
    assert!(!c.village.storage(home).unwrap().holds("said in it"));
}

#[test]
fn a_damaged_row_ends_its_channel_alone() {
    for who in [0, 1] {
        let mut c = channel(2_884, &["Alice", "Bob"]);
        c.say(0, "said in it");
        c.pass(60);
        spoil(&mut c, who, "channel ");
        assert_eq!(c.texts(who), ["said in it"]);
        it_alone_is_broken(&mut c, who);
    }
}

#[test]
fn a_damaged_reader_ends_their_channel_alone() {
    let mut c = channel(2_885, &["Alice", "Bob", "Carol"]);
    c.say(0, "said in it");
    c.pass(60);
    spoil(&mut c, 0, "reader of ");
    // Bob's row it was; Carol is told.
    assert_eq!(c.view(2).standing, RoomStanding::Left);
    it_alone_is_broken(&mut c, 0);
}

#[test]
fn a_damaged_post_ends_its_channel_alone() {
    let mut c = channel(2_886, &["Alice", "Bob", "Carol"]);
    let post = c.say(0, "said in it");
    c.pass(60);
    let home = c.homes[0];
    c.village.events(home);
    c.village.storage(home).unwrap().spoil_message(&post);
    ask_for_everything(&mut c, 1);
    assert_eq!(broken(&mut c, 0), 1);
    assert_eq!(c.view(0).standing, RoomStanding::Broken);
    // Readers are told.
    for who in [1, 2] {
        assert_eq!(c.view(who).standing, RoomStanding::Left);
    }
    let contact = c.hers[0];
    send(&mut c.village, home, contact, "between us");
    c.pass(60);
    assert_eq!(texts(&mut c.village, home, contact), ["between us"]);
}

#[test]
fn a_restored_profile_with_a_damaged_channel_is_restored() {
    let mut c = channel(2_887, &["Alice", "Bob"]);
    for prefix in ["channel ", "reader of "] {
        let mut backup = c.village.storage(c.homes[0]).unwrap().clone();
        let (name, _) = backup.settings_of(prefix).unwrap().remove(0);
        backup.put_setting(&name, &[0xFF]).unwrap();
        c.village.restore(c.homes[0], backup).unwrap();
        c.pass(3_600);
        assert_eq!(c.view(0).standing, RoomStanding::Broken);
    }
}

#[test]
fn no_message_holds_a_key_and_no_letter_what_was_taken_back() {
    let mut c = channel(2_888, &["Alice", "Bob"]);
    let home = c.homes[0];
    let (room, contact) = (c.rooms[0], c.hers[0]);
    let key = stored(&mut c, 0).chains[0].key.expose().to_vec();
    // On Bob's side nothing of it came to stay, either.
    for who in [0, 1] {
        let storage = c.village.storage(c.homes[who]).unwrap();
        for of in contacts_of(storage) {
            for mine in [true, false] {
                let said = storage.control(of, mine).unwrap();
                let holds = said
                    .iter()
                    .any(|one| one.content.windows(32).any(|at| at == key));
                assert!(!holds, "{who} {mine}");
            }
        }
    }
    // What is taken back before a network had it is not sent to be taken back then.
    c.village.set_offline(home, true);
    let nonsense = c.say(0, "nonsense");
    c.say(0, "sense");
    c.ask(0, Command::Delete { message: nonsense });
    c.village.set_offline(home, false);
    c.pass(600);
    let shown = read(&mut c.village, c.homes[1], c.rooms[1].place());
    let texts: Vec<_> = shown.iter().map(|post| post.text.as_str()).collect();
    assert_eq!(texts, ["sense"]);
    // Nor does anything to somebody who was removed meanwhile.
    c.village.set_offline(home, true);
    c.say(0, "not for Bob");
    let reader = |c: &mut Circle| {
        let storage = c.village.storage(home).unwrap();
        let all = ReaderRecord::all(storage, room).unwrap();
        let of = all.into_iter().find(|(who, _)| *who == contact);
        of.unwrap().1.unwrap()
    };
    let (letter, _) = reader(&mut c).letter.unwrap();
    let member = MemberId(contact.0);
    c.ask(0, Command::RemoveMember { room, member });
    let left = hushwing_delivery::Storage::letters(c.village.storage(home).unwrap()).unwrap();
    assert!(left.iter().all(|(one, _)| one.0 != letter));
    c.village.set_offline(home, false);
    c.pass(600);
    assert_eq!(c.texts(1), ["sense"]);
    assert_eq!(reader(&mut c).state, ReaderState::Gone);
}

fn contacts_of(
    storage: &hushwing_conversation::MemoryStorage,
) -> Vec<hushwing_conversation::ContactId> {
    let all = storage.contacts().unwrap();
    all.iter().map(|contact| contact.id).collect()
}

#[test]
fn what_fell_out_of_the_last_posts_lies_in_no_letter() {
    let mut c = channel(2_889, &["Alice", "Bob"]);
    let home = c.homes[0];
    c.village.set_offline(home, true);
    for n in 0..80 {
        c.say(0, &n.to_string());
    }
    c.village.set_offline(home, false);
    c.pass(600);
    let all = c.texts(1);
    let expected: Vec<_> = (16..80).map(|n| n.to_string()).collect();
    assert_eq!(all, expected);
}

#[test]
fn a_crash_while_a_backup_is_put_back_loses_no_reader() {
    for at in 1..12 {
        for crash in [Crash::BeforeCommit, Crash::AfterCommit] {
            let mut c = channel(2_890, &["Alice", "Bob"]);
            let backup = c.village.storage(c.homes[0]).unwrap().clone();
            c.village.restore(c.homes[0], backup).unwrap();
            c.village.crash_in(c.homes[0], at, crash);
            c.pass(A_DAY);
            c.say(0, "after");
            c.pass(A_DAY);
            assert_eq!(c.texts(1), ["after"], "{at} {crash:?}");
        }
    }
}

#[test]
fn keys_that_began_while_a_publisher_was_offline_all_arrive() {
    let mut c = channel(2_891, &["Alice", "Bob", "Carol", "Dave"]);
    let (home, room) = (c.homes[0], c.rooms[0]);
    c.village.set_offline(home, true);
    for (who, text) in [(1, "without Carol"), (2, "without Dave")] {
        let member = MemberId(c.hers[who].0);
        c.ask(0, Command::RemoveMember { room, member });
        c.say(0, text);
    }
    c.village.set_offline(home, false);
    // Sooner than Bob would ask.
    c.pass(25);
    assert_eq!(c.texts(1), ["without Carol", "without Dave"]);
}

#[test]
fn more_generations_than_go_into_one_word_all_arrive() {
    let names: Vec<String> = (0..22).map(|n| format!("Reader {n}")).collect();
    let mut all = vec!["Alice"];
    all.extend(names.iter().map(String::as_str));
    let mut c = channel(2_893, &all);
    let (home, room) = (c.homes[0], c.rooms[0]);
    c.village.set_offline(home, true);
    let mut expected = Vec::new();
    for (who, name) in names.iter().enumerate().skip(1) {
        let member = MemberId(c.hers[who].0);
        c.ask(0, Command::RemoveMember { room, member });
        let text = format!("without {name}");
        c.say(0, &text);
        expected.push(text);
    }
    c.village.set_offline(home, false);
    c.pass(25);
    assert_eq!(c.texts(1), expected);
    ask_for_everything(&mut c, 1);
    assert_eq!(c.texts(1), expected);
}

/// The server takes nothing while Alice says something.
fn say_into_nothing(c: &mut Circle, text: &str) {
    let full = Conduct::Refusing(SendFailure::Full);
    c.village.set_conduct(0, full);
    c.say(0, text);
    c.pass(10);
}

#[test]
fn who_was_blocked_for_a_moment_gets_what_was_on_its_way() {
    let mut c = channel(2_894, &["Alice", "Bob"]);
    c.say(0, "one");
    c.pass(60);
    say_into_nothing(&mut c, "two");
    let bob = contacts(&mut c.village, c.homes[0])[0].conversation;
    for change in [Change::Blocked(true), Change::Blocked(false)] {
        let conversation = bob;
        c.ask(
            0,
            Command::Keep {
                conversation,
                change,
            },
        );
        c.pass(10);
    }
    c.village.set_conduct(0, Conduct::Fair);
    c.pass(3_600);
    assert_eq!(c.texts(1), ["one", "two"]);
}

#[test]
fn who_moved_or_began_anew_gets_what_was_on_its_way() {
    for restores in [false, true] {
        let mut c = channel(2_895, &["Alice", "Bob"]);
        c.say(0, "one");
        c.pass(60);
        let backup = c.village.storage(c.homes[1]).unwrap().clone();
        c.village.set_offline(c.homes[0], true);
        c.say(0, "two");
        c.pass(60);
        if restores {
            c.village.restore(c.homes[1], backup).unwrap();
        } else {
            c.village.lose_mailboxes(c.homes[1], true);
        }
        c.pass(3_600);
        c.village.set_offline(c.homes[0], false);
        c.pass(3_600);
        assert_eq!(c.texts(1), ["one", "two"], "{restores}");
        c.say(0, "three");
        c.pass(60);
        assert_eq!(c.texts(1), ["one", "two", "three"], "{restores}");
    }
}

#[test]
fn a_letter_that_is_nowhere_is_not_waited_for() {
    let mut c = channel(2_896, &["Alice", "Bob"]);
    let home = c.homes[0];
    c.village.set_offline(home, true);
    c.say(0, "one");
    let storage = c.village.storage(home).unwrap();
    let letters = hushwing_delivery::Storage::letters(storage).unwrap();
    for (letter, _) in letters {
        hushwing_delivery::Storage::delete_letter(storage, letter).unwrap();
    }
    c.village.open_again(home).unwrap();
    c.village.set_offline(home, false);
    c.pass(25);
    assert_eq!(c.texts(1), ["one"]);
}

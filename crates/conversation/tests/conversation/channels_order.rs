//! What is said late, again or by another of who takes part in a channel.

use hushwing_conversation::channel::{Bond, ChannelKey};
use hushwing_conversation::content::ChannelStep;
use hushwing_conversation::storage::{ChannelPart, ChannelRecord, ReaderRecord, ReaderState};
use hushwing_conversation::{Command, ContactId, MemberId, RoomId, RoomStanding, Storage as _};

use crate::channels_hostile::*;
use crate::hostile::still_works;
use crate::hostile_mls::scene;
use crate::intruder::Intruder;
use crate::rooms::{Circle, acquaintances, room_of, rooms};
use crate::support::*;

fn standing(c: &mut Couple, room: RoomId) -> RoomStanding {
    let views = rooms(&mut c.village, c.alice);
    views
        .iter()
        .find(|view| view.room == room)
        .unwrap()
        .standing
}

#[test]
fn who_reads_a_channel_cannot_offer_it() {
    let (mut c, mut mallory, _) = scene(2_870);
    let channel = key().public().channel();
    let here = bond(&mallory);
    // What its publisher signed for Mallory, who reads it, in whatever conversation.
    let to_her = Bond {
        publisher: [9; 32],
        reader: here.publisher,
        ..here
    };
    let to_another = Bond {
        reader: [9; 32],
        ..here
    };
    for bond in [to_her, to_another] {
        let step = offer_of(&key(), &bond, 1);
        tell(&mut mallory, &mut c.village, channel, step);
    }
    // Another number, and another channel's word.
    let other = ChannelKey::from_seed(&[4; 32]);
    for word in [here.offer(&key(), 2), here.offer(&other, 1)] {
        let step = ChannelStep::Offer {
            key: key().public(),
            name: "News".to_owned(),
            admission: 1,
            word,
        };
        tell(&mut mallory, &mut c.village, channel, step);
    }
    assert_eq!(rooms(&mut c.village, c.alice), []);
    offer(&mut mallory, &mut c.village, &key(), 1);
    assert_eq!(rooms(&mut c.village, c.alice).len(), 1);
    still_works(&mut c, &[]);
}

#[test]
fn a_late_end_ends_no_newer_admission() {
    let (mut c, mut mallory, room) = read_by_alice(2_871);
    let channel = key().public().channel();
    let over = |admission| ChannelStep::Over { admission };
    tell(&mut mallory, &mut c.village, channel, over(4));
    assert_eq!(standing(&mut c, room), RoomStanding::Member);
    tell(&mut mallory, &mut c.village, channel, over(5));
    assert_eq!(standing(&mut c, room), RoomStanding::Left);
    // The offer that is over comes once more.
    offer(&mut mallory, &mut c.village, &key(), 5);
    tell(&mut mallory, &mut c.village, channel, told(5, Vec::new()));
    assert_eq!(standing(&mut c, room), RoomStanding::Left);
    offer(&mut mallory, &mut c.village, &key(), 6);
    assert_eq!(standing(&mut c, room), RoomStanding::Offered);
    tell(&mut mallory, &mut c.village, channel, over(5));
    assert_eq!(standing(&mut c, room), RoomStanding::Offered);
    // What was read before stays, whatever becomes of the offer.
    assert_eq!(texts(&mut c.village, c.alice, room.place()), ["honest"]);
    c.village.open_again(c.alice).unwrap();
    let all = texts(&mut c.village, c.alice, room.place());
    assert_eq!(all, ["honest"]);
    tell(&mut mallory, &mut c.village, channel, over(6));
    assert_eq!(standing(&mut c, room), RoomStanding::Left);
    still_works(&mut c, &[]);
}

#[test]
fn an_offer_that_is_over_is_gone_and_counts_until_then() {
    let (mut c, mut mallory, _) = scene(2_872);
    let keys: Vec<_> = (0..100).map(|n| ChannelKey::from_seed(&[n; 32])).collect();
    for key in &keys[..9] {
        offer(&mut mallory, &mut c.village, key, 1);
    }
    assert_eq!(rooms(&mut c.village, c.alice).len(), 8);
    let first = keys[0].public().channel();
    let over = ChannelStep::Over { admission: 1 };
    tell(&mut mallory, &mut c.village, first, over.clone());
    assert_eq!(rooms(&mut c.village, c.alice).len(), 7);
    offer(&mut mallory, &mut c.village, &keys[8], 2);
    assert_eq!(rooms(&mut c.village, c.alice).len(), 8);
    // As many as one likes, one after the other, are in nobody's way.
    for key in &keys[1..9] {
        tell(
            &mut mallory,
            &mut c.village,
            key.public().channel(),
            ChannelStep::Over { admission: 2 },
        );
    }
    for key in &keys {
        offer(&mut mallory, &mut c.village, key, 7);
        let over = ChannelStep::Over { admission: 7 };
        tell(&mut mallory, &mut c.village, key.public().channel(), over);
    }
    assert_eq!(rooms(&mut c.village, c.alice), []);
    let stored = c.village.storage(c.alice).unwrap();
    assert_eq!(ChannelRecord::all(stored).unwrap(), []);
    still_works(&mut c, &[]);
}

/// Mallory reads Alice's channel; the room, and who she is there.
fn read_by_mallory(seed: u64) -> (Couple, Intruder, RoomId, ContactId) {
    let (mut c, mut mallory, contact) = scene(seed);
    let name = "News".to_owned();
    let founded = ask(&mut c.village, c.alice, Command::FoundChannel { name });
    let room = room_of(founded).room;
    ask(
        &mut c.village,
        c.alice,
        Command::OfferRoom { room, contact },
    );
    c.village.rest().unwrap();
    let admission = admission(&mut c, room, contact);
    say(
        &mut c,
        &mut mallory,
        room,
        ChannelStep::Accept { admission },
    );
    (c, mallory, room, contact)
}

fn say(c: &mut Couple, mallory: &mut Intruder, room: RoomId, step: ChannelStep) {
    let views = rooms(&mut c.village, c.alice);
    let view = views.iter().find(|view| view.room == room).unwrap();
    tell(mallory, &mut c.village, view.conversation, step);
}

/// The number of the last offer to Mallory.
fn admission(c: &mut Couple, room: RoomId, contact: ContactId) -> u64 {
    reader(c, room, contact).admission
}

fn reader(c: &mut Couple, room: RoomId, contact: ContactId) -> ReaderRecord {
    let stored = c.village.storage(c.alice).unwrap();
    let all = ReaderRecord::all(stored, room).unwrap();
    let of = all.into_iter().find(|(who, _)| *who == contact);
    of.unwrap().1.unwrap()
}

#[test]
fn who_accepts_again_gets_nothing_more() {
    let (mut c, mut mallory, room, contact) = read_by_mallory(2_873);
    send(&mut c.village, c.alice, room.place(), "one");
    c.village.rest().unwrap();
    let before = reader(&mut c, room, contact);
    assert_eq!((before.state, before.told), (ReaderState::Reading, Some(0)));
    let admission = before.admission;
    assert_eq!(before.sent, 1);
    c.village.overhear();
    for _ in 0..20 {
        say(
            &mut c,
            &mut mallory,
            room,
            ChannelStep::Accept { admission },
        );
    }
    assert_eq!(reader(&mut c, room, contact), before);
    // Nor does asking, more often than once a minute.
    for _ in 0..20 {
        say(&mut c, &mut mallory, room, ChannelStep::Ask { next: 0 });
    }
    let posts = |letter: &Vec<u8>| letter[1] == 10;
    let sent = c.village.overhear();
    let sent = mallory.letters(sent);
    assert_eq!(sent.iter().filter(|letter| posts(letter)).count(), 1);
    still_works(&mut c, &[]);
}

#[test]
fn a_letter_that_is_in_the_way_of_another_is_called_back() {
    let (mut c, mut mallory, room, contact) = read_by_mallory(2_874);
    c.village.set_conduct(
        0,
        hushwing_conversation::village::Conduct::Refusing(hushwing_delivery::SendFailure::Full),
    );
    send(&mut c.village, c.alice, room.place(), "one");
    c.village.rest().unwrap();
    let under_way = |c: &mut Couple| {
        let stored = c.village.storage(c.alice).unwrap();
        let all = hushwing_delivery::Storage::letters(stored).unwrap();
        all.into_iter()
            .map(|(letter, _)| letter.0)
            .collect::<Vec<_>>()
    };
    let (first, _) = reader(&mut c, room, contact).letter.unwrap();
    assert!(under_way(&mut c).contains(&first));
    say(&mut c, &mut mallory, room, ChannelStep::Ask { next: 0 });
    let asked = reader(&mut c, room, contact);
    let (second, _) = asked.letter.unwrap();
    assert!(!under_way(&mut c).contains(&first) && under_way(&mut c).contains(&second));
    // Nothing is left on its way to somebody who is out, but that they are.
    let told = asked.telling[0];
    assert_eq!(asked.telling.len(), 1);
    assert!(under_way(&mut c).contains(&told));
    let member = MemberId(contact.0);
    ask(
        &mut c.village,
        c.alice,
        Command::RemoveMember { room, member },
    );
    let left = under_way(&mut c);
    assert!(!left.contains(&second) && !left.contains(&told), "{left:?}");
}

#[test]
fn a_late_yes_lets_nobody_in_and_a_late_no_puts_nobody_out() {
    let (mut c, mut mallory, room, contact) = read_by_mallory(2_875);
    let first = admission(&mut c, room, contact);
    let accept = |admission| ChannelStep::Accept { admission };
    let leave = |admission| ChannelStep::Leave { admission };
    let state = |c: &mut Couple| reader(c, room, contact).state;
    say(&mut c, &mut mallory, room, leave(first));
    assert_eq!(state(&mut c), ReaderState::Gone);
    // She is told that it is over, once a minute and then seldomer, and stays out.
    let over = |c: &mut Couple| {
        let storage = c.village.storage(c.alice).unwrap();
        let said = storage.control(contact, true).unwrap();
        said.last().map(|one| *one.id())
    };
    let before = over(&mut c);
    let mut told = std::collections::BTreeSet::new();
    for _ in 0..20 {
        say(&mut c, &mut mallory, room, accept(first));
        told.extend(over(&mut c));
    }
    told.retain(|one| Some(*one) != before);
    assert_eq!((told.len(), state(&mut c)), (1, ReaderState::Gone));
    c.village.pass(std::time::Duration::from_secs(1)).unwrap();
    ask(
        &mut c.village,
        c.alice,
        Command::OfferRoom { room, contact },
    );
    c.village.rest().unwrap();
    say(&mut c, &mut mallory, room, accept(first));
    assert_eq!(state(&mut c), ReaderState::Offered);
    let second = admission(&mut c, room, contact);
    say(&mut c, &mut mallory, room, accept(second));
    assert_eq!(state(&mut c), ReaderState::Reading);
    say(&mut c, &mut mallory, room, leave(first));
    assert_eq!(state(&mut c), ReaderState::Reading);
    still_works(&mut c, &[]);
}

#[test]
fn who_asks_for_the_same_again_waits_twice_as_long() {
    let (mut c, mut mallory, room, _) = read_by_mallory(2_878);
    send(&mut c.village, c.alice, room.place(), "one");
    c.village.rest().unwrap();
    let answers = |c: &mut Couple, mallory: &mut Intruder, next, minutes: u64| {
        c.village.overhear();
        for _ in 0..minutes {
            say(c, mallory, room, ChannelStep::Ask { next });
            c.village.pass(std::time::Duration::from_secs(60)).unwrap();
        }
        let sent = c.village.overhear();
        let sent = mallory.letters(sent);
        sent.iter().filter(|letter| letter[1] == 10).count()
    };
    // At 0, 1, 3, 7, 15, 31 and 63 minutes.
    assert_eq!(answers(&mut c, &mut mallory, 0, 100), 7);
    // Nor does it help to ask for what is to come in between.
    let (mut c, mut mallory, room, _) = read_by_mallory(2_897);
    send(&mut c.village, c.alice, room.place(), "one");
    c.village.rest().unwrap();
    let mut sent = 0;
    for minute in 0..100_u64 {
        let next = (minute % 2) << 50;
        sent += answers(&mut c, &mut mallory, next, 1);
    }
    assert_eq!(sent, 7);
    // Who has got it is heard at once.
    send(&mut c.village, c.alice, room.place(), "two");
    c.village
        .pass(std::time::Duration::from_secs(3_600))
        .unwrap();
    assert_eq!(answers(&mut c, &mut mallory, 2, 1), 1);
}

#[test]
fn readers_are_not_counted() {
    let mut c = acquaintances(2_879, &["Alice", "Bob", "Carol", "Dave"]);
    let name = "News".to_owned();
    c.rooms = vec![room_of(c.ask(0, Command::FoundChannel { name })).room];
    let numbers = |c: &mut Circle, who: usize| {
        let (home, room) = (c.homes[who], c.rooms[who]);
        let all = ChannelRecord::all(c.village.storage(home).unwrap()).unwrap();
        let record = all.into_iter().flatten().find(|one| one.id == room);
        let record = record.unwrap();
        let ChannelPart::Reader(mine) = &record.part else {
            panic!("a reader");
        };
        let generations = record.chains.iter().map(|one| u64::from(one.generation));
        (mine.admission, generations.collect::<Vec<_>>())
    };
    for who in 1..4 {
        c.add(who);
    }
    let asked: Vec<_> = (1..4).map(|who| numbers(&mut c, who).0).collect();
    // A minute and more between them; and no others.
    let gaps = asked.windows(2).map(|two| two[1] - two[0]);
    assert!(gaps.into_iter().all(|gap| gap >= 60_000), "{asked:?}");
    c.say(0, "one");
    c.pass(60);
    // Nobody is told of who goes, before something is said; nor how many did.
    let before = numbers(&mut c, 1);
    c.village.overhear();
    for who in [2, 3] {
        let (room, member) = (c.rooms[0], MemberId(c.hers[who - 1].0));
        c.ask(0, Command::RemoveMember { room, member });
    }
    c.pass(600);
    assert_eq!(numbers(&mut c, 1), before);
    c.say(0, "two");
    c.pass(60);
    let (_, generations) = numbers(&mut c, 1);
    assert_eq!(generations.len(), 1);
    assert!(generations[0] > 1_000_000, "{generations:?}");
    assert_eq!(c.texts(1), ["one", "two"]);
}

#[test]
fn who_is_away_is_told_that_a_forgotten_channel_is_over() {
    let mut names = vec!["Alice".to_owned()];
    names.extend((0..20).map(|n| format!("Reader {n}")));
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut c = crate::channels::channel(2_892, &names);
    let (home, room) = (c.homes[0], c.rooms[0]);
    c.village.set_offline(home, true);
    c.ask(0, Command::LeaveRoom { room });
    c.ask(0, Command::ForgetRoom { room });
    c.village.set_offline(home, false);
    c.pass(3_600);
    for who in 1..names.len() {
        assert_eq!(c.view(who).standing, RoomStanding::Left, "{who}");
    }
}

#[test]
fn an_offer_is_taken_back_and_made_again() {
    let mut c = acquaintances(2_876, &["Alice", "Bob"]);
    let name = "News".to_owned();
    c.rooms = vec![room_of(c.ask(0, Command::FoundChannel { name })).room];
    let (room, contact) = (c.rooms[0], c.hers[0]);
    c.offer(1);
    c.ask(0, Command::TakeOfferBack { room, contact });
    c.pass(60);
    assert_eq!(rooms(&mut c.village, c.homes[1]), []);
    // Who refused, and who did not answer, can be asked again.
    c.offer(1);
    let offered = c.offered(1);
    c.ask(1, Command::RefuseRoom { room: offered });
    c.offer(1);
    c.offer(1);
    c.accept(1);
    c.pass(60);
    c.say(0, "said");
    c.pass(60);
    assert_eq!(c.texts(1), ["said"]);
}

#[test]
fn who_just_met_by_a_link_of_many_is_asked() {
    // Whoever opened it publishes, and whoever showed it.
    for publisher in [0, 1] {
        let mut village = village(2_877);
        let homes = ["Alice", "Bob"].map(|name| village.move_in(name, DELAY).unwrap());
        let link = invite(&mut village, homes[0], true).link;
        join(&mut village, homes[1], &link);
        village.rest().unwrap();
        let contact = requests(&mut village, homes[0])[0].contact;
        ask(&mut village, homes[0], Command::Accept { contact });
        if publisher == 1 {
            village.rest().unwrap();
        }
        let contact = contacts(&mut village, homes[publisher])[0].contact;
        let name = "News".to_owned();
        let founded = ask(
            &mut village,
            homes[publisher],
            Command::FoundChannel { name },
        );
        let room = room_of(founded).room;
        let offer = Command::OfferRoom { room, contact };
        ask(&mut village, homes[publisher], offer);
        village.pass(std::time::Duration::from_secs(60)).unwrap();
        let theirs = rooms(&mut village, homes[1 - publisher]);
        assert_eq!(theirs.len(), 1, "{publisher}");
    }
}

//! What newcomers are handed of what was said before they came, and what not.

use hushwing_conversation::branches::{AccountId, History, PolicyChange, Wish};
use hushwing_conversation::content::{Content, Mark, Past, RoomStep, RoomWord};
use hushwing_conversation::view::{MessageView, Speaker};
use hushwing_conversation::village::Crash;
use hushwing_conversation::{Command, ConversationId, Event, MessageId, Refusal, Reply};

use crate::rooms::{Circle, acquaintances};
use crate::rooms_apart::insist;
use crate::rooms_shadow::{Shadow, account_of, key_of, post, two_stewards};
use crate::support::*;

const FOUR: [&str; 4] = ["Alice", "Bob", "Carol", "Dave"];

/// Alice, Bob and Carol; Dave is yet to come.
fn three(seed: u64) -> Circle {
    let mut c = acquaintances(seed, &FOUR);
    c.found();
    c.add(1);
    c.add(2);
    c
}

fn hand_on(c: &mut Circle, on: bool) {
    let room = c.rooms[0];
    c.ask(0, Command::SetRoomHistory { room, on });
    c.pass(60);
}

fn say(c: &mut Circle, who: usize, text: &str) -> MessageId {
    let id = c.say(who, text);
    c.pass(20);
    id
}

fn shown(c: &mut Circle, who: usize) -> Vec<MessageView> {
    let place = c.rooms[who].place();
    read(&mut c.village, c.homes[who], place)
}

fn name_of(c: &mut Circle, who: usize, by: Speaker) -> String {
    let members = c.view(who).members;
    let found = members
        .into_iter()
        .find(|one| by == Speaker::Member(one.member));
    found.expect("a member").name
}

#[test]
fn newcomers_are_handed_what_was_said_since_the_group_agreed_to_that() {
    let mut c = three(2_900);
    say(&mut c, 1, "before");
    assert_eq!(c.view(1).shared_since, None);
    hand_on(&mut c, true);
    assert!(c.view(2).shared_since.is_some());
    let one = say(&mut c, 1, "one");
    let two = say(&mut c, 2, "two");
    let three = say(&mut c, 0, "three");
    let text = "three!".to_owned();
    c.ask(
        0,
        Command::Edit {
            message: three,
            text,
        },
    );
    let mark = "👍".to_owned();
    c.ask(1, Command::React { message: two, mark });
    let gone = say(&mut c, 1, "gone");
    c.ask(1, Command::Delete { message: gone });
    c.pass(60);
    let room = c.rooms[2];
    c.ask(2, Command::LeaveRoom { room });
    c.pass(300);
    c.village.events(c.homes[3]);
    c.add(3);
    // Carol's room is no longer hers.
    assert_eq!(c.texts(3), ["one", "two", "three!"]);
    let past = shown(&mut c, 3);
    let names: Vec<_> = past.iter().map(|view| view.from).collect();
    let names: Vec<_> = names.into_iter().map(|by| name_of(&mut c, 3, by)).collect();
    assert_eq!(names, ["Bob", "Carol", "Alice"]);
    assert!(past.iter().all(|view| view.handed_on));
    assert!(past[2].edited);
    assert_eq!(past[1].reactions.len(), 1);
    let place = c.rooms[3].place();
    assert_eq!(kept(&mut c.village, c.homes[3], place).unread, 0);
    let told = c.village.events(c.homes[3]);
    let loud = |event: &Event| matches!(event, Event::Arrived { quiet: false, .. });
    assert!(!told.iter().any(loud));
    let quiet = |event: &&Event| matches!(event, Event::Arrived { quiet: true, .. });
    assert_eq!(told.iter().filter(quiet).count(), 3);
    let Reply::Where(way) = c.ask(3, Command::Where { message: one }) else {
        panic!("another reply")
    };
    // Nobody proved to Dave that Bob said it.
    assert!(way.progress.iter().all(|step| !step.verified));
    // It is answered and changed like all else, by its author alone.
    let answer = Command::Send {
        contact: place,
        text: "yes".to_owned(),
        reply_to: Some(one),
    };
    c.ask(3, answer);
    let text = "one!".to_owned();
    c.ask(1, Command::Edit { message: one, text });
    c.pass(60);
    c.village.open_again(c.homes[3]).unwrap();
    assert_eq!(c.texts(3), ["one!", "two", "three!", "yes"]);
    let views = shown(&mut c, 3);
    assert!(!views[3].handed_on && views[3].answered.is_some());
    assert_eq!(c.texts(1), ["before", "one!", "two", "three!", "", "yes"]);
    assert!(shown(&mut c, 1).iter().all(|view| !view.handed_on));
}

#[test]
fn nothing_is_handed_on_without_that_or_after_it() {
    let mut c = three(2_901);
    say(&mut c, 1, "one");
    let room = c.rooms[1];
    let by_bob = Command::SetRoomHistory { room, on: true };
    assert_eq!(
        refusal(&mut c.village, c.homes[1], by_bob),
        Refusal::NotASteward
    );
    hand_on(&mut c, true);
    say(&mut c, 1, "two");
    hand_on(&mut c, false);
    assert_eq!(c.view(2).shared_since, None);
    c.add(3);
    assert!(c.texts(3).is_empty());
    // Agreed to anew, it is for what is said from then on.
    hand_on(&mut c, true);
    say(&mut c, 1, "three");
    let (room, member) = (c.rooms[0], c.member(0, "Dave").member);
    c.ask(0, Command::RemoveMember { room, member });
    c.pass(300);
    c.offer(3);
    let room = c.offered(3);
    c.ask(3, Command::AcceptRoom { room });
    c.pass(300);
    assert_eq!(c.texts(3), ["three"]);
    // It was said to him before he was removed.
    assert!(!shown(&mut c, 3)[0].handed_on);
}

#[test]
fn since_when_is_not_what_a_later_steward_says() {
    let mut c = three(2_905);
    say(&mut c, 1, "before");
    two_stewards(&mut c);
    // Bob's program has it that everybody agreed to it in 1970.
    let mut bob = Shadow::of(&mut c, 1);
    let change = PolicyChange {
        history: Some(History::Shared),
        shared_since: 0,
        ..PolicyChange::default()
    };
    let (commit, _) = bob.commit(Wish::Policy(change));
    let commit = commit.unwrap();
    for who in [0, 2] {
        bob.post_message(&mut c, who, &commit);
    }
    c.pass(60);
    assert!(c.view(0).shared_since.is_some());
    say(&mut c, 2, "since");
    c.add(3);
    assert_eq!(c.texts(3), ["since"]);
}

#[test]
fn what_disappears_is_not_handed_on() {
    let mut c = three(2_902);
    hand_on(&mut c, true);
    say(&mut c, 1, "stays");
    let conversation = c.view(0).conversation;
    let seconds = 3_600;
    c.ask(
        0,
        Command::Disappear {
            conversation,
            seconds,
        },
    );
    c.pass(60);
    say(&mut c, 1, "goes");
    c.add(3);
    assert_eq!(c.texts(3), ["stays"]);
}

#[test]
fn only_who_welcomed_hands_on_and_has_nobody_present_say_anything() {
    let mut c = three(2_903);
    two_stewards(&mut c);
    hand_on(&mut c, true);
    c.add(3);
    let id = c.view(0).conversation;
    let dave = key_of(&mut c, 0, "Dave");
    let mine = say(&mut c, 3, "by Dave");
    let bobs = say(&mut c, 1, "by Bob, as he said it");
    let before = c.texts(3);
    let [of_bob, of_carol, of_dave] =
        ["Bob", "Carol", "Dave"].map(|name| (account_of(&mut c, 0, name), key_of(&mut c, 0, name)));
    let stranger = AccountId::try_from([6; 16].as_slice()).unwrap();
    let past = |of: &(AccountId, Vec<u8>), epoch: u64, message: Vec<u8>| Past {
        account: of.0.clone(),
        key: of.1.as_slice().try_into().unwrap(),
        name: "Zoe".to_owned(),
        epoch,
        leaf: 9,
        message,
    };
    let text = |shadow: &mut Shadow, text: &str| shadow.compose(&Content::Post(post(text)));
    let told = |all| word(id, RoomStep::Past(all));

    let mut bob = Shadow::of(&mut c, 1);
    let by_bob = vec![past(&of_carol, 1, text(&mut bob, "by another steward"))];
    let side = bob.whisper(&dave, &told(by_bob));
    let mut alice = Shadow::of(&mut c, 0);
    alice.post(&mut c, 3, 4, &[b"Welcome", &side]);
    let late = vec![past(&of_bob, 1, text(&mut alice, "without a Welcome"))];
    let side = alice.whisper(&dave, &told(late));
    alice.post(&mut c, 3, 5, &[&side]);
    assert_eq!(c.texts(3), before);

    let mut bent = text(&mut alice, "bent");
    bent.truncate(20);
    let edit = |target| {
        let post = post("forged");
        Content::Edit { target, post }
    };
    let react = Content::Reaction {
        target: mine,
        mark: Mark::new("👎").unwrap(),
        replaces: None,
    };
    // Bob's own words before he says them here.
    let early = bob.compose(&Content::Post(post("of now")));
    let nowhere = MessageId::from_bytes(&[1; 32]).unwrap();
    let by_his_key = (stranger.clone(), of_bob.1.clone());
    let by_his_account = (of_bob.0.clone(), vec![5; 32]);
    let all = vec![
        past(&of_dave, 1, text(&mut alice, "by himself")),
        past(&of_bob, 1_000, text(&mut alice, "of later")),
        past(&of_bob, 1, bent),
        past(&by_his_key, 1, text(&mut alice, "by his key")),
        past(&by_his_account, 1, text(&mut alice, "by his account")),
        past(&of_bob, 1, alice.compose(&word(id, RoomStep::Leave))),
        past(&of_bob, 1, alice.compose(&edit(bobs))),
        past(&of_bob, 1, alice.compose(&edit(nowhere))),
        past(&of_bob, 1, alice.compose(&react)),
        past(&(stranger, vec![6; 32]), 1, text(&mut alice, "long ago")),
        past(&of_bob, 1, early.clone()),
    ];
    let side = alice.whisper(&dave, &told(all));
    alice.post(&mut c, 3, 4, &[b"Welcome", &side]);
    let handed = ["of now", "long ago"].map(str::to_owned);
    let both: Vec<_> = handed.into_iter().chain(before).collect();
    assert_eq!(c.texts(3), both);
    let views = shown(&mut c, 3);
    assert!(views[..2].iter().all(|view| view.handed_on));
    let untouched = |view: &MessageView| view.reactions.is_empty() && !view.edited;
    assert!(views.iter().all(untouched));
    assert_eq!(name_of(&mut c, 3, views[1].from), "Zoe");
    // Who is there keeps their name, and what they say takes the place of hearsay.
    assert_eq!(name_of(&mut c, 3, views[0].from), "Bob");
    let said = bob.act(|keeper, lent| keeper.say(lent, &early, None).unwrap());
    let from = bob.keeper.signature_key();
    alice.post(&mut c, 3, 6, &[&from, &said.unwrap().0]);
    let views = shown(&mut c, 3);
    let last = views.last().unwrap();
    assert_eq!((last.text.as_str(), last.handed_on), ("of now", false));
    assert_eq!(views.len(), both.len());
    c.agree(&[0, 1, 2, 3]);
}

fn word(room: ConversationId, step: RoomStep) -> Content {
    Content::Room(RoomWord { room, step })
}

/// Dave comes in, while somebody crashes at their call `at`. Gives how often each was
/// called.
fn coming_in(crash: Option<(usize, u64, Crash)>) -> [u64; 2] {
    let mut c = three(2_904);
    hand_on(&mut c, true);
    for who in 0..3 {
        say(&mut c, who, &format!("from {who}"));
    }
    let pair = [c.homes[0], c.homes[3]];
    let before = pair.map(|home| c.village.calls(home));
    if let Some((who, at, crash)) = crash {
        c.village.crash_in(pair[who], at, crash);
    }
    let (room, contact) = (c.rooms[0], c.hers[2]);
    insist(&mut c, 0, &Command::OfferRoom { room, contact });
    let room = c.offered(3);
    c.rooms.push(room);
    insist(&mut c, 3, &Command::AcceptRoom { room });
    c.pass(300);
    assert_eq!(c.texts(3), ["from 0", "from 1", "from 2"], "{crash:?}");
    let after = pair.map(|home| c.village.calls(home));
    [after[0] - before[0], after[1] - before[1]]
}

#[test]
fn a_crash_while_somebody_comes_in_loses_and_doubles_nothing() {
    let calls = coming_in(None);
    for (who, calls) in calls.into_iter().enumerate() {
        for at in (1..calls).step_by(usize::try_from(calls / 4).unwrap().max(1)) {
            for crash in [Crash::BeforeCommit, Crash::AfterCommit] {
                coming_in(Some((who, at, crash)));
            }
        }
    }
}

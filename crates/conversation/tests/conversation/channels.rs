//! Channels: one says, contacts read, and no reader sees another.

use std::time::Duration;

use hushwing_conversation::view::{MessageView, RoomView, Speaker};
use hushwing_conversation::village::Crash;
use hushwing_conversation::{
    Command, MemberId, MessageId, MessageState, Refusal, Reply, RoomId, RoomStanding,
};

use crate::rooms::{Circle, acquaintances, room_of, rooms};
use crate::support::*;

const A_DAY: u64 = 24 * 3_600;

/// Alice's channel, which all others read.
pub(crate) fn channel(seed: u64, names: &[&str]) -> Circle {
    let mut c = acquaintances(seed, names);
    let name = "News".to_owned();
    let reply = c.ask(0, Command::FoundChannel { name });
    c.rooms = vec![room_of(reply).room];
    for who in 1..names.len() {
        c.add(who);
    }
    c
}

fn shown(c: &mut Circle, who: usize) -> Vec<MessageView> {
    let (home, place) = (c.homes[who], c.rooms[who].place());
    read(&mut c.village, home, place)
}

fn contacts_in(view: &RoomView) -> Vec<Option<hushwing_conversation::ContactId>> {
    view.members.iter().map(|member| member.contact).collect()
}

#[test]
fn readers_read_what_is_said_and_do_not_see_each_other() {
    let mut c = channel(2_800, &["Alice", "Bob", "Carol"]);
    let first = c.say(0, "first");
    c.say(0, "second");
    c.pass(60);
    for who in [1, 2] {
        let posts = shown(&mut c, who);
        let texts: Vec<_> = posts.iter().map(|post| post.text.as_str()).collect();
        assert_eq!(texts, ["first", "second"]);
        assert_eq!(posts[0].id, first);
        let view = c.view(who);
        // One sequence numbers contacts and members.
        let alice = view.offered_by.unwrap();
        assert_eq!(posts[0].from, Speaker::Member(MemberId(alice.0)));
        assert_eq!(view.standing, RoomStanding::Member);
        assert!(view.channel);
        // Themselves, and Alice.
        assert_eq!(contacts_in(&view), [None, view.offered_by]);
    }
    let hers = shown(&mut c, 0);
    assert!(hers.iter().all(|post| post.state == MessageState::Accepted));
    assert_eq!(c.view(0).size, 3);
    // The conversations of two have nothing of it.
    let (home, bob) = (c.homes[0], c.hers[0]);
    assert_eq!(texts(&mut c.village, home, bob), [""; 0]);
}

#[test]
fn what_readers_look_at_stays_their_own() {
    let mut c = channel(2_801, &["Alice", "Bob"]);
    tell_of_reading(&mut c.village, c.homes[1]);
    c.say(0, "who reads this?");
    c.pass(60);
    shown(&mut c, 1);
    c.pass(600);
    c.village.overhear();
    c.pass(600);
    let hers = shown(&mut c, 0);
    assert_eq!(hers[0].state, MessageState::Accepted);
    let state = shown(&mut c, 1)[0].state;
    assert_eq!(state, MessageState::Read);
}

#[test]
fn posts_are_edited_and_taken_back() {
    let mut c = channel(2_802, &["Alice", "Bob"]);
    let one = c.say(0, "at sevn");
    let two = c.say(0, "nonsense");
    c.pass(60);
    let text = "at seven".to_owned();
    c.ask(0, Command::Edit { message: one, text });
    c.ask(0, Command::Delete { message: two });
    c.pass(60);
    let posts = shown(&mut c, 1);
    assert_eq!(posts[0].text, "at seven");
    assert!(posts[0].edited && posts[1].deleted);
    // A newcomer gets what stands now, and nothing of what was taken back.
    let mut late = acquaintances(2_803, &["Alice", "Bob"]);
    let name = "News".to_owned();
    late.rooms = vec![room_of(late.ask(0, Command::FoundChannel { name })).room];
    let gone = late.say(0, "never said");
    let first = late.say(0, "sad");
    let text = "said".to_owned();
    late.ask(
        0,
        Command::Edit {
            message: first,
            text,
        },
    );
    late.ask(0, Command::Delete { message: gone });
    late.add(1);
    assert_eq!(late.texts(1), ["said"]);
    let home = late.homes[1];
    assert!(!late.village.storage(home).unwrap().holds("never said"));
}

#[test]
fn a_newcomer_gets_the_last_posts_and_no_earlier_ones() {
    let mut c = acquaintances(2_804, &["Alice", "Bob"]);
    let name = "News".to_owned();
    let reply = c.ask(0, Command::FoundChannel { name });
    c.rooms = vec![room_of(reply).room];
    for n in 0..20 {
        c.say(0, &format!("post {n}"));
    }
    c.add(1);
    let late: Vec<_> = (4..20).map(|n| format!("post {n}")).collect();
    assert_eq!(c.texts(1), late);
}

#[test]
fn who_is_removed_reads_nothing_further_and_others_do() {
    let mut c = channel(2_805, &["Alice", "Bob", "Carol"]);
    c.say(0, "before");
    c.pass(60);
    let (room, member) = (c.rooms[0], MemberId(c.hers[0].0));
    c.ask(0, Command::RemoveMember { room, member });
    c.say(0, "after");
    c.pass(600);
    assert_eq!(c.texts(1), ["before"]);
    assert_eq!(c.view(1).standing, RoomStanding::Left);
    assert_eq!(c.texts(2), ["before", "after"]);
    assert_eq!(c.view(0).size, 2);
    // They can be asked again, and get no post of the time between: others do.
    c.rooms.truncate(1);
    c.offer(1);
    c.accept(1);
    c.pass(60);
    c.say(0, "again");
    c.pass(60);
    assert_eq!(c.texts(1), ["before", "again"]);
}

#[test]
fn who_leaves_hears_no_more_and_only_the_publisher_writes() {
    let mut c = channel(2_806, &["Alice", "Bob", "Carol"]);
    let place = c.rooms[1].place();
    let write = Command::Send {
        contact: place,
        text: "me too".to_owned(),
        reply_to: None,
    };
    let refused = refusal(&mut c.village, c.homes[1], write);
    assert_eq!(refused, Refusal::NotPublisher);
    let room = c.rooms[1];
    let forget = Command::ForgetRoom { room };
    let refused = refusal(&mut c.village, c.homes[1], forget.clone());
    assert_eq!(refused, Refusal::StillInChannel);
    c.ask(1, Command::LeaveRoom { room });
    c.pass(60);
    assert_eq!(c.view(0).size, 2);
    c.say(0, "after");
    c.pass(60);
    assert_eq!(c.texts(1), [""; 0]);
    assert_eq!(c.texts(2), ["after"]);
    assert_eq!(c.ask(1, forget), Reply::Done);
    assert!(rooms(&mut c.village, c.homes[1]).is_empty());
}

#[test]
fn what_a_network_loses_is_asked_for() {
    let mut c = channel(2_807, &["Alice", "Bob"]);
    c.say(0, "one");
    c.pass(60);
    c.village.swallow(c.homes[0], 1);
    c.say(0, "two");
    c.pass(60);
    assert_eq!(c.texts(1), ["one"]);
    c.say(0, "three");
    c.pass(10);
    assert_eq!(c.texts(1), ["one", "three"]);
    c.pass(400);
    assert_eq!(c.texts(1), ["one", "two", "three"]);
    // And when nothing follows, within some days.
    c.village.swallow(c.homes[0], 1);
    c.say(0, "four");
    c.pass(A_DAY);
    assert_eq!(c.texts(1).len(), 3);
    c.pass(9 * A_DAY);
    assert_eq!(c.texts(1).len(), 4);
}

#[test]
fn a_publisher_who_went_back_in_time_goes_on() {
    let mut c = channel(2_808, &["Alice", "Bob"]);
    c.say(0, "before");
    c.pass(60);
    let backup = c.village.storage(c.homes[0]).unwrap().clone();
    c.say(0, "lost here");
    c.pass(60);
    c.village.restore(c.homes[0], backup).unwrap();
    c.pass(3_600);
    c.say(0, "after");
    c.pass(3_600);
    assert_eq!(c.texts(1), ["before", "lost here", "after"]);
}

/// A channel that is founded, offered, read and changed, with a crash of one of both at
/// one of their calls. How often both were called.
fn story(seed: u64, whom: usize, at: u64, crash: Crash) -> [u64; 2] {
    let mut c = acquaintances(seed, &["Alice", "Bob"]);
    let name = "News".to_owned();
    let room = room_of(c.ask(0, Command::FoundChannel { name })).room;
    c.rooms = vec![room];
    let before = [c.village.calls(c.homes[0]), c.village.calls(c.homes[1])];
    c.village.crash_in(c.homes[whom], at, crash);
    let insist = |c: &mut Circle, who: usize, command: Command| {
        // What a patient person does: the first one may be lost with the crash.
        c.village.ask(c.homes[who], command.clone()).unwrap();
        c.pass(400);
        c.village.ask(c.homes[who], command).unwrap();
        c.pass(400);
    };
    let contact = c.hers[0];
    insist(&mut c, 0, Command::OfferRoom { room, contact });
    let theirs: Vec<RoomId> = rooms(&mut c.village, c.homes[1])
        .iter()
        .map(|view| view.room)
        .collect();
    assert_eq!(theirs.len(), 1, "{whom} {at} {crash:?}");
    c.rooms.push(theirs[0]);
    insist(&mut c, 1, Command::AcceptRoom { room: theirs[0] });
    for n in 0..3 {
        let said = |c: &mut Circle| c.texts(0).contains(&n.to_string());
        while !said(&mut c) {
            let send = Command::Send {
                contact: room.place(),
                text: n.to_string(),
                reply_to: None,
            };
            c.village.ask(c.homes[0], send).unwrap();
            c.pass(400);
        }
    }
    c.pass(1_200);
    assert_eq!(c.texts(0), ["0", "1", "2"], "{whom} {at} {crash:?}");
    assert_eq!(c.texts(1), ["0", "1", "2"], "{whom} {at} {crash:?}");
    let calls = [c.village.calls(c.homes[0]), c.village.calls(c.homes[1])];
    [calls[0] - before[0], calls[1] - before[1]]
}

#[test]
fn a_crash_at_any_call_loses_and_repeats_nothing() {
    let calls = story(2_809, 0, u64::MAX / 2, Crash::BeforeCommit);
    for whom in [0, 1] {
        for at in 1..=calls[whom] {
            // As in `crash.rs`: much of the rest is looking.
            if at > 12 && at % 4 != 0 {
                continue;
            }
            for crash in [Crash::BeforeCommit, Crash::AfterCommit] {
                story(2_809, whom, at, crash);
            }
        }
    }
}

#[test]
fn what_is_not_there_in_a_channel_is_refused() {
    let mut c = channel(2_810, &["Alice", "Bob"]);
    let message: MessageId = c.say(0, "said");
    c.pass(60);
    let mark = "+".to_owned();
    let react = Command::React { message, mark };
    let refused = refusal(&mut c.village, c.homes[1], react.clone());
    assert_eq!(refused, Refusal::NotPublisher);
    let refused = refusal(&mut c.village, c.homes[0], react);
    assert_eq!(refused, Refusal::NotInChannels);
    let contact = c.hers[0];
    let room = c.rooms[0];
    let offer = Command::OfferRoom { room, contact };
    let refused = refusal(&mut c.village, c.homes[0], offer);
    assert_eq!(refused, Refusal::ReadAlready);
    // Whoever is forgotten reads no further.
    c.ask(0, Command::Forget { contact });
    assert_eq!(c.view(0).size, 1);
    c.say(0, "after");
    c.village.pass(Duration::from_secs(60)).unwrap();
    assert_eq!(c.texts(1), ["said"]);
}

//! What a stolen device makes of history that is handed between devices, and how often one
//! may ask for it.

use hushwing_conversation::content::{Content, Next, Past, Piece, Place, RoomStep};
use hushwing_conversation::storage::{MemberRecord, RoomRows as _};
use hushwing_conversation::village::Home;
use hushwing_conversation::{DropReason, Event, MessageId};

use crate::devices_history::{MANY, link, long_ago, taking, taking_group, until_midway};
use crate::devices_revoked::Thief;
use crate::devices_rooms::{Desk, only};
use crate::rooms_shadow::post;

/// What a home knows of the leaves in the group.
fn members(d: &mut Desk, home: Home) -> Vec<MemberRecord> {
    let room = only(d.village(), home).room;
    d.village().storage(home).unwrap().members(room).unwrap()
}

fn asked(d: &mut Desk) -> Place {
    taking_group(d).before.as_slice().try_into().unwrap()
}

/// The place that this message alone would have in such an epoch.
fn place(epoch: u64) -> Place {
    let mut place = [0; 52];
    place[..8].copy_from_slice(&epoch.to_be_bytes());
    place[20] = 1;
    place
}

fn send_piece(d: &mut Desk, thief: &mut Thief, (asked, next): (Place, Next), past: Vec<Past>) {
    let phone = d.phone;
    let group = only(d.village(), phone).conversation;
    let piece = RoomStep::Piece(Piece { asked, next, past });
    thief.whisper_of(&mut d.circle, group, piece);
    d.pass(20);
}

#[test]
fn nothing_comes_that_was_not_asked_for() {
    let mut d = long_ago(4_430);
    let (desk, phone) = (d.desk(), d.phone);
    link(&mut d, None);
    until_midway(&mut d);
    d.village().set_offline(desk, true);
    let mut thief = Thief::of(&mut d, desk, "phone");
    let (before, taken, asked) = (d.read(phone), taking(&mut d), asked(&mut d));
    let other = place(0);
    let later = place(u64::from(u32::MAX));
    for way in [
        (other, Next::End),
        (other, Next::Before(place(0))),
        (asked, Next::Before(asked)),
        (asked, Next::Before(later)),
        (asked, Next::Before([0xff; 52])),
    ] {
        send_piece(&mut d, &mut thief, way, Vec::new());
        assert!(taking(&mut d) == taken, "{way:?}");
    }
    send_piece(&mut d, &mut thief, (asked, Next::End), Vec::new());
    assert!(taking_group(&mut d).over, "what was asked for comes");
    // After that nothing does.
    send_piece(&mut d, &mut thief, (asked, Next::Before(other)), Vec::new());
    assert!(taking_group(&mut d).over);
    assert_eq!(d.read(phone), before);
}

#[test]
fn what_is_handed_on_changes_nothing_and_is_what_it_is() {
    let mut d = long_ago(4_431);
    let (desk, bob, phone) = (d.desk(), d.bob(), d.phone);
    link(&mut d, None);
    until_midway(&mut d);
    d.village().set_offline(desk, true);
    d.say(phone, "by the phone");
    d.say(bob, "by bob");
    d.pass(5);
    let real = d.look(phone);
    let [mine, his] = [real.len() - 2, real.len() - 1].map(|at| real[at].clone());
    assert!(!mine.handed_on && !his.handed_on);
    let known = members(&mut d, phone);
    let of = |name: &str| known.iter().find(|one| one.name == name).unwrap().clone();
    let own = known.iter().find(|one| one.mine).unwrap().clone();
    let past = |by: &MemberRecord, epoch: u64, message: Vec<u8>| Past {
        account: by.account.as_slice().try_into().unwrap(),
        key: by.key.as_slice().try_into().unwrap(),
        name: "Zoe".to_owned(),
        epoch,
        leaf: 9,
        message,
    };
    let mut thief = Thief::of(&mut d, desk, "phone");
    let mut text = |said: &str| thief.shadow.compose(&Content::Post(post(said)));
    let edit = |target: MessageId| Content::Edit {
        target,
        post: post("forged"),
    };
    let swapped = MemberRecord {
        key: of("Bob").key,
        ..own.clone()
    };
    let texts = [
        past(&own, 1, text("by this leaf")),
        past(&of("Bob"), 1_000, text("of later")),
        past(&swapped, 1, text("by his key, as me")),
        past(&of("Bob"), 1, text("by bob long ago")),
    ];
    let mut edits = |by: &MemberRecord, of: MessageId| past(by, 1, thief.shadow.compose(&edit(of)));
    let changes = [edits(&own, mine.id), edits(&of("Bob"), his.id)];
    let all = texts.into_iter().chain(changes).collect();
    let way = (asked(&mut d), Next::End);
    send_piece(&mut d, &mut thief, way, all);
    let now = d.look(phone);
    assert_eq!(now.len(), real.len() + 1);
    let new: Vec<_> = now.iter().filter(|one| !real.contains(one)).collect();
    assert_eq!(new.len(), 1);
    assert_eq!(new[0].text, "by bob long ago");
    assert!(new[0].handed_on, "it is marked as what it is");
}

#[test]
fn who_asks_too_often_or_for_what_cannot_be_gets_nothing() {
    let mut d = long_ago(4_432);
    let (desk, phone) = (d.desk(), d.phone);
    link(&mut d, None);
    d.pass(3_600);
    assert_eq!(d.read(phone).len(), MANY);
    let mut thief = Thief::of(&mut d, phone, "desk");
    let group = only(d.village(), phone).conversation;
    d.village().set_offline(phone, true);
    d.village().events(desk);
    let refused = |d: &mut Desk| {
        let told = d.village().events(desk).into_iter();
        let dropped = |event: &Event| matches!(event, Event::Dropped { reason, .. } if *reason == DropReason::Room);
        told.filter(dropped).count()
    };
    thief.whisper_of(&mut d.circle, group, RoomStep::Further([0xff; 52]));
    d.pass(60);
    assert_eq!(refused(&mut d), 1);
    thief.whisper_of(&mut d.circle, group, RoomStep::Further(place(9_000)));
    d.pass(60);
    assert_eq!(refused(&mut d), 0, "what may be asked for is given");
    // All at once.
    d.village().set_offline(desk, true);
    for _ in 0..100 {
        thief.whisper_of(&mut d.circle, group, RoomStep::Further(place(9_000)));
    }
    d.village().set_offline(desk, false);
    d.pass(60);
    let refused = refused(&mut d);
    assert!((20..=36).contains(&refused), "{refused}");
}

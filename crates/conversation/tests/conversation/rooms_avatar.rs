//! The picture of a room, which all who are in it see.

use std::time::Duration;

use hushwing_conversation::branches::{MOST_PICTURE_BYTES, Wish};
use hushwing_conversation::content::Avatar;
use hushwing_conversation::village::Crash;
use hushwing_conversation::{Command, Refusal, Reply, RoomStanding};

use crate::rooms::{Circle, acquaintances, circle, room_of};
use crate::rooms_shadow::{Shadow, two_stewards};
use crate::support::refusal;

const A_MINUTE: Duration = Duration::from_secs(60);
const A_DAY: Duration = Duration::from_secs(86_400);
const THREE: [&str; 3] = ["Alice", "Bob", "Carol"];

/// The head of a picture of that size, and so many bytes.
fn picture(side: u16, bytes: usize) -> Avatar {
    let [high, low] = side.to_be_bytes();
    let mut file = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR".to_vec();
    file.extend([0, 0, high, low, 0, 0, high, low, 8, 2, 0, 0, 0]);
    file.resize(bytes, 7);
    Avatar::new(file).unwrap()
}

impl Circle {
    fn show(&mut self, who: usize, avatar: Option<Avatar>) {
        let room = self.rooms[who];
        self.ask(who, Command::SetRoomAvatar { room, avatar });
    }

    /// What the group agreed on, as somebody's program has it, whether shown or not.
    fn agreed(&mut self, who: usize) -> Option<Vec<u8>> {
        let policy = Shadow::of(self, who).act(|keeper, lent| keeper.policy(lent).unwrap());
        policy.unwrap().picture().map(<[u8]>::to_vec)
    }

    fn seen(&mut self, who: usize) -> Option<Avatar> {
        let room = self.rooms[who];
        let asked = self
            .village
            .ask(self.homes[who], Command::RoomAvatar { room });
        match asked.unwrap().unwrap() {
            Ok(Reply::Avatar(avatar)) => {
                assert_eq!(self.view(who).avatar, Some(avatar.hash()));
                Some(avatar)
            }
            Err(Refusal::NoAvatar) => {
                assert_eq!(self.view(who).avatar, None);
                None
            }
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn all_see_it_and_who_comes_later_too_until_it_is_taken_away() {
    let mut c = acquaintances(7_600, &THREE);
    c.found();
    c.add(1);
    let largest = picture(128, MOST_PICTURE_BYTES);
    c.show(0, Some(largest.clone()));
    c.pass(60);
    c.add(2);
    for who in 0..3 {
        assert_eq!(c.seen(who), Some(largest.clone()), "{who}");
    }
    c.village.open_again(c.homes[1]).unwrap();
    assert_eq!(c.seen(1), Some(largest.clone()));
    c.show(0, None);
    c.pass(60);
    for who in 0..3 {
        assert_eq!(c.seen(who), None, "{who}");
    }
    // Who is removed is shown none, neither of before nor of later.
    c.show(0, Some(largest.clone()));
    c.pass(60);
    let (room, member) = (c.rooms[0], c.member(0, "Carol").member);
    c.ask(0, Command::RemoveMember { room, member });
    c.pass(60);
    assert_eq!((c.seen(1), c.seen(2)), (Some(largest), None));
}

#[test]
fn what_another_steward_set_and_no_face_could_show_is_not_shown() {
    let mut c = circle(7_604, &THREE);
    two_stewards(&mut c);
    c.show(0, Some(picture(32, 100)));
    c.pass(60);
    let mut bob = Shadow::of(&mut c, 1);
    let huge = picture(600, 100).as_bytes().to_vec();
    for (set, said) in [(b"no picture".to_vec(), "one"), (huge, "two")] {
        let (commit, _) = bob.commit(Wish::Picture(set));
        let commit = commit.unwrap();
        for who in [0, 2] {
            bob.post_message(&mut c, who, &commit);
        }
        c.pass(60);
        assert_eq!((c.seen(0), c.seen(2)), (None, None), "{said}");
        c.say(2, said);
        c.pass(60);
        assert_eq!(c.texts(0).last().map(String::as_str), Some(said));
        assert_eq!(c.view(2).name, "Rowing");
    }
    // What is not shown can be taken away as well.
    assert!(c.agreed(2).is_some());
    c.show(0, None);
    c.pass(300);
    assert_eq!(c.agreed(2), None);
}

#[test]
fn a_branch_that_is_left_takes_it_away() {
    let mut c = circle(7_605, &THREE);
    two_stewards(&mut c);
    let mut bob = Shadow::of(&mut c, 1);
    let his = picture(64, 200);
    let (commit, _) = bob.commit(Wish::Picture(his.as_bytes().to_vec()));
    bob.post_message(&mut c, 2, &commit.unwrap());
    // Less than it takes others to ask what happened.
    c.pass(1);
    assert_eq!((c.seen(0), c.seen(2)), (None, Some(his)));
    let (room, member) = (c.rooms[0], c.member(0, "Bob").member);
    c.ask(0, Command::RemoveMember { room, member });
    c.pass(120);
    c.agree(&[0, 2]);
    assert_eq!((c.seen(0), c.seen(2)), (None, None));
}

#[test]
fn who_put_a_backup_back_has_it_again_and_so_have_all_in_a_group_founded_anew() {
    let mut c = circle(7_606, &THREE);
    let of = |c: &mut Circle, who: usize| c.village.storage(c.homes[who]).unwrap().clone();
    // Of before there was one.
    let his = of(&mut c, 1);
    let shown = Some(picture(32, 100));
    c.show(0, shown.clone());
    c.pass(60);
    c.village.restore(c.homes[1], his).unwrap();
    assert_eq!(c.seen(1), None);
    c.village.pass(A_DAY).unwrap();
    assert_eq!(c.seen(1), shown);
    let (hers, before) = (of(&mut c, 0), c.view(2).conversation);
    c.village.restore(c.homes[0], hers).unwrap();
    c.village.pass(A_DAY).unwrap();
    c.agree(&[0, 1, 2]);
    assert_ne!(c.view(2).conversation, before);
    for who in 0..3 {
        assert_eq!(c.seen(who), shown, "{who}");
    }
}

#[test]
fn a_broken_room_shows_none_and_a_channel_has_none() {
    let mut c = circle(7_607, &["Alice", "Bob"]);
    c.show(0, Some(picture(32, 100)));
    let id = c.say(0, "one");
    c.pass(60);
    c.village.storage(c.homes[1]).unwrap().spoil_message(&id);
    let place = c.rooms[1].place();
    let (before, most) = (None, 9);
    let read = Command::Read {
        contact: place,
        before,
        most,
    };
    c.village.ask(c.homes[1], read).unwrap();
    assert_eq!(c.view(1).standing, RoomStanding::Broken);
    assert_eq!(c.seen(1), None);
    let name = "News".to_owned();
    let room = room_of(c.ask(0, Command::FoundChannel { name })).room;
    let no = refusal(&mut c.village, c.homes[0], Command::RoomAvatar { room });
    assert_eq!(no, Refusal::NotInChannels);
}

#[test]
fn what_cannot_be_shown_or_is_not_mine_to_change_is_refused() {
    let mut c = circle(7_601, &["Alice", "Bob"]);
    let mut no = |who: usize, avatar| {
        let room = c.rooms[who];
        let avatar = Some(avatar);
        refusal(
            &mut c.village,
            c.homes[who],
            Command::SetRoomAvatar { room, avatar },
        )
    };
    assert_eq!(no(1, picture(64, 100)), Refusal::NotASteward);
    assert_eq!(no(0, picture(600, 100)), Refusal::BadAvatar);
    let long = picture(64, MOST_PICTURE_BYTES + 1);
    assert_eq!(no(0, long), Refusal::BadAvatar);
    c.pass(60);
    assert_eq!((c.seen(0), c.seen(1)), (None, None));
}

#[test]
fn of_two_stewards_at_once_all_see_the_picture_of_one() {
    let mut c = circle(7_602, &["Alice", "Bob", "Carol"]);
    c.make_steward(0, "Bob");
    c.pass(60);
    for (who, avatar) in [(0, picture(32, 100)), (1, picture(64, 200))] {
        let (room, avatar) = (c.rooms[who], Some(avatar));
        let command = Command::SetRoomAvatar { room, avatar };
        // Neither knows of the other's.
        c.village.ask(c.homes[who], command).unwrap();
    }
    c.pass(300);
    let seen = c.seen(0);
    assert!(seen.is_some());
    assert_eq!((c.seen(1), c.seen(2)), (seen.clone(), seen));
    for who in 0..2 {
        assert!(c.view(who).pending.is_empty());
    }
}

/// A picture that Alice sets, with a crash of somebody at some call. Gives how often they
/// were called.
fn shown(who: usize, at: u64, crash: Crash) -> u64 {
    let mut c = circle(7_603, &["Alice", "Bob"]);
    let start = c.village.calls(c.homes[who]);
    c.village.crash_in(c.homes[who], at, crash);
    c.show(0, Some(picture(32, 100)));
    c.village.pass(A_MINUTE).unwrap();
    let calls = c.village.calls(c.homes[who]) - start;
    c.village.pass(A_MINUTE * 10).unwrap();
    let expected = Some(picture(32, 100));
    let seen = (c.seen(0), c.seen(1));
    assert_eq!(seen, (expected.clone(), expected), "{who} {at} {crash:?}");
    calls
}

#[test]
fn a_crash_at_any_step_of_it_loses_nothing() {
    for who in 0..2 {
        let calls = shown(who, u64::MAX, Crash::BeforeCommit);
        for at in 1..=calls {
            for crash in [Crash::BeforeCommit, Crash::AfterCommit] {
                shown(who, at, crash);
            }
        }
    }
}

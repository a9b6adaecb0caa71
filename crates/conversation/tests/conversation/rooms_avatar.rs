//! The picture of a room, which all who are in it see.

use std::time::Duration;

use hushwing_conversation::branches::MOST_PICTURE_BYTES;
use hushwing_conversation::content::Avatar;
use hushwing_conversation::village::Crash;
use hushwing_conversation::{Command, Refusal, Reply};

use crate::rooms::{Circle, acquaintances, circle};
use crate::support::refusal;

const A_MINUTE: Duration = Duration::from_secs(60);

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
    let mut c = acquaintances(7_600, &["Alice", "Bob", "Carol"]);
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
    assert_eq!(c.seen(1), Some(largest));
    c.show(0, None);
    c.pass(60);
    for who in 0..3 {
        assert_eq!(c.seen(who), None, "{who}");
    }
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

/// A picture that is set, with a crash at some call. Gives how often Alice was called.
fn shown(at: u64, crash: Crash) -> u64 {
    let mut c = circle(7_603, &["Alice", "Bob"]);
    let start = c.village.calls(c.homes[0]);
    c.village.crash_in(c.homes[0], at, crash);
    c.show(0, Some(picture(32, 100)));
    c.village.pass(A_MINUTE).unwrap();
    let calls = c.village.calls(c.homes[0]) - start;
    c.village.pass(A_MINUTE * 10).unwrap();
    let expected = Some(picture(32, 100));
    let seen = (c.seen(0), c.seen(1));
    assert_eq!(seen, (expected.clone(), expected), "{at} {crash:?}");
    calls
}

#[test]
fn a_crash_at_any_step_of_it_loses_nothing() {
    let calls = shown(u64::MAX, Crash::BeforeCommit);
    for at in 1..=calls {
        for crash in [Crash::BeforeCommit, Crash::AfterCommit] {
            shown(at, crash);
        }
    }
}

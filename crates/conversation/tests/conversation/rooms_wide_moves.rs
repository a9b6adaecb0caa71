//! Who moves to other mailboxes in a wide group, and when the old ones are closed.

use hushwing_conversation::{Command, RoomRows as _};

use crate::devices::{device, link};
use crate::rooms::Circle;
use crate::rooms_wide::{NINE, everybody_has, wide};
use crate::rooms_wide_mailboxes::addresses;
use crate::support::*;

const HOUR: u64 = 3_600;
const DAY: u64 = 24 * HOUR;

fn remove(c: &mut Circle, name: &str) {
    let (room, member) = (c.rooms[0], c.member(0, name).member);
    c.ask(0, Command::RemoveMember { room, member });
}

#[test]
fn only_who_was_thrown_out_makes_others_move_before_the_week_is_over() {
    let mut c = wide(2_589);
    c.rotate_weekly();
    let phone = c.village.move_in("Ivan", DELAY).unwrap();
    link(&mut c.village, (c.homes[8], "desk"), (phone, "phone"));
    c.pass(HOUR);
    let there = &NINE[1..7];
    let before = addresses(&mut c, there);
    assert_eq!(c.member(3, "Ivan").devices, 2);
    // A device is lost, and Heidi leaves.
    let device = device(&mut c.village, c.homes[8], "phone");
    ask(&mut c.village, c.homes[8], Command::RevokeDevice { device });
    let room = c.rooms[7];
    c.ask(7, Command::LeaveRoom { room });
    c.pass(DAY);
    assert_eq!(c.member(3, "Ivan").devices, 1);
    assert_eq!(c.view(3).size, 8);
    assert_eq!(addresses(&mut c, there), before);
    remove(&mut c, "Ivan");
    c.pass(HOUR);
    let all_moved = |c: &mut Circle, before: &[_]| {
        let now = addresses(c, there);
        now.iter()
            .zip(before)
            .all(|(now, then)| now.is_disjoint(then))
    };
    assert!(all_moved(&mut c, &before));
    // Who left knows nobody any more after a week.
    let before = addresses(&mut c, there);
    c.pass(11 * DAY);
    assert!(all_moved(&mut c, &before));
    c.say(5, "without them");
    c.pass(300);
    everybody_has(&mut c, &[7, 8], &["without them"]);
}

/// Heidi's program runs for five minutes, so often, every five hours.
fn run_for_minutes(c: &mut Circle, times: usize) {
    let heidi = c.homes[7];
    for _ in 0..times {
        c.village.set_asleep(heidi, true);
        c.pass(5 * HOUR);
        c.village.set_asleep(heidi, false);
        c.village.open_again(heidi).unwrap();
        c.pass(300);
    }
}

#[test]
fn who_runs_for_minutes_at_a_time_closes_old_mailboxes_and_moves_again() {
    let mut c = wide(2_591);
    c.village.set_servers(2);
    c.choose(2);
    let (heidi, room) = (c.homes[7], c.rooms[7]);
    let old = |c: &mut Circle| {
        let rooms = c.village.storage(heidi).unwrap().rooms().unwrap();
        let record = rooms.into_iter().flatten().find(|one| one.id == room);
        record.unwrap().leaving.len()
    };
    for (name, left) in [("Ivan", 2), ("Grace", 4)] {
        let before = addresses(&mut c, &["Heidi"]);
        remove(&mut c, name);
        run_for_minutes(&mut c, 3);
        let now = addresses(&mut c, &["Heidi"]);
        assert!(now[0].is_disjoint(&before[0]), "{name}");
        assert_eq!(old(&mut c), left, "{name}");
    }
    // A day, and an hour of which each run counts four minutes.
    let before = addresses(&mut c, &["Heidi"]);
    remove(&mut c, "Frank");
    run_for_minutes(&mut c, 3);
    assert_eq!(addresses(&mut c, &["Heidi"]), before, "too many are old");
    run_for_minutes(&mut c, 22);
    let now = addresses(&mut c, &["Heidi"]);
    assert!(now[0].is_disjoint(&before[0]));
    run_for_minutes(&mut c, 25);
    assert_eq!(old(&mut c), 0);
}

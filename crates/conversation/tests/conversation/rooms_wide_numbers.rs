//! How many have what one said, in a group with heralds.

use hushwing_conversation::ContactId;
use hushwing_conversation::village::{Home, Village};

use crate::devices::link;
use crate::devices_rooms::only;
use crate::rooms_wide::wide;
use crate::support::*;

#[test]
fn who_talks_by_a_further_device_is_told_numbers_as_soon() {
    let mut c = wide(2_590);
    let phone = c.village.move_in("Ivan", DELAY).unwrap();
    link(&mut c.village, (c.homes[8], "desk"), (phone, "phone"));
    c.pass(600);
    c.village.set_asleep(c.homes[8], true);
    let place = only(&mut c.village, phone).room.place();
    for number in 0..9 {
        send(&mut c.village, phone, place, &number.to_string());
        c.pass(110);
        let said = read(&mut c.village, phone, place);
        let last = said.last().unwrap().counted.as_ref().unwrap();
        assert_eq!(last.delivered, 8, "{number}");
    }
}

/// Whom each of these texts reached, as the device knows that said them.
fn reached(village: &mut Village, home: Home, place: ContactId) -> Vec<usize> {
    let said = read(village, home, place).into_iter();
    let mine = said.filter_map(|one| one.counted);
    mine.map(|counted| counted.delivered).collect()
}

#[test]
fn a_herald_with_two_devices_is_told_numbers_by_both() {
    let mut c = wide(2_592);
    let desk = c.homes[0];
    let phone = c.village.move_in("Alice", DELAY).unwrap();
    link(&mut c.village, (desk, "desk"), (phone, "phone"));
    c.pass(600);
    // One of both is the herald.
    for home in [desk, phone] {
        let place = only(&mut c.village, home).room.place();
        send(&mut c.village, home, place, "to all");
        c.pass(300);
        assert_eq!(reached(&mut c.village, home, place).last(), Some(&8));
    }
}

//! How many have what one said, in a group with heralds.

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

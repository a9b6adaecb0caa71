//! What is handed between devices of what was said, as it stands: edits, reactions and
//! answers go along; what was deleted, disappears or comes from nowhere does not.

use hushwing_conversation::storage::TakingRecord;
use hushwing_conversation::view::{MessageView, Speaker};
use hushwing_conversation::{Command, Refusal};

use crate::devices::device;
use crate::devices_history::{MANY, is_over, link, long_ago, until_midway};
use crate::devices_revoked::backup;
use crate::devices_rooms::only;
use crate::support::*;

const A_DAY: u64 = 24 * 3_600;

/// As two devices of one person show the same.
fn seen(view: &MessageView) -> (bool, String, bool, usize, bool) {
    let answered = view.answered.is_some();
    let mine = view.from == Speaker::Me;
    (
        mine,
        view.text.clone(),
        view.edited,
        view.reactions.len(),
        answered,
    )
}

#[test]
fn edits_reactions_and_answers_go_along_and_what_is_gone_does_not() {
    let mut d = long_ago(4_440);
    let (desk, bob, phone) = (d.desk(), d.bob(), d.phone);
    let room = only(d.village(), bob).room.place();
    let oldest = d.look(desk)[0].id;
    let answer = Command::Send {
        contact: room,
        text: "an answer".to_owned(),
        reply_to: Some(oldest),
    };
    ask(d.village(), bob, answer);
    let message = d.say(desk, "misspelt");
    let text = "spelt".to_owned();
    d.pass(60);
    ask(d.village(), desk, Command::Edit { message, text });
    let mark = "🦉".to_owned();
    ask(d.village(), bob, Command::React { message, mark });
    let gone = d.say(bob, "to be gone");
    d.pass(60);
    ask(d.village(), bob, Command::Delete { message: gone });
    for (seconds, text) in [(7 * 24 * 3_600, "for a week"), (0, "for good")] {
        let conversation = only(d.village(), desk).conversation;
        let timer = Command::Disappear {
            conversation,
            seconds,
        };
        ask(d.village(), desk, timer);
        d.pass(60);
        d.say(bob, text);
        d.pass(60);
    }
    link(&mut d, None);
    d.pass(600);
    assert!(is_over(&mut d));
    let hers = d.look(desk);
    let stays =
        |one: &&MessageView| !one.deleted && one.text != "for a week" && one.notice.is_none();
    let hers: Vec<_> = hers.iter().filter(stays).map(seen).collect();
    let its: Vec<_> = d.look(phone).iter().map(seen).collect();
    assert_eq!(its[MANY..], hers[MANY..]);
    assert_eq!(its[..MANY], hers[..MANY]);
    assert_eq!(its.len(), MANY + 3);
}

#[test]
fn what_is_deleted_before_its_piece_comes_stays_deleted() {
    let mut d = long_ago(4_441);
    let (desk, bob, phone) = (d.desk(), d.bob(), d.phone);
    let oldest: Vec<_> = d.look(bob).into_iter().take(4).collect();
    link(&mut d, None);
    until_midway(&mut d);
    d.village().set_offline(desk, true);
    let mine = |one: &&MessageView| one.from == Speaker::Me;
    for view in oldest.iter().filter(mine) {
        ask(d.village(), bob, Command::Delete { message: view.id });
    }
    d.pass(60);
    // The telephone knows; the desk does not, and hands them on.
    d.village().withhold(desk, &[bob]);
    d.village().set_offline(desk, false);
    d.pass(3_600);
    assert!(is_over(&mut d));
    let texts = d.read(phone);
    for view in oldest.iter().filter(mine) {
        let shown = texts.iter().any(|(_, text)| *text == view.text);
        assert!(!shown, "{}", view.text);
    }
}

#[test]
fn what_was_handed_on_is_handed_on_to_the_next_device() {
    let mut d = long_ago(4_442);
    let (desk, phone) = (d.desk(), d.phone);
    link(&mut d, None);
    d.pass(600);
    // The desk is lost, and a new one linked with the telephone.
    let lost = device(d.village(), phone, "desk");
    ask(d.village(), phone, Command::RevokeDevice { device: lost });
    d.village().set_offline(desk, true);
    d.pass(600);
    let new = d.village().move_in("Alice", DELAY).unwrap();
    crate::devices::link(d.village(), (phone, "phone"), (new, "new"));
    d.pass(600);
    let (theirs, its) = (d.read(phone), d.read(new));
    assert_eq!(its.len(), MANY);
    assert_eq!(theirs, its);
    assert!(d.look(new).iter().all(|one| one.handed_on));
}

#[test]
fn a_device_that_was_put_back_is_handed_what_it_missed_and_what_it_said() {
    let mut d = long_ago(4_443);
    let (desk, bob, phone) = (d.desk(), d.bob(), d.phone);
    link(&mut d, None);
    d.pass(600);
    let old = backup(&mut d, desk);
    for at in 0..40 {
        d.say([desk, bob, phone][at % 3], &format!("since {at}"));
        d.pass(20);
    }
    d.village().restore(desk, old).unwrap();
    d.pass(600);
    // What is said while it is out comes as well.
    d.say(bob, "while it was out");
    d.pass(A_DAY);
    assert_eq!(d.read(desk).len(), MANY);
    crate::devices::link(d.village(), (phone, "phone"), (desk, "desk"));
    let code = crate::devices::devices(d.village(), desk)
        .code
        .expect("a code");
    let confirm = |days| {
        let code = code.clone();
        Command::ConfirmDevice { code, days }
    };
    let refused = refusal(d.village(), desk, confirm(Some(0)));
    assert_eq!(refused, Refusal::HistoryThere);
    ask(d.village(), desk, confirm(None));
    d.pass(3_600);
    let (theirs, its) = (d.read(phone), d.read(desk));
    assert_eq!(theirs.len(), MANY + 41);
    assert_eq!(its, theirs, "what each said is hers on both");
    let handed: Vec<_> = d
        .look(desk)
        .into_iter()
        .filter(|one| one.handed_on)
        .collect();
    assert_eq!(handed.len(), 41, "what it has it keeps as it was");
    let home = d.village().storage(desk).unwrap();
    let taken = TakingRecord::read(home).unwrap();
    // Two of 32 texts, and one that is here already.
    assert_eq!((taken.groups[0].pieces, taken.groups[0].taken), (3, 41));
    assert_eq!(crate::devices_rooms::unread(d.village(), desk), 0);
}

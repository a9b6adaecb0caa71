//! How conversations are kept: blocked, forgotten, out of sight, begun.

use std::time::Duration;

use hushwing_conversation::content::{Content, Post, Text};
use hushwing_conversation::storage::MOST_PINNED;
use hushwing_conversation::view::{ConversationView, Draft, Speaker};
use hushwing_conversation::village::{Home, Village};
use hushwing_conversation::{
    Change, Command, ContactId, Event, MessageState, Refusal, Reply, Storage as _,
};
use hushwing_sansio::Timestamp;

use crate::intruder::Intruder;
use crate::support::*;

const HOUR: Duration = Duration::from_secs(3_600);

fn change(
    village: &mut Village,
    home: Home,
    contact: ContactId,
    change: Change,
) -> ConversationView {
    let conversation = conversation(village, home, contact);
    let command = Command::Keep {
        conversation,
        change,
    };
    match ask(village, home, command) {
        Reply::Conversation(view) => view,
        other => panic!("{other:?}"),
    }
}

fn state(c: &mut Couple, message: hushwing_conversation::MessageId) -> MessageState {
    match ask(&mut c.village, c.alice, Command::Where { message }) {
        Reply::Where(at) => at.state,
        other => panic!("{other:?}"),
    }
}

#[test]
fn of_who_is_blocked_nothing_is_heard_and_they_are_told_nothing() {
    let mut c = couple(770);
    tell_of_reading(&mut c.village, c.bob);
    send(&mut c.village, c.alice, c.her_bob, "before");
    c.village.pass(DELAY).unwrap();
    change(&mut c.village, c.bob, c.his_alice, Change::Blocked(true));
    c.village.open_again(c.bob).unwrap();
    c.village.events(c.bob);
    let unheard = send(&mut c.village, c.alice, c.her_bob, "are you there?");
    c.village.overhear();
    c.village.pass(HOUR * 48).unwrap();
    // Taken from the network, for it is not offered again; told nobody.
    assert_eq!(state(&mut c, unheard), MessageState::Accepted);
    assert_eq!(texts(&mut c.village, c.bob, c.his_alice), ["before"]);
    let told = c.village.events(c.bob);
    assert!(told.is_empty(), "{told:?}");
    // Nothing left from Bob: no receipt and no new keys.
    let hers = c.village.storage(c.alice).unwrap().mailbox_records();
    let hers: Vec<_> = hers
        .unwrap()
        .into_iter()
        .filter_map(|record| record.locator)
        .collect();
    assert!(!hers.is_empty());
    for (to, _) in c.village.overhear() {
        assert!(hers.iter().all(|locator| locator.expose() != to.0));
    }
    let sending = Command::Send {
        contact: c.his_alice,
        text: "hm".to_owned(),
        reply_to: None,
    };
    assert_eq!(
        refusal(&mut c.village, c.bob, sending.clone()),
        Refusal::Blocked
    );

    change(&mut c.village, c.bob, c.his_alice, Change::Blocked(false));
    c.village.pass(DELAY * 2).unwrap();
    let heard = send(&mut c.village, c.alice, c.her_bob, "and now?");
    c.village.pass(DELAY * 2).unwrap();
    assert_eq!(state(&mut c, heard), MessageState::Delivered);
    ask(&mut c.village, c.bob, sending);
    c.village.pass(DELAY).unwrap();
    assert_eq!(
        texts(&mut c.village, c.alice, c.her_bob).last().unwrap(),
        "hm"
    );
}

#[test]
fn the_blocked_cannot_make_another_conversation_suffer() {
    let mut c = couple(771);
    let mut mallory = Intruder::new();
    let contact = mallory.meet(&mut c.village, c.alice);
    c.village.pass(HOUR).unwrap();
    change(&mut c.village, c.alice, contact, Change::Blocked(true));
    let before = c.village.storage(c.alice).unwrap().weight();
    for n in 0..200 {
        let text = Text::new(&format!("{n} {}", "x".repeat(1_000))).unwrap();
        mallory.tell(&mut c.village, &Content::Post(Post::new(text, None)));
    }
    send(&mut c.village, c.bob, c.his_alice, "still fine?");
    c.village.pass(HOUR).unwrap();
    let after = c.village.storage(c.alice).unwrap().weight();
    assert!(after < before + 64 * 1024, "{before} {after}");
    assert_eq!(texts(&mut c.village, c.alice, c.her_bob), ["still fine?"]);
}

#[test]
fn a_forgotten_contact_leaves_nothing_here_and_cannot_write() {
    let mut c = couple(772);
    send(&mut c.village, c.bob, c.his_alice, "remember me");
    send(&mut c.village, c.alice, c.her_bob, "on its way");
    change(
        &mut c.village,
        c.alice,
        c.her_bob,
        Change::Draft(Some(Draft {
            text: "dear Bob".to_owned(),
            reply_to: None,
        })),
    );
    c.village.rest().unwrap();
    let conversation = conversation(&mut c.village, c.alice, c.her_bob);
    c.village.events(c.alice);
    ask(
        &mut c.village,
        c.alice,
        Command::Forget { contact: c.her_bob },
    );
    let told = c.village.events(c.alice);
    assert!(
        told.contains(&Event::Forgotten { contact: c.her_bob }),
        "{told:?}"
    );
    c.village.open_again(c.alice).unwrap();
    assert!(contacts(&mut c.village, c.alice).is_empty());
    let storage = c.village.storage(c.alice).unwrap();
    for words in ["remember", "on its way", "dear Bob"] {
        assert!(!storage.holds(words), "{words}");
    }
    use hushwing_conversation::storage::ConversationRows as _;
    assert_eq!(storage.conversation(conversation).unwrap(), None);
    assert!(storage.mailbox_records().unwrap().is_empty());
    assert!(storage.owing(c.her_bob).unwrap().is_empty());
    // What Bob says now his network cannot deliver.
    send(&mut c.village, c.bob, c.his_alice, "hello?");
    c.village.pass(HOUR).unwrap();
    let heard = c.village.events(c.alice);
    assert!(heard.is_empty(), "{heard:?}");
    // They can meet anew.
    let link = invite(&mut c.village, c.alice, false).link;
    let again = join(&mut c.village, c.bob, &link).contact;
    c.village.pass(DELAY).unwrap();
    send(&mut c.village, c.bob, again, "hello again");
    c.village.pass(DELAY).unwrap();
    let her_bob = contacts(&mut c.village, c.alice)[0].contact;
    assert_eq!(texts(&mut c.village, c.alice, her_bob), ["hello again"]);
}

#[test]
fn what_is_kept_survives_a_restart() {
    let mut c = couple(773);
    let id = send(&mut c.village, c.alice, c.her_bob, "pin me");
    let draft = Draft {
        text: "half a sent".to_owned(),
        reply_to: Some(id),
    };
    for what in [
        Change::Pinned(true),
        Change::Archived(true),
        Change::Muted(Some(Timestamp::from_millis(u64::MAX))),
        Change::MarkedUnread(true),
        Change::Draft(Some(draft.clone())),
        Change::MessagePinned(id, true),
    ] {
        change(&mut c.village, c.alice, c.her_bob, what);
    }
    c.village.open_again(c.alice).unwrap();
    let view = kept(&mut c.village, c.alice, c.her_bob);
    assert!(view.pinned && view.archived && view.muted.is_some() && view.marked_unread);
    assert_eq!((view.draft, view.pinned_messages), (Some(draft), vec![id]));
    ask(&mut c.village, c.alice, Command::Delete { message: id });
    let view = kept(&mut c.village, c.alice, c.her_bob);
    assert!(view.pinned_messages.is_empty());
    let empty = Draft {
        text: String::new(),
        reply_to: None,
    };
    let view = change(
        &mut c.village,
        c.alice,
        c.her_bob,
        Change::Draft(Some(empty)),
    );
    assert_eq!(view.draft, None);
}

#[test]
fn unread_messages_are_counted_until_they_are_read() {
    let mut c = couple(774);
    for text in ["one", "two"] {
        send(&mut c.village, c.bob, c.his_alice, text);
    }
    c.village.pass(DELAY).unwrap();
    assert_eq!(kept(&mut c.village, c.alice, c.her_bob).unread, 2);
    let conversation = conversation(&mut c.village, c.alice, c.her_bob);
    let look = Command::Look {
        conversation,
        before: None,
        most: 9,
    };
    match ask(&mut c.village, c.alice, look) {
        Reply::Messages(views) => assert_eq!(views.len(), 2),
        other => panic!("{other:?}"),
    }
    assert_eq!(kept(&mut c.village, c.alice, c.her_bob).unread, 2);
    read(&mut c.village, c.alice, c.her_bob);
    assert_eq!(kept(&mut c.village, c.alice, c.her_bob).unread, 0);
    let view = change(
        &mut c.village,
        c.alice,
        c.her_bob,
        Change::MarkedUnread(true),
    );
    assert!(view.marked_unread);
    read(&mut c.village, c.alice, c.her_bob);
    assert!(!kept(&mut c.village, c.alice, c.her_bob).marked_unread);
}

#[test]
fn something_new_brings_a_conversation_back_unless_it_is_muted() {
    let mut c = couple(775);
    let quiet = |c: &mut Couple| {
        let told = c.village.events(c.alice);
        let arrived = told.iter().filter_map(|event| match event {
            Event::Arrived { quiet, .. } => Some(*quiet),
            _ => None,
        });
        arrived.collect::<Vec<_>>()
    };
    change(&mut c.village, c.alice, c.her_bob, Change::Archived(true));
    send(&mut c.village, c.bob, c.his_alice, "one");
    c.village.pass(DELAY).unwrap();
    assert!(!kept(&mut c.village, c.alice, c.her_bob).archived);
    assert_eq!(quiet(&mut c), [false]);
    let until = Timestamp::from_secs(1_767_225_600) + HOUR;
    change(
        &mut c.village,
        c.alice,
        c.her_bob,
        Change::Muted(Some(until)),
    );
    change(&mut c.village, c.alice, c.her_bob, Change::Archived(true));
    send(&mut c.village, c.bob, c.his_alice, "two");
    c.village.pass(DELAY).unwrap();
    assert!(kept(&mut c.village, c.alice, c.her_bob).archived);
    assert_eq!(quiet(&mut c), [true]);
    c.village.pass(HOUR).unwrap();
    assert_eq!(kept(&mut c.village, c.alice, c.her_bob).muted, None);
}

#[test]
fn so_many_messages_can_be_pinned_and_none_of_another_conversation() {
    let mut c = couple(776);
    let ids: Vec<_> = (0..=MOST_PINNED)
        .map(|n| send(&mut c.village, c.alice, c.her_bob, &n.to_string()))
        .collect();
    let conversation = conversation(&mut c.village, c.alice, c.her_bob);
    let pin = |id| Command::Keep {
        conversation,
        change: Change::MessagePinned(id, true),
    };
    for id in &ids[..MOST_PINNED] {
        ask(&mut c.village, c.alice, pin(*id));
        ask(&mut c.village, c.alice, pin(*id));
    }
    assert_eq!(
        refusal(&mut c.village, c.alice, pin(ids[MOST_PINNED])),
        Refusal::TooManyPinned { most: MOST_PINNED }
    );
    let unknown = hushwing_conversation::MessageId::from_bytes(&[1; 32]).unwrap();
    assert_eq!(
        refusal(&mut c.village, c.alice, pin(unknown)),
        Refusal::NoMessage
    );
}

#[test]
fn of_the_texts_a_message_had_the_last_ones_are_kept() {
    let mut c = couple(777);
    let id = send(&mut c.village, c.alice, c.her_bob, "v0");
    for n in 1..40 {
        let edit = Command::Edit {
            message: id,
            text: format!("v{n}"),
        };
        ask(&mut c.village, c.alice, edit);
    }
    c.village.pass(HOUR).unwrap();
    let history =
        |c: &mut Couple, home| match ask(&mut c.village, home, Command::History { message: id }) {
            Reply::History(versions) => versions
                .into_iter()
                .map(|version| version.text)
                .collect::<Vec<_>>(),
            other => panic!("{other:?}"),
        };
    let (alice, bob) = (c.alice, c.bob);
    assert_eq!(history(&mut c, alice).len(), 40);
    let his = history(&mut c, bob);
    assert_eq!(
        (his.len(), his[0].as_str(), his[16].as_str()),
        (17, "v0", "v39")
    );
}

#[test]
fn people_are_named_in_a_text_and_in_what_takes_its_place() {
    let mut c = couple(778);
    let id = send(
        &mut c.village,
        c.alice,
        c.her_bob,
        "@Bob, ask @Alice or @Bobby",
    );
    c.village.pass(DELAY).unwrap();
    let named = |c: &mut Couple, home, contact| {
        let view = read(&mut c.village, home, contact).pop().unwrap();
        let named = view.mentions.iter();
        named
            .map(|named| (view.text[named.at.0..named.at.1].to_owned(), named.who))
            .collect::<Vec<_>>()
    };
    let (alice, bob) = (c.alice, c.bob);
    let (her_bob, his_alice) = (c.her_bob, c.his_alice);
    assert_eq!(
        named(&mut c, alice, her_bob),
        [
            ("@Bob".to_owned(), Speaker::Contact(her_bob)),
            ("@Alice".to_owned(), Speaker::Me)
        ]
    );
    assert_eq!(
        named(&mut c, bob, his_alice),
        [
            ("@Bob".to_owned(), Speaker::Me),
            ("@Alice".to_owned(), Speaker::Contact(his_alice))
        ]
    );
    let text = "only @Alice".to_owned();
    ask(&mut c.village, c.alice, Command::Edit { message: id, text });
    c.village.pass(DELAY).unwrap();
    assert_eq!(named(&mut c, bob, his_alice).len(), 1);
}

#[test]
fn what_was_said_with_a_forgotten_contact_goes_a_piece_at_a_time() {
    let mut c = couple(780);
    let mut ids = Vec::new();
    for n in 0..700 {
        ids.push(send(
            &mut c.village,
            c.bob,
            c.his_alice,
            &format!("said {n}"),
        ));
        if n % 40 == 0 {
            c.village.pass(DELAY).unwrap();
        }
    }
    c.village.pass(HOUR).unwrap();
    let contact = c.her_bob;
    let left = |c: &mut Couple| {
        let storage = c.village.storage(c.alice).unwrap();
        let there = ids.iter().filter(|id| storage.has_message(id).unwrap());
        there.count()
    };
    assert_eq!(left(&mut c), 700);
    ask(&mut c.village, c.alice, Command::Forget { contact });
    let at_once = 700 - left(&mut c);
    assert!((200..300).contains(&at_once), "{at_once}");
    // What is left is shown nowhere.
    let mut rest = ids.iter().copied().rev();
    let storage = c.village.storage(c.alice).unwrap();
    let message = rest.find(|id| storage.has_message(id).unwrap());
    let message = message.unwrap();
    for command in [Command::Where { message }, Command::History { message }] {
        let refusal = refusal(&mut c.village, c.alice, command);
        assert_eq!(refusal, Refusal::NoMessage);
    }
    c.village.open_again(c.alice).unwrap();
    c.village.pass(Duration::from_secs(1)).unwrap();
    assert_eq!(left(&mut c), 0);
    assert!(!c.village.storage(c.alice).unwrap().holds("said"));
    let setting = c
        .village
        .storage(c.alice)
        .unwrap()
        .setting("contacts going");
    assert!(setting.unwrap().is_none());
}

//! Edits, deletions, reactions and replies.

use hushwing_conversation::view::Speaker;
use hushwing_conversation::{Command, Event, MessageId, Refusal, Reply};

use crate::support::*;

fn edit(c: &mut Couple, message: MessageId, text: &str) {
    ask(
        &mut c.village,
        c.alice,
        Command::Edit {
            message,
            text: text.into(),
        },
    );
    c.village.rest().unwrap();
}

fn react(c: &mut Couple, message: MessageId, mark: &str) {
    ask(
        &mut c.village,
        c.bob,
        Command::React {
            message,
            mark: mark.into(),
        },
    );
    c.village.rest().unwrap();
}

fn said(c: &mut Couple, text: &str) -> MessageId {
    let id = send(&mut c.village, c.alice, c.her_bob, text);
    c.village.rest().unwrap();
    id
}

#[test]
fn the_last_edit_stands_on_both_sides() {
    let mut c = couple(20);
    let id = said(&mut c, "helo");
    edit(&mut c, id, "hell");
    edit(&mut c, id, "hello");
    for (home, contact) in [(c.alice, c.her_bob), (c.bob, c.his_alice)] {
        let views = read(&mut c.village, home, contact);
        assert_eq!(views.len(), 1);
        assert_eq!(views[0].text, "hello");
        assert!(views[0].edited);
    }
    let changed = |event: &Event| matches!(event, Event::Changed(view) if view.text == "hello");
    assert!(c.village.events(c.bob).iter().any(changed));
}

#[test]
fn a_deleted_message_shows_no_text() {
    let mut c = couple(21);
    let id = said(&mut c, "forget this");
    ask(&mut c.village, c.alice, Command::Delete { message: id });
    c.village.rest().unwrap();
    let views = read(&mut c.village, c.bob, c.his_alice);
    assert_eq!((views[0].text.as_str(), views[0].deleted), ("", true));
}

#[test]
fn reactions_are_set_changed_and_taken_back() {
    let mut c = couple(22);
    let id = said(&mut c, "look");
    react(&mut c, id, "👍");
    let shown = |c: &mut Couple| {
        read(&mut c.village, c.alice, c.her_bob)[0]
            .reactions
            .clone()
    };
    let by_bob = Speaker::Contact(c.her_bob);
    assert_eq!(shown(&mut c), [(by_bob, "👍".to_owned())]);
    react(&mut c, id, "❤");
    assert_eq!(shown(&mut c), [(by_bob, "❤".to_owned())]);
    react(&mut c, id, "");
    assert!(shown(&mut c).is_empty());
}

#[test]
fn a_reply_names_what_it_answers() {
    let mut c = couple(23);
    let id = said(&mut c, "question?");
    let reply = Command::Send {
        contact: c.his_alice,
        text: "answer".into(),
        reply_to: Some(id),
    };
    ask(&mut c.village, c.bob, reply);
    c.village.rest().unwrap();
    assert_eq!(
        read(&mut c.village, c.alice, c.her_bob)[1].reply_to,
        Some(id)
    );
}

#[test]
fn what_is_not_mine_cannot_be_changed() {
    let mut c = couple(24);
    let id = said(&mut c, "mine");
    for command in [
        Command::Edit {
            message: id,
            text: "yours".into(),
        },
        Command::Delete { message: id },
    ] {
        assert_eq!(refusal(&mut c.village, c.bob, command), Refusal::NotMine);
    }
}

#[test]
fn nothing_and_too_much_are_refused() {
    let mut c = couple(25);
    let contact = c.her_bob;
    let send = |text: String| Command::Send {
        contact,
        text,
        reply_to: None,
    };
    assert_eq!(
        refusal(&mut c.village, c.alice, send(" \n".into())),
        Refusal::EmptyText
    );
    assert_eq!(
        refusal(&mut c.village, c.alice, send("x".repeat(65_537))),
        Refusal::TextTooLong { most: 65_536 }
    );
    let id = said(&mut c, "here");
    let mark = "two words".to_owned();
    let react = Command::React { message: id, mark };
    assert_eq!(refusal(&mut c.village, c.bob, react), Refusal::BadReaction);
}

#[test]
fn a_long_text_travels_in_parts() {
    let mut c = couple(26);
    let text = "ä".repeat(30_000);
    send(&mut c.village, c.alice, c.her_bob, &text);
    c.village.rest().unwrap();
    assert_eq!(texts(&mut c.village, c.bob, c.his_alice), [text]);
}

#[test]
fn a_reply_shows_the_beginning_of_what_it_answers_as_it_stands_now() {
    let mut c = couple(27);
    let id = said(&mut c, &format!("two\nlines {}", "and more ".repeat(20)));
    let reply = Command::Send {
        contact: c.his_alice,
        text: "answer".into(),
        reply_to: Some(id),
    };
    ask(&mut c.village, c.bob, reply);
    c.village.rest().unwrap();
    let quoted = |c: &mut Couple| {
        let quote = read(&mut c.village, c.alice, c.her_bob)[1].answered.clone();
        quote
            .map(|quote| (quote.from, quote.text, quote.deleted))
            .unwrap()
    };
    let (from, text, deleted) = quoted(&mut c);
    assert_eq!((from, deleted), (Speaker::Me, false));
    assert!(text.starts_with("two lines and more ") && text.ends_with('…'));
    edit(&mut c, id, "short");
    assert_eq!(quoted(&mut c).1, "short");
    ask(&mut c.village, c.alice, Command::Delete { message: id });
    let (_, text, deleted) = quoted(&mut c);
    assert_eq!((text.as_str(), deleted), ("", true));
}

#[test]
fn messages_are_found_by_the_beginning_of_their_ids() {
    let mut c = couple(28);
    let ids = ["one", "two"].map(|text| said(&mut c, text));
    let find = |c: &mut Couple, prefix: &str| {
        let prefix = prefix.parse().unwrap();
        match ask(&mut c.village, c.alice, Command::Find { prefix }) {
            Reply::Found(found) => found,
            other => panic!("{other:?}"),
        }
    };
    // What changes a message has no name of its own.
    edit(&mut c, ids[0], "one more");
    react(&mut c, ids[1], "+");
    c.village.pass(DELAY).unwrap();
    // All ids begin alike, and what no face shows is not found.
    let mut found: Vec<_> = find(&mut c, "01").iter().map(|short| *short.id()).collect();
    found.sort_unstable_by_key(|id| ids.iter().position(|known| known == id));
    assert_eq!(found, ids);
    for view in read(&mut c.village, c.alice, c.her_bob) {
        let short = view.short.to_string();
        assert!(view.id.to_string().starts_with(&short) && short.len() == 10);
        assert_eq!(find(&mut c, &short), [view.short]);
    }
    assert_eq!(find(&mut c, "02"), []);
    assert_eq!(find(&mut c, "0"), find(&mut c, "01"));
}

#[test]
fn a_deleted_message_can_be_changed_by_nobody() {
    let mut c = couple(29);
    let message = said(&mut c, "forget this");
    ask(&mut c.village, c.alice, Command::Delete { message });
    c.village.rest().unwrap();
    let edit = Command::Edit {
        message,
        text: "or not".into(),
    };
    let react = Command::React {
        message,
        mark: "👍".into(),
    };
    for command in [edit, Command::Delete { message }, react.clone()] {
        let refused = refusal(&mut c.village, c.alice, command);
        assert_eq!(refused, Refusal::Deleted);
    }
    assert_eq!(refusal(&mut c.village, c.bob, react), Refusal::Deleted);
}

#[test]
fn what_a_contact_does_to_a_message_they_do_not_know_deleted_changes_nothing() {
    let mut c = couple(30);
    let message = said(&mut c, "forget this");
    // Neither has heard of what the other does.
    let mark = "👍".to_owned();
    ask(&mut c.village, c.alice, Command::Delete { message });
    ask(&mut c.village, c.bob, Command::React { message, mark });
    c.village.events(c.alice);
    c.village.rest().unwrap();
    let changed = |event: &Event| matches!(event, Event::Changed(_));
    assert!(!c.village.events(c.alice).iter().any(changed));
    for (home, contact) in [(c.alice, c.her_bob), (c.bob, c.his_alice)] {
        let view = read(&mut c.village, home, contact).remove(0);
        assert!(view.deleted && view.reactions.is_empty());
    }
}

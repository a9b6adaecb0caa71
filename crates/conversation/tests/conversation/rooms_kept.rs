//! How people keep rooms, and that somebody is writing there.

use hushwing_conversation::view::{ConversationView, Draft};
use hushwing_conversation::{Change, Command, Event, Refusal, Reply, Storage as _};
use hushwing_sansio::Timestamp;

use crate::rooms::{Circle, circle};
use crate::support::*;

const THREE: [&str; 3] = ["Alice", "Bob", "Carol"];

impl Circle {
    fn kept(&mut self, who: usize) -> ConversationView {
        let place = self.rooms[who].place();
        kept(&mut self.village, self.homes[who], place)
    }

    fn keep(&mut self, who: usize, change: Change) -> ConversationView {
        let conversation = self.kept(who).conversation;
        let command = Command::Keep {
            conversation,
            change,
        };
        match self.ask(who, command) {
            Reply::Conversation(view) => view,
            other => panic!("{other:?}"),
        }
    }

    fn write(&mut self, who: usize) {
        let conversation = self.kept(who).conversation;
        self.ask(who, Command::Typing { conversation });
        self.village.rest().unwrap();
    }

    /// Who was shown to be writing, since it was last asked.
    fn shown_writing(&mut self, who: usize) -> Vec<String> {
        let told = self.village.events(self.homes[who]);
        let writing = told.into_iter().filter_map(|event| match event {
            Event::Typing { contact, member } => Some((contact, member)),
            _ => None,
        });
        let writing: Vec<_> = writing.collect();
        let members = self.view(who).members;
        let name = |member| {
            let mut named = members.iter().filter(|one| Some(one.member) == member);
            named.next().unwrap().name.clone()
        };
        let here = |(contact, member)| {
            assert_eq!(contact, self.rooms[who].place());
            name(member)
        };
        writing.into_iter().map(here).collect()
    }
}

#[test]
fn a_room_is_kept_as_a_conversation_of_two_is_and_stays_so() {
    let mut c = circle(1_300, &THREE);
    let view = c.kept(1);
    assert_eq!(
        (view.room, view.name.as_str(), view.unread),
        (Some(c.rooms[1]), "Rowing", 0)
    );
    let id = c.say(0, "hello");
    c.pass(30);
    assert_eq!(c.kept(1).unread, 1);
    let draft = Draft {
        text: "half a".to_owned(),
        reply_to: Some(id),
    };
    c.keep(1, Change::Pinned(true));
    c.keep(1, Change::MarkedUnread(true));
    c.keep(1, Change::MessagePinned(id, true));
    let view = c.keep(1, Change::Draft(Some(draft.clone())));
    c.village.open_again(c.homes[1]).unwrap();
    assert_eq!(c.kept(1), view);
    assert!(view.pinned && view.marked_unread && view.draft == Some(draft));
    assert_eq!(view.pinned_messages, [id]);
    // Reading takes the mark away, taking back the pin.
    c.texts(1);
    c.ask(0, Command::Delete { message: id });
    c.pass(30);
    let view = c.kept(1);
    assert!(!view.marked_unread && view.unread == 0 && view.pinned_messages.is_empty());
    // Others keep it as they like, and other conversations are not touched.
    assert!(!c.kept(2).pinned);
    let pair = c.hers[0];
    assert!(!kept(&mut c.village, c.homes[0], pair).pinned);
}

#[test]
fn something_new_brings_an_archived_room_back_unless_it_is_muted() {
    let mut c = circle(1_301, &THREE);
    c.keep(1, Change::Archived(true));
    c.keep(2, Change::Archived(true));
    c.keep(2, Change::Muted(Some(Timestamp::from_millis(u64::MAX))));
    c.village.events(c.homes[1]);
    c.village.events(c.homes[2]);
    c.say(0, "news");
    c.pass(30);
    assert!(!c.kept(1).archived && c.kept(2).archived);
    let quiet = |told: Vec<Event>| {
        let mut arrived = told.into_iter().filter_map(|event| match event {
            Event::Arrived { quiet, .. } => Some(quiet),
            _ => None,
        });
        arrived.next()
    };
    assert_eq!(quiet(c.village.events(c.homes[1])), Some(false));
    assert_eq!(quiet(c.village.events(c.homes[2])), Some(true));
}

#[test]
fn a_room_is_left_and_not_blocked() {
    let mut c = circle(1_302, &THREE);
    let conversation = c.kept(1).conversation;
    let change = Change::Blocked(true);
    let command = Command::Keep {
        conversation,
        change,
    };
    let refused = refusal(&mut c.village, c.homes[1], command);
    assert_eq!(refused, Refusal::RoomNotBlocked);
    c.say(0, "still heard");
    c.pass(30);
    assert_eq!(c.texts(1), ["still heard"]);
    assert!(c.kept(1).blocked.is_none());
}

#[test]
fn that_somebody_writes_is_shown_to_those_in_the_room_who_tell_it_too() {
    let mut c = circle(1_303, &THREE);
    for who in [0, 1] {
        c.ask(who, Command::SetTyping { on: true });
    }
    let place = c.rooms[1].place();
    let messages = |c: &mut Circle| {
        let storage = c.village.storage(c.homes[1]).unwrap();
        storage.extent(place).unwrap().messages
    };
    let before = messages(&mut c);
    (0..3).for_each(|who| drop(c.village.events(c.homes[who])));
    c.write(0);
    c.write(0);
    assert_eq!(c.shown_writing(1), ["Alice"]);
    assert!(c.shown_writing(2).is_empty());
    c.write(2);
    assert!(c.shown_writing(0).is_empty());
    c.pass(10);
    c.write(0);
    assert_eq!(c.shown_writing(1), ["Alice"]);
    assert_eq!(messages(&mut c), before);
    // Who left is told nothing, and tells nothing.
    let room = c.rooms[1];
    c.ask(1, Command::LeaveRoom { room });
    c.pass(60);
    (0..3).for_each(|who| drop(c.village.events(c.homes[who])));
    c.write(0);
    c.write(1);
    assert!(c.shown_writing(0).is_empty() && c.shown_writing(1).is_empty());
}

#[test]
fn who_is_blocked_is_told_in_a_room_neither_of_writing_nor_of_reading() {
    let mut c = circle(1_305, &THREE);
    for who in 0..3 {
        c.ask(who, Command::SetTyping { on: true });
        c.ask(who, Command::SetReadReceipts { on: true });
    }
    let (pair, change) = (c.hers[0], Change::Blocked(true));
    let conversation = conversation(&mut c.village, c.homes[0], pair);
    let command = Command::Keep {
        conversation,
        change,
    };
    c.ask(0, command);
    let said = [c.say(1, "from the blocked"), c.say(2, "from the other")];
    c.pass(30);
    (0..3).for_each(|who| drop(c.village.events(c.homes[who])));
    c.texts(0);
    c.write(0);
    c.pass(30);
    assert_eq!(c.shown_writing(1), [""; 0]);
    assert_eq!(c.shown_writing(2), ["Alice"]);
    let read_by_her = |c: &mut Circle, who: usize| {
        let place = c.rooms[who].place();
        let views = read(&mut c.village, c.homes[who], place);
        let mine = views
            .into_iter()
            .find(|view| said.contains(&view.id) && view.counted.is_some());
        mine.unwrap().counted.unwrap().read
    };
    c.texts(1);
    c.texts(2);
    assert_eq!([read_by_her(&mut c, 1), read_by_her(&mut c, 2)], [0, 1]);
}

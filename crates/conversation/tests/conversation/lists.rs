//! Saying the same to several, each of whom is told alone.

use std::time::Duration;

use hushwing_conversation::content::Mode;
use hushwing_conversation::storage::{
    CopyRecord, ListPostRecord, ListsRecord, MOST_LISTED, MOST_LISTS, MOST_POSTS, Missed,
};
use hushwing_conversation::view::{ListPostView, ListView, Whereabouts};
use hushwing_conversation::village::{Crash, Home, Village};
use hushwing_conversation::{
    Change, Command, ContactId, IdPrefix, ListCommand, ListId, MessageId, MessageState, Refusal,
    Reply, Standing, Storage as _,
};

use crate::support::*;

const A_MINUTE: Duration = Duration::from_secs(60);

/// Alice, who has a list of all the others.
struct Hostess {
    village: Village,
    alice: Home,
    list: ListId,
    /// Each guest, as Alice knows them, and Alice as they do.
    guests: Vec<(Home, ContactId, ContactId)>,
}

fn hostess(seed: u64, guests: usize) -> Hostess {
    let mut village = village(seed);
    let alice = village.move_in("Alice", DELAY).unwrap();
    let list = list(ask(&mut village, alice, new("friends"))).list;
    let mut known = Vec::new();
    for number in 0..guests {
        let name = format!("Guest {number}");
        let home = village.move_in(&name, DELAY).unwrap();
        let link = invite(&mut village, alice, false).link;
        let alice_to_them = join(&mut village, home, &link).contact;
        village.rest().unwrap();
        let contact = contacts(&mut village, alice)[number].contact;
        ask(&mut village, alice, add(list, contact));
        known.push((home, contact, alice_to_them));
    }
    village.pass(A_MINUTE).unwrap();
    Hostess {
        village,
        alice,
        list,
        guests: known,
    }
}

fn new(name: &str) -> Command {
    Command::List(ListCommand::New {
        name: name.to_owned(),
    })
}

fn add(list: ListId, contact: ContactId) -> Command {
    Command::List(ListCommand::Add { list, contact })
}

fn post(list: ListId, text: &str) -> Command {
    Command::List(ListCommand::Post {
        list,
        text: text.to_owned(),
    })
}

fn edit(message: MessageId, text: &str) -> Command {
    let text = text.to_owned();
    Command::Edit { message, text }
}

fn list(reply: Reply) -> ListView {
    match reply {
        Reply::List(view) => view,
        other => panic!("{other:?}"),
    }
}

fn posted(reply: Reply) -> ListPostView {
    match reply {
        Reply::Posted(view) => view,
        other => panic!("{other:?}"),
    }
}

impl Hostess {
    fn post(&mut self, text: &str) -> MessageId {
        let reply = ask(&mut self.village, self.alice, post(self.list, text));
        *posted(reply).id.id()
    }

    fn lists(&mut self) -> Vec<ListView> {
        match ask(
            &mut self.village,
            self.alice,
            Command::List(ListCommand::All),
        ) {
            Reply::Lists(views) => views,
            other => panic!("{other:?}"),
        }
    }

    fn place(&mut self, message: MessageId) -> Whereabouts {
        match ask(&mut self.village, self.alice, Command::Where { message }) {
            Reply::Where(place) => place,
            other => panic!("{other:?}"),
        }
    }

    fn states(&mut self, message: MessageId) -> Vec<(Option<MessageState>, Option<Missed>)> {
        let copies = self.place(message).copies;
        copies
            .iter()
            .map(|copy| (copy.state, copy.missed))
            .collect()
    }

    /// What each guest reads in the conversation with Alice.
    fn heard(&mut self) -> Vec<Vec<String>> {
        let guests = self.guests.clone();
        let heard = guests
            .iter()
            .map(|(home, _, alice)| texts(&mut self.village, *home, *alice));
        heard.collect()
    }

    fn block(&mut self, contact: ContactId, on: bool) {
        let conversation = conversation(&mut self.village, self.alice, contact);
        let change = Change::Blocked(on);
        let command = Command::Keep {
            conversation,
            change,
        };
        ask(&mut self.village, self.alice, command);
    }

    fn refusal(&mut self, command: Command) -> Refusal {
        refusal(&mut self.village, self.alice, command)
    }

    /// The only post, as it is stored.
    fn stored(&mut self) -> ListPostRecord {
        let storage = self.village.storage(self.alice).unwrap();
        let only = ListPostRecord::all(storage).unwrap().remove(0);
        only.1.unwrap()
    }
}

#[test]
fn each_is_told_alone_and_answers_there() {
    let mut h = hostess(7_500, 2);
    let tea = h.post("tea at four");
    assert_eq!(h.states(tea), [(None, None), (None, None)]);
    assert_eq!(h.place(tea).state, MessageState::Queued);
    h.village.pass(A_MINUTE).unwrap();
    assert_eq!(h.heard(), [["tea at four"], ["tea at four"]]);
    let delivered = (Some(MessageState::Delivered), None);
    assert_eq!(h.states(tea), [delivered, delivered]);
    assert_eq!(h.place(tea).state, MessageState::Delivered);
    let (home, contact, alice) = h.guests[1];
    send(&mut h.village, home, alice, "gladly");
    h.village.pass(A_MINUTE).unwrap();
    assert_eq!(
        texts(&mut h.village, h.alice, contact),
        ["tea at four", "gladly"]
    );
    let (_, other, _) = h.guests[0];
    assert_eq!(texts(&mut h.village, h.alice, other), ["tea at four"]);
    // To who reads it, it is a message like any.
    let theirs = read(&mut h.village, home, alice).remove(0).id;
    assert_ne!(theirs, tea);
}

#[test]
fn each_copy_is_said_at_a_moment_of_its_own_and_the_text_goes_with_the_last() {
    let mut h = hostess(7_501, 6);
    h.post("tea");
    let mut told = Vec::new();
    for second in 0..20 {
        h.village.pass(Duration::from_secs(1)).unwrap();
        let waiting = h.lists()[0].posts[0].waiting;
        told.extend(vec![second; 6 - waiting - told.len()]);
        assert_eq!(h.stored().text.is_some(), waiting > 0, "{second}");
    }
    assert_eq!(told.len(), 6, "all within a quarter of a minute");
    told.dedup();
    assert!(told.len() >= 4, "{told:?}");
}

#[test]
fn a_post_is_found_by_the_beginning_of_its_id() {
    let mut h = hostess(7_502, 1);
    let Reply::Posted(view) = ask(&mut h.village, h.alice, post(h.list, "tea")) else {
        panic!("another reply")
    };
    let prefix: IdPrefix = view.id.to_string().parse().unwrap();
    match ask(&mut h.village, h.alice, Command::Find { prefix }) {
        Reply::Found(found) => assert_eq!(found, [view.id]),
        other => panic!("{other:?}"),
    }
    // It is no message of one conversation.
    let message = *view.id.id();
    let mark = "!".to_owned();
    let react = Command::React { message, mark };
    assert_eq!(h.refusal(react), Refusal::NoMessage);
}

#[test]
fn who_cannot_be_written_to_is_named_and_left_out() {
    let mut h = hostess(7_503, 3);
    let (_, broken, _) = h.guests[1];
    let storage = h.village.storage(h.alice).unwrap();
    let mut record = storage.contacts().unwrap().remove(1);
    record.standing = Standing::Broken;
    storage.put_contact(&record).unwrap();
    h.village.open_again(h.alice).unwrap();
    let (_, blocked, _) = h.guests[0];
    h.block(blocked, true);
    let view = posted(ask(&mut h.village, h.alice, post(h.list, "tea")));
    let left_out = [(blocked, Missed::Blocked), (broken, Missed::Broken)];
    assert_eq!((view.all, view.waiting), (3, 1));
    assert_eq!(view.missed, left_out);
    h.village.pass(A_MINUTE).unwrap();
    assert_eq!(h.heard().concat(), ["tea"]);
    // Nor are they told of a change of what they never got.
    let tea = *view.id.id();
    ask(&mut h.village, h.alice, edit(tea, "cake"));
    h.village.pass(A_MINUTE).unwrap();
    assert_eq!(h.heard().concat(), ["cake"]);
    assert_eq!(h.lists()[0].posts[0].missed, left_out);
    // Whoever is blocked before their moment comes.
    let (_, last, _) = h.guests[2];
    let more = h.post("more");
    h.block(last, true);
    h.village.pass(A_MINUTE).unwrap();
    assert_eq!(h.states(more)[2], (None, Some(Missed::Blocked)));
    assert_eq!(h.place(more).state, MessageState::Failed);
    assert_eq!(h.refusal(post(h.list, "tea")), Refusal::NobodyOnList);
}

#[test]
fn what_is_changed_before_some_were_told_is_told_them_so_at_once() {
    let mut h = hostess(7_504, 6);
    let tea = h.post("tea");
    h.village.pass(Duration::from_secs(6)).unwrap();
    let before = h.lists()[0].posts[0].waiting;
    assert!((1..6).contains(&before), "{before}");
    ask(&mut h.village, h.alice, edit(tea, "cake"));
    assert_eq!(h.lists()[0].posts[0].waiting, 6);
    ask(&mut h.village, h.alice, edit(tea, "pie"));
    h.village.pass(A_MINUTE).unwrap();
    assert_eq!(h.heard(), vec![vec!["pie"]; 6]);
    let mut edited = 0;
    for (home, _, alice) in h.guests.clone() {
        let message = read(&mut h.village, home, alice).remove(0).id;
        match ask(&mut h.village, home, Command::History { message }) {
            Reply::History(texts) => edited += usize::from(texts.len() > 1),
            other => panic!("{other:?}"),
        }
    }
    assert_eq!(edited, 6 - before);
    assert_eq!(h.place(tea).state, MessageState::Delivered);
}

#[test]
fn what_is_taken_back_is_taken_back_from_each_and_told_nobody_else() {
    let mut h = hostess(7_505, 6);
    let tea = h.post("tea");
    h.village.pass(Duration::from_secs(6)).unwrap();
    let before = h.lists()[0].posts[0].waiting;
    assert!((1..6).contains(&before), "{before}");
    let delete = Command::Delete { message: tea };
    ask(&mut h.village, h.alice, delete.clone());
    assert_eq!(h.stored().text, None);
    h.village.pass(A_MINUTE).unwrap();
    let mut had = 0;
    for (home, _, alice) in h.guests.clone() {
        let heard = read(&mut h.village, home, alice);
        assert!(heard.iter().all(|message| message.deleted));
        had += heard.len();
    }
    assert_eq!(had, 6 - before);
    let unsaid = (None, Some(Missed::TakenBack));
    let states = h.states(tea);
    assert_eq!(
        states.iter().filter(|state| **state == unsaid).count(),
        before
    );
    assert_eq!(h.refusal(delete), Refusal::Deleted);
    assert_eq!(h.refusal(edit(tea, "cake")), Refusal::Deleted);
}

#[test]
fn who_was_not_told_that_it_was_taken_back_is_told_when_it_is_done_again() {
    let mut h = hostess(7_515, 2);
    let tea = h.post("tea");
    h.village.pass(A_MINUTE).unwrap();
    let (_, blocked, _) = h.guests[0];
    h.block(blocked, true);
    let delete = Command::Delete { message: tea };
    ask(&mut h.village, h.alice, delete.clone());
    let waits = |place: &Whereabouts| place.copies.iter().all(|copy| copy.waits);
    let place = h.place(tea);
    assert!(waits(&place));
    assert_eq!(place.state, MessageState::Queued);
    h.village.pass(A_MINUTE).unwrap();
    let known = |place: Whereabouts| place.copies.into_iter().map(|copy| copy.taken_back);
    assert_eq!(known(h.place(tea)).collect::<Vec<_>>(), [false, true]);
    assert_eq!(h.states(tea)[0].1, Some(Missed::Blocked));
    assert_eq!(h.heard(), [["tea"], [""]]);
    h.block(blocked, false);
    ask(&mut h.village, h.alice, delete.clone());
    assert_eq!(h.lists()[0].posts[0].waiting, 1);
    h.village.pass(A_MINUTE).unwrap();
    assert_eq!(h.heard(), [[""], [""]]);
    assert_eq!(known(h.place(tea)).collect::<Vec<_>>(), [true, true]);
    assert_eq!(h.refusal(delete), Refusal::Deleted);
}

#[test]
fn who_alone_is_to_be_off_the_record_is_named_at_once() {
    let mut h = hostess(7_516, 2);
    let (_, contact, _) = h.guests[0];
    let mode = Mode::Otr;
    ask(&mut h.village, h.alice, Command::SetMode { contact, mode });
    let view = posted(ask(&mut h.village, h.alice, post(h.list, "tea")));
    assert_eq!(view.missed, [(contact, Missed::OffRecord)]);
}

#[test]
fn nothing_names_who_was_on_a_deleted_list_after_a_backup_was_put_back() {
    let mut h = hostess(7_517, 1);
    h.post("tea");
    let list = h.list;
    ask(
        &mut h.village,
        h.alice,
        Command::List(ListCommand::Delete { list }),
    );
    let backup = h.village.storage(h.alice).unwrap().clone();
    assert_eq!(ListPostRecord::all(&backup).unwrap().len(), 1);
    h.village.restore(h.alice, backup).unwrap();
    let storage = h.village.storage(h.alice).unwrap();
    assert!(ListPostRecord::all(storage).unwrap().is_empty());
}

#[test]
fn a_copy_that_was_taken_back_alone_stays_so() {
    let mut h = hostess(7_506, 2);
    let tea = h.post("tea");
    h.village.pass(A_MINUTE).unwrap();
    let (_, contact, _) = h.guests[0];
    let message = read(&mut h.village, h.alice, contact).remove(0).id;
    ask(&mut h.village, h.alice, Command::Delete { message });
    ask(&mut h.village, h.alice, edit(tea, "cake"));
    h.village.pass(A_MINUTE).unwrap();
    assert_eq!(h.heard(), [[""], ["cake"]]);
    let missed: Vec<_> = h.states(tea).iter().map(|copy| copy.1).collect();
    assert_eq!(missed, [Some(Missed::Gone), None]);
}

#[test]
fn what_is_said_off_the_record_there_is_said_so() {
    let mut h = hostess(7_507, 2);
    let (home, contact, alice) = h.guests[0];
    let mode = Mode::Otr;
    ask(&mut h.village, h.alice, Command::SetMode { contact, mode });
    let contact = alice;
    ask(&mut h.village, home, Command::SetMode { contact, mode });
    h.village.pass(A_MINUTE).unwrap();
    h.post("tea");
    h.village.pass(A_MINUTE).unwrap();
    let off = h.guests.clone().into_iter().map(|(home, _, alice)| {
        let said = read(&mut h.village, home, alice);
        let text = said.iter().find(|message| message.text == "tea");
        text.unwrap().off_record
    });
    assert_eq!(off.collect::<Vec<_>>(), [true, false]);
}

#[test]
fn a_list_has_a_name_and_contacts_and_is_bounded() {
    let mut h = hostess(7_508, 1);
    let (_, contact, _) = h.guests[0];
    assert_eq!(h.refusal(new("two\nlines")), Refusal::BadName);
    assert_eq!(h.refusal(post(ListId(999), "tea")), Refusal::NoList);
    assert_eq!(h.refusal(add(h.list, ContactId(999))), Refusal::NoContact);
    assert_eq!(h.refusal(add(h.list, contact)), Refusal::OnListAlready);
    assert_eq!(h.refusal(post(h.list, " ")), Refusal::EmptyText);
    // Of equal names each is another list.
    let other = list(ask(&mut h.village, h.alice, new("friends"))).list;
    assert_ne!(other, h.list);
    assert_eq!(h.refusal(post(other, "tea")), Refusal::NobodyOnList);
    let off = |list| Command::List(ListCommand::Remove { list, contact });
    assert_eq!(h.refusal(off(other)), Refusal::NotOnList);
    assert!(
        list(ask(&mut h.village, h.alice, off(h.list)))
            .contacts
            .is_empty()
    );
    for _ in 2..MOST_LISTS {
        ask(&mut h.village, h.alice, new("more"));
    }
    let most = MOST_LISTS;
    assert_eq!(h.refusal(new("more")), Refusal::TooManyLists { most });
    let storage = h.village.storage(h.alice).unwrap();
    let mut lists = ListsRecord::of(storage, ()).unwrap().unwrap();
    let strangers = (0..MOST_LISTED).map(|number| ContactId(1_000 + number as u64));
    lists.lists[0].contacts = strangers.collect();
    lists.put(storage, ()).unwrap();
    h.village.open_again(h.alice).unwrap();
    let most = MOST_LISTED;
    assert_eq!(h.refusal(add(h.list, contact)), Refusal::ListFull { most });
}

#[test]
fn of_many_posts_the_oldest_is_forgotten_that_is_said() {
    let mut h = hostess(7_509, 1);
    let (_, contact, _) = h.guests[0];
    h.village.set_asleep(h.alice, true);
    let storage = h.village.storage(h.alice).unwrap();
    for number in 10_000..10_000 + MOST_POSTS as u64 {
        let told = u32::from(number == 10_001);
        let record = ListPostRecord {
            number,
            id: [1; 32],
            list: h.list,
            at: hushwing_sansio::Timestamp::default(),
            revision: 1,
            text: Some("tea".to_owned()),
            taken_back: false,
            copies: vec![CopyRecord {
                contact,
                message: None,
                told,
                missed: None,
            }],
        };
        record.put(storage, number).unwrap();
    }
    h.village.open_again(h.alice).unwrap();
    ask(&mut h.village, h.alice, post(h.list, "cake"));
    let storage = h.village.storage(h.alice).unwrap();
    assert_eq!(ListPostRecord::of(storage, 10_001).unwrap(), None);
    assert!(ListPostRecord::of(storage, 10_000).unwrap().is_some());
    let most = MOST_POSTS;
    assert_eq!(
        h.refusal(post(h.list, "pie")),
        Refusal::TooManyPosts { most }
    );
}

#[test]
fn who_is_forgotten_is_on_no_list() {
    let mut h = hostess(7_510, 2);
    let tea = h.post("tea");
    let (_, contact, _) = h.guests[0];
    ask(&mut h.village, h.alice, Command::Forget { contact });
    assert_eq!(h.lists()[0].contacts, [h.guests[1].1]);
    h.village.pass(A_MINUTE).unwrap();
    assert_eq!(h.heard(), [vec![], vec!["tea".to_owned()]]);
    assert_eq!(h.place(tea).copies.len(), 1);
    let (_, contact, _) = h.guests[1];
    ask(&mut h.village, h.alice, Command::Forget { contact });
    assert!(h.lists()[0].posts.is_empty());
    assert_eq!(
        h.refusal(Command::Where { message: tea }),
        Refusal::NoMessage
    );
}

#[test]
fn what_was_posted_to_a_list_is_said_though_it_is_deleted() {
    let mut h = hostess(7_511, 2);
    let tea = h.post("tea");
    let list = h.list;
    ask(
        &mut h.village,
        h.alice,
        Command::List(ListCommand::Delete { list }),
    );
    assert!(h.lists().is_empty());
    assert_eq!(h.place(tea).copies.len(), 2);
    h.village.pass(A_MINUTE).unwrap();
    assert_eq!(h.heard(), [["tea"], ["tea"]]);
    // Nothing names who was on it any more.
    assert_eq!(
        h.refusal(Command::Where { message: tea }),
        Refusal::NoMessage
    );
    let storage = h.village.storage(h.alice).unwrap();
    let lists = ListsRecord::of(storage, ()).unwrap().unwrap();
    assert_eq!(lists, ListsRecord::default());
    assert!(ListPostRecord::all(storage).unwrap().is_empty());
}

#[test]
fn a_backup_holds_lists_and_says_nothing_that_was_perhaps_said() {
    let mut h = hostess(7_512, 2);
    let tea = h.post("tea");
    let backup = h.village.storage(h.alice).unwrap().clone();
    h.village.pass(A_MINUTE).unwrap();
    h.village.restore(h.alice, backup).unwrap();
    h.village.pass(A_MINUTE * 60).unwrap();
    assert_eq!(h.heard(), [["tea"], ["tea"]]);
    assert_eq!(h.lists()[0].contacts.len(), 2);
    let dropped = (None, Some(Missed::PutBack));
    assert_eq!(h.states(tea), [dropped, dropped]);
    assert_eq!(h.stored().text, None);
    for change in [Command::Delete { message: tea }, edit(tea, "pie")] {
        assert_eq!(h.refusal(change), Refusal::NobodyWasTold);
    }
    h.post("cake");
    h.village.pass(A_MINUTE).unwrap();
    assert_eq!(h.heard(), [["tea", "cake"], ["tea", "cake"]]);
}

#[test]
fn what_cannot_be_read_of_lists_stops_nothing_else() {
    let mut h = hostess(7_513, 1);
    let (home, contact, alice) = h.guests[0];
    h.post("tea");
    let storage = h.village.storage(h.alice).unwrap();
    let number = ListPostRecord::all(storage).unwrap()[0].0;
    let setting = format!("post to a list {number}");
    storage.put_setting(&setting, b"?").unwrap();
    h.village.open_again(h.alice).unwrap();
    assert!(h.lists()[0].posts.is_empty());
    let storage = h.village.storage(h.alice).unwrap();
    assert_eq!(storage.setting(&setting).unwrap(), None);
    storage.put_setting("lists", b"?").unwrap();
    h.village.open_again(h.alice).unwrap();
    assert!(h.lists().is_empty());
    send(&mut h.village, h.alice, contact, "still here");
    h.village.pass(A_MINUTE).unwrap();
    assert_eq!(texts(&mut h.village, home, alice), ["still here"]);
}

/// A post that is edited when some have it, with a crash at some call. Gives how often
/// Alice was called.
fn posted_with_a_crash(at: u64, crash: Crash) -> u64 {
    let mut h = hostess(7_514, 2);
    let start = h.village.calls(h.alice);
    h.village.crash_in(h.alice, at, crash);
    let view = posted(ask(&mut h.village, h.alice, post(h.list, "tea")));
    let posts = h.lists()[0].posts.len();
    let tea = *view.id.id();
    h.village.pass(Duration::from_secs(6)).unwrap();
    ask(&mut h.village, h.alice, edit(tea, "cake"));
    h.village.pass(A_MINUTE).unwrap();
    // What was asked and not answered may be asked again, and is done again.
    let heard = match posts {
        1 => vec!["cake"],
        _ => vec!["tea", "cake"],
    };
    for mut each in h.heard() {
        each.sort_by_key(|text| text != "tea");
        assert_eq!(each, heard, "{at} {crash:?}");
    }
    let delivered = (Some(MessageState::Delivered), None);
    assert_eq!(h.states(tea), [delivered, delivered], "{at} {crash:?}");
    assert!(!h.village.will_crash(h.alice) || at == u64::MAX);
    h.village.calls(h.alice) - start
}

#[test]
fn a_crash_at_any_step_loses_no_copy_and_says_none_twice() {
    let calls = posted_with_a_crash(u64::MAX, Crash::BeforeCommit);
    for at in 1..=calls {
        for crash in [Crash::BeforeCommit, Crash::AfterCommit] {
            posted_with_a_crash(at, crash);
        }
    }
}

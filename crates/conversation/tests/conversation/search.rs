//! Finding what was said: never what reading would not show.

use std::time::Duration;

use hushwing_conversation::storage::SaidRows as _;
use hushwing_conversation::view::MessageView;
use hushwing_conversation::village::{Home, Village};
use hushwing_conversation::{
    Change, Command, ContactId, ConversationId, MessageId, Refusal, Reply, Storage as _,
};
use proptest::prelude::*;

use crate::support::*;

fn search(
    village: &mut Village,
    home: Home,
    text: &str,
    within: Option<ConversationId>,
) -> Vec<MessageView> {
    let command = Command::Search {
        text: text.to_owned(),
        within,
        most: 50,
    };
    match ask(village, home, command) {
        Reply::Messages(views) => views,
        other => panic!("{other:?}"),
    }
}

fn found(village: &mut Village, home: Home, text: &str) -> Vec<String> {
    let views = search(village, home, text, None).into_iter();
    views.map(|view| view.text).collect()
}

#[test]
fn both_sides_find_what_was_said_until_it_says_something_else() {
    let mut c = couple(720);
    let id = send(&mut c.village, c.alice, c.her_bob, "Meet at the Harbour");
    send(&mut c.village, c.alice, c.her_bob, "我们去喝茶");
    c.village.pass(DELAY).unwrap();
    for home in [c.alice, c.bob] {
        assert_eq!(
            found(&mut c.village, home, "harb meet"),
            ["Meet at the Harbour"]
        );
        assert_eq!(found(&mut c.village, home, "喝茶"), ["我们去喝茶"]);
    }
    let edit = Command::Edit {
        message: id,
        text: "Meet at the station".to_owned(),
    };
    ask(&mut c.village, c.alice, edit);
    c.village.pass(DELAY).unwrap();
    for home in [c.alice, c.bob] {
        assert!(found(&mut c.village, home, "harbour").is_empty());
        assert_eq!(
            found(&mut c.village, home, "station"),
            ["Meet at the station"]
        );
        c.village.open_again(home).unwrap();
    }
    ask(&mut c.village, c.alice, Command::Delete { message: id });
    c.village.pass(DELAY).unwrap();
    for home in [c.alice, c.bob] {
        assert!(found(&mut c.village, home, "station").is_empty());
    }
}

#[test]
fn searching_marks_nothing_read_and_keeps_to_a_conversation() {
    let mut c = couple(721);
    let carol = c.village.move_in("Carol", DELAY).unwrap();
    let link = invite(&mut c.village, c.alice, false).link;
    let her_carol = join(&mut c.village, carol, &link).contact;
    c.village.pass(DELAY).unwrap();
    send(&mut c.village, carol, her_carol, "tea with Carol");
    send(&mut c.village, c.bob, c.his_alice, "tea with Bob");
    c.village.pass(DELAY).unwrap();
    let with_bob = conversation(&mut c.village, c.alice, c.her_bob);
    let views = search(&mut c.village, c.alice, "tea", Some(with_bob));
    assert_eq!(views.len(), 1);
    assert_eq!(views[0].text, "tea with Bob");
    assert_eq!(search(&mut c.village, c.alice, "tea", None).len(), 2);
    assert_eq!(kept(&mut c.village, c.alice, c.her_bob).unread, 1);
}

#[test]
fn nothing_to_look_for_is_refused() {
    let mut c = couple(722);
    for text in ["", "  ", "*", "\"()"] {
        let command = Command::Search {
            text: text.to_owned(),
            within: None,
            most: 5,
        };
        assert_eq!(
            refusal(&mut c.village, c.alice, command),
            Refusal::EmptyQuery
        );
    }
}

#[test]
fn strangers_are_found_once_they_were_accepted() {
    let mut w = waiting(723);
    send(&mut w.village, w.bob, w.his_alice, "let me in please");
    w.village.pass(DELAY).unwrap();
    assert!(found(&mut w.village, w.alice, "please").is_empty());
    ask(
        &mut w.village,
        w.alice,
        Command::Accept { contact: w.her_bob },
    );
    assert_eq!(
        found(&mut w.village, w.alice, "please"),
        ["let me in please"]
    );
}

#[test]
fn what_was_said_before_there_was_an_index_comes_into_it() {
    let mut c = couple(724);
    let ids: Vec<_> = (0..300)
        .map(|n| send(&mut c.village, c.alice, c.her_bob, &format!("number n{n}")))
        .collect();
    ask(&mut c.village, c.alice, Command::Delete { message: ids[7] });
    c.village.pass(DELAY).unwrap();
    let storage = c.village.storage(c.alice).unwrap();
    for id in &ids {
        storage.index_text(id, None).unwrap();
    }
    storage
        .remove_setting("texts indexed up to contact")
        .unwrap();
    assert!(found(&mut c.village, c.alice, "n299").is_empty());
    // Interrupted once.
    c.village.open_again(c.alice).unwrap();
    contacts(&mut c.village, c.alice);
    c.village.open_again(c.alice).unwrap();
    c.village.pass(Duration::from_secs(5)).unwrap();
    contacts(&mut c.village, c.alice);
    c.village.pass(Duration::from_secs(5)).unwrap();
    for n in [0, 150, 299] {
        assert_eq!(
            found(&mut c.village, c.alice, &format!("n{n}")).len(),
            1,
            "{n}"
        );
    }
    assert!(
        found(&mut c.village, c.alice, "n7 number")
            .iter()
            .all(|text| text != "number n7")
    );
}

#[test]
fn a_damaged_message_hides_no_older_one_from_a_search() {
    let mut c = couple(725);
    let ids: Vec<_> = (0..200)
        .map(|n| send(&mut c.village, c.alice, c.her_bob, &format!("number n{n}")))
        .collect();
    c.village.pass(DELAY).unwrap();
    let storage = c.village.storage(c.alice).unwrap();
    for id in &ids {
        storage.index_text(id, None).unwrap();
    }
    storage.spoil_message(&ids[150]);
    let indexed = "texts indexed up to contact";
    storage.remove_setting(indexed).unwrap();
    c.village.open_again(c.alice).unwrap();
    c.village.pass(Duration::from_secs(5)).unwrap();
    for n in [0, 149, 151, 199] {
        let found = found(&mut c.village, c.alice, &format!("n{n}"));
        assert_eq!(found.len(), 1, "{n}");
    }
}

#[test]
fn a_reaction_writes_no_text_into_the_index() {
    let mut c = couple(726);
    let message = send(&mut c.village, c.alice, c.her_bob, "a long harbour");
    c.village.pass(DELAY).unwrap();
    let homes = [c.alice, c.bob];
    for home in homes {
        // Whoever writes it anew is found out.
        let storage = c.village.storage(home).unwrap();
        storage.index_text(&message, None).unwrap();
    }
    for mark in ["+", "-", ""] {
        let mark = mark.to_owned();
        ask(&mut c.village, c.bob, Command::React { message, mark });
        c.village.pass(DELAY).unwrap();
    }
    for home in homes {
        assert!(found(&mut c.village, home, "harbour").is_empty());
    }
    let text = "a short harbour".to_owned();
    ask(&mut c.village, c.alice, Command::Edit { message, text });
    c.village.pass(DELAY).unwrap();
    for home in homes {
        assert_eq!(found(&mut c.village, home, "harbour").len(), 1);
    }
}

#[derive(Clone, Debug)]
enum Deed {
    Say(bool, u8),
    Edit(u8, u8),
    Delete(u8),
    Read(bool),
    Disappear(u16),
    Block(bool),
    Pass(u16),
    Again(bool),
}

fn deed() -> impl Strategy<Value = Deed> {
    prop_oneof![
        6 => (any::<bool>(), 0..8_u8).prop_map(|(who, word)| Deed::Say(who, word)),
        3 => (any::<u8>(), 0..8_u8).prop_map(|(which, word)| Deed::Edit(which, word)),
        2 => any::<u8>().prop_map(Deed::Delete),
        2 => any::<bool>().prop_map(Deed::Read),
        1 => (0..400_u16).prop_map(Deed::Disappear),
        1 => any::<bool>().prop_map(Deed::Block),
        4 => (1..900_u16).prop_map(Deed::Pass),
        1 => any::<bool>().prop_map(Deed::Again),
    ]
}

const WORDS: [&str; 8] = ["harbour", "harp", "tea", "茶", "喝茶", "a", "NOT", "café"];

fn shown(village: &mut Village, home: Home, contact: ContactId) -> Vec<(MessageId, String)> {
    let views = read(village, home, contact).into_iter();
    let shown = views.filter(|view| !view.deleted);
    shown.map(|view| (view.id, view.text)).collect()
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, max_shrink_iters: 20, ..ProptestConfig::default() })]
    #[test]
    fn a_search_never_finds_what_reading_does_not_show(
        deeds in prop::collection::vec(deed(), 20..60),
        seed in 730..760_u64,
    ) {
        let mut c = couple(seed);
        let people = [(c.alice, c.her_bob), (c.bob, c.his_alice)];
        let mut said: Vec<(Home, MessageId)> = Vec::new();
        for deed in &deeds {
            // What is refused (blocked, deleted) is no matter here.
            match *deed {
                Deed::Say(who, word) => {
                    let (home, contact) = people[usize::from(who)];
                    let text = format!("{} {}", WORDS[usize::from(word)], said.len());
                    let command = Command::Send { contact, text, reply_to: None };
                    if let Some(Ok(reply)) = c.village.ask(home, command).unwrap() {
                        said.push((home, sent(reply)));
                    }
                }
                Deed::Edit(which, word) if !said.is_empty() => {
                    let (home, message) = said[usize::from(which) % said.len()];
                    let text = format!("{} again", WORDS[usize::from(word)]);
                    let _ = c.village.ask(home, Command::Edit { message, text }).unwrap();
                }
                Deed::Delete(which) if !said.is_empty() => {
                    let (home, message) = said[usize::from(which) % said.len()];
                    let _ = c.village.ask(home, Command::Delete { message }).unwrap();
                }
                Deed::Edit(..) | Deed::Delete(_) => {}
                Deed::Read(who) => {
                    let (home, contact) = people[usize::from(who)];
                    read(&mut c.village, home, contact);
                }
                Deed::Disappear(seconds) => {
                    let conversation = conversation(&mut c.village, c.alice, c.her_bob);
                    let seconds = seconds.into();
                    let command = Command::Disappear { conversation, seconds };
                    let _ = c.village.ask(c.alice, command).unwrap();
                }
                Deed::Block(on) => {
                    let conversation = conversation(&mut c.village, c.bob, c.his_alice);
                    let change = Change::Blocked(on);
                    ask(&mut c.village, c.bob, Command::Keep { conversation, change });
                }
                Deed::Pass(seconds) => c.village.pass(Duration::from_secs(seconds.into())).unwrap(),
                Deed::Again(who) => c.village.open_again(people[usize::from(who)].0).unwrap(),
            }
        }
        for (home, contact) in people {
            c.village.rest().unwrap();
            // Looked for first: reading may begin what ends it.
            let found: Vec<_> = WORDS
                .iter()
                .flat_map(|word| search(&mut c.village, home, word, None))
                .map(|view| (view.id, view.text))
                .collect();
            let shown = shown(&mut c.village, home, contact);
            for one in &found {
                prop_assert!(shown.contains(one), "{:?}", one.1);
            }
            // And it finds all that has the word.
            let tea = shown.iter().filter(|(_, text)| text.split(' ').any(|word| word == "tea"));
            for one in tea {
                prop_assert!(found.contains(one), "{:?}", one.1);
            }
        }
    }
}

//! New mailboxes and keys of a conversation on several devices because somebody asks for them.

use hushwing_conversation::branches::Wish;
use hushwing_conversation::storage::{
    MailRecord, MailboxUse, MemberRecord, MemoryStorage, PairsRecord, RoomRows as _,
};
use hushwing_conversation::village::Home;
use hushwing_conversation::{
    Command, ContactId, ConversationId, NewKeys, NewMailboxes, RoomStanding, Standing, Storage as _,
};
use hushwing_delivery::Address;

use crate::devices::device;
use crate::devices_pairs::Two;
use crate::devices_pairs_stolen::obey_nobody;
use crate::rooms_rotation::rotation;
use crate::rooms_shadow::Shadow;
use crate::support::*;

fn rotate(t: &mut Two, home: Home) -> (NewMailboxes, NewKeys) {
    let contact = t.only(home).contact;
    rotation(ask(&mut t.village, home, Command::Rotate { contact }))
}

/// What somebody's device says next in a pair is sealed with.
fn epoch_of_pair(t: &mut Two, home: Home, text: &str) -> u64 {
    let message = t.say(home, text);
    t.pass(60);
    let storage = t.village.storage(home).unwrap();
    storage.message(&message).unwrap().unwrap().sealed_epoch
}

#[test]
fn a_conversation_on_several_devices_has_new_mailboxes_and_keys_on_each_that_asks() {
    let mut t = Two::new(7_106);
    let (alice, bob) = (t.alice, t.bob);
    let laptop = t.link(alice, ("phone", "laptop"));
    let mut last = epoch_of_pair(&mut t, alice, "first");
    // The laptop does not have the contact itself.
    for (home, count) in [(alice, 2), (bob, 2), (laptop, 1)] {
        let (mailboxes, keys) = rotate(&mut t, home);
        assert_eq!(mailboxes, NewMailboxes::Begun(count), "{home:?}");
        assert_eq!(keys, NewKeys::Soon, "{home:?}");
        t.pass(60);
        let epoch = epoch_of_pair(&mut t, home, &format!("{home:?}"));
        assert!(epoch > last, "{home:?}");
        last = epoch;
    }
    for home in [alice, laptop, bob] {
        assert_eq!(t.read(home).len(), 4, "{home:?}");
    }
}

#[test]
fn who_has_just_renewed_keys_in_a_pair_waits_for_the_other_side_and_no_longer() {
    let mut t = Two::new(7_111);
    let (alice, bob) = (t.alice, t.bob);
    t.link(alice, ("phone", "laptop"));
    let mut last = epoch_of_pair(&mut t, bob, "first");
    for round in 0..3 {
        let (_, keys) = rotate(&mut t, bob);
        assert_ne!(keys, NewKeys::AfterOthers, "nobody is a steward there");
        t.pass(60);
        let epoch = epoch_of_pair(&mut t, bob, &format!("{round}"));
        assert_eq!(epoch > last, keys == NewKeys::Soon, "{round}");
        last = epoch;
    }
    assert_eq!(rotate(&mut t, bob).1, NewKeys::InTurn);
    assert_eq!(rotate(&mut t, alice).1, NewKeys::Soon);
    t.pass(1_800);
    assert!(epoch_of_pair(&mut t, bob, "both") > last + 1);
}

/// Mailboxes of somebody for the conversation itself, its epoch's age, and whether new keys
/// are asked for in it.
fn old_conversation(t: &mut Two, home: Home, contact: ContactId) -> (Vec<u64>, u64, bool) {
    let storage = t.village.storage(home).unwrap();
    let records = storage.mailbox_records().unwrap().into_iter();
    let its = records.filter(|record| record.owner == MailboxUse::Conversation(contact));
    let numbers = its.map(|record| record.id).collect();
    let contacts = storage.contacts().unwrap().into_iter();
    let mut its = contacts.filter(|record| record.id == contact);
    let since = its.next().unwrap().epoch_since.as_millis();
    let wanted = MailRecord::of(storage, contact).unwrap().new_keys;
    (numbers, since, wanted)
}

/// Those in the pair that rows know.
fn in_pair(rows: &MemoryStorage) -> (ConversationId, Vec<MemberRecord>) {
    let group = PairsRecord::read(rows).unwrap().pairs[0].group;
    let mut rooms = rows.rooms().unwrap().into_iter().map(Result::unwrap);
    let room = rooms.find(|room| room.conversation == group).unwrap();
    (group, rows.members(room.id).unwrap())
}

/// The telephone as it was stolen throws out the laptop, which wins against what that did.
fn take_back(t: &mut Two, stolen: MemoryStorage, laptop: Home) {
    let (group, then) = in_pair(&stolen);
    let (_, now) = in_pair(t.village.storage(laptop).unwrap());
    let mut phone = Shadow::in_rows(stolen, group);
    let (me, account) = (phone.keeper.signature_key(), phone.keeper.account().clone());
    let hers = |one: &&MemberRecord| one.account == account.as_bytes();
    let laptop = then.iter().filter(hers).find(|one| one.key != me).unwrap();
    let bob = now.iter().find(|one| !hers(one)).unwrap();
    let to = Address::decode(bob.addresses[0].expose()).unwrap();
    let commit = phone
        .commit(Wish::RemoveLeaf(laptop.key.clone()))
        .0
        .unwrap();
    phone.post_in(&mut t.village, to, 6, &[&me, &commit]);
    t.pass(120);
}

/// Alice's laptop throws out the telephone that the conversation was begun with.
fn cut(t: &mut Two, laptop: Home) {
    let device = device(&mut t.village, laptop, "phone");
    ask(&mut t.village, laptop, Command::RevokeDevice { device });
    t.pass(300);
}

#[test]
fn where_a_device_was_thrown_out_the_conversation_begun_with_it_is_left_alone() {
    let mut t = Two::new(7_107);
    let (alice, bob, contact) = (t.alice, t.bob, t.his_alice);
    // After that the turn is Bob's.
    assert_eq!(rotate(&mut t, alice).1, NewKeys::Renewed);
    t.pass(60);
    t.say(bob, "with keys that will be a day old");
    let laptop = t.link(alice, ("phone", "laptop"));
    t.say(bob, "to both");
    t.pass(60);
    let stolen = t.village.storage(alice).unwrap().clone();
    t.village.set_offline(alice, true);
    cut(&mut t, laptop);
    let before = old_conversation(&mut t, bob, contact);
    // Mailboxes that the telephone knows were replaced by themselves.
    assert_eq!(rotate(&mut t, bob).0, NewMailboxes::Fresh);
    t.pass(30 * 3_600);
    assert_eq!(
        old_conversation(&mut t, bob, contact),
        before,
        "by themselves"
    );
    let said = epoch_of_pair(&mut t, bob, "to the laptop");
    assert_eq!(rotate(&mut t, bob).0, NewMailboxes::Begun(1));
    t.pass(3_600);
    assert_eq!(old_conversation(&mut t, bob, contact), before);
    assert!(epoch_of_pair(&mut t, bob, "new keys") > said);
    // The telephone wins after all, and both understand each other where it was begun.
    obey_nobody(&mut t, alice);
    t.village.set_offline(alice, false);
    take_back(&mut t, stolen, laptop);
    for home in [bob, alice] {
        assert!(rotate(&mut t, home).0.count() > 0, "not of the pair alone");
        t.pass(600);
    }
    let after = old_conversation(&mut t, bob, contact);
    assert!(before.1 < after.1 && !after.2, "{before:?} {after:?}");
}

#[test]
fn damage_of_the_pair_alone_ends_no_conversation() {
    let mut t = Two::new(7_114);
    let (alice, bob) = (t.alice, t.bob);
    t.link(alice, ("phone", "laptop"));
    let storage = t.village.storage(bob).unwrap();
    let (group, _) = in_pair(storage);
    let mut rooms = storage.rooms().unwrap().into_iter().map(Result::unwrap);
    let pair = rooms.find(|room| room.conversation == group).unwrap().id;
    let keys = format!("new keys in room {}", pair.0);
    storage.put_setting(&keys, b"damaged").unwrap();
    assert_eq!(rotate(&mut t, bob).0, NewMailboxes::Begun(1));
    assert_eq!(t.only(bob).standing, Standing::Established);
    let storage = t.village.storage(bob).unwrap();
    let mut rooms = storage.rooms().unwrap().into_iter().map(Result::unwrap);
    let pair = rooms.find(|room| room.id == pair).unwrap();
    assert_eq!(pair.standing, RoomStanding::Broken);
}

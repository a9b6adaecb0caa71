//! Devices of one account, and who reads the link, carries the letters or stole one.

use ed25519_dalek::{Signer as _, SigningKey};
use hushwing_conversation::branches::{AccountId, Crypto, Lent, MemberPackage, OwnPackage};
use hushwing_conversation::content::{
    Content, DeviceAnswer, DeviceCall, Entry, RoomStep, RoomWord,
};
use hushwing_conversation::link::DeviceLink;
use hushwing_conversation::storage::{
    CalledRecord, DevicesRecord, MemoryStorage, RoomRecord, RoomRows as _, Storage as _,
};
use hushwing_conversation::village::{Home, Village};
use hushwing_conversation::{Command, ConversationId, DropReason, Event, Refusal, Secret};
use hushwing_delivery::{Address, Locator, NetworkTag, SealKey, Storage as _};
use hushwing_sansio::{Context, Moment, Timestamp};

use crate::devices::*;
use crate::hostile::Mallory;
use crate::rooms_shadow::{Shadow, post};
use crate::support::*;

#[test]
fn who_reads_the_link_alone_gets_nothing() {
    let (mut v, desk, phone) = two(4_002);
    let mallory = v.move_in("Mallory", DELAY).unwrap();
    let link = shown(&mut v, phone, "phone");
    // Mallory is quicker.
    ask(&mut v, mallory, call(&link, "desk"));
    pass(&mut v, 10);
    ask(&mut v, desk, call(&link, "desk"));
    pass(&mut v, 60);
    // The telephone shows a code, and Alice's desk none: it was not answered.
    assert!(devices(&mut v, phone).code.is_some());
    let view = devices(&mut v, desk);
    assert_eq!((view.code, view.newcomer), (None, None));
    let code = devices(&mut v, phone).code.unwrap();
    let confirm = Command::ConfirmDevice { code, days: None };
    assert_eq!(refusal(&mut v, desk, confirm), Refusal::NoNewDevice);
    assert_eq!(devices(&mut v, desk).devices.len(), 1);
    // She begins anew, and the telephone is hers.
    self::link(&mut v, (desk, "desk"), (phone, "phone"));
    assert_eq!(names(&mut v, desk), ["desk true true", "phone false true"]);
    assert_eq!(devices(&mut v, mallory).devices.len(), 1);
}

/// Where a device takes letters of its like, and in which room.
fn place(v: &mut Village, home: Home) -> (RoomRecord, Address) {
    let storage = v.storage(home).unwrap();
    let room = storage.rooms().unwrap().remove(0).unwrap();
    let mailboxes = storage.mailbox_records().unwrap();
    let mailbox = mailboxes.iter().find(|one| Some(one.id) == room.mailbox);
    let mailbox = mailbox.expect("a mailbox");
    let to = Address {
        network: NetworkTag(mailbox.network),
        locator: Locator(mailbox.locator.as_ref().unwrap().expose().to_vec()),
        seal: SealKey::Shared(mailbox.shared.expose().try_into().unwrap()),
    };
    (room, to)
}

/// Posts a word between devices.
fn post_word(
    v: &mut Village,
    mallory: &mut Mallory,
    to: Address,
    (word, signature): (&[u8], &[u8]),
) {
    let mut letter = vec![1, 9];
    for item in [word, signature] {
        letter.extend(u32::try_from(item.len()).unwrap().to_be_bytes());
        letter.extend(item);
    }
    mallory.post(v, to, letter);
    pass(v, 10);
}

/// Says a word to where a device takes letters of its like.
fn answer(
    v: &mut Village,
    mallory: &mut Mallory,
    home: Home,
    (account, key): (u8, Option<[u8; 32]>),
) {
    let (room, to) = place(v, home);
    let mut whose = room.account.clone();
    whose[0] ^= account;
    let (mut rows, mut chance) = (MemoryStorage::new(), Seeded(66));
    let mut cx = Context::new(Moment::default(), Timestamp::default(), &mut chance);
    let mut lent = Lent {
        crypto: &Crypto::default(),
        cx: &mut cx,
        rows: &mut rows,
    };
    let package = OwnPackage::make(&mut lent, &AccountId::try_from(whose).unwrap()).unwrap();
    let checked = MemberPackage::check(&Crypto::default(), &package.message).unwrap();
    let own: [u8; 32] = checked.signature_key().try_into().unwrap();
    let word = RoomWord {
        room: room.conversation,
        step: RoomStep::Called(DeviceAnswer {
            package: package.message,
            entry: Entry {
                key: key.unwrap_or(own),
                name: "phone".to_owned(),
                revision: 1,
                addresses: vec![to.encode()],
            },
            profile: "Alice".to_owned(),
            before: None,
        }),
    }
    .encode();
    post_word(v, mallory, to, (&word, &[0; 64]));
}

/// What a device stores of links.
pub(crate) fn record(v: &mut Village, home: Home) -> DevicesRecord {
    let body = v.storage(home).unwrap().setting("devices").unwrap();
    DevicesRecord::decode(&body.unwrap()).unwrap()
}

#[test]
fn an_answer_to_another_call_is_none() {
    let (mut v, desk, phone) = two(4_014);
    let first = shown(&mut v, phone, "phone");
    ask(&mut v, desk, call(&first, "desk"));
    pass(&mut v, 700);
    pass(&mut v, 3_600);
    let link = shown(&mut v, phone, "phone");
    let key = *DeviceLink::parse(core::str::from_utf8(link.expose()).unwrap())
        .unwrap()
        .key();
    // Mallory reads the link and carries the letters: the telephone hears a call that names
    // the account and the room of the desk, but a leaf of Mallory's.
    let (room, to) = place(&mut v, desk);
    let (_, new) = place(&mut v, phone);
    let call = |key| RoomWord {
        room: room.conversation,
        step: RoomStep::Call(DeviceCall {
            account: AccountId::try_from(room.account.clone()).unwrap(),
            entry: Entry {
                key,
                name: "desk".to_owned(),
                revision: 1,
                addresses: vec![to.encode()],
            },
            profile: "Alice".to_owned(),
        }),
    };
    let mut mallory = Mallory::new();
    post_word(&mut v, &mut mallory, new, (&call([7; 32]).encode(), &[]));
    let talk = record(&mut v, phone).shown.unwrap().talked.expect("a talk");
    let told = RoomWord::decode(talk.answer.expose()).unwrap();
    let shown = record(&mut v, phone).shown.unwrap();
    let signed = |word: &[u8]| {
        let length = u64::try_from(talk.call.expose().len()).unwrap();
        let label = b"hushwing device answer 1".as_slice();
        let bytes = [label, &length.to_be_bytes(), talk.call.expose(), word].concat();
        let key = SigningKey::from_bytes(&shown.key.array().unwrap());
        key.sign(&bytes).to_bytes()
    };
    // The desk said something else, and hears what was answered to Mallory.
    let mut said = record(&mut v, desk);
    said.called = Some(CalledRecord {
        key,
        address: Secret::new(to.encode()),
        until: Timestamp::from_secs(u64::MAX / 2_000),
        call: Some(Secret::new(call([8; 32]).encode())),
        letter: None,
        answer: None,
    });
    let storage = v.storage(desk).unwrap();
    said.put(storage).unwrap();
    v.open_again(desk).unwrap();
    let word = (talk.answer.expose(), &signed(talk.answer.expose())[..]);
    post_word(&mut v, &mut mallory, to.clone(), word);
    let view = devices(&mut v, desk);
    assert_eq!((view.code, view.newcomer), (None, None), "taken as it was");
    let mut bent = told.clone();
    if let RoomStep::Called(said) = &mut bent.step {
        said.entry.revision += 1;
    }
    post_word(&mut v, &mut mallory, to.clone(), (&bent.encode(), &[0; 64]));
    let view = devices(&mut v, desk);
    assert_eq!((view.code, view.newcomer), (None, None), "taken bent");
    // The same desk takes what the telephone ties to what it said.
    said.called.as_mut().unwrap().call = Some(talk.call.clone());
    said.put(v.storage(desk).unwrap()).unwrap();
    v.open_again(desk).unwrap();
    let mut elsewhere = told.clone();
    elsewhere.room.0[0] ^= 1;
    let elsewhere = elsewhere.encode();
    let word = (elsewhere.as_slice(), &signed(&elsewhere)[..]);
    post_word(&mut v, &mut mallory, to.clone(), word);
    assert_eq!(devices(&mut v, desk).code, None, "of another room");
    let word = (talk.answer.expose(), &signed(talk.answer.expose())[..]);
    post_word(&mut v, &mut mallory, to, word);
    let (hers, its) = (devices(&mut v, desk), devices(&mut v, phone));
    assert!(hers.code.is_some() && hers.code == its.code);
}

#[test]
fn nothing_is_confirmed_late_or_after_a_backup_was_put_back() {
    let (mut v, desk, phone) = two(4_015);
    let link = shown(&mut v, phone, "phone");
    ask(&mut v, desk, call(&link, "desk"));
    pass(&mut v, 10);
    let code = devices(&mut v, desk).code.expect("a code");
    let confirm = Command::ConfirmDevice { code, days: None };
    let backup = v.storage(desk).unwrap().clone();
    let shows = v.storage(phone).unwrap().clone();
    pass(&mut v, 601);
    assert!(record(&mut v, desk).called.is_some(), "not swept yet");
    assert_eq!(
        refusal(&mut v, desk, confirm.clone()),
        Refusal::NoNewDevice,
        "it was too late"
    );
    v.restore(desk, backup).unwrap();
    assert_eq!(record(&mut v, desk).called, None);
    assert_eq!(refusal(&mut v, desk, confirm), Refusal::NoNewDevice);
    v.restore(phone, shows).unwrap();
    assert_eq!(record(&mut v, phone).shown, None);
}

#[test]
fn an_answer_that_the_key_in_the_link_did_not_sign_is_none() {
    let (mut v, desk, phone) = two(4_011);
    let link = shown(&mut v, phone, "phone");
    let key = *DeviceLink::parse(core::str::from_utf8(link.expose()).unwrap())
        .unwrap()
        .key();
    v.cut_off(phone);
    ask(&mut v, desk, call(&link, "desk"));
    pass(&mut v, 10);
    let mut mallory = Mallory::new();
    for bent in [(0, None), (0, Some(key)), (1, Some(key))] {
        answer(&mut v, &mut mallory, desk, bent);
        let view = devices(&mut v, desk);
        assert_eq!((view.code, view.newcomer), (None, None));
    }
}

#[test]
fn what_a_stolen_device_says_among_devices_is_kept_nowhere() {
    let (mut v, desk, phone) = two(4_013);
    link(&mut v, (desk, "desk"), (phone, "phone"));
    let rows = v.storage(phone).unwrap().clone();
    let room = rows.rooms().unwrap().remove(0).unwrap();
    let to = addresses(&mut v, phone, "desk").remove(0);
    let mut thief = Shadow::in_rows(rows, room.conversation);
    let key = thief.keeper.signature_key();
    let text = thief.say(&Content::Post(post("fill the disk")));
    let mut letter = vec![1, 6];
    for item in [key.as_slice(), &text] {
        letter.extend(u32::try_from(item.len()).unwrap().to_be_bytes());
        letter.extend(item);
    }
    let to = Address::decode(to.expose()).unwrap();
    v.events(desk);
    Mallory::new().post(&mut v, to, letter);
    pass(&mut v, 60);
    let dropped = |event: &Event| matches!(event, Event::Dropped { reason, .. } if *reason == DropReason::Content);
    assert!(v.events(desk).iter().any(dropped), "it came");
    let storage = v.storage(desk).unwrap();
    let place = storage.rooms().unwrap().remove(0).unwrap().id.place();
    assert_eq!(storage.last_position(place).unwrap(), None);
}

/// How many letters a device has not brought to a server yet.
fn waiting(v: &mut Village, home: Home) -> usize {
    v.storage(home).unwrap().letters().unwrap().len()
}

#[test]
fn a_call_and_an_answer_that_nobody_takes_are_called_back() {
    let (mut v, desk, phone) = two(4_043);
    let link = shown(&mut v, phone, "phone");
    // The desk has a mailbox of its own by now.
    ask(&mut v, desk, call(&link, "desk"));
    pass(&mut v, 7_200);
    let link = shown(&mut v, phone, "phone");
    let (room, to) = place(&mut v, phone);
    // Nothing gets to the telephone's mailbox but by Mallory.
    v.cut_off(phone);
    ask(&mut v, desk, call(&link, "desk"));
    let word = RoomWord {
        room: ConversationId([1; 16]),
        step: RoomStep::Call(DeviceCall {
            account: AccountId::try_from(room.account).unwrap(),
            entry: Entry {
                key: [7; 32],
                name: "desk".to_owned(),
                revision: 1,
                addresses: vec![to.encode()],
            },
            profile: "Alice".to_owned(),
        }),
    };
    post_word(&mut v, &mut Mallory::new(), to, (&word.encode(), &[]));
    assert_eq!((waiting(&mut v, desk), waiting(&mut v, phone)), (1, 1));
    pass(&mut v, 7_200);
    assert_eq!((waiting(&mut v, desk), waiting(&mut v, phone)), (0, 1));
    pass(&mut v, 90_000);
    assert_eq!(waiting(&mut v, phone), 0);
}

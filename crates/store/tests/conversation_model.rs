//! Conversation's and MLS's rows against conversation's storage in memory.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

mod records;
mod workshop;

use std::collections::BTreeSet;

use hushwing_conversation::search::{Query, spaced};
use hushwing_conversation::storage::{
    ContactRecord, ConversationRecord, DraftRecord, Extent, HeldHead, HeldRecord, InvitationRecord,
    JoinRecord, KeyPackageRecord, MailboxRecord, MemoryStorage, MessageRecord, MessageState,
    MlsRow, OnTheWay, Outline, Owed, Position,
};
use hushwing_conversation::{ContactId, ConversationId, InvitationId, MessageId, Secret, Storage};
use hushwing_delivery::{MailboxId, RepeatId};
use hushwing_sansio::{StorageErrorKind, Timestamp};
use proptest::prelude::*;
use records::{contact, invitation, join, key_package, mailbox, message, message_id, times};
use workshop::{open_profile, profile_path};

#[derive(Clone, Debug)]
enum Op {
    Number,
    PutSetting(u8, u8),
    RemoveSetting(u8),
    PutRow(u8, u8, u8, Vec<u8>),
    RemoveRow(u8, u8, u8),
    RemoveScope(u8),
    PutInvitation(u8, u8),
    RemoveInvitation(u8),
    PutKeyPackage(u8, u8, u8),
    RemoveKeyPackage(u8),
    PutMailbox(u8, u8),
    RemoveMailbox(u8),
    PutJoin(u8, u8),
    RemoveJoin(u8),
    PutContact(u8, u8),
    RemoveContact(u8),
    RemoveMessages(u8),
    AddMessage(u8, u8),
    RemoveMessage(u8),
    SetState(u8, u8),
    UnconfirmSince(u8, u8),
    SetLetter(u8, u8),
    SetOwed(u8, u8),
    AddHeld(u8, u8),
    RemoveHeld(u8, u8),
    RemoveAllHeld(u8),
    PutConversation(u8, u8),
    RemoveConversation(u8),
    IndexText(u8, u8),
    Erase(u8),
    MakeGone(u8),
    MakeEditsGone(u8),
    Rollback,
    Commit,
}

fn op() -> impl Strategy<Value = Op> {
    let id = || 0..4_u8;
    let said = || 0..MESSAGES;
    let any = any::<u8>;
    prop_oneof![
        1 => Just(Op::Number),
        1 => (id(), any()).prop_map(|(name, value)| Op::PutSetting(name, value)),
        1 => id().prop_map(Op::RemoveSetting),
        4 => (id(), id(), id(), prop::collection::vec(any(), 0..60))
            .prop_map(|(scope, label, key, value)| Op::PutRow(scope, label, key, value)),
        1 => (id(), id(), id()).prop_map(|(scope, label, key)| Op::RemoveRow(scope, label, key)),
        1 => id().prop_map(Op::RemoveScope),
        1 => (id(), any()).prop_map(|(id, seed)| Op::PutInvitation(id, seed)),
        1 => id().prop_map(Op::RemoveInvitation),
        1 => (id(), id(), any()).prop_map(|(id, of, seed)| Op::PutKeyPackage(id, of, seed)),
        1 => id().prop_map(Op::RemoveKeyPackage),
        1 => (id(), any()).prop_map(|(id, seed)| Op::PutMailbox(id, seed)),
        1 => id().prop_map(Op::RemoveMailbox),
        1 => (id(), any()).prop_map(|(id, seed)| Op::PutJoin(id, seed)),
        1 => id().prop_map(Op::RemoveJoin),
        1 => (id(), any()).prop_map(|(id, seed)| Op::PutContact(id, seed)),
        1 => id().prop_map(Op::RemoveContact),
        1 => id().prop_map(Op::RemoveMessages),
        12 => (said(), any()).prop_map(|(id, seed)| Op::AddMessage(id, seed)),
        2 => said().prop_map(Op::RemoveMessage),
        6 => (said(), any()).prop_map(|(id, seed)| Op::SetState(id, seed)),
        2 => (id(), id()).prop_map(|(of, since)| Op::UnconfirmSince(of, since)),
        3 => (said(), id()).prop_map(|(id, letter)| Op::SetLetter(id, letter)),
        3 => (said(), 0..3_u8).prop_map(|(id, owed)| Op::SetOwed(id, owed)),
        1 => (id(), any()).prop_map(|(of, seed)| Op::AddHeld(of, seed)),
        1 => (id(), any()).prop_map(|(of, seed)| Op::RemoveHeld(of, seed)),
        1 => id().prop_map(Op::RemoveAllHeld),
        2 => (id(), any()).prop_map(|(id, seed)| Op::PutConversation(id, seed)),
        1 => id().prop_map(Op::RemoveConversation),
        8 => (said(), any()).prop_map(|(id, seed)| Op::IndexText(id, seed)),
        1 => said().prop_map(Op::Erase),
        1 => said().prop_map(Op::MakeGone),
        1 => said().prop_map(Op::MakeEditsGone),
        1 => Just(Op::Rollback),
        2 => Just(Op::Commit),
    ]
}

const MESSAGES: u8 = 24;

/// Runs `op`; tells the number drawn or how it failed.
fn apply(storage: &mut dyn Storage, op: &Op) -> Result<u64, StorageErrorKind> {
    let done = match op {
        Op::Number => return storage.next_number().map_err(|error| error.kind),
        Op::PutSetting(name, value) => storage.put_setting(&name.to_string(), &[*value]),
        Op::RemoveSetting(name) => storage.remove_setting(&name.to_string()),
        Op::PutRow(scope, label, key, value) => {
            storage.put_mls_row(&scope_of(*scope), *label, &[*key; 9], value)
        }
        Op::RemoveRow(scope, label, key) => {
            storage.remove_mls_row(&scope_of(*scope), *label, &[*key; 9])
        }
        Op::RemoveScope(scope) => storage.remove_mls_scope(&scope_of(*scope)),
        Op::PutInvitation(id, seed) => storage.put_invitation(&invitation(*id, *seed)),
        Op::RemoveInvitation(id) => storage.remove_invitation(InvitationId((*id).into())),
        Op::PutKeyPackage(id, of, seed) => storage.put_key_package(&key_package(*id, *of, *seed)),
        Op::RemoveKeyPackage(id) => storage.remove_key_package(&[*id; 32]),
        Op::PutMailbox(id, seed) => storage.put_mailbox_record(&mailbox(*id, *seed)),
        Op::RemoveMailbox(id) => storage.remove_mailbox_record(MailboxId((*id).into())),
        Op::PutJoin(fetch, seed) => storage.put_join(&join(*fetch, *seed)),
        Op::RemoveJoin(fetch) => storage.remove_join((*fetch).into()),
        Op::PutContact(id, seed) => storage.put_contact(&contact(*id, *seed)),
        Op::RemoveContact(id) => storage.remove_contact(ContactId((*id).into())),
        Op::RemoveMessages(of) => {
            let more = storage.remove_messages(ContactId((*of).into()), 3);
            return more.map(u64::from).map_err(|error| error.kind);
        }
        Op::AddMessage(id, seed) => storage.add_message(&message(*id, *seed)),
        Op::RemoveMessage(id) => storage.remove_message(&message_id(*id)),
        Op::UnconfirmSince(of, since) => {
            let since = Timestamp::from_millis((*since).into());
            storage.unconfirm_since(ContactId((*of).into()), since)
        }
        Op::SetState(id, seed) => {
            let state = MessageState::from_code(seed % 5 + 1).unwrap();
            storage.set_state(&message_id(*id), state, &times(*seed))
        }
        Op::SetLetter(id, letter) => {
            let letter = 1000 + u64::from(*id) * 4 + u64::from(*letter);
            storage.set_letter(&message_id(*id), letter, letter % 5)
        }
        Op::SetOwed(id, owed) => {
            storage.set_owed(&message_id(*id), Owed::from_code(*owed).unwrap())
        }
        Op::AddHeld(of, seed) => storage.add_held(&HeldRecord {
            contact: ContactId((*of).into()),
            number: (*seed % 4).into(),
            since: Timestamp::from_millis((*seed).into()),
            repeat: seed.is_multiple_of(3).then_some(RepeatId([*seed; 16])),
            bytes: vec![*seed; usize::from(*seed)],
        }),
        Op::RemoveHeld(of, seed) => {
            storage.remove_held(ContactId((*of).into()), (*seed % 4).into())
        }
        Op::RemoveAllHeld(of) => storage.remove_all_held(ContactId((*of).into())),
        Op::PutConversation(id, seed) => {
            storage.put_conversation(ConversationId([*id; 16]), &kept(*seed))
        }
        Op::RemoveConversation(id) => storage.remove_conversation(ConversationId([*id; 16])),
        Op::IndexText(id, seed) => storage.index_text(&message_id(*id), text(*seed).as_deref()),
        Op::Erase(id) => storage.erase(&message_id(*id)),
        Op::MakeGone(id) => storage.make_gone(contact_of(*id), &message_id(*id)),
        Op::MakeEditsGone(id) => storage.make_edits_gone(contact_of(*id), &message_id(*id)),
        Op::Rollback | Op::Commit => unreachable!("the caller's"),
    };
    done.map(|()| 0).map_err(|error| error.kind)
}

fn contact_of(message: u8) -> ContactId {
    ContactId((message % 4).into())
}

const WORDS: [&str; 6] = ["harbour", "harp", "tea", "x", "茶", "喝"];

/// Some of [`WORDS`], or none for the text to go.
fn text(seed: u8) -> Option<String> {
    let words = (0..6).filter(|n| seed & (1 << n) != 0);
    let words: Vec<_> = words.map(|n| WORDS[n]).collect();
    (!words.is_empty()).then(|| spaced(&words.join("")).replace("har", " har"))
}

fn kept(seed: u8) -> ConversationRecord {
    ConversationRecord {
        archived: seed.is_multiple_of(2),
        pinned_messages: vec![vec![1; 32]; usize::from(seed % 3)],
        draft: seed.is_multiple_of(5).then(|| DraftRecord {
            text: "draft ".repeat(seed.into()),
            reply_to: None,
        }),
        ..ConversationRecord::default()
    }
}

fn scope_of(n: u8) -> Vec<u8> {
    vec![n; usize::from(n) * 8]
}

/// Everything the reading methods tell.
#[derive(PartialEq)]
struct Seen {
    settings: Vec<Option<Vec<u8>>>,
    settings_of: Vec<Vec<(String, Vec<u8>)>>,
    rows: Vec<Option<Secret>>,
    scopes: Vec<Vec<MlsRow>>,
    invitations: Vec<InvitationRecord>,
    key_packages: Vec<Vec<KeyPackageRecord>>,
    mailboxes: Vec<MailboxRecord>,
    joins: Vec<JoinRecord>,
    contacts: Vec<ContactRecord>,
    messages: Vec<(Option<MessageRecord>, bool, Vec<MessageRecord>)>,
    letters: Vec<(Option<MessageId>, Option<ContactId>)>,
    owners: Vec<(Option<ContactId>, Option<Outline>)>,
    conversations: Vec<SeenConversation>,
    kept: Vec<Option<ConversationRecord>>,
    vanishing: Vec<Vec<(ContactId, MessageId)>>,
    next_vanishing: Option<Timestamp>,
    found: Vec<Vec<MessageId>>,
}

#[derive(PartialEq)]
struct SeenConversation {
    newest: Vec<Vec<MessageRecord>>,
    before: Vec<Vec<MessageRecord>>,
    unread: Vec<Vec<MessageId>>,
    owing: Vec<(MessageId, Owed)>,
    on_the_way: Vec<OnTheWay>,
    control: Vec<Vec<MessageRecord>>,
    waiting: Vec<HeldHead>,
    unconfirmed: Vec<Vec<MessageRecord>>,
    last: Option<Position>,
    lamport: u64,
    extent: Extent,
    counts: Vec<u64>,
    held: Vec<Option<HeldRecord>>,
    edits: Vec<Vec<MessageRecord>>,
    count_unread: u64,
    places: Vec<Vec<Position>>,
}

fn look(storage: &dyn Storage) -> Seen {
    let ids = || 0..4_u8;
    let said = || (0..MESSAGES).map(message_id);
    Seen {
        settings: ids()
            .map(|name| storage.setting(&name.to_string()).unwrap())
            .collect(),
        settings_of: ids()
            .map(|prefix| storage.settings_of(&prefix.to_string()).unwrap())
            .collect(),
        rows: ids()
            .map(|n| storage.mls_row(&scope_of(n), n, &[n; 9]).unwrap())
            .collect(),
        scopes: ids()
            .map(|scope| storage.mls_scope(&scope_of(scope)).unwrap())
            .collect(),
        invitations: storage.invitations().unwrap(),
        key_packages: ids()
            .map(|of| storage.key_packages(InvitationId(of.into())).unwrap())
            .collect(),
        mailboxes: storage.mailbox_records().unwrap(),
        joins: storage.joins().unwrap(),
        contacts: storage.contacts().unwrap(),
        messages: said()
            .map(|id| {
                let about = ids()
                    .flat_map(|of| storage.changes(ContactId(of.into()), &id).unwrap())
                    .collect();
                (
                    storage.message(&id).unwrap(),
                    storage.has_message(&id).unwrap(),
                    about,
                )
            })
            .collect(),
        letters: (0..u64::from(MESSAGES))
            .chain(1000..1100)
            .map(|letter| {
                let message = storage.message_of_letter(letter).unwrap();
                (message, storage.whose_letter(letter).unwrap())
            })
            .collect(),
        owners: said()
            .map(|id| {
                (
                    storage.whose_message(&id).unwrap(),
                    storage.outline(&id).unwrap(),
                )
            })
            .collect(),
        conversations: ids()
            .map(|of| look_at(storage, ContactId(of.into())))
            .collect(),
        kept: ids()
            .map(|id| storage.conversation(ConversationId([id; 16])).unwrap())
            .collect(),
        vanishing: [1, 3, 100]
            .map(|most| {
                let until = Timestamp::from_millis(1_700_000_000_240);
                storage.vanishing(until, most).unwrap()
            })
            .into(),
        next_vanishing: storage.next_vanishing().unwrap(),
        found: WORDS
            .iter()
            .chain(&["HAR", "har tea", "喝茶", "\" OR ("])
            .filter_map(|words| Query::new(words).ok())
            .flat_map(|query| {
                let of = [None, Some(ContactId(1))];
                of.map(|of| storage.find_texts(&query, of, 5).unwrap())
            })
            .collect(),
    }
}

fn look_at(storage: &dyn Storage, of: ContactId) -> SeenConversation {
    let positions: Vec<Position> = (0..MESSAGES).map(|id| message(id, id).position).collect();
    let before = |position| storage.messages(of, Some(position), 3, 500).unwrap();
    SeenConversation {
        newest: [0, 1, 5, usize::MAX]
            .map(|most| {
                storage
                    .messages(of, None, most, most.saturating_mul(50))
                    .unwrap()
            })
            .into(),
        before: positions.iter().map(before).collect(),
        unread: positions
            .iter()
            .map(|until| storage.unread(of, until).unwrap())
            .collect(),
        owing: storage.owing(of).unwrap(),
        on_the_way: storage.on_the_way(of).unwrap(),
        control: [false, true]
            .map(|mine| storage.control(of, mine).unwrap())
            .into(),
        waiting: storage.held_heads(of).unwrap(),
        unconfirmed: (0..6)
            .map(|epoch| storage.unconfirmed_before(of, epoch).unwrap())
            .collect(),
        last: storage.last_position(of).unwrap(),
        lamport: storage.highest_lamport(of).unwrap(),
        extent: storage.extent(of).unwrap(),
        counts: (0..6)
            .map(|epoch| storage.count_in_epoch(of, epoch).unwrap())
            .collect(),
        held: (0..4).map(|n| storage.held(of, n).unwrap()).collect(),
        edits: (0..MESSAGES)
            .flat_map(|id| [false, true].map(|mine| (id, mine)))
            .map(|(id, mine)| storage.edits(of, &message_id(id), mine).unwrap())
            .collect(),
        count_unread: storage.count_unread(of).unwrap(),
        places: positions
            .iter()
            .map(Some)
            .chain([None])
            .map(|before| storage.text_positions(of, before, 3).unwrap())
            .collect(),
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn the_file_answers_as_memory_does(ops in prop::collection::vec(op(), 1..120)) {
        let dir = tempfile::tempdir().unwrap();
        let path = profile_path(&dir);
        let mut file = open_profile(&path);
        let mut memory = MemoryStorage::new();
        let mut committed = memory.clone();
        let mut said = BTreeSet::new();
        file.begin().unwrap();
        for op in &ops {
            match op {
                Op::Commit => {
                    file.commit().unwrap();
                    file.begin().unwrap();
                    committed = memory.clone();
                }
                Op::Rollback => {
                    file.rollback().unwrap();
                    file.begin().unwrap();
                    memory = committed.clone();
                }
                // The machine never adds one twice.
                Op::AddMessage(id, _) if !said.insert(*id) => {}
                _ => prop_assert_eq!(apply(&mut file, op), apply(&mut memory, op)),
            }
        }
        prop_assert!(look(&file) == look(&memory));
        // What was not committed goes with the process; the rest stays.
        drop(file);
        prop_assert!(look(&open_profile(&path)) == look(&committed));
    }
}

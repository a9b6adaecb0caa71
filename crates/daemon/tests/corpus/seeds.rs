//! Small inputs that decode well, from our own encoders and stored vectors.

use std::fs;
use std::path::Path;

use hushwing_conversation::branches::{AccountId, GroupPolicy, Pointer, StatePrefix};
use hushwing_conversation::content::{AddressUpdate, Inquiry, Profile, Timer, Typing, Wish};
use hushwing_conversation::exchange::couple;
use hushwing_conversation::proof::IdentityKey;
use hushwing_conversation::storage::{
    ConversationRecord, DraftRecord, JoinRecord, KeyPackageRecord, LackRecord, LossRecord,
    MailboxRecord, MailboxState, MailboxUse, ModeRecord, OrphanRecord, Position, RepeatRecord,
};
use hushwing_conversation::{
    self as conversation, ContactId, ConversationId, InvitationId, MessageId, MlsRows as _, Secret,
};
use hushwing_delivery::{
    Address, Keep, Letter, Locator, MailboxId, MailboxKeys, MemoryStorage, NetworkTag, PostOffice,
    SealKey, Storage, Urgency,
};
use hushwing_relay::address::{Server, ServerAddress};
use hushwing_relay::server::keys_to_bytes;
use hushwing_relay::wire::{
    AuthKey, Command, DhPublic, Ids, LinkData, NewQueue, QueueMode, QueueRequest, Response,
    SUPPORTED, SignedKey, SigningKey, SmpError, Version, Writer,
};
use hushwing_sansio::{Context, Entropy, Moment, Timestamp};

use crate::channels::channels;
use crate::introductions::introductions;
use crate::lists::lists;
use crate::rooms::rooms;
use crate::stretches::stretches;

/// Target, name, bytes.
pub(crate) type Seed = (&'static str, &'static str, Vec<u8>);

const DH: DhPublic = DhPublic([9; 32]);
const ID: &[u8] = &[5; 24];
const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

pub(crate) fn all() -> Vec<Seed> {
    let mut seeds = relay();
    seeds.extend(commands());
    seeds.extend(responses());
    seeds.extend(post_office());
    seeds.extend(stored());
    seeds.extend(proofs());
    seeds.extend(stretches());
    seeds.extend(channels());
    seeds.extend(relay_server());
    seeds.extend(mls_rows());
    seeds.extend(branches());
    seeds.extend(conversation());
    seeds.extend(introductions());
    seeds.extend(lists());
    seeds.extend(rooms());
    seeds
}

fn written(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    let mut writer = Writer::new(&mut out);
    write(&mut writer);
    writer.check().unwrap();
    out
}

fn server() -> Server {
    Server {
        fingerprint: [8; 32],
        hosts: vec!["relay.example.org".into(), "::1".into()],
        port: 5_223,
    }
}

fn relay() -> Vec<Seed> {
    let signer = SigningKey::from_seed([1; 32]).unwrap();
    let address = ServerAddress {
        server: server(),
        password: Some("secret".to_owned().into()),
    };
    let time = 1_790_000_000_i64.to_be_bytes();
    let user = [&6_u16.to_be_bytes(), b"bundle".as_slice()].concat();
    let keys = [AuthKey::Ed25519([3; 32]), AuthKey::X25519(DH)];
    let first_contact = written(|w| {
        w.u16(4).u8(b'1');
        DH.write(w);
    });
    // As the relay client stores a mailbox that it wants.
    let mailbox = written(|w| {
        w.u8(1);
        server().write(w);
        QueueMode::Messaging.write(w);
        w.raw(&[6; 32]).bool(false).u8(0).raw(&[7; 32]).u8(b'0');
    });
    let signed = SignedKey::sign(&DH, &signer).unwrap();
    vec![
        ("relay_body", "regular", b"\x00\x040".to_vec()),
        ("relay_body", "first_contact", first_contact),
        ("relay_key", "ed25519", AuthKey::Ed25519([3; 32]).to_spki()),
        ("relay_key", "ed448", AuthKey::Ed448([4; 57]).to_spki()),
        ("relay_key", "x25519", DH.to_spki().to_vec()),
        ("relay_key", "signed", signed),
        (
            "relay_link",
            "card",
            [b"\x05fixed", user.as_slice()].concat(),
        ),
        (
            "relay_message",
            "message",
            [&time, b"T body".as_slice()].concat(),
        ),
        (
            "relay_message",
            "quota",
            [b"QUOTA ".as_slice(), &time].concat(),
        ),
        ("relay_records", "keys", keys_to_bytes(&keys)),
        ("relay_records", "mailbox", mailbox),
        (
            "relay_server_address",
            "password",
            address.to_string().into(),
        ),
    ]
}

/// The byte that chooses the version, then the text.
fn versioned(version: Version, text: &[u8]) -> Vec<u8> {
    let choice = u8::try_from(version.0 - SUPPORTED.min.0).unwrap();
    [&[choice], text].concat()
}

fn commands() -> Vec<Seed> {
    let data = LinkData {
        fixed: b"fixed",
        user: b"user",
    };
    let new = |request| {
        Command::New(NewQueue {
            auth: AuthKey::Ed25519([3; 32]),
            dh: DH,
            password: Some(b"secret"),
            subscribe: true,
            request,
            notifier: None,
        })
    };
    let contact = QueueRequest::Contact(Some((ID, ID, data)));
    let send = Command::Send {
        notify: true,
        body: b"body",
    };
    let known = [
        ("new_8", 8, new(QueueRequest::Unspecified)),
        ("new_9", 9, new(QueueRequest::Messaging(None))),
        ("new_18", 18, new(contact)),
        ("lset", 15, Command::LSet { link_id: ID, data }),
        ("skey", 9, Command::SKey(AuthKey::Ed448([4; 57]))),
        ("ack", 18, Command::Ack(ID)),
        ("send", 18, send),
    ];
    known
        .into_iter()
        .map(|(name, version, command)| {
            let version = Version(version);
            let text = written(|w| command.write(w, version));
            ("relay_command", name, versioned(version, &text))
        })
        .collect()
}

fn responses() -> Vec<Seed> {
    let ids = |mode| {
        Response::Ids(Ids {
            recipient_id: ID,
            sender_id: ID,
            server_dh: DH,
            mode,
            link_id: None,
            service_id: None,
            notifier: None,
        })
    };
    let message = Response::Msg {
        id: ID,
        sealed: b"sealed",
    };
    let known = [
        ("ids_8", 8, ids(None)),
        ("ids_9", 9, ids(Some(QueueMode::Messaging))),
        ("ids_18", 18, ids(Some(QueueMode::Messaging))),
        ("msg", 18, message),
        ("err", 18, Response::Err(SmpError::Quota)),
    ];
    known
        .into_iter()
        .map(|(name, version, response)| {
            let version = Version(version);
            let text = written(|w| response.write(w, version));
            ("relay_command", name, versioned(version, &text))
        })
        .collect()
}

struct Sevens;

impl Entropy for Sevens {
    fn fill(&mut self, dest: &mut [u8]) {
        dest.fill(7);
    }
}

fn post_office() -> Vec<Seed> {
    let mut storage = MemoryStorage::new();
    let mut office = PostOffice::open(&mut storage).unwrap();
    let keys = MailboxKeys::shared([7; 32]);
    office
        .put_mailbox(&mut storage, MailboxId(1), NetworkTag::TOY, keys)
        .unwrap();
    let address = Address {
        network: NetworkTag::TOY,
        locator: Locator(b"where".to_vec()),
        seal: SealKey::Shared([7; 32]),
    };
    let letter = Letter {
        to: vec![address],
        last_resort: Vec::new(),
        bytes: b"body".to_vec(),
        urgency: Urgency::Normal,
        keep: Keep::UntilSettled,
    };
    let mut sevens = Sevens;
    let mut cx = Context::new(Moment::default(), NOW, &mut sevens);
    office.post(&mut cx, &mut storage, &letter).unwrap();
    let mailbox = storage.mailboxes().unwrap().remove(0).1;
    let letter = storage.letters().unwrap().remove(0).1;
    vec![
        ("delivery_rows", "mailbox", mailbox),
        ("delivery_rows", "letter", letter),
    ]
}

/// A cell as the target for a relay server's rows reads it.
fn blob(bytes: &[u8]) -> Vec<u8> {
    [&[4, u8::try_from(bytes.len()).unwrap()], bytes].concat()
}

fn number(value: i64) -> Vec<u8> {
    [&[1], value.to_be_bytes().as_slice()].concat()
}

fn relay_server() -> Vec<Seed> {
    let keys = blob(&keys_to_bytes(&[AuthKey::Ed25519([3; 32])]));
    let queue = [
        vec![9],
        number(1),
        blob(ID),
        blob(&[6; 24]),
        keys.clone(),
        keys,
        blob(&[7; 32]),
        number(1),
        number(1),
        vec![0],
    ];
    // Plain, in a slot, and what the slot decrypts to.
    let message = [
        vec![6],
        number(1),
        blob(ID),
        number(1_790_000_000_000),
        number(0),
        number(0),
        blob(&[8; 32]),
        b"\x01\x00\x04body\x00".to_vec(),
    ];
    let pem = concat!(
        "-----BEGIN CERTIFICATE-----\nMAA=\n-----END CERTIFICATE-----\n",
        "-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n",
    );
    let hello = b"\x16\x03\x01\x00\xcc\x01\x00\x00\xc8".to_vec();
    vec![
        ("store_relay_rows", "queue", queue.concat()),
        ("store_relay_rows", "message", message.concat()),
        ("transport_gate", "hello", hello),
        ("transport_pem", "short", pem.into()),
    ]
}

/// Counts, where repeated bytes would make equal keys.
#[derive(Default)]
struct Counted(u64);

impl Entropy for Counted {
    fn fill(&mut self, dest: &mut [u8]) {
        self.0 += 1;
        for (byte, count) in dest.iter_mut().zip((self.0..).flat_map(u64::to_le_bytes)) {
            *byte = count;
        }
    }
}

/// Rows of a conversation's group: label, then value. The corpus also holds
/// `message_secrets`, into which openmls writes the system's time, so that no
/// two are equal.
fn mls_rows() -> Vec<Seed> {
    const NAMED: [(u8, &str); 5] = [
        (1, "join_config"),
        (5, "tree"),
        (7, "context"),
        (9, "group_state"),
        (12, "own_leaf_index"),
    ];
    let mut counted = Counted::default();
    let mut cx = Context::new(Moment::default(), NOW, &mut counted);
    let mut rows = conversation::MemoryStorage::new();
    couple(&mut cx, &mut conversation::MemoryStorage::new(), &mut rows).unwrap();
    // Its id is what was drawn first; its rows lie under the id's length and id.
    let mut id = [0; 16];
    Counted::default().fill(&mut id);
    let found = rows.mls_scope(&[&[16], id.as_slice()].concat()).unwrap();
    NAMED
        .into_iter()
        .map(|(label, name)| {
            let row = found.iter().find(|(found, ..)| *found == label).unwrap();
            let seed = [&[label], row.2.expose()].concat();
            ("conversation_mls_rows", name, seed)
        })
        .collect()
}

/// What a second model wrote (`interop/vectors`), and stored key files.
fn stored() -> Vec<Seed> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let vectors = crates.join("conversation/tests/vectors/hushwing-link-1.txt");
    let vectors = fs::read_to_string(vectors).unwrap();
    let vector = |name: &str| {
        let row = vectors.lines().find_map(|row| {
            let (named, value) = row.split_once(' ')?;
            (named == name).then_some(value)
        });
        row.unwrap().to_owned()
    };
    let key_file = |name| fs::read(crates.join("store/tests/golden").join(name)).unwrap();
    // The target sums by itself.
    let backup = |lock: u8| {
        let key = key_file("key-wrapped-0.1");
        [b"HWBK\x01", &[lock][..], &key[..106]].concat()
    };
    // The target signs by itself: length and signature go off.
    let bundle = |name| hex(&vector(name))[65..].to_vec();
    vec![
        ("conversation_card", "fixed", hex(&vector("fixed"))),
        ("conversation_card", "reusable", bundle("bundle-reusable")),
        ("conversation_card", "one_time", bundle("bundle-one-time")),
        ("conversation_code", "safety", vector("safety-code").into()),
        ("store_backup", "passphrase", backup(1)),
        ("store_backup", "recovery_code", backup(2)),
        ("store_key_file", "raw", key_file("key-raw-0.1")),
        ("store_key_file", "wrapped", key_file("key-wrapped-0.1")),
        ("store_slot_image", "small", slot_image()),
    ]
}

/// Databases of two pages' beginnings, padded.
fn slot_image() -> Vec<u8> {
    let mut bytes = vec![1, 0, 0, 0, 0, 0, 0, 0, 9, 3];
    bytes.extend([0, 0, 0, 26, 0, 0, 0, 16, 0, 0, 0, 0]);
    bytes.extend(b"Eve{\"version\":1,\"servers\":[]}SQLite format 3\0");
    bytes.resize(128, 0);
    bytes
}

/// From the vectors of proofs.
fn proofs() -> Vec<Seed> {
    let crates = Path::new(env!("CARGO_MANIFEST_DIR")).join("..");
    let vectors = crates.join("conversation/tests/vectors/hushwing-proof-1.txt");
    let vectors = fs::read_to_string(vectors).unwrap();
    let vector = |name: &str| {
        let mut rows = vectors.lines().filter_map(|row| row.split_once(' '));
        hex(rows.find(|(of, _)| *of == name).unwrap().1)
    };
    vec![
        ("conversation_parts", "wish", vector("wish-provable")),
        ("conversation_parts", "wish_normal", vector("wish-normal")),
        (
            "conversation_parts",
            "signed_receipts",
            vector("signed-receipts"),
        ),
        ("conversation_proof", "text", vector("proof-text")),
        ("conversation_proof", "bytes", vector("proof")),
        (
            "conversation_proof",
            "signed_message",
            vector("signed-message"),
        ),
    ]
}

/// Both sides' wishes.
fn modes() -> ModeRecord {
    let at = |lamport| Position {
        epoch: 1,
        lamport,
        leaf: 0,
        id: MessageId::from_bytes(&[1; 32]).unwrap(),
    };
    let mut modes = ModeRecord::default();
    modes.secret = Some(Secret::new(vec![1; 32]));
    for (mine, seed) in [(true, 1), (false, 2)] {
        let key = IdentityKey::from_seed(&[seed; 32]).public();
        let proof = [7; 64];
        modes.note(mine, &at(u64::from(seed)), &Wish::Provable { key, proof });
    }
    modes
}

pub(crate) fn hex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

fn conversation() -> Vec<Seed> {
    let update = AddressUpdate {
        revision: 3,
        addresses: vec![b"where".to_vec()],
        recovery: Vec::new(),
    };
    let receipt = [b"\x81\x82\x58\x20\x01".as_slice(), &[7; 31], b"\x01"].concat();
    let join = JoinRecord {
        fetch: 1,
        link: Secret::new(b"link".to_vec()),
        contact: Some(ContactId(2)),
        card: None,
    };
    let package = KeyPackageRecord {
        reference: b"reference".to_vec(),
        invitation: InvitationId(3),
        signing_key: Secret::new(vec![1; 32]),
        wipe_after: NOW,
    };
    let mailbox = MailboxRecord {
        id: 4,
        network: 1,
        state: MailboxState::Open,
        owner: MailboxUse::Conversation(ContactId(2)),
        first_contact: Secret::new(vec![2; 32]),
        shared: Secret::new(vec![3; 32]),
        locator: Some(Secret::new(b"where".to_vec())),
    };
    let id = MessageId::from_bytes(&[1; 32]).unwrap();
    let inquiry = Inquiry { messages: vec![id] };
    let lacking = LackRecord {
        messages: vec![id.as_bytes().to_vec()],
    };
    let losses = LossRecord {
        count: 3,
        in_a_row: 2,
        replaced: NOW,
        standing: true,
    };
    let orphans = OrphanRecord {
        waiting: vec![(id.as_bytes().to_vec(), 100)],
    };
    let repeats = RepeatRecord {
        failed: true,
        control: false,
        after: id.as_bytes().to_vec(),
    };
    let kept = ConversationRecord {
        pinned: true,
        pinned_messages: vec![id.as_bytes().to_vec()],
        draft: Some(DraftRecord {
            text: "Dear".to_owned(),
            reply_to: None,
        }),
        ..ConversationRecord::default()
    };
    let profile = Profile::new("Alice", None).unwrap();
    let conversation = ConversationId([9; 16]).to_string();
    let message = b"\x01\x00\x00\x00\x00\x03mls".to_vec();
    let request = b"\x01\x01\x00\x00\x00\x07welcome\x00\x00\x00\x03mls".to_vec();
    vec![
        ("conversation_code", "conversation", conversation.into()),
        ("conversation_letter", "message", message),
        ("conversation_letter", "join_request", request),
        ("conversation_parts", "profile", profile.encode()),
        ("conversation_parts", "addresses", update.encode()),
        ("conversation_parts", "receipts", receipt),
        ("conversation_parts", "inquiry", inquiry.encode()),
        (
            "conversation_parts",
            "timer",
            Timer { seconds: 60 }.encode(),
        ),
        ("conversation_parts", "typing", Typing.encode()),
        ("conversation_records", "kept", kept.encode()),
        ("conversation_records", "join", join.encode()),
        ("conversation_records", "mode", modes().encode()),
        ("conversation_records", "key_package", package.encode()),
        ("conversation_records", "mailbox", mailbox.encode()),
        ("conversation_records", "lacking", lacking.encode()),
        ("conversation_records", "losses", losses.encode()),
        ("conversation_records", "orphans", orphans.encode()),
        ("conversation_records", "repeats", repeats.encode()),
    ]
}

/// What a group of many says beside MLS, and the records of one just founded.
fn branches() -> Vec<Seed> {
    const TARGET: &str = "conversation_branches";
    let pointer = |first_said| Pointer {
        state: StatePrefix([5; 8]),
        first_said,
    };
    let account = |byte| AccountId::try_from([byte; 16].as_slice()).unwrap();
    let policy = GroupPolicy::of_group(vec![account(1), account(2)], "a group");
    let mut anew = policy.clone();
    anew.further = vec![(1, [&[1; 1][..], &[2; 152]].concat())];
    let head = b"\x89PNG\r\n\x1a\n\0\0\0\x0dIHDR\0\0\0\x40\0\0\0\x40\x08\x02\0\0\0";
    let pictured = policy.clone().pictured(head);
    let tagged = |tag: u8, bytes: &[u8]| [&[tag], bytes].concat();
    let mut seeds = vec![
        (TARGET, "pointer", tagged(0, &pointer(None).encode())),
        (
            TARGET,
            "pointer_again",
            tagged(0, &pointer(Some(3)).encode()),
        ),
        (TARGET, "policy", tagged(1, &policy.encode().unwrap())),
        (TARGET, "founded_anew", tagged(1, &anew.encode().unwrap())),
        (
            TARGET,
            "policy_pictured",
            tagged(1, &pictured.encode().unwrap()),
        ),
        (
            TARGET,
            "chain",
            tagged(255, &[&[0; 8][..], &[1; 105]].concat()),
        ),
    ];
    let rows = crate::conversation_branches::founded();
    let records = rows.mls_scope(&crate::conversation_branches::records());
    for (label, _, value) in records.unwrap() {
        let name = if label == 1 { "head" } else { "state" };
        let mut seed = tagged(label + 1, value.expose());
        if name == "state" {
            // It ends with how many bytes its rows have, in two bytes. Into one
            // of them openmls writes the system's time, so they may differ.
            seed.truncate(seed.len() - 2);
            seed.extend([0x80, 0x1e]);
        }
        seeds.push((TARGET, name, seed));
    }
    seeds
}

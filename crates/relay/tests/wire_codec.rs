//! Round trips of every command and answer at every version, and what
//! malformed bytes get.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

use hushwing_relay::wire::message::SEALED_LEN;
use hushwing_relay::wire::{
    AuthKey, BlockingReason, BoxKey, ClientHello, Command, CommandError, DhPublic, DhSecret, Ids,
    LinkData, MessageContent, NewQueue, NotifierKeys, QueueMode, QueueRequest, Response,
    ServerHello, SignedKey, SigningKey, SmpError, Transmission, Version, VersionRange, Writer,
    open_message, transmissions, unpad, write_message,
};
use hushwing_sansio::Timestamp;
use proptest::prelude::*;

fn written(write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut out = Vec::new();
    let mut w = Writer::new(&mut out);
    write(&mut w);
    w.check().unwrap();
    out
}

fn versions() -> impl Strategy<Value = Version> {
    (8u16..=18).prop_map(Version)
}

fn short() -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(any::<u8>(), 0..40)
}

fn dh_keys() -> impl Strategy<Value = DhPublic> {
    any::<[u8; 32]>().prop_map(DhPublic)
}

fn auth_keys() -> impl Strategy<Value = AuthKey> {
    prop_oneof![
        any::<[u8; 32]>().prop_map(AuthKey::Ed25519),
        prop::collection::vec(any::<u8>(), 57)
            .prop_map(|raw| AuthKey::Ed448(raw.try_into().unwrap())),
        dh_keys().prop_map(AuthKey::X25519),
    ]
}

fn same_command(command: &Command<'_>, version: Version) {
    let text = written(|w| command.write(w, version));
    assert!(
        Command::parse(&text, version) == Ok(*command),
        "at {version:?}"
    );
    if !matches!(command, Command::Send { .. }) {
        let longer = [text.as_slice(), b"!"].concat();
        assert!(
            Command::parse(&longer, version).is_err(),
            "bytes left over are refused"
        );
    }
}

fn same_response(response: &Response<'_>, version: Version) {
    let text = written(|w| response.write(w, version));
    assert!(
        Response::parse(&text, version).as_ref() == Ok(response),
        "at {version:?}"
    );
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn commands_survive_the_wire(
        version in versions(), key in auth_keys(), id in short(), fixed in short(),
        user in short(), notify: bool,
    ) {
        let data = LinkData { fixed: &fixed, user: &user };
        for command in [
            Command::Sub, Command::Key(key), Command::SKey(key),
            Command::LSet { link_id: &id, data }, Command::LDel, Command::LKey(key),
            Command::LGet, Command::Send { notify, body: &user }, Command::Get,
            Command::Ack(&id), Command::Off, Command::Del, Command::Que, Command::Ping,
        ] {
            same_command(&command, version);
        }
    }

    #[test]
    fn new_survives_the_wire(
        version in versions(), auth in auth_keys(), dh in dh_keys(), secret in short(),
        password in prop::option::of(short()), subscribe: bool, with_link: bool, contact: bool,
        notifier in prop::option::of((auth_keys(), dh_keys())),
    ) {
        let data = LinkData { fixed: &secret, user: &secret };
        let link = with_link && version.has_links();
        let request = match (version.has_sender_key(), contact) {
            (false, _) => QueueRequest::Unspecified,
            (true, false) => QueueRequest::Messaging(link.then_some((&secret, data))),
            (true, true) => QueueRequest::Contact(link.then_some((&secret, &secret, data))),
        };
        let notifier = notifier
            .filter(|_| version.has_notifier_keys())
            .map(|(auth, dh)| NotifierKeys { auth, dh });
        let queue =
            NewQueue { auth, dh, password: password.as_deref(), subscribe, request, notifier };
        same_command(&Command::New(queue), version);
    }

    #[test]
    fn answers_survive_the_wire(
        version in versions(), id in short(), other in short(), dh in dh_keys(), contact: bool,
        linked: bool,
    ) {
        let mode = if contact { QueueMode::Contact } else { QueueMode::Messaging };
        let ids = Ids {
            recipient_id: &id,
            sender_id: &other,
            server_dh: dh,
            mode: version.has_sender_key().then_some(mode),
            link_id: (linked && version.has_links()).then_some(id.as_slice()),
            service_id: (linked && version.has_services()).then_some(id.as_slice()),
            notifier: (linked && version.has_notifier_keys()).then_some((&id, dh)),
        };
        let data = LinkData { fixed: &other, user: &id };
        for response in [
            Response::Ids(ids), Response::Ok, Response::Msg { id: &id, sealed: &other },
            Response::Lnk { sender_id: &id, data }, Response::Info(&other), Response::Pong,
            Response::End, Response::Err(SmpError::Quota),
        ] {
            same_response(&response, version);
        }
    }

    #[test]
    fn decoders_take_any_bytes(version in versions(), bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        let _ = transmissions(&bytes, version);
        let _ = Command::parse(&bytes, version);
        let _ = Response::parse(&bytes, version);
        let _ = ServerHello::parse(&bytes);
        let _ = ClientHello::parse(&bytes);
        let _ = SignedKey::parse(&bytes);
        let _ = SmpError::parse(&bytes);
        let _ = unpad(&bytes);
        let _ = AuthKey::from_spki(&bytes);
    }

    #[test]
    fn a_command_cut_short_is_a_syntax_error(auth in auth_keys(), dh in dh_keys(), cut in 0usize..60) {
        let version = Version(18);
        let request = QueueRequest::Messaging(None);
        let queue = NewQueue { auth, dh, password: None, subscribe: true, request, notifier: None };
        let text = written(|w| Command::New(queue).write(w, version));
        let end = text.len() - 1 - cut.min(text.len() - 4);
        prop_assert!(Command::parse(&text[..end], version) == Err(CommandError::Syntax));
    }

    #[test]
    fn a_message_body_has_one_length_and_opens_again(
        key: [u8; 32], id: [u8; 24], notify: bool, len in 0usize..=16_048,
    ) {
        let key = BoxKey::derive(&key);
        let body = vec![7; len];
        let at = Timestamp::from_secs(1_700_000_000);
        let content = MessageContent::Message { at, notify, body: &body };
        let text = written(|w| write_message(w, &key, &id, &content));
        let Ok(Response::Msg { id: sent, sealed }) = Response::parse(&text, Version(18)) else {
            panic!("not a message");
        };
        prop_assert_eq!(sent, id);
        prop_assert_eq!(sealed.len(), SEALED_LEN);
        let mut sealed = sealed.to_vec();
        prop_assert_eq!(open_message(&key, &id, &mut sealed), Ok(content));
    }
}

#[test]
fn tags_end_at_a_space_or_the_end() {
    let version = Version(18);
    for (text, error) in [
        (b"HELLO".as_slice(), CommandError::Unknown),
        (b"SUB=", CommandError::Unknown),
        (b"OK", CommandError::Unknown),
        (b"NKEY x", CommandError::Unknown),
        (b"NSUB", CommandError::Unknown),
        (b"", CommandError::Unknown),
        (b"NEW", CommandError::Syntax),
        (b"SUB ", CommandError::Syntax),
        (b"ACK", CommandError::Syntax),
        (b"SEND T", CommandError::Syntax),
    ] {
        assert!(
            Command::parse(text, version) == Err(error),
            "{}",
            text.escape_ascii()
        );
    }
}

#[test]
fn further_message_flags_are_ignored() {
    let parsed = Command::parse(b"SEND Txyz body text", Version(18));
    assert!(
        parsed
            == Ok(Command::Send {
                notify: true,
                body: b"body text"
            })
    );
}

#[test]
fn old_clients_send_the_password_after_an_a() {
    let (auth, dh) = (AuthKey::Ed25519([1; 32]), DhPublic([2; 32]));
    let queue = NewQueue {
        auth,
        dh,
        password: Some(b"secret"),
        subscribe: false,
        request: QueueRequest::Unspecified,
        notifier: None,
    };
    let text = written(|w| Command::New(queue).write(w, Version(8)));
    assert!(text.ends_with(b"A\x06secretC"));
}

#[test]
fn errors_keep_their_names_and_shrink_for_old_versions() {
    let blocked = SmpError::Blocked(BlockingReason::Spam, Some(b"{}".to_vec()));
    for (error, version, text) in [
        (
            SmpError::Cmd(CommandError::NoEntity),
            18,
            b"CMD NO_ENTITY".as_slice(),
        ),
        (SmpError::LargeMsg, 18, b"LARGE_MSG"),
        (SmpError::NoMsg, 18, b"NO_MSG"),
        (blocked.clone(), 18, b"BLOCKED reason=spam,notice={}"),
        (blocked.clone(), 17, b"BLOCKED reason=spam"),
        (blocked.clone(), 11, b"AUTH"),
        (
            SmpError::Other(b"NAME NOT_FOUND".to_vec()),
            18,
            b"NAME NOT_FOUND",
        ),
    ] {
        assert_eq!(written(|w| error.write(w, Version(version))), text);
    }
    assert_eq!(SmpError::parse(b"BLOCKED reason=spam,notice={}"), blocked);
    assert_eq!(
        SmpError::parse(b"CMD NO_QUEUE"),
        SmpError::Cmd(CommandError::NoEntity)
    );
    assert_eq!(
        SmpError::parse(b"CMD WHAT"),
        SmpError::Other(b"CMD WHAT".to_vec())
    );
}

#[test]
fn subscription_and_deletion_answers_shrink_for_old_versions() {
    let at = |response: Response<'_>, version| written(|w| response.write(w, Version(version)));
    assert_eq!(at(Response::SOk(None), 16), b"SOK 0");
    assert_eq!(at(Response::SOk(None), 15), b"OK");
    assert_eq!(at(Response::Deld, 10), b"DELD");
    assert_eq!(at(Response::Deld, 9), b"END");
}

#[test]
fn the_service_signature_field_needs_version_16_and_authorisation() {
    let unsigned = b"\x00\x01c\x01ePING";
    for version in [15, 16] {
        let parsed = Transmission::parse(unsigned, Version(version)).unwrap();
        assert_eq!(parsed.text, b"PING");
    }
    let mut signed = vec![2, 0, 0];
    signed.extend_from_slice(b"1\x01s\x01c\x01ePING");
    let parsed = Transmission::parse(&signed, Version(16)).unwrap();
    assert_eq!(parsed.service_signature, Some(b"s".as_slice()));
    assert_eq!(parsed.authorised, b"\x01c\x01ePING");
}

#[test]
fn credentials_are_demanded_as_each_command_wants() {
    let check = |command: Command<'_>, auth: &[u8], entity: &[u8]| {
        let transmission = Transmission {
            authorisation: auth,
            service_signature: None,
            correlation_id: b"1",
            entity_id: entity,
            text: b"",
            authorised: b"",
        };
        command.check_credentials(&transmission)
    };
    let key = AuthKey::Ed25519([1; 32]);
    let new = Command::New(NewQueue {
        auth: key,
        dh: DhPublic([2; 32]),
        password: None,
        subscribe: true,
        request: QueueRequest::Unspecified,
        notifier: None,
    });
    let send = Command::Send {
        notify: false,
        body: b"",
    };
    let cmd = |error| Err(SmpError::Cmd(error));
    assert_eq!(check(new, b"", b""), cmd(CommandError::NoAuth));
    assert_eq!(check(new, b"s", b"e"), cmd(CommandError::HasAuth));
    assert_eq!(check(new, b"s", b""), Ok(()));
    assert_eq!(check(send, b"", b""), cmd(CommandError::NoEntity));
    assert_eq!(check(send, b"", b"e"), Ok(()));
    assert_eq!(check(Command::Ping, b"", b"e"), cmd(CommandError::HasAuth));
    assert_eq!(check(Command::LGet, b"", b""), cmd(CommandError::NoEntity));
    assert_eq!(check(Command::LGet, b"s", b"e"), cmd(CommandError::HasAuth));
    for command in [
        Command::Sub,
        Command::Key(key),
        Command::Ack(b""),
        Command::LKey(key),
    ] {
        assert_eq!(check(command, b"", b"e"), cmd(CommandError::NoAuth));
        assert_eq!(check(command, b"s", b""), cmd(CommandError::NoAuth));
        assert_eq!(check(command, b"s", b"e"), Ok(()));
    }
}

#[test]
fn versions_meet_at_the_highest_common() {
    let range = |min, max| VersionRange {
        min: Version(min),
        max: Version(max),
    };
    assert_eq!(range(8, 18).common(range(6, 16)), Some(Version(16)));
    assert_eq!(range(8, 18).common(range(6, 20)), Some(Version(18)));
    assert_eq!(range(8, 18).common(range(4, 7)), None);
    assert_eq!(range(8, 18).common(range(19, 20)), None);
}

#[test]
fn a_client_hello_may_lack_its_key() {
    for version in [8, 14, 16, 18] {
        for key in [None, Some(DhPublic([9; 32]))] {
            let hello = ClientHello {
                version: Version(version),
                key_hash: &[5; 32],
                key,
                forwards: version >= 14,
                service: None,
            };
            let bytes = hello.encode().unwrap();
            let with_more = [bytes.as_slice(), b"later fields"].concat();
            let parsed = ClientHello::parse(&with_more).unwrap();
            assert_eq!(parsed.key, key);
            assert_eq!(parsed.forwards, hello.forwards);
            assert_eq!(parsed.key_hash, [5; 32]);
        }
    }
}

#[test]
fn a_server_hello_proves_its_session_key() {
    let leaf = SigningKey::from_seed([1; 32]).unwrap();
    let session = DhSecret::from_bytes([2; 32]).unwrap();
    let signed_key = SignedKey::sign(&session.public(), &leaf).unwrap();
    let hello = ServerHello {
        versions: VersionRange {
            min: Version(8),
            max: Version(18),
        },
        session_id: &[7; 32],
        chain: vec![b"leaf", b"identity"],
        signed_key: &signed_key,
    };
    let bytes = hello.encode().unwrap();
    let parsed = ServerHello::parse(&bytes).unwrap();
    assert_eq!(parsed.chain, hello.chain);
    let signed = SignedKey::parse(parsed.signed_key).unwrap();
    assert_eq!(signed.verify(&leaf.public()), Some(session.public()));
    let other = SigningKey::from_seed([3; 32]).unwrap();
    assert_eq!(signed.verify(&other.public()), None);
    for at in 0..signed_key.len() {
        let mut changed = signed_key.clone();
        changed[at] ^= 1;
        let accepted = SignedKey::parse(&changed)
            .ok()
            .and_then(|key| key.verify(&leaf.public()));
        assert_eq!(accepted, None, "byte {at}");
    }
}

//! The bytes of this version, as a second model in another language
//! (`interop/vectors`) makes them. A difference is a new format version.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

use std::collections::BTreeMap;

use hushwing_conversation::ConversationId;
use hushwing_conversation::content::{
    AddressUpdate, Avatar, Content, Expiration, Frame, Inquiry, Lamport, Mark, MessageId, Origin,
    Post, Profile, Receipt, Salt, Stamp, Status, Text, open,
};
use hushwing_conversation::link::{
    Bundle, GroupPreview, Kind, Link, RootKey, SafetyNumber, SealingKey, VerifiedBundle,
};
use hushwing_delivery::{NetworkTag, Place};
use hushwing_sansio::Timestamp;

const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

fn rows(file: &str) -> BTreeMap<String, Vec<String>> {
    let lines = file.lines().filter(|line| !line.starts_with('#'));
    let row = |line: &str| {
        let mut fields = line.split(' ').map(str::to_owned);
        (fields.next().unwrap(), fields.collect())
    };
    lines.map(row).collect()
}

fn unhex(text: &str) -> Vec<u8> {
    let pair = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(pair).collect()
}

fn id(number: u8) -> MessageId {
    let mut bytes = [number; 32];
    bytes[0] = 1;
    MessageId::from_bytes(&bytes).unwrap()
}

fn post(body: &str) -> Post {
    Post::new(Text::new(body).unwrap(), None)
}

fn alice() -> Profile {
    let avatar = Avatar::new(b"\x89PNG\r\n\x1a\n".to_vec()).unwrap();
    Profile::new("Alice", Some(avatar)).unwrap()
}

fn contents() -> BTreeMap<&'static str, Content> {
    let mut mention = Text::new("Kudos to ").unwrap();
    mention
        .push_mention("@Bob", &Origin::sender_uri(&[3; 32]))
        .unwrap();
    mention.push("!").unwrap();
    let receipts = [(7, Status::DELIVERED), (8, Status::READ)].map(|(message, status)| Receipt {
        message: id(message),
        status,
    });
    let addresses = vec![b"where".to_vec(), b"elsewhere".to_vec()];
    BTreeMap::from([
        ("post", Content::Post(post("Grüße, 👋"))),
        (
            "reply",
            Content::Post(Post {
                reply_to: Some(id(2)),
                ..post("yes")
            }),
        ),
        ("mention", Content::Post(Post::new(mention, None))),
        (
            "edit",
            Content::Edit {
                target: id(3),
                post: post("better"),
            },
        ),
        ("delete", Content::Delete { target: id(4) }),
        (
            "reaction",
            Content::Reaction {
                target: id(5),
                mark: Mark::new("❤").unwrap(),
                replaces: Some(id(6)),
            },
        ),
        ("unreact", Content::Unreact { reaction: id(6) }),
        ("disappearing", Content::Post(post("soon gone"))),
        ("profile", Content::Profile(alice())),
        ("receipts", Content::Receipts(receipts.to_vec())),
        (
            "addresses",
            Content::Addresses(AddressUpdate {
                revision: 3,
                addresses,
                recovery: Vec::new(),
            }),
        ),
        (
            "inquiry",
            Content::Inquiry(Inquiry {
                messages: [7, 8].map(id).to_vec(),
            }),
        ),
    ])
}

fn frame(name: &str) -> Frame {
    Frame {
        salt: Salt(core::array::from_fn(|at| u8::try_from(at).unwrap())),
        stamp: Stamp {
            lamport: Lamport::new(41).unwrap(),
            sent: Timestamp::from_millis(1_790_000_000_123),
        },
        expires: (name == "disappearing").then_some(Expiration::AfterReading(3_600)),
    }
}

#[test]
fn every_kind_of_content_has_the_bytes_and_id_of_the_second_model() {
    let vectors = rows(include_str!("vectors/hushwing-content-1.txt"));
    let origin = Origin::new(&[7; 32], &[9; 16]).unwrap();
    assert_eq!(vectors.len(), contents().len());
    for (name, content) in contents() {
        let [message_id, encoded] = vectors[name].as_slice() else {
            panic!("{name}")
        };
        assert_eq!(
            content.compose(frame(name)).unwrap(),
            unhex(encoded),
            "{name}"
        );
        let opened = open(&unhex(encoded), &origin, NOW).unwrap();
        assert_eq!(opened.content, content, "{name}");
        assert_eq!(opened.id.to_string(), *message_id, "{name}");
        assert_eq!(
            (opened.stamp, opened.expires),
            (frame(name).stamp, frame(name).expires)
        );
    }
}

fn link_vector(name: &str) -> String {
    rows(include_str!("vectors/hushwing-link-1.txt"))[name].concat()
}

fn root() -> RootKey {
    RootKey::from_seed(&[1; 32])
}

#[test]
fn the_secret_is_that_of_the_second_model() {
    assert_eq!(root().fixed().encode(), unhex(&link_vector("fixed")));
    assert_eq!(
        root().fixed().secret().as_bytes().as_slice(),
        unhex(&link_vector("secret"))
    );
}

#[test]
fn links_are_those_of_the_second_model() {
    let secret = root().fixed().secret();
    let place = Place((0..80).collect());
    let one_time = Link::new(
        Kind::OneTime,
        NetworkTag::RELAY,
        place,
        secret.clone(),
        Some(NOW),
    )
    .unwrap();
    let reusable = Link::new(
        Kind::Reusable,
        NetworkTag::MESH,
        Place(vec![]),
        secret,
        None,
    )
    .unwrap();
    assert_eq!(one_time.to_uri(), link_vector("one-time"));
    assert_eq!(
        one_time.to_web("relay.example.org:8443"),
        Some(link_vector("web"))
    );
    assert_eq!(reusable.to_uri(), link_vector("reusable"));
    for (name, link) in [
        ("one-time", &one_time),
        ("web", &one_time),
        ("reusable", &reusable),
    ] {
        assert_eq!(Link::parse(&link_vector(name)).as_ref(), Ok(link), "{name}");
    }
}

#[test]
fn bundles_are_those_of_the_second_model() {
    let bare = Bundle {
        revision: 0,
        kind: Kind::OneTime,
        expires: None,
        key_package: b"key package".to_vec(),
        sealing_key: SealingKey(Box::new([3; 1_216])),
        addresses: vec![],
        preview: None,
        group: None,
    };
    let full = Bundle {
        revision: 5,
        kind: Kind::Reusable,
        expires: Some(NOW.as_secs()),
        addresses: vec![b"where".to_vec()],
        preview: Some(alice()),
        group: Some(GroupPreview {
            group: ConversationId([7; 16]),
            name: "Rowing".to_owned(),
        }),
        ..bare.clone()
    };
    let fixed = root().fixed();
    for (name, bundle) in [("bundle-one-time", bare), ("bundle-reusable", full)] {
        let signed = unhex(&link_vector(name));
        assert_eq!(bundle.sign(&root()).unwrap(), signed, "{name}");
        let opened =
            VerifiedBundle::open(&fixed.secret(), bundle.kind, &fixed.encode(), &signed, NOW);
        assert_eq!(opened.unwrap().into_inner(), bundle, "{name}");
    }
}

#[test]
fn the_safety_number_is_that_of_the_second_model() {
    let number = SafetyNumber::new(&[9; 16], &[2; 32], &[3; 32]);
    assert_eq!(
        number.to_string(),
        link_vector("safety-digits").replace('-', " ")
    );
    assert_eq!(number.to_code(), link_vector("safety-code"));
}

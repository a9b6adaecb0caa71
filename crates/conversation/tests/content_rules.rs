//! What is said survives the way; what is malformed is refused.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

use hushwing_conversation::content::{
    AddressUpdate, Avatar, Body, ComposeError, Content, DecodeError, Disposition, Expiration,
    Frame, Lamport, MAX_MESSAGE, Mark, Message, MessageId, OpenError, Origin, Part, Post, Profile,
    Receipt, Salt, Semantics, Stamp, StampError, Status, SyntaxError, Text, open,
};
use hushwing_sansio::Timestamp;
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

fn origin() -> Origin {
    Origin::new(&[7; 32], &[9; 16]).unwrap()
}

fn frame() -> Frame {
    let stamp = Stamp {
        lamport: Lamport::new(41).unwrap(),
        sent: NOW,
    };
    Frame {
        salt: Salt([5; 16]),
        stamp,
        expires: None,
    }
}

fn id(byte: u8) -> MessageId {
    let mut bytes = [byte; 32];
    bytes[0] = 1;
    MessageId::from_bytes(&bytes).unwrap()
}

fn text(body: &str) -> Post {
    Post::new(Text::new(body).unwrap(), None)
}

/// Opens a message with `part`, stamped.
fn open_part(part: Part) -> Result<Content, OpenError> {
    open_message(|message| message.part = part)
}

fn open_message(change: impl FnOnce(&mut Message)) -> Result<Content, OpenError> {
    let bytes = Content::Post(text("x")).compose(frame()).unwrap();
    let mut message = Message::decode(&bytes).unwrap();
    change(&mut message);
    open(&message.encode().unwrap(), &origin(), NOW).map(|opened| opened.content)
}

fn every_kind() -> Vec<Content> {
    let mut mention = Text::new("thanks ").unwrap();
    mention
        .push_mention("@Bob", &Origin::sender_uri(&[3; 32]))
        .unwrap();
    let avatar = Avatar::new(b"\xff\xd8\xff\xe0".to_vec()).unwrap();
    vec![
        Content::Post(text("hello\nworld")),
        Content::Post(Post::new(Text::new("yes").unwrap(), Some(id(2)))),
        Content::Post(Post::new(mention, None)),
        Content::Edit {
            target: id(3),
            post: text("better"),
        },
        Content::Delete { target: id(4) },
        Content::Reaction {
            target: id(5),
            mark: Mark::new("👍🏽").unwrap(),
            replaces: None,
        },
        Content::Reaction {
            target: id(5),
            mark: Mark::new("+1").unwrap(),
            replaces: Some(id(6)),
        },
        Content::Unreact { reaction: id(6) },
        Content::Profile(Profile::new("Alice", Some(avatar)).unwrap()),
        Content::Receipts(vec![
            Receipt {
                message: id(7),
                status: Status::DELIVERED,
            },
            Receipt {
                message: id(8),
                status: Status(200),
            },
        ]),
        Content::Addresses(AddressUpdate {
            revision: 3,
            addresses: vec![vec![1; 70]],
            recovery: Vec::new(),
        }),
        Content::Addresses(AddressUpdate {
            revision: 4,
            addresses: vec![vec![1; 70]],
            recovery: vec![vec![2; 70]],
        }),
    ]
}

#[test]
fn every_kind_of_content_survives_the_way() {
    for content in every_kind() {
        let mut frame = frame();
        frame.expires = Some(Expiration::AfterReading(60));
        let bytes = content.compose(frame).unwrap();
        let opened = open(&bytes, &origin(), NOW).unwrap();
        assert_eq!(opened.content, content);
        assert_eq!((opened.stamp, opened.expires), (frame.stamp, frame.expires));
        assert_eq!(opened.id, MessageId::derive(&origin(), &bytes, &frame.salt));
    }
}

#[test]
fn the_same_words_have_another_id_elsewhere() {
    let bytes = Content::Post(text("hi")).compose(frame()).unwrap();
    let here = open(&bytes, &origin(), NOW).unwrap().id;
    let elsewhere = Origin::new(&[7; 32], &[8; 16]).unwrap();
    assert_ne!(open(&bytes, &elsewhere, NOW).unwrap().id, here);
}

#[test]
fn a_message_that_names_another_sender_is_refused() {
    use hushwing_conversation::content::{Extensions, Value};
    let named = |uri: &str| {
        open_message(|message| {
            message
                .extensions
                .0
                .insert(Extensions::SENDER_URI, Value::Text(uri.into()));
        })
    };
    assert_eq!(named("hushwing:s/somebody"), Err(OpenError::ForeignOrigin));
    assert!(named(origin().sender()).is_ok());
}

#[test]
fn expiry_far_away_is_refused() {
    let expiring = |expires| open_message(|message| message.expires = Some(expires));
    let now = u32::try_from(NOW.as_secs()).unwrap();
    let year = 366 * 86_400;
    for near in [
        Expiration::AfterReading(year),
        Expiration::At(now - year),
        Expiration::At(now + year),
    ] {
        assert!(expiring(near).is_ok(), "{near:?}");
    }
    for far in [
        Expiration::AfterReading(year + 1),
        Expiration::At(0),
        Expiration::At(u32::MAX),
    ] {
        assert_eq!(expiring(far), Err(OpenError::FarExpiry), "{far:?}");
    }
}

#[test]
fn unknown_content_is_unsupported_and_shown_with_care() {
    for disposition in [0, 1, 4, 6, 200] {
        let part = Part::single(Disposition(disposition), "Image/PNG;x=\u{1b}", vec![1]);
        let unsupported = Content::Unsupported {
            media_type: "image/png".into(),
        };
        assert_eq!(open_part(part), Ok(unsupported));
    }
    let nameless = Part::single(Disposition::RENDER, "\u{202e}", vec![]);
    let unsupported = Content::Unsupported {
        media_type: "application/octet-stream".into(),
    };
    assert_eq!(open_part(nameless), Ok(unsupported.clone()));
    assert_eq!(unsupported.compose(frame()), Err(ComposeError::NotSendable));
}

#[test]
fn unknown_control_content_of_hushwing_is_told_apart_from_what_is_to_be_shown() {
    let kind = "application/vnd.Hushwing.telepathy+cbor; v=1";
    let part = |disposition| Part::single(disposition, kind, vec![0x81, 1]);
    assert_eq!(
        open_part(part(Disposition::UNSPECIFIED)),
        Ok(Content::Newer)
    );
    assert_eq!(
        Content::Newer.compose(frame()),
        Err(ComposeError::NotSendable)
    );
    let misplaced = open_message(|message| {
        message.part = part(Disposition::UNSPECIFIED);
        message.replaces = Some(id(3));
    });
    assert_eq!(misplaced, Err(OpenError::Misplaced));
    assert!(matches!(
        open_part(part(Disposition::RENDER)),
        Ok(Content::Unsupported { .. })
    ));
}

#[test]
fn a_unit_is_shown_whole_or_not_at_all() {
    let readable = Part::single(Disposition::RENDER, "text/plain", b"seen".to_vec());
    let opaque = Part::single(Disposition::INLINE, "image/gif", vec![]);
    let several = |semantics| {
        let parts = vec![opaque.clone(), readable.clone()];
        let body = Body::Multi { semantics, parts };
        open_part(Part {
            disposition: Disposition::RENDER,
            language: String::new(),
            body,
        })
    };
    assert!(matches!(
        several(Semantics::SingleUnit),
        Ok(Content::Unsupported { .. })
    ));
    let Ok(Content::Post(post)) = several(Semantics::ProcessAll) else {
        panic!()
    };
    assert_eq!(
        (post.text.as_str(), post.unsupported),
        ("seen", vec!["image/gif".to_owned()])
    );
    let Ok(Content::Post(post)) = several(Semantics::ChooseOne) else {
        panic!()
    };
    assert_eq!((post.text.as_str(), post.unsupported.len()), ("seen", 0));
}

#[test]
fn text_is_cleaned_when_read() {
    let part = Part::single(
        Disposition::RENDER,
        "text/plain",
        b"a\x1b[2Jb\xe2\x80\xae".to_vec(),
    );
    assert_eq!(open_part(part), Ok(Content::Post(text("a[2Jb"))));
}

#[test]
fn malformed_meanings_are_told_apart() {
    let plain =
        |disposition, content: &[u8]| Part::single(disposition, "text/plain", content.to_vec());
    assert_eq!(
        open_part(Part::null(Disposition::RENDER)),
        Err(OpenError::Empty)
    );
    assert_eq!(
        open_part(plain(Disposition::RENDER, b"")),
        Err(OpenError::Empty)
    );
    assert!(matches!(
        open_part(plain(Disposition::RENDER, &[0xff])),
        Err(OpenError::Text(_))
    ));
    assert_eq!(
        open_part(plain(Disposition::REACTION, b"+1")),
        Err(OpenError::NoTarget)
    );
    for mark in ["", " ", "\u{202e}", "a b", &"x".repeat(65)] {
        let reaction = open_message(|message| {
            message.in_reply_to = Some(id(2));
            message.part = plain(Disposition::REACTION, mark.as_bytes());
        });
        assert_eq!(reaction, Err(OpenError::Mark), "{mark:?}");
    }
    let report = Content::Receipts(vec![]).compose(frame()).unwrap();
    let report = Message::decode(&report).unwrap().part;
    let misplaced = open_message(|message| {
        message.replaces = Some(id(2));
        message.part = report;
    });
    assert_eq!(misplaced, Err(OpenError::Misplaced));
    let unstamped = open_message(|message| message.extensions.0.clear());
    assert_eq!(unstamped, Err(OpenError::Stamp(StampError::Missing)));
}

#[test]
fn parts_nested_five_deep_are_refused() {
    let nest = |levels| {
        let leaf = Part::single(Disposition::RENDER, "text/plain", b"x".to_vec());
        (1..levels).fold(leaf.clone(), |inner, _| Part {
            disposition: Disposition::RENDER,
            language: String::new(),
            body: Body::Multi {
                semantics: Semantics::ProcessAll,
                parts: vec![inner, leaf.clone()],
            },
        })
    };
    assert!(Message::new(Salt([0; 16]), nest(4)).encode().is_ok());
    assert!(Message::new(Salt([0; 16]), nest(5)).encode().is_err());
}

#[test]
fn more_than_1024_parts_and_huge_messages_are_refused() {
    let list = |parts| Part {
        disposition: Disposition::RENDER,
        language: String::new(),
        body: Body::Multi {
            semantics: Semantics::ProcessAll,
            parts,
        },
    };
    let half = || list(vec![Part::null(Disposition::RENDER); 600]);
    assert!(Message::new(Salt([0; 16]), half()).encode().is_ok());
    assert!(
        Message::new(Salt([0; 16]), list(vec![half(), half()]))
            .encode()
            .is_err()
    );

    let long = SyntaxError::TooLong {
        got: MAX_MESSAGE + 1,
        most: MAX_MESSAGE,
    };
    assert_eq!(
        Message::decode(&vec![0; MAX_MESSAGE + 1]),
        Err(DecodeError::Syntax(long))
    );
}

#[test]
fn every_truncation_and_every_extra_byte_is_refused() {
    for content in every_kind() {
        let bytes = content.compose(frame()).unwrap();
        for end in 0..bytes.len() {
            assert!(Message::decode(&bytes[..end]).is_err(), "cut at {end}");
        }
        let longer = [bytes.as_slice(), &[0]].concat();
        assert_eq!(
            Message::decode(&longer),
            Err(DecodeError::Syntax(SyntaxError::Trailing))
        );
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn decoding_is_the_inverse_of_encoding_on_any_bytes(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        if let Ok(message) = Message::decode(&bytes) {
            prop_assert_eq!(message.encode().unwrap(), bytes);
        }
    }

    #[test]
    fn a_changed_byte_never_gives_the_same_message(
        which in any::<prop::sample::Index>(), at in any::<prop::sample::Index>(), flip in 1_u8..,
    ) {
        let kinds = every_kind();
        let bytes = which.get(&kinds).compose(frame()).unwrap();
        let mut changed = bytes.clone();
        changed[at.index(bytes.len())] ^= flip;
        if let Ok(message) = Message::decode(&changed) {
            prop_assert_eq!(message.encode().unwrap(), changed.clone());
            prop_assert_ne!(message, Message::decode(&bytes).unwrap());
        }
        let _ = open(&changed, &origin(), NOW);
    }

    #[test]
    fn any_text_survives_as_it_is_shown(body in "\\PC{1,80}", lamport in 0_u64..1 << 53) {
        let text = Text::new(&body).unwrap();
        prop_assume!(!text.as_str().is_empty());
        let content = Content::Post(Post::new(text, None));
        let mut frame = frame();
        frame.stamp.lamport = Lamport::new(lamport).unwrap();
        let opened = open(&content.compose(frame).unwrap(), &origin(), NOW).unwrap();
        prop_assert_eq!(opened.content, content);
        prop_assert_eq!(opened.stamp.lamport.get(), lamport);
    }
}

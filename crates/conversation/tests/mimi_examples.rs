//! The draft's own examples, byte for byte.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

use hushwing_conversation::content::{
    Content, Expiration, Extensions, Message, MessageId, OpenError, Origin, Status, decode_receipts,
};

struct Example {
    name: String,
    id: MessageId,
    bytes: Vec<u8>,
}

impl Example {
    fn message(&self) -> Message {
        Message::decode(&self.bytes).unwrap_or_else(|error| panic!("{}: {error}", self.name))
    }

    fn content(&self) -> Result<Content, OpenError> {
        Content::read(&self.message())
    }
}

fn unhex(text: &str) -> Vec<u8> {
    let pair = |at| u8::from_str_radix(&text[at..at + 2], 16).unwrap();
    (0..text.len()).step_by(2).map(pair).collect()
}

fn examples() -> Vec<Example> {
    let lines = include_str!("vectors/mimi-content-08.txt").lines();
    let examples = lines.filter(|line| !line.starts_with('#')).map(|line| {
        let [name, id, bytes] = line.split(' ').collect::<Vec<_>>().try_into().unwrap();
        Example {
            name: name.into(),
            id: id.parse().unwrap(),
            bytes: unhex(bytes),
        }
    });
    examples.collect()
}

fn example(name: &str) -> Example {
    examples()
        .into_iter()
        .find(|example| example.name == name)
        .unwrap()
}

#[test]
fn every_example_decodes_and_encodes_to_the_same_bytes() {
    assert_eq!(examples().len(), 14);
    for example in examples() {
        assert_eq!(
            example.message().encode().unwrap(),
            example.bytes,
            "{}",
            example.name
        );
    }
}

#[test]
fn every_example_has_the_stated_message_id() {
    for example in examples() {
        let message = example.message();
        let uri = |key| message.extensions.text(&key).unwrap();
        let origin =
            Origin::from_uris(uri(Extensions::SENDER_URI), uri(Extensions::ROOM_URI)).unwrap();
        assert!(message.agrees_with(&origin));
        let id = MessageId::derive(&origin, &example.bytes, &message.salt);
        assert_eq!(id, example.id, "{}", example.name);
    }
}

#[test]
fn the_examples_mean_what_the_draft_says() {
    let original = example("original").id;
    let reply = example("reply").id;
    let reaction = example("reaction").id;

    let Ok(Content::Post(post)) = example("reply").content() else {
        panic!()
    };
    assert_eq!(post.reply_to, Some(original));
    assert_eq!(post.text.as_str(), "Right on! _Congratulations_ 'all!");

    let Ok(Content::Edit { target, post }) = example("edit").content() else {
        panic!()
    };
    assert_eq!(target, reply);
    assert_eq!(post.text.as_str(), "Right on! _Congratulations_ y'all!");

    assert_eq!(
        example("delete").content(),
        Ok(Content::Delete { target: reply })
    );
    assert_eq!(
        example("unlike").content(),
        Ok(Content::Unreact { reaction })
    );

    let Ok(Content::Reaction {
        target,
        mark,
        replaces,
    }) = example("reaction").content()
    else {
        panic!()
    };
    assert_eq!((target, mark.as_str(), replaces), (original, "❤", None));

    assert_eq!(
        example("expiring").message().expires,
        Some(Expiration::At(1_644_390_004))
    );
}

#[test]
fn an_attachment_is_named_but_its_place_is_not_shown() {
    let Ok(Content::Post(post)) = example("attachment").content() else {
        panic!()
    };
    assert_eq!(post.text.as_str(), "");
    let [attachment] = post.attachments.as_slice() else {
        panic!()
    };
    assert_eq!(attachment.media_type, "video/mp4");
    assert_eq!(attachment.name.as_deref(), Some("bigfile.mp4"));
    assert_eq!(
        attachment.description.as_deref(),
        Some("2 hours of key signing video")
    );
    assert_eq!(attachment.size, Some(708_234_961));
}

#[test]
fn content_that_cannot_be_shown_is_unsupported() {
    let unsupported = |media_type: &str| {
        Ok(Content::Unsupported {
            media_type: media_type.into(),
        })
    };
    assert_eq!(example("mention-html").content(), unsupported("text/html"));
    assert_eq!(example("multipart-3").content(), unsupported("text/html"));
}

#[test]
fn of_alternatives_the_readable_one_is_taken() {
    let Ok(Content::Post(post)) = example("multipart-1").content() else {
        panic!()
    };
    assert!(!post.text.as_str().is_empty());
    assert_eq!(post.unsupported, Vec::<String>::new());
}

#[test]
fn of_several_reactions_the_first_is_taken() {
    // The draft's example has no target; a reaction to nothing means nothing.
    let mut message = example("multipart-2").message();
    assert_eq!(Content::read(&message), Err(OpenError::NoTarget));
    message.in_reply_to = Some(example("original").id);
    let Ok(Content::Reaction { mark, .. }) = Content::read(&message) else {
        panic!()
    };
    assert_eq!(mark.as_str(), "❤");
}

/// The example of draft-mahy-mimi-message-status-01, section 5.
#[test]
fn the_status_report_example_decodes() {
    let entries = [
        ("original", 2),
        ("reply", 2),
        ("mention", 0),
        ("expiring", 3),
    ];
    let mut report = vec![0x84];
    for (name, status) in entries {
        report.extend_from_slice(&[0x82, 0x58, 0x20]);
        report.extend_from_slice(example(name).id.as_bytes());
        report.push(status);
    }
    let receipts = decode_receipts(&report).unwrap();
    let statuses: Vec<_> = receipts.iter().map(|receipt| receipt.status).collect();
    assert_eq!(
        statuses,
        [Status::READ, Status::READ, Status::UNREAD, Status::EXPIRED]
    );
    assert_eq!(receipts[3].message, example("expiring").id);
}

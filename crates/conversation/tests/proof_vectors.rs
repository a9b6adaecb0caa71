//! The bytes of proofs, as a second model in another language
//! (`interop/vectors/proof.py`) makes them.
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
    Content, Frame, Lamport, Message, MessageId, Origin, Post, Salt, Signature, SignedReceipt,
    Stamp, Text, Wish, decode_signed, encode_signed,
};
use hushwing_conversation::proof::{
    CheckError, Confirmation, IdentityKey, Proof, ReceiptProof, Received, Said, Wished, check,
    digest,
};
use hushwing_sansio::Timestamp;

fn vectors() -> BTreeMap<String, Vec<u8>> {
    let lines = include_str!("vectors/hushwing-proof-1.txt").lines();
    let rows = lines.filter(|line| !line.starts_with('#'));
    rows.map(|row| {
        let (name, value) = row.split_once(' ').unwrap();
        (name.to_owned(), hex::decode(value).unwrap())
    })
    .collect()
}

fn author() -> IdentityKey {
    IdentityKey::from_seed(&[1; 32])
}

fn audience() -> IdentityKey {
    IdentityKey::from_seed(&[2; 32])
}

fn content() -> Vec<u8> {
    let frame = Frame {
        salt: Salt(core::array::from_fn(|at| u8::try_from(at).unwrap())),
        stamp: Stamp {
            lamport: Lamport::new(41).unwrap(),
            sent: Timestamp::from_millis(1_790_000_000_123),
        },
        expires: None,
    };
    let post = Post::new(Text::new("Grüße, 👋").unwrap(), None);
    Content::Post(post).compose(frame).unwrap()
}

fn said() -> Said {
    Said {
        conversation: ConversationId([9; 16]),
        author: author().public(),
        audience: audience().public(),
        content: digest(&content()),
    }
}

fn received(status: Confirmation, millis: u64) -> Received {
    Received {
        said: said(),
        status,
        at: Timestamp::from_millis(millis),
    }
}

fn both() -> [Received; 2] {
    [
        received(Confirmation::Delivered, 1_790_000_001_000),
        received(Confirmation::Read, 1_790_000_002_000),
    ]
}

fn proof() -> Proof {
    let receipts = both().map(|received| ReceiptProof {
        status: received.status,
        at: received.at,
        signature: received.sign(&audience()),
    });
    Proof {
        conversation: said().conversation,
        author: said().author,
        audience: said().audience,
        content: content(),
        signature: said().sign(&author()),
        receipts: receipts.to_vec(),
    }
}

#[test]
fn wishes_and_keys_are_those_of_the_second_model() {
    let vectors = vectors();
    assert_eq!(author().public().as_bytes().as_slice(), vectors["author"]);
    assert_eq!(
        audience().public().as_bytes().as_slice(),
        vectors["audience"]
    );
    assert_eq!(Wish::Normal.encode(), vectors["wish-normal"]);
    let wished = Wished {
        conversation: ConversationId([9; 16]),
        sender: [3; 32],
        receiver: [4; 32],
    };
    assert_eq!(wished.encode(), vectors["wished"]);
    let wish = Wish::Provable {
        key: author().public(),
        proof: wished.sign(&author()),
    };
    assert_eq!(wish.encode(), vectors["wish-provable"]);
}

#[test]
fn statements_and_signatures_are_those_of_the_second_model() {
    let vectors = vectors();
    assert_eq!(content(), vectors["content"]);
    assert_eq!(said().encode(), vectors["said"]);
    assert_eq!(said().sign(&author()).as_slice(), vectors["said-signature"]);
    for (received, name) in both().into_iter().zip(["delivered", "read"]) {
        assert_eq!(received.encode(), vectors[&format!("received-{name}")]);
        assert_eq!(
            received.sign(&audience()).as_slice(),
            vectors[&format!("{name}-signature")]
        );
    }
}

#[test]
fn signed_messages_and_receipts_are_those_of_the_second_model() {
    let vectors = vectors();
    let signature = Signature {
        author: said().author,
        audience: said().audience,
        bytes: said().sign(&author()),
    };
    let signed = signature.put_into(&content()).unwrap();
    assert_eq!(signed, vectors["signed-message"]);
    let origin = Origin::new(&1_u32.to_be_bytes(), &[9; 16]).unwrap();
    let salt = Message::decode(&signed).unwrap().salt;
    let id = MessageId::derive(&origin, &signed, &salt);
    assert_eq!(id.as_bytes().as_slice(), vectors["message-id"]);
    let report = both().map(|received| SignedReceipt {
        message: id,
        status: received.status,
        at: received.at,
        signature: received.sign(&audience()),
    });
    assert_eq!(encode_signed(&report), vectors["signed-receipts"]);
    assert_eq!(
        decode_signed(&vectors["signed-receipts"]),
        Ok(report.into())
    );
}

#[test]
fn the_proof_is_that_of_the_second_model_and_good() {
    let vectors = vectors();
    assert_eq!(proof().encode(), vectors["proof"]);
    assert_eq!(proof().to_text().into_bytes(), vectors["proof-text"]);
    let proved = check(&vectors["proof-text"]).unwrap();
    assert_eq!(proved.author, author().public());
    assert_eq!(proved.content.to_plain(), "Grüße, 👋");
    assert_eq!(proved.received.len(), 2);
}

#[test]
fn every_changed_byte_is_noticed() {
    let text = vectors().remove("proof-text").unwrap();
    for at in 0..text.len() {
        for bits in [0x01, 0x20, 0x80] {
            let mut changed = text.clone();
            changed[at] ^= bits;
            assert!(check(&changed).is_err(), "byte {at} by {bits}");
        }
    }
}

#[test]
fn what_fits_in_form_and_not_in_meaning_is_refused() {
    let verdict = |bend: &dyn Fn(&mut Proof)| {
        let mut proof = proof();
        bend(&mut proof);
        check(proof.to_text().as_bytes()).err()
    };
    assert_eq!(verdict(&|_| {}), None);
    let author_wrong = Some(CheckError::Author);
    let swapped = |proof: &mut Proof| {
        core::mem::swap(&mut proof.author, &mut proof.audience);
    };
    assert_eq!(verdict(&swapped), author_wrong);
    let elsewhere = |proof: &mut Proof| proof.conversation = ConversationId([8; 16]);
    assert_eq!(verdict(&elsewhere), author_wrong);
    let twice = |proof: &mut Proof| proof.receipts.push(proof.receipts[1]);
    assert!(matches!(verdict(&twice), Some(CheckError::Proof(_))));
    let backwards = |proof: &mut Proof| proof.receipts.reverse();
    assert!(matches!(verdict(&backwards), Some(CheckError::Proof(_))));
    let earlier = |proof: &mut Proof| proof.receipts[0].at = Timestamp::from_millis(1);
    assert_eq!(verdict(&earlier), Some(CheckError::Receipt));
    let by_the_author = |proof: &mut Proof| {
        proof.receipts[0].signature = proof.received(&proof.receipts[0]).sign(&author());
    };
    assert_eq!(verdict(&by_the_author), Some(CheckError::Receipt));
    // Signed, but of a kind that nobody signs, or with a signature inside.
    let signed = |proof: &mut Proof| {
        proof.content = vectors().remove("signed-message").unwrap();
        proof.receipts.clear();
        proof.signature = proof.said().sign(&author());
    };
    assert_eq!(verdict(&signed), Some(CheckError::Unsignable));
    let control = |proof: &mut Proof| {
        let frame = Frame {
            salt: Salt([1; 16]),
            stamp: Stamp {
                lamport: Lamport::default(),
                sent: Timestamp::from_secs(1_790_000_000),
            },
            expires: None,
        };
        proof.content = Content::Mode(Wish::Normal).compose(frame).unwrap();
        proof.receipts.clear();
        proof.signature = proof.said().sign(&author());
    };
    assert_eq!(verdict(&control), Some(CheckError::Unsignable));
    let without = |proof: &mut Proof| proof.receipts.clear();
    assert_eq!(verdict(&without), None);
}

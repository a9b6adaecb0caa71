//! Seals against vectors made elsewhere.
use std::collections::VecDeque;

use crate::desk::{Desk, MAILBOX, letter};
use hushwing_delivery::{FirstContactSecret, MailboxKeys, PostOffice, SealKey};
use hushwing_sansio::{Context, Entropy, Moment, Timestamp};

/// One vector of draft-connolly-cfrg-xwing-kem-06, appendix C.
struct Vector {
    seed: [u8; 32],
    eseed: [u8; 64],
    pk: Vec<u8>,
    ct: Vec<u8>,
}

/// Bytes in the order given; what the office draws for itself comes first.
struct Given(VecDeque<u8>);

impl Entropy for Given {
    fn fill(&mut self, dest: &mut [u8]) {
        for byte in dest {
            *byte = self.0.pop_front().unwrap_or(0xEE);
        }
    }
}

fn vectors() -> Vec<Vector> {
    let text = include_str!("vectors/xwing-06.txt");
    let mut vectors = Vec::new();
    let mut fields = text.lines().filter_map(|line| {
        let (name, value) = line.split_once(" = ")?;
        Some((name, unhex(value)))
    });
    while let Some((name, seed)) = fields.next() {
        assert_eq!(name, "seed");
        let mut next = |wanted: &str| {
            let (name, value) = fields.next().unwrap();
            assert_eq!(name, wanted);
            value
        };
        vectors.push(Vector {
            seed: seed.try_into().unwrap(),
            eseed: next("eseed").try_into().unwrap(),
            pk: next("pk"),
            ct: next("ct"),
        });
    }
    vectors
}

fn unhex(text: &str) -> Vec<u8> {
    (0..text.len())
        .step_by(2)
        .map(|at| u8::from_str_radix(&text[at..at + 2], 16).unwrap())
        .collect()
}

#[test]
fn x_wing_keys_and_encapsulations_are_those_of_the_draft() {
    let vectors = vectors();
    assert_eq!(vectors.len(), 3);
    for vector in vectors {
        let secret = FirstContactSecret::from_seed(vector.seed);
        let public = secret.public().unwrap();
        assert_eq!(public.as_slice(), vector.pk);

        let mut desk = Desk::new(1);
        let mut letter = letter(&["a"], b"hello");
        letter.to[0].seal = SealKey::FirstContact(public);
        // The repeat id is drawn first, then the encapsulation's randomness.
        let mut given = Given([0; 16].into_iter().chain(vector.eseed).collect());
        let now = Moment::from_origin(desk.now);
        let mut cx = Context::new(now, Timestamp::from_secs(1), &mut given);
        desk.office = PostOffice::open(&mut desk.storage).unwrap();
        desk.office
            .post(&mut cx, &mut desk.storage, &letter)
            .unwrap();
        let envelope = desk.sent().remove(0).envelope;
        assert_eq!(envelope.bytes()[..1_120], vector.ct);

        desk.put_mailbox(MAILBOX, MailboxKeys::first_contact(secret));
        desk.receive(MAILBOX, envelope);
        assert_eq!(desk.incoming(), [b"hello"]);
    }
}

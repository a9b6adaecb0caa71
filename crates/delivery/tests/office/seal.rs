//! Seals against vectors made elsewhere.
use std::collections::VecDeque;

use crate::desk::{Desk, MAILBOX, letter};
use hushwing_delivery::{Envelope, FirstContactSecret, MailboxKeys, PostOffice, SealKey};
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

/// The other HPKE implementation in the house, the one under MLS.
mod other {
    use openmls_rust_crypto::RustCrypto;
    use openmls_traits::crypto::OpenMlsCrypto;
    use openmls_traits::types::{
        HpkeAeadType, HpkeCiphertext, HpkeConfig, HpkeKdfType, HpkeKemType,
    };

    const INFO: &[u8] = b"hushwing first contact 1";

    fn suite() -> HpkeConfig {
        HpkeConfig(
            HpkeKemType::XWingKemDraft6,
            HpkeKdfType::HkdfSha256,
            HpkeAeadType::ChaCha20Poly1305,
        )
    }

    pub(super) fn open(seed: &[u8; 32], envelope: &[u8]) -> Vec<u8> {
        let (encapsulation, ciphertext) = envelope.split_at(1_120);
        let sealed = HpkeCiphertext {
            kem_output: encapsulation.to_vec().into(),
            ciphertext: ciphertext.to_vec().into(),
        };
        RustCrypto::default()
            .hpke_open(suite(), &sealed, seed, INFO, &[])
            .unwrap()
    }

    pub(super) fn seal(public: &[u8], payload: &[u8]) -> Vec<u8> {
        let sealed = RustCrypto::default()
            .hpke_seal(suite(), public, INFO, &[], payload)
            .unwrap();
        [sealed.kem_output.as_slice(), sealed.ciphertext.as_slice()].concat()
    }
}

#[test]
fn another_hpke_opens_what_we_seal_and_seals_what_we_open() {
    let seed = [3; 32];
    let secret = FirstContactSecret::from_seed(seed);
    let public = secret.public().unwrap();
    let mut to_stranger = letter(&["a"], b"hello");
    to_stranger.to[0].seal = SealKey::FirstContact(public.clone());
    let mut sender = Desk::new(2);
    sender.post(&to_stranger);
    let payload = other::open(&seed, sender.sent().remove(0).envelope.bytes());

    assert_eq!(payload.len(), 13_600);
    assert_eq!(payload[..2], [1, 0]);
    assert_eq!(payload[18..31], *b"\0\0\0\x01\0\0\0\x05hello");
    assert!(payload[31..].iter().all(|byte| *byte == 0));

    let sealed = other::seal(public.as_slice(), &payload);
    let envelope = Envelope::first_contact(sealed).unwrap();
    let mut recipient = Desk::new(3);
    recipient.put_mailbox(MAILBOX, MailboxKeys::first_contact(secret));
    recipient.receive(MAILBOX, envelope);
    assert_eq!(recipient.incoming(), [b"hello"]);
}

/// Each part of a letter, with the randomness the vectors name.
#[test]
fn regular_envelopes_are_those_of_the_second_model() {
    let lines = include_str!("vectors/regular.txt").lines();
    let vectors: Vec<Vec<&str>> = lines
        .filter(|line| !line.starts_with('#'))
        .map(|line| line.split(' ').collect())
        .collect();
    for length in [0, 5, 40_000] {
        let bytes: Vec<u8> = match length {
            5 => b"hello".to_vec(),
            length => (0..length).map(|at| (at % 251) as u8).collect(),
        };
        let parts: Vec<_> = vectors
            .iter()
            .filter(|fields| fields[0] == length.to_string())
            .collect();
        let nonces = parts.iter().flat_map(|fields| unhex(fields[1]));
        let mut given = Given((0..16).chain(nonces).collect());
        let mut sender = Desk::new(4);
        let now = Moment::from_origin(sender.now);
        let mut cx = Context::new(now, Timestamp::from_secs(1), &mut given);
        let letter = letter(&["a"], &bytes);
        sender
            .office
            .post(&mut cx, &mut sender.storage, &letter)
            .unwrap();
        let sent = sender.sent();
        assert_eq!(sent.len(), parts.len());
        for (sent, fields) in sent.iter().zip(parts) {
            let envelope = sent.envelope.bytes();
            assert_eq!(envelope[24..88], unhex(fields[2]));
            assert_eq!(envelope[15_024..], unhex(fields[3]));
        }
    }
}

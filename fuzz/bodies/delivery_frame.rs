//! What a contact seals into an envelope may be anything; the inbox shows at
//! most one letter for it and acknowledges it in any case.

use chacha20poly1305::aead::AeadInPlace;
use chacha20poly1305::{KeyInit, XChaCha20Poly1305, XNonce};
use hushwing_delivery::{
    Envelope, MailboxId, MailboxKeys, MemoryStorage, NetworkEvent, NetworkTag, PostOffice,
    REGULAR_PAYLOAD, ReceiptId,
};
use hushwing_sansio::{Context, Entropy, Moment, Timestamp};

const MAILBOX: MailboxId = MailboxId(1);

struct Zeros;

impl Entropy for Zeros {
    fn fill(&mut self, dest: &mut [u8]) {
        dest.fill(0);
    }
}

pub(crate) fn run(data: &[u8]) {
    let mut storage = MemoryStorage::new();
    let mut office = PostOffice::open(&mut storage).unwrap();
    let keys = MailboxKeys::shared([7; 32]);
    office
        .put_mailbox(&mut storage, MAILBOX, NetworkTag::TOY, keys)
        .unwrap();
    let mut zeros = Zeros;
    let mut cx = Context::new(Moment::default(), Timestamp::from_secs(1), &mut zeros);
    // A frame is a head of 26 bytes and mostly zeros: a short input is the
    // beginning of one frame, a longer one of several.
    for (number, start) in data.chunks(64).enumerate() {
        let mut frame = start.to_vec();
        frame.resize(REGULAR_PAYLOAD, 0);
        let event = NetworkEvent::Received {
            mailbox: MAILBOX,
            receipt: ReceiptId(number as u64),
            envelope: seal(frame),
        };
        office
            .handle_network(&mut cx, &mut storage, NetworkTag::TOY, event)
            .unwrap();
        assert!(office.poll_command().is_some(), "not acknowledged");
    }
    let letters = std::iter::from_fn(|| office.poll_event()).count();
    assert!(letters <= data.len().div_ceil(64));
}

fn seal(mut frame: Vec<u8>) -> Envelope {
    let tag = XChaCha20Poly1305::new(&[7; 32].into())
        .encrypt_in_place_detached(&XNonce::default(), b"hushwing envelope 1", &mut frame)
        .unwrap();
    Envelope::regular([&[0; 24], frame.as_slice(), tag.as_slice()].concat()).unwrap()
}

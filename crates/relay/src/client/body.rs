//! How an envelope lies in the body of `SEND` (`protocol/smp.md` 10).
//!
//! Lengths and headers are those of other SMP traffic, so that a server cannot
//! tell whose queue it serves. Envelopes look random; nothing is encrypted
//! again here.

use hushwing_delivery::Envelope;
use hushwing_sansio::Context;

use crate::wire::{DhPublic, Malformed, Reader, Writer};

/// SMP client version in the header.
const CLIENT_VERSION: u16 = 4;

/// Length of a body with a regular envelope: header 3, nonce 24, tag 16, and
/// content of 16,000 bytes in other traffic.
pub const REGULAR_LEN: usize = 3 + 24 + 16 + 16_000;

/// Length of a body with a first contact: a key in the header, content of
/// 15,904 bytes.
pub const FIRST_CONTACT_LEN: usize = 3 + 45 + 24 + 16 + 15_904;

/// Where the X25519 half of an X-Wing encapsulation begins: after the
/// ML-KEM-768 ciphertext.
const KEM_LEN: usize = 1_088;

/// Both fit the smallest limit of the versions we speak (8 to 10).
const _: () = assert!(REGULAR_LEN <= 16_064 && FIRST_CONTACT_LEN <= 16_064);
const _: () = assert!(3 + Envelope::REGULAR <= REGULAR_LEN);
const _: () = assert!(3 + 45 + Envelope::FIRST_CONTACT - 32 <= FIRST_CONTACT_LEN);

/// The body that carries `envelope`, filled up with random bytes.
///
/// # Errors
///
/// [`Malformed`] never for an [`Envelope`], whose lengths are checked.
pub fn encode(cx: &mut Context<'_>, envelope: &Envelope) -> Result<Vec<u8>, Malformed> {
    let mut body = Vec::with_capacity(REGULAR_LEN);
    let mut w = Writer::new(&mut body);
    w.u16(CLIENT_VERSION);
    let len = if envelope.is_first_contact() {
        let (kem, rest) = envelope
            .bytes()
            .split_at_checked(KEM_LEN)
            .ok_or(Malformed)?;
        let (key, rest) = rest.split_first_chunk::<32>().ok_or(Malformed)?;
        w.u8(b'1').str(&DhPublic(*key).to_spki()).raw(kem).raw(rest);
        FIRST_CONTACT_LEN
    } else {
        w.u8(b'0').raw(envelope.bytes());
        REGULAR_LEN
    };
    let used = body.len();
    body.resize(len, 0);
    cx.fill(body.get_mut(used..).ok_or(Malformed)?);
    Ok(body)
}

/// The envelope in a body.
///
/// # Errors
///
/// [`Malformed`] for a body that no Hushwing sent.
pub fn decode(body: &[u8]) -> Result<Envelope, Malformed> {
    let mut r = Reader::new(body);
    if r.u16()? != CLIENT_VERSION {
        return Err(Malformed);
    }
    let Some(key) = r.opt(DhPublic::read)? else {
        return Envelope::regular(r.take(Envelope::REGULAR)?.to_vec()).map_err(|_| Malformed);
    };
    let rest = Envelope::FIRST_CONTACT - KEM_LEN - 32;
    let bytes = [r.take(KEM_LEN)?, &key.0, r.take(rest)?].concat();
    Envelope::first_contact(bytes).map_err(|_| Malformed)
}

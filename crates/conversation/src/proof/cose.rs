//! COSE_Sign1 (RFC 9052 section 4.2) in the one form that is used here: EdDSA
//! in the protected header, nothing else anywhere, detached payload, no external
//! data.
//!
//! Ten constant bytes and a signature need no library, and one that takes other
//! forms of the same would take altered files for whole ones.

use super::key::SignatureBytes;
use crate::content::cbor::Writer;

/// The protected header `{1: -8}`: the algorithm is EdDSA.
const PROTECTED: [u8; 3] = [0xa1, 0x01, 0x27];
/// Tag 18, an array of 4, the protected header as byte string, the empty
/// unprotected header, no payload, the head of a byte string of 64.
const HEAD: [u8; 10] = [0xd2, 0x84, 0x43, 0xa1, 0x01, 0x27, 0xa0, 0xf6, 0x58, 0x40];
/// Bytes of a COSE_Sign1.
pub(super) const LENGTH: usize = HEAD.len() + 64;

/// What is signed for a payload: the Sig_structure of RFC 9052 section 4.4.
pub(super) fn to_be_signed(payload: &[u8]) -> Vec<u8> {
    let mut writer = Writer::new();
    writer
        .array(4)
        .text("Signature1")
        .bytes(&PROTECTED)
        .bytes(&[])
        .bytes(payload);
    writer.finish()
}

/// The COSE_Sign1 with this signature.
pub(super) fn wrap(signature: &SignatureBytes) -> Vec<u8> {
    [HEAD.as_slice(), signature].concat()
}

/// The signature in a COSE_Sign1; `None` for anything but the form above.
pub(super) fn unwrap(bytes: &[u8]) -> Option<SignatureBytes> {
    bytes.strip_prefix(&HEAD)?.try_into().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_head_is_what_the_writer_writes() {
        let signature = [7; 64];
        let mut writer = Writer::new();
        writer.tag(18).array(4).bytes(&PROTECTED);
        writer.map(0).null().bytes(&signature);
        assert_eq!(wrap(&signature), writer.finish());
        assert_eq!(wrap(&signature).len(), LENGTH);
        assert_eq!(unwrap(&wrap(&signature)), Some(signature));
    }

    #[test]
    fn other_forms_are_refused() {
        let good = wrap(&[7; 64]);
        for at in 0..HEAD.len() {
            let mut other = good.clone();
            other[at] ^= 1;
            assert_eq!(unwrap(&other), None, "{at}");
        }
        assert_eq!(unwrap(&good[..LENGTH - 1]), None);
        assert_eq!(unwrap(&[good.as_slice(), &[0]].concat()), None);
    }
}

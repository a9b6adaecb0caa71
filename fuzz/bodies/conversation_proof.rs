//! A proof file has one text, whatever it is worth; and so has a message one
//! form without its signature.

use hushwing_conversation::content::{Message, Signature};
use hushwing_conversation::proof::{Proof, check};

pub(crate) fn run(data: &[u8]) {
    let _ = check(data);
    if let Ok(proof) = Proof::from_text(data) {
        assert_eq!(Proof::from_text(proof.to_text().as_bytes()), Ok(proof));
    }
    if let Ok(proof) = Proof::decode(data) {
        assert_eq!(proof.encode(), data);
        // The armour hides nothing from the check.
        let _ = check(proof.to_text().as_bytes());
    }
    if let Ok(unsigned) = Signature::take_off(data) {
        assert!(Message::decode(&unsigned.content).is_ok());
        if let Some(Ok(signature)) = unsigned.signature {
            assert_eq!(signature.put_into(&unsigned.content).as_deref(), Ok(data));
        }
    }
}

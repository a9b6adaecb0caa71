//! What a member can learn of the signatures in its group, for tests of what it
//! could show to others.

use std::cell::RefCell;

use hushwing_sansio::Context;
use openmls_traits::signatures::{Signer, SignerError};
use openmls_traits::types::SignatureScheme;

use super::provider::Provider;
use super::{Crypto, Group, LeafKey, ladder};
use crate::MlsRows;

/// A message as who made it knows it.
pub(crate) struct Overheard {
    /// The bytes that were signed.
    pub(crate) signed: Vec<u8>,
    /// Their signature by the leaf.
    pub(crate) signature: [u8; 64],
    /// The MLS message.
    pub(crate) message: Vec<u8>,
}

/// Signs, and remembers what.
struct Recorder<'k> {
    key: &'k LeafKey,
    signed: RefCell<Vec<(Vec<u8>, Vec<u8>)>>,
}

impl Signer for Recorder<'_> {
    fn sign(&self, payload: &[u8]) -> Result<Vec<u8>, SignerError> {
        let signature = self.key.sign(payload)?;
        let made = (payload.to_vec(), signature.clone());
        self.signed.borrow_mut().push(made);
        Ok(signature)
    }

    fn signature_scheme(&self) -> SignatureScheme {
        self.key.signature_scheme()
    }
}

impl Group {
    /// As [`Group::encrypt`], with the signature that openmls made.
    pub(crate) fn overheard(
        &mut self,
        crypto: &Crypto,
        cx: &mut Context<'_>,
        rows: &mut dyn MlsRows,
        plaintext: &[u8],
        said_in: u64,
    ) -> Overheard {
        use tls_codec::Serialize as _;

        let provider = Provider::new(crypto, cx, rows);
        let recorder = Recorder {
            key: &self.key,
            signed: RefCell::default(),
        };
        self.mls.set_aad(ladder::first_said(said_in));
        let message = self.mls.create_message(&provider, &recorder, plaintext);
        let message = message.unwrap().tls_serialize_detached().unwrap();
        provider.end::<(), ()>(Ok(())).unwrap().unwrap();
        let mut signed = recorder.signed.into_inner();
        assert_eq!(signed.len(), 1, "a message is signed once");
        let (signed, signature) = signed.remove(0);
        Overheard {
            signed,
            signature: signature.try_into().unwrap(),
            message,
        }
    }
}

//! The seal before contact: HPKE (RFC 9180) in base mode with X-Wing.
//!
//! ```text
//! encapsulation (1,120) ‖ ciphertext (13,600) ‖ tag (16)
//! ```
//!
//! KEM 0x647a (X-Wing, draft-connolly-cfrg-xwing-kem-06), KDF 0x0001
//! (HKDF-SHA256), AEAD 0x0003 (ChaCha20-Poly1305). The last 512 of the 13,600
//! bytes are zero here: a guarded mailbox spends them on its admission proof.

use core::convert::Infallible;
use core::fmt;

use hpke::aead::{AeadTag, ChaCha20Poly1305};
use hpke::inout::InOutBuf;
use hpke::kdf::HkdfSha256;
use hpke::kem::XWing;
use hpke::rand_core::{TryCryptoRng, TryRng};
use hpke::{Deserializable, Kem, OpModeR, OpModeS, Serializable};
use hushwing_sansio::{Context, Entropy};
use zeroize::Zeroizing;

use super::SealError;
use crate::{Envelope, FIRST_CONTACT_PAYLOAD, GUARD_RESERVE};

/// HPKE `info`: keeps the key's use apart from any other.
const INFO: &[u8] = b"hushwing first contact 1";
const ENCAPSULATION: usize = 1_120;
/// Bytes of frame; the rest of the payload is the guard's reserve.
pub(super) const FRAME: usize = FIRST_CONTACT_PAYLOAD - GUARD_RESERVE;

/// The secret half of an invitation's sealing key: an X-Wing seed of 32 bytes.
///
/// `Debug` hides it; it is wiped when dropped.
#[derive(Clone, PartialEq, Eq)]
pub struct FirstContactSecret(Zeroizing<[u8; 32]>);

impl FirstContactSecret {
    /// A fresh secret.
    #[must_use]
    pub fn generate(cx: &mut Context<'_>) -> Self {
        Self::from_seed(cx.random())
    }

    /// The secret with this seed, for instance one read from storage.
    #[must_use]
    pub fn from_seed(seed: [u8; 32]) -> Self {
        Self(Zeroizing::new(seed))
    }

    /// The seed, to be stored.
    #[must_use]
    pub fn seed(&self) -> &[u8; 32] {
        &self.0
    }

    /// The public key for [`SealKey::FirstContact`](crate::SealKey).
    ///
    /// Costs an ML-KEM key generation: keep the answer.
    ///
    /// # Errors
    ///
    /// [`SealError`] only by a bug in the KEM's lengths.
    pub fn public(&self) -> Result<Box<[u8; 1216]>, SealError> {
        let public = XWing::sk_to_pk(&self.key().ok_or(SealError::Key)?);
        let mut bytes = Box::new([0; 1216]);
        bytes.copy_from_slice(&public.to_bytes());
        Ok(bytes)
    }

    fn key(&self) -> Option<<XWing as Kem>::PrivateKey> {
        <XWing as Kem>::PrivateKey::from_bytes(self.0.as_slice()).ok()
    }
}

impl fmt::Debug for FirstContactSecret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FirstContactSecret(..)")
    }
}

/// The driver's random source in the clothes the HPKE crate wants.
struct Lent<'a>(&'a mut dyn Entropy);

impl TryRng for Lent<'_> {
    type Error = Infallible;

    fn try_next_u32(&mut self) -> Result<u32, Infallible> {
        let mut bytes = [0; 4];
        self.0.fill(&mut bytes);
        Ok(u32::from_le_bytes(bytes))
    }

    fn try_next_u64(&mut self) -> Result<u64, Infallible> {
        let mut bytes = [0; 8];
        self.0.fill(&mut bytes);
        Ok(u64::from_le_bytes(bytes))
    }

    fn try_fill_bytes(&mut self, dest: &mut [u8]) -> Result<(), Infallible> {
        self.0.fill(dest);
        Ok(())
    }
}

impl TryCryptoRng for Lent<'_> {}

pub(super) fn seal(
    cx: &mut Context<'_>,
    public: &[u8; 1216],
    write: impl FnOnce(&mut [u8]),
) -> Result<Envelope, SealError> {
    let key = <XWing as Kem>::PublicKey::from_bytes(public).map_err(|_| SealError::Key)?;
    let mut bytes = vec![0; ENCAPSULATION + FIRST_CONTACT_PAYLOAD];
    let (head, payload) = bytes
        .split_first_chunk_mut::<ENCAPSULATION>()
        .ok_or(SealError::Length)?;
    write(payload.get_mut(..FRAME).ok_or(SealError::Length)?);
    let (encapsulation, tag) =
        hpke::single_shot_seal_inout_detached_with_rng::<ChaCha20Poly1305, HkdfSha256, XWing>(
            &OpModeS::Base,
            &key,
            INFO,
            InOutBuf::from(payload),
            &[],
            &mut Lent(cx.entropy()),
        )
        .map_err(|_| SealError::Key)?;
    head.copy_from_slice(&encapsulation.to_bytes());
    bytes.extend_from_slice(&tag.to_bytes());
    Envelope::first_contact(bytes).map_err(|_| SealError::Length)
}

pub(super) fn open(secret: &FirstContactSecret, envelope: &Envelope) -> Option<Vec<u8>> {
    if !envelope.is_first_contact() {
        return None;
    }
    let (encapsulation, sealed) = envelope.bytes().split_first_chunk::<ENCAPSULATION>()?;
    let (ciphertext, tag) = sealed.split_last_chunk::<16>()?;
    let encapsulation = <XWing as Kem>::EncappedKey::from_bytes(encapsulation).ok()?;
    let tag = AeadTag::<ChaCha20Poly1305>::from_bytes(tag).ok()?;
    let mut payload = ciphertext.to_vec();
    hpke::single_shot_open_inout_detached::<ChaCha20Poly1305, HkdfSha256, XWing>(
        &OpModeR::Base,
        &secret.key()?,
        &encapsulation,
        INFO,
        InOutBuf::from(payload.as_mut_slice()),
        &[],
        &tag,
    )
    .ok()?;
    // The reserve is the guard's; what stands there is not ours to judge.
    payload.truncate(FRAME);
    Some(payload)
}

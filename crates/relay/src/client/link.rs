//! The encryption of link data (`protocol/smp.md` 9).
//!
//! Everything follows from the link secret, which is the SHA3-256 hash of the
//! fixed data: the server, which stores the blobs, knows neither.

use aws_lc_rs::digest::{SHA3_256, digest};
use hushwing_delivery::Card;
use hushwing_sansio::Context;
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use crate::address::LINK_ID_LEN;
use crate::wire::block::hkdf;
use crate::wire::{BoxKey, LinkData, Malformed, NONCE_LEN, QueueMode, Reader, TAG_LEN, pad, unpad};

/// Length of the padded fixed data inside its box.
pub const FIXED_PADDED: usize = 2_008;
/// Length of the padded user data inside its box.
pub const USER_PADDED: usize = 13_784;
/// Most bytes of fixed data: a length and an empty signature field go off.
pub const MAX_FIXED: usize = FIXED_PADDED - 3;
/// Most bytes of a bundle: a length goes off. It begins with its own signature
/// field.
pub const MAX_USER: usize = USER_PADDED - 2;

/// The keys that follow from a link secret.
pub struct LinkKeys {
    /// The id of a reusable link.
    pub link_id: Option<[u8; LINK_ID_LEN]>,
    key: BoxKey,
}

impl LinkKeys {
    /// Derives them for the link of a queue in `mode`.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if the crypto library fails.
    pub fn derive(secret: &[u8; 32], mode: QueueMode) -> Result<Self, Malformed> {
        match mode {
            QueueMode::Messaging => {
                let mut key = Zeroizing::new([0; 32]);
                hkdf(&[], secret, b"SimpleXInvLink", key.as_mut_slice())?;
                Ok(Self {
                    link_id: None,
                    key: BoxKey::derive(&key),
                })
            }
            QueueMode::Contact => {
                let mut okm = Zeroizing::new([0; LINK_ID_LEN + 32]);
                hkdf(&[], secret, b"SimpleXContactLink", okm.as_mut_slice())?;
                let (id, key) = okm.split_first_chunk::<LINK_ID_LEN>().ok_or(Malformed)?;
                let key = Zeroizing::new(key.try_into().map_err(|_| Malformed)?);
                Ok(Self {
                    link_id: Some(*id),
                    key: BoxKey::derive(&key),
                })
            }
        }
    }

    /// Encrypts both halves of a card. The fixed data is proved by its hash,
    /// so its signature field is empty; the bundle comes with its own.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if one exceeds [`MAX_FIXED`] or [`MAX_USER`].
    pub fn seal(&self, cx: &mut Context<'_>, card: &Card) -> Result<SealedCard, Malformed> {
        let fixed = [[0].as_slice(), &card.fixed].concat();
        Ok(SealedCard {
            fixed: self.seal_blob(cx, &fixed, FIXED_PADDED)?,
            user: self.seal_blob(cx, &card.bundle, USER_PADDED)?,
        })
    }

    /// 24 bytes nonce, then the box.
    fn seal_blob(
        &self,
        cx: &mut Context<'_>,
        content: &[u8],
        padded: usize,
    ) -> Result<Vec<u8>, Malformed> {
        let nonce: [u8; NONCE_LEN] = cx.random();
        let mut blob = nonce.to_vec();
        blob.resize(NONCE_LEN + TAG_LEN, 0);
        pad(&mut blob, content, padded).map_err(|_| Malformed)?;
        let sealed = blob.get_mut(NONCE_LEN..).ok_or(Malformed)?;
        self.key.seal(&nonce, sealed)?;
        Ok(blob)
    }

    /// Opens both blobs and checks that the fixed data is what `secret` is the
    /// hash of.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if a blob was not made by a holder of the link, or made
    /// wrongly.
    pub fn open(&self, secret: &[u8; 32], data: &LinkData<'_>) -> Result<Opened, Malformed> {
        let fixed = self.open_blob(data.fixed)?;
        let mut r = Reader::new(&fixed);
        let _signature = r.str()?;
        let fixed = r.tail().to_vec();
        let bundle = self.open_blob(data.user)?;
        if link_secret(&fixed)?.ct_eq(secret).into() {
            Ok(Opened { fixed, bundle })
        } else {
            Err(Malformed)
        }
    }

    fn open_blob(&self, blob: &[u8]) -> Result<Vec<u8>, Malformed> {
        let (nonce, sealed) = blob.split_first_chunk::<NONCE_LEN>().ok_or(Malformed)?;
        let mut sealed = sealed.to_vec();
        let padded = self.key.open(nonce, &mut sealed).map_err(|_| Malformed)?;
        unpad(padded).map(<[u8]>::to_vec)
    }
}

/// A card as the server stores it.
pub struct SealedCard {
    /// 2,048 bytes.
    pub fixed: Vec<u8>,
    /// 13,824 bytes.
    pub user: Vec<u8>,
}

/// A card as it was published.
pub struct Opened {
    /// The fixed data.
    pub fixed: Vec<u8>,
    /// The user data.
    pub bundle: Vec<u8>,
}

/// SHA3-256 of the fixed data.
///
/// # Errors
///
/// [`Malformed`] never: the digest has 32 bytes.
pub fn link_secret(fixed: &[u8]) -> Result<[u8; 32], Malformed> {
    digest(&SHA3_256, fixed)
        .as_ref()
        .try_into()
        .map_err(|_| Malformed)
}

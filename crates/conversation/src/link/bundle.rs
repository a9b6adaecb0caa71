//! What a link leads to: everything needed to write a first letter.

use core::fmt;

use hushwing_sansio::Timestamp;

use super::secret::{Fixed, FixedError, RootKey, Secret};
use super::uri::Kind;
use crate::ConversationId;
use crate::content::cbor::{Reader, SyntaxError, Writer, whole};
use crate::content::shown::{MAX_NAME, clean_name};
use crate::content::{Profile, ProfileError, read_list, write_list};

/// Version of the encoding.
const VERSION: u64 = 1;
/// Bytes of an encoded bundle without signature: with the signature and its
/// length it fits the 13,782 bytes that SMP leaves for the user data of a
/// short link.
pub const MAX_BUNDLE: usize = 13_700;
/// Bytes that SMP leaves.
const SMP_USER_DATA: usize = 13_784 - 2;
const _: () = assert!(1 + 64 + MAX_BUNDLE <= SMP_USER_DATA);
/// What the signature covers before the bundle.
const CONTEXT: &[u8] = b"hushwing link bundle 1\0";

/// An X-Wing public key (1,216 bytes: ML-KEM-768, then X25519).
#[derive(Clone, PartialEq, Eq)]
pub struct SealingKey(pub Box<[u8; 1_216]>);

/// What a link leads to.
#[derive(Clone, PartialEq, Eq)]
pub struct Bundle {
    /// Above that of every bundle of this link before.
    pub revision: u64,
    /// Whether one or many may use it; must be the kind the link says.
    pub kind: Kind,
    /// Whole seconds since the Unix epoch after which it must not be used.
    pub expires: Option<u64>,
    /// An MLS KeyPackage message as that layer encodes it.
    pub key_package: Vec<u8>,
    /// What first letters are sealed to.
    pub sealing_key: SealingKey,
    /// Further `delivery::Address` values as that room encodes them, besides
    /// where the bundle was found.
    pub addresses: Vec<Vec<u8>>,
    /// Who invites, as far as that is told before the first letter.
    pub preview: Option<Profile>,
    /// The group it leads into, if it does.
    pub group: Option<GroupPreview>,
}

/// The group a link leads into. `Debug` hides its name.
#[derive(Clone, PartialEq, Eq)]
pub struct GroupPreview {
    /// Its id: which offer is the one that was asked for.
    pub group: ConversationId,
    /// What it called itself when the bundle was signed.
    pub name: String,
}

/// Why a bundle cannot be signed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SignError {
    /// Over [`MAX_BUNDLE`] bytes, so no server would keep it.
    #[error("a bundle of {0} bytes is too long")]
    TooLong(usize),
    /// More addresses than 16, or one over 2,560 bytes.
    #[error("too many or too long addresses")]
    Addresses,
}

/// Why a bundle cannot be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum BundleError {
    /// The fixed data is not that of the link.
    #[error(transparent)]
    Fixed(#[from] FixedError),
    /// No signature, or not by the root key.
    #[error("bundle is not signed by the link's maker")]
    Signature,
    /// Signed, but not the canonical CBOR of a bundle.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// Made by a newer program.
    #[error("bundle of newer version {0}")]
    Newer(u64),
    /// The preview is malformed.
    #[error(transparent)]
    Preview(#[from] ProfileError),
    /// Nothing in the name of the group it leads into can be seen.
    #[error("a group without a name")]
    Group,
    /// The link says one-time and the bundle reusable, or the reverse.
    #[error("bundle is of another kind than the link")]
    WrongKind,
    /// Its time is over.
    #[error("invitation expired")]
    Expired,
}

impl Bundle {
    /// Encodes and signs: byte `64`, the signature over
    /// `"hushwing link bundle 1" ‖ 0x00 ‖ bundle`, then the bundle in CBOR.
    ///
    /// # Errors
    ///
    /// [`SignError`] if it is over a limit.
    pub fn sign(&self, root: &RootKey) -> Result<Vec<u8>, SignError> {
        let mut writer = Writer::new();
        let preview = self.preview.as_ref().map(Profile::encode);
        write(self, preview.as_deref(), &mut writer);
        let bundle = writer.finish();
        if bundle.len() > MAX_BUNDLE {
            return Err(SignError::TooLong(bundle.len()));
        }
        Self::decode(&bundle).map_err(|_| SignError::Addresses)?;
        let signature = root.sign(&signed(&bundle));
        Ok([&[64], signature.as_slice(), &bundle].concat())
    }

    fn decode(bytes: &[u8]) -> Result<Self, BundleError> {
        let (mut bundle, preview) = whole(bytes, MAX_BUNDLE, read, |(bundle, preview), writer| {
            write(bundle, preview.as_deref(), writer);
        })?;
        bundle.preview = match preview.map(|preview| Profile::decode(&preview)).transpose() {
            // A preview is no reason to refuse an invitation from the future.
            Err(ProfileError::Newer(_)) => None,
            preview => preview?,
        };
        if let Some(group) = &mut bundle.group {
            group.name = clean_name(&group.name).ok_or(BundleError::Group)?;
        }
        Ok(bundle)
    }
}

/// Reads a bundle and leaves its preview encoded: a name is cleaned when it is
/// decoded, and the bundle must be compared as it came.
fn read(reader: &mut Reader<'_>) -> Result<(Bundle, Option<Vec<u8>>), BundleError> {
    match reader.versioned(VERSION, 9)? {
        VERSION => {}
        newer => return Err(BundleError::Newer(newer)),
    }
    let mut bundle = Bundle {
        revision: reader.unsigned()?,
        kind: if reader.bool()? {
            Kind::Reusable
        } else {
            Kind::OneTime
        },
        expires: reader.nullable(Reader::unsigned)?,
        key_package: reader.bytes(MAX_BUNDLE)?.to_vec(),
        sealing_key: SealingKey(Box::new(reader.fixed()?)),
        addresses: read_list(reader)?,
        preview: None,
        group: None,
    };
    let preview = reader.nullable(|reader| reader.bytes(MAX_BUNDLE).map(<[u8]>::to_vec))?;
    bundle.group = reader.nullable(read_group)?;
    Ok((bundle, preview))
}

fn read_group(reader: &mut Reader<'_>) -> Result<GroupPreview, SyntaxError> {
    reader.array_of(2)?;
    Ok(GroupPreview {
        group: ConversationId(reader.fixed()?),
        name: reader.text(MAX_NAME * 4)?.to_owned(),
    })
}

fn write(bundle: &Bundle, preview: Option<&[u8]>, writer: &mut Writer) {
    writer.array(9).unsigned(VERSION).unsigned(bundle.revision);
    writer.bool(bundle.kind == Kind::Reusable);
    writer.nullable(bundle.expires.as_ref(), |writer, expires| {
        writer.unsigned(*expires);
    });
    writer
        .bytes(&bundle.key_package)
        .bytes(bundle.sealing_key.0.as_slice());
    write_list(&bundle.addresses, writer);
    writer.nullable(preview.as_ref(), |writer, preview| {
        writer.bytes(preview);
    });
    writer.nullable(bundle.group.as_ref(), |writer, group| {
        writer.array(2).bytes(&group.group.0).text(&group.name);
    });
}

fn signed(bundle: &[u8]) -> Vec<u8> {
    [CONTEXT, bundle].concat()
}

/// A bundle that comes from whoever made the link, is of the link's kind, and
/// was not expired when it was opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedBundle {
    bundle: Bundle,
}

impl VerifiedBundle {
    /// Checks what a network fetched for the link with `secret` and `kind`:
    /// the fixed data against the secret, the signature, the form, the kind
    /// and the expiry, in this order.
    ///
    /// # Errors
    ///
    /// [`BundleError`] naming the first check that failed.
    pub fn open(
        secret: &Secret,
        kind: Kind,
        fixed: &[u8],
        signed_bundle: &[u8],
        now: Timestamp,
    ) -> Result<Self, BundleError> {
        let fixed = Fixed::open(secret, fixed)?;
        let bundle = verify(&fixed, signed_bundle)?;
        let bundle = Bundle::decode(bundle)?;
        if bundle.kind != kind {
            return Err(BundleError::WrongKind);
        }
        if bundle
            .expires
            .is_some_and(|expires| now.as_secs() > expires)
        {
            return Err(BundleError::Expired);
        }
        Ok(Self { bundle })
    }

    /// What was checked.
    #[must_use]
    pub fn get(&self) -> &Bundle {
        &self.bundle
    }

    /// What was checked.
    #[must_use]
    pub fn into_inner(self) -> Bundle {
        self.bundle
    }
}

/// Strips the signature off if it is good.
fn verify<'b>(fixed: &Fixed, signed_bundle: &'b [u8]) -> Result<&'b [u8], BundleError> {
    let (length, rest) = signed_bundle.split_first().ok_or(BundleError::Signature)?;
    let (signature, bundle) = rest
        .split_first_chunk::<64>()
        .ok_or(BundleError::Signature)?;
    if bundle.len() > MAX_BUNDLE || *length != 64 || !fixed.verifies(&signed(bundle), signature) {
        return Err(BundleError::Signature);
    }
    Ok(bundle)
}

impl fmt::Debug for SealingKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("SealingKey(..)")
    }
}

impl fmt::Debug for GroupPreview {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GroupPreview(..)")
    }
}

impl fmt::Debug for Bundle {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Bundle")
            .field("revision", &self.revision)
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open_with_preview(preview: &[u8]) -> Result<Bundle, BundleError> {
        let root = RootKey::from_seed(&[1; 32]);
        let bundle = Bundle {
            revision: 1,
            kind: Kind::Reusable,
            expires: None,
            key_package: Vec::new(),
            sealing_key: SealingKey(Box::new([0; 1_216])),
            addresses: Vec::new(),
            preview: None,
            group: None,
        };
        let mut writer = Writer::new();
        write(&bundle, Some(preview), &mut writer);
        let bundle = writer.finish();
        let signature = root.sign(&signed(&bundle));
        let fixed = root.fixed();
        VerifiedBundle::open(
            &fixed.secret(),
            Kind::Reusable,
            &fixed.encode(),
            &[&[64], signature.as_slice(), &bundle].concat(),
            Timestamp::default(),
        )
        .map(VerifiedBundle::into_inner)
    }

    #[test]
    fn a_preview_with_an_odd_name_is_cleaned() {
        let bundle = open_with_preview(b"\x83\x01\x65Bo\x1b b\xf6").unwrap();
        assert_eq!(bundle.preview.unwrap().name(), "Bo b");
    }

    #[test]
    fn a_newer_preview_is_left_out_and_a_malformed_one_refused() {
        assert_eq!(open_with_preview(b"\x81\x03").unwrap().preview, None);
        assert!(matches!(
            open_with_preview(b"\x80"),
            Err(BundleError::Preview(_))
        ));
    }
}

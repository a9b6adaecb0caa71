//! Key packages: what an inviter publishes so that a joiner can create the
//! group with them in it while they are away.

use hushwing_sansio::{Context, StorageError};
use openmls::prelude::{
    KeyPackage, KeyPackageIn, MlsMessageBodyIn, MlsMessageIn, MlsMessageOut, ProtocolVersion,
};
use openmls_traits::OpenMlsProvider as _;
use tls_codec::{DeserializeBytes as _, Serialize as _};

use super::crypto::Crypto;
use super::group::GroupFault;
use super::provider::Provider;
use super::{LeafKey, suite};
use crate::MlsRows;

/// A key package just made; its private half lies in the rows.
pub(crate) struct FreshKeyPackage {
    /// What names it in the rows.
    pub(crate) reference: Vec<u8>,
    /// The MLS KeyPackage message to publish.
    pub(crate) message: Vec<u8>,
}

impl FreshKeyPackage {
    /// Makes a key package for a leaf with `key`.
    ///
    /// All are last-resort to MLS, so that the private half is forgotten when
    /// we say so and not when some Welcome merely names it; whether the link
    /// that carries it may be used once is the bundle's to say.
    pub(crate) fn make(
        crypto: &Crypto,
        cx: &mut Context<'_>,
        rows: &mut dyn MlsRows,
        key: &LeafKey,
    ) -> Result<Self, StorageError> {
        let provider = Provider::new(crypto, cx, rows);
        let outcome = Self::build(&provider, key);
        // Nobody else had a hand in it.
        provider
            .end(outcome)?
            .map_err(|fault| StorageError::corrupt(fault.0))
    }

    fn build(provider: &Provider<'_>, key: &LeafKey) -> Result<Self, GroupFault> {
        let bundle = KeyPackage::builder()
            .leaf_node_capabilities(suite::capabilities())
            .key_package_lifetime(suite::lifetime())
            .mark_as_last_resort()
            .build(suite::SUITE, provider, key, suite::credential(key))
            .map_err(|_| GroupFault("making a key package"))?;
        let package = bundle.key_package();
        let reference = package
            .hash_ref(provider.crypto())
            .map_err(|_| GroupFault("naming a key package"))?;
        let message = MlsMessageOut::from(package.clone())
            .tls_serialize_detached()
            .map_err(|_| GroupFault("encoding a key package"))?;
        Ok(Self {
            reference: super::codec::key(&reference),
            message,
        })
    }
}

/// Wipes the private half of a key package.
pub(crate) fn forget_key_package(
    rows: &mut dyn MlsRows,
    reference: &[u8],
) -> Result<(), StorageError> {
    super::store::remove_key_package(rows, reference)
}

/// Somebody's key package, checked: signatures, suite, and the rules for leaves.
///
/// That its keys are keys shows only when they are used:
/// [`Group::could_create`](super::Group::could_create).
pub(crate) struct CheckedKeyPackage(pub(super) KeyPackage);

impl CheckedKeyPackage {
    /// Checks an MLS KeyPackage message; `None` if it is of no use.
    pub(crate) fn check(crypto: &Crypto, message: &[u8]) -> Option<Self> {
        let message = MlsMessageIn::tls_deserialize_exact_bytes(message).ok()?;
        let MlsMessageBodyIn::KeyPackage(package) = message.extract() else {
            return None;
        };
        Self::validate(crypto, package)
    }

    /// Whether it is of the leaf with the public signature key `key`.
    pub(crate) fn is_of(&self, key: &[u8; 32]) -> bool {
        self.0.leaf_node().signature_key().as_slice() == key
    }

    fn validate(crypto: &Crypto, package: KeyPackageIn) -> Option<Self> {
        let package = package.validate(crypto, ProtocolVersion::Mls10).ok()?;
        let fits = package.ciphersuite() == suite::SUITE
            && suite::leaf_follows_the_rules(package.leaf_node());
        fits.then_some(Self(package))
    }
}

//! Key packages of leaves that can be added to a group of many.

use hushwing_sansio::StorageError;
use openmls::prelude::{
    KeyPackage, KeyPackageIn, MlsMessageBodyIn, MlsMessageIn, MlsMessageOut, ProtocolVersion,
};
use openmls_traits::OpenMlsProvider as _;
use tls_codec::{DeserializeBytes as _, Serialize as _};

use super::{Lent, shape};
use crate::fork_choice::AccountId;
use crate::mls::crypto::Crypto;
use crate::mls::provider::Provider;
use crate::mls::{LeafKey, codec, store, suite};
use crate::{MlsRows, Secret};

/// A key package of mine; its private half lies in the rows.
pub struct OwnPackage {
    /// What names it in the rows: [`Self::forget`].
    pub reference: Vec<u8>,
    /// The MLS KeyPackage message to hand out.
    pub message: Vec<u8>,
    /// The private signature key of the leaf it becomes.
    pub key: Secret,
}

impl OwnPackage {
    /// Makes a key package for a leaf of `account`.
    ///
    /// It is last-resort to MLS: its private half stays until
    /// [`Self::forget`], so that a second Welcome can be followed if the branch
    /// of the first is lost.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn make(lent: &mut Lent<'_, '_>, account: &AccountId) -> Result<Self, StorageError> {
        let key = LeafKey::generate(lent.cx);
        Self::make_with(lent, account, &key)
    }

    /// The same, for a leaf of this key.
    pub(crate) fn make_with(
        lent: &mut Lent<'_, '_>,
        account: &AccountId,
        key: &LeafKey,
    ) -> Result<Self, StorageError> {
        let provider = Provider::new(lent.crypto, lent.cx, &mut *lent.rows);
        let outcome = Self::build(&provider, key, account);
        provider
            .end(outcome)?
            .map_err(|()| StorageError::corrupt("making a key package"))
    }

    fn build(provider: &Provider<'_>, key: &LeafKey, account: &AccountId) -> Result<Self, ()> {
        let bundle = KeyPackage::builder()
            .leaf_node_capabilities(shape::capabilities())
            .key_package_lifetime(suite::lifetime())
            .mark_as_last_resort()
            .build(suite::SUITE, provider, key, shape::credential(account, key))
            .map_err(|_| ())?;
        let package = bundle.key_package();
        let reference = package.hash_ref(provider.crypto()).map_err(|_| ())?;
        let message = MlsMessageOut::from(package.clone());
        Ok(Self {
            reference: codec::key(&reference),
            message: message.tls_serialize_detached().map_err(|_| ())?,
            key: key.secret(),
        })
    }

    /// Wipes the private half of a key package.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn forget(rows: &mut dyn MlsRows, reference: &[u8]) -> Result<(), StorageError> {
        store::remove_key_package(rows, reference)
    }
}

/// Somebody's key package, checked: signatures, suite, the rules for leaves,
/// and that its keys are keys.
pub struct MemberPackage {
    pub(super) package: KeyPackage,
    account: AccountId,
}

impl MemberPackage {
    /// Checks an MLS KeyPackage message; `None` if it is of no use.
    #[must_use]
    pub fn check(crypto: &Crypto, message: &[u8]) -> Option<Self> {
        let message = MlsMessageIn::tls_deserialize_exact_bytes(message).ok()?;
        let MlsMessageBodyIn::KeyPackage(package) = message.extract() else {
            return None;
        };
        Self::validate(crypto, package)
    }

    fn validate(crypto: &Crypto, package: KeyPackageIn) -> Option<Self> {
        let package = package.validate(crypto, ProtocolVersion::Mls10).ok()?;
        let leaf = package.leaf_node();
        let account = shape::account(leaf)?;
        let fits = package.ciphersuite() == suite::SUITE
            && shape::leaf_follows_the_rules(leaf)
            && shape::package_is_bare(&package)
            && super::facts::takes_secrets(crypto, package.hpke_init_key().as_slice());
        fits.then_some(Self { package, account })
    }

    /// Whose device it is, by its own account.
    #[must_use]
    pub fn account(&self) -> &AccountId {
        &self.account
    }

    /// The public signature key of the leaf it becomes.
    #[must_use]
    pub fn signature_key(&self) -> &[u8] {
        self.package.leaf_node().signature_key().as_slice()
    }
}

//! A server's certificates and the key of its leaf.
//!
//! An SMP server has a long-lived identity certificate, which addresses name
//! by fingerprint and whose key can stay offline, and a leaf signed by it that
//! the running server holds the key of.

use std::fmt;
use std::sync::Arc;

use rcgen::{
    BasicConstraints, CertificateParams, DnType, ExtendedKeyUsagePurpose, IsCa, Issuer, KeyPair,
    KeyUsagePurpose, PKCS_ED25519,
};
use rustls::SignatureScheme;
use rustls::pki_types::{CertificateDer, PrivateKeyDer, PrivatePkcs8KeyDer};
use rustls::sign::CertifiedKey;
use time::{Duration, OffsetDateTime};
use zeroize::Zeroizing;

use super::chain::fingerprint_of;
use super::provider::provider;

/// Certificates of SMP servers are valid this long, so that the fingerprint in
/// an address outlives them.
const VALIDITY: Duration = Duration::days(999_999);
/// Allowance for clients whose clocks are behind.
const CLOCK_SKEW: Duration = Duration::hours(1);

/// Why certificates and key make no identity.
#[derive(Debug, thiserror::Error)]
pub enum IdentityError {
    /// Fewer than two or more than four certificates.
    #[error("an identity has 2 to 4 certificates, not {0}")]
    Length(usize),
    /// The key is not an Ed25519 key in PKCS #8, or not that of the leaf.
    #[error("the key does not fit the certificates: {0}")]
    Key(rustls::Error),
    /// A certificate could not be made.
    #[error("a certificate could not be made: {0}")]
    Generate(#[from] rcgen::Error),
}

/// What a server shows in a handshake. `Debug` hides it.
#[derive(Clone)]
pub struct Identity {
    chain: Vec<CertificateDer<'static>>,
    leaf_key: Zeroizing<Vec<u8>>,
    certified: Arc<CertifiedKey>,
}

/// A new identity with the key that can sign further leaves for it.
pub struct GeneratedIdentity {
    /// Chain and leaf key; what the server runs with.
    pub identity: Identity,
    /// PKCS #8 DER of the identity certificate's key. The running server does
    /// not need it: keep it offline.
    pub identity_key: Zeroizing<Vec<u8>>,
}

impl Identity {
    /// Makes a new Ed25519 identity and a leaf for `host`, with the names and
    /// extensions of SMP servers.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Generate`] if the library refuses.
    pub fn generate(host: &str) -> Result<GeneratedIdentity, IdentityError> {
        let identity_key = KeyPair::generate_for(&PKCS_ED25519)?;
        let identity_params = identity_params()?;
        let identity_certificate = identity_params.self_signed(&identity_key)?;

        let leaf_key = KeyPair::generate_for(&PKCS_ED25519)?;
        let issuer = Issuer::from_params(&identity_params, &identity_key);
        let leaf = leaf_params(host)?.signed_by(&leaf_key, &issuer)?;

        let chain = vec![leaf.der().to_vec(), identity_certificate.der().to_vec()];
        Ok(GeneratedIdentity {
            identity: Self::from_der(chain, leaf_key.serialize_der())?,
            identity_key: Zeroizing::new(identity_key.serialize_der()),
        })
    }

    /// An identity from its parts: `chain` as DER certificates, leaf first,
    /// and the leaf's Ed25519 key as PKCS #8 DER.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Length`] or [`IdentityError::Key`].
    pub fn from_der(chain: Vec<Vec<u8>>, leaf_key: Vec<u8>) -> Result<Self, IdentityError> {
        let leaf_key = Zeroizing::new(leaf_key);
        if !(2..=4).contains(&chain.len()) {
            return Err(IdentityError::Length(chain.len()));
        }
        let chain: Vec<_> = chain.into_iter().map(CertificateDer::from).collect();
        let private = PrivateKeyDer::Pkcs8(PrivatePkcs8KeyDer::from(leaf_key.to_vec()));
        let provider = provider().map_err(IdentityError::Key)?;
        let certified = CertifiedKey::from_der(chain.clone(), private, &provider)
            .map_err(IdentityError::Key)?;
        if certified
            .key
            .choose_scheme(&[SignatureScheme::ED25519])
            .is_none()
        {
            let wrong = rustls::Error::General("not an Ed25519 key".into());
            return Err(IdentityError::Key(wrong));
        }
        Ok(Self {
            chain,
            leaf_key,
            certified: Arc::new(certified),
        })
    }

    /// SHA-256 over the DER of the identity certificate: the part of an
    /// address that names the server.
    #[must_use]
    pub fn fingerprint(&self) -> [u8; 32] {
        // `from_der` has seen to it that there is a second certificate.
        self.chain.get(1).map(fingerprint_of).unwrap_or_default()
    }

    /// The certificates in DER, leaf first.
    #[must_use]
    pub fn chain(&self) -> Vec<Vec<u8>> {
        self.chain
            .iter()
            .map(|certificate| certificate.to_vec())
            .collect()
    }

    /// The leaf's key as PKCS #8 DER, for keeping it in a store.
    #[must_use]
    pub fn leaf_key(&self) -> &[u8] {
        &self.leaf_key
    }

    /// Signs `message` with the leaf's key; an Ed25519 signature of 64 bytes.
    ///
    /// # Errors
    ///
    /// [`IdentityError::Key`] if the library refuses.
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, IdentityError> {
        let signer = self
            .certified
            .key
            .choose_scheme(&[SignatureScheme::ED25519]);
        let missing = || IdentityError::Key(rustls::Error::General("not an Ed25519 key".into()));
        signer
            .ok_or_else(missing)?
            .sign(message)
            .map_err(IdentityError::Key)
    }

    pub(super) fn certified(&self) -> Arc<CertifiedKey> {
        Arc::clone(&self.certified)
    }
}

impl fmt::Debug for Identity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Identity(..)")
    }
}

impl fmt::Debug for GeneratedIdentity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("GeneratedIdentity(..)")
    }
}

fn identity_params() -> Result<CertificateParams, IdentityError> {
    let mut params = dated_params()?;
    params
        .distinguished_name
        .push(DnType::CommonName, "SMP server CA");
    params
        .distinguished_name
        .push(DnType::OrganizationName, "SimpleX");
    params.is_ca = IsCa::Ca(BasicConstraints::Unconstrained);
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn leaf_params(host: &str) -> Result<CertificateParams, IdentityError> {
    let mut params = dated_params()?;
    params.distinguished_name.push(DnType::CommonName, host);
    params.is_ca = IsCa::ExplicitNoCa;
    params.key_usages = vec![
        KeyUsagePurpose::DigitalSignature,
        KeyUsagePurpose::ContentCommitment,
        KeyUsagePurpose::KeyAgreement,
    ];
    params.extended_key_usages = vec![ExtendedKeyUsagePurpose::ServerAuth];
    params.use_authority_key_identifier_extension = true;
    Ok(params)
}

fn dated_params() -> Result<CertificateParams, IdentityError> {
    let mut params = CertificateParams::new(Vec::new())?;
    params.distinguished_name = rcgen::DistinguishedName::new();
    params.not_before = OffsetDateTime::now_utc() - CLOCK_SKEW;
    params.not_after = params.not_before + VALIDITY;
    Ok(params)
}

#[cfg(test)]
mod tests {
    use rustls::pki_types::UnixTime;

    use super::*;
    use crate::tls::check_chain;

    #[test]
    fn a_generated_identity_passes_its_own_check_and_comes_back_from_its_parts() {
        let made = Identity::generate("relay.example").unwrap().identity;
        check_chain(&made.chain, &made.fingerprint(), UnixTime::now()).unwrap();
        let again = Identity::from_der(made.chain(), made.leaf_key().to_vec()).unwrap();
        assert_eq!(again.fingerprint(), made.fingerprint());
        assert_eq!(again.sign(b"x").unwrap(), made.sign(b"x").unwrap());
        assert_eq!(made.sign(b"x").unwrap().len(), 64);
    }

    #[test]
    fn a_key_of_another_leaf_is_refused() {
        let one = Identity::generate("one.example").unwrap().identity;
        let two = Identity::generate("two.example").unwrap().identity;
        let mixed = Identity::from_der(one.chain(), two.leaf_key().to_vec());
        assert!(matches!(mixed, Err(IdentityError::Key(_))));
        let short = Identity::from_der(one.chain()[..1].to_vec(), one.leaf_key().to_vec());
        assert!(matches!(short, Err(IdentityError::Length(1))));
    }

    #[test]
    fn debug_output_shows_nothing() {
        let made = Identity::generate("relay.example").unwrap();
        assert_eq!(
            format!("{:?} {made:?}", made.identity),
            "Identity(..) GeneratedIdentity(..)"
        );
    }
}

//! openmls over our rows and our crypto against mls-rs, in one process.
//!
//! mls-rs has no X-Wing without a C library, so both use suite 1 here: what is
//! tried is everything around the key exchange.

use hushwing_sansio::{Context, Entropy, Moment, Timestamp};
use mls_rs::client_builder::MlsConfig;
use mls_rs::group::ReceivedMessage;
use mls_rs::identity::SigningIdentity;
use mls_rs::identity::basic::{BasicCredential, BasicIdentityProvider};
use mls_rs::mls_rules::{CommitOptions, DefaultMlsRules, EncryptionOptions};
use mls_rs::{CipherSuite, CipherSuiteProvider as _, Client, CryptoProvider as _, MlsMessage};
use mls_rs_crypto_rustcrypto::RustCryptoProvider;
use openmls::prelude::{
    Ciphersuite, KeyPackage, LeafNodeParameters, MlsGroup, MlsGroupCreateConfig,
    MlsGroupJoinConfig, MlsMessageBodyIn, MlsMessageIn, MlsMessageOut,
    PURE_CIPHERTEXT_WIRE_FORMAT_POLICY, ProcessedMessageContent, ProtocolMessage, ProtocolVersion,
    SenderRatchetConfiguration, StagedWelcome,
};
use tls_codec::{DeserializeBytes as _, Serialize as _};

use super::provider::Provider;
use super::{Crypto, LeafKey, suite};
use crate::MemoryStorage;

const SUITE: Ciphersuite = Ciphersuite::MLS_128_DHKEMX25519_AES128GCM_SHA256_Ed25519;
const THEIR_SUITE: CipherSuite = CipherSuite::CURVE25519_AES128;

struct Chance(u64);

impl Entropy for Chance {
    fn fill(&mut self, dest: &mut [u8]) {
        for byte in dest {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            *byte = (self.0 >> 56) as u8;
        }
    }
}

/// A member on our stack.
struct Ours {
    rows: MemoryStorage,
    chance: Chance,
    crypto: Crypto,
    key: LeafKey,
}

impl Ours {
    fn new(seed: u64) -> Self {
        let mut chance = Chance(seed);
        let mut cx = Context::new(Moment::default(), Timestamp::default(), &mut chance);
        let key = LeafKey::generate(&mut cx);
        Self {
            rows: MemoryStorage::new(),
            chance,
            crypto: Crypto::default(),
            key,
        }
    }

    fn with<T>(&mut self, act: impl FnOnce(&Provider<'_>, &LeafKey) -> T) -> T {
        let mut cx = Context::new(Moment::default(), Timestamp::default(), &mut self.chance);
        let provider = Provider::new(&self.crypto, &mut cx, &mut self.rows);
        let value = act(&provider, &self.key);
        provider.end::<_, ()>(Ok(())).unwrap().unwrap();
        value
    }

    fn key_package(&mut self) -> Vec<u8> {
        let bundle = self.with(|provider, key| {
            let builder = KeyPackage::builder();
            builder
                .build(SUITE, provider, key, suite::credential(key))
                .unwrap()
        });
        bytes(&MlsMessageOut::from(bundle.key_package().clone()))
    }

    fn join(&mut self, welcome: &[u8]) -> MlsGroup {
        let MlsMessageBodyIn::Welcome(welcome) = parse(welcome).extract() else {
            panic!()
        };
        self.with(|provider, _| {
            let staged = StagedWelcome::new_from_welcome(provider, &join_config(), welcome, None);
            staged.unwrap().into_group(provider).unwrap()
        })
    }

    fn say(&mut self, group: &mut MlsGroup, text: &[u8]) -> Vec<u8> {
        self.with(|provider, key| bytes(&group.create_message(provider, key, text).unwrap()))
    }

    fn update(&mut self, group: &mut MlsGroup) -> Vec<u8> {
        self.with(|provider, key| {
            let same = LeafNodeParameters::default();
            let bundle = group.self_update(provider, key, same).unwrap();
            group.merge_pending_commit(provider).unwrap();
            bytes(bundle.commit())
        })
    }

    /// Opens a message; a commit is merged and gives nothing.
    fn open(&mut self, group: &mut MlsGroup, message: &[u8]) -> Option<Vec<u8>> {
        let message = ProtocolMessage::try_from(parse(message)).unwrap();
        self.with(|provider, _| {
            match group
                .process_message(provider, message)
                .unwrap()
                .into_content()
            {
                ProcessedMessageContent::ApplicationMessage(said) => Some(said.into_bytes()),
                ProcessedMessageContent::StagedCommitMessage(commit) => {
                    group.merge_staged_commit(provider, *commit).unwrap();
                    None
                }
                _ => panic!("neither message nor commit"),
            }
        })
    }
}

fn join_config() -> MlsGroupJoinConfig {
    MlsGroupJoinConfig::builder()
        .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
        .sender_ratchet_configuration(SenderRatchetConfiguration::new(512, 10_000))
        .use_ratchet_tree_extension(true)
        .build()
}

fn create_config() -> MlsGroupCreateConfig {
    MlsGroupCreateConfig::builder()
        .ciphersuite(SUITE)
        .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
        .sender_ratchet_configuration(SenderRatchetConfiguration::new(512, 10_000))
        .use_ratchet_tree_extension(true)
        .build()
}

fn bytes(message: &MlsMessageOut) -> Vec<u8> {
    message.tls_serialize_detached().unwrap()
}

fn parse(bytes: &[u8]) -> MlsMessageIn {
    MlsMessageIn::tls_deserialize_exact_bytes(bytes).unwrap()
}

fn theirs(name: &str) -> Client<impl MlsConfig + use<>> {
    let crypto = RustCryptoProvider::default();
    let suite = crypto.cipher_suite_provider(THEIR_SUITE).unwrap();
    let (secret, public) = suite.signature_key_generate().unwrap();
    let credential = BasicCredential::new(name.as_bytes().to_vec()).into_credential();
    let rules = DefaultMlsRules::new()
        .with_encryption_options(EncryptionOptions::new(true, Default::default()))
        .with_commit_options(CommitOptions::new().with_ratchet_tree_extension(true));
    Client::builder()
        .identity_provider(BasicIdentityProvider)
        .crypto_provider(crypto)
        .mls_rules(rules)
        .signing_identity(
            SigningIdentity::new(credential, public),
            secret,
            THEIR_SUITE,
        )
        .build()
}

fn message(bytes: &[u8]) -> MlsMessage {
    MlsMessage::from_bytes(bytes).unwrap()
}

fn text(received: ReceivedMessage) -> Vec<u8> {
    match received {
        ReceivedMessage::ApplicationMessage(said) => said.data().to_vec(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn their_group_takes_us_in_and_both_renew_and_talk_out_of_order() {
    let mut ours = Ours::new(1);
    let client = theirs("Carol");
    let mut group = client
        .create_group(Default::default(), Default::default(), None)
        .unwrap();
    let package = message(&ours.key_package());
    let commit = group
        .commit_builder()
        .add_member(package)
        .unwrap()
        .build()
        .unwrap();
    group.apply_pending_commit().unwrap();
    let mut own = ours.join(&commit.welcome_messages[0].to_bytes().unwrap());
    for _ in 0..3 {
        let commit = ours.update(&mut own);
        group.process_incoming_message(message(&commit)).unwrap();
        let commit = group
            .commit(Vec::new())
            .unwrap()
            .commit_message
            .to_bytes()
            .unwrap();
        group.apply_pending_commit().unwrap();
        assert_eq!(ours.open(&mut own, &commit), None);
        let mine: Vec<_> = (0..5).map(|n| ours.say(&mut own, &[n])).collect();
        for n in [3_u8, 1, 4, 0, 2] {
            let received = group
                .process_incoming_message(message(&mine[usize::from(n)]))
                .unwrap();
            assert_eq!(text(received), [n]);
        }
        let said = (0..5).map(|n| group.encrypt_application_message(&[n], Vec::new()).unwrap());
        let said: Vec<_> = said.map(|said| said.to_bytes().unwrap()).collect();
        for n in [4_u8, 2, 0, 3, 1] {
            assert_eq!(ours.open(&mut own, &said[usize::from(n)]), Some(vec![n]));
        }
    }
    let authenticator = group.epoch_authenticator().unwrap();
    assert_eq!(
        own.epoch_authenticator().as_slice(),
        authenticator.as_bytes()
    );
}

#[test]
fn our_group_takes_them_in_and_they_add_and_remove_a_third() {
    let mut ours = Ours::new(2);
    let (client, third) = (theirs("Carol"), theirs("Dave"));
    let config = create_config();
    let mut own = ours.with(|provider, key| {
        MlsGroup::new(provider, key, &config, suite::credential(key)).unwrap()
    });
    let carol = client
        .generate_key_package_message(Default::default(), Default::default(), None)
        .unwrap();
    let MlsMessageBodyIn::KeyPackage(carol) = parse(&carol.to_bytes().unwrap()).extract() else {
        panic!("no key package")
    };
    let carol = carol
        .validate(&ours.crypto, ProtocolVersion::Mls10)
        .unwrap();
    let welcome = ours.with(|provider, key| {
        let (_, welcome, _) = own.add_members(provider, key, &[carol]).unwrap();
        own.merge_pending_commit(provider).unwrap();
        bytes(&welcome)
    });
    let (mut group, _) = client.join_group(None, &message(&welcome), None).unwrap();
    let dave = third
        .generate_key_package_message(Default::default(), Default::default(), None)
        .unwrap();
    let commit = group
        .commit_builder()
        .add_member(dave)
        .unwrap()
        .build()
        .unwrap();
    group.apply_pending_commit().unwrap();
    ours.open(&mut own, &commit.commit_message.to_bytes().unwrap());
    assert_eq!(own.members().count(), 3);
    let (mut other, _) = third
        .join_group(None, &commit.welcome_messages[0], None)
        .unwrap();
    let said = ours.say(&mut own, b"three of us");
    assert_eq!(
        text(other.process_incoming_message(message(&said)).unwrap()),
        b"three of us"
    );
    let commit = group
        .commit_builder()
        .remove_member(2)
        .unwrap()
        .build()
        .unwrap();
    group.apply_pending_commit().unwrap();
    ours.open(&mut own, &commit.commit_message.to_bytes().unwrap());
    assert_eq!(own.members().count(), 2);
    let said = ours.say(&mut own, b"two again");
    assert_eq!(
        text(group.process_incoming_message(message(&said)).unwrap()),
        b"two again"
    );
    let authenticator = group.epoch_authenticator().unwrap();
    assert_eq!(
        own.epoch_authenticator().as_slice(),
        authenticator.as_bytes()
    );
}

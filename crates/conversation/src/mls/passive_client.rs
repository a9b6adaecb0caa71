//! The working group's passive-client vectors, joined and followed over our
//! rows and our crypto: what an honest member of another implementation did, we
//! must end in the same epochs.
//!
//! Of our code they pass through `provider` and `crypto` (verification with its
//! kept keys included), `ledger`, `store` and `codec`: before each message the
//! group is read back from the rows that the last one left, as after a restart.
//!
//! They do not pass through `Group` and the ladder, on purpose. These refuse
//! what the vectors hold: suites other than ours, groups of more than two and
//! not made by the joiner, ids that are not of 16 bytes, proposals, external
//! PSKs, commits in plaintext and out of turn, leaves of other capabilities. To
//! let these in, the rules would have to be a parameter, and a rule that can be
//! switched off is worth less than this test. The ladder is tried in `tests`, by
//! ourselves alone: no other implementation at hand has our suite, and `interop`
//! stays below it too.

use hushwing_sansio::{Context, Entropy, Moment, Timestamp};
use openmls::prelude::{
    HpkePrivateKey, KeyPackage, MIXED_PLAINTEXT_WIRE_FORMAT_POLICY, MlsGroup, MlsGroupJoinConfig,
    MlsMessageBodyIn, MlsMessageIn, ProcessedMessageContent, ProtocolMessage, RatchetTreeIn,
    StagedWelcome,
};
use openmls::schedule::PreSharedKeyId;
use openmls::treesync::EncryptionKey;
use openmls_traits::OpenMlsProvider as _;
use openmls_traits::storage::{CURRENT_VERSION, StorageProvider as _, traits};
use serde::{Deserialize, Serialize};
use tls_codec::DeserializeBytes as _;

use super::Crypto;
use super::provider::Provider;
use crate::MemoryStorage;

macro_rules! vectors {
    ($set:literal) => {
        include_str!(concat!(
            "../../tests/vectors/mls/passive-client-",
            $set,
            ".json"
        ))
    };
}

/// Bytes in hexadecimal, as the vectors write them.
#[derive(Clone, Deserialize)]
#[serde(try_from = "String")]
struct Hex(Vec<u8>);

impl TryFrom<String> for Hex {
    type Error = hex::FromHexError;

    fn try_from(text: String) -> Result<Self, Self::Error> {
        hex::decode(text).map(Self)
    }
}

#[derive(Deserialize)]
struct Vector {
    external_psks: Vec<ExternalPsk>,
    key_package: Hex,
    encryption_priv: Hex,
    init_priv: Hex,
    welcome: Hex,
    ratchet_tree: Option<Hex>,
    initial_epoch_authenticator: Hex,
    epochs: Vec<Epoch>,
}

#[derive(Deserialize)]
struct ExternalPsk {
    psk_id: Hex,
    psk: Hex,
}

#[derive(Deserialize)]
struct Epoch {
    proposals: Vec<Hex>,
    commit: Hex,
    epoch_authenticator: Hex,
}

/// The row openmls reads back as its bundle, whose fields it keeps to itself.
#[derive(Deserialize, Serialize)]
struct Bundle {
    key_package: KeyPackage,
    private_init_key: HpkePrivateKey,
    private_encryption_key: LeafSecret,
}

#[derive(Deserialize, Serialize)]
struct LeafPair {
    public_key: EncryptionKey,
    private_key: LeafSecret,
}

#[derive(Deserialize, Serialize)]
struct LeafSecret {
    key: HpkePrivateKey,
}

impl traits::KeyPackage<CURRENT_VERSION> for Bundle {}
impl traits::HpkeKeyPair<CURRENT_VERSION> for LeafPair {}
impl openmls_traits::storage::Entity<CURRENT_VERSION> for Bundle {}
impl openmls_traits::storage::Entity<CURRENT_VERSION> for LeafPair {}

/// Vectors are followed, never answered, so nothing is drawn.
struct NoChance;

impl Entropy for NoChance {
    fn fill(&mut self, _: &mut [u8]) {
        panic!("a passive client draws nothing");
    }
}

struct Passive {
    rows: MemoryStorage,
    crypto: Crypto,
}

impl Passive {
    fn with<T>(&mut self, act: impl FnOnce(&Provider<'_>) -> T) -> T {
        let mut chance = NoChance;
        let mut cx = Context::new(Moment::default(), Timestamp::default(), &mut chance);
        let provider = Provider::new(&self.crypto, &mut cx, &mut self.rows);
        let value = act(&provider);
        provider.end::<_, ()>(Ok(())).unwrap().unwrap();
        value
    }

    fn of(vector: &Vector) -> Self {
        let mut passive = Self {
            rows: MemoryStorage::new(),
            crypto: Crypto::default(),
        };
        let MlsMessageBodyIn::KeyPackage(package) = parse(&vector.key_package).extract() else {
            panic!("no key package")
        };
        // Its lifetime is over, so it is taken as read instead of validated.
        let package: KeyPackage =
            serde_json::from_value(serde_json::to_value(&package).unwrap()).unwrap();
        passive.with(|provider| {
            for psk in &vector.external_psks {
                let id = PreSharedKeyId::external(psk.psk_id.0.clone(), Vec::new());
                id.store(provider, &psk.psk.0).unwrap();
            }
            let leaf = || LeafSecret {
                key: HpkePrivateKey::from(vector.encryption_priv.0.clone()),
            };
            let reference = package.hash_ref(provider.crypto()).unwrap();
            let public = package.leaf_node().encryption_key().clone();
            let bundle = Bundle {
                key_package: package,
                private_init_key: HpkePrivateKey::from(vector.init_priv.0.clone()),
                private_encryption_key: leaf(),
            };
            let rows = provider.storage();
            rows.write_key_package(&reference, &bundle).unwrap();
            let pair = LeafPair {
                public_key: public.clone(),
                private_key: leaf(),
            };
            rows.write_encryption_key_pair(&public, &pair).unwrap();
        });
        passive
    }

    fn join(&mut self, vector: &Vector) -> MlsGroup {
        let MlsMessageBodyIn::Welcome(welcome) = parse(&vector.welcome).extract() else {
            panic!("no welcome")
        };
        let config = MlsGroupJoinConfig::builder()
            .use_ratchet_tree_extension(true)
            .wire_format_policy(MIXED_PLAINTEXT_WIRE_FORMAT_POLICY)
            .number_of_resumption_psks(16)
            .build();
        let tree = vector.ratchet_tree.as_ref();
        let tree = tree.map(|tree| RatchetTreeIn::tls_deserialize_exact_bytes(&tree.0).unwrap());
        self.with(|provider| {
            // The vectors' leaves are older than any lifetime we accept.
            let builder = StagedWelcome::build_from_welcome(provider, &config, welcome).unwrap();
            let builder = builder.skip_lifetime_validation();
            let builder = match tree {
                Some(tree) => builder.with_ratchet_tree(tree),
                None => builder,
            };
            builder.build().unwrap().into_group(provider).unwrap()
        })
    }

    /// The group as the rows know it.
    fn read_back(&mut self, group: &MlsGroup) -> MlsGroup {
        let id = group.group_id();
        let read = self.with(|provider| MlsGroup::load(provider.storage(), id));
        read.unwrap().unwrap()
    }

    fn follow(&mut self, group: &mut MlsGroup, message: &Hex) {
        let message = ProtocolMessage::try_from(parse(message)).unwrap();
        self.with(|provider| {
            let processed = group.process_message(provider, message).unwrap();
            match processed.into_content() {
                ProcessedMessageContent::ProposalMessage(proposal) => group
                    .store_pending_proposal(provider.storage(), *proposal)
                    .unwrap(),
                ProcessedMessageContent::StagedCommitMessage(commit) => {
                    group.merge_staged_commit(provider, *commit).unwrap();
                }
                _ => panic!("neither proposal nor commit"),
            }
        });
    }
}

fn parse(bytes: &Hex) -> MlsMessageIn {
    MlsMessageIn::tls_deserialize_exact_bytes(&bytes.0).unwrap()
}

/// Follows each vector of a file, to the epoch after `most` commits at the
/// latest; how many epochs there were.
fn follow_all(vectors: &str, most: usize) -> usize {
    let vectors: Vec<Vector> = serde_json::from_str(vectors).unwrap();
    let mut epochs = 0;
    for vector in &vectors {
        let mut passive = Passive::of(vector);
        let mut group = passive.join(vector);
        let begun = group.epoch_authenticator().as_slice();
        assert_eq!(begun, vector.initial_epoch_authenticator.0);
        for epoch in vector.epochs.iter().take(most) {
            for message in epoch.proposals.iter().chain([&epoch.commit]) {
                group = passive.read_back(&group);
                passive.follow(&mut group, message);
            }
            let reached = group.epoch_authenticator().as_slice();
            assert_eq!(reached, epoch.epoch_authenticator.0);
            epochs += 1;
        }
        epochs += 1;
    }
    epochs
}

#[test]
fn welcomes_of_others_lead_into_their_epoch() {
    assert_eq!(follow_all(vectors!("welcome"), 0), 24);
}

#[test]
fn commits_of_others_are_followed() {
    assert_eq!(follow_all(vectors!("handling-commit"), 2), 39 * 3);
}

/// Its first epochs; all of them with `HUSHWING_SOAK=1`.
#[test]
#[expect(
    clippy::disallowed_methods,
    reason = "how much to test is asked as elsewhere"
)]
fn a_long_random_history_is_followed() {
    let soak = std::env::var("HUSHWING_SOAK").is_ok_and(|soak| soak == "1");
    let most = if soak { 200 } else { 40 };
    assert_eq!(follow_all(vectors!("random"), most), 1 + most);
}

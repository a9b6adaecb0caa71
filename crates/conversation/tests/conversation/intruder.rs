//! Mallory with MLS: somebody whom Alice opened a link of, or who opened hers,
//! and who makes of it what they like.

use hushwing_conversation::content::{
    self, AddressUpdate, Content, Expiration, Frame, Lamport, Origin, Salt, Stamp, Wish,
};
use hushwing_conversation::link::{Bundle, Kind, Link, RootKey, SealingKey, VerifiedBundle};
use hushwing_conversation::proof::{IdentityKey, Wished};
use hushwing_conversation::village::{Home, Village};
use hushwing_conversation::{ContactId, ConversationId, Secret};
use hushwing_delivery::{
    Address, Card, Envelope, FirstContactSecret, Locator, MailboxKeys, NetworkTag, Place, SealKey,
};
use hushwing_sansio::Timestamp;
use openmls::group::JoinBuilder;
use openmls::prelude::*;
use tls_codec::Serialize as _;

pub(crate) use crate::bent::letter;
use crate::bent::{Bent, Key, SIGNATURE, items};
use crate::hostile::Mallory;
use crate::support::*;

pub(crate) const SUITE: Ciphersuite = Ciphersuite::MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519;
pub(crate) const NAME: u16 = 0xF48A;
const SAID: &[u8] = b"MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519";
/// What the village's clock shows at first.
const START: u64 = 1_767_225_600;

/// What leaves support, with these extensions of their own.
pub(crate) fn able(extensions: &[u16]) -> Capabilities {
    let mut all = vec![ExtensionType::LastResort];
    all.extend(extensions.iter().map(|kind| ExtensionType::Unknown(*kind)));
    Capabilities::new(
        Some(&[ProtocolVersion::Mls10]),
        Some(&[SUITE]),
        Some(&all),
        Some(&[]),
        Some(&[CredentialType::Basic]),
    )
}

/// A builder of key packages as they ought to be.
pub(crate) fn honest_package() -> KeyPackageBuilder {
    KeyPackage::builder()
        .leaf_node_capabilities(able(&[NAME]))
        .key_package_lifetime(Lifetime::init(0, u64::MAX))
        .mark_as_last_resort()
}

/// The configuration of a group whose context says `name`.
pub(crate) fn config(name: &[u8]) -> MlsGroupCreateConfig {
    let name = Extension::Unknown(NAME, UnknownExtension(name.to_vec()));
    MlsGroupCreateConfig::builder()
        .ciphersuite(SUITE)
        .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
        .use_ratchet_tree_extension(true)
        .lifetime(Lifetime::init(0, u64::MAX))
        .capabilities(able(&[NAME]))
        .with_group_context_extensions(Extensions::single(name).unwrap())
        .build()
}

/// The configuration of a group as it ought to be.
pub(crate) fn honest_config() -> MlsGroupCreateConfig {
    config(SAID)
}

pub(crate) fn bytes(message: &MlsMessageOut) -> Vec<u8> {
    message.tls_serialize_detached().unwrap()
}

pub(crate) struct Intruder {
    pub(crate) mls: Bent,
    pub(crate) key: Key,
    pub(crate) mail: Mallory,
    group: Option<MlsGroup>,
    /// Where the victim takes letters.
    pub(crate) to: Option<Address>,
    seal: FirstContactSecret,
    said: u64,
}

impl Intruder {
    pub(crate) fn new() -> Self {
        Self {
            mls: Bent::default(),
            key: Key::new(66),
            mail: Mallory::new(),
            group: None,
            to: None,
            seal: FirstContactSecret::from_seed([9; 32]),
            said: 0,
        }
    }

    pub(crate) fn package(&self, builder: KeyPackageBuilder) -> Vec<u8> {
        let made = builder.build(SUITE, &self.mls, &self.key, self.key.credential());
        bytes(&MlsMessageOut::from(made.unwrap().key_package().clone()))
    }

    /// A key package whose leaf, or what is around it, was changed before it
    /// was signed.
    pub(crate) fn bent_package(&self, in_leaf: bool, bend: impl FnOnce(&mut Vec<u8>)) -> Vec<u8> {
        let made = honest_package().build(SUITE, &self.mls, &self.key, self.key.credential());
        let package = made.unwrap().into_key_package();
        let mut leaf = package.leaf_node().tls_serialize_detached().unwrap();
        let message = bytes(&MlsMessageOut::from(package));
        let at = message.windows(leaf.len()).position(|part| part == leaf);
        let (before, rest) = message.split_at(at.unwrap());
        let behind = rest[leaf.len()..rest.len() - SIGNATURE].to_vec();
        let (frame, before) = before.split_at(4);
        let mut bend = Some(bend);
        if in_leaf {
            leaf.truncate(leaf.len() - SIGNATURE);
            bend.take().unwrap()(&mut leaf);
            leaf = self.key.signed("LeafNodeTBS", leaf);
        }
        let mut package = [before, &leaf, &behind].concat();
        if let Some(bend) = bend {
            bend(&mut package);
        }
        [frame, &self.key.signed("KeyPackageTBS", package)].concat()
    }

    /// A card with that key package, signed as it has to be.
    pub(crate) fn card(&self, kind: Kind, key_package: Vec<u8>) -> Card {
        self.card_sealed_to(*self.seal.public().unwrap(), kind, key_package)
    }

    pub(crate) fn card_sealed_to(
        &self,
        seal: [u8; 1_216],
        kind: Kind,
        key_package: Vec<u8>,
    ) -> Card {
        let root = RootKey::from_seed(&[5; 32]);
        let bundle = Bundle {
            revision: 1,
            kind,
            expires: None,
            key_package,
            sealing_key: SealingKey(Box::new(seal)),
            addresses: Vec::new(),
            preview: None,
            group: None,
        };
        Card {
            secret: *root.fixed().secret().as_bytes(),
            fixed: root.fixed().encode(),
            bundle: bundle.sign(&root).unwrap(),
        }
    }

    /// Publishes a card and gives the link to it.
    pub(crate) fn publish(village: &mut Village, place: u64, kind: Kind, card: Card) -> Secret {
        let place = Place([&[77; 8], place.to_be_bytes().as_slice()].concat());
        let secret = RootKey::from_seed(&[5; 32]).fixed().secret();
        let link = Link::new(kind, NetworkTag::TOY, place.clone(), secret, None).unwrap();
        village.publish(place, card, kind == Kind::OneTime);
        Secret::new(link.to_uri())
    }

    /// The victim opens a link of mine, and I answer as one ought to.
    pub(crate) fn meet(&mut self, village: &mut Village, victim: Home) -> ContactId {
        let card = self.card(Kind::OneTime, self.package(honest_package()));
        let link = Self::publish(village, 1, Kind::OneTime, card);
        village.overhear();
        let contact = join(village, victim, &link).contact;
        village.rest().unwrap();
        let sent = village.overhear();
        let keys = || MailboxKeys {
            shared: Vec::new(),
            first_contact: vec![self.seal.clone()],
        };
        let mut letters = sent
            .into_iter()
            .filter_map(|(_, envelope)| self.mail.open_with(keys(), envelope));
        let items = items(&letters.next().unwrap());
        self.enter(&items[0]);
        let told = self.hear(&items[1]);
        let Content::Addresses(update) = told else {
            panic!("{told:?}")
        };
        self.to = Some(Address::decode(&update.addresses[0]).unwrap());
        self.tell_address(village, 1);
        contact
    }

    fn enter(&mut self, welcome: &[u8]) {
        self.group = Some(self.follow(welcome));
    }

    /// The group that a Welcome leads to.
    pub(crate) fn follow(&self, welcome: &[u8]) -> MlsGroup {
        let MlsMessageBodyIn::Welcome(welcome) = parse(welcome).extract() else {
            panic!("no welcome")
        };
        let config = MlsGroupJoinConfig::builder()
            .wire_format_policy(PURE_CIPHERTEXT_WIRE_FORMAT_POLICY)
            .use_ratchet_tree_extension(true)
            .build();
        let processed = ProcessedWelcome::new_from_welcome(&self.mls, &config, welcome).unwrap();
        let staged = JoinBuilder::new(&self.mls, processed)
            .skip_lifetime_validation()
            .build()
            .unwrap();
        staged.into_group(&self.mls).unwrap()
    }

    /// The conversation, its epoch, and a secret that both sides export of it.
    pub(crate) fn exported(&self, label: &str) -> (ConversationId, u64, [u8; 32]) {
        let group = self.group.as_ref().unwrap();
        let of: [u8; 16] = group.group_id().as_slice().try_into().unwrap();
        let crypto = openmls_rust_crypto::RustCrypto::default();
        let secret = group.export_secret(&crypto, label, &of, 32).unwrap();
        let secret = secret.as_slice().try_into().unwrap();
        (ConversationId(of), group.epoch().as_u64(), secret)
    }

    /// The letters that were sent to me in such envelopes.
    pub(crate) fn letters(&mut self, sent: Vec<(Locator, Envelope)>) -> Vec<Vec<u8>> {
        let keys = || MailboxKeys {
            shared: vec![[7; 32].into()],
            first_contact: Vec::new(),
        };
        let sent = sent.into_iter();
        sent.filter_map(|(_, envelope)| self.mail.open_with(keys(), envelope))
            .collect()
    }

    fn hear(&mut self, message: &[u8]) -> Content {
        let message = ProtocolMessage::try_from(parse(message)).unwrap();
        let group = self.group.as_mut().unwrap();
        let processed = group.process_message(&self.mls, message).unwrap();
        let ProcessedMessageContent::ApplicationMessage(said) = processed.into_content() else {
            panic!("no message")
        };
        let origin = Origin::new(&0_u32.to_be_bytes(), group.group_id().as_slice()).unwrap();
        let opened = content::open(&said.into_bytes(), &origin, Timestamp::from_secs(START));
        opened.unwrap().content
    }

    /// What the victim says to me in such envelopes.
    pub(crate) fn understand(&mut self, sent: Vec<(Locator, Envelope)>) -> Vec<Content> {
        let mut said = Vec::new();
        for (_, envelope) in sent {
            let keys = MailboxKeys {
                shared: vec![[7; 32].into()],
                first_contact: Vec::new(),
            };
            let letter = self.mail.open_with(keys, envelope);
            let items = letter.map(|letter| items(&letter)).unwrap_or_default();
            said.extend(items.iter().map(|item| self.hear(item)));
        }
        said
    }

    /// What I sign to show that a key is mine here.
    pub(crate) fn wished(&self) -> Wished {
        let group = self.group.as_ref().unwrap();
        let mut members = group.members();
        let victim = members.find(|member| member.index != group.own_leaf_index());
        Wished {
            conversation: ConversationId(group.group_id().as_slice().try_into().unwrap()),
            sender: self.key.public().try_into().unwrap(),
            receiver: victim.unwrap().signature_key.try_into().unwrap(),
        }
    }

    /// A wish for provable with this key.
    pub(crate) fn wish(&self, key: &IdentityKey) -> Content {
        Content::Mode(Wish::Provable {
            key: key.public(),
            proof: self.wished().sign(key),
        })
    }

    /// The content as bytes.
    pub(crate) fn compose(&mut self, content: &Content) -> Vec<u8> {
        self.compose_with(content, None)
    }

    /// Content that shall disappear.
    pub(crate) fn compose_to_vanish(&mut self, content: &Content, expires: Expiration) -> Vec<u8> {
        self.compose_with(content, Some(expires))
    }

    /// Content that claims this place in the order.
    pub(crate) fn compose_at(&mut self, content: &Content, lamport: u64) -> Vec<u8> {
        let said = core::mem::replace(&mut self.said, lamport.wrapping_sub(11));
        let bytes = self.compose_with(content, None);
        self.said = said + 1;
        bytes
    }

    fn compose_with(&mut self, content: &Content, expires: Option<Expiration>) -> Vec<u8> {
        self.said = self.said.wrapping_add(1);
        let frame = Frame {
            salt: Salt([u8::try_from(self.said % 256).unwrap(); 16]),
            stamp: Stamp {
                lamport: Lamport::new(self.said.wrapping_add(10)).unwrap(),
                sent: Timestamp::from_secs(START),
            },
            expires,
        };
        content.compose(frame).unwrap()
    }

    /// What such content of mine is called.
    pub(crate) fn name_of(&self, content: &[u8]) -> content::MessageId {
        let group = self.group.as_ref().unwrap();
        let leaf = group.own_leaf_index().u32().to_be_bytes();
        let origin = Origin::new(&leaf, group.group_id().as_slice()).unwrap();
        let opened = content::open(content, &origin, Timestamp::from_secs(START));
        opened.unwrap().id
    }

    /// An MLS message with these bytes as its content.
    pub(crate) fn message(&mut self, content: &[u8]) -> Vec<u8> {
        let group = self.group.as_mut().unwrap();
        bytes(&group.create_message(&self.mls, &self.key, content).unwrap())
    }

    /// A commit that stays pending with me.
    pub(crate) fn commit(
        &mut self,
        make: impl FnOnce(&mut MlsGroup, &Bent, &Key) -> MlsMessageOut,
    ) -> Vec<u8> {
        let group = self.group.as_mut().unwrap();
        let commit = bytes(&make(group, &self.mls, &self.key));
        group.clear_pending_commit(self.mls.storage()).unwrap();
        commit
    }

    /// Posts MLS messages to the victim.
    pub(crate) fn post(&mut self, village: &mut Village, messages: &[&[u8]]) {
        self.post_letter(village, letter(0, messages));
    }

    pub(crate) fn post_letter(&mut self, village: &mut Village, letter: Vec<u8>) {
        let to = self.to.clone().unwrap();
        self.mail.post(village, to, letter);
    }

    pub(crate) fn tell(&mut self, village: &mut Village, content: &Content) {
        let bytes = self.compose(content);
        let message = self.message(&bytes);
        self.post(village, &[&message]);
    }

    /// Where I may be written to.
    pub(crate) fn address(&self) -> Address {
        Address {
            network: NetworkTag::TOY,
            locator: Locator([&[77; 8], 1_u64.to_be_bytes().as_slice()].concat()),
            seal: SealKey::Shared([7; 32]),
        }
    }

    pub(crate) fn tell_address(&mut self, village: &mut Village, revision: u64) {
        let addresses = vec![self.address().encode()];
        let update = AddressUpdate {
            revision,
            addresses,
            recovery: Vec::new(),
        };
        self.tell(village, &Content::Addresses(update));
    }

    /// What stands behind a link of the victim's: their key package, and where
    /// to ask.
    pub(crate) fn read_card(village: &Village, link: &Secret) -> (KeyPackage, Address) {
        let link = Link::parse(core::str::from_utf8(link.expose()).unwrap()).unwrap();
        let card = village.card(link.place()).unwrap();
        let now = Timestamp::from_secs(START);
        let opened =
            VerifiedBundle::open(link.secret(), link.kind(), &card.fixed, &card.bundle, now);
        let bundle = opened.unwrap().into_inner();
        let MlsMessageBodyIn::KeyPackage(package) = parse(&bundle.key_package).extract() else {
            panic!("no key package")
        };
        let crypto = openmls_rust_crypto::RustCrypto::default();
        let address = Address {
            network: NetworkTag::TOY,
            locator: Locator(link.place().0.clone()),
            seal: SealKey::FirstContact(bundle.sealing_key.0),
        };
        let package = package.validate(&crypto, ProtocolVersion::Mls10).unwrap();
        (package, address)
    }

    /// A join request with a group made by `make`, which gives the Welcome.
    pub(crate) fn ask(&mut self, mut group: MlsGroup, others: &[KeyPackage]) -> Vec<u8> {
        let (_, welcome, _) = group.add_members(&self.mls, &self.key, others).unwrap();
        group.merge_pending_commit(&self.mls).unwrap();
        self.group = Some(group);
        let addresses = vec![self.address().encode()];
        let update = AddressUpdate {
            revision: 1,
            addresses,
            recovery: Vec::new(),
        };
        let told = self.compose(&Content::Addresses(update));
        let told = self.message(&told);
        letter(1, &[&bytes(&welcome), &told])
    }

    pub(crate) fn create(&self, id: &[u8], config: &MlsGroupCreateConfig) -> MlsGroup {
        self.create_as(id, config, self.key.credential())
    }

    pub(crate) fn create_as(
        &self,
        id: &[u8],
        config: &MlsGroupCreateConfig,
        who: CredentialWithKey,
    ) -> MlsGroup {
        let id = GroupId::from_slice(id);
        MlsGroup::new_with_group_id(&self.mls, &self.key, config, id, who).unwrap()
    }
}

fn parse(bytes: &[u8]) -> MlsMessageIn {
    MlsMessageIn::tls_deserialize_exact_bytes(bytes).unwrap()
}

//! Mallory is off the record with Alice, and does what she likes.

use std::time::Duration;

use hushwing_conversation::content::{
    AddressUpdate, Content, Mode, Post, Receipt, Status, StretchWord, Text, Wish,
};
use hushwing_conversation::link::Kind;
use hushwing_conversation::otr::{Announced, Forger, Step, TagKey, Transcript, check};
use hushwing_conversation::village::{Home, Village};
use hushwing_conversation::{Command, ContactId, DropReason, MessageState, Secret};
use openmls::prelude::*;

use crate::bent::{Key, items, letter};
use crate::hostile::drops;
use crate::intruder::{Intruder, SUITE, bytes, honest_config, honest_package};
use crate::otr::{state, stretches};
use crate::provable::{mode, wish};
use crate::support::*;

const ANNOUNCEMENT: u8 = 8;

/// Alice, who opened a link of Mallory's. Both wish to be off the record.
pub(crate) struct Pair {
    pub(crate) village: Village,
    pub(crate) alice: Home,
    pub(crate) contact: ContactId,
    pub(crate) mallory: Intruder,
}

/// A stretch as Mallory has it.
pub(crate) struct Stretch {
    group: MlsGroup,
    key: Key,
    /// Her offer and Alice's beginning.
    announced: [Vec<Vec<u8>>; 2],
}

pub(crate) fn pair(seed: u64) -> Pair {
    let mut village = village(seed);
    let alice = village.move_in("Alice", DELAY).unwrap();
    let mut mallory = Intruder::new();
    let contact = mallory.meet(&mut village, alice);
    village.pass(Duration::from_secs(60)).unwrap();
    wish(&mut village, alice, contact, Mode::Otr);
    mallory.tell(&mut village, &Content::Mode(Wish::Otr));
    village.pass(Duration::from_secs(60)).unwrap();
    let view = mode(&mut village, alice, contact);
    assert_eq!(view.in_force, Mode::Otr);
    village.events(alice);
    village.overhear();
    Pair {
        village,
        alice,
        contact,
        mallory,
    }
}

pub(crate) fn post(text: &str) -> Content {
    Content::Post(Post::new(Text::new(text).unwrap(), None))
}

/// An announcement with the tag it ought to have.
fn tagged(
    mallory: &Intruder,
    said: Announced,
    answered: Option<&[u8; 32]>,
    object: &[u8],
) -> Vec<u8> {
    let (of, _, key) = mallory.exported("hushwing otr");
    let tag = said.tag(&TagKey::new(key), of, answered, object);
    letter(ANNOUNCEMENT, &[&said.head(), object, &tag])
}

fn package_of(mallory: &Intruder, key: &Key) -> Vec<u8> {
    let made = honest_package().build(SUITE, &mallory.mls, key, key.credential());
    bytes(&MlsMessageOut::from(made.unwrap().key_package().clone()))
}

fn offer(mallory: &Intruder, number: u64, key: &Key) -> Announced {
    Announced {
        step: Step::Offer,
        leaf: 1,
        epoch: mallory.exported("hushwing otr").1,
        stretch: number,
        key: key.public().try_into().unwrap(),
    }
}

impl Pair {
    pub(crate) fn offers(&mut self, number: u64, key: &Key) -> Vec<u8> {
        let package = package_of(&self.mallory, key);
        tagged(
            &self.mallory,
            offer(&self.mallory, number, key),
            None,
            &package,
        )
    }

    /// Mallory offers a stretch as one ought to, and Alice begins it.
    pub(crate) fn begin(&mut self) -> Stretch {
        self.begin_at(1)
    }

    pub(crate) fn begin_at(&mut self, number: u64) -> Stretch {
        let key = Key::new(90);
        let offered = self.offers(number, &key);
        self.mallory.post_letter(&mut self.village, offered.clone());
        let sent = self.village.overhear();
        let told = self.mallory.letters(sent);
        let begun = told.iter().find(|told| told[1] == ANNOUNCEMENT);
        let begun = items(begun.expect("a beginning"));
        let mut stretch = Stretch {
            group: self.mallory.follow(&begun[1]),
            key,
            announced: [items(&offered), begun],
        };
        self.say(&mut stretch, &Content::Stretch(StretchWord::Here));
        self.village.events(self.alice);
        stretch
    }

    fn message(&mut self, stretch: &mut Stretch, content: &Content, epoch: u64) -> Vec<u8> {
        let content = self.mallory.compose(content);
        let aad = [&[1], epoch.to_be_bytes().as_slice()].concat();
        stretch.group.set_aad(aad);
        let made = stretch
            .group
            .create_message(&self.mallory.mls, &stretch.key, &content);
        bytes(&made.unwrap())
    }

    pub(crate) fn say(&mut self, stretch: &mut Stretch, content: &Content) {
        self.say_at_once(stretch, content);
        self.village.pass(DELAY * 3).unwrap();
    }

    /// Says something, and lets no time pass.
    pub(crate) fn say_at_once(&mut self, stretch: &mut Stretch, content: &Content) {
        let epoch = self.mallory.exported("hushwing otr").1;
        let message = self.message(stretch, content, epoch);
        self.mallory.post(&mut self.village, &[&message]);
    }

    /// What Alice said in the stretch since the last look.
    fn heard(&mut self, stretch: &mut Stretch) -> Vec<(Content, Vec<u8>)> {
        self.heard_both(stretch).0
    }

    /// As [`Self::heard`], and how many messages she said elsewhere: on record.
    pub(crate) fn heard_both(&mut self, stretch: &mut Stretch) -> (Vec<(Content, Vec<u8>)>, usize) {
        let sent = self.village.overhear();
        let (mut heard, mut elsewhere) = (Vec::new(), 0);
        for told in self.mallory.letters(sent) {
            for item in items(&told).into_iter().filter(|_| told[1] == 0) {
                let message = MlsMessageIn::tls_deserialize_exact_bytes(&item).unwrap();
                let message = ProtocolMessage::try_from(message).unwrap();
                if message.group_id() != stretch.group.group_id() {
                    elsewhere += 1;
                    continue;
                }
                let mls = &self.mallory.mls;
                let processed = stretch.group.process_message(mls, message).unwrap();
                let content = processed.into_content();
                let ProcessedMessageContent::ApplicationMessage(said) = content else {
                    panic!("something else")
                };
                let said = said.into_bytes();
                let read = hushwing_conversation::content::Message::decode(&said).unwrap();
                heard.push((Content::read(&read).unwrap(), said));
            }
        }
        (heard, elsewhere)
    }

    pub(crate) fn dropped(&mut self) -> Vec<DropReason> {
        drops(&mut self.village, self.alice)
    }

    pub(crate) fn texts(&mut self) -> Vec<String> {
        texts(&mut self.village, self.alice, self.contact)
    }
}

#[test]
fn an_honest_stretch_of_hers_is_read_and_a_commit_in_it_is_not() {
    let mut p = pair(2500);
    let mut stretch = p.begin();
    p.say(&mut stretch, &post("hello"));
    assert_eq!(p.texts(), ["hello"]);
    assert_eq!(p.dropped(), []);
    let params = LeafNodeParameters::default();
    let made = stretch
        .group
        .self_update(&p.mallory.mls, &stretch.key, params);
    let commit = bytes(made.unwrap().commit());
    stretch
        .group
        .clear_pending_commit(OpenMlsProvider::storage(&p.mallory.mls))
        .unwrap();
    p.mallory.post(&mut p.village, &[&commit]);
    assert_eq!(p.dropped(), [DropReason::Commit]);
    p.say(&mut stretch, &post("still here"));
    assert_eq!(p.texts(), ["hello", "still here"]);
}

#[test]
fn what_concerns_the_conversation_is_not_taken_from_a_stretch() {
    let mut p = pair(2501);
    let mut stretch = p.begin();
    let update = AddressUpdate {
        revision: 9,
        addresses: vec![p.mallory.address().encode()],
        recovery: Vec::new(),
    };
    for content in [Content::Mode(Wish::Normal), Content::Addresses(update)] {
        p.say(&mut stretch, &content);
        assert_eq!(p.dropped(), [DropReason::Content], "{content:?}");
    }
    // Nor words about a stretch from elsewhere.
    let last = Content::Stretch(StretchWord::Last);
    p.mallory.tell(&mut p.village, &last);
    assert_eq!(p.dropped(), [DropReason::Content]);
    assert_eq!(mode(&mut p.village, p.alice, p.contact).in_force, Mode::Otr);
    let far = p.message(&mut stretch, &post("from far away"), 1 << 40);
    p.mallory.post(&mut p.village, &[&far]);
    assert_eq!(p.dropped(), [DropReason::FarAhead]);
    assert_eq!(p.texts().len(), 0);
}

#[test]
fn a_receipt_on_record_confirms_nothing_that_was_said_off_it() {
    let mut p = pair(2502);
    let mut stretch = p.begin();
    let message = send(&mut p.village, p.alice, p.contact, "did you get it?");
    p.village.pass(DELAY).unwrap();
    let status = Status::DELIVERED;
    let receipts = Content::Receipts(vec![Receipt { message, status }]);
    p.mallory.tell(&mut p.village, &receipts);
    assert_eq!(
        state(&mut p.village, p.alice, message),
        MessageState::Accepted
    );
    p.say(&mut stretch, &receipts);
    assert_eq!(
        state(&mut p.village, p.alice, message),
        MessageState::Delivered
    );
}

#[test]
fn offers_and_ends_without_number_are_answered_eight_times_a_minute() {
    let mut p = pair(2503);
    let said = |p: &Pair, step, stretch| Announced {
        step,
        leaf: 1,
        epoch: p.mallory.exported("hushwing otr").1,
        stretch,
        key: [0; 32],
    };
    for number in 1..60 {
        let key = Key::new(u8::try_from(number).unwrap());
        let offered = p.offers(number, &key);
        p.mallory.post_letter(&mut p.village, offered);
        let over = tagged(&p.mallory, said(&p, Step::Over, number), None, &[]);
        p.mallory.post_letter(&mut p.village, over);
        // Offered again, it is one that is over.
        let again = p.offers(number, &key);
        p.mallory.post_letter(&mut p.village, again);
    }
    let answers = p.village.overhear().len();
    assert!((1..=8).contains(&answers), "{answers}");
    assert!(p.dropped().contains(&DropReason::Stretch));
    // A number beyond all is none.
    let key = Key::new(80);
    let beyond = p.offers(u64::MAX, &key);
    p.mallory.post_letter(&mut p.village, beyond);
    assert_eq!(p.dropped(), [DropReason::Content]);
    p.village.pass(Duration::from_secs(60)).unwrap();
    p.village.overhear();
    let offered = p.offers(100, &key);
    p.mallory.post_letter(&mut p.village, offered);
    assert_eq!(p.village.overhear().len(), 1, "and later as ever");
}

#[test]
fn an_offer_of_somebody_elses_key_begins_nothing() {
    let mut p = pair(2504);
    let (mine, theirs) = (Key::new(91), Key::new(92));
    let others = package_of(&p.mallory, &theirs);
    let swapped = tagged(&p.mallory, offer(&p.mallory, 1, &mine), None, &others);
    p.mallory.post_letter(&mut p.village, swapped);
    assert_eq!(p.dropped(), [DropReason::Stretch]);
    // And with a wrong tag not even that is looked at.
    let mut bent = p.offers(1, &mine);
    *bent.last_mut().unwrap() ^= 1;
    p.mallory.post_letter(&mut p.village, bent);
    assert_eq!(p.dropped(), [DropReason::Unreadable]);
    let now = stretches(&mut p.village, p.alice, p.contact).now;
    assert!(now.is_none());
}

#[test]
fn nothing_is_believed_under_a_key_that_was_given_away() {
    let mut p = pair(2505);
    let mut stretch = p.begin();
    send(&mut p.village, p.alice, p.contact, "the last");
    p.village.pass(DELAY).unwrap();
    let said = p.heard(&mut stretch);
    let id = stretches(&mut p.village, p.alice, p.contact);
    assert!(id.now.is_some());
    assert_eq!(said.len(), 1);
    let seed = Secret::new(stretch.key.0.to_bytes());
    let key = Content::Stretch(StretchWord::Key(seed));
    // Before Alice said her last word, nobody is to give anything away.
    p.say(&mut stretch, &key);
    assert_eq!(p.dropped(), [DropReason::Content]);
    wish(&mut p.village, p.alice, p.contact, Mode::Normal);
    let message = last_said(&mut p);
    let status = Status::DELIVERED;
    let receipts = Content::Receipts(vec![Receipt { message, status }]);
    p.say(&mut stretch, &receipts);
    p.say(&mut stretch, &Content::Stretch(StretchWord::Last));
    let words: Vec<_> = p
        .heard(&mut stretch)
        .into_iter()
        .map(|(word, _)| word)
        .collect();
    assert_eq!(words[0], Content::Stretch(StretchWord::Last));
    let [_, Content::Stretch(StretchWord::Key(hers))] = &words[..] else {
        panic!("{words:?}")
    };
    let begun = Announced::read(&stretch.announced[1][0]).unwrap();
    let hers: [u8; 32] = hers.array().unwrap();
    let public = ed25519_dalek::SigningKey::from_bytes(&hers).verifying_key();
    assert_eq!(public.to_bytes(), begun.key);
    // A wrong key is none of hers.
    let wrong = Content::Stretch(StretchWord::Key(Secret::new([1; 32])));
    p.say(&mut stretch, &wrong);
    assert_eq!(p.dropped(), [DropReason::Content]);
    p.say(&mut stretch, &key);
    p.say(&mut stretch, &post("said by whom?"));
    assert_eq!(p.dropped(), [DropReason::Stretch]);
    assert_eq!(p.texts(), ["the last"]);
}

fn last_said(p: &mut Pair) -> hushwing_conversation::MessageId {
    let views = read(&mut p.village, p.alice, p.contact);
    views.last().unwrap().id
}

/// All that Mallory could publish of a real stretch: it is whole, and so is one that
/// says the contrary, which differs in nothing but the words and their signatures.
#[test]
fn a_real_stretch_is_forged_from_what_it_reveals() {
    let mut p = pair(2506);
    let mut stretch = p.begin();
    send(&mut p.village, p.alice, p.contact, "I took the money");
    p.village.pass(DELAY).unwrap();
    let (_, words) = p.heard(&mut stretch).remove(0);
    wish(&mut p.village, p.alice, p.contact, Mode::Normal);
    let message = last_said(&mut p);
    let status = Status::DELIVERED;
    p.say(
        &mut stretch,
        &Content::Receipts(vec![Receipt { message, status }]),
    );
    p.say(&mut stretch, &Content::Stretch(StretchWord::Last));
    let revealed = p
        .heard(&mut stretch)
        .into_iter()
        .find_map(|(word, _)| match word {
            Content::Stretch(StretchWord::Key(key)) => Some(key),
            _ => None,
        });
    let (of, epoch, tag_key) = p.mallory.exported("hushwing otr");
    let context = context_of(&stretch);
    let mine = Secret::new(stretch.key.0.to_bytes());
    let mut real = Transcript {
        conversation: of,
        stretch: 1,
        tag_key,
        group: stretch.group.group_id().as_slice().try_into().unwrap(),
        tree: context.tree_hash().try_into().unwrap(),
        begun: context.confirmed_transcript_hash().try_into().unwrap(),
        announced: stretch.announced.each_ref().map(|items| told(items)),
        said: Vec::new(),
        revealed: [Some(revealed.expect("her key")), Some(mine)],
    };
    // What Alice signed: Ed25519 signs the same the same.
    let mut signs = Forger::of(&real).unwrap();
    signs.say(0, epoch, words.clone());
    real = signs.finish();
    let shown = check(&real.encode()).unwrap();
    assert!(shown.revealed);
    assert_eq!(shown.lines[0].content.to_plain(), "I took the money");
    let mut forger = Forger::of(&real).unwrap();
    let false_words = p.mallory.compose(&post("I gave the money"));
    forger.say(0, epoch, false_words);
    let forged = forger.finish();
    let shown = check(&forged.encode()).unwrap();
    assert_eq!(shown.lines[0].content.to_plain(), "I gave the money");
    let mut back = Forger::of(&forged).unwrap();
    back.say(0, epoch, words);
    assert_eq!(back.finish().encode(), real.encode());
}

fn context_of(stretch: &Stretch) -> GroupContext {
    let crypto = openmls_rust_crypto::RustCrypto::default();
    let info = stretch.group.export_group_info(&crypto, &stretch.key, true);
    let info = MlsMessageIn::tls_deserialize_exact_bytes(&bytes(&info.unwrap())).unwrap();
    let MlsMessageBodyIn::GroupInfo(info) = info.extract() else {
        panic!("no group info")
    };
    info.group_context().clone()
}

fn told(items: &[Vec<u8>]) -> hushwing_conversation::otr::Told {
    use sha2::Digest as _;
    let said = Announced::read(&items[0]).unwrap();
    hushwing_conversation::otr::Told {
        epoch: said.epoch,
        key: said.key,
        object: sha2::Sha256::digest(&items[1]).into(),
        tag: items[2].as_slice().try_into().unwrap(),
    }
}

/// Mallory, who opened a link of Alice's, begins the stretch that Alice offers.
pub(crate) fn joined(seed: u64) -> (Pair, Vec<u8>) {
    let mut village = village(seed);
    let alice = village.move_in("Alice", DELAY).unwrap();
    let link = invite(&mut village, alice, false).link;
    let mut mallory = Intruder::new();
    let (package, address) = Intruder::read_card(&village, &link);
    mallory.to = Some(address);
    let group = mallory.create(&[5; 16], &honest_config());
    let request = mallory.ask(group, &[package]);
    let card = mallory.card(Kind::Reusable, mallory.package(honest_package()));
    Intruder::publish(&mut village, 1, Kind::Reusable, card);
    village.overhear();
    mallory.post_letter(&mut village, request);
    village.pass(Duration::from_secs(60)).unwrap();
    let sent = village.overhear();
    for content in mallory.understand(sent) {
        if let Content::Addresses(update) = content {
            mallory.to = Some(hushwing_delivery::Address::decode(&update.addresses[0]).unwrap());
        }
    }
    let contact = contacts(&mut village, alice)[0].contact;
    let mut p = Pair {
        village,
        alice,
        contact,
        mallory,
    };
    wish(&mut p.village, alice, contact, Mode::Otr);
    p.village.overhear();
    p.mallory.tell(&mut p.village, &Content::Mode(Wish::Otr));
    let sent = p.village.overhear();
    let told = p.mallory.letters(sent);
    let offered = told.into_iter().find(|told| told[1] == ANNOUNCEMENT);
    p.village.events(alice);
    (p, offered.expect("an offer"))
}

/// She could have passed the offer on to Bob as her own, and his beginning back to
/// Alice as hers: his group has the name that his conversation with her gives it.
#[test]
fn a_group_with_another_name_is_entered_by_nobody() {
    for honest in [false, true] {
        let (mut p, offered) = joined(2507);
        let offered = items(&offered);
        let said = Announced::read(&offered[0]).unwrap();
        let (of, _, tag_key) = p.mallory.exported("hushwing otr");
        let key = Key::new(93);
        let public: [u8; 32] = key.public().try_into().unwrap();
        let name = TagKey::new(tag_key).group(of, said.stretch, [&public, &said.key]);
        let elsewhere = TagKey::new([3; 32]).group(of, said.stretch, [&public, &said.key]);
        let name = GroupId::from_slice(if honest { &name } else { &elsewhere });
        let mls = &p.mallory.mls;
        let config = honest_config();
        let made = MlsGroup::new_with_group_id(mls, &key, &config, name.clone(), key.credential());
        let mut group = made.unwrap();
        let package = MlsMessageIn::tls_deserialize_exact_bytes(&offered[1]).unwrap();
        let MlsMessageBodyIn::KeyPackage(package) = package.extract() else {
            panic!("no key package")
        };
        let crypto = openmls_rust_crypto::RustCrypto::default();
        let package = package.validate(&crypto, ProtocolVersion::Mls10);
        let (_, welcome, _) = group.add_members(mls, &key, &[package.unwrap()]).unwrap();
        group.merge_pending_commit(mls).unwrap();
        let begin = Announced {
            step: Step::Begin,
            leaf: 0,
            key: public,
            ..said
        };
        let begin = tagged(&p.mallory, begin, Some(&said.key), &bytes(&welcome));
        p.mallory.post_letter(&mut p.village, begin);
        let now = stretches(&mut p.village, p.alice, p.contact).now;
        assert_eq!(now.unwrap().group.is_some(), honest);
        let expected: &[DropReason] = if honest { &[] } else { &[DropReason::Stretch] };
        assert_eq!(p.dropped(), expected);
    }
}

/// How many announcements came to Mallory since the last look.
pub(crate) fn announced_to(p: &mut Pair) -> usize {
    let sent = p.village.overhear();
    let told = p.mallory.letters(sent).into_iter();
    told.filter(|told| told[1] == ANNOUNCEMENT).count()
}

/// Whatever is asked of her, Alice offers eight times a minute.
#[test]
fn she_offers_eight_times_a_minute_whatever_is_over() {
    let (mut p, _) = joined(2508);
    p.village.overhear();
    for number in 1..60 {
        let over = Announced {
            step: Step::Over,
            leaf: 0,
            epoch: p.mallory.exported("hushwing otr").1,
            stretch: number * 1_000,
            key: [0; 32],
        };
        let over = tagged(&p.mallory, over, None, &[]);
        p.mallory.post_letter(&mut p.village, over);
    }
    let offers = announced_to(&mut p);
    assert!((1..=8).contains(&offers), "{offers}");
    p.village.pass(Duration::from_secs(60)).unwrap();
    assert_eq!(announced_to(&mut p), 1, "she goes on by herself");
    let end = Announced {
        step: Step::Over,
        leaf: 0,
        epoch: p.mallory.exported("hushwing otr").1,
        stretch: 1 << 32,
        key: [0; 32],
    };
    let end = tagged(&p.mallory, end, None, &[]);
    p.mallory.post_letter(&mut p.village, end);
    p.village.pass(Duration::from_secs(3_600)).unwrap();
    let record = stretches(&mut p.village, p.alice, p.contact);
    assert!(record.now.is_none(), "there are no more numbers");
    let waits = send(&mut p.village, p.alice, p.contact, "waits for good");
    assert_eq!(state(&mut p.village, p.alice, waits), MessageState::Queued);
    ask(
        &mut p.village,
        p.alice,
        Command::Forget { contact: p.contact },
    );
}

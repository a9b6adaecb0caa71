//! Real transcripts, forged ones, and that nobody can tell which is which.

use hushwing_sansio::{Context, Entropy, Moment, Timestamp};
use proptest::prelude::*;

use super::transcript::Told;
use super::*;
use crate::content::{Content, Frame, Lamport, Post, Salt, Stamp, Text};
use crate::mls::{
    CheckedKeyPackage, Crypto, FreshKeyPackage, Group, LeafKey, Opened, Place, Received,
};
use crate::{ConversationId, MemoryStorage};

const OF: ConversationId = ConversationId([9; 16]);
/// The epoch of the conversation in which all of it is said.
const EPOCH: u64 = 5;
/// Written by the test below, read by it and by `interop/otr`.
const VECTORS: &str = include_str!("../../../../interop/vectors/otr.json");

#[derive(Clone)]
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

fn cx(chance: &mut Chance) -> Context<'_> {
    Context::new(Moment::default(), Timestamp::default(), chance)
}

/// A line: who says what.
type Words<'a> = (u8, &'a str);

fn content(at: usize, text: &str) -> Vec<u8> {
    let at = u8::try_from(at).unwrap();
    let frame = Frame {
        salt: Salt([at; 16]),
        stamp: Stamp {
            lamport: Lamport::new(u64::from(at) + 40).unwrap(),
            sent: Timestamp::from_millis(1_790_000_000_000 + u64::from(at) * 1_000),
        },
        expires: None,
    };
    let post = Post::new(Text::new(text).unwrap(), None);
    Content::Post(post).compose(frame).unwrap()
}

#[derive(Clone)]
struct Side {
    storage: MemoryStorage,
    chance: Chance,
    seed: crate::Secret,
}

/// A stretch that two programs began: the announcements made, the group begun with
/// openmls, nothing said yet.
struct Begun {
    crypto: Crypto,
    sides: [Side; 2],
    transcript: Transcript,
}

fn begin() -> Begun {
    let crypto = Crypto::default();
    let tag_key = shared_key(&crypto);
    let (mut one, mut other) = (Chance(1), Chance(2));
    let (mut first, mut second) = (MemoryStorage::new(), MemoryStorage::new());

    let offered = LeafKey::generate(&mut cx(&mut other));
    let (offered_seed, offered_key) = (offered.secret(), offered.public());
    let fresh = FreshKeyPackage::make(&crypto, &mut cx(&mut other), &mut second, &offered).unwrap();
    let offer = told(&tag_key, Step::Offer, offered_key, None, &fresh.message);

    let package = CheckedKeyPackage::check(&crypto, &fresh.message).unwrap();
    assert!(package.is_of(&offer.key));
    let beginner = LeafKey::generate(&mut cx(&mut one));
    let (first_seed, first_key) = (beginner.secret(), beginner.public());
    let name = ConversationId(tag_key.group(OF, 1, [&first_key, &offer.key]));
    let (rows, chance) = (&mut first, &mut cx(&mut one));
    let made = Group::create(&crypto, chance, rows, name, beginner, &package);
    let (_, welcome) = made.unwrap().unwrap();
    let begin = told(&tag_key, Step::Begin, first_key, Some(&offer.key), &welcome);

    let (rows, chance) = (&mut second, &mut cx(&mut other));
    let joined = Group::join(&crypto, chance, rows, &welcome, |_| Some(offered));
    assert_eq!(joined.unwrap().unwrap().their_key(), Some(begin.key));
    let revealed = [Some(first_seed.clone()), Some(offered_seed.clone())];
    let side = |(storage, chance, seed)| Side {
        storage,
        chance,
        seed,
    };
    Begun {
        crypto,
        sides: [(first, one, first_seed), (second, other, offered_seed)].map(side),
        transcript: Transcript {
            conversation: OF,
            stretch: 1,
            tag_key: *tag_key.expose(),
            group: name.0,
            tree: [0; 48],
            begun: [0; 48],
            announced: [offer, begin],
            said: Vec::new(),
            revealed,
        },
    }
}

impl Begun {
    /// The words are encrypted by one and opened by the other; gives what a partner
    /// could keep of it.
    fn overheard(&self, words: &[Words<'_>]) -> Transcript {
        let mut transcript = self.transcript.clone();
        let mut sides = self.sides.clone();
        for (at, (leaf, text)) in words.iter().enumerate() {
            let said = content(at, text);
            speak(&self.crypto, &mut sides, &mut transcript, *leaf, said);
        }
        transcript
    }
}

fn overheard(words: &[Words<'_>]) -> Transcript {
    begin().overheard(words)
}

impl Side {
    fn group(&mut self, crypto: &Crypto, name: ConversationId, leaf: u8) -> Group {
        let key = LeafKey::from_secret(&self.seed).unwrap();
        let (chance, rows) = (&mut cx(&mut self.chance), &mut self.storage);
        let group = Group::load(crypto, chance, rows, name, key).unwrap();
        // As if many epochs were before it: a stretch has none of its own.
        group.placed(Place {
            before: 1 << 62,
            own_leaf: u32::from(leaf),
        })
    }
}

/// What both sides of a conversation export of its group.
fn shared_key(crypto: &Crypto) -> TagKey {
    let (mut one, mut other) = (Chance(3), Chance(4));
    let (mut first, mut second) = (MemoryStorage::new(), MemoryStorage::new());
    let key = LeafKey::generate(&mut cx(&mut other));
    let fresh = FreshKeyPackage::make(crypto, &mut cx(&mut other), &mut second, &key).unwrap();
    let package = CheckedKeyPackage::check(crypto, &fresh.message).unwrap();
    let (mut chance, own) = (Chance(5), LeafKey::generate(&mut cx(&mut one)));
    let made = Group::create(crypto, &mut cx(&mut chance), &mut first, OF, own, &package);
    let (group, welcome) = made.unwrap().unwrap();
    let joined = Group::join(crypto, &mut cx(&mut other), &mut second, &welcome, |_| {
        Some(key)
    });
    let exported = [group, joined.unwrap().unwrap()]
        .map(|group| group.export(crypto, "hushwing otr", &OF.0).unwrap());
    assert_eq!(exported[0], exported[1], "either could have tagged");
    TagKey::new(*exported[0])
}

fn told(
    tag_key: &TagKey,
    step: Step,
    key: [u8; 32],
    answered: Option<&[u8; 32]>,
    object: &[u8],
) -> Told {
    let announced = Announced {
        step,
        leaf: u8::from(step == Step::Offer),
        epoch: EPOCH,
        stretch: 1,
        key,
    };
    assert_eq!(Announced::read(&announced.head()), Some(announced));
    let tag = announced.tag(tag_key, OF, answered, object);
    assert!(announced.is_tagged(tag_key, OF, answered, object, &tag));
    Told {
        epoch: EPOCH,
        key,
        object: announcement::digest(object),
        tag,
    }
}

/// One says something, the other reads it, and both could write down how it was
/// signed.
fn speak(
    crypto: &Crypto,
    sides: &mut [Side; 2],
    transcript: &mut Transcript,
    leaf: u8,
    content: Vec<u8>,
) {
    let [one, other] = sides;
    let (speaker, hearer) = match leaf {
        0 => (one, other),
        _ => (other, one),
    };
    let name = ConversationId(transcript.group);
    let mut group = speaker.group(crypto, name, leaf);
    let (chance, rows) = (&mut cx(&mut speaker.chance), &mut speaker.storage);
    let said = group.overheard(crypto, chance, rows, &content, EPOCH);
    let received = Received::parse(&said.message).unwrap();
    let mut group = hearer.group(crypto, name, 1 - leaf);
    let (chance, rows) = (&mut cx(&mut hearer.chance), &mut hearer.storage);
    let opened = received.open(crypto, chance, rows, &mut group, false);
    let Ok(Opened::Said {
        plaintext, epoch, ..
    }) = opened.unwrap()
    else {
        panic!("what was said cannot be read")
    };
    assert_eq!((&plaintext, epoch), (&content, EPOCH));
    // All that is bound to the group stands at the end of what is signed.
    let tail = said.signed.len() - transcript.frame().context().len() + 30;
    transcript.tree = said.signed[tail..tail + 48].try_into().unwrap();
    transcript.begun = said.signed[tail + 49..tail + 97].try_into().unwrap();
    let signed = transcript.frame().signed(leaf, EPOCH, &content);
    assert_eq!(signed, said.signed, "framed as openmls frames it");
    transcript.said.push(Said {
        leaf,
        epoch: EPOCH,
        content,
        signature: said.signature,
    });
}

/// Has the transcript say something else, by what it reveals.
fn forged(known: &Transcript, words: &[Words<'_>]) -> Transcript {
    let mut forger = Forger::of(known).unwrap();
    for (at, (leaf, text)) in words.iter().enumerate() {
        forger.say(*leaf, EPOCH, content(at, text));
    }
    forger.finish()
}

fn invented(words: &[Words<'_>], seed: u64) -> Transcript {
    let mut forger = Forger::from_nothing(&mut cx(&mut Chance(seed)), OF, EPOCH);
    for (at, (leaf, text)) in words.iter().enumerate() {
        forger.say(*leaf, EPOCH, content(at, text));
    }
    forger.finish()
}

const REAL: &[Words<'static>] = &[
    (0, "I took the money."),
    (1, "Nobody must know."),
    (1, "Burn the receipts."),
    (0, "Done."),
];
const NEVER_SAID: &[Words<'static>] = &[
    (0, "I gave the money."),
    (1, "Everybody may know it, and did."),
    (0, "Thanks."),
];

fn texts(shown: &Shown) -> Vec<(u8, String)> {
    let line = |line: &Line| (line.leaf, line.content.to_plain());
    shown.lines.iter().map(line).collect()
}

fn expected(words: &[Words<'_>]) -> Vec<(u8, String)> {
    words
        .iter()
        .map(|(leaf, text)| (*leaf, (*text).to_owned()))
        .collect()
}

#[test]
fn a_real_transcript_is_whole_and_so_is_one_of_what_was_never_said() {
    let real = overheard(REAL);
    let shown = check(&real.encode()).unwrap();
    assert!(shown.revealed);
    assert_eq!(texts(&shown), expected(REAL));
    for false_one in [forged(&real, NEVER_SAID), invented(NEVER_SAID, 77)] {
        let shown = check(&false_one.encode()).unwrap();
        assert!(shown.revealed);
        assert_eq!(texts(&shown), expected(NEVER_SAID));
    }
}

/// The strongest there is: had they said those other words, the transcript of it
/// would have been the forged one, to the byte.
#[test]
fn what_is_forged_is_what_would_have_been_had_it_been_said() {
    let begun = begin();
    let (real, other) = (begun.overheard(REAL), begun.overheard(NEVER_SAID));
    assert_eq!(forged(&real, NEVER_SAID).encode(), other.encode());
    assert_eq!(forged(&other, REAL).encode(), real.encode());
}

#[test]
fn before_a_key_is_revealed_nobody_goes_on_with_it_but_anybody_invents_another() {
    let mut early = overheard(REAL);
    early.revealed[0] = None;
    assert!(Forger::of(&early).is_none());
    assert!(!check(&early.encode()).unwrap().revealed);
    let mut other = invented(NEVER_SAID, 3);
    other.revealed[0] = None;
    let shown = check(&other.encode()).unwrap();
    assert!(!shown.revealed);
    assert_eq!(other.revealed[1].is_some(), early.revealed[1].is_some());
}

#[test]
fn one_changed_byte_is_noticed_in_real_and_forged_alike() {
    for whole in [overheard(REAL), invented(REAL, 5)] {
        let bytes = whole.encode();
        // Who made it up chose these, so another of them is another stretch: the
        // hash of the tree, for instance, is under each signature.
        for at in 0..bytes.len() {
            for bit in [0x01, 0x80] {
                let mut bent = bytes.clone();
                bent[at] ^= bit;
                assert!(check(&bent).is_err(), "byte {at}");
            }
        }
    }
}

#[test]
fn a_group_of_another_conversation_is_none_of_this_stretch() {
    let mut real = overheard(REAL);
    real.group[0] ^= 1;
    assert_eq!(check(&real.encode()), Err(CheckError::Group));
}

#[test]
fn keys_are_two_and_belong_to_their_leaves() {
    let real = overheard(REAL);
    let swapped = Transcript {
        revealed: [real.revealed[1].clone(), real.revealed[0].clone()],
        ..real.clone()
    };
    assert_eq!(check(&swapped.encode()), Err(CheckError::Revealed));
    let mut third = real.clone();
    third.said[0].leaf = 2;
    assert_eq!(check(&third.encode()), Err(CheckError::Signature));
    let mut reflected = real;
    reflected.said[0].leaf = 1;
    assert_eq!(check(&reflected.encode()), Err(CheckError::Signature));
    assert!(!format!("{reflected:?}").contains("money"));
}

/// What a judge can look at without the words: which fields there are, and how
/// long each is.
fn outline(transcript: &Transcript) -> Vec<usize> {
    let mut outline = vec![transcript.encode().len(), transcript.said.len()];
    outline.extend(transcript.said.iter().map(|said| said.content.len()));
    outline.extend(transcript.said.iter().map(|said| usize::from(said.leaf)));
    outline
}

/// By a partner, who has both keys when all is over; by a reader, who has nothing but
/// the file; and from nothing.
fn forgeries(real: &Transcript) -> [(&'static str, Transcript); 3] {
    let read = Transcript::decode(&real.encode()).unwrap();
    let reader = [(1, "It was all my own idea."), (0, "Indeed?")];
    [
        ("by_a_partner", forged(real, NEVER_SAID)),
        ("by_a_reader", forged(&read, &reader)),
        ("from_nothing", invented(NEVER_SAID, 77)),
    ]
}

#[test]
fn transcripts_on_record_are_whole_and_forged_from_the_real_one() {
    if std::env::var_os("HUSHWING_BLESS").is_some() {
        write_vectors();
        return;
    }
    let record = |name: &str| {
        let rest = VECTORS.split_once(&format!("\"{name}\": \"")).unwrap().1;
        hex::decode(rest.split_once('"').unwrap().0).unwrap()
    };
    let real = Transcript::decode(&record("real")).unwrap();
    let shown = check(&record("real")).unwrap();
    assert_eq!(texts(&shown), expected(REAL));
    assert_eq!(forged(&real, REAL), real, "nothing marks it as real");
    for (name, transcript) in forgeries(&real) {
        assert_eq!(transcript.encode(), record(name), "{name}");
        assert!(check(&record(name)).unwrap().revealed);
    }
}

/// MLS draws randomness of its own, so the real one is another each time.
#[expect(clippy::disallowed_methods, reason = "by hand, when the form changes")]
fn write_vectors() {
    let real = overheard(REAL);
    let about = "transcripts of protocol/otr.md, hexadecimal; interop/otr checks them";
    let mut json = format!("{{\n  \"about\": \"{about}\"");
    let all = [("real", real.clone())].into_iter();
    for (name, transcript) in all.chain(forgeries(&real)) {
        let hex = hex::encode(transcript.encode());
        json.push_str(&format!(",\n  \"{name}\": \"{hex}\""));
    }
    json.push_str("\n}\n");
    let root = concat!(env!("CARGO_MANIFEST_DIR"), "/../..");
    std::fs::write(format!("{root}/interop/vectors/otr.json"), json).unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(8))]
    /// A judge who is shown a real stretch, one forged of another and one made
    /// from nothing, with the same words, sees the same fields of the same lengths.
    /// The first two are even the same bytes.
    #[test]
    fn no_judge_tells_a_real_stretch_by_its_form(
        words in prop::collection::vec((0..2_u8, "[a-z]{1,80}"), 1..5),
        seed in any::<u64>(),
    ) {
        let words: Vec<_> = words.iter().map(|(leaf, text)| (*leaf, text.as_str())).collect();
        let begun = begin();
        let real = begun.overheard(&words);
        let other = forged(&begun.overheard(NEVER_SAID), &words);
        prop_assert_eq!(real.encode(), other.encode());
        let nothing = invented(&words, seed);
        prop_assert_eq!(outline(&real), outline(&nothing));
        for transcript in [&real, &nothing] {
            let bytes = transcript.encode();
            prop_assert!(check(&bytes).is_ok());
            prop_assert_eq!(&Transcript::decode(&bytes).unwrap(), transcript);
        }
    }
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(256))]
    #[test]
    fn any_bytes_are_read_without_panic(bytes in prop::collection::vec(any::<u8>(), 0..400)) {
        if let Ok(transcript) = Transcript::decode(&bytes) {
            prop_assert_eq!(transcript.encode(), bytes);
        }
    }
}

//! What a publisher, a reader and others may make of channels: little.

use hushwing_conversation::channel::{Bond, Chain, ChannelKey, Post};
use hushwing_conversation::content::{
    ChannelStep, ChannelWord, Content, Frame, Lamport, Post as Words, Salt, Stamp, Text,
};
use hushwing_conversation::village::Village;
use hushwing_conversation::{Command, ConversationId, RoomId, RoomStanding, Secret};
use hushwing_sansio::Timestamp;
use openmls_rust_crypto::RustCrypto;

use crate::hostile::still_works;
use crate::hostile_mls::scene;
use crate::intruder::*;
use crate::rooms::rooms;
use crate::support::*;

const LAST: u64 = (1 << 53) - 1;
const CHAIN: [u8; 32] = [7; 32];

pub(crate) fn key() -> ChannelKey {
    ChannelKey::from_seed(&[3; 32])
}

fn chain() -> Chain {
    Chain {
        generation: 0,
        next: 1,
        key: Secret::new(CHAIN),
    }
}

pub(crate) fn tell(
    mallory: &mut Intruder,
    village: &mut Village,
    channel: ConversationId,
    step: ChannelStep,
) {
    let word = ChannelWord { channel, step };
    mallory.tell(village, &Content::Channel(word));
    village.rest().unwrap();
}

/// An offer of Mallory's, or of whose bond it is.
pub(crate) fn offer_of(key: &ChannelKey, bond: &Bond, admission: u64) -> ChannelStep {
    ChannelStep::Offer {
        key: key.public(),
        name: "News".to_owned(),
        admission,
        word: bond.offer(key, admission),
    }
}

/// The conversation with Mallory, in which she publishes.
pub(crate) fn bond(mallory: &Intruder) -> Bond {
    let between = mallory.wished();
    Bond {
        conversation: between.conversation,
        publisher: between.sender,
        reader: between.receiver,
    }
}

pub(crate) fn offer(
    mallory: &mut Intruder,
    village: &mut Village,
    key: &ChannelKey,
    admission: u64,
) {
    let step = offer_of(key, &bond(mallory), admission);
    tell(mallory, village, key.public().channel(), step);
}

pub(crate) fn told(admission: u64, chains: Vec<Chain>) -> ChannelStep {
    ChannelStep::Told {
        admission,
        oldest: 1,
        head: 0,
        chains,
    }
}

/// What a publisher says as its post of this number, whatever is in it.
pub(crate) fn content(number: u64, text: &str) -> Vec<u8> {
    let frame = Frame {
        salt: Salt([u8::try_from(number % 251).unwrap(); 16]),
        stamp: Stamp {
            lamport: Lamport::new(number).unwrap(),
            sent: Timestamp::from_secs(1_790_000_000),
        },
        expires: None,
    };
    let words = Words::new(Text::new(text).unwrap(), None);
    Content::Post(words).compose(frame).unwrap()
}

pub(crate) fn sealed(key: &ChannelKey, number: u64, content: &[u8]) -> Vec<u8> {
    let crypto = RustCrypto::default();
    let post = Post::seal(&crypto, key, &chain(), number, [1; 12], content);
    post.unwrap().encode()
}

pub(crate) fn post(mallory: &mut Intruder, village: &mut Village, posts: &[Vec<u8>]) {
    for few in posts.chunks(16) {
        let mut letter = vec![1, 10];
        for item in few {
            letter.extend(u32::try_from(item.len()).unwrap().to_be_bytes());
            letter.extend(item);
        }
        mallory.post_letter(village, letter);
    }
    village.rest().unwrap();
}

/// Alice reads Mallory's channel.
pub(crate) fn read_by_alice(seed: u64) -> (Couple, Intruder, RoomId) {
    let (mut c, mut mallory, _) = scene(seed);
    offer(&mut mallory, &mut c.village, &key(), 5);
    let room = rooms(&mut c.village, c.alice)[0].room;
    ask(&mut c.village, c.alice, Command::AcceptRoom { room });
    let (channel, step) = (key().public().channel(), told(5, vec![chain()]));
    tell(&mut mallory, &mut c.village, channel, step);
    let said = sealed(&key(), 1, &content(1, "honest"));
    post(&mut mallory, &mut c.village, &[said]);
    assert_eq!(texts(&mut c.village, c.alice, room.place()), ["honest"]);
    (c, mallory, room)
}

#[test]
fn offers_by_the_hundred_leave_eight() {
    let (mut c, mut mallory, _) = scene(2_850);
    for n in 0..100 {
        let key = ChannelKey::from_seed(&[n; 32]);
        offer(&mut mallory, &mut c.village, &key, 1);
        // The same twice is one.
        offer(&mut mallory, &mut c.village, &key, 1);
    }
    let waiting = rooms(&mut c.village, c.alice);
    assert_eq!(waiting.len(), 8);
    let offered = |standing| standing == RoomStanding::Offered;
    assert!(waiting.iter().all(|view| offered(view.standing)));
    still_works(&mut c, &[]);
}

#[test]
fn a_flood_of_posts_is_taken_in_pieces() {
    let (mut c, mut mallory, room) = read_by_alice(2_851);
    let flood: Vec<_> = (2..400)
        .map(|n| sealed(&key(), n, &content(n, "more")))
        .collect();
    post(&mut mallory, &mut c.village, &flood);
    let shown = texts(&mut c.village, c.alice, room.place()).len();
    assert!((60..=90).contains(&shown), "{shown}");
    still_works(&mut c, &[]);
}

#[test]
fn what_is_no_post_of_the_channel_is_dropped() {
    let (mut c, mut mallory, room) = read_by_alice(2_852);
    let other = ChannelKey::from_seed(&[9; 32]);
    let good = sealed(&key(), 2, &content(2, "good"));
    let mut bent = good.clone();
    *bent.last_mut().unwrap() ^= 1;
    let wrong = [
        bent,
        b"nothing".to_vec(),
        sealed(&other, 2, &content(2, "of another channel")),
        // Its place is under the signature, and in its stamp.
        sealed(&key(), 3, &content(4, "another number inside")),
        sealed(&key(), 5, b"no content"),
    ];
    post(&mut mallory, &mut c.village, &wrong);
    assert_eq!(texts(&mut c.village, c.alice, room.place()), ["honest"]);
    post(&mut mallory, &mut c.village, &[good.clone(), good]);
    let all = texts(&mut c.village, c.alice, room.place());
    assert_eq!(all, ["honest", "good"]);
    still_works(&mut c, &[]);
}

#[test]
fn words_of_who_has_no_part_in_it_change_nothing() {
    let (mut c, mut mallory, _) = scene(2_853);
    let name = "News".to_owned();
    ask(&mut c.village, c.alice, Command::FoundChannel { name });
    let mine = rooms(&mut c.village, c.alice).remove(0);
    // Mallory was not asked, whatever she knows.
    for step in [
        ChannelStep::Accept { admission: 1 },
        told(1, vec![chain()]),
        ChannelStep::Ask { next: 0 },
        ChannelStep::Leave { admission: 1 },
        ChannelStep::Over { admission: 1 },
    ] {
        tell(&mut mallory, &mut c.village, mine.conversation, step);
    }
    assert_eq!(rooms(&mut c.village, c.alice), [mine]);
    still_works(&mut c, &[]);
}

#[test]
fn numbers_at_the_end_hurt_only_their_channel() {
    let (mut c, mut mallory, room) = read_by_alice(2_854);
    let end = Chain {
        generation: u32::MAX,
        next: LAST,
        key: Secret::new(CHAIN),
    };
    for (oldest, chains) in [(LAST, Vec::new()), (LAST, vec![end]), (0, Vec::new())] {
        let step = ChannelStep::Told {
            admission: LAST,
            oldest,
            head: LAST,
            chains,
        };
        tell(&mut mallory, &mut c.village, key().public().channel(), step);
    }
    let crypto = RustCrypto::default();
    let last = Chain {
        generation: u32::MAX,
        next: LAST,
        key: Secret::new(CHAIN),
    };
    let last = Post::seal(
        &crypto,
        &key(),
        &last,
        LAST,
        [1; 12],
        &content(LAST, "the end"),
    );
    let later = sealed(&key(), 2, &content(2, "later"));
    let both = [last.unwrap().encode(), later];
    post(&mut mallory, &mut c.village, &both);
    c.village
        .pass(std::time::Duration::from_secs(3_600))
        .unwrap();
    let place = room.place();
    assert_eq!(texts(&mut c.village, c.alice, place), ["honest", "the end"]);
    still_works(&mut c, &[]);
}

#[test]
fn keys_and_posts_are_confirmed_by_nothing() {
    let (mut c, mut mallory, _) = read_by_alice(2_855);
    let hour = std::time::Duration::from_secs(3_600);
    c.village.pass(hour).unwrap();
    c.village.overhear();
    let (channel, step) = (key().public().channel(), told(5, vec![chain()]));
    tell(&mut mallory, &mut c.village, channel, step);
    let said = sealed(&key(), 2, &content(2, "more"));
    post(&mut mallory, &mut c.village, &[said]);
    c.village.pass(hour).unwrap();
    assert!(c.village.overhear().is_empty());
}

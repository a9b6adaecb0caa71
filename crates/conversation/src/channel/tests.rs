use proptest::prelude::*;

use super::*;
use crate::mls::Crypto;
use crate::{ConversationId, Secret};

/// Also checked by `interop/channel`, which was written from `protocol/channels.md`
/// alone.
const VECTOR: &str = include_str!("../../../../interop/vectors/channel.json");

fn key() -> ChannelKey {
    ChannelKey::from_seed(&[0x33; 32])
}

fn chain() -> Chain {
    Chain {
        generation: 2,
        next: 5,
        key: Secret::new([0x44; 32]),
    }
}

fn sealed(number: u64, content: &[u8]) -> Post {
    let crypto = Crypto::default();
    Post::seal(&crypto, &key(), &chain(), number, [0x22; 12], content).unwrap()
}

fn opened(post: &Post, chain: &Chain) -> Result<Vec<u8>, PostFault> {
    post.open(&Crypto::default(), &key().public(), chain)
}

fn field(name: &str) -> Vec<u8> {
    let rest = VECTOR.split_once(&format!("\"{name}\": \"")).unwrap().1;
    hex::decode(rest.split_once('"').unwrap().0).unwrap()
}

#[test]
fn posts_are_those_on_record() {
    assert_eq!(field("public"), key().public().as_bytes());
    assert_eq!(field("channel"), key().public().channel().0);
    assert_eq!(field("chain"), chain().key.expose());
    for (name, number, content) in [
        ("first", 5, &b"said to all readers"[..]),
        ("third", 7, b"and said later"),
        ("void", 8, b""),
    ] {
        let post = sealed(number, content);
        assert_eq!(hex::encode(post.encode()), hex::encode(field(name)));
        assert_eq!(opened(&post, &chain()), Ok(content.to_vec()));
    }
}

#[test]
fn no_bit_of_a_post_can_be_changed() {
    let bytes = sealed(6, b"said").encode();
    for at in 0..bytes.len() {
        for bit in 0..8 {
            let mut other = bytes.clone();
            other[at] ^= 1 << bit;
            let taken = Post::decode(&other).and_then(|post| opened(&post, &chain()));
            assert!(taken.is_err(), "bit {bit} of byte {at}");
        }
        assert!(Post::decode(&bytes[..at]).is_err());
    }
}

#[test]
fn a_reader_who_has_the_keys_cannot_write() {
    let crypto = Crypto::default();
    let theirs = ChannelKey::from_seed(&[0x55; 32]);
    let mut forged = Post::seal(&crypto, &theirs, &chain(), 6, [0; 12], b"I never said").unwrap();
    assert_eq!(opened(&forged, &chain()), Err(PostFault::NoKey));
    // Named like the channel it is not sealed for its place any more.
    forged.channel = key().public().channel();
    assert_eq!(opened(&forged, &chain()), Err(PostFault::Sealed));
    // Sealed for its place, it is still signed by somebody else.
    let place = chain::place(forged.channel, 2, 6);
    let secret = chain().key_of(&crypto, forged.channel, 6).unwrap();
    let signed = [post::SIGNED, &place, b"I never said"].concat();
    for (key, expected) in [
        (theirs, Err(PostFault::Unsigned)),
        (key(), Ok(b"I never said".to_vec())),
    ] {
        let said = [key.sign(&signed).as_slice(), b"I never said"].concat();
        forged.reseal(&crypto, &secret, &place, &said);
        assert_eq!(opened(&forged, &chain()), expected);
    }
}

#[test]
fn a_chain_reads_onwards_and_never_back() {
    let (crypto, channel) = (Crypto::default(), key().public().channel());
    let early = sealed(6, b"before you came");
    let later = chain().forward(&crypto, channel, 7).unwrap();
    assert_eq!(opened(&early, &later), Err(PostFault::NoKey));
    assert!(later.forward(&crypto, channel, 6).is_none());
    let post = sealed(9, b"after");
    assert_eq!(opened(&post, &later), Ok(b"after".to_vec()));
    assert_ne!(later.key, chain().key);
    let most = chain().next + MOST_AHEAD;
    assert!(chain().forward(&crypto, channel, most).is_some());
    assert!(chain().forward(&crypto, channel, most + 1).is_none());
}

#[test]
fn another_generation_opens_nothing() {
    let post = sealed(6, b"said");
    let other = Chain {
        generation: 3,
        ..chain()
    };
    assert_eq!(opened(&post, &other), Err(PostFault::NoKey));
    let mut renamed = post;
    renamed.generation = 3;
    assert_eq!(opened(&renamed, &other), Err(PostFault::Sealed));
}

#[test]
fn keys_of_small_order_are_none() {
    let mut identity = [0; 32];
    identity[0] = 1;
    for bytes in [[0; 32], identity, [0xff; 32]] {
        assert_eq!(PublicChannelKey::from_bytes(&bytes), Err(ChannelKeyError));
    }
    let good = key().public();
    assert_eq!(PublicChannelKey::from_bytes(good.as_bytes()), Ok(good));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]
    #[test]
    fn what_is_sealed_is_opened_wherever_a_reader_stands(
        ahead in 0_u64..40,
        came in 0_u64..40,
        content in prop::collection::vec(any::<u8>(), 0..200),
    ) {
        let crypto = Crypto::default();
        let channel = key().public().channel();
        let post = sealed(5 + ahead, &content);
        let read = Post::decode(&post.encode());
        prop_assert_eq!(read.as_ref(), Ok(&post));
        let theirs = chain().forward(&crypto, channel, 5 + came).unwrap();
        match ahead >= came {
            true => prop_assert_eq!(opened(&post, &theirs), Ok(content)),
            false => prop_assert_eq!(opened(&post, &theirs), Err(PostFault::NoKey)),
        }
    }

    #[test]
    fn whatever_is_decoded_has_one_form(bytes in prop::collection::vec(any::<u8>(), 0..120)) {
        if let Ok(post) = Post::decode(&bytes) {
            prop_assert_eq!(post.encode(), bytes);
        }
    }
}

#[test]
fn a_channel_is_named_by_its_key() {
    let other = ChannelKey::from_seed(&[0x34; 32]).public();
    assert_ne!(other.channel(), key().public().channel());
    assert_ne!(key().public().channel(), ConversationId([0; 16]));
}

fn bond() -> Bond {
    Bond {
        conversation: ConversationId([0x66; 16]),
        publisher: [0x77; 32],
        reader: [0x88; 32],
    }
}

#[test]
fn offers_are_those_on_record() {
    let word = bond().offer(&key(), 9);
    assert_eq!(hex::encode(word), hex::encode(field("offer")));
    assert!(bond().is_offered(&key().public(), 9, &word));
}

#[test]
fn an_offer_is_one_to_one_reader_in_one_conversation() {
    let (word, public) = (bond().offer(&key(), 9), key().public());
    let elsewhere = Bond {
        conversation: ConversationId([0x67; 16]),
        ..bond()
    };
    let by_another = Bond {
        publisher: [0x88; 32],
        ..bond()
    };
    let to_another = Bond {
        reader: [0x77; 32],
        ..bond()
    };
    for bond in [elsewhere, by_another, to_another] {
        assert!(!bond.is_offered(&public, 9, &word));
    }
    assert!(!bond().is_offered(&public, 10, &word));
    let other = ChannelKey::from_seed(&[0x34; 32]);
    assert!(!bond().is_offered(&other.public(), 9, &word));
    assert!(!bond().is_offered(&public, 9, &bond().offer(&other, 9)));
}

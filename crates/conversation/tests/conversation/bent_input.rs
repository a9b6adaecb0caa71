//! Valid input of a peer, changed at any layer, goes through the whole machine.

use hushwing_conversation::Command;
use hushwing_conversation::content::{AddressUpdate, Content, Post, Text};
use hushwing_conversation::link::Kind;
use openmls::prelude::LeafNodeParameters;
use proptest::prelude::*;

use crate::hostile::still_works;
use crate::hostile_mls::{DAY, scene};
use crate::intruder::*;
use crate::support::*;

/// One change to valid bytes.
#[derive(Clone, Debug)]
enum Bend {
    Flip(usize, u8),
    Cut(usize),
    Insert(usize, Vec<u8>),
    Remove(usize, usize),
    Repeat(usize, usize),
}

impl Bend {
    fn apply(&self, bytes: &mut Vec<u8>) {
        let length = bytes.len();
        let place = |at: usize| at % (length + 1);
        let span = |at: usize, long: usize| place(at)..(place(at) + long).min(length);
        match self {
            Self::Flip(at, bit) if length > 0 => bytes[at % length] ^= 1 << (bit % 8),
            Self::Flip(..) => {}
            Self::Cut(at) => bytes.truncate(place(*at)),
            Self::Insert(at, more) => {
                bytes.splice(place(*at)..place(*at), more.iter().copied());
            }
            Self::Remove(at, long) => drop(bytes.drain(span(*at, *long))),
            Self::Repeat(at, long) => {
                let again = bytes[span(*at, *long)].to_vec();
                bytes.splice(place(*at)..place(*at), again);
            }
        }
    }
}

fn bend() -> impl Strategy<Value = Bend> {
    let at = 0..20_000_usize;
    prop_oneof![
        4 => (at.clone(), any::<u8>()).prop_map(|(at, bit)| Bend::Flip(at, bit)),
        1 => at.clone().prop_map(Bend::Cut),
        1 => (at.clone(), prop::collection::vec(any::<u8>(), 1..40))
            .prop_map(|(at, more)| Bend::Insert(at, more)),
        1 => (at.clone(), 1..40_usize).prop_map(|(at, long)| Bend::Remove(at, long)),
        1 => (at, 1..40_usize).prop_map(|(at, long)| Bend::Repeat(at, long)),
    ]
}

/// Where in valid input the change is made.
#[derive(Clone, Copy, Debug)]
enum Layer {
    Leaf,
    KeyPackage,
    Bundle,
    JoinRequest,
    Letter,
    Message,
    Commit,
    Text,
    Addresses,
}

const LAYERS: [Layer; 9] = [
    Layer::Leaf,
    Layer::KeyPackage,
    Layer::Bundle,
    Layer::JoinRequest,
    Layer::Letter,
    Layer::Message,
    Layer::Commit,
    Layer::Text,
    Layer::Addresses,
];

/// Makes valid input, bends it, and gives it to Alice.
fn give_bent(c: &mut Couple, mallory: &mut Intruder, place: u64, layer: Layer, bend: &Bend) {
    let bent = |mut bytes: Vec<u8>| {
        bend.apply(&mut bytes);
        bytes
    };
    let text = |n: u64| {
        let text = Text::new(&format!("number {n}")).unwrap();
        Content::Post(Post::new(text, None))
    };
    match layer {
        Layer::Leaf | Layer::KeyPackage | Layer::Bundle => {
            let package = match layer {
                Layer::Bundle => mallory.package(honest_package()),
                _ => mallory.bent_package(matches!(layer, Layer::Leaf), |b| bend.apply(b)),
            };
            let mut card = mallory.card(Kind::OneTime, package);
            if matches!(layer, Layer::Bundle) {
                card.bundle = bent(card.bundle.clone());
            }
            let link = Intruder::publish(&mut c.village, place, Kind::OneTime, card);
            c.village.ask(c.alice, Command::Join { link }).unwrap();
        }
        Layer::JoinRequest => {
            let link = invite(&mut c.village, c.alice, false).link;
            let (alice, to) = Intruder::read_card(&c.village, &link);
            let mut other = Intruder::new();
            other.to = Some(to);
            let id = [&[8; 8], place.to_be_bytes().as_slice()].concat();
            let group = other.create(&id, &honest_config());
            let request = bent(other.ask(group, &[alice]));
            other.post_letter(&mut c.village, request);
        }
        Layer::Letter => {
            let content = mallory.compose(&text(place));
            let message = mallory.message(&content);
            mallory.post_letter(&mut c.village, bent(letter(0, &[&message])));
        }
        Layer::Message => {
            let content = mallory.compose(&text(place));
            let message = bent(mallory.message(&content));
            mallory.post(&mut c.village, &[&message]);
        }
        Layer::Commit => {
            let commit = mallory.commit(|group, mls, key| {
                let made = group.self_update(mls, key, LeafNodeParameters::default());
                made.unwrap().into_commit()
            });
            // Bent, or else it would be followed.
            let mut commit = bent(commit);
            commit.push(0);
            mallory.post(&mut c.village, &[&commit]);
        }
        Layer::Text | Layer::Addresses => {
            let content = match layer {
                Layer::Text => text(place),
                _ => Content::Addresses(AddressUpdate {
                    revision: place,
                    addresses: vec![mallory.address().encode(); 2],
                    recovery: vec![mallory.address().encode()],
                }),
            };
            let content = bent(mallory.compose(&content));
            let message = mallory.message(&content);
            mallory.post(&mut c.village, &[&message]);
        }
    }
    c.village.rest().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]
    #[test]
    fn whatever_is_bent_in_valid_input_the_profile_goes_on(
        seed in 0..1_000_u64,
        bends in prop::collection::vec((0..LAYERS.len(), bend()), 24),
    ) {
        let (mut c, mut mallory, _) = scene(seed);
        for (place, (layer, bend)) in (2..).zip(&bends) {
            give_bent(&mut c, &mut mallory, place, LAYERS[*layer], bend);
        }
        c.village.open_again(c.alice).unwrap();
        c.village.pass(DAY).unwrap();
        still_works(&mut c, &[]);
    }
}

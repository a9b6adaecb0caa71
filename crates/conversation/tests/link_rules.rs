//! From a link's text to a bundle that may be used.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

use hushwing_conversation::ConversationId;
use hushwing_conversation::content::{Avatar, MAX_AVATAR, Profile};
use hushwing_conversation::link::{
    Bundle, BundleError, FixedError, GroupPreview, Kind, Link, LinkError, MAX_BUNDLE, MAX_LINK,
    MAX_PLACE, RootKey, SealingKey, Secret, SignError, TooLong, VerifiedBundle,
};
use hushwing_delivery::{NetworkTag, Place};
use hushwing_sansio::Timestamp;
use proptest::prelude::*;

const NOW: Timestamp = Timestamp::from_secs(1_790_000_000);

fn link(kind: Kind, place: Vec<u8>) -> Link {
    let secret = Secret::from_bytes([42; 32]);
    Link::new(kind, NetworkTag::RELAY, Place(place), secret, Some(NOW)).unwrap()
}

fn root() -> RootKey {
    RootKey::from_seed(&[1; 32])
}

fn bundle() -> Bundle {
    let mut picture = b"\x89PNG\r\n\x1a\n".to_vec();
    picture.resize(MAX_AVATAR, 0);
    Bundle {
        revision: 1,
        kind: Kind::OneTime,
        expires: Some(NOW.as_secs()),
        key_package: vec![2; 2_641],
        sealing_key: SealingKey(Box::new([3; 1_216])),
        addresses: vec![vec![4; 1_400]],
        preview: Some(Profile::new("Alice", Some(Avatar::new(picture).unwrap())).unwrap()),
        group: Some(GroupPreview {
            group: ConversationId([7; 16]),
            name: "Rowing".to_owned(),
        }),
    }
}

fn open(signed: &[u8]) -> Result<Bundle, BundleError> {
    let fixed = root().fixed();
    VerifiedBundle::open(&fixed.secret(), Kind::OneTime, &fixed.encode(), signed, NOW)
        .map(VerifiedBundle::into_inner)
}

#[test]
fn a_full_bundle_fits_and_survives() {
    let signed = bundle().sign(&root()).unwrap();
    assert!(
        signed.len() < 12_000,
        "room for growth is left: {}",
        signed.len()
    );
    assert_eq!(open(&signed), Ok(bundle()));
}

#[test]
fn a_bundle_over_the_limit_is_not_signed() {
    let mut long = bundle();
    long.key_package = vec![2; MAX_BUNDLE];
    assert!(matches!(long.sign(&root()), Err(SignError::TooLong(_))));
    long.key_package = vec![2; 100];
    long.addresses = vec![vec![1]; 17];
    assert_eq!(long.sign(&root()), Err(SignError::Addresses));
}

#[test]
fn no_byte_of_a_bundle_can_be_changed_or_cut_off() {
    let signed = bundle().sign(&root()).unwrap();
    for at in (0..signed.len()).step_by(97).chain(0..66) {
        let mut changed = signed.clone();
        changed[at] ^= 1;
        assert_eq!(open(&changed), Err(BundleError::Signature), "byte {at}");
        assert_eq!(
            open(&signed[..at]),
            Err(BundleError::Signature),
            "cut at {at}"
        );
    }
}

#[test]
fn another_key_cannot_sign_or_take_the_place_of_the_fixed_data() {
    let other = RootKey::from_seed(&[2; 32]);
    assert_eq!(
        open(&bundle().sign(&other).unwrap()),
        Err(BundleError::Signature)
    );
    let forged = VerifiedBundle::open(
        &root().fixed().secret(),
        Kind::OneTime,
        &other.fixed().encode(),
        &bundle().sign(&other).unwrap(),
        NOW,
    );
    assert_eq!(forged, Err(BundleError::Fixed(FixedError::WrongSecret)));
}

#[test]
fn kind_and_expiry_are_checked() {
    let mut other = bundle();
    other.kind = Kind::Reusable;
    assert_eq!(
        open(&other.sign(&root()).unwrap()),
        Err(BundleError::WrongKind)
    );
    other = bundle();
    other.expires = Some(NOW.as_secs() - 1);
    assert_eq!(
        open(&other.sign(&root()).unwrap()),
        Err(BundleError::Expired)
    );
    other.expires = None;
    assert!(open(&other.sign(&root()).unwrap()).is_ok());
}

#[test]
fn both_forms_of_a_link_are_read() {
    for kind in [Kind::OneTime, Kind::Reusable] {
        let link = link(kind, vec![9; 80]);
        assert_eq!(Link::parse(&link.to_uri()), Ok(link.clone()));
        assert_eq!(
            Link::parse(&link.to_web("relay.example.org").unwrap()),
            Ok(link)
        );
    }
}

#[test]
fn the_longest_link_is_under_300_characters() {
    let longest = link(Kind::OneTime, vec![9; MAX_PLACE]);
    assert!(longest.to_uri().len() < MAX_LINK);
    assert_eq!(Link::parse(&longest.to_uri()), Ok(longest.clone()));
    assert_eq!(longest.to_web(&"h".repeat(40)), None);
    let over = Link::new(
        Kind::OneTime,
        NetworkTag::RELAY,
        Place(vec![9; MAX_PLACE + 1]),
        Secret::from_bytes([0; 32]),
        None,
    );
    assert_eq!(over, Err(TooLong(MAX_PLACE + 1)));
}

#[test]
fn a_link_to_an_onion_server_fits_in_both_forms() {
    let host = format!("{}.onion", "a".repeat(56));
    let link = link(Kind::OneTime, vec![9; 61 + host.len()]);
    assert!(link.to_web(&host).is_some());
}

#[test]
fn what_mail_and_chat_do_to_links_is_forgiven() {
    let link = link(Kind::OneTime, vec![9; 80]);
    let uri = link.to_uri();
    let wrapped = format!("  <{}\r\n {}>.\n", &uri[..60], &uri[60..]);
    let shouted = uri.replace("hushwing:i", "HUSHWING:I");
    for text in [wrapped, shouted, format!("({uri}),"), format!("\"{uri}\"")] {
        assert_eq!(Link::parse(&text), Ok(link.clone()), "{text}");
    }
}

#[test]
fn foreign_cut_mistyped_and_newer_links_are_told_apart() {
    let uri = link(Kind::OneTime, vec![9; 80]).to_uri();
    for foreign in [
        "",
        "hello",
        "https://example.com/",
        "https://example.com/x#i",
        "simplex:/i#abc",
    ] {
        assert_eq!(Link::parse(foreign), Err(LinkError::NotALink), "{foreign}");
    }
    for end in "hushwing:".len()..uri.len() {
        let cut = Link::parse(&uri[..end]);
        assert_eq!(cut, Err(LinkError::Truncated), "cut at {end}");
    }
    assert_eq!(Link::parse(&format!("{uri}A")), Err(LinkError::Mistyped));
    assert_eq!(
        Link::parse(&uri.replace(":i#", ":c#")),
        Err(LinkError::Mistyped)
    );
    assert_eq!(
        Link::parse(&uri.replace(":i#", ":x#")),
        Err(LinkError::Mistyped)
    );
    // Version 9 with one payload byte; the checksum as any version makes it.
    assert_eq!(
        Link::parse("hushwing:i#CQEAhA39eA"),
        Err(LinkError::Newer(9))
    );
}

#[test]
fn hosts_that_do_not_belong_into_a_link_are_refused() {
    let link = link(Kind::OneTime, vec![9; 80]);
    for host in ["", "a b", "evil/#", "x?y", "user@host"] {
        assert_eq!(link.to_web(host), None, "{host}");
    }
}

#[test]
fn debug_shows_neither_secret_nor_place() {
    let shown = format!("{:?} {:?}", link(Kind::OneTime, vec![9; 80]), bundle());
    let wanted = "Link { kind: OneTime, network: NetworkTag(1), .. } Bundle { revision: 1, kind: OneTime, .. }";
    assert_eq!(shown, wanted);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(512))]

    #[test]
    fn every_link_survives(
        reusable: bool, tag: u8, place in prop::collection::vec(any::<u8>(), 0..=MAX_PLACE),
        secret: [u8; 32], expires in prop::option::of(1_u32..),
    ) {
        let kind = if reusable { Kind::Reusable } else { Kind::OneTime };
        let expires = expires.map(|seconds| Timestamp::from_secs(seconds.into()));
        let link = Link::new(kind, NetworkTag(tag), Place(place), Secret::from_bytes(secret), expires).unwrap();
        let uri = link.to_uri();
        prop_assert!(uri.len() < MAX_LINK);
        prop_assert_eq!(Link::parse(&uri), Ok(link));
    }

    #[test]
    fn one_wrong_character_is_always_noticed(at in any::<prop::sample::Index>(), wrong in "[A-Za-z0-9_-]") {
        let uri = link(Kind::OneTime, vec![9; 80]).to_uri();
        let at = "hushwing:i#".len() + at.index(uri.len() - "hushwing:i#".len());
        let mut typed = uri.clone();
        typed.replace_range(at..=at, &wrong);
        prop_assume!(typed != uri);
        prop_assert!(matches!(Link::parse(&typed), Err(LinkError::Mistyped | LinkError::Truncated)));
    }

    #[test]
    fn any_text_is_read_without_panic(text in "(hushwing:[ic]#|https://h/[ic]#|)\\PC{0,40}") {
        let _ = Link::parse(&text);
    }

    #[test]
    fn any_bundle_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert_eq!(open(&bytes), Err(BundleError::Signature));
    }
}

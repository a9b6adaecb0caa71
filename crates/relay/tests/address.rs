//! Addresses as people type them and as they travel.
#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    missing_docs
)]

use hushwing_delivery::{Locator, Place};
use hushwing_relay::address::{
    LinkPlace, QueueAddress, Server, ServerAddress, ServerAddressError as Wrong,
};
use proptest::prelude::*;

/// The fingerprint of the official fixture certificate.
const PRINT: &str = "LcJUMfVhwD8yxjAiSaDzzGF3-kLG4Uh0Fl_ZIjrRwjI=";

fn parse(rest: &str) -> Result<ServerAddress, Wrong> {
    format!("smp://{PRINT}{rest}").parse()
}

#[test]
fn every_form_of_an_address_prints_as_it_was_written() {
    for rest in [
        "@relay.example",
        "@relay.example:443",
        "@relay.example,abc234.onion:443",
        ":pass!word@127.0.0.1:5224",
        "@[::1]",
        "@[2001:db8::1],relay.example:443",
        "@relay.example,[::1]:443",
    ] {
        let text = format!("smp://{PRINT}{rest}");
        assert_eq!(text.parse::<ServerAddress>().unwrap().to_string(), text);
    }
}

#[test]
fn hosts_and_ports_are_told_apart() {
    let parsed = parse("@Relay.Example,10.0.0.1:443").unwrap();
    assert_eq!(parsed.server.hosts, ["relay.example", "10.0.0.1"]);
    assert_eq!(parsed.server.port, 443);
    let bare = parse("@2001:db8::1").unwrap();
    assert_eq!(bare.server.hosts, ["2001:db8::1"]);
    assert_eq!(bare.server.port, 5223);
    let bracketed = parse("@[2001:db8::1]:443").unwrap();
    assert_eq!(
        (bracketed.server.hosts, bracketed.server.port),
        (bare.server.hosts, 443)
    );
}

#[test]
fn each_fault_is_told_by_name() {
    for (rest, error) in [
        ("relay.example", Wrong::Shape),
        ("x@relay.example", Wrong::Fingerprint),
        (":@relay.example", Wrong::Password),
        (":pass word@relay.example", Wrong::Password),
        ("@", Wrong::Host),
        ("@relay example", Wrong::Host),
        ("@a,,b", Wrong::Host),
        ("@a:b:c", Wrong::Host),
        ("@[::1]x", Wrong::Host),
        ("@relay.example:", Wrong::Port),
        ("@relay.example:0", Wrong::Port),
        ("@relay.example:+1", Wrong::Port),
        ("@relay.example:65536", Wrong::Port),
    ] {
        assert_eq!(parse(rest), Err(error), "{rest}");
    }
    assert_eq!("xftp://a@b".parse::<ServerAddress>(), Err(Wrong::Scheme));
}

fn servers() -> impl Strategy<Value = Server> {
    let hosts = prop::collection::vec("[a-z0-9]{1,20}(\\.[a-z]{2,6}){0,2}", 1..4);
    (any::<[u8; 32]>(), hosts, 1u16..).prop_map(|(fingerprint, hosts, port)| Server {
        fingerprint,
        hosts,
        port,
    })
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn addresses_survive_text(server in servers(), password in prop::option::of("[!-9;-?A-Z]{1,20}")) {
        let password = password.filter(|text| !text.contains(['@', ':', '/']));
        let address = ServerAddress { server, password: password.map(Into::into) };
        prop_assert!(address.to_string().parse() == Ok(address));
    }

    #[test]
    fn queues_and_links_survive_their_bytes(
        server in servers(), id in prop::collection::vec(any::<u8>(), 1..=64), lockable: bool,
        reusable: bool,
    ) {
        let queue = QueueAddress { server: server.clone(), sender_id: id.clone(), lockable };
        let locator = queue.to_locator();
        prop_assert_eq!(QueueAddress::from_locator(&locator), Ok(queue));
        let link = LinkPlace { server, link_id: (!reusable).then_some(id) };
        let place = link.to_place();
        prop_assert_eq!(LinkPlace::from_place(&place), Ok(link));
        for end in 0..locator.0.len() {
            prop_assert!(QueueAddress::from_locator(&Locator(locator.0[..end].to_vec())).is_err());
        }
        for end in 0..place.0.len() {
            prop_assert!(LinkPlace::from_place(&Place(place.0[..end].to_vec())).is_err());
        }
    }

    #[test]
    fn any_bytes_and_text_are_taken(bytes in prop::collection::vec(any::<u8>(), 0..120), text: String) {
        let _ = QueueAddress::from_locator(&Locator(bytes.clone()));
        let _ = LinkPlace::from_place(&Place(bytes));
        let _ = format!("smp://{text}").parse::<ServerAddress>();
    }
}

#[test]
fn a_one_time_place_is_short_enough_for_a_link() {
    let server = Server {
        fingerprint: [1; 32],
        hosts: vec!["192.168.100.100".into()],
        port: 5223,
    };
    let place = LinkPlace {
        server,
        link_id: Some(vec![2; 24]),
    }
    .to_place();
    assert!(place.0.len() <= 80, "{}", place.0.len());
}

#[test]
fn debug_hides_addresses() {
    let address = parse(":secret@relay.example").unwrap();
    let queue = QueueAddress {
        server: address.server.clone(),
        sender_id: vec![1; 24],
        lockable: true,
    };
    let shown = format!("{address:?} {queue:?}");
    assert_eq!(shown, "ServerAddress(..) QueueAddress(..)");
}

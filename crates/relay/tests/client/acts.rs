//! What people do, in one line each.

use hushwing_delivery::{
    Card, Envelope, FetchFailure, FetchId, Locator, MailboxId, NetworkCommand, NetworkEvent, Place,
    Purpose, ReceiptId, SendFailure, SendId,
};
use hushwing_relay::address::QueueAddress;
use hushwing_relay::client::link::link_secret;
use hushwing_relay::server::ServerConfig;

use crate::world::World;

pub(crate) const BOX: MailboxId = MailboxId(1);

pub(crate) fn world() -> World {
    World::new(ServerConfig::default())
}

pub(crate) fn card(number: u8) -> Card {
    let fixed = vec![number; 80];
    Card {
        secret: link_secret(&fixed).unwrap(),
        fixed,
        bundle: vec![number; 6_000],
    }
}

pub(crate) fn open(world: &mut World, who: usize, purpose: Purpose) -> (Locator, Option<Place>) {
    world.command(
        who,
        NetworkCommand::OpenMailbox {
            mailbox: BOX,
            purpose,
            apart: Vec::new(),
        },
    );
    opened(world, who)
}

pub(crate) fn opened(world: &mut World, who: usize) -> (Locator, Option<Place>) {
    match world.events(who).pop() {
        Some(NetworkEvent::MailboxOpened { locator, place, .. }) => (locator, place),
        other => panic!("not opened: {other:?}"),
    }
}

pub(crate) fn send(
    world: &mut World,
    who: usize,
    number: u64,
    locator: &Locator,
    envelope: Envelope,
) {
    let locator = locator.clone();
    world.command(
        who,
        NetworkCommand::Send {
            send: SendId(number),
            locator,
            envelope,
        },
    );
}

/// How sends ended, in order: `None` is accepted.
pub(crate) fn outcomes(world: &mut World, who: usize) -> Vec<(u64, Option<SendFailure>)> {
    (world.events(who).into_iter())
        .filter_map(|event| match event {
            NetworkEvent::Accepted { send } => Some((send.0, None)),
            NetworkEvent::Failed { send, reason } => Some((send.0, Some(reason))),
            _ => None,
        })
        .collect()
}

pub(crate) fn received(world: &mut World, who: usize) -> Vec<(ReceiptId, Envelope)> {
    (world.events(who).into_iter())
        .filter_map(|event| match event {
            NetworkEvent::Received {
                receipt, envelope, ..
            } => Some((receipt, envelope)),
            _ => None,
        })
        .collect()
}

pub(crate) fn fetch(
    world: &mut World,
    who: usize,
    place: &Place,
    secret: [u8; 32],
    one_time: bool,
) -> NetworkEvent {
    let (fetch, place) = (FetchId(1), place.clone());
    world.command(
        who,
        NetworkCommand::Fetch {
            fetch,
            place,
            secret,
            one_time,
        },
    );
    world.events(who).pop().expect("an answer")
}

pub(crate) fn fetched(event: NetworkEvent) -> (Vec<u8>, Locator) {
    match event {
        NetworkEvent::Fetched {
            bundle, locator, ..
        } => (bundle, locator),
        other => panic!("not fetched: {other:?}"),
    }
}

pub(crate) fn fetch_failure(event: NetworkEvent) -> FetchFailure {
    match event {
        NetworkEvent::FetchFailed { reason, .. } => reason,
        other => panic!("did not fail: {other:?}"),
    }
}

/// A mailbox `number` at the relay of the world, there or not.
pub(crate) fn mailbox_at(world: &World, number: u8) -> Locator {
    QueueAddress {
        server: world.relay.address().server,
        sender_id: vec![number; 24],
        lockable: true,
    }
    .to_locator()
}

/// A mailbox at an address where another server answers.
pub(crate) fn another(world: &World) -> Locator {
    let mut server = world.relay.address().server;
    server.fingerprint = [9; 32];
    QueueAddress {
        server,
        sender_id: vec![1; 24],
        lockable: true,
    }
    .to_locator()
}

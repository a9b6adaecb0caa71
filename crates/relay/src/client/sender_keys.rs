//! Our keys at queues and links of somebody else.
//!
//! A queue admits whoever wrote to it first, by a key, for ever. So the key to a queue
//! follows from a secret of the profile: who puts a backup back has it again, also of a
//! queue that they began to write to since (RFC 0030).

use hushwing_sansio::{Context, StorageError};
use zeroize::Zeroizing;

use super::records::{FetchedCard, KeyName, SenderKey, key_name};
use super::storage::Storage;
use crate::address::{LinkPlace, QueueAddress, Server};
use crate::wire::block::hkdf;
use crate::wire::{Malformed, SigningKey};

/// What the secret of a profile makes keys to queues for.
const LABEL: &[u8] = b"hushwing relay sender key 1";
/// What that secret is stored under: no server and no id.
const SECRET: &[u8] = b"s";

/// Our key to the queue that its senders know by `id`.
pub(super) fn key_to_queue(
    cx: &mut Context<'_>,
    storage: &mut dyn Storage,
    server: &Server,
    id: &[u8],
) -> Result<(SenderKey, SigningKey), StorageError> {
    let name = key_name(KeyName::Queue, server, id);
    own_key(storage, &name, |storage| {
        let secret = own(storage, SECRET, |_| Ok(Zeroizing::new(cx.random())))?;
        derived(&secret.seed, &server.fingerprint, id)
            .map_err(|cause| StorageError::corrupt("making a sender key").because(cause))
    })
}

/// Our key to a one-time link. Nothing follows from what else we know: it is used up
/// with the link.
pub(super) fn key_to_link(
    cx: &mut Context<'_>,
    storage: &mut dyn Storage,
    server: &Server,
    id: &[u8],
) -> Result<(SenderKey, SigningKey), StorageError> {
    let name = key_name(KeyName::Link, server, id);
    own_key(storage, &name, |_| Ok(Zeroizing::new(cx.random())))
}

fn own_key(
    storage: &mut dyn Storage,
    name: &[u8],
    make: impl FnOnce(&mut dyn Storage) -> Result<Zeroizing<[u8; 32]>, StorageError>,
) -> Result<(SenderKey, SigningKey), StorageError> {
    let record = own(storage, name, make)?;
    let key = SigningKey::from_seed(*record.seed)
        .map_err(|cause| StorageError::corrupt("reading a sender key").because(cause))?;
    Ok((record, key))
}

/// What is stored under `name`: what is there, or new, stored before anybody sees it.
fn own(
    storage: &mut dyn Storage,
    name: &[u8],
    make: impl FnOnce(&mut dyn Storage) -> Result<Zeroizing<[u8; 32]>, StorageError>,
) -> Result<SenderKey, StorageError> {
    if let Some(bytes) = storage.sender_key(name)? {
        return SenderKey::decode(&bytes);
    }
    let new = SenderKey {
        seed: make(storage)?,
        confirmed: false,
        card: None,
    };
    storage.put_sender_key(name, &new.encode()?)?;
    Ok(new)
}

/// The seed of the key to a queue (`protocol/smp.md` 11).
fn derived(
    secret: &[u8; 32],
    fingerprint: &[u8; 32],
    id: &[u8],
) -> Result<Zeroizing<[u8; 32]>, Malformed> {
    let info = [LABEL, fingerprint, id].concat();
    let mut seed = Zeroizing::new([0; 32]);
    hkdf(&[], secret, &info, seed.as_mut_slice())?;
    Ok(seed)
}

/// Notes that the server has our key.
pub(super) fn confirm(storage: &mut dyn Storage, name: &[u8]) -> Result<(), StorageError> {
    let Some(bytes) = storage.sender_key(name)? else {
        return Ok(());
    };
    let mut record = SenderKey::decode(&bytes)?;
    if record.confirmed {
        return Ok(());
    }
    record.confirmed = true;
    storage.put_sender_key(name, &record.encode()?)
}

/// The key that opened a one-time link is the key to its queue; what the link
/// led to is kept.
pub(super) fn keep_card(
    storage: &mut dyn Storage,
    queue: &QueueAddress,
    link_id: &[u8],
    card: FetchedCard,
) -> Result<(), StorageError> {
    let name = key_name(KeyName::Link, &queue.server, link_id);
    let Some(bytes) = storage.sender_key(&name)? else {
        return Ok(());
    };
    let mut record = SenderKey::decode(&bytes)?;
    record.confirmed = true;
    let queue_name = key_name(KeyName::Queue, &queue.server, &queue.sender_id);
    storage.put_sender_key(&queue_name, &record.encode()?)?;
    record.card = Some(card);
    storage.put_sender_key(&name, &record.encode()?)
}

/// What a one-time link led to, if this profile opened it before.
pub(super) fn kept_card(
    storage: &mut dyn Storage,
    place: &LinkPlace,
) -> Result<Option<FetchedCard>, StorageError> {
    let Some(link_id) = &place.link_id else {
        return Ok(None);
    };
    match storage.sender_key(&key_name(KeyName::Link, &place.server, link_id))? {
        Some(bytes) => Ok(SenderKey::decode(&bytes)?.card),
        None => Ok(None),
    }
}

#[cfg(test)]
mod tests {
    use super::derived;

    #[test]
    fn keys_to_queues_are_those_of_the_second_model() {
        let text = include_str!("../../tests/vectors/sender_keys.txt");
        let mut rows = 0;
        for line in text.lines().filter(|line| !line.starts_with('#')) {
            let mut words = line.split(' ').map(|word| {
                let digits = word.as_bytes().chunks(2);
                let byte = |pair| u8::from_str_radix(str::from_utf8(pair).unwrap(), 16).unwrap();
                digits.map(byte).collect::<Vec<u8>>()
            });
            let mut next = || words.next().unwrap();
            let (secret, fingerprint) = (next().try_into().unwrap(), next().try_into().unwrap());
            let (id, seed) = (next(), next());
            let made = derived(&secret, &fingerprint, &id).unwrap();
            assert_eq!(made.as_slice(), seed);
            rows += 1;
        }
        assert_eq!(rows, 3);
    }
}

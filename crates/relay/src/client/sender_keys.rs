//! Our keys at queues and links of somebody else.

use hushwing_sansio::{Context, StorageError};
use zeroize::Zeroizing;

use super::records::{FetchedCard, KeyName, SenderKey, key_name};
use super::storage::Storage;
use crate::address::{LinkPlace, QueueAddress};
use crate::wire::SigningKey;

/// Our key under `name`: the one we have, or a new one, stored before anybody
/// sees it.
pub(super) fn own_key(
    cx: &mut Context<'_>,
    storage: &mut dyn Storage,
    name: &[u8],
) -> Result<(SenderKey, SigningKey), StorageError> {
    let record = match storage.sender_key(name)? {
        Some(bytes) => SenderKey::decode(&bytes)?,
        None => {
            let new = SenderKey {
                seed: Zeroizing::new(cx.random()),
                confirmed: false,
                card: None,
            };
            storage.put_sender_key(name, &new.encode()?)?;
            new
        }
    };
    let key = SigningKey::from_seed(*record.seed)
        .map_err(|cause| StorageError::corrupt("reading a sender key").because(cause))?;
    Ok((record, key))
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

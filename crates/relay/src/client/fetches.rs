//! Reading the links of somebody else.

use hushwing_delivery::{FetchFailure, FetchId, NetworkEvent, Place};
use hushwing_sansio::{Context, StorageError};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

use super::link::{LinkKeys, link_secret};
use super::machine::Client;
use super::records::FetchedCard;
use super::sender_keys::{keep_card, kept_card, key_to_link};
use super::senders::MAX_BREAKS;
use super::session::{Ended, Job};
use super::storage::Storage;
use crate::address::{LinkPlace, QueueAddress, Server};
use crate::wire::auth::Signer;
use crate::wire::{Command, LinkData, Malformed, QueueMode, Response, SmpError};

/// A link being read.
pub(super) struct Fetching {
    place: LinkPlace,
    secret: Zeroizing<[u8; 32]>,
    /// Connections that broke under it.
    breaks: u8,
}

impl Fetching {
    fn mode(&self) -> QueueMode {
        if self.place.link_id.is_some() {
            QueueMode::Messaging
        } else {
            QueueMode::Contact
        }
    }

    /// The card, if it is the one the link was made for.
    fn open(&self, sender_id: &[u8], data: &LinkData<'_>) -> Result<FetchedCard, Malformed> {
        let keys = LinkKeys::derive(&self.secret, self.mode())?;
        let opened = keys.open(&self.secret, data)?;
        Ok(FetchedCard {
            sender_id: sender_id.to_vec(),
            fixed: opened.fixed,
            bundle: opened.bundle,
        })
    }

    fn queue(&self, sender_id: &[u8]) -> QueueAddress {
        QueueAddress {
            server: self.place.server.clone(),
            sender_id: sender_id.to_vec(),
            lockable: self.mode() == QueueMode::Messaging,
        }
    }
}

impl Client {
    fn fetch_failed(&mut self, fetch: FetchId, reason: FetchFailure) {
        if self.fetches.remove(&fetch).is_some() {
            self.tell(NetworkEvent::FetchFailed { fetch, reason });
        }
    }

    fn tell_card(&mut self, fetch: FetchId, card: FetchedCard) {
        let Some(fetching) = self.fetches.remove(&fetch) else {
            return;
        };
        self.tell(NetworkEvent::Fetched {
            fetch,
            fixed: card.fixed,
            bundle: card.bundle,
            locator: fetching.queue(&card.sender_id).to_locator(),
        });
    }

    pub(super) fn fetch(
        &mut self,
        storage: &mut dyn Storage,
        fetch: FetchId,
        place: &Place,
        secret: [u8; 32],
        one_time: bool,
    ) -> Result<(), StorageError> {
        let readable = LinkPlace::from_place(place)
            .ok()
            .filter(|place| place.link_id.is_some() == one_time);
        let Some(place) = readable else {
            let reason = FetchFailure::Unreadable;
            self.tell(NetworkEvent::FetchFailed { fetch, reason });
            return Ok(());
        };
        let kept = kept_card(storage, &place)?;
        let server = place.server.clone();
        let fetching = Fetching {
            place,
            secret: Zeroizing::new(secret),
            breaks: 0,
        };
        self.fetches.insert(fetch, fetching);
        match kept {
            None => self.enqueue_new(&server, Job::Fetch(fetch)),
            Some(card) if matches_link(&card, &secret) => self.tell_card(fetch, card),
            Some(_) => self.fetch_failed(fetch, FetchFailure::Forged),
        }
        Ok(())
    }

    /// Asks for a link's data; a one-time link is locked with our key by that,
    /// so the key is stored first.
    pub(super) fn start_fetch(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        server: &Server,
        fetch: FetchId,
    ) -> Result<(), StorageError> {
        let Some(fetching) = self.fetches.get(&fetch) else {
            return Ok(());
        };
        let Some(session) = self.sessions.get_mut(server) else {
            return Ok(());
        };
        let job = Job::Fetch(fetch);
        if let Some(link_id) = &fetching.place.link_id {
            let (_, key) = key_to_link(cx, storage, server, link_id)?;
            let command = Command::LKey(key.public());
            session.transmit(cx, job, link_id, Some(Signer::Ed25519(&key)), &command);
            return Ok(());
        }
        let keys = LinkKeys::derive(&fetching.secret, QueueMode::Contact);
        match keys.ok().and_then(|keys| keys.link_id) {
            Some(link_id) => session.transmit(cx, job, &link_id, None, &Command::LGet),
            None => self.fetch_failed(fetch, FetchFailure::Unreadable),
        }
        Ok(())
    }

    pub(super) fn fetched(
        &mut self,
        storage: &mut dyn Storage,
        fetch: FetchId,
        response: &Response<'_>,
    ) -> Result<(), StorageError> {
        let Some(fetching) = self.fetches.get(&fetch) else {
            return Ok(());
        };
        let reason = match response {
            Response::Lnk { sender_id, data } => match fetching.open(sender_id, data) {
                Ok(card) => {
                    if let Some(link_id) = &fetching.place.link_id {
                        let queue = fetching.queue(sender_id);
                        keep_card(storage, &queue, link_id, card.clone())?;
                    }
                    self.tell_card(fetch, card);
                    return Ok(());
                }
                Err(Malformed) => FetchFailure::Forged,
            },
            Response::Err(SmpError::Auth | SmpError::Blocked(..) | SmpError::Cmd(_)) => {
                FetchFailure::UsedOrGone
            }
            _ => FetchFailure::Unreachable,
        };
        self.fetch_failed(fetch, reason);
        Ok(())
    }

    pub(super) fn fetch_lost(&mut self, fetch: FetchId, why: Ended) {
        let Some(fetching) = self.fetches.get_mut(&fetch) else {
            return;
        };
        fetching.breaks += 1;
        match why {
            Ended::WrongServer => self.fetch_failed(fetch, FetchFailure::WrongServer),
            Ended::Broken if fetching.breaks < MAX_BREAKS => {
                let server = fetching.place.server.clone();
                self.enqueue(&server, Job::Fetch(fetch));
            }
            Ended::Broken | Ended::Unreachable => {
                self.fetch_failed(fetch, FetchFailure::Unreachable);
            }
        }
    }
}

/// Whether a card kept from an earlier look is the one of this link.
fn matches_link(card: &FetchedCard, secret: &[u8; 32]) -> bool {
    link_secret(&card.fixed).is_ok_and(|hash| hash.ct_eq(secret).into())
}

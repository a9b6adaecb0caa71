//! How a profile stands with relays, for status and log.
//!
//! Its relay client's machine is shown to [`Relays`] after each commit. The log
//! names no host, so relays have numbers, which status shows beside the hosts.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use hushwing_conversation::link::MAX_PLACE;
use hushwing_relay::Client;
use hushwing_relay::address::{LinkPlace, Server, ServerAddress};
use hushwing_relay::client::{Connection, ConnectionState, Ended};

use crate::error::{Error, ErrorKind};

/// The relays of one process, numbered as they come.
#[derive(Clone, Default)]
pub(crate) struct Numbers(Arc<Mutex<Vec<Server>>>);

impl Numbers {
    /// The number of a relay, from 1.
    pub(crate) fn of(&self, server: &Server) -> usize {
        let mut known = lock(&self.0);
        let at = known.iter().position(|other| other == server);
        1 + at.unwrap_or_else(|| {
            known.push(server.clone());
            known.len() - 1
        })
    }
}

/// What one relay client said last.
#[derive(Clone)]
pub(crate) struct Relays {
    numbers: Numbers,
    known: Arc<Mutex<Vec<Connection>>>,
    unreached: Arc<Mutex<Option<Server>>>,
}

impl Relays {
    pub(crate) fn new(numbers: Numbers) -> Self {
        Self {
            numbers,
            known: Arc::default(),
            unreached: Arc::default(),
        }
    }

    /// Takes in how a client stands, and logs what changed.
    pub(crate) fn observe(&self, client: &Client) {
        if let Some(server) = client.unreached() {
            let mut unreached = lock(&self.unreached);
            if unreached.as_ref() != Some(server) {
                *unreached = Some(server.clone());
            }
        }
        let mut known = lock(&self.known);
        if client.has_connections(&known) {
            return;
        }
        let now: Vec<Connection> = client.connections().collect();
        for connection in &now {
            let before = known.iter().find(|old| old.server == connection.server);
            self.log(before, connection);
        }
        *known = now;
    }

    /// Each relay the client has to do with.
    pub(crate) fn all(&self) -> Vec<Connection> {
        lock(&self.known).clone()
    }

    /// The number of a relay.
    pub(crate) fn number_of(&self, server: &Server) -> usize {
        self.numbers.of(server)
    }

    /// The relay that refused a mailbox last.
    pub(crate) fn refusing(&self) -> Option<Server> {
        let known = lock(&self.known);
        let refusing = known.iter().filter(|relay| relay.refused.is_some());
        let last = refusing.max_by_key(|relay| relay.refused);
        last.map(|relay| relay.server.clone())
    }

    /// The relay where a mailbox last could not be made, for it was away.
    pub(crate) fn unreached(&self) -> Option<Server> {
        lock(&self.unreached).clone()
    }

    fn log(&self, before: Option<&Connection>, now: &Connection) {
        let number = self.numbers.of(&now.server);
        let old = before.map(|old| old.state);
        match now.state {
            ConnectionState::Connected { since }
                if old != Some(ConnectionState::Connected { since }) =>
            {
                tracing::info!("relay {number}: connected");
            }
            ConnectionState::Down { why, .. } if down_for(old) != Some(why) => {
                tracing::warn!("relay {number}: {}", problem(why));
            }
            _ => {}
        }
        if now.refused.is_some() && before.is_none_or(|old| old.refused != now.refused) {
            tracing::warn!("relay {number}: {REFUSES}");
        }
    }
}

/// What is said of a relay that refuses.
pub(crate) const REFUSES: &str = "it refuses new mailboxes: its password is missing or wrong, or \
    it takes no more";

/// What is said of a connection that ended.
pub(crate) fn problem(why: Ended) -> &'static str {
    match why {
        Ended::Unreachable => "no relay answers there",
        Ended::Broken => "the connection broke",
        Ended::WrongServer => "another server than the one its address names answers there",
    }
}

fn down_for(state: Option<ConnectionState>) -> Option<Ended> {
    match state {
        Some(ConnectionState::Down { why, .. }) => Some(why),
        _ => None,
    }
}

/// Host and port, which is how people tell relays apart.
pub(crate) fn place(server: &Server) -> String {
    let whole = without_password(server);
    let place = whole.rsplit_once('@').map(|(_, place)| place.to_owned());
    place.unwrap_or(whole)
}

/// Refuses a relay that no link can name: invitations on it would all fail.
pub(crate) fn check_fits_link(server: &Server) -> Result<(), Error> {
    match LinkPlace::longest(server) <= MAX_PLACE {
        true => Ok(()),
        false => Err(Error::new(
            ErrorKind::Usage,
            "this relay's address is too long for a link",
        )
        .with_advice("name fewer hosts, or a shorter one")),
    }
}

/// The address as it may be shown: whoever reads it can write to the relay's
/// mailboxes, and make none.
pub(crate) fn without_password(server: &Server) -> String {
    let address = ServerAddress {
        server: server.clone(),
        password: None,
    };
    address.to_string()
}

/// A poisoned lock only means that another thread panicked; what these guard is
/// replaced whole.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_relay_keeps_its_number_and_its_place_names_no_password() {
        let relay = |port| {
            let text = format!("smp://{}=:sesame@relay.example:{port}", "A".repeat(43));
            text.parse::<ServerAddress>().unwrap().server
        };
        let numbers = Numbers::default();
        assert_eq!([1, 2, 1].map(|port| numbers.of(&relay(port))), [1, 2, 1]);
        assert_eq!(place(&relay(7)), "relay.example:7");
        assert!(!without_password(&relay(7)).contains("sesame"));
    }

    #[test]
    fn a_relay_that_no_link_can_name_is_refused() {
        let host = |length| {
            let host = vec!["relay.example"; length].join(",");
            let text = format!("smp://{}=@{host}", "A".repeat(43));
            text.parse::<ServerAddress>().unwrap().server
        };
        assert!(check_fits_link(&host(7)).is_ok());
        let error = check_fits_link(&host(8)).unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Usage);
        assert!(error.message().contains("too long for a link"));
    }
}

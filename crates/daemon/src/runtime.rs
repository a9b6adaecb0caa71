//! What every machine of one process shares.

use hushwing_transport::SystemClock;
use hushwing_transport::tls::{Connector, ConnectorConfig};

use crate::relays::Numbers;

/// The clock, the way to open streams, and the numbers of relays.
#[derive(Clone)]
pub(crate) struct Runtime {
    pub(crate) clock: SystemClock,
    pub(crate) connector: Connector,
    pub(crate) relays: Numbers,
}

impl Runtime {
    pub(crate) fn new() -> Self {
        Self {
            clock: SystemClock::start(),
            connector: Connector::new(ConnectorConfig::default()),
            relays: Numbers::default(),
        }
    }
}

//! What every machine of one process shares.

use hushwing_transport::SystemClock;
use hushwing_transport::tls::{Connector, ConnectorConfig};

/// The clock and the way to open streams.
#[derive(Clone)]
pub(crate) struct Runtime {
    pub(crate) clock: SystemClock,
    pub(crate) connector: Connector,
}

impl Runtime {
    pub(crate) fn new() -> Self {
        Self {
            clock: SystemClock::start(),
            connector: Connector::new(ConnectorConfig::default()),
        }
    }
}

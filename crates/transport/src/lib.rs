//! Sockets, TLS and timers: the one place that drives machines on tokio.

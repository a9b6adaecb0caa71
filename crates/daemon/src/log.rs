//! Where the log goes, and what may be in it.
//!
//! Only our own crates log. Others do not share our rules: openmls, for one,
//! writes inputs of its key schedule at the finest level. So their records are
//! dropped whatever level is asked for.

use std::io::Write;

use tracing::level_filters::LevelFilter;
use tracing_subscriber::Layer as _;
use tracing_subscriber::filter::filter_fn;
use tracing_subscriber::layer::SubscriberExt as _;
use tracing_subscriber::util::SubscriberInitExt as _;

/// Sends the log of this process to `writer`, one line a record, up to `level`.
/// Does nothing where a log is set up already.
pub fn log_to<W: Write + 'static>(
    writer: impl Fn() -> W + Send + Sync + 'static,
    level: LevelFilter,
) {
    let ours = filter_fn(|record| record.target().starts_with("hushwing"));
    let lines = tracing_subscriber::fmt::layer()
        .with_writer(writer)
        .with_ansi(false);
    // It fails where a log is set up already.
    let _ = tracing_subscriber::registry()
        .with(lines.with_filter(ours).with_filter(level))
        .try_init();
}

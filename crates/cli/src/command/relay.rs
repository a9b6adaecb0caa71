//! Running a relay for others.

use std::net::SocketAddr;
use std::process::ExitCode;

use hushwing_daemon::{Admission, Error, ErrorKind, Relay as Running, RelayConfig};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};

use crate::args::{Relay, RelayRun};
use crate::output::Output;

/// `relay run|info`
pub(super) async fn run(relay: Relay, output: Output) -> Result<ExitCode, Error> {
    match relay {
        Relay::Run(options) => serve(options, output).await,
        Relay::Info { dir } => {
            let address = Running::stored_address(&dir)?;
            show(output, &address.to_string());
            Ok(ExitCode::SUCCESS)
        }
    }
}

async fn serve(options: RelayRun, output: Output) -> Result<ExitCode, Error> {
    let listen: SocketAddr = options.listen.parse().map_err(|_| {
        Error::new(
            ErrorKind::Usage,
            format!("{} is no address to listen on", options.listen),
        )
        .with_advice("give an IP address and a port, like 0.0.0.0:5223 or [::]:5223")
    })?;
    let mut config = RelayConfig::new(options.dir, listen);
    config.host = options.host;
    config.admission = match options.password {
        Some(password) => Admission::Password(password.into()),
        None if options.open => Admission::Open,
        None => Admission::Kept,
    };
    let listening = |kind| {
        signal(kind).map_err(|error| Error::new(ErrorKind::Internal, format!("signals: {error}")))
    };
    let (mut interrupt, mut terminate) = (
        listening(SignalKind::interrupt())?,
        listening(SignalKind::terminate())?,
    );
    let relay = Running::start(config).await?;
    show(output, &relay.address().to_string());
    tokio::select! {
        _ = interrupt.recv() => {}
        _ = terminate.recv() => {}
    }
    relay.stop().await;
    Ok(ExitCode::SUCCESS)
}

fn show(output: Output, address: &str) {
    output.result(&json!({ "address": address }), |_| address.to_owned());
}

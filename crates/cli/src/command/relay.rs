//! Running a relay for others.

use std::fs::File;
use std::io::{self, Read as _};
use std::net::SocketAddr;
use std::path::Path;
use std::process::ExitCode;

use hushwing_daemon::{Admission, Error, ErrorKind, Relay as Running, RelayConfig};
use serde_json::json;
use tokio::signal::unix::{SignalKind, signal};
use zeroize::Zeroizing;

use crate::args::{Relay, RelayRun};
use crate::output::Output;

/// More than an address can hold is not read.
const LONGEST_PASSWORD: usize = 1_024;

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
    config.admission = match (options.password, &options.password_file) {
        (Some(password), _) => Admission::Password(password.into()),
        (None, Some(file)) => Admission::Password(password(file)?),
        (None, None) if options.open => Admission::Open,
        (None, None) => Admission::Kept,
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

/// The first line of a file, or of standard input if its name is `-`.
fn password(file: &Path) -> Result<Zeroizing<String>, Error> {
    let mut text = Zeroizing::new(String::with_capacity(LONGEST_PASSWORD));
    let most = u64::try_from(LONGEST_PASSWORD).unwrap_or(u64::MAX);
    let read = if file == Path::new("-") {
        io::stdin().take(most).read_to_string(&mut text)
    } else {
        File::open(file).and_then(|file| file.take(most).read_to_string(&mut text))
    };
    read.map_err(|error| {
        let message = format!("cannot read the password from {}: {error}", file.display());
        Error::new(ErrorKind::BadFile, message).with_advice(
            "give a file that holds the password and nothing else, or `-` for standard input",
        )
    })?;
    Ok(Zeroizing::new(
        text.lines().next().unwrap_or_default().to_owned(),
    ))
}

fn show(output: Output, address: &str) {
    output.result(&json!({ "address": address }), |_| address.to_owned());
}

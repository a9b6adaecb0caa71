//! The measured process.

use std::path::Path;
use std::time::Duration;

use hushwing_relay::address::ServerAddress;
use hushwing_sansio::Endpoint;
use tempfile::TempDir;

use crate::BenchError;
use crate::process::Process;

/// `relay run` on a fresh folder, on loopback.
pub(crate) struct Server {
    process: Process,
    address: String,
    endpoint: Endpoint,
    // After the process, which writes there.
    folder: TempDir,
}

impl Server {
    pub(crate) fn start(program: &Path) -> Result<Self, BenchError> {
        let folder = tempfile::tempdir().map_err(BenchError::system("make a folder"))?;
        let dir = folder.path().join("relay");
        let dir = dir
            .to_str()
            .ok_or(BenchError::Bug("the temporary folder's name is no text"))?;
        let args = ["--json", "relay", "run", "--open", "--dir", dir];
        let args = [&args[..], &["--listen", "127.0.0.1:0"]].concat();
        let (process, line) = Process::start(program, &args)?;
        let text = address_in(&line)?;
        let address: ServerAddress = text.parse()?;
        let mut endpoint = address.server.endpoint();
        endpoint.hosts = vec!["127.0.0.1".into()];
        Ok(Self {
            process,
            address: text,
            endpoint,
            folder,
        })
    }

    /// Its address, as people are told it.
    pub(crate) fn address(&self) -> &str {
        &self.address
    }

    pub(crate) fn endpoint(&self) -> &Endpoint {
        &self.endpoint
    }

    pub(crate) fn folder(&self) -> &Path {
        self.folder.path()
    }

    /// Processor time it has used.
    pub(crate) fn time(&self) -> Result<Duration, BenchError> {
        self.process.time()
    }

    /// Bytes of memory it holds.
    pub(crate) fn resident(&self) -> Result<u64, BenchError> {
        self.process.resident()
    }
}

/// The address in the first line of `relay run --json`.
fn address_in(line: &str) -> Result<String, BenchError> {
    let unexpected = || BenchError::Program(format!("it said: {}", line.trim()));
    let document: serde_json::Value = serde_json::from_str(line).map_err(|_| unexpected())?;
    let address = document.get("address").and_then(|address| address.as_str());
    address.map(str::to_owned).ok_or_else(unexpected)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_is_read_and_an_error_is_shown() {
        let address = address_in("{\"address\":\"smp://x@y\"}\n").unwrap();
        assert_eq!(address, "smp://x@y");
        let refused = address_in("{\"error\":{\"kind\":\"port_in_use\"}}\n").unwrap_err();
        assert!(refused.to_string().contains("port_in_use"));
    }
}

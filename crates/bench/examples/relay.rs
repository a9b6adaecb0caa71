//! A relay server alone, with the arguments of `hushwing relay run`: what the
//! figures measure where the whole program is not built.

use std::env::args;
use std::net::SocketAddr;
use std::path::PathBuf;

use hushwing_daemon::relay_server::{RelayServer, RelayServerOptions};
use hushwing_relay::address::{Server, ServerAddress};
use hushwing_relay::server::ServerConfig;
use hushwing_store::keys::{MasterKey, Role};
use hushwing_transport::OsEntropy;

type Failure = Box<dyn std::error::Error>;

#[tokio::main]
async fn main() -> Result<(), Failure> {
    let dir = PathBuf::from(value("--dir")?);
    let listen: SocketAddr = value("--listen")?.parse()?;
    let options = RelayServerOptions {
        config: ServerConfig::default(),
        key: MasterKey::generate(&mut OsEntropy).derive(Role::RelayServer, ""),
        host: "localhost".into(),
    };
    let running = RelayServer::start(&dir, listen, options).await?;
    let address = ServerAddress {
        server: Server {
            fingerprint: running.fingerprint(),
            hosts: vec!["127.0.0.1".into()],
            port: running.listening().port(),
        },
        password: None,
    };
    println(&address.to_string());
    std::future::pending::<()>().await;
    Ok(())
}

#[expect(clippy::print_stdout, reason = "an example program")]
fn println(address: &str) {
    println!("{{\"address\":\"{address}\"}}");
}

fn value(name: &str) -> Result<String, Failure> {
    args()
        .skip_while(|word| word != name)
        .nth(1)
        .ok_or_else(|| format!("{name} is missing").into())
}

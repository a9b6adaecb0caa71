//! The relays that hold my mailboxes.

use std::process::ExitCode;

use hushwing_daemon::{Error, view};
use serde_json::json;

use super::{Session, view};
use crate::args::Server;
use crate::client::Path;

/// `server add|remove|list|test`
pub(super) async fn run(session: &Session, server: Server) -> Result<ExitCode, Error> {
    match server {
        Server::Add { address } => {
            let path = Path::new(["servers"]);
            let added: view::Server = view(
                session
                    .client
                    .post(&path, &json!({ "address": address }))
                    .await?,
            )?;
            session
                .output
                .result(&added, |server| format!("in use: {}", server.address));
        }
        Server::Remove { address } => {
            let path = Path::new(["servers"]).with("address", &address);
            let left: Vec<view::Server> = view(session.client.delete(&path).await?)?;
            session.output.result(&left, |left| list(left));
        }
        Server::List => {
            let servers: Vec<view::Server> =
                view(session.client.get(&Path::new(["servers"])).await?)?;
            session.output.result(&servers, |servers| list(servers));
        }
        Server::Test { address } => {
            let path = Path::new(["servers", "test"]);
            let tests: Vec<view::ServerTest> = view(
                session
                    .client
                    .post(&path, &json!({ "address": address }))
                    .await?,
            )?;
            session.output.result(&tests, |tests| {
                tests.iter().map(report).collect::<Vec<_>>().join("\n")
            });
            let passed = |test: &view::ServerTest| test.steps.iter().all(|step| step.ok);
            if !tests.iter().all(passed) {
                return Ok(ExitCode::FAILURE);
            }
        }
    }
    Ok(ExitCode::SUCCESS)
}

fn list(servers: &[view::Server]) -> String {
    if servers.is_empty() {
        return "none: new mailboxes live on the embedded relay".into();
    }
    servers
        .iter()
        .map(|server| server.address.clone())
        .collect::<Vec<_>>()
        .join("\n")
}

fn report(test: &view::ServerTest) -> String {
    let mut text = test.address.clone();
    for step in &test.steps {
        let verdict = step
            .problem
            .as_deref()
            .unwrap_or(if step.ok { "ok" } else { "failed" });
        text.push_str(&format!(
            "\n  {:<10} {:>5} ms  {verdict}",
            step.step, step.millis
        ));
    }
    text
}

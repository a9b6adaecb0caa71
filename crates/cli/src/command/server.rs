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
        Server::Add { address, unchecked } => {
            let path = Path::new(["servers"]);
            let body = json!({ "address": address, "unchecked": unchecked });
            let added: view::ServerAdded = view(session.client.post(&path, &body).await?)?;
            session.output.result(&added, |added| match added.replaced {
                true => format!("in use with its new password: {}", added.address),
                false => format!("in use: {}", added.address),
            });
        }
        Server::Remove { address } => {
            let path = Path::new(["servers"]).with("address", &address);
            let left: Vec<view::Server> = view(session.client.delete(&path).await?)?;
            let status = session.client.get(&Path::new(["status"])).await;
            let remains = status.ok().and_then(|status| view(status).ok());
            let remains = remains.map_or_else(String::new, remaining);
            session
                .output
                .result(&left, |left| format!("{}{remains}", list(left)));
        }
        Server::List { show_passwords } => {
            let path = Path::new(["servers"]).with("passwords", show_passwords);
            let servers: Vec<view::Server> = view(session.client.get(&path).await?)?;
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

/// What still lies on relays that are not used any more.
fn remaining(status: view::Status) -> String {
    let relays = status.networks.relay.relays.into_iter();
    let leaving = relays.filter(|relay| relay.leaving);
    let lines = leaving.map(|relay| {
        let mailboxes = match relay.mailboxes {
            1 => "1 mailbox is".to_owned(),
            more => format!("{more} mailboxes are"),
        };
        format!(
            "\n{}, profile {}: {mailboxes} still there; those of conversations move as your \
             contacts learn of it, those of links stay as long as the links: leave the relay \
             running until `hushwing status` no longer shows it",
            relay.place, relay.profile
        )
    });
    lines.collect()
}

fn list(servers: &[view::Server]) -> String {
    if servers.is_empty() {
        return "none: new mailboxes live on the embedded relay".into();
    }
    servers.iter().map(line).collect::<Vec<_>>().join("\n")
}

fn line(server: &view::Server) -> String {
    let users = match &server.profile {
        Some(name) => format!("  profile {name}"),
        None => String::new(),
    };
    let password = if server.password {
        "  with password"
    } else {
        ""
    };
    format!("{}{password}{users}", server.address)
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

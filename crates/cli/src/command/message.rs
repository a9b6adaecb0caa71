//! Messages: send, find, read, change.

use std::io::Read as _;

use hushwing_daemon::{Error, ErrorKind, view};
use serde_json::{Value, json};

use super::{Session, view};
use crate::args::{Edit, MessageId, React, Read, Send, Wait};
use crate::client::Path;
use crate::output::indented;

/// `send`
pub(super) async fn send(session: &Session, send: Send) -> Result<(), Error> {
    let text = match send.text.as_deref() {
        None | Some("-") => read_text()?,
        Some(text) => text.to_owned(),
    };
    let body = json!({
        "to": send.name,
        "text": text,
        "reply_to": send.reply,
        "wait": send.wait.map(state),
        "timeout": send.timeout,
    });
    show_sent(
        session,
        session.client.post(&Path::new(["messages"]), &body).await?,
    )
}

fn show_sent(session: &Session, answer: Value) -> Result<(), Error> {
    let sent: view::Sent = view(answer)?;
    session
        .output
        .result(&sent, |sent| format!("{}  {}", sent.message, sent.state));
    Ok(())
}

const fn state(wait: Wait) -> &'static str {
    match wait {
        Wait::Accepted => "accepted",
        Wait::Delivered => "delivered",
        Wait::Read => "read",
    }
}

fn read_text() -> Result<String, Error> {
    let mut text = String::new();
    std::io::stdin()
        .read_to_string(&mut text)
        .map_err(|error| {
            Error::new(ErrorKind::Usage, format!("standard input: {error}"))
                .with_advice("a message is UTF-8 text")
        })?;
    Ok(text.trim_end_matches('\n').to_owned())
}

/// `where`
pub(super) async fn locate(session: &Session, message: MessageId) -> Result<(), Error> {
    let path = Path::new(["messages", &message.id, "where"]);
    let place: view::Where = view(session.client.get(&path).await?)?;
    session.output.result(&place, |place| {
        let mut text = place.state.clone();
        for step in &place.progress {
            let proof = if step.verified { "  signed" } else { "" };
            text.push_str(&format!(
                "\n  {}  {}  {}{proof}",
                step.at, step.network, step.stage
            ));
        }
        text
    });
    Ok(())
}

/// `read`
pub(super) async fn read(session: &Session, read: Read) -> Result<(), Error> {
    let path = Path::new(["conversations", &read.name, "messages"]).with("n", read.count);
    let messages: Vec<view::Message> = view(session.client.get(&path).await?)?;
    session.output.result(&messages, |messages| {
        messages.iter().map(line).collect::<Vec<_>>().join("\n")
    });
    Ok(())
}

fn line(message: &view::Message) -> String {
    let text = if message.deleted {
        "(deleted)".to_owned()
    } else {
        indented(&message.text)
    };
    let edited = if message.edited { " (edited)" } else { "" };
    let mut line = format!("{}  {}: {text}{edited}", message.sent_at, message.from);
    if message.state != "received" {
        line.push_str(&format!("  [{}]", message.state));
    }
    for reaction in &message.reactions {
        line.push_str(&format!("  {} {}", reaction.reaction, reaction.from));
    }
    line
}

/// `watch`
pub(super) async fn watch(session: &Session) -> Result<(), Error> {
    let mut events = session.client.events(&Path::new(["events"])).await?;
    while let Some(event) = events.next().await? {
        session.output.result(&event, event_line);
    }
    Err(Error::new(
        ErrorKind::DaemonNotRunning,
        "the daemon stopped",
    ))
}

/// An event for people: its name, then its plain fields.
fn event_line(event: &Value) -> String {
    let Value::Object(fields) = event else {
        return event.to_string();
    };
    let name = fields
        .get("event")
        .and_then(Value::as_str)
        .unwrap_or("event");
    let mut line = name.to_owned();
    for (key, value) in fields.iter().filter(|(key, _)| *key != "event") {
        match value {
            Value::Null | Value::Array(_) | Value::Object(_) => {}
            Value::String(text) => line.push_str(&format!("  {key}: {}", indented(text))),
            other => line.push_str(&format!("  {key}: {other}")),
        }
    }
    line
}

/// `react`
pub(super) async fn react(session: &Session, react: React) -> Result<(), Error> {
    let path = Path::new(["messages", &react.id, "reactions"]);
    let answer = session
        .client
        .post(&path, &json!({ "reaction": react.reaction }))
        .await?;
    show_sent(session, answer)
}

/// `edit`
pub(super) async fn edit(session: &Session, edit: Edit) -> Result<(), Error> {
    let path = Path::new(["messages", &edit.id, "edit"]);
    show_sent(
        session,
        session
            .client
            .post(&path, &json!({ "text": edit.text }))
            .await?,
    )
}

/// `delete`
pub(super) async fn delete(session: &Session, message: MessageId) -> Result<(), Error> {
    show_sent(
        session,
        session
            .client
            .delete(&Path::new(["messages", &message.id]))
            .await?,
    )
}

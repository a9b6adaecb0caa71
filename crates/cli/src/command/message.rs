//! Messages: send, find, read, change; and what happens, as it happens.

use hushwing_api::conversation::{Reported, Version};
use hushwing_daemon::{Error, ErrorKind, check_text, read_text, view};
use serde_json::{Value, json};

use super::{Session, list, shown, view};
use crate::args::{Edit, MessageId, React, Read, Send, Wait};
use crate::client::Path;
use crate::output::{Output, indented};

/// `send`
pub(super) async fn send(session: &Session, send: Send) -> Result<(), Error> {
    let text = text(send.text)?;
    let body = json!({
        "to": send.name,
        "text": text,
        "reply_to": send.reply,
        "wait": send.wait.map(state),
        // Whoever does not wait has no use for how long.
        "timeout": send.wait.map(|_| send.timeout),
    });
    show_sent(
        session,
        session.client.post(&Path::new(["messages"]), &body).await?,
    )
}

/// The text typed, or that of standard input.
pub(super) fn text(typed: Option<String>) -> Result<String, Error> {
    match typed {
        Some(text) if text != "-" => {
            check_text(&text)?;
            Ok(text)
        }
        _ => read_text(std::io::stdin()),
    }
}

fn show_sent(session: &Session, answer: Value) -> Result<(), Error> {
    let sent: view::Sent = view(answer)?;
    session.output.result(&sent, |sent| {
        let state = match sent.alone {
            true => NOBODY,
            false => &sent.state,
        };
        format!("{}  {state}", shown::id(&sent.message))
    });
    Ok(())
}

/// Where nobody else is in a group, nothing is delivered.
const NOBODY: &str = "nobody else is there yet";

const fn state(wait: Wait) -> &'static str {
    match wait {
        Wait::Accepted => "accepted",
        Wait::Delivered => "delivered",
        Wait::Read => "read",
    }
}

/// What was done to a message: named by its own id, which commands know.
fn show_changed(session: &Session, id: &str, done: &str, answer: Value) -> Result<(), Error> {
    let sent: view::Sent = view(answer)?;
    session
        .output
        .result(&sent, |sent| format!("{id}  {done}  {}", sent.state));
    Ok(())
}

/// `where`
pub(super) async fn locate(session: &Session, message: MessageId) -> Result<(), Error> {
    let path = Path::new(["messages", &message.id, "where"]);
    let place: view::Where = view(session.client.get(&path).await?)?;
    session.output.result(&place, |place| {
        let mut text = match (place.alone, place.elsewhere) {
            (true, _) => "nobody else was there".to_owned(),
            (_, true) => "said by another device of yours, which knows how far it got".to_owned(),
            _ => place.state.clone(),
        };
        for step in &place.progress {
            let proof = if step.verified { "  signed" } else { "" };
            text.push_str(&format!(
                "\n  {}  {}  {}{proof}",
                step.at, step.network, step.stage
            ));
        }
        for attempt in &place.attempts {
            text.push_str(&way(attempt));
        }
        for one in &place.members {
            text.push_str(&format!("\n  {}  {}", one.name, list::words(&one.state)));
            if let Some(why) = &one.missed {
                text.push_str(&format!("  ({})", list::words(why)));
            }
        }
        text
    });
    Ok(())
}

/// One address a message goes to.
fn way(attempt: &view::Attempt) -> String {
    let which = match (attempt.recovery, attempt.address) {
        (true, _) => "last resort".to_owned(),
        (false, Some(number)) => format!("address {number}"),
        (false, None) => "an address given up since".to_owned(),
    };
    let at = attempt.accepted.as_ref().or(attempt.begun.as_ref());
    let at = at.map_or_else(String::new, |at| format!("  {at}"));
    let problem = (attempt.problem.iter()).map(|problem| format!(": {problem}"));
    let problem: String = problem.collect();
    format!(
        "\n  {}, {which}  {}{problem}{at}",
        attempt.network, attempt.stage
    )
}

/// `read`
pub(super) async fn read(session: &Session, read: Read) -> Result<(), Error> {
    let path = Path::new(["conversations", &read.name, "messages"]).with("n", read.count);
    let messages: Vec<view::Message> = view(session.client.get(&path).await?)?;
    if read.history {
        return show_histories(session, messages).await;
    }
    // Programs find the changes of keys in `contacts`.
    let changes = match (session.output, messages.first()) {
        (Output::Text, Some(first)) => key_changes(session, &first.conversation).await?,
        _ => Vec::new(),
    };
    session.output.result(&messages, |messages| {
        if messages.is_empty() {
            return "nothing was said yet".into();
        }
        shown::conversation(messages, &changes)
    });
    Ok(())
}

/// When the keys of who a conversation is with changed; of a group nothing is told.
async fn key_changes(session: &Session, conversation: &str) -> Result<Vec<view::KeyChange>, Error> {
    let path = Path::new(["contacts", conversation]);
    match session.client.get(&path).await {
        Ok(contact) => Ok(view::<view::Contact>(contact)?.key_changes),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Vec::new()),
        Err(error) => Err(error),
    }
}

/// Messages with what they said before they were edited.
async fn show_histories(session: &Session, messages: Vec<view::Message>) -> Result<(), Error> {
    let mut all = Vec::with_capacity(messages.len());
    for message in messages {
        let history: Vec<Version> = match message.edited && !message.deleted {
            true => {
                let path = Path::new(["messages", &message.id, "history"]);
                view(session.client.get(&path).await?)?
            }
            false => Vec::new(),
        };
        all.push(Reported { message, history });
    }
    session.output.result(&all, |all| {
        let lines = all.iter().flat_map(|one| {
            let line = shown::message(&one.message, &one.message.from);
            // The last one is shown in that line.
            let earlier = one.history.iter().take(one.history.len().saturating_sub(1));
            let earlier = earlier.map(|version| {
                format!(
                    "    before  {}  {}",
                    version.sent_at,
                    indented(&version.text)
                )
            });
            std::iter::once(line).chain(earlier).collect::<Vec<_>>()
        });
        lines.collect::<Vec<_>>().join("\n")
    });
    Ok(())
}

/// `watch`
pub(super) async fn watch(session: &Session) -> Result<(), Error> {
    let mut events = session.client.events(&Path::new(["events"])).await?;
    while let Some(event) = events.next().await? {
        session.output.result(&event, shown::event);
    }
    Err(Error::new(
        ErrorKind::DaemonNotRunning,
        "the daemon stopped",
    ))
}

/// `react`
pub(super) async fn react(session: &Session, react: React) -> Result<(), Error> {
    let path = Path::new(["messages", &react.id, "reactions"]);
    let answer = session
        .client
        .post(&path, &json!({ "reaction": react.reaction }))
        .await?;
    let done = match react.reaction.is_empty() {
        true => "reaction taken back",
        false => "reacted",
    };
    show_changed(session, &react.id, done, answer)
}

/// `edit`
pub(super) async fn edit(session: &Session, edit: Edit) -> Result<(), Error> {
    let text = text(edit.text)?;
    let path = Path::new(["messages", &edit.id, "edit"]);
    let answer = session.client.post(&path, &json!({ "text": text })).await?;
    show_changed(session, &edit.id, "edited", answer)
}

/// `delete`
pub(super) async fn delete(session: &Session, message: MessageId) -> Result<(), Error> {
    let path = Path::new(["messages", &message.id]);
    let answer = session.client.delete(&path).await?;
    show_changed(session, &message.id, "deleted", answer)
}

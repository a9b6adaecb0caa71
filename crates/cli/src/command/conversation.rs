//! Conversations as a whole: how they are kept, what is found, what goes.

use std::fs::OpenOptions;
use std::io::Write as _;
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path as FilePath;

use hushwing_api::conversation::{Conversation, Done, Removed, Report as Reported};
use hushwing_daemon::{Error, ErrorKind, view};
use serde_json::json;

use super::message::text;
use super::{Session, setting, shown, view};
use crate::args::{
    Conversations, Disappear, Draft, Mute, Name, Pin, Report, Search, Switched, Unread,
};
use crate::client::Path;
use crate::output::indented;

/// `contacts remove`
pub(super) async fn remove(session: &Session, name: &str, yes: bool) -> Result<(), Error> {
    let question = "All that was said with them will be gone for good, and they are not told. \
        Type the name to remove them: ";
    if session.output.has_person() && !yes && !setting::means(question, name) {
        return Err(Error::new(ErrorKind::Usage, "nobody was removed")
            .with_advice("type the name as you gave it, or use `--yes`"));
    }
    let path = Path::new(["contacts", name]);
    let removed: Removed = view(session.client.delete(&path).await?)?;
    session.output.result(&removed, |_| {
        format!("{name} is forgotten, with all that was said")
    });
    Ok(())
}

/// `conversations`
pub(super) async fn list(session: &Session, which: Conversations) -> Result<(), Error> {
    let mut all = conversations(session).await?;
    all.retain(|one| which.all || !one.archived);
    all.sort_by_key(|one| !one.pinned);
    show_all(session, &all, "nothing yet: `hushwing invite` makes a link");
    Ok(())
}

async fn conversations(session: &Session) -> Result<Vec<Conversation>, Error> {
    view(session.client.get(&Path::new(["conversations"])).await?)
}

fn show_all(session: &Session, all: &Vec<Conversation>, nothing: &str) {
    session.output.result(all, |all| match all.is_empty() {
        true => nothing.to_owned(),
        false => all.iter().map(line).collect::<Vec<_>>().join("\n"),
    });
}

/// A conversation: whom with, then what is not as usual.
fn line(one: &Conversation) -> String {
    let mut line = format!("{}  {}", one.short, one.name);
    if one.unread > 0 {
        line.push_str(&format!("  {} unread", one.unread));
    } else if one.marked_unread {
        line.push_str("  marked unread");
    }
    let marks = [
        (one.kind == "group", "group"),
        (one.kind == "channel", "channel"),
        (one.pinned, "pinned"),
        (one.archived, "archived"),
        (one.blocked_since.is_some(), "blocked"),
        (one.muted_until.is_some(), "muted"),
        (one.draft.is_some(), "draft"),
    ];
    for (_, mark) in marks.iter().filter(|(holds, _)| *holds) {
        line.push_str(&format!("  {mark}"));
    }
    if let Some(seconds) = one.disappear_after {
        line.push_str(&format!(
            "  messages disappear after {}",
            shown::span(seconds)
        ));
    }
    line
}

async fn change(
    session: &Session,
    name: &str,
    what: &str,
    body: &serde_json::Value,
) -> Result<(), Error> {
    let path = Path::new(["conversations", name, what]);
    let kept: Conversation = view(session.client.post(&path, body).await?)?;
    session.output.result(&kept, line);
    Ok(())
}

/// `typing`
pub(super) async fn typing(session: &Session, Name { name }: Name) -> Result<(), Error> {
    let path = Path::new(["conversations", &name, "typing"]);
    let done: Done = view(session.client.post(&path, &json!({})).await?)?;
    session.output.result(&done, |_| {
        "told, where the switch `typing` is on and nothing was told just before".to_owned()
    });
    Ok(())
}

/// `block`, `unblock`
pub(super) async fn block(session: &Session, Name { name }: Name, on: bool) -> Result<(), Error> {
    change(session, &name, "block", &json!({ "on": on })).await
}

/// `archive`
pub(super) async fn archive(session: &Session, which: Switched) -> Result<(), Error> {
    change(
        session,
        &which.name,
        "archive",
        &json!({ "on": !which.off }),
    )
    .await
}

/// `mute`
pub(super) async fn mute(session: &Session, mute: Mute) -> Result<(), Error> {
    let body = match mute.span {
        Some(0) => json!({ "on": false }),
        span => json!({ "on": true, "seconds": span }),
    };
    change(session, &mute.name, "mute", &body).await
}

/// `pin`
pub(super) async fn pin(session: &Session, pin: Pin) -> Result<(), Error> {
    let body = json!({ "on": !pin.off });
    match (&pin.message, &pin.name) {
        (Some(id), _) => {
            let path = Path::new(["messages", id, "pin"]);
            let kept: Conversation = view(session.client.post(&path, &body).await?)?;
            session.output.result(&kept, |kept| {
                let pins = kept.pinned_messages.iter().map(|id| shown::id(id));
                let pins = pins.collect::<Vec<_>>().join("  ");
                format!("{}  pinned messages: {pins}", kept.name)
            });
            Ok(())
        }
        (None, name) => change(session, name.as_deref().unwrap_or_default(), "pin", &body).await,
    }
}

/// `unread`
pub(super) async fn unread(session: &Session, unread: Unread) -> Result<(), Error> {
    if let Some(name) = &unread.name {
        return change(session, name, "unread", &json!({ "on": !unread.off })).await;
    }
    let mut all = conversations(session).await?;
    all.retain(|one| one.unread > 0 || one.marked_unread);
    show_all(session, &all, "nothing is unread");
    Ok(())
}

/// `draft`
pub(super) async fn draft(session: &Session, draft: Draft) -> Result<(), Error> {
    if draft.text.is_some() || draft.clear {
        let typed = match draft.clear {
            true => String::new(),
            false => text(draft.text)?,
        };
        let body = json!({ "text": typed, "reply_to": draft.reply });
        return change(session, &draft.name, "draft", &body).await;
    }
    let all = conversations(session).await?;
    let named = |one: &&Conversation| {
        one.name == draft.name
            || draft.name.len() >= 8 && one.contact.starts_with(&draft.name.to_ascii_lowercase())
    };
    let Some(one) = all.iter().find(named) else {
        return Err(Error::new(
            ErrorKind::NotFound,
            format!("nobody is called {}", draft.name),
        ));
    };
    session.output.result(&one.draft, |draft| match draft {
        Some(draft) => draft.text.clone(),
        None => "there is no draft".to_owned(),
    });
    Ok(())
}

/// `disappear`
pub(super) async fn disappear(session: &Session, disappear: Disappear) -> Result<(), Error> {
    let Some(seconds) = disappear.after else {
        let all = conversations(session).await?;
        let mut all = all;
        all.retain(|one| one.name == disappear.name || one.contact.starts_with(&disappear.name));
        show_all(session, &all, "nobody is called so");
        return Ok(());
    };
    let path = Path::new(["conversations", &disappear.name, "timer"]);
    let body = json!({ "seconds": seconds });
    let kept: Conversation = view(session.client.post(&path, &body).await?)?;
    session.output.result(&kept, |kept| {
        match kept.disappear_after.unwrap_or_default() == seconds {
            true => line(kept),
            false => "telling the group; `hushwing group info NAME` shows when it is so".to_owned(),
        }
    });
    Ok(())
}

/// `search`
pub(super) async fn search(session: &Session, search: Search) -> Result<(), Error> {
    let mut path = Path::new(["search"])
        .with("text", search.text.join(" "))
        .with("n", search.count);
    if let Some(within) = &search.within {
        path = path.with("in", within);
    }
    let found: Vec<view::Message> = view(session.client.get(&path).await?)?;
    session.output.result(&found, |found| {
        if found.is_empty() {
            return "nothing found".to_owned();
        }
        found.iter().map(shown::said).collect::<Vec<_>>().join("\n")
    });
    Ok(())
}

/// `report`
pub(super) async fn report(session: &Session, report: Report) -> Result<(), Error> {
    let path = Path::new(["conversations", &report.name, "report"]).with("n", report.count);
    let made: Reported = view(session.client.get(&path).await?)?;
    let Some(file) = &report.out else {
        session.output.result(&made, readable);
        return Ok(());
    };
    let bytes = serde_json::to_vec_pretty(&made)
        .map_err(|error| Error::new(ErrorKind::Internal, format!("report: {error}")))?;
    write_new(file, &bytes)?;
    let count = made.messages.len();
    let document = json!({ "report": file.display().to_string(), "messages": count });
    session.output.result(&document, |_| {
        format!(
            "{count} messages written to {}; nothing was sent anywhere: hand it to whom you choose",
            file.display()
        )
    });
    Ok(())
}

/// Writes something for its owner alone to read. Not over an older file.
pub(super) fn write_new(file: &FilePath, bytes: &[u8]) -> Result<(), Error> {
    let refused = |error: std::io::Error| {
        let message = format!("{}: {error}", file.display());
        Error::new(ErrorKind::BadFile, message)
            .with_advice("choose another file, that is not there yet")
    };
    let mut made = OpenOptions::new()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .open(file)
        .map_err(refused)?;
    made.write_all(bytes)
        .and_then(|()| made.sync_all())
        .map_err(refused)
}

fn readable(report: &Reported) -> String {
    let mut lines = vec![format!(
        "report of {}  {}  {}",
        report.contact, report.made_at, report.name
    )];
    lines.extend(
        report
            .safety_number
            .iter()
            .map(|number| format!("keys  {number}")),
    );
    for one in &report.messages {
        lines.push(shown::message(&one.message, &one.message.from));
        // The last one is shown above.
        let earlier = one
            .history
            .split_last()
            .map_or(&[][..], |(_, earlier)| earlier);
        for version in earlier {
            lines.push(format!(
                "    before  {}  {}",
                version.sent_at,
                indented(&version.text)
            ));
        }
    }
    lines.join("\n")
}

//! Conversations of many.

use hushwing_api::group::{Group, GroupMember, PendingChange};
use hushwing_daemon::{Error, ErrorKind, view};
use serde_json::{Value, json};

use super::{Session, profile, shown, view};
use crate::args::{self, GroupAction};
use crate::client::Path;

mod herald;

const GROUP: &str = "group";

/// `group`
pub(super) async fn run(session: &Session, group: args::Group) -> Result<(), Error> {
    match group.action {
        GroupAction::New { name } => {
            let body = json!({ "name": name });
            let made = post(session, &Path::new(["groups"]), &body).await?;
            let note = by_id(session, &made).await?;
            session.output.result(&made, |made| {
                format!(
                    "founded {}; add people by `hushwing group add`{note}",
                    made.name
                )
            });
        }
        GroupAction::List => list(session).await?,
        GroupAction::Info { group } => {
            let found = of_kind(session, GROUP, &group).await?;
            session.output.result(&found, info);
        }
        GroupAction::Add { group, contact } => {
            let body = json!({ "who": contact });
            change(session, GROUP, &group, "add", &body, |_| {
                format!("asked {contact}; they are in once they accept")
            })
            .await?;
        }
        GroupAction::Remove { group, member } => {
            let body = json!({ "who": member });
            let said = |left: &Group| {
                let there = |one: &GroupMember| one.present && one.name == member;
                match left.members.iter().any(there) || member.parse::<u64>().is_ok() {
                    true => format!("removing {member}"),
                    false => format!("{member} is not asked any more"),
                }
            };
            change(session, GROUP, &group, "remove", &body, said).await?;
        }
        GroupAction::Rename { group, name } => {
            let body = json!({ "name": name });
            let said = |_: &Group| format!("calling it {name}");
            change(session, GROUP, &group, "name", &body, said).await?;
        }
        GroupAction::Avatar {
            group, file, save, ..
        } => match save {
            Some(out) => {
                let id = of_kind(session, GROUP, &group).await?.group;
                profile::write(session, &Path::new(["groups", &id, "avatar"]), &out).await?;
            }
            None => {
                let picture = file.as_deref().map(profile::small).transpose()?;
                let said = |_: &Group| match &picture {
                    Some(_) => "it shall show that picture".to_owned(),
                    None => "it shall show no picture".to_owned(),
                };
                let body = json!({ "avatar": picture, "no_avatar": picture.is_none() });
                change(session, GROUP, &group, "avatar", &body, said).await?;
            }
        },
        GroupAction::Steward { group, member, off } => {
            let body = json!({ "who": member, "on": !off });
            let said = |_: &Group| match off {
                true => format!("{member} shall be a steward no longer"),
                false => format!("{member} shall be a steward"),
            };
            change(session, GROUP, &group, "stewards", &body, said).await?;
        }
        GroupAction::Herald {
            group,
            name,
            dismiss,
            decline,
            accept,
        } => match (name, dismiss) {
            (Some(member), _) => herald::name(session, &group, &member, true).await?,
            (_, Some(member)) => herald::name(session, &group, &member, false).await?,
            _ if decline || accept => herald::be(session, &group, accept).await?,
            _ => herald::show(session, &group).await?,
        },
        GroupAction::History { group, off } => {
            let said = |_: &Group| match off {
                true => "newcomers shall see nothing of what was said before".to_owned(),
                false => "newcomers shall see what is said from now on".to_owned(),
            };
            change(
                session,
                GROUP,
                &group,
                "history",
                &json!({ "on": !off }),
                said,
            )
            .await?;
        }
        GroupAction::Leave { group } => {
            let said = |left: &Group| match left.state.as_str() {
                "left" => "left".to_owned(),
                _ => "leaving; nothing more is heard there".to_owned(),
            };
            change(session, GROUP, &group, "leave", &json!({}), said).await?;
        }
        GroupAction::Forget { group } => {
            forget(session, GROUP, &group).await?;
        }
    }
    Ok(())
}

/// What to call one by, where there is another of its name.
pub(super) async fn by_id(session: &Session, made: &Group) -> Result<String, Error> {
    let all: Vec<Group> = view(session.client.get(&Path::new(["groups"])).await?)?;
    let other = |one: &&Group| one.name == made.name && one.group != made.group;
    let Some(other) = all.iter().find(other) else {
        return Ok(String::new());
    };
    let id = made.group.get(..8).unwrap_or(&made.group);
    Ok(format!(
        "; there is another {} of that name, so call this one {id}",
        other.kind
    ))
}

pub(super) async fn post(session: &Session, path: &Path, body: &Value) -> Result<Group, Error> {
    view(session.client.post(path, body).await?)
}

/// The group, or the channel, of that name: what is done to one is not done to the other
/// by mistake.
pub(super) async fn of_kind(session: &Session, kind: &str, name: &str) -> Result<Group, Error> {
    let mut called: Vec<Group> = view(session.client.get(&Path::new(["groups"])).await?)?;
    // A group and a channel of one name are told apart by what is done to them.
    called.retain(|one| one.kind == kind && one.name == name && one.state != "offered");
    if let [one] = called.as_slice() {
        return Ok(one.clone());
    }
    let found = session.client.get(&Path::new(["groups", name])).await;
    let missing = |said: String| {
        let advice = format!("`hushwing {kind} list` shows your {kind}s");
        Error::new(ErrorKind::NotFound, said).with_advice(advice)
    };
    let found: Group = match found {
        Err(error) if error.kind() == ErrorKind::NotFound => {
            return Err(missing(format!("no {kind} is called {name}")));
        }
        found => view(found?)?,
    };
    match found.kind == kind {
        true => Ok(found),
        false => Err(missing(format!("{name} is a {}, no {kind}", found.kind))),
    }
}

pub(super) async fn change(
    session: &Session,
    kind: &str,
    name: &str,
    what: &str,
    body: &Value,
    said: impl FnOnce(&Group) -> String,
) -> Result<(), Error> {
    let id = of_kind(session, kind, name).await?.group;
    let changed = post(session, &Path::new(["groups", &id, what]), body).await?;
    session.output.result(&changed, said);
    Ok(())
}

pub(super) async fn forget(session: &Session, kind: &str, name: &str) -> Result<(), Error> {
    let id = of_kind(session, kind, name).await?.group;
    let path = Path::new(["groups", &id]);
    let forgotten = session.client.delete(&path).await?;
    let said = |_: &Value| format!("forgot {name}");
    session.output.result(&forgotten, said);
    Ok(())
}

async fn list(session: &Session) -> Result<(), Error> {
    let mut all: Vec<Group> = view(session.client.get(&Path::new(["groups"])).await?)?;
    all.retain(|one| one.kind == "group");
    session.output.result(&all, |all| {
        let shown = all.iter().filter(|group| group.state != "offered");
        let lines: Vec<String> = shown.map(line).collect();
        match lines.is_empty() {
            true => "you are in no group".into(),
            false => lines.join("\n"),
        }
    });
    Ok(())
}

/// A group on one line.
pub(super) fn line(group: &Group) -> String {
    let id = group.group.get(..8).unwrap_or(&group.group);
    if group.kind == "channel" {
        let state = match group.state.as_str() {
            // Either: whose doing it was is not told.
            "left" => "over: left, or ended by its publisher",
            state => state,
        };
        let readers = match group.size.saturating_sub(1) {
            1 => "1 reader".to_owned(),
            several => format!("{several} readers"),
        };
        return match group.offered_by.as_ref() {
            Some(by) => format!("{id}  {}  by {by}  [{state}]", group.name),
            None => format!("{id}  {}  {readers}  [{state}]", group.name),
        };
    }
    let size = match group.state.as_str() {
        // Who comes and goes there since is not known here.
        "joining" | "left" | "broken" | "restoring" => String::new(),
        _ => format!("  {} in it", group.size),
    };
    format!("{id}  {}{size}  [{}]", group.name, group.state)
}

pub(super) fn info(group: &Group) -> String {
    let mut lines = vec![line(group)];
    let disappear = group.disappear_after.iter();
    lines.extend(
        disappear.map(|seconds| format!("  messages disappear after {}", shown::span(*seconds))),
    );
    let history = group.history_since.iter();
    lines.extend(history.map(|since| format!("  newcomers see what was said since {since}")));
    if group.avatar.is_some() {
        let id = group.group.get(..8).unwrap_or(&group.group);
        lines.push(format!(
            "  shows a picture: `hushwing group avatar {id} --save FILE`"
        ));
    }
    lines.extend(group.pending.iter().map(pending));
    let present = group.members.iter().filter(|member| member.present);
    let channel = group.kind == "channel";
    lines.extend(present.map(|one| member(one, channel)));
    let asked = group.asked.iter();
    lines.extend(asked.map(|name| format!("  {name}: asked, has not answered")));
    lines.join("\n")
}

/// A change that is not so yet.
fn pending(change: &PendingChange) -> String {
    let to = &change.to;
    let what = match change.change.as_str() {
        "name" => format!("to be called {to}"),
        "disappear" => match to.parse() {
            Ok(0) | Err(_) => "messages to stay".to_owned(),
            Ok(seconds) => format!("messages to disappear after {}", shown::span(seconds)),
        },
        "avatar" => "to show another picture".to_owned(),
        "no_avatar" => "to show no picture".to_owned(),
        "add" => format!("{to} to come in"),
        "remove" => format!("{to} to be removed"),
        "steward" => format!("{to} to be a steward"),
        "herald" => format!("{to} to pass on what others say"),
        "no_herald" => format!("{to} to pass on nothing any more"),
        _ => format!("{to} to be a steward no longer"),
    };
    format!("  pending: {what}")
}

fn member(member: &GroupMember, channel: bool) -> String {
    let mut notes = Vec::new();
    if member.me {
        notes.push("you".to_owned());
    }
    if member.steward {
        notes.push(if channel { "publishes" } else { "steward" }.to_owned());
    }
    if member.herald {
        notes.push("herald".to_owned());
    }
    if member.declines {
        notes.push("declines to be a herald".to_owned());
    }
    if member.devices > 1 {
        notes.push(format!("{} devices", member.devices));
    }
    match &member.contact {
        Some(contact) if *contact != member.name => notes.push(format!("your contact {contact}")),
        Some(_) => notes.push("your contact".to_owned()),
        None => {}
    }
    if !member.reachable {
        notes.push("not heard of yet".to_owned());
    }
    let notes = match notes.is_empty() {
        true => String::new(),
        false => format!(" ({})", notes.join(", ")),
    };
    format!("  {}  {}{notes}", member.member, member.name)
}

/// `requests accept`, of a group
pub(super) async fn accept(session: &Session, request: u64) -> Result<(), Error> {
    let path = Path::new(["groups", &request.to_string(), "accept"]);
    let joined = post(session, &path, &json!({})).await?;
    session.output.result(&joined, |joined| {
        format!("accepted; you are in {} before long", joined.name)
    });
    Ok(())
}

/// `requests refuse`, of a group
pub(super) async fn refuse(session: &Session, request: u64) -> Result<(), Error> {
    let path = Path::new(["groups", &request.to_string(), "refuse"]);
    let refused = session.client.post(&path, &json!({})).await?;
    session
        .output
        .result(&refused, |_| format!("refused {request}; nobody is told"));
    Ok(())
}

/// An offer as a line of `requests`.
pub(super) fn offered(request: &view::Request) -> String {
    let by = request.introduced_by.as_deref().unwrap_or("somebody");
    let known = match request.name_known {
        true => "  [there is another of that name]",
        false => "",
    };
    let (number, at, name) = (request.request, &request.received_at, &request.name);
    match request.kind.as_str() {
        "channel" => format!("{number}  {at}  channel {name}, {by} asks you to read it{known}"),
        _ => format!("{number}  {at}  group {name}, {by} asks you in{known}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(kind: &str, state: &str, size: usize) -> String {
        let group = json!({
            "group": "0123456789abcdef", "kind": kind, "request": 0, "name": "Rowing", "state": state,
            "size": size, "members": [], "changing": false, "pending": [], "asked": [],
            "since": "2026-11-21T04:38:01.392Z",
        });
        line(&serde_json::from_value(group).unwrap())
    }

    #[test]
    fn how_many_are_in_a_group_is_told_by_who_is_in_it() {
        assert_eq!(
            told("group", "member", 2),
            "01234567  Rowing  2 in it  [member]"
        );
        for state in ["joining", "left", "broken", "restoring"] {
            assert_eq!(
                told("group", state, 2),
                format!("01234567  Rowing  [{state}]")
            );
        }
    }

    #[test]
    fn one_who_reads_a_channel_is_one() {
        assert_eq!(
            told("channel", "member", 1),
            "01234567  Rowing  0 readers  [member]"
        );
        assert_eq!(
            told("channel", "member", 2),
            "01234567  Rowing  1 reader  [member]"
        );
    }
}

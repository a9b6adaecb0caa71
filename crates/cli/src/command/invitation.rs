//! Invitations: make, open, and judge those who used a reusable one.

use std::io::Read as _;

use hushwing_daemon::{Error, ErrorKind, view};
use serde_json::{Value, json};

use super::picture::{self, Picture};
use super::{Session, view};
use super::{group, introduction};
use crate::args::{Invite, Join, Network, RequestAction, Requests};
use crate::client::Path;

/// `invite`
pub(super) async fn invite(session: &Session, invite: Invite) -> Result<(), Error> {
    match invite.revoke {
        Some(number) => revoke(session, number).await,
        None if invite.list => list(session).await,
        None => make(session, invite).await,
    }
}

async fn list(session: &Session) -> Result<(), Error> {
    let path = Path::new(["invitations"]);
    let usable: Vec<view::Invitation> = view(session.client.get(&path).await?)?;
    session.output.result(&usable, |usable| {
        if usable.is_empty() {
            return "no link of yours can be used: `hushwing invite` makes one".into();
        }
        let lines = usable.iter().map(|one| {
            let kind = if one.reusable { "reusable" } else { "one-time" };
            let kind = match (&one.group, one.open) {
                (Some(group), true) => format!("{kind}  into {group}, open"),
                (Some(group), false) => format!("{kind}  into {group}"),
                (None, _) => kind.to_owned(),
            };
            let (number, until, link) = (one.invitation, &one.expires, &one.link);
            match &one.ended {
                None => format!("{number}  {kind}  until {until}  {link}"),
                Some(why) => format!("{number}  {kind}  cannot be used: {why}  {link}"),
            }
        });
        lines.collect::<Vec<_>>().join("\n")
    });
    Ok(())
}

async fn revoke(session: &Session, number: u64) -> Result<(), Error> {
    let revoked = take_down(session, number).await?;
    session.output.result(&revoked, |_| {
        format!("taken down: nobody can use link {number} any more; requests made by it stay")
    });
    Ok(())
}

async fn take_down(session: &Session, number: u64) -> Result<Value, Error> {
    let path = Path::new(["invitations", &number.to_string()]);
    session.client.delete(&path).await
}

async fn ask(session: &Session, invite: &Invite) -> Result<view::Invitation, Error> {
    let path = Path::new(["invitations"]);
    let (reusable, group, open) = (invite.reusable, &invite.group, invite.open);
    let body = json!({ "reusable": reusable, "group": group, "open": open });
    view(session.client.post(&path, &body).await?)
}

/// Makes a link and the picture of it, or neither.
async fn pictured(
    session: &Session,
    invite: &Invite,
    mut picture: Picture,
) -> Result<view::Invitation, Error> {
    let made = match ask(session, invite).await {
        Ok(made) => made,
        Err(error) => {
            picture.give_up();
            return Err(error);
        }
    };
    if let Err(error) = picture.write(&made.link) {
        picture.give_up();
        let number = made.invitation;
        return Err(match take_down(session, number).await {
            Ok(_) => error,
            Err(_) => error.with_advice(format!(
                "take its link down by `hushwing invite --revoke {number}`, then choose another file"
            )),
        });
    }
    Ok(made)
}

async fn make(session: &Session, invite: Invite) -> Result<(), Error> {
    // Every network that exists may carry it, so naming the only one is no choice.
    let _: Option<Network> = invite.network;
    let made = match &invite.png {
        None => ask(session, &invite).await?,
        Some(file) => pictured(session, &invite, Picture::open(file)?).await?,
    };
    let drawn = match invite.qr {
        true => picture::drawn(&made.link)?,
        false => String::new(),
    };
    session
        .output
        .result(&made, |made| format!("{drawn}{}", made.link));
    if made.this_machine_only {
        session.output.note(
            "only programs on this machine reach your relay: `hushwing server add ADDRESS` chooses one for \
             everybody, `hushwing up --lan` opens yours to the local network",
        );
    }
    session.output.note(&advice(&made));
    Ok(())
}

/// What a link can do, and how it is taken down.
fn advice(made: &view::Invitation) -> String {
    let asks = match (&made.group, made.open) {
        _ if !made.reusable => {
            return "give it to one person, by a way only they can read; it works once".into();
        }
        (Some(group), true) => format!("anyone who has this link gets into {group}"),
        (Some(group), false) => {
            format!(
                "anyone who has this link can ask to be in {group}: `hushwing requests` shows who did"
            )
        }
        (None, _) => {
            "anyone who has this link can ask to write to you: `hushwing requests` shows who did"
                .to_owned()
        }
    };
    let number = made.invitation;
    format!("{asks}, `hushwing invite --revoke {number}` takes it down")
}

/// `join`
pub(super) async fn join(session: &Session, join: Join) -> Result<(), Error> {
    let link = match (&join.link, &join.image) {
        (_, Some(file)) => picture::link_in(file)?,
        (Some(link), None) if link != "-" => link.clone(),
        _ => from_input()?,
    };
    let entering = join.enter_group;
    let body = json!({
        "link": link.trim(),
        "enter_group": entering,
        "wait": join.wait,
        "timeout": join.timeout,
    });
    let joined: view::Joined = view(session.client.post(&Path::new(["joins"]), &body).await?)?;
    session.output.result(&joined, |joined| {
        let reserved = if joined.reserved {
            "\nthe link is yours now and works for nobody else"
        } else {
            ""
        };
        match (joined.state.as_str(), &joined.group) {
            ("asked", Some(group)) => {
                format!(
                    "asked to be in {group}; waiting for {} to accept",
                    joined.name
                )
            }
            ("asked", None) => format!("asked; waiting for {} to accept", joined.name),
            (_, Some(group)) => {
                let name = &joined.name;
                let how = match entering {
                    true => "who lets you into",
                    false => "who will ask you, under `hushwing requests`, into",
                };
                format!("joined {name}, {how} {group}{reserved}")
            }
            _ => format!("joined {}{reserved}", joined.name),
        }
    });
    Ok(())
}

fn from_input() -> Result<String, Error> {
    let mut link = String::new();
    // A link has less than 300 characters; more is a mistake.
    std::io::stdin()
        .take(4_096)
        .read_to_string(&mut link)
        .map_err(|error| {
            Error::new(
                ErrorKind::BadLink,
                format!("standard input holds no link: {error}"),
            )
        })?;
    Ok(link)
}

/// `requests`
pub(super) async fn requests(session: &Session, requests: Requests) -> Result<(), Error> {
    let path = Path::new(["requests"]);
    let waiting: Vec<view::Request> = view(session.client.get(&path).await?)?;
    let Some(action) = requests.action else {
        session.output.result(&waiting, |waiting| {
            if waiting.is_empty() {
                return "nobody waits".into();
            }
            waiting.iter().map(line).collect::<Vec<_>>().join("\n")
        });
        return Ok(());
    };
    let (accepts, typed) = match &action {
        RequestAction::Accept { request } => (true, request),
        RequestAction::Refuse { request } => (false, request),
    };
    let request = meant(&waiting, typed)?;
    let mut kinds = waiting.iter().filter(|one| one.request == request);
    match (kinds.next().map(|one| one.kind.as_str()), accepts) {
        (Some("introduction"), true) => introduction::accept(session, request).await,
        (Some("introduction"), false) => introduction::refuse(session, request).await,
        (Some("group" | "channel"), true) => group::accept(session, request).await,
        (Some("group" | "channel"), false) => group::refuse(session, request).await,
        (_, true) => accept(session, request).await,
        (_, false) => refuse(session, request).await,
    }
}

/// The request a person means: by its number, or by a name that one alone has.
fn meant(waiting: &[view::Request], typed: &str) -> Result<u64, Error> {
    if let Ok(number) = typed.parse() {
        return Ok(number);
    }
    let named: Vec<&view::Request> = waiting.iter().filter(|one| one.name == typed).collect();
    match named.as_slice() {
        [one] => Ok(one.request),
        [] => Err(Error::new(
            ErrorKind::NotFound,
            format!("no request has the number or name {typed}"),
        )
        .with_advice("`hushwing requests` lists who waits")),
        several => {
            let numbers: Vec<String> = several.iter().map(|one| one.request.to_string()).collect();
            let message = format!("{typed} may mean several requests: {}", numbers.join(", "));
            Err(Error::new(ErrorKind::Ambiguous, message)
                .with_advice("`hushwing requests` tells them apart; give the number"))
        }
    }
}

/// A stranger may write.
async fn accept(session: &Session, request: u64) -> Result<(), Error> {
    let path = Path::new(["requests", &request.to_string(), "accept"]);
    let contact: view::Contact = view(session.client.post(&path, &json!({})).await?)?;
    session
        .output
        .result(&contact, |contact| format!("accepted {}", contact.name));
    Ok(())
}

/// A stranger may not.
async fn refuse(session: &Session, request: u64) -> Result<(), Error> {
    let path = Path::new(["requests", &request.to_string(), "refuse"]);
    let refused = session.client.post(&path, &json!({})).await?;
    session
        .output
        .result(&refused, |_| format!("refused {request}"));
    Ok(())
}

fn line(request: &view::Request) -> String {
    if request.kind == "introduction" {
        return introduction::line(request);
    }
    if matches!(request.kind.as_str(), "group" | "channel") {
        return group::offered(request);
    }
    let into = match &request.group {
        Some(group) => format!("  asks to be in {group}"),
        None => String::new(),
    };
    let (number, at, name) = (request.request, &request.received_at, &request.name);
    format!("{number}  {at}  {name}{into}")
}

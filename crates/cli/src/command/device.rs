//! Several devices of one person.

use std::io::{self, Read as _};
use std::time::Duration;

use hushwing_api::device::{Device, Devices, History};
use hushwing_daemon::{Error, ErrorKind};
use serde_json::{Value, json};
use tokio::time::{Instant, sleep};

use super::{Session, picture, setting, view};
use crate::args::{self, DeviceAction, DeviceLink, Past};
use crate::client::Path;

/// Between two looks whether the other device did something.
const LOOK: Duration = Duration::from_millis(250);
/// How long a link is shown to a person, who has to fetch the other device.
const SHOWN: Duration = Duration::from_secs(10 * 60);
/// What a device is called that was given no name, and has none of its own.
const NAMELESS: &str = "computer";

/// `device`
pub(super) async fn run(session: &Session, device: args::Device) -> Result<(), Error> {
    match device.action {
        DeviceAction::Link(asked) => match &asked.link {
            None => show(session, &asked).await,
            Some(link) => {
                let link = given(link)?;
                call(session, &asked, &link).await
            }
        },
        DeviceAction::Confirm { code, history } => confirm(session, &code.concat(), history).await,
        DeviceAction::List => {
            let known = look(session).await?;
            session.output.result(&known, list);
            Ok(())
        }
        DeviceAction::Revoke { name } => {
            let before = look(session).await?;
            let named = |one: &Device| one.name == name || one.device.to_string() == name;
            let parted = before.devices.iter().any(|one| one.parted && named(one));
            let path = Path::new(["devices", &name]);
            let known: Devices = view(session.client.delete(&path).await?)?;
            session.output.result(&known, |_| match parted {
                true => {
                    format!("{name} is not waited for; revoke it on each other device you have")
                }
                false => {
                    format!(
                        "revoking {name}; it reads nothing further once the others, and your \
                         contacts, heard of it"
                    )
                }
            });
            Ok(())
        }
    }
}

/// A link as it was typed, or from standard input, where no other user sees it.
fn given(link: &str) -> Result<String, Error> {
    if link != "-" {
        return Ok(link.to_owned());
    }
    let mut text = String::new();
    let read = io::stdin().lock().take(4_096).read_to_string(&mut text);
    read.map_err(|error| Error::new(ErrorKind::Usage, format!("standard input: {error}")))?;
    Ok(text.trim().to_owned())
}

async fn post(session: &Session, what: &str, body: &Value) -> Result<Devices, Error> {
    let path = Path::new(["devices", what]);
    view(session.client.post(&path, body).await?)
}

async fn look(session: &Session) -> Result<Devices, Error> {
    view(session.client.get(&Path::new(["devices"])).await?)
}

/// Looks until it is as wanted; `None` if that takes too long.
async fn wait(
    session: &Session,
    time: Duration,
    wanted: impl Fn(&Devices) -> bool,
) -> Result<Option<Devices>, Error> {
    let end = Instant::now() + time;
    loop {
        let known = look(session).await?;
        if wanted(&known) {
            return Ok(Some(known));
        }
        if Instant::now() >= end {
            return Ok(None);
        }
        sleep(LOOK).await;
    }
}

/// What this device is called: as asked for, else as the system is.
fn name_of(asked: &DeviceLink) -> String {
    let system = || {
        let name = std::fs::read_to_string("/etc/hostname").ok()?;
        let name = name.trim().to_owned();
        (!name.is_empty()).then_some(name)
    };
    let name = asked.name.clone().or_else(system);
    name.unwrap_or_else(|| NAMELESS.to_owned())
}

/// On the new device.
async fn show(session: &Session, asked: &DeviceLink) -> Result<(), Error> {
    post(session, "show", &json!({ "name": name_of(asked) })).await?;
    let time = Duration::from_secs(asked.timeout);
    let Some(shown) = wait(session, time, |known| known.link.is_some()).await? else {
        return Err(Error::new(
            ErrorKind::Timeout,
            "there is no mailbox to be called at yet",
        )
        .with_advice("`hushwing status` shows the relay; `hushwing device list` the link"));
    };
    let link = shown.link.clone().unwrap_or_default();
    let drawn = match session.output.has_person() {
        true => picture::drawn(&link)?,
        false => String::new(),
    };
    session.output.result(&shown, |_| format!("{drawn}{link}"));
    session.output.note(
        "on a device you have: `hushwing device link LINK`; the link works once, for ten minutes",
    );
    match session.output.has_person() {
        true => attend(session).await,
        false => Ok(()),
    }
}

/// Shows the person at the new device the code, and what became of it.
async fn attend(session: &Session) -> Result<(), Error> {
    let called = |known: &Devices| known.code.is_some() || known.state != "waiting";
    let Some(called) = wait(session, SHOWN, called).await? else {
        return Err(Error::new(ErrorKind::Timeout, "nobody used the link")
            .with_advice("show another by `hushwing device link`"));
    };
    if let Some(code) = &called.code {
        session.output.note(&format!(
            "{}\ncode {code}: compare it with the other device, and confirm it there",
            claim(&called)
        ));
    }
    if let Some(code) = called.code.as_ref().filter(|_| called.asks_here) {
        let question = format!("Does the other device show {code}? (yes/no) ");
        let yes = setting::answer_to(&question);
        if !yes.is_some_and(|yes| matches!(yes.as_str(), "y" | "yes")) {
            return Err(not_let_in());
        }
        post(session, "confirm", &json!({ "code": code })).await?;
    }
    let in_or_over = |known: &Devices| known.state != "waiting";
    match wait(session, SHOWN, in_or_over).await? {
        Some(known) if known.state == "linked" => {
            session.output.note("linked; your groups come before long");
            Ok(())
        }
        Some(_) => Err(Error::new(ErrorKind::LinkExpired, "the link is over")
            .with_advice("show another by `hushwing device link`")),
        None => Err(Error::new(ErrorKind::Timeout, "nobody confirmed the code")
            .with_advice("confirm it on the other device; `hushwing device list` shows it")),
    }
}

/// On a device there is.
async fn call(session: &Session, asked: &DeviceLink, link: &str) -> Result<(), Error> {
    let body = json!({ "link": link, "name": name_of(asked) });
    post(session, "link", &body).await?;
    let time = Duration::from_secs(asked.timeout);
    let Some(answered) = wait(session, time, |known| known.code.is_some()).await? else {
        return Err(
            Error::new(ErrorKind::Timeout, "the new device did not answer yet").with_advice(
                "see that it is on and shows this link, which works once and for ten minutes: if \
                 it is used up, show another; `hushwing device list` shows the code",
            ),
        );
    };
    let code = answered.code.clone().unwrap_or_default();
    let newcomer = answered.newcomer.clone().unwrap_or_default();
    let past = asked.history.unwrap_or(Past::All);
    if session.output.has_person() {
        session.output.note(&claim(&answered));
        session.output.note(&handed(past));
        let question = format!("Does {newcomer} show {code}? (yes/no) ");
        let yes = setting::answer_to(&question);
        return match yes.is_some_and(|yes| matches!(yes.as_str(), "y" | "yes")) {
            true => confirm(session, &code, past).await,
            false => Err(not_let_in()),
        };
    }
    session.output.result(&answered, |_| {
        let option = match past {
            Past::All => String::new(),
            Past::Days(days) => format!(" --history {days}"),
        };
        let confirm = format!("`hushwing device confirm CODE{option}`");
        let asks = format!("{newcomer} shows {code}? {confirm} lets it in");
        format!("{}\n{}\n{asks}", claim(&answered), handed(past))
    });
    Ok(())
}

/// What the other side says of itself, which nothing but the code proves.
fn claim(known: &Devices) -> String {
    let profile = known.profile.as_deref().unwrap_or("?");
    match (&known.newcomer, &known.replaces) {
        (None, _) => format!("this becomes a device of the profile {profile}, as that says"),
        (Some(name), None) => format!("{name} is of the profile {profile}, as it says"),
        (Some(name), Some(before)) => format!(
            "{name} is of the profile {profile}, as it says, and was put back from a backup: it \
             takes the place of {before}, which is revoked"
        ),
    }
}

/// What the new device will be handed, told before it is let in.
fn handed(past: Past) -> String {
    let what = match past {
        Past::All => "all that was said in your groups and conversations".to_owned(),
        Past::Days(0) => "nothing of what was said before".to_owned(),
        Past::Days(1) => "what was said in the last day".to_owned(),
        Past::Days(days) => format!("what was said in the last {days} days"),
    };
    format!("it is handed {what}; --history all, none or DAYS says otherwise")
}

fn not_let_in() -> Error {
    Error::new(ErrorKind::Mismatch, "not let in").with_advice(
        "if the two codes differ, somebody stands between the devices: show another link",
    )
}

async fn confirm(session: &Session, code: &str, history: Past) -> Result<(), Error> {
    let body = json!({ "code": code, "history_days": history.days() });
    let known = post(session, "confirm", &body).await?;
    session
        .output
        .result(&known, |_| "let in; `hushwing device list` shows it".into());
    Ok(())
}

fn list(known: &Devices) -> String {
    let mut lines: Vec<String> = match known.state.as_str() {
        "alone" => vec!["this is your only device: `hushwing device link` on a new one".into()],
        "restored" => restored(known),
        "out" => vec![
            "this device was revoked by another of yours: what it has can be read here, and \
             nothing it says reaches anybody; link a new profile to go on with it"
                .into(),
        ],
        "broken" => vec!["the devices cannot be told of here any more".into()],
        _ => known.devices.iter().map(line).collect(),
    };
    lines.extend(known.history.iter().map(history));
    lines.extend(known.link.iter().map(|link| format!("link  {link}")));
    lines.extend(known.code.iter().map(|_| claim(known)));
    lines.extend(known.code.iter().map(|code| match &known.newcomer {
        Some(name) => format!("{name} shows {code}? `hushwing device confirm CODE` lets it in"),
        None if known.asks_here => format!(
            "code {code}: compare it with the other device; `hushwing device confirm CODE` here too"
        ),
        None => format!("code {code}: compare it with the other device"),
    }));
    lines.join("\n")
}

/// How far this device is with what was said before it came.
fn history(history: &History) -> String {
    let taken = history.taken;
    match history.open {
        _ if history.cut => {
            format!("history: {taken} messages; no device is left that has the rest")
        }
        0 => format!("history: {taken} messages, all that is handed over"),
        1 => format!("history: {taken} messages so far; more of one conversation may come"),
        open => format!("history: {taken} messages so far; more of {open} conversations may come"),
    }
}

/// What there is to do after a backup was put back.
fn restored(known: &Devices) -> Vec<String> {
    let head = "put back from a backup; its other devices are not linked with it any more:";
    let tail = "to be one of them again: `hushwing device link` here, and the link on one of those\n\
                `hushwing device revoke NAME` for each that you have no more";
    let devices = known.devices.iter().map(line);
    let lines = [head.to_owned()].into_iter().chain(devices);
    lines.chain([tail.to_owned()]).collect()
}

fn line(device: &Device) -> String {
    let note = match (device.me, device.reachable) {
        (true, _) => " (this one)",
        _ if device.parted => " (before the backup)",
        (false, true) => "",
        (false, false) => " (not heard of yet)",
    };
    format!("{}  {}{note}", device.device, device.name)
}

/// An event as a line of `watch`.
pub(super) fn changed(known: &Devices) -> String {
    let names: Vec<&str> = known.devices.iter().map(|one| one.name.as_str()).collect();
    format!("devices  {}  [{}]", names.join(", "), known.state)
}

//! Profiles and settings.

use std::io::{self, Write as _};

use hushwing_api::backup::Secret;
use hushwing_api::hidden::{HideBody, Opened, SlotBody};
use hushwing_daemon::{Error, ErrorKind, view};
use serde_json::{Value, json};

use super::daemon::profile_named;
use super::{Session, passphrase, view};
use crate::args::{Config, Profile};
use crate::client::{Client, Path};

/// `profile create|hide|set|show|list|delete`
pub(super) async fn profile(session: &Session, profile: Profile) -> Result<(), Error> {
    let path = Path::new(["profiles"]);
    match profile {
        Profile::Create {
            name,
            hidden: true,
            slot,
        } => hide(session, name, slot).await?,
        Profile::Create { name, .. } => {
            let made: view::Profile =
                view(session.client.post(&path, &json!({ "name": name })).await?)?;
            session
                .output
                .result(&made, |made| format!("created {}", made.profile));
        }
        Profile::Hide { name, slot } => hide_existing(session, name, slot).await?,
        Profile::Set(change) => super::profile::set(session, change).await?,
        Profile::Show { out } => super::profile::show(session, out.as_deref()).await?,
        Profile::List => {
            let profiles: Vec<view::Profile> = view(session.client.get(&path).await?)?;
            session.output.result(&profiles, |profiles| {
                profiles
                    .iter()
                    .map(|profile| {
                        let mark = if profile.default { "  default" } else { "" };
                        format!("{}{mark}", profile_named(profile))
                    })
                    .collect::<Vec<_>>()
                    .join("\n")
            });
        }
        Profile::Delete { name, yes } => {
            let path = Path::new(["profiles", &name]);
            let question = "Its contacts, conversations and keys will be gone for good, and \
                nobody is told. Type its name to delete it: ";
            if session.output.has_person() && !yes && !means(question, &name) {
                return Err(Error::new(ErrorKind::Usage, "nothing was deleted")
                    .with_advice("type the profile's name to delete it, or use `--yes`"));
            }
            let owner = Client::new(session.home.clone(), Some(name.clone()), None);
            let left = owner.delete(&path).await?;
            session.output.result(&left, |_| format!("deleted {name}"));
        }
    }
    Ok(())
}

/// `profile create --hidden`
async fn hide(session: &Session, name: String, slot: Option<u8>) -> Result<(), Error> {
    let body = HideBody {
        name,
        passphrase: Secret::new(&passphrase::for_hidden()?),
        slot,
    };
    let path = Path::new(["profiles", "hidden"]);
    let made: Opened = view(session.client.post(&path, &body).await?)?;
    tell_hidden(session, &made.profile);
    Ok(())
}

/// `profile hide`
async fn hide_existing(session: &Session, name: String, slot: Option<u8>) -> Result<(), Error> {
    let body = SlotBody {
        passphrase: Secret::new(&passphrase::for_hidden()?),
        slot,
    };
    let path = Path::new(["profiles", &name, "hide"]);
    let made: Opened = view(session.client.post(&path, &body).await?)?;
    tell_hidden(session, &made.profile);
    Ok(())
}

fn tell_hidden(session: &Session, name: &str) {
    let made = json!({ "profile": name, "hidden": true });
    session.output.result(&made, |_| {
        format!(
            "hidden; act as it with `--profile {name}` and its passphrase, which nobody can reset"
        )
    });
}

/// Asks the person at the terminal to type the name of what will be gone.
pub(super) fn means(question: &str, name: &str) -> bool {
    answer_to(question).as_deref() == Some(name)
}

/// Asks the person at the terminal what their first profile shall be called.
pub(super) fn ask_name() -> Option<String> {
    answer_to("There is no profile yet. By what name shall your contacts know you? ")
}

/// What a person types; `None` for nothing.
pub(super) fn answer_to(question: &str) -> Option<String> {
    let mut err = io::stderr().lock();
    err.write_all(question.as_bytes())
        .and_then(|()| err.flush())
        .ok()?;
    let mut answer = String::new();
    io::stdin().read_line(&mut answer).ok()?;
    let answer = answer.trim();
    (!answer.is_empty()).then(|| answer.to_owned())
}

/// `config get|set`
pub(super) async fn config(session: &Session, config: Config) -> Result<(), Error> {
    let settings: Value = match config {
        Config::Get { key: None } => session.client.get(&Path::new(["config"])).await?,
        Config::Get { key: Some(key) } => session.client.get(&Path::new(["config", &key])).await?,
        Config::Set { key, value } => {
            session
                .client
                .post(&Path::new(["config", &key]), &json!({ "value": value }))
                .await?
        }
    };
    session.output.result(&settings, |settings| match settings {
        Value::Object(settings) => settings
            .iter()
            .map(|(key, value)| format!("{key} = {}", plain(value)))
            .collect::<Vec<_>>()
            .join("\n"),
        other => plain(other),
    });
    Ok(())
}

/// A switch is on or off, whichever way it was given.
fn plain(value: &Value) -> String {
    match value {
        Value::Bool(true) => "on".to_owned(),
        Value::Bool(false) => "off".to_owned(),
        Value::String(text) => text.clone(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_switch_is_shown_as_on_or_off() {
        assert_eq!(
            [json!(true), json!(false)].map(|value| plain(&value)),
            ["on", "off"]
        );
    }
}

//! Contacts: list, verify, rename, rotate.

use hushwing_daemon::{Error, view};
use serde_json::json;

use super::picture::{self, Picture};
use super::{Session, shown, view};
use crate::args::{Rename, Rotate, Verify};
use crate::client::Path;

/// `contacts`
pub(super) async fn list(session: &Session) -> Result<(), Error> {
    let contacts: Vec<view::Contact> = view(session.client.get(&Path::new(["contacts"])).await?)?;
    session.output.result(&contacts, |contacts| {
        if contacts.is_empty() {
            return "nobody yet: `hushwing invite` makes a link, `hushwing join LINK` opens one"
                .into();
        }
        contacts
            .iter()
            .map(shown::contact)
            .collect::<Vec<_>>()
            .join("\n")
    });
    Ok(())
}

/// `verify`
pub(super) async fn verify(session: &Session, verify: Verify) -> Result<(), Error> {
    let path = Path::new(["contacts", &verify.name, "safety"]);
    let given = match &verify.image {
        Some(file) => Some(picture::safety_code_in(file)?),
        // An empty number is compared too, and is wrong: a script whose variable
        // is not set must not take the showing of a number for a comparison.
        None => (!verify.number.is_empty()).then(|| verify.number.join(" ")),
    };
    let safety = match given {
        None => session.client.get(&path).await?,
        Some(number) => {
            let body = json!({ "number": number });
            session.client.post(&path, &body).await?
        }
    };
    let safety: view::Safety = view(safety)?;
    if let Some(file) = &verify.png {
        Picture::open(file)?.write(&safety.code)?;
    }
    let drawn = match verify.qr {
        true => picture::drawn(&safety.code)?,
        false => String::new(),
    };
    session.output.result(&safety, |safety| {
        format!("{drawn}{}", shown::safety(safety, verify.qr))
    });
    Ok(())
}

/// `rename`
pub(super) async fn rename(session: &Session, rename: Rename) -> Result<(), Error> {
    let path = Path::new(["contacts", &rename.name, "name"]);
    let contact: view::Contact = view(
        session
            .client
            .post(&path, &json!({ "name": rename.new_name }))
            .await?,
    )?;
    session.output.result(&contact, shown::contact);
    Ok(())
}

/// `rotate`
pub(super) async fn rotate(session: &Session, rotate: Rotate) -> Result<(), Error> {
    let path = Path::new(["conversations", &rotate.name, "rotate"]);
    let rotation: view::Rotation = view(session.client.post(&path, &json!({})).await?)?;
    session.output.result(&rotation, |rotation| {
        let (mailboxes, keys) = (become_of(rotation), keys_of(rotation));
        format!("{}: {mailboxes}; {keys}", rotation.name)
    });
    Ok(())
}

fn become_of(rotation: &view::Rotation) -> String {
    let stay = match (rotation.mailboxes_are.as_str(), rotation.mailboxes) {
        ("replaced", 1) => return "1 mailbox is being replaced".to_owned(),
        ("replaced", more) => return format!("{more} mailboxes are being replaced"),
        ("awaited", _) => "mailboxes are replaced once a server makes new ones",
        ("fresh", _) => "mailboxes stay, as the last were replaced within a day",
        ("staying", _) => "mailboxes stay, in a group this large",
        ("missing", _) => "no mailbox is there yet",
        _ => "mailboxes are being replaced already",
    };
    stay.to_owned()
}

fn keys_of(rotation: &view::Rotation) -> &'static str {
    match rotation.keys.as_str() {
        "renewed" => "keys renewed",
        "soon" => "keys follow once a server has answered",
        "after_others" => {
            "keys follow once others have made some changes in the group, which may be long"
        }
        "alone" => "no keys, as nobody else is there",
        _ => "keys follow when it is your turn",
    }
}

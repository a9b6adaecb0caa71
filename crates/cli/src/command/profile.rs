//! How I am shown to contacts, and they to me.

use std::fs::File;
use std::io::Read as _;
use std::path::Path as FilePath;

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hushwing_api::profile::{MyProfile, Picture, ProfileBody};
use hushwing_daemon::{Error, ErrorKind, view};
use hushwing_portrait::{MAX_FILE, Portrait};
use serde_json::json;

use super::conversation::write_new;
use super::{Session, shown, view};
use crate::args::ProfileChange;
use crate::client::Path;

/// `profile set`
pub(super) async fn set(session: &Session, change: ProfileChange) -> Result<(), Error> {
    let body = ProfileBody {
        avatar: change.avatar.as_deref().map(small).transpose()?,
        no_avatar: change.no_avatar,
        name: change.name,
        status: change.status,
        no_status: change.no_status,
    };
    let path = Path::new(["profile"]);
    let mine: MyProfile = view(session.client.post(&path, &body).await?)?;
    session.output.result(&mine, |mine| {
        format!(
            "{}\nyour contacts are told; links show the name alone",
            described(mine)
        )
    });
    Ok(())
}

/// `profile show`
pub(super) async fn show(session: &Session, out: Option<&FilePath>) -> Result<(), Error> {
    let mine: MyProfile = view(session.client.get(&Path::new(["profile"])).await?)?;
    if let Some(file) = out {
        let Some(picture) = &mine.avatar else {
            return Err(Error::new(ErrorKind::NotFound, "no picture")
                .with_advice("`hushwing profile set --avatar FILE` shows one"));
        };
        save(picture, file)?;
    }
    session.output.result(&mine, described);
    Ok(())
}

/// `contacts avatar`
pub(super) async fn avatar(session: &Session, name: &str, out: &FilePath) -> Result<(), Error> {
    write(session, &Path::new(["contacts", name, "avatar"]), out).await
}

/// Writes a picture that the daemon has to a new file.
pub(super) async fn write(session: &Session, path: &Path, out: &FilePath) -> Result<(), Error> {
    let picture: Picture = view(session.client.get(path).await?)?;
    save(&picture, out)?;
    let written = json!({ "avatar": out.display().to_string(), "media_type": picture.media_type });
    session
        .output
        .result(&written, |_| format!("written to {}", out.display()));
    Ok(())
}

/// `contacts info`
pub(super) async fn info(session: &Session, name: &str) -> Result<(), Error> {
    let path = Path::new(["contacts", name]);
    let contact: view::Contact = view(session.client.get(&path).await?)?;
    session.output.result(&contact, |contact| {
        let mut lines = vec![shown::contact(contact)];
        for former in &contact.former_names {
            let (name, until) = (&former.name, &former.until);
            lines.push(format!("          called themselves {name} until {until}"));
        }
        if contact.avatar.is_some() {
            lines.push(format!(
                "          shows a picture: `hushwing contacts avatar {} --out FILE`",
                contact.short
            ));
        }
        lines.join("\n")
    });
    Ok(())
}

fn described(mine: &MyProfile) -> String {
    let status = match &mine.status {
        Some(status) => format!("  “{status}”"),
        None => String::new(),
    };
    let picture = match mine.avatar {
        Some(_) => "  with a picture",
        None => "",
    };
    format!("{}{status}{picture}", mine.name)
}

/// A photograph as the daemon takes it. It makes it smaller still; here nothing but its
/// size is lost, and what the camera wrote.
pub(super) fn small(file: &FilePath) -> Result<String, Error> {
    let cannot = |problem: String| {
        let message = format!("{}: {problem}", file.display());
        Error::new(ErrorKind::BadFile, message).with_advice("choose a JPEG, PNG or WebP picture")
    };
    let mut bytes = Vec::new();
    // One byte more than allowed, which even an endless device gives.
    let most = u64::try_from(MAX_FILE).unwrap_or(u64::MAX);
    File::open(file)
        .and_then(|file| file.take(most.saturating_add(1)).read_to_end(&mut bytes))
        .map_err(|error| cannot(error.to_string()))?;
    let made = Portrait::of(&bytes).and_then(|portrait| portrait.png());
    let made = made.map_err(|error| cannot(error.to_string()))?;
    Ok(STANDARD.encode(made))
}

fn save(picture: &Picture, file: &FilePath) -> Result<(), Error> {
    let bytes = STANDARD
        .decode(&picture.picture)
        .map_err(|_| Error::new(ErrorKind::Protocol, "the daemon's answer holds no picture"))?;
    write_new(file, &bytes)
}

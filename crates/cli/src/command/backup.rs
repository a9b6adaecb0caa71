//! Backups of a profile.

use std::io::{self, IsTerminal};
use std::path::Path as FilePath;

use hushwing_api::backup::{BackedUp, BackupBody, RestoreBody, Restored, Secret};
use hushwing_daemon::{Error, ErrorKind};

use super::passphrase::{self, Typed};
use super::{Session, view};
use crate::args::{Backup, Restore};
use crate::client::Path;

/// `backup`
pub(super) async fn back_up(session: &Session, asked: Backup) -> Result<(), Error> {
    let file = absolute(&asked.file)?;
    let passphrase = if asked.code { None } else { chosen()? };
    let body = BackupBody {
        file,
        force: asked.force,
        passphrase: passphrase.map(|typed| Secret::new(&typed)),
    };
    let path = Path::new(["backups"]);
    let made: BackedUp = view(session.client.post(&path, &body).await?)?;
    session.output.result(&made, told);
    Ok(())
}

/// `restore`
pub(super) async fn restore(session: &Session, asked: Restore) -> Result<(), Error> {
    let secret = match passphrase::of_backup() {
        Some(given) => given,
        None => passphrase::ask("Passphrase or recovery code")?,
    };
    let body = RestoreBody {
        file: absolute(&asked.file)?,
        secret: Secret::new(&secret),
        name: asked.name,
    };
    let path = Path::new(["restores"]);
    let restored: Restored = view(session.client.post(&path, &body).await?)?;
    session.output.result(&restored, |restored| {
        let name = &restored.profile;
        let contacts = match restored.contacts {
            1 => "one contact".to_owned(),
            many => format!("{many} contacts"),
        };
        format!(
            "{name} is back, with {contacts}; conversations begin anew by themselves, each as \
             soon as its contact can be reached"
        )
    });
    if !restored.groups.is_empty() {
        let groups = restored.groups.join(", ");
        let goes_on = match restored.devices.is_empty() {
            true => {
                "each goes on once the steward who asked you in was online, and its members see \
                 you come back as another device"
            }
            false => {
                "each goes on once this is linked again with a device that is in it; one that you \
                 did not found also once the steward who asked you in was online, and then as \
                 another member than your other devices: link first"
            }
        };
        session.output.note(&format!(
            "groups that were restored too: {groups}; {goes_on}; what was said there meanwhile \
             is with its members"
        ));
    }
    if !restored.devices.is_empty() {
        let devices = restored.devices.join(", ");
        session.output.note(&format!(
            "it was linked with {devices}: `hushwing device link` here, and the link it shows \
             there, makes it one of your devices again and brings it back into your groups; \
             `hushwing device revoke NAME` here for each that you have no more"
        ));
    }
    session.output.note(
        "one-time links made before the backup can be used no more: `hushwing invite --list` names them",
    );
    Ok(())
}

fn told(made: &BackedUp) -> String {
    let mut text = format!("{} is in {}, {} bytes", made.profile, made.file, made.bytes);
    match &made.recovery_code {
        Some(code) => text.push_str(&format!(
            "\nrecovery code  {}\nwrite it down, it is not shown again; whoever has it and the \
             file can read everything, without it nobody can",
            code.reveal()
        )),
        None => text.push_str(
            "\nwhoever has the passphrase and the file can read everything, without it nobody can",
        ),
    }
    text
}

/// A passphrase, typed twice on a terminal; `None` for an empty one.
fn chosen() -> Result<Option<Typed>, Error> {
    if let Some(given) = passphrase::of_backup() {
        return Ok(Some(given));
    }
    let on_terminal = io::stdin().is_terminal();
    let prompt = match on_terminal {
        true => "Passphrase for this backup (none: a recovery code is made)",
        false => "Passphrase for this backup",
    };
    let Some(typed) = passphrase::ask_for(prompt)?.filter(|typed| !typed.is_empty()) else {
        return Ok(None);
    };
    if on_terminal && passphrase::ask_for("Once more")?.as_ref() != Some(&typed) {
        return Err(Error::new(ErrorKind::Usage, "the two differ")
            .with_advice("nothing was written; try again"));
    }
    Ok(Some(typed))
}

/// The path as the daemon, which was started elsewhere, understands it.
fn absolute(file: &FilePath) -> Result<String, Error> {
    let whole =
        std::path::absolute(file).map_err(|error| Error::system("find the file", file, &error))?;
    whole.into_os_string().into_string().map_err(|_| {
        Error::new(ErrorKind::Usage, "the file's path is no UTF-8")
            .with_advice("choose another name or folder")
    })
}

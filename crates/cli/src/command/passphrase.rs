//! Protecting an installation by a passphrase.

use std::io::{self, BufRead, IsTerminal};
use std::process::ExitCode;

use hushwing_daemon::{Error, ErrorKind, Home, Passphrase, passphrase};
use serde_json::json;
use zeroize::Zeroizing;

use super::{Session, daemon};
use crate::args::Passphrase as Action;

/// A passphrase as typed; wiped when dropped.
pub(crate) type Typed = Zeroizing<String>;

/// `passphrase set|clear|lock`
pub(super) async fn run(session: &Session, action: Action) -> Result<ExitCode, Error> {
    match action {
        Action::Set => set(session)?,
        Action::Clear => {
            let old = ask("Passphrase")?;
            passphrase::clear(&session.home, &secret(&old))?;
            session.output.result(&json!({ "passphrase": false }), |_| {
                "no passphrase any more".into()
            });
        }
        Action::Lock => lock(session).await?,
    }
    Ok(ExitCode::SUCCESS)
}

fn set(session: &Session) -> Result<(), Error> {
    let old = match passphrase::is_set(&session.home)? {
        true => Some(ask("Old passphrase")?),
        false => None,
    };
    let new = ask("New passphrase")?;
    if io::stdin().is_terminal() && ask("Once more")? != new {
        return Err(Error::new(ErrorKind::Usage, "the two differ")
            .with_advice("nothing was changed; try again"));
    }
    passphrase::set(
        &session.home,
        old.as_ref().map(secret).as_ref(),
        &secret(&new),
    )?;
    session.output.result(&json!({ "passphrase": true }), |_| {
        "set; without it this installation cannot be read, and nobody can reset it".into()
    });
    Ok(())
}

/// The key is in the daemon's memory only, so stopping it forgets the key.
async fn lock(session: &Session) -> Result<(), Error> {
    if !passphrase::is_set(&session.home)? {
        return Err(Error::new(ErrorKind::Usage, "no passphrase is set")
            .with_advice("`hushwing passphrase set` sets one"));
    }
    match daemon::stop(session).await {
        Err(error) if !daemon::is_off(error.kind()) => return Err(error),
        // Locked already, or now.
        _ => session.output.result(&json!({ "locked": true }), |_| {
            "locked: `hushwing up` asks for the passphrase and unlocks it".into()
        }),
    }
    Ok(())
}

/// What was typed, as the key file takes it.
pub(super) fn secret(typed: &Typed) -> Passphrase {
    Passphrase::new(typed.as_str().to_owned())
}

/// The passphrase a daemon on `home` needs, asked for where it is set.
pub(super) fn needed(home: &Home) -> Result<Option<Typed>, Error> {
    if passphrase::is_set(home)? {
        given(OF_HOME)
            .map_or_else(|| ask("Passphrase"), Ok)
            .map(Some)
    } else {
        Ok(None)
    }
}

/// Where the passphrase of a hidden profile may stand.
const OF_HIDDEN: &str = "HUSHWING_PASSPHRASE";
/// Where that of the home may.
const OF_HOME: &str = "HUSHWING_HOME_PASSPHRASE";
/// Where that of a backup, or its recovery code, may.
const OF_BACKUP: &str = "HUSHWING_BACKUP_PASSPHRASE";
/// All of them: no other program is to be given any.
pub(super) const VARIABLES: [&str; 3] = [OF_HIDDEN, OF_HOME, OF_BACKUP];

/// The passphrase of the hidden profile to act as: from the environment, else from
/// a person at the terminal. Never from standard input, which may be a message.
pub(crate) fn of_hidden() -> Result<Option<Typed>, Error> {
    if let Some(given) = given(OF_HIDDEN) {
        return Ok(Some(given));
    }
    if !io::stdin().is_terminal() {
        return Ok(None);
    }
    let typed = ask_for("Passphrase of the hidden profile, if it is one")?;
    Ok(typed.filter(|typed| !typed.is_empty()))
}

/// The passphrase of a hidden profile to be made, typed twice on a terminal.
pub(super) fn for_hidden() -> Result<Typed, Error> {
    if let Some(given) = given(OF_HIDDEN) {
        return Ok(given);
    }
    let new = ask("Passphrase of the hidden profile")?;
    if io::stdin().is_terminal() && ask("Once more")? != new {
        return Err(Error::new(ErrorKind::Usage, "the two differ")
            .with_advice("nothing was changed; try again"));
    }
    Ok(new)
}

/// The passphrase of a backup, where no person is to type it.
pub(super) fn of_backup() -> Option<Typed> {
    given(OF_BACKUP)
}

fn given(variable: &str) -> Option<Typed> {
    let given = std::env::var(variable).ok().map(Typed::new);
    given.filter(|given| !given.is_empty())
}

/// Asks for what cannot be done without.
pub(super) fn ask(prompt: &str) -> Result<Typed, Error> {
    ask_for(prompt)?.ok_or_else(|| none_given(&io::ErrorKind::UnexpectedEof.into()))
}

/// Asks on the terminal without showing what is typed, else reads a line; `None`
/// where there is none.
pub(super) fn ask_for(prompt: &str) -> Result<Option<Typed>, Error> {
    let text = if io::stdin().is_terminal() {
        rpassword::prompt_password(format!("{prompt}: ")).map(Some)
    } else {
        let mut line = String::new();
        let read = io::stdin().lock().read_line(&mut line);
        read.map(|read| (read > 0).then(|| line.trim_end_matches(['\r', '\n']).to_owned()))
    };
    text.map(|text| text.map(Typed::new))
        .map_err(|error| none_given(&error))
}

fn none_given(error: &io::Error) -> Error {
    Error::new(
        ErrorKind::WrongPassphrase,
        format!("no passphrase was given: {error}"),
    )
    .with_advice("give the passphrase on the terminal or on standard input")
}

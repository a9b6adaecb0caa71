//! Contacts: who they are, and whether they are who they seem.

use hushwing_conversation::view::ContactView;
use hushwing_conversation::{Command, Reply, Standing};

use super::{Handle, identity, show};
use crate::api::view;
use crate::error::{Error, ErrorKind};
use crate::profile::{Profile, unexpected};

impl Handle {
    /// Everybody I can write to or soon shall.
    pub async fn contacts(&self, profile: Option<&str>) -> Result<Vec<view::Contact>, Error> {
        let profile = self.profile(profile)?;
        match profile.ask(Command::Contacts).await? {
            Reply::Contacts(contacts) => {
                let known = profile.contacts();
                let shown = contacts.iter().map(|one| show::contact(one, &known));
                Ok(shown.collect())
            }
            _ => Err(unexpected()),
        }
    }

    /// One of them.
    pub async fn contact(&self, profile: Option<&str>, name: &str) -> Result<view::Contact, Error> {
        let profile = self.profile(profile)?;
        let contact = find(&profile, name)?;
        Ok(show::contact(&contact, &profile.contacts()))
    }

    /// The number to compare with a contact.
    pub async fn safety(&self, profile: Option<&str>, name: &str) -> Result<view::Safety, Error> {
        let profile = self.profile(profile)?;
        let contact = find(&profile, name)?;
        match profile
            .ask(Command::SafetyNumber {
                contact: contact.contact,
            })
            .await?
        {
            Reply::SafetyNumber {
                number,
                code,
                verified,
            } => {
                // Asking may have shown that the number is another one now.
                let known = find(&profile, &show::contact_id(&contact))?.identity;
                Ok(view::Safety {
                    name: contact.name,
                    safety_number: number,
                    code,
                    verified,
                    verified_at: known.verified.map(|(at, _)| show::time(at)),
                    verified_by: known.verified.map(|(_, how)| identity::how(how).to_owned()),
                    withdrawn_at: known.withdrawn.map(show::time),
                })
            }
            _ => Err(unexpected()),
        }
    }

    /// Compares the number somebody read out, or the code on their screen, and
    /// marks the contact verified if it is theirs. It may be done again at any
    /// time.
    pub async fn verify(
        &self,
        profile: Option<&str>,
        name: &str,
        number: String,
    ) -> Result<view::Safety, Error> {
        let running = self.profile(profile)?;
        let found = find(&running, name)?;
        let contact = found.contact;
        match running.ask(Command::Verify { contact, number }).await {
            Ok(Reply::Contact(_)) => self.safety(profile, &show::contact_id(&found)).await,
            Ok(_) => Err(unexpected()),
            Err(error) if error.kind() == ErrorKind::Mismatch => {
                let now = find(&running, &show::contact_id(&found)).unwrap_or(found);
                Err(identity::mismatch(error, &now))
            }
            Err(error) => Err(error),
        }
    }

    /// Shows a contact under another name.
    pub async fn rename(
        &self,
        profile: Option<&str>,
        name: &str,
        new_name: &str,
    ) -> Result<view::Contact, Error> {
        let profile = self.profile(profile)?;
        let contact = find(&profile, name)?.contact;
        match profile
            .ask(Command::Rename {
                contact,
                name: new_name.to_owned(),
            })
            .await?
        {
            Reply::Contact(contact) => Ok(show::contact(&contact, &profile.contacts())),
            _ => Err(unexpected()),
        }
    }
}

/// The contact a person means: by shown name, or by id or its beginning, eight
/// digits at least. Contacts choose their names themselves, so a name that looks
/// like somebody else's id is ambiguous, never that somebody; and since ids are
/// random and known to nobody else, no stranger can choose such a name. Numbers
/// name requests only, and requests are nobody to write to.
pub(super) fn find(profile: &Profile, name: &str) -> Result<ContactView, Error> {
    let known = profile.contacts();
    let (requests, contacts): (Vec<_>, Vec<_>) = known
        .iter()
        .partition(|contact| contact.standing == Standing::Requested);
    let meant: Vec<&ContactView> = contacts
        .into_iter()
        .filter(|contact| contact.name == name || is_id_of(name, contact))
        .collect();
    match meant.as_slice() {
        [one] => Ok((*one).clone()),
        [] => Err(nobody(name, &requests)),
        several => {
            let candidates: Vec<String> = several
                .iter()
                .map(|one| format!("{} ({})", show::short_contact_id(one, &known), one.name))
                .collect();
            Err(ambiguous(name, "contacts", &candidates))
        }
    }
}

fn is_id_of(text: &str, contact: &ContactView) -> bool {
    text.len() >= show::FEWEST_DIGITS
        && show::contact_id(contact).starts_with(&text.to_ascii_lowercase())
}

fn nobody(name: &str, requests: &[&ContactView]) -> Error {
    let error = Error::new(ErrorKind::NotFound, format!("nobody is called {name}"));
    let asks = |one: &&&ContactView| one.name == name || one.contact.0.to_string() == name;
    match requests.iter().find(asks) {
        Some(request) => error.with_advice(format!(
            "somebody of that name or number waits: `hushwing requests accept {}`",
            request.contact.0
        )),
        None => error,
    }
}

/// Nothing of that kind has that name.
pub(super) fn nobody_named(kind: &str, name: &str) -> Error {
    let error = Error::new(ErrorKind::NotFound, format!("no {kind} is called {name}"));
    error.with_advice(match kind {
        "group" => "`hushwing group list` shows your groups",
        "list" => "`hushwing list list` shows your lists",
        "reader" => "`hushwing channel info NAME` shows who reads it",
        _ => "`hushwing group info NAME` shows who is in it",
    })
}

/// What was typed may mean several; each candidate begins with what to type
/// instead.
pub(super) fn ambiguous(typed: &str, what: &str, candidates: &[String]) -> Error {
    Error::new(
        ErrorKind::Ambiguous,
        format!("{typed} may mean several {what}: {}", candidates.join(", ")),
    )
}

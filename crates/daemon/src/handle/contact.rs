//! Contacts: who they are, and whether they are who they seem.

use hushwing_conversation::view::ContactView;
use hushwing_conversation::{Command, Reply, Standing};

use super::{Handle, show};
use crate::api::view;
use crate::error::{Error, ErrorKind};
use crate::profile::{Profile, unexpected};

/// Twelve groups of five.
const SAFETY_DIGITS: usize = 60;

impl Handle {
    /// Everybody I can write to or soon shall.
    pub async fn contacts(&self, profile: Option<&str>) -> Result<Vec<view::Contact>, Error> {
        let profile = self.profile(profile)?;
        match profile.ask(Command::Contacts).await? {
            Reply::Contacts(contacts) => Ok(contacts.iter().map(show::contact).collect()),
            _ => Err(unexpected()),
        }
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
            Reply::SafetyNumber { number, verified } => Ok(view::Safety {
                name: contact.name,
                safety_number: number,
                verified,
            }),
            _ => Err(unexpected()),
        }
    }

    /// Compares the number somebody read out, and marks the contact verified if
    /// it is theirs.
    pub async fn verify(
        &self,
        profile: Option<&str>,
        name: &str,
        number: String,
    ) -> Result<view::Safety, Error> {
        let running = self.profile(profile)?;
        let contact = find(&running, name)?.contact;
        let digits = number.chars().filter(char::is_ascii_digit).count();
        if digits != SAFETY_DIGITS {
            let message = format!("a safety number has {SAFETY_DIGITS} digits, this has {digits}");
            return Err(Error::new(ErrorKind::Usage, message)
                .with_advice("have them read all of theirs to you"));
        }
        match running.ask(Command::Verify { contact, number }).await? {
            Reply::Contact(_) => self.safety(profile, &contact.0.to_string()).await,
            _ => Err(unexpected()),
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
            Reply::Contact(contact) => Ok(show::contact(&contact)),
            _ => Err(unexpected()),
        }
    }
}

/// The contact a person means, by shown name, by conversation id or by the
/// number `contacts` shows. Contacts choose their names themselves, so a name
/// that looks like somebody else's number is ambiguous, never that somebody.
pub(super) fn find(profile: &Profile, name: &str) -> Result<ContactView, Error> {
    let mut meant = profile.contacts();
    meant.retain(|contact| {
        contact.standing != Standing::Requested
            && (contact.name == name
                || contact.conversation.to_string() == name
                || contact.contact.0.to_string() == name)
    });
    match meant.as_slice() {
        [one] => Ok(one.clone()),
        [] => Err(Error::new(
            ErrorKind::NotFound,
            format!("nobody is called {name}"),
        )),
        several => {
            let ids: Vec<String> = several
                .iter()
                .map(|contact| contact.conversation.to_string())
                .collect();
            Err(Error::new(
                ErrorKind::Ambiguous,
                format!("{name} may mean {} contacts: {}", ids.len(), ids.join(", ")),
            ))
        }
    }
}

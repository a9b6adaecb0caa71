//! Lists: private names for several contacts.

use hushwing_api::conversation::Removed;
use hushwing_api::group::MemberReached;
use hushwing_api::list::{List, ListPost, Listed, MissedCopy};
use hushwing_conversation::storage::Missed;
use hushwing_conversation::view::{CopyReached, ListPostView, ListView, Speaker};
use hushwing_conversation::{Command, ContactId, ListCommand, ListId, Reply};

use super::contact::{ambiguous, find, nobody_named};
use super::show::Names;
use super::{Handle, show};
use crate::error::Error;
use crate::profile::{Profile, unexpected};

impl Handle {
    /// Makes a list with nobody on it.
    pub async fn new_list(&self, profile: Option<&str>, name: &str) -> Result<List, Error> {
        let profile = self.profile(profile)?;
        let name = name.to_owned();
        changed(&profile, ListCommand::New { name }).await
    }

    /// All lists, oldest first.
    pub async fn lists(&self, profile: Option<&str>) -> Result<Vec<List>, Error> {
        let profile = self.profile(profile)?;
        let all = all(&profile).await?;
        Ok(all.iter().map(|one| list(one, &profile)).collect())
    }

    /// One of them.
    pub async fn list(&self, profile: Option<&str>, name: &str) -> Result<List, Error> {
        let profile = self.profile(profile)?;
        Ok(list(&meant(&profile, name).await?, &profile))
    }

    /// Puts a contact on a list.
    pub async fn add_to_list(
        &self,
        profile: Option<&str>,
        name: &str,
        who: &str,
    ) -> Result<List, Error> {
        let profile = self.profile(profile)?;
        let (list, contact) = both(&profile, name, who).await?;
        changed(&profile, ListCommand::Add { list, contact }).await
    }

    /// Takes a contact off a list.
    pub async fn remove_from_list(
        &self,
        profile: Option<&str>,
        name: &str,
        who: &str,
    ) -> Result<List, Error> {
        let profile = self.profile(profile)?;
        let (list, contact) = both(&profile, name, who).await?;
        changed(&profile, ListCommand::Remove { list, contact }).await
    }

    /// Forgets a list.
    pub async fn delete_list(&self, profile: Option<&str>, name: &str) -> Result<Removed, Error> {
        let profile = self.profile(profile)?;
        let list = meant(&profile, name).await?.list;
        match ask(&profile, ListCommand::Delete { list }).await? {
            Reply::Done => Ok(Removed {
                removed: list.0.to_string(),
            }),
            _ => Err(unexpected()),
        }
    }

    /// Says the same to each who is on a list.
    pub async fn post_to_list(
        &self,
        profile: Option<&str>,
        name: &str,
        text: String,
    ) -> Result<ListPost, Error> {
        let profile = self.profile(profile)?;
        let list = meant(&profile, name).await?.list;
        match ask(&profile, ListCommand::Post { list, text }).await? {
            Reply::Posted(made) => Ok(post(&made, &profile.names())),
            _ => Err(unexpected()),
        }
    }
}

async fn ask(profile: &Profile, command: ListCommand) -> Result<Reply, Error> {
    profile.ask(Command::List(command)).await
}

async fn changed(profile: &Profile, command: ListCommand) -> Result<List, Error> {
    match ask(profile, command).await? {
        Reply::List(made) => Ok(list(&made, profile)),
        _ => Err(unexpected()),
    }
}

async fn all(profile: &Profile) -> Result<Vec<ListView>, Error> {
    match ask(profile, ListCommand::All).await? {
        Reply::Lists(all) => Ok(all),
        _ => Err(unexpected()),
    }
}

/// The list and the contact a person means.
async fn both(profile: &Profile, name: &str, who: &str) -> Result<(ListId, ContactId), Error> {
    let list = meant(profile, name).await?.list;
    Ok((list, find(profile, who)?.contact))
}

/// The list a person means: by name, or else by number.
async fn meant(profile: &Profile, typed: &str) -> Result<ListView, Error> {
    let mut all = all(profile).await?;
    let number = typed.parse().ok().map(ListId);
    match all.iter().any(|one| one.name == typed) {
        true => all.retain(|one| one.name == typed),
        false => all.retain(|one| Some(one.list) == number),
    }
    if let [_, _, ..] = all.as_slice() {
        let candidates = all
            .iter()
            .map(|one| format!("{} ({})", one.list.0, one.name));
        let candidates: Vec<String> = candidates.collect();
        return Err(ambiguous(typed, "lists", &candidates));
    }
    all.pop().ok_or_else(|| nobody_named("list", typed))
}

fn list(shown: &ListView, profile: &Profile) -> List {
    let (known, names) = (profile.contacts(), profile.names());
    let on_it = |contact: &ContactId| {
        let contact = known.iter().find(|one| one.contact == *contact)?;
        Some(Listed {
            name: contact.name.clone(),
            id: show::contact_id(contact),
        })
    };
    List {
        name: shown.name.clone(),
        list: shown.list.0,
        contacts: shown.contacts.iter().filter_map(on_it).collect(),
        posts: shown.posts.iter().map(|one| post(one, &names)).collect(),
    }
}

fn post(shown: &ListPostView, names: &Names) -> ListPost {
    let missed = shown.missed.iter().map(|(contact, why)| MissedCopy {
        name: show::speaker(Speaker::Contact(*contact), names),
        reason: reason(*why).to_owned(),
    });
    ListPost {
        message: shown.id.id().to_string(),
        posted_at: show::time(shown.at),
        deleted: shown.taken_back,
        all: shown.all,
        waiting: shown.waiting,
        missed: missed.collect(),
    }
}

/// How far a post got to a contact.
pub(super) fn reached(copy: &CopyReached, names: &Names) -> MemberReached {
    MemberReached {
        member: copy.contact.0,
        name: show::speaker(Speaker::Contact(copy.contact), names),
        state: match copy.state {
            _ if copy.waits => "waiting",
            _ if copy.taken_back => "deleted",
            Some(state) => show::state(state),
            None => "not_said",
        }
        .to_owned(),
        missed: copy.missed.map(|why| reason(why).to_owned()),
    }
}

fn reason(why: Missed) -> &'static str {
    match why {
        Missed::Blocked => "blocked",
        Missed::Broken => "broken",
        Missed::Restoring => "restoring",
        Missed::NotEstablished => "not_established",
        Missed::Refused => "refused",
        Missed::PutBack => "put_back",
        Missed::TakenBack => "deleted",
        Missed::Gone => "gone",
        Missed::OffRecord => "off_record",
        Missed::NotAnswered => "not_answered",
    }
}

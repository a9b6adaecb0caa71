//! Meeting people: invitations, joins, requests.

use std::time::Duration;

use hushwing_conversation::link::{Kind, Link};
use hushwing_conversation::{Command, ContactId, Event, InvitationId, Reply, Secret, Standing};
use tokio::time::{Instant, timeout_at};

use super::meant::room;
use super::{Handle, show};
use crate::api::view;
use crate::error::{Error, ErrorKind};
use crate::profile::{Events, Profile, Seen, unexpected};

impl Handle {
    /// Makes a link by which one person, or many, can write to me.
    pub async fn invite(
        &self,
        profile: Option<&str>,
        reusable: bool,
    ) -> Result<view::Invitation, Error> {
        let profile = self.profile(profile)?;
        let network = None;
        let command = Command::Invite { reusable, network };
        self.make_link(&profile, command).await
    }

    /// Makes a link into a group: whoever uses one that works once gets in, and of
    /// many each is asked about unless it is open.
    pub async fn invite_to_group(
        &self,
        profile: Option<&str>,
        group: &str,
        reusable: bool,
        open: bool,
    ) -> Result<view::Invitation, Error> {
        let profile = self.profile(profile)?;
        let command = Command::InviteToRoom {
            room: room(&profile, group)?.room,
            reusable,
            open,
        };
        self.make_link(&profile, command).await
    }

    async fn make_link(
        &self,
        profile: &Profile,
        command: Command,
    ) -> Result<view::Invitation, Error> {
        match profile.ask(command).await? {
            Reply::Invitation(made) => {
                let near = self.installation.is_for_this_machine(profile)?;
                Ok(show::invitation(&made, &profile.rooms(), near))
            }
            _ => Err(unexpected()),
        }
    }

    /// Links of mine that can be used, and those that ended unused, oldest first.
    pub async fn invitations(&self, profile: Option<&str>) -> Result<Vec<view::Invitation>, Error> {
        let profile = self.profile(profile)?;
        let near = self.installation.is_for_this_machine(&profile)?;
        match profile.ask(Command::Invitations).await? {
            Reply::Invitations(all) => {
                let rooms = profile.rooms();
                let shown = all.iter().map(|one| show::invitation(one, &rooms, near));
                Ok(shown.collect())
            }
            _ => Err(unexpected()),
        }
    }

    /// Takes a link of mine down. Who asked by it before still waits.
    pub async fn revoke_invitation(
        &self,
        profile: Option<&str>,
        invitation: u64,
    ) -> Result<(), Error> {
        let profile = self.profile(profile)?;
        let invitation = InvitationId(invitation);
        match profile.ask(Command::Withdraw { invitation }).await? {
            Reply::Done => Ok(()),
            _ => Err(unexpected()),
        }
    }

    /// Opens somebody's link, and if asked to waits until they answered; all
    /// within `limit`. What was begun goes on after it.
    pub async fn join(
        &self,
        profile: Option<&str>,
        link: &str,
        wait: bool,
        limit: Duration,
    ) -> Result<view::Joined, Error> {
        self.open_link(profile, link, false, wait, limit).await
    }

    /// The same, and enters the group that the link leads into if that is wanted.
    pub async fn open_link(
        &self,
        profile: Option<&str>,
        link: &str,
        enter_group: bool,
        wait: bool,
        limit: Duration,
    ) -> Result<view::Joined, Error> {
        let profile = self.profile(profile)?;
        let one_time = Link::parse(link).is_ok_and(|link| link.kind() == Kind::OneTime);
        let deadline = Instant::now() + limit;
        let mut events = profile.events();
        let link = Secret::new(link.trim().as_bytes());
        let asked = profile.ask(match enter_group {
            true => Command::JoinRoom { link },
            false => Command::Join { link },
        });
        let asked = timeout_at(deadline, asked).await.map_err(|_| {
            Error::new(ErrorKind::Timeout, "the link's server has not answered yet")
                .with_advice("it is asked on; join again to see how that ended")
        })?;
        let Reply::Joined(contact) = asked? else {
            return Err(unexpected());
        };
        if wait {
            let answered = established(&profile, &mut events, contact.contact);
            timeout_at(deadline, answered).await.map_err(|_| {
                Error::new(ErrorKind::Timeout, "they have not answered yet").with_advice(
                    "your request waits for them; `hushwing contacts` shows when they answer",
                )
            })??;
        }
        // Who gave a one-time link away has nobody to choose from.
        let joined = one_time || wait || contact.standing == Standing::Established;
        Ok(view::Joined {
            state: if joined { "joined" } else { "asked" }.to_owned(),
            contact: show::contact_id(&contact),
            conversation: contact.conversation.to_string(),
            name: contact.name,
            reserved: one_time,
            group: contact.group.map(String::from),
        })
    }

    /// Strangers who opened a reusable link of mine, people whom contacts offer to
    /// introduce, and groups they ask me into; oldest first.
    pub async fn requests(&self, profile: Option<&str>) -> Result<Vec<view::Request>, Error> {
        let profile = self.profile(profile)?;
        let mut all = self.offers(&profile).await?;
        all.extend(Self::offered_groups(&profile));
        match profile.ask(Command::Requests).await? {
            Reply::Contacts(waiting) => {
                all.extend(waiting.iter().map(|stranger| view::Request {
                    request: stranger.contact.0,
                    name: stranger.name.clone(),
                    received_at: show::time(stranger.since),
                    kind: "link".to_owned(),
                    state: "waiting".to_owned(),
                    introduced_by: None,
                    group: stranger.group.as_deref().map(str::to_owned),
                    word: None,
                    name_known: false,
                }));
                all.sort_by_key(|request| request.request);
                Ok(all)
            }
            _ => Err(unexpected()),
        }
    }

    /// Begins a conversation with one of them.
    pub async fn accept_request(
        &self,
        profile: Option<&str>,
        request: u64,
    ) -> Result<view::Contact, Error> {
        let profile = self.profile(profile)?;
        match profile
            .ask(Command::Accept {
                contact: ContactId(request),
            })
            .await?
        {
            Reply::Contact(contact) => Ok(show::contact(&contact, &profile.contacts())),
            _ => Err(unexpected()),
        }
    }

    /// Turns one of them away without a word.
    pub async fn refuse_request(&self, profile: Option<&str>, request: u64) -> Result<(), Error> {
        let profile = self.profile(profile)?;
        match profile
            .ask(Command::Refuse {
                contact: ContactId(request),
            })
            .await?
        {
            Reply::Done => {
                profile.forget(ContactId(request));
                Ok(())
            }
            _ => Err(unexpected()),
        }
    }
}

/// Waits until both sides know where to write. The events were subscribed to
/// before the link was opened, so none is missed unnoticed.
async fn established(profile: &Profile, events: &mut Events, id: ContactId) -> Result<(), Error> {
    let is_established = || {
        let known = profile.contacts();
        known
            .iter()
            .any(|one| one.contact == id && one.standing == Standing::Established)
    };
    events
        .until(|seen| match seen {
            Seen::Event(event) => outcome(event, id),
            Seen::Missed(_) => is_established().then_some(Ok(())),
        })
        .await?
}

/// What an event says of one join; others may be under way beside it.
fn outcome(event: &Event, id: ContactId) -> Option<Result<(), Error>> {
    match event {
        Event::JoinFailed { contact, refusal } if *contact == Some(id) => {
            Some(Err(super::refusal(*refusal)))
        }
        Event::Contact(shown) if shown.contact == id => {
            (shown.standing == Standing::Established).then_some(Ok(()))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use hushwing_conversation::Refusal;

    use super::*;

    #[test]
    fn each_join_takes_its_own_failure_only() {
        let failed = |contact| Event::JoinFailed {
            contact,
            refusal: Refusal::LinkUsed,
        };
        let mine = ContactId(7);
        assert!(outcome(&failed(Some(ContactId(8))), mine).is_none());
        assert!(outcome(&failed(None), mine).is_none());
        let kind = outcome(&failed(Some(mine)), mine).map(|end| end.map_err(|e| e.kind()));
        assert_eq!(kind, Some(Err(ErrorKind::LinkUsed)));
    }
}

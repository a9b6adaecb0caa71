//! The installation itself: profiles, servers, settings, health.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use super::Handle;
use crate::api::view;
use crate::checkup;
use crate::error::{Error, ErrorKind};
use crate::relays::without_password;

/// What to do about a conversation that lost its mailbox.
const MAILBOX_LOST: &str = "the relay lost it, so what they write does not arrive; \
    hushwing tells them the new one as soon as they can be reached, and they send again \
    what was lost; if messages to them fail as well, they lost theirs too: \
    make a new invitation with `hushwing invite`";

/// What a relay that is away means for those whose mailboxes lie there.
const RELAY_AWAY: &str = "what contacts write waits until it is back, which is tried by itself; \
    if it is gone for good, what they write is lost: meet them again by `hushwing invite`, \
    with another relay chosen by `hushwing server add ADDRESS`";

/// How long a first connection may take before it counts as none.
const FIRST_CONNECTION: Duration = Duration::from_secs(5);

impl Handle {
    /// What the daemon is doing.
    pub async fn status(&self) -> Result<view::Status, Error> {
        let embedded = self.installation.embedded.address();
        let servers = self.servers(None, false)?;
        Ok(view::Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            profiles: self.profiles(),
            networks: view::Networks {
                relay: view::RelayStatus {
                    embedded: embedded.map(|address| without_password(&address.server)),
                    embedded_problem: self.embedded_problem().as_ref().map(Into::into),
                    servers: servers.into_iter().map(|server| server.address).collect(),
                    relays: self.relays()?,
                },
            },
            lost_mailboxes: self.lost_mailboxes(),
            web: None,
            xmpp: None,
        })
    }

    /// Why the embedded relay does not run though it should.
    fn embedded_problem(&self) -> Option<Error> {
        let (problem, rest) = self.installation.embedded.problem()?;
        let message = format!("{problem}; next try in {} s", rest.as_secs().max(1));
        Some(Error::new(problem.kind(), message).with_advice(problem.advice()))
    }

    /// Conversations whose mailbox a relay lost.
    fn lost_mailboxes(&self) -> Vec<view::LostMailbox> {
        let mut all = Vec::new();
        for profile in self.visible() {
            let lost = profile.contacts().into_iter().filter(|c| c.mailbox_lost);
            all.extend(lost.map(|contact| view::LostMailbox {
                profile: profile.name().to_owned(),
                name: contact.name,
            }));
        }
        all
    }

    /// Every profile, the default one first.
    #[must_use]
    pub fn profiles(&self) -> Vec<view::Profile> {
        let profiles = self.visible();
        profiles
            .iter()
            .enumerate()
            .map(|(at, profile)| view::Profile {
                profile: profile.name().to_owned(),
                default: at == 0 && !profile.is_hidden(),
                revoked: profile.is_revoked(),
            })
            .collect()
    }

    /// Creates a profile; the first one is the default.
    pub async fn create_profile(&self, name: &str) -> Result<view::Profile, Error> {
        let profile = self.installation.create_profile(name).await?;
        let default = self
            .installation
            .settings()
            .profiles
            .first()
            .is_some_and(|first| first == name);
        Ok(view::Profile {
            profile: profile.name().to_owned(),
            default,
            revoked: false,
        })
    }

    /// Deletes a profile and all that is in it; gives those that are left.
    pub async fn delete_profile(&self, name: &str) -> Result<Vec<view::Profile>, Error> {
        match self.opened().filter(|opened| opened.name() == name) {
            Some(opened) => self.installation.delete_hidden(&opened).await?,
            None => self.installation.delete_profile(name).await?,
        }
        Ok(self.profiles())
    }

    /// Looks for faults: each check with what to do about it.
    pub async fn doctor(&self) -> Result<Vec<view::Check>, Error> {
        let mut checks = vec![view::Check::good("daemon")];
        checks.push(match self.profiles().is_empty() {
            false => view::Check::good("profile"),
            true => view::Check::bad("profile", ErrorKind::NoProfile.advice()),
        });
        checks.extend(self.lost_mailboxes().iter().map(|lost| {
            let check = format!("mailbox for {}, profile {}", lost.name, lost.profile);
            view::Check::bad(&check, MAILBOX_LOST)
        }));
        checks.extend(self.inspect_files().await);
        let problem = self.embedded_problem();
        checks.extend(problem.map(|problem| {
            view::Check::bad(
                "embedded relay",
                &format!("{problem}: {}", problem.advice()),
            )
        }));
        for test in self.test_servers(None).await? {
            let problem = test.steps.into_iter().find_map(|step| step.problem);
            checks.push(match problem {
                None => view::Check::good(&format!("relay {}", test.address)),
                Some(problem) => view::Check::bad(&format!("relay {}", test.address), &problem),
            });
        }
        let away = self.relays_away().await?;
        checks.extend(away.iter().map(|relay| {
            let check = format!("mailboxes at {}, profile {}", relay.place, relay.profile);
            let problem = relay.problem.as_deref().unwrap_or("it is not connected");
            view::Check::bad(&check, &format!("{problem}: {RELAY_AWAY}"))
        }));
        Ok(checks)
    }

    /// Relays that hold mailboxes and are not connected. The embedded one, where
    /// it does not run, has a check of its own.
    async fn relays_away(&self) -> Result<Vec<view::Relay>, Error> {
        let begun = Instant::now();
        loop {
            let mut away = self.relays()?;
            away.retain(|relay| relay.mailboxes > 0 && relay.state != "connected");
            if self.installation.embedded.is_waiting() {
                away.retain(|relay| !relay.embedded);
            }
            // After a start first connections are still being made.
            let settled = away.iter().all(|relay| relay.state != "connecting");
            if settled || begun.elapsed() > FIRST_CONNECTION {
                return Ok(away);
            }
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Reads every file of this home that a machine owns from end to end.
    async fn inspect_files(&self) -> Vec<view::Check> {
        let mut checks = Vec::new();
        for profile in self.visible() {
            let [conversations, mailboxes] = profile.inspect().await;
            checks.push(checkup::conversations(profile.name(), conversations));
            checks.push(checkup::mailboxes(profile.name(), mailboxes));
        }
        if let Some(verdict) = self.installation.embedded.inspect().await {
            checks.push(checkup::queues(verdict));
        }
        checks
    }

    /// Every switch by its name.
    pub fn switches(&self) -> Result<BTreeMap<String, bool>, Error> {
        self.installation.settings().switches()
    }

    /// One switch.
    pub fn switch(&self, key: &str) -> Result<bool, Error> {
        self.installation.settings().switch(key)
    }

    /// Changes a switch; it takes effect at once.
    pub async fn set_switch(&self, key: &str, value: &str) -> Result<bool, Error> {
        self.installation.change_switch(key, value).await
    }
}

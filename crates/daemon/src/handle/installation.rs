//! The installation itself: profiles, servers, settings, health.

use super::Handle;
use crate::api::view;
use crate::checkup;
use crate::error::{Error, ErrorKind};
use crate::installation::parse_server;
use crate::server_test;
use crate::settings::ServerSetting;

/// What to do about a conversation that lost its mailbox.
const MAILBOX_LOST: &str = "the relay lost it, so what they write does not arrive; \
    hushwing tells them the new one as soon as they can be reached, and they send again \
    what was lost; if messages to them fail as well, they lost theirs too: \
    make a new invitation with `hushwing invite`";

impl Handle {
    /// What the daemon is doing.
    pub async fn status(&self) -> Result<view::Status, Error> {
        let embedded = self
            .installation
            .embedded
            .address()
            .map(|address| address.to_string());
        let servers: Vec<String> = self
            .servers()
            .into_iter()
            .map(|server| server.address)
            .collect();
        Ok(view::Status {
            version: env!("CARGO_PKG_VERSION").to_owned(),
            profiles: self.profiles(),
            networks: view::Networks {
                relay: view::RelayStatus {
                    embedded,
                    embedded_problem: self.embedded_problem().as_ref().map(Into::into),
                    servers,
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
        for profile in self.installation.profiles() {
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
        let profiles = self.installation.profiles();
        profiles
            .iter()
            .enumerate()
            .map(|(at, profile)| view::Profile {
                profile: profile.name().to_owned(),
                default: at == 0,
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
        })
    }

    /// Relays chosen for new mailboxes.
    #[must_use]
    pub fn servers(&self) -> Vec<view::Server> {
        let servers = self.installation.settings().servers;
        servers
            .into_iter()
            .map(|server| view::Server {
                address: server.address,
                profile: server.profile,
            })
            .collect()
    }

    /// Uses a relay for new mailboxes of one profile, or of all.
    pub async fn add_server(
        &self,
        profile: Option<&str>,
        address: &str,
    ) -> Result<view::Server, Error> {
        let address = parse_server(address)?.to_string();
        let setting = ServerSetting {
            address,
            profile: profile.map(str::to_owned),
        };
        let shown = view::Server {
            address: setting.address.clone(),
            profile: setting.profile.clone(),
        };
        self.installation
            .change_servers(|servers| {
                if servers.contains(&setting) {
                    return Err(
                        Error::new(ErrorKind::Exists, "this relay is in use already")
                            .with_advice("`hushwing server list` shows all"),
                    );
                }
                servers.push(setting);
                Ok(())
            })
            .await?;
        Ok(shown)
    }

    /// Uses a relay no longer for new mailboxes; those on it stay.
    pub async fn remove_server(
        &self,
        profile: Option<&str>,
        address: &str,
    ) -> Result<Vec<view::Server>, Error> {
        let address = parse_server(address)?.to_string();
        self.installation
            .change_servers(|servers| {
                let before = servers.len();
                servers.retain(|server| {
                    server.address != address || server.profile.as_deref() != profile
                });
                if servers.len() == before {
                    return Err(Error::new(ErrorKind::NotFound, "this relay is not in use")
                        .with_advice("`hushwing server list` shows all"));
                }
                Ok(())
            })
            .await?;
        Ok(self.servers())
    }

    /// Tries relays as a client would: the one given, or all in use.
    pub async fn test_servers(
        &self,
        address: Option<&str>,
    ) -> Result<Vec<view::ServerTest>, Error> {
        let addresses = match address {
            Some(address) => vec![parse_server(address)?],
            None => {
                let chosen = self.installation.settings().servers;
                let mut all = chosen
                    .iter()
                    .map(|server| parse_server(&server.address))
                    .collect::<Result<Vec<_>, _>>()?;
                let embedded = &self.installation.embedded;
                // At its port another program answers, or nobody.
                all.extend(embedded.address().filter(|_| !embedded.is_waiting()));
                all
            }
        };
        let mut tests = Vec::with_capacity(addresses.len());
        for address in addresses {
            tests.push(server_test::run(&address, self.installation.runtime()).await?);
        }
        Ok(tests)
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
        Ok(checks)
    }

    /// Reads every file of this home that a machine owns from end to end.
    async fn inspect_files(&self) -> Vec<view::Check> {
        let mut checks = Vec::new();
        for profile in self.installation.profiles() {
            let [conversations, mailboxes] = profile.inspect().await;
            checks.push(checkup::conversations(profile.name(), conversations));
            checks.push(checkup::mailboxes(profile.name(), mailboxes));
        }
        if let Some(verdict) = self.installation.embedded.inspect().await {
            checks.push(checkup::queues(verdict));
        }
        checks
    }

    /// One switch, or all by name.
    pub fn setting(&self, key: Option<&str>) -> Result<serde_json::Value, Error> {
        self.installation.settings().switch(key)
    }

    /// Changes a switch; it takes effect at once.
    pub async fn set_setting(&self, key: &str, value: &str) -> Result<serde_json::Value, Error> {
        self.installation.change_switch(key, value).await
    }
}

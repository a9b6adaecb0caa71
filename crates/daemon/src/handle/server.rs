//! The relays that hold my mailboxes.

use std::sync::Arc;

use hushwing_relay::address::ServerAddress;
use hushwing_relay::client::{Connection, ConnectionState, Ended};
use hushwing_sansio::Moment;

use super::{Handle, show};
use crate::api::view;
use crate::error::{Error, ErrorKind};
use crate::installation::parse_server;
use crate::profile::Profile;
use crate::relays::{self, REFUSES, place, without_password};
use crate::server_test;
use crate::settings::ServerSetting;

/// How to use a relay that does not work now.
const UNCHECKED: &str = "`--unchecked` uses it all the same";

impl Handle {
    /// Relays chosen for new mailboxes: those a profile uses, or all. Addresses
    /// come without passwords unless these are asked for.
    pub fn servers(
        &self,
        profile: Option<&str>,
        passwords: bool,
    ) -> Result<Vec<view::Server>, Error> {
        self.known_profile(profile)?;
        if let Some(hidden) = self.hidden(profile) {
            return Ok(own_servers(&hidden, passwords));
        }
        let servers = self.installation.settings().servers.into_iter();
        servers
            .filter(|server| {
                let all = profile.is_none() || server.profile.is_none();
                all || server.profile.as_deref() == profile
            })
            .map(|setting| {
                let address = parse_server(&setting.address)?;
                Ok(view::Server {
                    password: address.password.is_some(),
                    address: match passwords {
                        true => setting.address,
                        false => without_password(&address.server),
                    },
                    profile: setting.profile,
                })
            })
            .collect()
    }

    /// Uses a relay for new mailboxes of one profile, or of all, if it works.
    pub async fn add_server(
        &self,
        profile: Option<&str>,
        address: &str,
    ) -> Result<view::ServerAdded, Error> {
        let address = self.new_server(profile, address)?;
        let test = server_test::run(&address, self.installation.runtime()).await?;
        if let Some(step) = test.steps.into_iter().find(|step| !step.ok) {
            return Err(does_not_work(&address, &step));
        }
        self.keep_server(profile, address, true).await
    }

    /// Uses a relay for new mailboxes whether or not it works now.
    pub async fn add_server_unchecked(
        &self,
        profile: Option<&str>,
        address: &str,
    ) -> Result<view::ServerAdded, Error> {
        let address = self.new_server(profile, address)?;
        self.keep_server(profile, address, false).await
    }

    /// An address that is not in use yet.
    fn new_server(&self, profile: Option<&str>, address: &str) -> Result<ServerAddress, Error> {
        self.known_profile(profile)?;
        self.not_hidden(profile)?;
        let address = parse_server(address)?;
        relays::check_fits_link(&address.server)?;
        let text = address.to_string();
        let servers = self.installation.settings().servers;
        let mut same_users = servers
            .iter()
            .filter(|server| server.profile.as_deref() == profile);
        if same_users.any(|server| server.address == text) {
            return Err(
                Error::new(ErrorKind::Exists, "this relay is in use already")
                    .with_advice("`hushwing server list` shows all"),
            );
        }
        Ok(address)
    }

    /// Keeps a relay, in the place of the same one with another password.
    async fn keep_server(
        &self,
        profile: Option<&str>,
        address: ServerAddress,
        checked: bool,
    ) -> Result<view::ServerAdded, Error> {
        let setting = ServerSetting {
            address: address.to_string(),
            profile: profile.map(str::to_owned),
        };
        let mut replaced = false;
        self.installation
            .change_servers(|servers| {
                let same = servers.iter_mut().find(|known| {
                    let server = parse_server(&known.address).map(|known| known.server);
                    known.profile == setting.profile
                        && server.is_ok_and(|server| server == address.server)
                });
                match same {
                    Some(known) => {
                        replaced = true;
                        *known = setting.clone();
                    }
                    None => servers.push(setting.clone()),
                }
                Ok(())
            })
            .await?;
        Ok(view::ServerAdded {
            address: without_password(&address.server),
            profile: setting.profile,
            password: address.password.is_some(),
            replaced,
            checked,
        })
    }

    /// Uses a relay no longer for new mailboxes; those of conversations move
    /// away from it, those of links stay until these are used or taken down. It
    /// is named by its address or by a part of it that no other has.
    pub async fn remove_server(
        &self,
        profile: Option<&str>,
        name: &str,
    ) -> Result<Vec<view::Server>, Error> {
        self.known_profile(profile)?;
        self.not_hidden(profile)?;
        self.installation
            .change_servers(|servers| {
                let found = find(servers, profile, name)?;
                servers.retain(|server| *server != found);
                Ok(())
            })
            .await?;
        self.servers(profile, false)
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

    /// How every profile stands with the relays it has to do with.
    pub(super) fn relays(&self) -> Result<Vec<view::Relay>, Error> {
        let mut all = Vec::new();
        for profile in self.visible() {
            let mut known = profile.relays().all();
            let chosen = self.installation.servers_for(&profile)?;
            for address in chosen.iter().cloned() {
                if !known.iter().any(|relay| relay.server == address.server) {
                    known.push(Connection {
                        server: address.server,
                        mailboxes: 0,
                        state: ConnectionState::Idle,
                        refused: None,
                    });
                }
            }
            let shown = known.iter().map(|relay| {
                let stays = chosen.iter().any(|known| known.server == relay.server);
                view::Relay {
                    leaving: !stays && relay.mailboxes > 0,
                    ..self.relay(&profile, relay)
                }
            });
            all.extend(shown);
        }
        Ok(all)
    }

    fn relay(&self, profile: &Profile, relay: &Connection) -> view::Relay {
        let embedded = self.installation.embedded.address();
        let mut shown = view::Relay {
            number: profile.relays().number_of(&relay.server),
            profile: profile.name().to_owned(),
            address: without_password(&relay.server),
            place: place(&relay.server),
            embedded: embedded.is_some_and(|embedded| embedded.server == relay.server),
            mailboxes: relay.mailboxes,
            leaving: false,
            state: "idle".to_owned(),
            since: None,
            problem: relay.refused.map(|_| REFUSES.to_owned()),
            next_try: None,
        };
        match relay.state {
            ConnectionState::Idle => {}
            ConnectionState::Connecting => shown.state = "connecting".to_owned(),
            ConnectionState::Connected { since } => {
                shown.state = "connected".to_owned();
                shown.since = Some(self.time(since));
            }
            ConnectionState::Down { since, why, next } => {
                shown.state = match why {
                    Ended::WrongServer => "wrong_server",
                    Ended::Unreachable | Ended::Broken => "unreachable",
                }
                .to_owned();
                shown.since = Some(self.time(since));
                shown.problem = Some(relays::problem(why).to_owned());
                shown.next_try = next.map(|next| self.time(next));
            }
        }
        shown
    }

    /// A moment as the wall clock shows it.
    fn time(&self, moment: Moment) -> String {
        let clock = self.installation.runtime().clock;
        let (now, wall) = (clock.now(), clock.wall());
        let past = u64::try_from(now.since(moment).as_millis()).unwrap_or(u64::MAX);
        let ahead = u64::try_from(moment.since(now).as_millis()).unwrap_or(u64::MAX);
        let millis = wall.as_millis().saturating_add(ahead).saturating_sub(past);
        show::time(hushwing_sansio::Timestamp::from_millis(millis))
    }

    /// A profile that was named must be there: whoever mistypes it would change
    /// what nobody uses.
    fn known_profile(&self, name: Option<&str>) -> Result<(), Error> {
        match name {
            Some(name) => self.profile(Some(name)).map(drop),
            None => Ok(()),
        }
    }
}

impl Handle {
    fn hidden(&self, profile: Option<&str>) -> Option<Arc<Profile>> {
        let profile = self.profile(Some(profile?)).ok()?;
        profile.is_hidden().then_some(profile)
    }

    /// The settings file, in which a choice would stand, must not name it.
    fn not_hidden(&self, profile: Option<&str>) -> Result<(), Error> {
        match self.hidden(profile) {
            None => Ok(()),
            Some(_) => Err(Error::new(
                ErrorKind::Usage,
                "a hidden profile uses the relays that were chosen when it was made",
            )
            .with_advice("make another one, and introduce its contacts to that")),
        }
    }
}

fn own_servers(profile: &Profile, passwords: bool) -> Vec<view::Server> {
    let servers = profile.own_servers().iter();
    let shown = servers.map(|address| view::Server {
        password: address.password.is_some(),
        address: match passwords {
            true => address.to_string(),
            false => without_password(&address.server),
        },
        profile: Some(profile.name().to_owned()),
    });
    shown.collect()
}

/// The one relay of these users that `name` means.
fn find(
    servers: &[ServerSetting],
    profile: Option<&str>,
    name: &str,
) -> Result<ServerSetting, Error> {
    let named = |setting: &&ServerSetting| {
        let Ok(known) = parse_server(&setting.address) else {
            return false;
        };
        match parse_server(name) {
            Ok(whole) => known.server == whole.server,
            Err(_) => !name.is_empty() && without_password(&known.server).contains(name),
        }
    };
    let all: Vec<&ServerSetting> = servers.iter().filter(named).collect();
    let own: Vec<&&ServerSetting> = (all.iter())
        .filter(|setting| setting.profile.as_deref() == profile)
        .collect();
    match (own.as_slice(), all.first()) {
        ([one], _) => Ok((**one).clone()),
        ([], Some(other)) => {
            let users = match &other.profile {
                Some(name) => format!("profile {name} uses it: add `--profile {name}`"),
                None => "every profile uses it: leave `--profile` out".to_owned(),
            };
            let message = "this relay is in use for others";
            Err(Error::new(ErrorKind::NotFound, message).with_advice(users))
        }
        ([], None) => Err(Error::new(ErrorKind::NotFound, "this relay is not in use")
            .with_advice("`hushwing server list` shows all")),
        (several, _) => {
            let places = several.iter().filter_map(|setting| {
                let address = parse_server(&setting.address).ok()?;
                Some(place(&address.server))
            });
            let places = places.collect::<Vec<_>>().join(", ");
            let message = format!("several relays are meant: {places}");
            Err(Error::new(ErrorKind::Ambiguous, message)
                .with_advice("give the whole address; `hushwing server list` shows all"))
        }
    }
}

/// Why a relay is not taken into use.
fn does_not_work(address: &ServerAddress, step: &view::TestStep) -> Error {
    let place = place(&address.server);
    let kind = step.kind.as_deref().and_then(ErrorKind::from_name);
    let kind = kind.unwrap_or(ErrorKind::Protocol);
    let (message, advice) = match kind {
        ErrorKind::Unreachable => (
            format!("the relay {place} does not answer"),
            format!("check the address and that the relay runs; {UNCHECKED}"),
        ),
        ErrorKind::WrongServer => (
            format!("at {place} another server answers than the one the address names"),
            format!("ask whoever runs the relay for its address again; {UNCHECKED}"),
        ),
        ErrorKind::Refused if address.password.is_some() => (
            format!("the relay {place} refuses the password, or takes no more mailboxes"),
            format!("ask whoever runs the relay for its address again; {UNCHECKED}"),
        ),
        ErrorKind::Refused => (
            format!("the relay {place} wants a password, or takes no more mailboxes"),
            format!(
                "it stands in the address, smp://FINGERPRINT:PASSWORD@{place}; ask whoever runs \
                 the relay for it; {UNCHECKED}"
            ),
        ),
        _ => {
            let problem = step.problem.as_deref().unwrap_or("it failed");
            (
                format!("the relay {place} does not work: {problem}"),
                format!("`hushwing server test` tries it again; {UNCHECKED}"),
            )
        }
    };
    Error::new(kind, message).with_advice(advice)
}

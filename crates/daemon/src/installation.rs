//! Everything one home holds while its daemon runs.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError, Weak};
use std::time::Duration;

use hushwing_conversation::content::shown::clean_name;
use hushwing_relay::address::ServerAddress;
use hushwing_store::keys::MasterKey;
use tokio::sync::{Mutex as AsyncMutex, watch};

use crate::embedded::{self, Embedded};
use crate::error::{Error, ErrorKind};
use crate::hidden::HiddenProfiles;
use crate::home::Home;
use crate::profile::{Choices, Profile};
use crate::relay::Relay;
use crate::runtime::Runtime;
use crate::settings::{ServerSetting, Settings};

/// One home, open.
pub(crate) struct Installation {
    pub(crate) home: Home,
    key: MasterKey,
    runtime: Runtime,
    settings: Mutex<Settings>,
    profiles: Mutex<Vec<Arc<Profile>>>,
    /// Those that are open. Nothing else here knows of them.
    pub(crate) hidden: HiddenProfiles,
    pub(crate) embedded: Embedded,
    /// Held while profiles or servers change, so that two callers do not.
    pub(crate) changing: AsyncMutex<()>,
    /// Held while a backup is written: there is one folder for copies.
    pub(crate) copying: AsyncMutex<()>,
    lan: bool,
    stop: watch::Sender<bool>,
}

impl Installation {
    /// An installation with nothing started yet.
    pub(crate) fn new(home: Home, key: MasterKey, settings: Settings, lan: bool) -> Self {
        Self {
            hidden: HiddenProfiles::of(&home),
            home,
            key,
            runtime: Runtime::new(),
            settings: Mutex::new(settings),
            profiles: Mutex::default(),
            embedded: Embedded::default(),
            changing: AsyncMutex::default(),
            copying: AsyncMutex::default(),
            lan,
            stop: watch::channel(false).0,
        }
    }

    /// Starts the embedded relay where one is needed, then every profile.
    pub(crate) async fn start(self: &Arc<Self>) -> Result<(), Error> {
        let _changing = self.changing.lock().await;
        self.start_embedded().await?;
        for name in self.settings().profiles {
            let profile = self.open_profile(name).await?;
            lock(&self.profiles).push(profile);
        }
        Ok(())
    }

    /// The embedded relay runs as long as no server is configured, and goes on
    /// where mailboxes may live on it already.
    async fn start_embedded(self: &Arc<Self>) -> Result<(), Error> {
        let used_before = self.home.relay().exists();
        if !used_before && !self.settings().servers.is_empty() {
            return Ok(());
        }
        let rest = embedded::FIRST_REST;
        if !self.try_embedded(rest).await? {
            if let Some((problem, _)) = self.embedded.problem() {
                tracing::warn!("{problem}; it is tried again until the port is free");
            }
            tokio::spawn(await_port(Arc::downgrade(self), rest));
        }
        Ok(())
    }

    /// Starts the embedded relay; `false` if another program has its port, which
    /// is tried again after `rest`.
    async fn try_embedded(&self, rest: Duration) -> Result<bool, Error> {
        let dir = self.home.relay();
        match Relay::embedded(&dir, self.lan, &self.key).await {
            Ok(relay) => self.embedded.run(relay),
            Err(error) if error.kind() == ErrorKind::PortInUse => {
                self.embedded.wait(Relay::stored_address(&dir)?, rest);
                return Ok(false);
            }
            Err(error) => return Err(error),
        }
        Ok(true)
    }

    pub(crate) async fn open_profile(&self, name: String) -> Result<Arc<Profile>, Error> {
        let dir = self.home.profiles().join(&name);
        let choices = Choices {
            servers: self.servers_of(&name)?,
            switches: self.settings().switches,
        };
        Profile::start(name, dir, &self.key, choices, self.runtime.clone()).await
    }

    /// The servers new mailboxes of a profile use.
    pub(crate) fn servers_of(&self, profile: &str) -> Result<Vec<ServerAddress>, Error> {
        let chosen: Vec<ServerAddress> = self
            .settings()
            .servers
            .iter()
            .filter(|server| server.profile.as_deref().is_none_or(|name| name == profile))
            .map(|server| parse_server(&server.address))
            .collect::<Result<_, _>>()?;
        if chosen.is_empty() {
            Ok(self.embedded.address().into_iter().collect())
        } else {
            Ok(chosen)
        }
    }

    /// The servers new mailboxes of a profile use that may be hidden.
    pub(crate) fn servers_for(&self, profile: &Profile) -> Result<Vec<ServerAddress>, Error> {
        match profile.is_hidden() {
            true => Ok(profile.own_servers().to_vec()),
            false => self.servers_of(profile.name()),
        }
    }

    /// Whether new mailboxes of a profile can be reached from this machine only.
    pub(crate) fn is_for_this_machine(&self, profile: &Profile) -> Result<bool, Error> {
        let servers = self.servers_for(profile)?;
        let embedded = self.embedded.address();
        Ok(!self.lan
            && servers
                .iter()
                .all(|server| Some(server) == embedded.as_ref()))
    }

    /// Creates and starts a profile.
    pub(crate) async fn create_profile(&self, name: &str) -> Result<Arc<Profile>, Error> {
        check_name(name)?;
        let _changing = self.changing.lock().await;
        let mut settings = self.settings();
        if settings.profiles.iter().any(|known| known == name) {
            return Err(Error::new(
                ErrorKind::Exists,
                format!("a profile called {name} exists"),
            ));
        }
        let profile = self.open_profile(name.to_owned()).await?;
        settings.profiles.push(name.to_owned());
        self.save(settings)?;
        self.take_in(Arc::clone(&profile));
        Ok(profile)
    }

    /// Adds a profile to those that are open.
    pub(crate) fn take_in(&self, profile: Arc<Profile>) {
        lock(&self.profiles).push(profile);
    }

    /// Changes the list of servers, then opens the profiles again with it.
    pub(crate) async fn change_servers(
        self: &Arc<Self>,
        change: impl FnOnce(&mut Vec<ServerSetting>) -> Result<(), Error>,
    ) -> Result<(), Error> {
        let _changing = self.changing.lock().await;
        let mut settings = self.settings();
        change(&mut settings.servers)?;
        self.save(settings)?;
        self.embed_if_needed().await?;
        self.choose_again().await?;
        Ok(())
    }

    /// Starts the embedded relay where the last server was taken away.
    pub(crate) async fn embed_if_needed(self: &Arc<Self>) -> Result<(), Error> {
        if !self.embedded.is_there() && self.settings().servers.is_empty() {
            self.start_embedded().await?;
        }
        Ok(())
    }

    /// Takes a profile from those that are open.
    pub(crate) fn take_profile(&self, name: &str) -> Option<Arc<Profile>> {
        let mut profiles = lock(&self.profiles);
        let at = profiles.iter().position(|one| one.name() == name)?;
        Some(profiles.remove(at))
    }

    /// Changes a switch, for every profile.
    pub(crate) async fn change_switch(&self, key: &str, value: &str) -> Result<bool, Error> {
        let _changing = self.changing.lock().await;
        let mut settings = self.settings();
        let shown = settings.set_switch(key, value)?;
        self.save(settings)?;
        self.choose_again().await?;
        Ok(shown)
    }

    /// Opens all profiles again with the settings as they are. One that cannot
    /// keeps no other from it; the first reason is told.
    pub(crate) async fn choose_again(&self) -> Result<(), Error> {
        let switches = self.settings().switches;
        let mut outcome = Ok(());
        for profile in self.profiles() {
            let choices = Choices {
                servers: self.servers_of(profile.name())?,
                switches,
            };
            outcome = outcome.and(profile.choose(choices).await);
        }
        for profile in self.hidden.all() {
            let servers = profile.own_servers().to_vec();
            // How it went would tell the caller that there is one.
            drop(profile.choose(Choices { servers, switches }).await);
        }
        outcome
    }

    pub(crate) fn save(&self, settings: Settings) -> Result<(), Error> {
        settings.save(&self.home.config())?;
        *lock(&self.settings) = settings;
        Ok(())
    }

    /// The settings as they are now.
    pub(crate) fn settings(&self) -> Settings {
        lock(&self.settings).clone()
    }

    /// Open profiles, the default one first.
    pub(crate) fn profiles(&self) -> Vec<Arc<Profile>> {
        lock(&self.profiles).clone()
    }

    /// The key that all files of this home depend on.
    pub(crate) fn key(&self) -> &MasterKey {
        &self.key
    }

    /// What all machines of this process share.
    pub(crate) fn runtime(&self) -> &Runtime {
        &self.runtime
    }

    /// Asks the daemon to stop.
    pub(crate) fn stop(&self) {
        self.stop.send_replace(true);
    }

    /// Turns true when the daemon shall stop.
    pub(crate) fn stopping(&self) -> watch::Receiver<bool> {
        self.stop.subscribe()
    }

    /// Closes every profile, then the embedded relay.
    pub(crate) async fn close(&self) {
        let _changing = self.changing.lock().await;
        for profile in self.profiles() {
            profile.stop().await;
        }
        self.hidden.close().await;
        self.embedded.stop().await;
    }
}

/// Starts the embedded relay, with growing rests, until that works or the daemon
/// stops.
async fn await_port(installation: Weak<Installation>, mut rest: Duration) {
    loop {
        tokio::time::sleep(rest).await;
        rest = embedded::longer(rest);
        let Some(installation) = installation.upgrade() else {
            return;
        };
        let _changing = installation.changing.lock().await;
        if !installation.embedded.is_waiting() {
            return;
        }
        match installation.try_embedded(rest).await {
            Ok(true) => return tracing::info!("the embedded relay listens again"),
            Ok(false) => {}
            Err(error) => {
                tracing::warn!(%error, "the embedded relay cannot start yet");
                installation.embedded.failed(error, rest);
            }
        }
    }
}

/// A server address a person typed.
pub(crate) fn parse_server(text: &str) -> Result<ServerAddress, Error> {
    text.parse().map_err(|error| {
        Error::new(ErrorKind::Usage, format!("not a relay's address: {error}")).with_advice(
            "it looks like smp://FINGERPRINT[:PASSWORD]@HOST[:PORT]; copy the whole line the relay printed",
        )
    })
}

/// Profile names are folder names and are shown to contacts.
pub(crate) fn check_name(name: &str) -> Result<(), Error> {
    let fits = (1..=64).contains(&name.len())
        && name != "."
        && name != ".."
        && !name.contains('/')
        && !name.eq_ignore_ascii_case("me")
        // What contacts would see is what was given.
        && clean_name(name).is_some_and(|clean| clean == name);
    if fits {
        return Ok(());
    }
    Err(
        Error::new(ErrorKind::Usage, "this name cannot be used").with_advice(
            "use 1 to 64 bytes without slashes, invisible characters or spaces around them; \
             `me` is you already",
        ),
    )
}

/// A poisoned lock only means that another caller panicked; what it guards is
/// replaced whole, so it is never half-written.
fn lock<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_profile_name_is_seen_as_it_is_and_cannot_leave_its_folder() {
        for name in [
            "",
            ".",
            "..",
            "a/b",
            "a\nb",
            "   ",
            "a\u{202e}b",
            "me",
            &"x".repeat(65),
        ] {
            assert!(check_name(name).is_err(), "{name:?}");
        }
        assert!(check_name("Alice Ünal").is_ok());
    }
}

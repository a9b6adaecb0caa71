//! Devices of one account.

use hushwing_api::device::{Device, Devices, History};
use hushwing_conversation::view::{DeviceView, DevicesView};
use hushwing_conversation::{Command, MemberId, Reply, RoomStanding, Secret};

use super::contact::{ambiguous, nobody_named};
use super::{Handle, show};
use crate::error::Error;
use crate::profile::{Profile, unexpected};

impl Handle {
    /// The devices of a profile's account.
    pub async fn devices(&self, profile: Option<&str>) -> Result<Devices, Error> {
        let profile = self.profile(profile)?;
        ask(&profile, Command::Devices).await
    }

    /// Shows a link to be linked by, as a new device.
    pub async fn show_device(&self, profile: Option<&str>, name: &str) -> Result<Devices, Error> {
        let profile = self.profile(profile)?;
        let name = name.to_owned();
        ask(&profile, Command::ShowDevice { name }).await
    }

    /// Calls the new device that shows a link.
    pub async fn call_device(
        &self,
        profile: Option<&str>,
        link: &str,
        name: &str,
    ) -> Result<Devices, Error> {
        let profile = self.profile(profile)?;
        let link = Secret::new(link.trim().as_bytes().to_vec());
        let name = name.to_owned();
        ask(&profile, Command::CallDevice { link, name }).await
    }

    /// Lets the new device in: a person compared the code. It is handed what was said in so
    /// many days, or ever.
    pub async fn confirm_device(
        &self,
        profile: Option<&str>,
        code: &str,
        days: Option<u32>,
    ) -> Result<Devices, Error> {
        let profile = self.profile(profile)?;
        let code = code.to_owned();
        ask(&profile, Command::ConfirmDevice { code, days }).await
    }

    /// Throws a device out.
    pub async fn revoke_device(&self, profile: Option<&str>, name: &str) -> Result<Devices, Error> {
        let profile = self.profile(profile)?;
        let known = view_of(&profile, Command::Devices).await?;
        let device = meant(&known, name)?;
        ask(&profile, Command::RevokeDevice { device }).await
    }
}

async fn view_of(profile: &Profile, command: Command) -> Result<DevicesView, Error> {
    match profile.ask(command).await? {
        Reply::Devices(view) => Ok(view),
        _ => Err(unexpected()),
    }
}

async fn ask(profile: &Profile, command: Command) -> Result<Devices, Error> {
    view_of(profile, command).await.map(|view| devices(&view))
}

/// The device a person means: by name or by number.
fn meant(known: &DevicesView, name: &str) -> Result<MemberId, Error> {
    // A device may be called as the number of another.
    let is_meant = |one: &&DeviceView| one.name == name || one.device.0.to_string() == name;
    let meant: Vec<&DeviceView> = known.devices.iter().filter(is_meant).collect();
    match meant.as_slice() {
        [one] => Ok(one.device),
        [] => Err(nobody_named("device", name).with_advice("`hushwing device list` shows them")),
        several => {
            let several = several.iter();
            let candidates: Vec<String> = several
                .map(|one| format!("{} ({})", one.device.0, one.name))
                .collect();
            Err(ambiguous(name, "devices", &candidates))
        }
    }
}

/// Devices as documents show them.
pub(super) fn devices(view: &DevicesView) -> Devices {
    let link = view.link.as_ref();
    Devices {
        state: match view.standing {
            None if view.devices.iter().any(|one| one.parted) => "restored",
            None => "alone",
            Some(RoomStanding::Offered | RoomStanding::Joining) => "waiting",
            Some(RoomStanding::Member) => "linked",
            Some(RoomStanding::Leaving | RoomStanding::Left) => "out",
            Some(_) => "broken",
        }
        .to_owned(),
        devices: view.devices.iter().map(device).collect(),
        link: link.map(|one| String::from_utf8_lossy(one.link.expose()).into_owned()),
        expires: link.map(|one| show::time(one.until)),
        code: view.code.clone(),
        newcomer: view.newcomer.clone(),
        replaces: view.replaces.clone(),
        asks_here: view.asks_here,
        profile: view.profile.clone(),
        history: view.history.map(|one| History {
            taken: one.taken,
            open: one.open,
            cut: one.cut,
        }),
        changing: view.changing,
    }
}

fn device(one: &DeviceView) -> Device {
    Device {
        device: one.device.0,
        name: match one.name.is_empty() {
            true => "?".to_owned(),
            false => one.name.clone(),
        },
        me: one.me,
        reachable: one.reachable,
        parted: one.parted,
    }
}

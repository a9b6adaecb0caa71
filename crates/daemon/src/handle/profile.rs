//! How I am shown to contacts, and they to me.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use hushwing_api::profile::{MyProfile, Picture, ProfileBody};
use hushwing_conversation::content::{Avatar, MAX_AVATAR};
use hushwing_conversation::view::MyProfileView;
use hushwing_conversation::{Command, ProfileChange, Reply};
use hushwing_portrait::{Portrait, PortraitError};

use super::{Handle, contact};
use crate::error::{Error, ErrorKind};
use crate::hidden::aside;
use crate::profile::{Profile, unexpected};

impl Handle {
    /// How I am shown to contacts.
    ///
    /// # Errors
    ///
    /// When there is no such profile.
    pub async fn my_profile(&self, profile: Option<&str>) -> Result<MyProfile, Error> {
        let profile = self.profile(profile)?;
        mine(&profile, profile.ask(Command::MyProfile).await?)
    }

    /// Changes how I am shown to contacts, who are told.
    ///
    /// # Errors
    ///
    /// What cannot be shown is refused, and changes nothing.
    pub async fn set_profile(
        &self,
        profile: Option<&str>,
        asked: &ProfileBody,
    ) -> Result<MyProfile, Error> {
        let profile = self.profile(profile)?;
        let avatar = match &asked.avatar {
            Some(_) if asked.no_avatar => return Err(both("picture")),
            Some(picture) => Some(Some(small(picture, MAX_AVATAR).await?)),
            None => asked.no_avatar.then_some(None),
        };
        let status = match &asked.status {
            Some(_) if asked.no_status => return Err(both("status")),
            Some(status) => Some(Some(status.clone())),
            None => asked.no_status.then_some(None),
        };
        let name = asked.name.clone();
        let change = ProfileChange {
            name,
            avatar,
            status,
        };
        mine(&profile, profile.ask(Command::SetProfile(change)).await?)
    }

    /// The picture a contact shows.
    ///
    /// # Errors
    ///
    /// When there is no such contact, or they show none.
    pub async fn avatar(&self, profile: Option<&str>, name: &str) -> Result<Picture, Error> {
        let profile = self.profile(profile)?;
        let contact = contact::find(&profile, name)?.contact;
        match profile.ask(Command::Avatar { contact }).await? {
            Reply::Avatar(avatar) => Ok(picture(&avatar)),
            _ => Err(unexpected()),
        }
    }
}

fn mine(profile: &Profile, reply: Reply) -> Result<MyProfile, Error> {
    match reply {
        Reply::MyProfile(MyProfileView {
            name,
            status,
            avatar,
        }) => Ok(MyProfile {
            profile: profile.name().to_owned(),
            name,
            status,
            avatar: avatar.as_ref().map(picture),
        }),
        _ => Err(unexpected()),
    }
}

pub(super) fn picture(avatar: &Avatar) -> Picture {
    Picture {
        media_type: avatar.media_type().to_owned(),
        picture: STANDARD.encode(avatar.as_bytes()),
    }
}

pub(super) fn both(what: &str) -> Error {
    let message = format!("a {what} cannot be shown and not be shown");
    Error::new(ErrorKind::Usage, message)
}

pub(super) fn neither(one: &str, other: &str) -> Error {
    let message = format!("the request names neither `{one}` nor `{other}`");
    Error::new(ErrorKind::Usage, message)
}

/// Whatever a face gives is made small here, so that none can forget to.
pub(super) async fn small(picture: &str, most: usize) -> Result<Avatar, Error> {
    let not_base64 = |_| Error::new(ErrorKind::Usage, "the picture is not base64");
    let file = STANDARD.decode(picture).map_err(not_base64)?;
    let made = aside(move || Portrait::of(&file)?.jpeg(most)).await?;
    let made = made.map_err(|error| told(&error))?;
    Avatar::new(made).map_err(|_| told(&PortraitError::NotSmall))
}

fn told(error: &PortraitError) -> Error {
    Error::new(ErrorKind::BadFile, error.to_string())
        .with_advice("choose a JPEG, PNG or WebP picture")
}

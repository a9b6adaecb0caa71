//! How I want to be shown, and how contacts do (RFC 0033).
//!
//! Whoever is a contact is told my name, picture and status in our conversation; after a
//! change each of them at a moment of its own. Of what they tell the last stands. The name
//! by which they are known here stays; that they changed theirs is told.

use hushwing_sansio::{Moment, StorageError, Timestamp};

use super::ask::usable_name;
use super::hidden::forget_settled;
use super::show::content_of;
use super::spread::Spread;
use super::stop::Stop;
use super::{Call, Messenger, NAME};
use crate::content::{Avatar, Content, Profile};
use crate::storage::{FaceRecord, MyProfileRecord, Standing};
use crate::view::{FaceView, MyProfileView};
use crate::{ContactId, Event, ProfileChange, Refusal, Reply, Storage};

/// My profile, and when who is told of it.
#[derive(Default)]
pub(super) struct Profiles {
    mine: MyProfileRecord,
    due: Spread<ContactId>,
}

impl Profiles {
    pub(super) fn open(storage: &dyn Storage) -> Result<Self, StorageError> {
        Ok(Self {
            mine: MyProfileRecord::read(storage)?,
            due: Spread::default(),
        })
    }

    pub(super) fn due(&self) -> Option<Moment> {
        self.due.due()
    }

    pub(super) fn forget(&mut self, contact: ContactId) {
        self.due.forget(&contact);
    }
}

impl FaceRecord {
    pub(super) fn view(&self) -> FaceView {
        FaceView {
            name: self.name.clone(),
            status: self.status.clone(),
            avatar: self.avatar,
            names: (self.names.iter())
                .map(|former| (former.name.clone(), former.until))
                .collect(),
        }
    }

    /// Takes over what they say of themselves. Gives the name they had, if it was
    /// another.
    fn take(&mut self, profile: &Profile, now: Timestamp) -> Option<String> {
        self.status = profile.status().map(str::to_owned);
        // A picture that no face could show costs the picture, and not the name.
        let fit = profile.avatar().filter(|avatar| avatar.is_fit());
        self.set_avatar(fit);
        self.rename(profile.name(), now)
    }
}

impl Messenger {
    pub(super) fn set_profile(
        &mut self,
        call: &mut Call<'_, '_>,
        change: ProfileChange,
    ) -> Result<Reply, Stop> {
        let name = change.name.as_deref().map(usable_name).transpose()?;
        let status = match change.status {
            None => self.profiles.mine.status.clone(),
            Some(None) => None,
            Some(Some(status)) => Some(usable_name(&status).map_err(|_| Refusal::BadStatus)?),
        };
        let avatar = match change.avatar {
            None => self.profiles.mine.avatar.clone(),
            Some(avatar) => avatar.map(shown).transpose()?,
        };
        let changed = status != self.profiles.mine.status
            || avatar != self.profiles.mine.avatar
            || name.as_ref().is_some_and(|name| *name != self.config.name);
        if !changed {
            return Ok(self.my_profile());
        }
        if let Some(name) = name {
            call.storage.put_setting(NAME, name.as_bytes())?;
            self.config.name = name;
        }
        self.profiles.mine = MyProfileRecord {
            revision: self.profiles.mine.revision + 1,
            avatar,
            status,
        };
        self.profiles.mine.put(call.storage)?;
        self.plan_profiles(call);
        Ok(self.my_profile())
    }

    pub(super) fn my_profile(&self) -> Reply {
        Reply::MyProfile(MyProfileView {
            name: self.config.name.clone(),
            status: self.profiles.mine.status.clone(),
            avatar: self.my_avatar(),
        })
    }

    fn my_avatar(&self) -> Option<Avatar> {
        let picture = self.profiles.mine.avatar.clone()?;
        Avatar::new(picture).ok()
    }

    pub(super) fn avatar_of(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<Reply, Stop> {
        let face = self.person(contact)?.face.clone();
        for said in call.storage.control(contact, false)? {
            if let Content::Profile(profile) = content_of(&said)?
                && let Some(avatar) = profile.avatar()
                && face.shows(avatar)
            {
                return Ok(Reply::Avatar(avatar.clone()));
            }
        }
        Err(Refusal::NoAvatar.into())
    }

    /// Everybody who was not told yet is told, each at a moment of its own.
    pub(super) fn plan_profiles(&mut self, call: &mut Call<'_, '_>) {
        let contacts: Vec<_> = self.people.keys().copied().collect();
        for contact in contacts {
            self.plan_profile(call, contact);
        }
    }

    /// As [`Self::plan_profiles`], for one.
    pub(super) fn plan_profile(&mut self, call: &mut Call<'_, '_>, contact: ContactId) {
        if self.lacks_profile(contact) {
            let spread = self.config.spread;
            self.profiles.due.plan(call.cx, contact, spread);
        }
    }

    /// Whether a contact is to be told what they do not know yet.
    fn lacks_profile(&self, contact: ContactId) -> bool {
        let person = self.people.get(&contact);
        person.is_some_and(|person| {
            person.record.standing == Standing::Established
                && person.face.told < self.profiles.mine.revision
                // It would be on record.
                && !person.wishes_off_record()
        }) && self.is_written_to(contact)
    }

    pub(super) fn profiles_due(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        for contact in self.profiles.due.take(call.cx.now()) {
            if self.lacks_profile(contact) {
                self.within(call, contact, |this, call| this.tell_profile(call, contact))?;
            }
        }
        Ok(())
    }

    fn tell_profile(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
    ) -> Result<(), StorageError> {
        let revision = self.profiles.mine.revision;
        if let Some(person) = self.people.get_mut(&contact) {
            person.face.told = revision;
            person.face.put(call.storage, contact)?;
        }
        let Ok(profile) = Profile::new(&self.config.name, self.my_avatar()) else {
            return Ok(());
        };
        let profile = profile.with_status(self.profiles.mine.status.as_deref());
        forget_settled(call.storage, contact, |said| {
            matches!(said, Content::Profile(_))
        })?;
        self.say_control(call, contact, &Content::Profile(profile))
    }

    /// A contact tells how they want to be shown from now on. They go on under the name
    /// they have here: whoever types it must not write to somebody else.
    pub(super) fn show_as(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        profile: &Profile,
    ) -> Result<(), StorageError> {
        let Some(person) = self.people.get_mut(&contact) else {
            return Ok(());
        };
        let stranger = person.record.standing == Standing::Requested;
        let first = person.face.name.is_none();
        if stranger && !first {
            // By that name I decide.
            return Ok(());
        }
        let mut face = person.face.clone();
        let before = match stranger {
            true => face.rename(profile.name(), call.cx.wall()),
            false => face.take(profile, call.cx.wall()),
        };
        if person.face == face {
            return Ok(());
        }
        face.put(call.storage, contact)?;
        person.face = face;
        if first && !person.record.renamed {
            profile.name().clone_into(&mut person.record.name);
            person.save(call.storage)?;
        }
        self.tell_unless_requested(contact);
        if let Some(before) = before {
            let now = profile.name().to_owned();
            self.tell(Event::CalledOtherwise {
                contact,
                before,
                now,
            });
        }
        Ok(())
    }
}

/// A picture that contacts would show.
fn shown(avatar: Avatar) -> Result<Vec<u8>, Refusal> {
    match avatar.is_fit() {
        true => Ok(avatar.as_bytes().to_vec()),
        false => Err(Refusal::BadAvatar),
    }
}

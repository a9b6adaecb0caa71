//! How I am shown to contacts, and how they want to be shown.
//!
//! Both lie in settings. A contact's picture is in what they said last of themselves.

use hushwing_sansio::{StorageError, Timestamp};
use serde::{Deserialize, Serialize};

use super::Storage;
use super::codec::{self, millis};
use super::hidden::hidden;
use crate::ContactId;
use crate::content::Avatar;

/// Names that are remembered of one contact besides the present one; the oldest go.
pub const MOST_NAMES: usize = 8;

const MINE: &str = "profile";

/// What I show beside my name. `Debug` hides it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct MyProfileRecord {
    /// Counts changes, of the name too; 0 before the first.
    pub revision: u64,
    /// A PNG, JPEG or WebP picture.
    pub avatar: Option<Vec<u8>>,
    /// How things stand.
    pub status: Option<String>,
}

/// What a contact shows of themselves. `Debug` hides it.
#[derive(Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct FaceRecord {
    /// Which of my changes they were told.
    pub told: u64,
    /// What they call themselves; nothing before they said.
    pub name: Option<String>,
    /// How things stand with them.
    pub status: Option<String>,
    /// Hash (SHA-256) of their picture, if they show one.
    pub avatar: Option<[u8; 32]>,
    /// What they called themselves before, the newest last.
    pub names: Vec<FormerName>,
}

/// What somebody called themselves. `Debug` hides it.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FormerName {
    /// The name.
    pub name: String,
    /// Until when.
    #[serde(with = "millis")]
    pub until: Timestamp,
}

hidden!(MyProfileRecord, FaceRecord, FormerName);

impl MyProfileRecord {
    /// What I show.
    ///
    /// # Errors
    ///
    /// When storage fails or holds something else.
    pub fn read(storage: &dyn Storage) -> Result<Self, StorageError> {
        match storage.setting(MINE)? {
            Some(body) => Self::decode(&body),
            None => Ok(Self::default()),
        }
    }

    /// Writes it.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn put(&self, storage: &mut dyn Storage) -> Result<(), StorageError> {
        storage.put_setting(MINE, &self.encode())
    }

    /// The versioned body.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Decodes what [`Self::encode`] made.
    ///
    /// # Errors
    ///
    /// [`StorageErrorKind::Corrupt`](hushwing_sansio::StorageErrorKind::Corrupt).
    pub fn decode(body: &[u8]) -> Result<Self, StorageError> {
        codec::decode(body, "reading my profile")
    }
}

impl FaceRecord {
    /// What `contact` shows.
    ///
    /// # Errors
    ///
    /// When storage fails or holds something else.
    pub fn of(storage: &dyn Storage, contact: ContactId) -> Result<Self, StorageError> {
        let body = storage.setting(&face_of(contact))?;
        match body.filter(|body| !body.is_empty()) {
            Some(body) => Self::decode(&body),
            None => {
                let told = storage.setting(&told_before(contact))?;
                let name = told.and_then(|told| String::from_utf8(told).ok());
                Ok(Self {
                    name,
                    ..Self::default()
                })
            }
        }
    }

    /// Writes what `contact` shows.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn put(&self, storage: &mut dyn Storage, contact: ContactId) -> Result<(), StorageError> {
        storage.put_setting(&face_of(contact), &self.encode())
    }

    /// They show this picture from now on, or none.
    pub fn set_avatar(&mut self, picture: Option<&Avatar>) {
        self.avatar = picture.map(Avatar::hash);
    }

    /// Whether it is this picture that they show.
    #[must_use]
    pub fn shows(&self, picture: &Avatar) -> bool {
        self.avatar == Some(picture.hash())
    }

    /// Forgets what `contact` showed.
    ///
    /// # Errors
    ///
    /// When storage fails.
    pub fn clear(storage: &mut dyn Storage, contact: ContactId) -> Result<(), StorageError> {
        storage.remove_setting(&told_before(contact))?;
        storage.remove_setting(&face_of(contact))
    }

    /// They call themselves `name` from now on. Gives the name before, if there was
    /// another.
    pub fn rename(&mut self, name: &str, now: Timestamp) -> Option<String> {
        if self.name.as_deref() == Some(name) {
            return None;
        }
        let before = self.name.replace(name.to_owned())?;
        self.names.push(FormerName {
            name: before.clone(),
            until: now,
        });
        if self.names.len() > MOST_NAMES {
            self.names.remove(0);
        }
        Some(before)
    }

    /// The versioned body.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        codec::encode(self)
    }

    /// Decodes what [`Self::encode`] made.
    ///
    /// # Errors
    ///
    /// [`StorageErrorKind::Corrupt`](hushwing_sansio::StorageErrorKind::Corrupt).
    pub fn decode(body: &[u8]) -> Result<Self, StorageError> {
        codec::decode(body, "reading a contact's profile")
    }
}

fn face_of(contact: ContactId) -> String {
    format!("profile of contact {}", contact.0)
}

/// Where the name of a contact lay whom I call otherwise, before profiles were kept.
fn told_before(contact: ContactId) -> String {
    format!("name told by contact {}", contact.0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_another_name_is_a_change_and_few_are_remembered() {
        let mut face = FaceRecord::default();
        let mut called = |name: &str, at| face.rename(name, Timestamp::from_secs(at));
        assert_eq!(called("Bob", 1), None);
        assert_eq!(called("Bob", 2), None);
        assert_eq!(called("Rob", 3).as_deref(), Some("Bob"));
        for number in 0..40 {
            assert!(called(&format!("Rob {number}"), 4).is_some());
        }
        assert_eq!(face.names.len(), MOST_NAMES);
        assert_eq!(FaceRecord::decode(&face.encode()).unwrap(), face);
        assert!(!format!("{face:?}").contains("Rob"));
    }
}

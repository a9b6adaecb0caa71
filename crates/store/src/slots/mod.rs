//! Slots: eight files of one size in every home, any of which may hold a hidden
//! profile, or nothing but random bytes (RFC 0014, `protocol/slots.md`).
//!
//! | file | concept |
//! |---|---|
//! | `image` | what is sealed |
//! | `seal` | keys, and halves sealed under them |
//! | `slot` | one that is open |

mod image;
mod seal;
mod slot;
#[cfg(test)]
mod tests;

use std::fs::{self, File, FileTimes};
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use hushwing_sansio::Entropy;
use zeroize::Zeroizing;

use self::seal::{ByPassphrase, Half, SALT, SLOT, SlotKey, Stretch};
use self::slot::writable;
use crate::files;
use crate::keys::{Cost, Passphrase};

pub use self::image::{Image, ImageError};
pub use self::slot::Slot;
pub(crate) use self::slot::{Lease, Part};
#[cfg(test)]
pub(crate) use self::{image::SETTINGS_MOST, seal::ROOM};

/// How many slots a home has.
pub const COUNT: u8 = 8;

/// Why a slot cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum SlotError {
    /// No slot holds such a profile under this passphrase. Which of the two does
    /// not fit is not known to anybody.
    #[error("no profile is found by this name and passphrase")]
    NotFound,
    /// A profile of this name lies under this passphrase already.
    #[error("a profile is found by this name and passphrase already")]
    Exists,
    /// An empty passphrase hides nothing.
    #[error("the passphrase is empty")]
    EmptyPassphrase,
    /// Every slot there is holds a profile that is open, or the one asked for does.
    #[error("no slot is free")]
    NoneFree,
    /// The name or the settings do not fit.
    #[error("the name or the settings are too long")]
    TooLong,
    /// The databases do not fit.
    #[error("the profile holds more than a slot can")]
    TooLarge,
    /// The memory that the passphrase costs cannot be had.
    #[error("the passphrase cannot be stretched at this cost")]
    Cost,
    /// What was sealed cannot be understood.
    #[error(transparent)]
    Image(#[from] ImageError),
    /// The slots could not be read or written.
    #[error("the slots cannot be used")]
    Io(#[from] io::Error),
}

/// A profile to be hidden.
#[derive(Clone, Copy)]
pub struct Hidden<'a> {
    /// Its name, 1 to 64 bytes.
    pub name: &'a str,
    /// What is not in its databases, at most 16 KiB.
    pub settings: &'a [u8],
    /// The slot; one by chance if `None`.
    pub slot: Option<u8>,
    /// What it begins with; nothing, if it is new.
    pub databases: Databases<'a>,
    /// Whether it may take the place of one of its name under its passphrase.
    pub again: bool,
}

/// The databases of a profile that lay elsewhere until now, as SQLite serialises them.
#[derive(Clone, Copy, Default)]
pub struct Databases<'a> {
    /// `profile.db`, of [`ProfileStore::plain`](crate::ProfileStore::plain).
    pub profile: &'a [u8],
    /// `relay.db`, of [`RelayClientStore::plain`](crate::RelayClientStore::plain).
    pub relay: &'a [u8],
}

impl Databases<'_> {
    fn fit(&self) -> bool {
        Part::Profile.holds(self.profile) && Part::Relay.holds(self.relay)
    }
}

/// The folder of slots.
#[derive(Clone, Debug)]
pub struct Slots(PathBuf);

impl Slots {
    /// The slots in `folder`, whether or not they exist.
    pub fn at(folder: impl Into<PathBuf>) -> Self {
        Self(folder.into())
    }

    /// The file of a slot.
    pub(crate) fn path(&self, number: u8) -> PathBuf {
        self.0.join(number.to_string())
    }

    /// Makes a slot if it is missing, and says whether it was. One that is there
    /// is never touched, whatever its size.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn make(&self, number: u8, entropy: &mut dyn Entropy) -> io::Result<bool> {
        let path = self.path(number);
        if number >= COUNT || fs::exists(&path)? {
            return Ok(false);
        }
        let mut bytes = vec![0; SLOT];
        entropy.fill(&mut bytes);
        files::replace(&path, &bytes).map(|()| true)
    }

    /// Whether all of them are there.
    ///
    /// # Errors
    ///
    /// When the system does not tell.
    pub fn are_made(&self) -> io::Result<bool> {
        for number in 0..COUNT {
            if !fs::exists(self.path(number))? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Gives the files of all slots one time, so that it does not tell which was
    /// read or written.
    ///
    /// # Errors
    ///
    /// When one of those that are there does not take it.
    pub fn level(&self) -> io::Result<()> {
        let now = SystemTime::now();
        let times = FileTimes::new().set_accessed(now).set_modified(now);
        // Opened first: the moments at which the system notes the change, which
        // nobody can set, then lie as close together as can be.
        let opened = (0..COUNT).map(|number| present(File::open(self.path(number))));
        let opened: Vec<_> = opened.collect();
        let mut outcome = Ok(());
        for file in opened {
            // One that does not take it keeps no other from it.
            let set = file.and_then(|file| file.map_or(Ok(()), |file| file.set_times(times)));
            outcome = outcome.and(set);
        }
        outcome
    }

    /// Opens the slot that holds the profile of this name under this passphrase.
    /// All slots are tried, whichever fits.
    ///
    /// # Errors
    ///
    /// [`SlotError::NotFound`] where there is none, and where there are no slots.
    pub fn open(
        &self,
        name: &str,
        passphrase: &Passphrase,
        cost: Cost,
        entropy: impl Entropy + Send + 'static,
    ) -> Result<Arc<Slot>, SlotError> {
        let found = self.found(&ByPassphrase(passphrase, cost))?;
        let mut named = found.into_iter().filter(|found| found.is_called(name));
        let found = named.next().ok_or(SlotError::NotFound)?;
        Ok(self.opened(found, entropy))
    }

    /// Puts a new profile into a slot that none of `open` lies in. What lay there
    /// is gone, whatever it was.
    ///
    /// # Errors
    ///
    /// See [`SlotError`]; nothing was changed unless it is [`SlotError::Io`].
    pub fn hide(
        &self,
        hidden: &Hidden<'_>,
        open: &[u8],
        passphrase: &Passphrase,
        cost: Cost,
        mut entropy: impl Entropy + Send + 'static,
    ) -> Result<Arc<Slot>, SlotError> {
        if passphrase.is_empty() {
            return Err(SlotError::EmptyPassphrase);
        }
        // Before a slot is chosen, which fails where one is in use.
        if !Image::may_hold(hidden.name, hidden.settings) {
            return Err(SlotError::TooLong);
        }
        if !hidden.databases.fit() {
            return Err(SlotError::TooLarge);
        }
        let stretch = ByPassphrase(passphrase, cost);
        let found = self.found(&stretch)?;
        let mut called = found.iter().filter(|found| found.is_called(hidden.name));
        let same = called.next().map(|found| found.number);
        let number = match same {
            Some(number) if hidden.again && !open.contains(&number) => number,
            Some(_) => return Err(SlotError::Exists),
            None => {
                let under_it = found.iter().map(|found| found.number);
                let used: Vec<u8> = open.iter().copied().chain(under_it).collect();
                choose(hidden.slot, &used, &mut entropy).ok_or(SlotError::NoneFree)?
            }
        };
        let found = self.fill(number, hidden, &stretch, &mut entropy)?;
        Ok(self.opened(found, entropy))
    }

    /// Fills a slot with random bytes. What lay there is gone.
    ///
    /// # Errors
    ///
    /// When it cannot be written.
    pub fn erase(&self, number: u8, entropy: &mut dyn Entropy) -> io::Result<()> {
        let mut bytes = vec![0; SLOT];
        entropy.fill(&mut bytes);
        self.write(number, &bytes)
    }

    fn opened(&self, found: Found, entropy: impl Entropy + Send + 'static) -> Arc<Slot> {
        let Found { number, key, image } = found;
        Slot::new(self.clone(), number, key, image, Box::new(entropy))
    }

    /// The slots that open. The same is done to each, whether or not it does.
    fn found(&self, stretch: &impl Stretch) -> Result<Vec<Found>, SlotError> {
        let (mut all, mut failed) = (Vec::new(), None);
        for number in 0..COUNT {
            // One that cannot be read keeps nobody from the others.
            match self.try_one(number, stretch) {
                Ok(found) => all.extend(found),
                Err(error) => failed = failed.or(Some(error)),
            }
        }
        // Reading them was noted as well.
        drop(self.level());
        match failed {
            Some(error) if all.is_empty() => Err(error),
            _ => Ok(all),
        }
    }

    fn try_one(&self, number: u8, stretch: &impl Stretch) -> Result<Option<Found>, SlotError> {
        let (bytes, failed) = match self.read(number) {
            Ok(bytes) => (bytes, None),
            // It costs as much to try.
            Err(error) => (vec![0; SLOT], Some(error)),
        };
        let salt = bytes.first_chunk::<SALT>().ok_or_else(other_size)?;
        let key = stretch.stretch(salt).ok_or(SlotError::Cost)?;
        let key = SlotKey::new(number, &key);
        if let Some(error) = failed {
            return Err(error.into());
        }
        let mut newest: Option<(Half, Image)> = None;
        for half in Half::BOTH {
            let sealed = bytes.get(half.place()).ok_or_else(other_size)?;
            if let Some(image) = key.open(half, Zeroizing::new(sealed.to_vec())) {
                let image = image?;
                let is_newer = |(_, one): &(Half, Image)| image.sequence > one.sequence;
                if newest.as_ref().is_none_or(is_newer) {
                    newest = Some((half, image));
                }
            }
        }
        Ok(newest.map(|image| Found { number, key, image }))
    }

    /// The bytes of a slot. One that is not there, or of another size, is read as
    /// zeros: nothing opens it, and it costs as much to try.
    fn read(&self, number: u8) -> io::Result<Vec<u8>> {
        let nothing = || vec![0; SLOT];
        let Some(file) = present(File::open(self.path(number)))? else {
            return Ok(nothing());
        };
        if file.metadata()?.len() != SLOT as u64 {
            return Ok(nothing());
        }
        let mut bytes = nothing();
        file.read_exact_at(&mut bytes, 0)?;
        Ok(bytes)
    }

    /// Overwrites a slot from end to end.
    fn write(&self, number: u8, bytes: &[u8]) -> io::Result<()> {
        let file = writable(self, number)?;
        let written = file.write_all_at(bytes, 0);
        drop(self.level());
        written?;
        file.sync_data()
    }

    /// Writes a whole slot anew, its salt and both halves, and reads it back.
    fn fill(
        &self,
        number: u8,
        hidden: &Hidden<'_>,
        stretch: &impl Stretch,
        entropy: &mut dyn Entropy,
    ) -> Result<Found, SlotError> {
        let image = Image {
            sequence: 1,
            name: Zeroizing::new(hidden.name.to_owned()),
            settings: Zeroizing::new(hidden.settings.to_vec()),
            profile: Zeroizing::new(hidden.databases.profile.to_vec()),
            relay: Zeroizing::new(hidden.databases.relay.to_vec()),
        };
        let mut bytes = vec![0; SLOT];
        entropy.fill(&mut bytes);
        let salt = bytes.first_chunk::<SALT>().ok_or_else(other_size)?;
        let key = stretch.stretch(salt).ok_or(SlotError::Cost)?;
        let first = bytes.get_mut(Half::First.place()).ok_or_else(other_size)?;
        SlotKey::new(number, &key)
            .seal(Half::First, &image, first, entropy)
            .ok_or(SlotError::TooLong)?;
        self.write(number, &bytes)?;
        let again = self.try_one(number, stretch)?;
        again.ok_or_else(|| io::Error::other("what was written cannot be read back").into())
    }
}

/// A slot that opened.
struct Found {
    number: u8,
    key: SlotKey,
    image: (Half, Image),
}

impl Found {
    fn is_called(&self, name: &str) -> bool {
        *self.image.1.name == name
    }
}

/// The slot asked for, else one by chance; `None` where it is in use, or all are.
fn choose(asked: Option<u8>, used: &[u8], entropy: &mut dyn Entropy) -> Option<u8> {
    let is_free = |number: &u8| *number < COUNT && !used.contains(number);
    if asked.is_some() {
        return asked.filter(is_free);
    }
    let free: Vec<u8> = (0..COUNT).filter(is_free).collect();
    let count = free.len();
    if count == 0 {
        return None;
    }
    loop {
        let mut drawn = [0];
        entropy.fill(&mut drawn);
        let drawn = usize::from(drawn[0]);
        // Of the 256 only so many that each slot has the same chance.
        if drawn < 256 - 256 % count {
            return free.get(drawn % count).copied();
        }
    }
}

fn present(file: io::Result<File>) -> io::Result<Option<File>> {
    match file {
        Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(None),
        other => other.map(Some),
    }
}

fn other_size() -> io::Error {
    io::Error::other("a slot has another size")
}

impl AsRef<Path> for Slots {
    fn as_ref(&self) -> &Path {
        &self.0
    }
}

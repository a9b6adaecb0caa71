//! How people want to be shown.

use core::fmt;

use hushwing_sansio::Timestamp;

use crate::content::Avatar;

/// How I am shown to contacts. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct MyProfileView {
    /// My name.
    pub name: String,
    /// How things stand.
    pub status: Option<String>,
    /// My picture.
    pub avatar: Option<Avatar>,
}

/// What a contact shows of themselves. `Debug` hides it.
#[derive(Clone, PartialEq, Eq)]
pub struct FaceView {
    /// What they call themselves; nothing before they said.
    pub name: Option<String>,
    /// How things stand with them.
    pub status: Option<String>,
    /// Hash of their picture: another one is another picture.
    pub avatar: Option<[u8; 32]>,
    /// What they called themselves before, and until when; the newest last.
    pub names: Vec<(String, Timestamp)>,
}

impl fmt::Debug for MyProfileView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MyProfileView(..)")
    }
}

impl fmt::Debug for FaceView {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FaceView(..)")
    }
}

//! The one error every face shows: a coarse kind, what happened, what to do.

use std::fmt;
use std::io;
use std::path::Path;

use hushwing_sansio::StorageErrorKind;
use hushwing_store::OpenError;
use hushwing_transport::DriveError;

use crate::api::view::Reached;

/// What went wrong, coarse enough to act on. The names are part of the local
/// API and of the command line's JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorKind {
    /// The command or request itself is wrong.
    Usage,
    /// No daemon answers on this home.
    DaemonNotRunning,
    /// A daemon already serves this home.
    AlreadyRunning,
    /// No profile exists yet.
    NoProfile,
    /// No contact, message, request or profile of that name.
    NotFound,
    /// More than one candidate has that name.
    Ambiguous,
    /// The name is taken.
    Exists,
    /// Waited as long as asked.
    Timeout,
    /// Not a Hushwing link, or one with a typing mistake.
    BadLink,
    /// The link was used by somebody else, or taken down.
    LinkUsed,
    /// The link's time is over.
    LinkExpired,
    /// A server cannot be reached.
    Unreachable,
    /// A server is not the one its address names.
    WrongServer,
    /// A server does not do what it was asked to: a password is missing or
    /// wrong, or it takes no more.
    Refused,
    /// A safety number is another one: the key is not the contact's.
    Mismatch,
    /// A file or picture cannot be read or holds no link.
    BadFile,
    /// The database is locked by a passphrase, or the one given is wrong.
    WrongPassphrase,
    /// The port is taken by another program.
    PortInUse,
    /// The disk is full.
    DiskFull,
    /// The system does not let this program use a file or folder.
    Denied,
    /// Stored data is damaged or from a newer program.
    Damaged,
    /// A peer or server broke its protocol.
    Protocol,
    /// A fault of this program or the system it runs on.
    Internal,
}

impl ErrorKind {
    /// Every kind, for documentation and for parsing names.
    pub const ALL: [Self; 23] = [
        Self::Usage,
        Self::DaemonNotRunning,
        Self::AlreadyRunning,
        Self::NoProfile,
        Self::NotFound,
        Self::Ambiguous,
        Self::Exists,
        Self::Timeout,
        Self::BadLink,
        Self::LinkUsed,
        Self::LinkExpired,
        Self::Unreachable,
        Self::WrongServer,
        Self::Refused,
        Self::Mismatch,
        Self::BadFile,
        Self::WrongPassphrase,
        Self::PortInUse,
        Self::DiskFull,
        Self::Denied,
        Self::Damaged,
        Self::Protocol,
        Self::Internal,
    ];

    /// The name used in JSON.
    #[must_use]
    pub const fn name(self) -> &'static str {
        match self {
            Self::Usage => "usage",
            Self::DaemonNotRunning => "daemon_not_running",
            Self::AlreadyRunning => "already_running",
            Self::NoProfile => "no_profile",
            Self::NotFound => "not_found",
            Self::Ambiguous => "ambiguous",
            Self::Exists => "exists",
            Self::Timeout => "timeout",
            Self::BadLink => "bad_link",
            Self::LinkUsed => "link_used",
            Self::LinkExpired => "link_expired",
            Self::Unreachable => "unreachable",
            Self::WrongServer => "wrong_server",
            Self::Refused => "refused",
            Self::Mismatch => "mismatch",
            Self::BadFile => "bad_file",
            Self::WrongPassphrase => "wrong_passphrase",
            Self::PortInUse => "port_in_use",
            Self::DiskFull => "disk_full",
            Self::Denied => "denied",
            Self::Damaged => "damaged",
            Self::Protocol => "protocol",
            Self::Internal => "internal",
        }
    }

    /// The kind of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|kind| kind.name() == name)
    }

    /// What a person can do, where no better advice is at hand.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Usage => "see `hushwing help`",
            Self::DaemonNotRunning => "start it with `hushwing up`",
            Self::AlreadyRunning => "use it, or stop it with `hushwing down`",
            Self::NoProfile => "create one with `hushwing profile create NAME`",
            Self::NotFound => "`hushwing contacts` lists who you can write to",
            Self::Ambiguous => "use one of the ids listed",
            Self::Exists => "choose another name",
            Self::Timeout => {
                "it goes on in the background; `hushwing where ID` tells how far it is"
            }
            Self::BadLink => "copy the whole link again, from `hushwing:` to its end",
            Self::LinkUsed => {
                "ask for a fresh link; if you did not open this one, somebody else did or it was taken down"
            }
            Self::LinkExpired => "ask for a fresh link",
            Self::Unreachable => {
                "check the network; the link or server may still be good, try again later"
            }
            Self::Mismatch => "somebody may be between you: meet in person",
            Self::WrongServer => "do not trust this server; ask whoever gave you the address",
            Self::Refused => "ask whoever runs the server",
            Self::BadFile => {
                "give a PNG or JPEG picture that shows the whole code, sharp and straight"
            }
            Self::WrongPassphrase => "try again; without the passphrase the data cannot be read",
            Self::PortInUse => "choose another port or stop the program that holds it",
            Self::DiskFull => "free some space; nothing accepted was lost",
            Self::Denied => "give this user the right to use it, or choose another folder",
            Self::Damaged => "`hushwing doctor` names the file and what to do",
            Self::Protocol => "update both sides; if it stays, report it",
            Self::Internal => "see `hushwing log`; if it stays, report it",
        }
    }
}

/// An error as a face shows it. Never holds a secret, an address or a text.
#[derive(Debug)]
pub struct Error {
    kind: ErrorKind,
    message: String,
    advice: Option<String>,
    reached: Option<Reached>,
}

impl Error {
    /// An error with the kind's own advice.
    pub fn new(kind: ErrorKind, message: impl Into<String>) -> Self {
        Self {
            kind,
            message: message.into(),
            advice: None,
            reached: None,
        }
    }

    /// What the system answered to the attempt to `what` with the file or folder
    /// at `path`: told as something a person can mend, where they can.
    #[must_use]
    pub fn system(what: &str, path: &Path, error: &io::Error) -> Self {
        use io::ErrorKind as System;
        let shown = path.display();
        let (kind, problem, advice) = match error.kind() {
            System::StorageFull | System::QuotaExceeded => {
                return Self::new(ErrorKind::DiskFull, format!("cannot {what}: {error}"));
            }
            System::PermissionDenied => (
                ErrorKind::Denied,
                "this user may not",
                format!("make this user the owner of {shown} and of what is in it"),
            ),
            System::ReadOnlyFilesystem => (
                ErrorKind::Denied,
                "the file system is mounted read-only",
                "mount it writable, or choose another folder; messages and keys must be stored"
                    .to_owned(),
            ),
            System::NotADirectory | System::AlreadyExists => (
                ErrorKind::Usage,
                "a file stands where a folder is needed",
                "give the path of a folder, or move the file away".to_owned(),
            ),
            System::IsADirectory => (
                ErrorKind::Usage,
                "a folder stands where a file is needed",
                format!("move {shown} away"),
            ),
            _ => {
                let message = format!("cannot {what} {shown}: {error}");
                return Self::new(ErrorKind::Internal, message);
            }
        };
        Self::new(kind, format!("cannot {what} {shown}: {problem}")).with_advice(advice)
    }

    /// Names the message it is about, and how far that got.
    #[must_use]
    pub fn about(mut self, message: impl Into<String>, state: impl Into<String>) -> Self {
        self.reached = Some(Reached {
            id: message.into(),
            state: state.into(),
        });
        self
    }

    /// The message it is about, if about one.
    #[must_use]
    pub fn reached(&self) -> Option<&Reached> {
        self.reached.as_ref()
    }

    /// Replaces the advice.
    #[must_use]
    pub fn with_advice(mut self, advice: impl Into<String>) -> Self {
        self.advice = Some(advice.into());
        self
    }

    /// The coarse kind.
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        self.kind
    }

    /// What happened.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.message
    }

    /// What to do about it.
    #[must_use]
    pub fn advice(&self) -> &str {
        self.advice.as_deref().unwrap_or(self.kind.advice())
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Error {}

impl From<OpenError> for Error {
    fn from(error: OpenError) -> Self {
        let kind = match error {
            OpenError::Busy { .. } => ErrorKind::AlreadyRunning,
            OpenError::WrongKey | OpenError::Damaged | OpenError::Newer { .. } => {
                ErrorKind::Damaged
            }
            OpenError::Full => ErrorKind::DiskFull,
            OpenError::Io(ref error) => {
                return Self::system("open", Path::new("a database of this folder"), error);
            }
            OpenError::Failed(_) => ErrorKind::Internal,
        };
        Self::new(kind, error.to_string())
    }
}

impl From<StorageErrorKind> for ErrorKind {
    fn from(kind: StorageErrorKind) -> Self {
        match kind {
            StorageErrorKind::Full => Self::DiskFull,
            StorageErrorKind::Busy => Self::AlreadyRunning,
            StorageErrorKind::Corrupt | StorageErrorKind::Damaged => Self::Damaged,
            StorageErrorKind::Failed => Self::Internal,
        }
    }
}

impl From<DriveError> for Error {
    fn from(error: DriveError) -> Self {
        Self::new(ErrorKind::Internal, error.to_string())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_name_is_its_own_and_finds_its_kind() {
        for kind in ErrorKind::ALL {
            assert_eq!(ErrorKind::from_name(kind.name()), Some(kind));
        }
        assert_eq!(ErrorKind::from_name("nonsense"), None);
    }

    #[test]
    fn what_a_person_can_mend_is_no_fault_of_the_program() {
        use io::ErrorKind as System;
        for (system, kind) in [
            (System::StorageFull, ErrorKind::DiskFull),
            (System::PermissionDenied, ErrorKind::Denied),
            (System::ReadOnlyFilesystem, ErrorKind::Denied),
            (System::NotADirectory, ErrorKind::Usage),
            (System::AlreadyExists, ErrorKind::Usage),
            (System::Other, ErrorKind::Internal),
        ] {
            let error = Error::system("make", Path::new("/some/home"), &system.into());
            assert_eq!(error.kind(), kind, "{error}");
        }
    }
}

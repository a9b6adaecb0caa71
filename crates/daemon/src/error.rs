//! The one error every face shows: a coarse kind, what happened, what to do.

use std::fmt;
use std::io;
use std::path::Path;

use hushwing_sansio::StorageErrorKind;
use hushwing_store::OpenError;
use hushwing_transport::DriveError;

pub use hushwing_api::ErrorKind;

use crate::api::view::{FailureBody, Reached};

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

/// How a fault of the storage is told.
pub(crate) fn of_storage(kind: StorageErrorKind) -> ErrorKind {
    match kind {
        StorageErrorKind::Full => ErrorKind::DiskFull,
        StorageErrorKind::Busy => ErrorKind::AlreadyRunning,
        StorageErrorKind::Corrupt | StorageErrorKind::Damaged => ErrorKind::Damaged,
        StorageErrorKind::Failed => ErrorKind::Internal,
    }
}

impl From<DriveError> for Error {
    fn from(error: DriveError) -> Self {
        Self::new(ErrorKind::Internal, error.to_string())
    }
}

impl From<&Error> for FailureBody {
    fn from(error: &Error) -> Self {
        Self {
            kind: error.kind().name().to_owned(),
            message: error.message().to_owned(),
            advice: error.advice().to_owned(),
            reached: error.reached().cloned(),
        }
    }
}

impl From<FailureBody> for Error {
    fn from(body: FailureBody) -> Self {
        let kind = ErrorKind::from_name(&body.kind).unwrap_or(ErrorKind::Internal);
        let error = Self::new(kind, body.message).with_advice(body.advice);
        match body.reached {
            Some(Reached { id, state }) => error.about(id, state),
            None => error,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

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

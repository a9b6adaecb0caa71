//! Kinds of error, as every face shows them.

use schemars::JsonSchema;

/// What went wrong, coarse enough to act on. The names are part of the local
/// API and of the command line's JSON.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash, JsonSchema)]
#[schemars(rename_all = "snake_case")]
pub enum ErrorKind {
    /// The command or request itself is wrong.
    Usage,
    /// No daemon answers on this home.
    DaemonNotRunning,
    /// No daemon answers on this home, and starting one takes a passphrase.
    Locked,
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
    pub const ALL: [Self; 24] = [
        Self::Usage,
        Self::DaemonNotRunning,
        Self::Locked,
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
            Self::Locked => "locked",
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

    /// The HTTP status of an error answer of that kind.
    #[must_use]
    pub const fn status(self) -> u16 {
        match self {
            Self::Usage | Self::BadLink | Self::BadFile => 400,
            Self::WrongPassphrase | Self::Denied => 403,
            Self::NotFound | Self::NoProfile => 404,
            Self::Ambiguous | Self::Exists | Self::AlreadyRunning | Self::Mismatch => 409,
            Self::LinkUsed | Self::LinkExpired => 410,
            Self::DaemonNotRunning
            | Self::Locked
            | Self::PortInUse
            | Self::Damaged
            | Self::Internal => 500,
            Self::Unreachable | Self::WrongServer | Self::Refused | Self::Protocol => 502,
            Self::Timeout => 504,
            Self::DiskFull => 507,
        }
    }

    /// What a person can do, where no better advice is at hand.
    #[must_use]
    pub const fn advice(self) -> &'static str {
        match self {
            Self::Usage => "see `hushwing help`",
            Self::DaemonNotRunning => "start it with `hushwing up`",
            Self::Locked => "unlock it with `hushwing up`, which asks for the passphrase",
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
    fn the_schema_names_the_kinds_as_they_are_sent() {
        let schema = schemars::schema_for!(ErrorKind).to_value().to_string();
        for kind in ErrorKind::ALL {
            assert!(schema.contains(&format!("\"{}\"", kind.name())), "{kind:?}");
        }
    }
}

//! What can be shown to others: the mode of a conversation, proofs of messages,
//! and checking them.

use hushwing_api::request::ModeName;
use hushwing_conversation::content::{Content, Mode};
use hushwing_conversation::proof::{CheckError, Confirmation, Proved, check};
use hushwing_conversation::view::ModeView;
use hushwing_conversation::{Command, Reply};

use super::contact::find;
use super::message::meant;
use super::{Handle, show};
use crate::api::view;
use crate::error::{Error, ErrorKind};
use crate::profile::unexpected;

impl Handle {
    /// Whether a conversation can be proved to others, and who wishes it.
    pub async fn mode(&self, profile: Option<&str>, name: &str) -> Result<view::Mode, Error> {
        let profile = self.profile(profile)?;
        let found = find(&profile, name)?;
        let contact = found.contact;
        match profile.ask(Command::Mode { contact }).await? {
            Reply::Mode(shown) => Ok(mode(&shown, found.name)),
            _ => Err(unexpected()),
        }
    }

    /// Wishes a conversation to be of a mode.
    pub async fn set_mode(
        &self,
        profile: Option<&str>,
        name: &str,
        wished: ModeName,
    ) -> Result<view::Mode, Error> {
        let profile = self.profile(profile)?;
        let found = find(&profile, name)?;
        let mode_wished = match wished {
            ModeName::Normal => Mode::Normal,
            ModeName::Provable => Mode::Provable,
            ModeName::Otr => Mode::Otr,
        };
        let command = Command::SetMode {
            contact: found.contact,
            mode: mode_wished,
        };
        match profile.ask(command).await? {
            Reply::Mode(shown) => Ok(mode(&shown, found.name)),
            _ => Err(unexpected()),
        }
    }

    /// The proof of a message, as the text of a file.
    pub async fn prove(&self, profile: Option<&str>, id: &str) -> Result<view::Proof, Error> {
        let profile = self.profile(profile)?;
        let message = meant(&profile, id).await?;
        match profile.ask(Command::Prove { message }).await? {
            Reply::Proof(proof) => Ok(view::Proof {
                message: message.to_string(),
                proof: proof.to_text(),
                receipts: proof.receipts.len(),
            }),
            _ => Err(unexpected()),
        }
    }
}

/// A mode as faces show it.
pub(super) fn mode(shown: &ModeView, name: String) -> view::Mode {
    view::Mode {
        name,
        mode: mode_name(shown.in_force).to_owned(),
        mine: mode_name(shown.mine).to_owned(),
        theirs: mode_name(shown.theirs).to_owned(),
        my_key: shown.my_key.map(|key| key.to_string()),
        their_key: shown.their_key.map(|key| key.to_string()),
        their_key_changed: shown.their_key_changed,
    }
}

pub(super) fn mode_name(mode: Mode) -> &'static str {
    match mode {
        Mode::Normal => "normal",
        Mode::Provable => "provable",
        Mode::Otr => "otr",
    }
}

/// Checks the text of a proof file. Needs no daemon, no profile and no network.
///
/// # Errors
///
/// [`ErrorKind::BadFile`] where it is no proof file, [`ErrorKind::Mismatch`] where
/// it was tampered with.
pub fn check_proof(text: &[u8]) -> Result<view::Proved, Error> {
    match check(text) {
        Ok(proved) => Ok(document(&proved)),
        Err(error) => Err(refused(error)),
    }
}

fn refused(error: CheckError) -> Error {
    let (kind, advice) = match error {
        CheckError::Author | CheckError::Receipt => (
            ErrorKind::Mismatch,
            "the file was altered or made up; believe nothing of it",
        ),
        CheckError::Proof(_)
        | CheckError::Message(_)
        | CheckError::Stamp(_)
        | CheckError::Meaning(_)
        | CheckError::Unsignable => (
            ErrorKind::BadFile,
            "ask for the file again, whole and unchanged; as it is it proves nothing",
        ),
    };
    Error::new(kind, format!("this proves nothing: {error}")).with_advice(advice)
}

fn document(proved: &Proved) -> view::Proved {
    let (kind, about) = match &proved.content {
        Content::Edit { target, .. } => ("edit", Some(target)),
        Content::Delete { target } => ("delete", Some(target)),
        Content::Reaction { target, .. } => ("reaction", Some(target)),
        Content::Unreact { reaction } => ("reaction removed", Some(reaction)),
        Content::Post(post) => ("message", post.reply_to.as_ref()),
        _ => ("message", None),
    };
    let text = match &proved.content {
        Content::Reaction { mark, .. } => mark.as_str().to_owned(),
        content => content.to_plain(),
    };
    let received = proved.received.iter().map(|(status, at)| view::Confirmed {
        state: match status {
            Confirmation::Delivered => "delivered",
            Confirmation::Read => "read",
        }
        .to_owned(),
        at: show::time(*at),
    });
    view::Proved {
        kind: kind.to_owned(),
        text,
        about: about.map(ToString::to_string),
        author: proved.author.to_string(),
        audience: proved.audience.to_string(),
        conversation: proved.conversation.to_string(),
        said_at: show::time(proved.said_at),
        received: received.collect(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_no_proof_is_told_as_a_bad_file() {
        for text in [&b""[..], b"-----BEGIN HUSHWING PROOF-----\n", &[0xff; 40]] {
            let error = check_proof(text).unwrap_err();
            assert_eq!(error.kind(), ErrorKind::BadFile);
        }
    }
}

//! Two people who talk, for benches.

use core::time::Duration;

use hushwing_sansio::{Entropy, StorageError};

use super::{Home, Village};
use crate::{Command, ContactId, Event, Reply};

/// Somebody, and the other one as they know them.
type Side = (Home, ContactId);

/// Messages said before the other side speaks.
const TURN: u64 = 10;

/// Two people who met by a one-time link and talk in turns of ten messages.
pub struct Talk {
    village: Village,
    sides: [Side; 2],
    said: u64,
}

impl Talk {
    /// Two people who have just met.
    ///
    /// # Errors
    ///
    /// When they fail to meet, which is a bug.
    pub fn begin(entropy: Box<dyn Entropy>) -> Result<Self, StorageError> {
        let fault = || StorageError::corrupt("letting two people meet");
        let mut village = Village::new(entropy);
        let inviter = village.move_in("inviter", Duration::ZERO)?;
        let joiner = village.move_in("joiner", Duration::ZERO)?;
        let invite = Command::Invite {
            reusable: false,
            network: None,
        };
        let Some(Ok(Reply::Invitation(invitation))) = village.ask(inviter, invite)? else {
            return Err(fault());
        };
        let join = Command::Join {
            link: invitation.link,
        };
        let Some(Ok(Reply::Joined(theirs))) = village.ask(joiner, join)? else {
            return Err(fault());
        };
        village.rest()?;
        let Some(Ok(Reply::Contacts(known))) = village.ask(inviter, Command::Contacts)? else {
            return Err(fault());
        };
        let contact = known.first().ok_or_else(fault)?.contact;
        let mut talk = Self {
            village,
            sides: [(inviter, contact), (joiner, theirs.contact)],
            said: 0,
        };
        talk.settle()?;
        Ok(talk)
    }

    /// Says `text` and has it arrive, the whole way: content, MLS, outbox, seal,
    /// network command; network event, seal, inbox, MLS, content, the event for
    /// the face; one delivery receipt per turn, commits as they fall due.
    ///
    /// # Errors
    ///
    /// When it does not arrive, which is a bug.
    pub fn say(&mut self, text: &str) -> Result<(), StorageError> {
        let (from, to) = self.turn();
        let command = Command::Send {
            contact: from.1,
            text: text.to_owned(),
            reply_to: None,
        };
        if !matches!(
            self.village.ask(from.0, command)?,
            Some(Ok(Reply::Sent { .. }))
        ) {
            return Err(StorageError::corrupt("saying something"));
        }
        self.village.carry()?;
        self.heard(from.0, to.0)?;
        self.said += 1;
        if self.said.is_multiple_of(TURN) {
            self.settle()
        } else {
            Ok(())
        }
    }

    /// Says `text` and has it arrive by this room's part of the way only:
    /// content, MLS, storage, the event for the face; no post office, no seal,
    /// no receipts. Commits as they fall due.
    ///
    /// # Errors
    ///
    /// When it does not arrive, which is a bug.
    pub fn say_unposted(&mut self, text: &str) -> Result<(), StorageError> {
        let (from, to) = self.turn();
        self.village.hand_over(from, to, text)?;
        self.said += 1;
        self.heard(from.0, to.0)
    }

    fn turn(&self) -> (Side, Side) {
        let [one, other] = self.sides;
        if (self.said / TURN).is_multiple_of(2) {
            (one, other)
        } else {
            (other, one)
        }
    }

    fn heard(&mut self, from: Home, to: Home) -> Result<(), StorageError> {
        self.village.events(from);
        let arrived = |event: &Event| matches!(event, Event::Arrived { .. });
        if self.village.events(to).iter().any(arrived) {
            Ok(())
        } else {
            Err(StorageError::corrupt("hearing something"))
        }
    }

    /// Has receipts leave.
    fn settle(&mut self) -> Result<(), StorageError> {
        self.village.rest()?;
        for (home, _) in self.sides {
            self.village.events(home);
        }
        Ok(())
    }
}

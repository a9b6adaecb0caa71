//! Two people who talk, for benches.

use core::time::Duration;

use hushwing_sansio::{Entropy, StorageError};

use super::{Home, Village};
use crate::{Command, ContactId, Event, Reply};

/// Messages said before the other side speaks.
const TURN: u64 = 10;

/// Two people who met by a one-time link and talk in turns of ten messages.
///
/// What a bench measures is the whole way of a message through both machines:
/// content, MLS, outbox, seal, network command; network event, seal, inbox,
/// MLS, content, the event for the face; and one delivery receipt per turn.
pub struct Talk {
    village: Village,
    sides: [(Home, ContactId); 2],
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

    /// Says `text` and has it arrive on the other side.
    ///
    /// # Errors
    ///
    /// When it does not arrive, which is a bug.
    pub fn say(&mut self, text: &str) -> Result<(), StorageError> {
        let [one, other] = self.sides;
        let (from, to) = if (self.said / TURN).is_multiple_of(2) {
            (one, other)
        } else {
            (other, one)
        };
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
        let arrived = |event: &Event| matches!(event, Event::Arrived { .. });
        if !self.village.events(to.0).iter().any(arrived) {
            return Err(StorageError::corrupt("hearing something"));
        }
        self.village.events(from.0);
        self.said += 1;
        if self.said.is_multiple_of(TURN) {
            self.settle()
        } else {
            Ok(())
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

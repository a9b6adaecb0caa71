//! Signing what is said and received, and showing it to others.
//!
//! What is signed is signed once: a message carries its signature in its stored
//! content, also when it is encrypted again, and a receipt confirms the stored
//! time at which a message came or was read, so that it has one signature
//! however often it is sent.

use hushwing_sansio::StorageError;

use super::inquiry::message_with;
use super::people::Person;
use super::show::taken_back;
use super::stop::Stop;
use super::{Call, Messenger};
use crate::content::{
    Content, Message, MessageId, Mode, Receipt, Signature, SignedReceipt, Status,
};
use crate::proof::{Confirmation, Proof, ReceiptProof, Received, Said, digest, receipt_time};
use crate::storage::{MessageKind, MessageRecord, MessageState, SignedReceiptRecord};
use crate::{ContactId, DropReason, Refusal, Reply, Storage};

/// Milliseconds of a minute.
const MINUTE: u64 = 60_000;

/// A message with a signature that its author made for this conversation.
struct Signed {
    said: Said,
    signature: Signature,
    /// What was signed.
    content: Vec<u8>,
}

impl Person {
    /// Signs my next message, if the conversation is provable now.
    pub(super) fn sign(&self, content: Vec<u8>) -> Result<Vec<u8>, StorageError> {
        if self.mode.in_force(None) != Mode::Provable {
            return Ok(content);
        }
        let missing = || StorageError::corrupt("signing a message");
        let key = self.identity_key().ok_or_else(missing)?;
        let said = Said {
            conversation: self.record.conversation,
            author: key.public(),
            audience: self.mode.their_key(None).ok_or_else(missing)?,
            content: digest(&content),
        };
        let signature = Signature {
            author: said.author,
            audience: said.audience,
            bytes: said.sign(&key),
        };
        signature.put_into(&content).map_err(|_| missing())
    }

    /// Whether a message can be proved; nothing where nobody expects it.
    pub(super) fn provable(&self, record: &MessageRecord) -> Option<bool> {
        if self.mode.is_untouched() || record.is_off_record() {
            return None;
        }
        let message = Message::decode(&record.content).ok()?;
        // What nobody signs is missed by nobody.
        if !Content::read(&message).is_ok_and(|content| content.is_signable()) {
            return None;
        }
        if message.extensions.0.contains_key(&Signature::KEY) {
            return Some(self.signed(record).is_some());
        }
        let in_force = self.mode.in_force(Some(&record.position));
        (in_force == Mode::Provable).then_some(false)
    }

    /// A message with its signature, if that is one of a key that its author told
    /// in this conversation, and made for who it was said to. Where they told it
    /// does not matter: a wish said later, or with an earlier place, must not undo
    /// what could be proved.
    fn signed(&self, record: &MessageRecord) -> Option<Signed> {
        let unsigned = Signature::take_off(&record.content).ok()?;
        let signature = unsigned.signature?.ok()?;
        let mine = self.my_identity()?;
        let meant = match record.mine {
            true => {
                mine == signature.author && self.mode.their_keys().contains(&signature.audience)
            }
            false => {
                mine == signature.audience && self.mode.their_keys().contains(&signature.author)
            }
        };
        let said = Said {
            conversation: self.record.conversation,
            author: signature.author,
            audience: signature.audience,
            content: digest(&unsigned.content),
        };
        (meant && said.is_signed(&signature.bytes)).then_some(Signed {
            said,
            signature,
            content: unsigned.content,
        })
    }

    /// The receipt for a message of theirs that can be proved, signed. It tells the
    /// minute: nobody has to be able to show more of when somebody was there.
    fn sign_receipt(&self, record: &MessageRecord, status: Status) -> Option<SignedReceipt> {
        let (status, at) = match status {
            Status::DELIVERED => (Confirmation::Delivered, record.times.delivered?),
            Status::READ => (Confirmation::Read, record.times.read?),
            _ => return None,
        };
        if record.mine {
            return None;
        }
        let at = receipt_time(at.as_millis() / MINUTE * MINUTE)?;
        let said = self.signed(record)?.said;
        let received = Received { said, status, at };
        Some(SignedReceipt {
            message: *record.id(),
            status,
            at,
            signature: received.sign(&self.identity_key()?),
        })
    }
}

impl Messenger {
    /// Signs the receipts that are for messages which can be proved, while the
    /// conversation is provable; the others stay plain.
    pub(super) fn sign_receipts(
        &self,
        call: &Call<'_, '_>,
        contact: ContactId,
        receipts: Vec<Receipt>,
    ) -> Result<(Vec<SignedReceipt>, Vec<Receipt>), StorageError> {
        let person = self.people.get(&contact);
        let Some(person) = person.filter(|one| one.mode.in_force(None) == Mode::Provable) else {
            return Ok((Vec::new(), receipts));
        };
        let (mut signed, mut plain) = (Vec::new(), Vec::new());
        for receipt in receipts {
            let record = message_with(call.storage, contact, &receipt.message)?;
            match record.and_then(|record| person.sign_receipt(&record, receipt.status)) {
                Some(receipt) => signed.push(receipt),
                None => plain.push(receipt),
            }
        }
        Ok((signed, plain))
    }

    /// A contact told what became of my messages, and signed it. What they did
    /// not sign as it has to be tells nothing.
    pub(super) fn apply_signed_receipts(
        &mut self,
        call: &mut Call<'_, '_>,
        contact: ContactId,
        receipts: &[SignedReceipt],
    ) -> Result<(), StorageError> {
        let mut wrong = false;
        for receipt in receipts {
            // Of a message that is gone here nothing can be said.
            let Some(record) = message_with(call.storage, contact, &receipt.message)? else {
                continue;
            };
            // What it said may be gone here, and with it all that a signature could
            // prove. That it arrived is still told, as by a plain receipt.
            let gone = record.mine && record.content.is_empty();
            if record.is_off_record() || (!gone && !self.is_confirmed(&record, receipt)) {
                wrong = true;
                continue;
            }
            if !gone {
                keep(call.storage, contact, receipt)?;
            }
            let state = match receipt.status {
                Confirmation::Delivered => MessageState::Delivered,
                Confirmation::Read => MessageState::Read,
            };
            if record.state < state {
                self.confirmed(call, record, state)?;
            }
        }
        match wrong {
            true => self.drop_letter(Some(contact), DropReason::Receipt),
            false => Ok(()),
        }
    }

    /// Whether somebody signed to have received a message of mine.
    fn is_confirmed(&self, record: &MessageRecord, receipt: &SignedReceipt) -> bool {
        let person = self.people.get(&record.contact);
        let signed = person
            .filter(|_| record.mine)
            .and_then(|person| person.signed(record));
        signed.is_some_and(|signed| {
            let received = Received {
                said: signed.said,
                status: receipt.status,
                at: receipt.at,
            };
            received.is_signed(&receipt.signature)
        })
    }

    /// The proof of the last version of a message that can be proved: an edit
    /// without signature takes nothing back.
    pub(super) fn prove(&self, call: &Call<'_, '_>, message: &MessageId) -> Result<Reply, Stop> {
        let record = call.storage.message(message)?.ok_or(Refusal::NoMessage)?;
        if record.kind == MessageKind::Control {
            return Err(Refusal::NoMessage.into());
        }
        if taken_back(call.storage, &record)? {
            return Err(Refusal::Deleted.into());
        }
        if record.is_off_record() {
            return Err(Refusal::OffRecord.into());
        }
        let person = self.people.get(&record.contact).ok_or(Refusal::NoContact)?;
        let versions = versions(call.storage, record)?.into_iter().rev();
        let mut provable = versions.filter(|version| person.provable(version) == Some(true));
        let last = provable.find_map(|version| Some((person.signed(&version)?, version)));
        let (signed, record) = last.ok_or(Refusal::NotProvable)?;
        let receipts = call.storage.signed_receipts(record.id())?;
        Ok(Reply::Proof(Proof {
            conversation: signed.said.conversation,
            author: signed.said.author,
            audience: signed.said.audience,
            content: signed.content,
            signature: signed.signature.bytes,
            receipts: receipts
                .iter()
                .map(|receipt| ReceiptProof {
                    status: receipt.status,
                    at: receipt.at,
                    signature: receipt.signature,
                })
                .collect(),
        }))
    }
}

/// Keeps a receipt that was verified.
fn keep(
    storage: &mut dyn Storage,
    contact: ContactId,
    receipt: &SignedReceipt,
) -> Result<(), StorageError> {
    storage.add_signed_receipt(&SignedReceiptRecord {
        message: receipt.message,
        contact,
        status: receipt.status,
        at: receipt.at,
        signature: receipt.signature,
    })
}

/// What a message said, and what its author had it say later, as it is known.
fn versions(
    storage: &dyn Storage,
    record: MessageRecord,
) -> Result<Vec<MessageRecord>, StorageError> {
    let edits = storage.edits(record.contact, record.id(), record.mine)?;
    Ok([record].into_iter().chain(edits).collect())
}

//! What happens to our queues unasked: messages, take-overs, losses.

use hushwing_delivery::{MailboxFailure, MailboxId, NetworkEvent, ReceiptId};
use hushwing_sansio::{Context, StorageError};
use zeroize::Zeroizing;

use super::body;
use super::machine::Client;
use super::mailbox::Mailbox;
use super::records::{MailboxRecord, Queue};
use super::session::{Ended, Job};
use super::storage::Storage;
use crate::address::Server;
use crate::wire::auth::Signer;
use crate::wire::{Command, MessageContent, open_message};

impl Client {
    /// Another connection subscribed with our key: a second copy of this
    /// profile is running.
    pub(super) fn taken_over(&mut self, cx: &mut Context<'_>, server: &Server, id: MailboxId) {
        if let Some(mailbox) = self.mailboxes.get_mut(&id) {
            mailbox.subscribed = false;
            self.try_later(cx.now(), server);
        }
    }

    /// The server does not have the queue any more. Nothing of it is of use,
    /// but that it was lost is kept until the room above closes the mailbox.
    pub(super) fn lost(
        &mut self,
        storage: &mut dyn Storage,
        id: MailboxId,
    ) -> Result<(), StorageError> {
        let Some(mailbox) = self.mailboxes.get_mut(&id) else {
            return Ok(());
        };
        if mailbox.record.closing {
            return self.forget(storage, id);
        }
        let server = mailbox.record.server.clone();
        let seed = Zeroizing::new([0; 32]);
        let lost = Mailbox::new(MailboxRecord {
            seed,
            server: server.clone(),
            mode: mailbox.record.mode,
            queue: Queue::Lost,
            link: None,
            closing: false,
        })?;
        let before = core::mem::replace(mailbox, lost);
        if let Some((_, receipt)) = before.delivered {
            self.receipts.remove(&receipt);
        }
        self.leave(id, &server);
        self.mailbox_failed(id, MailboxFailure::Gone);
        self.store(storage, id)
    }

    /// A message came. What cannot be handed up is acknowledged at once, else
    /// it would block the queue for ever.
    pub(super) fn message(
        &mut self,
        cx: &mut Context<'_>,
        id: MailboxId,
        message: &[u8],
        sealed: &[u8],
    ) {
        let Some(mailbox) = self.mailboxes.get_mut(&id) else {
            return;
        };
        if mailbox.record.closing {
            return;
        }
        let mut sealed = sealed.to_vec();
        let opened = mailbox
            .box_key
            .as_ref()
            .map(|key| open_message(key, message, &mut sealed));
        let envelope = match opened {
            Some(Ok(MessageContent::Message { body, .. })) => body::decode(body).ok(),
            _ => None,
        };
        let Some(envelope) = envelope else {
            self.send_acknowledgement(cx, id, message);
            return;
        };
        let receipt = match &mailbox.delivered {
            Some((told, receipt)) if told == message => *receipt,
            earlier => {
                if let Some((_, receipt)) = earlier {
                    self.receipts.remove(receipt);
                }
                let receipt = ReceiptId(self.next_receipt);
                self.next_receipt += 1;
                mailbox.delivered = Some((message.to_vec(), receipt));
                self.receipts.insert(receipt, id);
                receipt
            }
        };
        self.tell(NetworkEvent::Received {
            mailbox: id,
            receipt,
            envelope,
        });
    }

    pub(super) fn acknowledge(&mut self, cx: &mut Context<'_>, receipt: ReceiptId) {
        let Some(id) = self.receipts.remove(&receipt) else {
            return;
        };
        let Some(mailbox) = self.mailboxes.get_mut(&id) else {
            return;
        };
        if let Some((message, _)) = mailbox.delivered.take_if(|(_, told)| *told == receipt) {
            self.send_acknowledgement(cx, id, &message);
        }
    }

    /// Without a session nothing is sent: the server tells the message again
    /// and is answered then.
    fn send_acknowledgement(&mut self, cx: &mut Context<'_>, id: MailboxId, message: &[u8]) {
        let Some(mailbox) = self.mailboxes.get(&id) else {
            return;
        };
        let Some(made) = mailbox.made() else { return };
        let Some(session) = self.sessions.get_mut(&mailbox.record.server) else {
            return;
        };
        let signer = Some(Signer::Ed25519(&mailbox.key));
        let command = Command::Ack(message);
        session.transmit(
            cx,
            Job::Acknowledge(id),
            &made.recipient_id,
            signer,
            &command,
        );
    }

    /// The session with a server ended: what that means for mailboxes there.
    pub(super) fn mailboxes_lost(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        server: &Server,
        why: Ended,
    ) -> Result<(), StorageError> {
        let ids = self
            .sessions
            .get(server)
            .map(|session| session.mailboxes.clone());
        for id in ids.unwrap_or_default() {
            let Some(mailbox) = self.mailboxes.get_mut(&id) else {
                continue;
            };
            mailbox.subscribed = false;
            mailbox.asked = false;
            if mailbox.made().is_some() {
                continue;
            }
            if mailbox.record.closing {
                self.forget(storage, id)?;
                continue;
            }
            self.not_made(cx, storage, id, server, why)?;
        }
        Ok(())
    }
}

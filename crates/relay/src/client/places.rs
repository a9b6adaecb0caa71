//! On which server a mailbox is made, and which mailboxes are to leave theirs.

use hushwing_delivery::{MailboxId, NetworkEvent};
use hushwing_sansio::{Context, StorageError};

use super::machine::Client;
use super::session::{Ended, Job};
use super::storage::Storage;
use crate::address::{Server, ServerAddress};

impl Client {
    /// Changes the servers on which new mailboxes are made. Mailboxes that
    /// exist stay where they are; of those elsewhere the room above is told.
    pub fn set_servers(&mut self, servers: Vec<ServerAddress>) {
        self.servers = servers;
        self.tell_displaced();
    }

    /// Tells which mailboxes lie on servers that are not chosen any more. Where
    /// none is chosen, there is no elsewhere.
    pub(super) fn tell_displaced(&mut self) {
        let outside = self.mailboxes.iter().filter(|(_, mailbox)| {
            let server = &mailbox.record.server;
            !mailbox.record.closing
                && !mailbox.is_lost()
                && !self.servers.iter().any(|known| known.server == *server)
        });
        let mailboxes: Vec<MailboxId> = outside.map(|(id, _)| *id).collect();
        if !mailboxes.is_empty() && !self.servers.is_empty() {
            self.tell(NetworkEvent::Displaced { mailboxes });
        }
    }

    /// A server for a new mailbox: one at random of those where none of `apart`
    /// lies and with which there is no trouble, as far as there are such.
    pub(super) fn choose_server(
        &self,
        cx: &mut Context<'_>,
        apart: &[MailboxId],
    ) -> Option<Server> {
        let shared = self.servers_of(apart);
        let chosen = self.pick(cx, |server| !shared.contains(&server));
        chosen.or_else(|| self.pick(cx, |_| true))
    }

    /// Another server for a mailbox that could not be made on `from`.
    fn choose_again(&self, cx: &mut Context<'_>, id: MailboxId) -> Option<Server> {
        let mailbox = self.mailboxes.get(&id)?;
        let shared = self.servers_of(&mailbox.apart);
        self.pick(cx, |server| {
            !shared.contains(&server) && !mailbox.tried.contains(server)
        })
    }

    fn servers_of(&self, mailboxes: &[MailboxId]) -> Vec<&Server> {
        let known = mailboxes.iter().filter_map(|id| self.mailboxes.get(id));
        known.map(|mailbox| &mailbox.record.server).collect()
    }

    /// One at random that may be taken, of those without trouble if there is
    /// one.
    fn pick(&self, cx: &mut Context<'_>, may: impl Fn(&Server) -> bool) -> Option<Server> {
        let all = self.servers.iter().map(|known| &known.server);
        let all: Vec<_> = all.filter(|server| may(server)).collect();
        let sound: Vec<_> = all
            .iter()
            .copied()
            .filter(|server| {
                let session = self.sessions.get(*server);
                session.is_none_or(|session| session.pace.down().is_none())
            })
            .collect();
        let from = if sound.is_empty() { all } else { sound };
        let count = u64::try_from(from.len()).unwrap_or(0);
        if count == 0 {
            return None;
        }
        let at = usize::try_from(cx.random_below(count)).unwrap_or(0);
        from.get(at).map(|server| (*server).clone())
    }

    /// A mailbox could not be made, for the session with `server` ended. It is
    /// tried on others; only when none is left is the room above told.
    pub(super) fn not_made(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        id: MailboxId,
        server: &Server,
        why: Ended,
    ) -> Result<(), StorageError> {
        let elsewhere = why != Ended::Broken;
        if elsewhere {
            self.note_tried(id, server);
            if let Some(to) = self.choose_again(cx, id) {
                return self.move_mailbox(storage, id, server, to);
            }
        }
        let Some(mailbox) = self.mailboxes.get_mut(&id) else {
            return Ok(());
        };
        mailbox.tried.clear();
        if !mailbox.told_unreachable {
            mailbox.told_unreachable = true;
            self.mailbox_unreachable(id, server);
        }
        if !elsewhere {
            return Ok(());
        }
        // Another round, at the pace of each server.
        self.note_tried(id, server);
        match self.choose_again(cx, id) {
            Some(to) => self.move_mailbox(storage, id, server, to),
            None => Ok(()),
        }
    }

    fn note_tried(&mut self, id: MailboxId, server: &Server) {
        if let Some(mailbox) = self.mailboxes.get_mut(&id)
            && !mailbox.tried.contains(server)
        {
            mailbox.tried.push(server.clone());
        }
    }

    fn move_mailbox(
        &mut self,
        storage: &mut dyn Storage,
        id: MailboxId,
        from: &Server,
        to: Server,
    ) -> Result<(), StorageError> {
        self.leave(id, from);
        if let Some(mailbox) = self.mailboxes.get_mut(&id) {
            mailbox.record.server = to.clone();
        }
        let session = self.session(&to);
        session.mailboxes.insert(id);
        session.enqueue(Job::Create(id));
        self.store(storage, id)
    }
}

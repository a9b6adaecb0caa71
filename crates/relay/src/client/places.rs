//! On which server a mailbox is made, and which mailboxes are to leave theirs.

use hushwing_delivery::{MailboxFailure, MailboxId, NetworkEvent};
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
        for mailbox in self.mailboxes.values_mut() {
            mailbox.refused.clear();
        }
        self.tell_displaced();
    }

    /// Tells which mailboxes lie on servers that are not chosen any more, and that
    /// none does if some were told before. Where none is chosen, there is no
    /// elsewhere.
    pub(super) fn tell_displaced(&mut self) {
        let outside = self.mailboxes.iter().filter(|(_, mailbox)| {
            let server = &mailbox.record.server;
            !mailbox.record.closing
                && !mailbox.is_lost()
                && !self.servers.iter().any(|known| known.server == *server)
        });
        let mailboxes: Vec<MailboxId> = outside.map(|(id, _)| *id).collect();
        let told = core::mem::replace(&mut self.displaced_told, !mailboxes.is_empty());
        if (told || !mailboxes.is_empty()) && !self.servers.is_empty() {
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

    /// Another server for a mailbox that could not be made where it was asked for.
    fn choose_again(&self, cx: &mut Context<'_>, id: MailboxId) -> Option<Server> {
        let mailbox = self.mailboxes.get(&id)?;
        let shared = self.servers_of(&mailbox.apart);
        self.pick(cx, |server| {
            let failed = mailbox.tried.contains(server) || mailbox.refused.contains(server);
            !shared.contains(&server) && !failed
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
                return self.move_mailbox(cx, storage, id, server, to);
            }
        }
        self.not_made_anywhere(id, server);
        if !elsewhere {
            return Ok(());
        }
        // Another round, at the pace of each server.
        self.note_tried(id, server);
        match self.choose_again(cx, id) {
            Some(to) => self.move_mailbox(cx, storage, id, server, to),
            None => Ok(()),
        }
    }

    /// A mailbox was tried wherever it may lie: the room above is told once.
    fn not_made_anywhere(&mut self, id: MailboxId, server: &Server) {
        let Some(mailbox) = self.mailboxes.get_mut(&id) else {
            return;
        };
        mailbox.tried.clear();
        if !mailbox.told_unreachable {
            mailbox.told_unreachable = true;
            self.mailbox_unreachable(id, server);
        }
    }

    /// A server refused to make a mailbox. Others may take it, also those that are
    /// away; only when none is left is the room above told that it was refused.
    pub(super) fn not_taken(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        id: MailboxId,
        server: &Server,
    ) -> Result<(), StorageError> {
        let Some(mailbox) = self.mailboxes.get_mut(&id) else {
            return Ok(());
        };
        if mailbox.record.closing {
            return self.forget(storage, id);
        }
        mailbox.refused.push(server.clone());
        if let Some(to) = self.choose_again(cx, id) {
            return self.move_mailbox(cx, storage, id, server, to);
        }
        let away = self.mailboxes.get(&id);
        let away = away.and_then(|mailbox| mailbox.tried.last()).cloned();
        let Some(away) = away else {
            self.forget(storage, id)?;
            self.mailbox_failed(id, MailboxFailure::Refused);
            return Ok(());
        };
        self.not_made_anywhere(id, &away);
        match self.choose_again(cx, id) {
            Some(to) => self.move_mailbox(cx, storage, id, server, to),
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

    /// Has a mailbox made elsewhere, under other keys: by the same ones two
    /// servers that compare would know whose it is.
    fn move_mailbox(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut dyn Storage,
        id: MailboxId,
        from: &Server,
        to: Server,
    ) -> Result<(), StorageError> {
        self.leave(id, from);
        if let Some(mailbox) = self.mailboxes.get_mut(&id) {
            mailbox.begin_at(cx, to.clone())?;
        }
        let session = self.session(&to);
        session.mailboxes.insert(id);
        session.enqueue(Job::Create(id));
        self.store(storage, id)
    }
}

#[cfg(test)]
mod tests {
    use hushwing_delivery::Purpose;
    use hushwing_sansio::{Entropy, Moment, Timestamp};

    use super::super::records::Queue;
    use super::*;
    use crate::client::MemoryStorage;

    struct Count(u8);

    impl Entropy for Count {
        fn fill(&mut self, dest: &mut [u8]) {
            for byte in dest {
                self.0 = self.0.wrapping_mul(5).wrapping_add(17);
                *byte = self.0;
            }
        }
    }

    fn server(letter: char) -> ServerAddress {
        let zeros = "A".repeat(42);
        format!("smp://{letter}{zeros}=@one.example")
            .parse()
            .unwrap()
    }

    fn keys(client: &Client, id: MailboxId) -> ([u8; 32], [u8; 32], Vec<u8>) {
        let mailbox = client.mailboxes.get(&id).unwrap();
        let Queue::Wanted { dh } = &mailbox.record.queue else {
            panic!("made")
        };
        let public = mailbox.key.public().to_spki();
        (*mailbox.record.seed, **dh, public)
    }

    #[test]
    fn two_servers_that_were_asked_see_no_common_key() {
        for refused in [false, true] {
            let mut entropy = Count(1);
            let moment = Moment::default();
            let mut cx = Context::new(moment, Timestamp::from_secs(1), &mut entropy);
            let mut storage = MemoryStorage::default();
            let servers = vec![server('A'), server('B')];
            let mut client = Client::open(servers, &mut storage).unwrap();
            let id = MailboxId(1);
            let purpose = Purpose::Conversation;
            client
                .open_mailbox(&mut cx, &mut storage, id, &purpose, Vec::new())
                .unwrap();
            let (before, at) = (
                keys(&client, id),
                client.mailboxes[&id].record.server.clone(),
            );
            match refused {
                true => client.not_taken(&mut cx, &mut storage, id, &at),
                false => client.not_made(&mut cx, &mut storage, id, &at, Ended::Unreachable),
            }
            .unwrap();
            let after = keys(&client, id);
            assert_ne!(client.mailboxes[&id].record.server, at);
            assert_ne!(before.0, after.0);
            assert_ne!(before.1, after.1);
            assert_ne!(before.2, after.2, "nor the one of the commands");
        }
    }
}

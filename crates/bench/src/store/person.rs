//! Somebody with a full profile, and what they ask.

use hushwing_conversation::{
    Command, Config, ContactId, Event, Incoming, Messenger, Outgoing, Reply, Ticket,
};
use hushwing_sansio::{Context, Input, Machine as _, Moment, Output, Timestamp};
use hushwing_store::ProfileStore;
use hushwing_transport::OsEntropy;

use crate::BenchError;

/// When it is: 2027-01-15.
const NOW: Timestamp = Timestamp::from_secs(1_800_000_000);

pub(super) struct Person<'s> {
    messenger: Messenger,
    store: &'s mut ProfileStore,
}

impl<'s> Person<'s> {
    pub(super) fn open(store: &'s mut ProfileStore) -> Result<Self, BenchError> {
        let messenger = Messenger::open(&mut *store, Config::default()).map_err(failed)?;
        Ok(Self { messenger, store })
    }

    pub(super) fn store(&self) -> &ProfileStore {
        self.store
    }

    /// Reads the newest 50 messages of a conversation.
    pub(super) fn newest(&mut self, contact: ContactId) -> Result<(), BenchError> {
        let before = None;
        let most = 50;
        self.ask(Command::Read {
            contact,
            before,
            most,
        })
    }

    /// Looks for words in all conversations.
    pub(super) fn search(&mut self, words: &str) -> Result<(), BenchError> {
        self.ask(Command::Search {
            text: words.to_owned(),
            within: None,
            most: 50,
        })
    }

    fn ask(&mut self, command: Command) -> Result<(), BenchError> {
        let mut entropy = OsEntropy;
        let mut cx = Context::new(Moment::default(), NOW, &mut entropy);
        let ticket = Ticket(1);
        let asked = Input::Command(Incoming::Ask { ticket, command });
        self.store.begin().map_err(failed)?;
        self.messenger
            .handle(&mut cx, &mut *self.store, asked)
            .map_err(failed)?;
        self.store.commit().map_err(failed)?;
        while let Some(output) = self.messenger.poll_output() {
            if let Output::Event(Outgoing::Face(Event::Answer { answer, .. })) = output {
                return match answer {
                    Ok(Reply::Messages(messages)) if !messages.is_empty() => Ok(()),
                    Ok(_) => Err(BenchError::Bug("nothing was found")),
                    Err(refusal) => Err(BenchError::Conversation(refusal.to_string())),
                };
            }
        }
        Err(BenchError::Bug("no answer"))
    }
}

fn failed(error: hushwing_sansio::StorageError) -> BenchError {
    BenchError::Conversation(error.to_string())
}

//! A bot that answers every text with the same text.
//!
//! ```sh
//! cargo run -p hushwing-api --example echo_bot -- HOME [PROFILE]
//! ```
//!
//! It takes in everybody who asks, and may be stopped and started at will, as may
//! the daemon: what was said meanwhile is answered afterwards, and nothing twice.
//! It keeps nothing for that. An answer names the message it answers, so the
//! conversation itself says what is answered: of the last 1,000 messages of each.
//!
//! Do not let two such bots meet: each would answer the other for ever.
#![allow(clippy::print_stderr)]

use std::collections::{HashMap, HashSet};
use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use hushwing_api::calls::{AcceptRequest, Contacts, ReadMessages, Requests, SendMessage};
use hushwing_api::request::{Nothing, ReadQuery, SendBody};
use hushwing_api::view::Message;
use hushwing_api::{CallError, Client, Event};

const HISTORY: ReadQuery = ReadQuery { n: 1_000 };
const REST: Duration = Duration::from_millis(500);

#[tokio::main(flavor = "current_thread")]
async fn main() -> ExitCode {
    let mut words = std::env::args().skip(1);
    let Some(home) = words.next() else {
        eprintln!("usage: echo_bot HOME [PROFILE]");
        return ExitCode::from(2);
    };
    let socket = Path::new(&home).join("api.sock");
    serve(Client::new(socket).of_profile(words.next())).await
}

/// Answers for ever, whether or not the daemon runs.
pub(crate) async fn serve(api: Client) -> ExitCode {
    loop {
        let mut bot = Bot {
            api: api.clone(),
            answered: HashSet::new(),
            contacts: HashMap::new(),
        };
        if let Err(error) = bot.follow().await {
            eprintln!("echo_bot: {error}; trying again");
        }
        tokio::time::sleep(REST).await;
    }
}

struct Bot {
    api: Client,
    /// Messages that have an answer.
    answered: HashSet<String>,
    /// Contacts by conversation.
    contacts: HashMap<String, String>,
}

impl Bot {
    /// Answers until the daemon ends the stream.
    async fn follow(&mut self) -> Result<(), CallError> {
        // What happens is listened to before the past is read, so that nothing
        // falls between the two.
        let mut events = self.api.events().await?;
        while let Some(event) = events.next().await? {
            match event {
                Event::Watching | Event::Missed { .. } => self.catch_up().await?,
                Event::Message(event) => self.hear(event.message).await?,
                Event::Request { request, .. } => self.accept(request).await?,
                _ => {}
            }
        }
        Ok(())
    }

    async fn catch_up(&mut self) -> Result<(), CallError> {
        for request in self.api.ask::<Requests>(()).await? {
            self.accept(request.request).await?;
        }
        self.meet().await?;
        for contact in self.contacts.clone().into_values() {
            let said = self
                .api
                .call::<ReadMessages>(contact, &HISTORY, &Nothing {});
            let said = said.await?;
            let answered = said.iter().filter_map(|message| message.reply_to.clone());
            self.answered.extend(answered);
            for message in said {
                self.hear(message).await?;
            }
        }
        Ok(())
    }

    async fn meet(&mut self) -> Result<(), CallError> {
        let known = self.api.ask::<Contacts>(()).await?.into_iter();
        let connected = known.filter(|contact| contact.state == "connected");
        self.contacts
            .extend(connected.map(|contact| (contact.conversation, contact.contact)));
        Ok(())
    }

    async fn accept(&self, request: u64) -> Result<(), CallError> {
        let accepted = self.api.tell::<AcceptRequest>(request, &Nothing {}).await;
        unless_refused(accepted).map(drop)
    }

    async fn hear(&mut self, message: Message) -> Result<(), CallError> {
        if message.state != "received" {
            self.answered.extend(message.reply_to);
            return Ok(());
        }
        if self.answered.contains(&message.id) || message.text.is_empty() {
            return Ok(());
        }
        if !self.contacts.contains_key(&message.conversation) {
            self.meet().await?;
        }
        let Some(to) = self.contacts.get(&message.conversation) else {
            return Ok(());
        };
        let answer = SendBody {
            to: to.clone(),
            text: message.text,
            reply_to: Some(message.id.clone()),
            wait: None,
            timeout: None,
        };
        let sent = self.api.tell::<SendMessage>((), &answer).await;
        if unless_refused(sent)?.is_some() {
            self.answered.insert(message.id);
        }
        Ok(())
    }
}

/// One call that is refused must not silence the bot for all others.
fn unless_refused<T>(answer: Result<T, CallError>) -> Result<Option<T>, CallError> {
    match answer {
        Ok(answer) => Ok(Some(answer)),
        Err(CallError::Refused(error)) => {
            eprintln!("echo_bot: {}: {}", error.kind, error.message);
            Ok(None)
        }
        Err(error) => Err(error),
    }
}

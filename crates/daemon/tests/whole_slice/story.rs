//! What patient people do: look whether it happened, and ask again.

use std::time::Duration;

use hushwing_conversation::{
    Command, ContactId, Event, Incoming, Outgoing, Refusal, Reply, Secret, Standing, Ticket,
};
use hushwing_sim::{Netem, World};

use crate::rooms::{Person, Smp};

const HOUR: Duration = Duration::from_secs(60 * 60);

pub(crate) struct Story {
    pub(crate) world: World<Person, Smp>,
    name: String,
    tickets: u64,
}

impl Story {
    pub(crate) fn new(seed: u64, netem: Netem, name: String) -> Self {
        let world = World::new(seed, netem, 2).unwrap();
        Self {
            world,
            name,
            tickets: 0,
        }
    }

    /// Asks once; `None` if a crash swallowed question or answer.
    fn try_ask(&mut self, who: usize, command: &Command) -> Option<Result<Reply, Refusal>> {
        self.tickets += 1;
        let ticket = Ticket(self.tickets);
        let command = command.clone();
        let lives = self.world.lives(who);
        self.world.take_faced(who);
        self.world.command(who, Incoming::Ask { ticket, command });
        let mut answer = None;
        self.world
            .run_until(HOUR / 2, |world| {
                answer = world.faced(who).iter().find_map(|event| match event {
                    Outgoing::Face(Event::Answer { ticket: to, answer }) if *to == ticket => {
                        Some(answer.clone())
                    }
                    _ => None,
                });
                answer.is_some() || world.lives(who) != lives
            })
            .unwrap();
        answer
    }

    /// Asks a question that changes nothing until it is answered.
    fn ask(&mut self, who: usize, command: &Command) -> Reply {
        for _ in 0..4 {
            match self.try_ask(who, command) {
                Some(Ok(reply)) => return reply,
                Some(Err(refusal)) => panic!("{}: {command:?}: {refusal}", self.name),
                None => {}
            }
        }
        panic!("{}: {command:?} was never answered", self.name);
    }

    /// Gives a command until it has happened.
    fn insist<T>(
        &mut self,
        who: usize,
        command: &Command,
        mut happened: impl FnMut(&mut Self) -> Option<T>,
    ) -> T {
        for _ in 0..6 {
            let _ = self.try_ask(who, command);
            if let Some(it) = happened(self) {
                return it;
            }
        }
        panic!("{}: {command:?} did not happen", self.name);
    }

    pub(crate) fn invite(&mut self, who: usize, reusable: bool) -> Secret {
        let command = Command::Invite {
            reusable,
            network: None,
        };
        self.insist(who, &command, |story| {
            match story.ask(who, &Command::Invitations) {
                Reply::Invitations(mut views) => views.pop().map(|view| view.link),
                other => panic!("{other:?}"),
            }
        })
    }

    pub(crate) fn join(&mut self, who: usize, link: &Secret) {
        let command = Command::Join { link: link.clone() };
        self.insist(who, &command, |story| {
            story.world.run_for(HOUR / 6).unwrap();
            (!story.contacts(who).is_empty()).then_some(())
        });
    }

    /// Takes in the one who asks.
    pub(crate) fn accept(&mut self, who: usize) {
        let waiting = match self.ask(who, &Command::Requests) {
            Reply::Contacts(views) => views,
            other => panic!("{other:?}"),
        };
        let contact = waiting
            .first()
            .unwrap_or_else(|| panic!("{}: nobody asks", self.name))
            .contact;
        let established = |story: &mut Self| {
            let standings = story.contacts(who).into_iter();
            standings
                .map(|(_, standing)| standing)
                .find(|standing| *standing == Standing::Established)
        };
        self.insist(who, &Command::Accept { contact }, established);
    }

    fn contacts(&mut self, who: usize) -> Vec<(ContactId, Standing)> {
        match self.ask(who, &Command::Contacts) {
            Reply::Contacts(views) => views
                .iter()
                .map(|view| (view.contact, view.standing))
                .collect(),
            other => panic!("{other:?}"),
        }
    }

    /// The one contact, once it is established.
    pub(crate) fn established(&mut self, who: usize) -> ContactId {
        for _ in 0..6 {
            let contacts = self.contacts(who);
            assert!(contacts.len() <= 1, "{}: {contacts:?}", self.name);
            if let [(contact, Standing::Established)] = contacts[..] {
                return contact;
            }
            self.world.run_for(HOUR).unwrap();
        }
        panic!("{}: person {who} never got a contact", self.name);
    }

    pub(crate) fn say(&mut self, who: usize, contact: ContactId, text: &str) {
        let command = Command::Send {
            contact,
            text: text.into(),
            reply_to: None,
        };
        self.insist(who, &command, |story| {
            let texts = story.texts(who, contact);
            texts.contains(&text.to_owned()).then_some(())
        });
    }

    /// How many messages a conversation shows.
    pub(crate) fn says(&mut self, who: usize, contact: ContactId) -> usize {
        self.texts(who, contact).len()
    }

    fn texts(&mut self, who: usize, contact: ContactId) -> Vec<String> {
        let command = Command::Read {
            contact,
            before: None,
            most: 100,
        };
        match self.ask(who, &command) {
            Reply::Messages(views) => views.into_iter().map(|view| view.text).collect(),
            other => panic!("{other:?}"),
        }
    }

    /// Both show so many messages, each once, in one order.
    pub(crate) fn agree(&mut self, people: [(usize, ContactId); 2], count: usize) {
        let mut shown = Vec::new();
        for _ in 0..6 {
            self.world.run_for(HOUR).unwrap();
            shown = people
                .map(|(who, contact)| self.texts(who, contact))
                .to_vec();
            if shown.iter().all(|texts| texts.len() >= count) {
                break;
            }
        }
        assert_eq!(shown[0].len(), count, "{}: {shown:?}", self.name);
        assert_eq!(shown[0], shown[1], "{}", self.name);
    }
}

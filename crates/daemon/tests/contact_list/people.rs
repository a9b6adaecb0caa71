//! Some hours of many people: they meet by links and talk, each message has its
//! receipt. Chance decides who knows whom and who writes when.

use std::collections::BTreeMap;
use std::time::Duration;

use hushwing_conversation::{
    Command, ContactId, Event, Incoming, Outgoing, ProfileChange, Reply, Secret, Standing,
    Storage as _, Ticket,
};
use hushwing_delivery::Address;
use hushwing_sim::{Dice, Netem, World};

use crate::rooms::{Person, Smp};

/// How much happens.
#[derive(Clone, Copy)]
pub(crate) struct Scale {
    pub(crate) users: usize,
    pub(crate) conversations: usize,
    /// In which they meet.
    pub(crate) meeting: Duration,
    /// In which they talk after that.
    pub(crate) talking: Duration,
    pub(crate) messages: usize,
}

type Town<const PROMPT: bool, const FAULT: u8> = World<Person<PROMPT>, Smp<FAULT>>;

/// What somebody does.
enum Deed {
    Invite(usize),
    Join(usize),
    Say {
        from: usize,
        to: usize,
    },
    /// Somebody's program stops or goes on.
    Online(usize, bool),
}

/// The people and their relay, see the module.
pub(crate) struct Life<const PROMPT: bool, const FAULT: u8> {
    pub(crate) world: Town<PROMPT, FAULT>,
    scale: Scale,
    dice: Dice,
    /// Inviter and joiner of each conversation.
    couples: Vec<(usize, usize)>,
    links: BTreeMap<usize, Secret>,
    clock: Duration,
}

impl<const PROMPT: bool, const FAULT: u8> Life<PROMPT, FAULT> {
    pub(crate) fn new(seed: u64, scale: Scale) -> Self {
        let mut dice = Dice::new(seed);
        let mut world = World::new(seed, Netem::calm(), scale.users).unwrap();
        for user in 0..scale.users {
            let name = name(user);
            let command = Command::SetProfile(ProfileChange {
                name: Some(name),
                ..ProfileChange::default()
            });
            let ticket = Ticket(0);
            world.command(user, Incoming::Ask { ticket, command });
        }
        let users = scale.users as u64;
        let mut couples = Vec::new();
        while couples.len() < scale.conversations {
            let (one, other) = (dice.below(users) as usize, dice.below(users) as usize);
            let known = couples.contains(&(one, other)) || couples.contains(&(other, one));
            if one != other && !known {
                couples.push((one, other));
            }
        }
        Self {
            world,
            scale,
            dice,
            couples,
            links: BTreeMap::new(),
            clock: Duration::ZERO,
        }
    }

    /// All of it.
    pub(crate) fn pass(&mut self) {
        let plan = self.plan_meetings();
        self.carry_out(plan);
        let plan = self.plan_talks();
        self.carry_out(plan);
    }

    fn moment(&mut self, within: Duration) -> Duration {
        Duration::from_millis(self.dice.below(within.as_millis() as u64))
    }

    /// A link is used soon after it was made, by those who stand side by side,
    /// or some minutes later.
    fn plan_meetings(&mut self) -> Vec<(Duration, Deed)> {
        let mut plan = Vec::new();
        for couple in 0..self.couples.len() {
            let invited = self.moment(self.scale.meeting);
            let hesitation = match self.dice.chance(500) {
                true => Duration::from_secs(60),
                false => Duration::from_secs(30 * 60),
            };
            let joined = invited + self.moment(hesitation);
            plan.push((invited, Deed::Invite(couple)));
            plan.push((joined + Duration::from_secs(15), Deed::Join(couple)));
        }
        plan
    }

    /// Talks of a few messages to and fro, some seconds to a minute apart. One
    /// in ten people is away for the last part.
    fn plan_talks(&mut self) -> Vec<(Duration, Deed)> {
        let begin = self.clock + Duration::from_secs(60);
        let mut plan = Vec::new();
        let mut said = 0;
        while said < self.scale.messages {
            let couple = self.dice.below(self.couples.len() as u64) as usize;
            let (mut from, mut to) = self.couples[couple];
            let mut when = begin + self.moment(self.scale.talking);
            for _ in 0..self.dice.below(7) + 1 {
                plan.push((when, Deed::Say { from, to }));
                said += 1;
                when += Duration::from_secs(4) + self.moment(Duration::from_secs(50));
                if self.dice.chance(700) {
                    (from, to) = (to, from);
                }
            }
        }
        for user in 0..self.scale.users {
            if self.dice.chance(100) {
                let when = begin + self.scale.talking.mul_f32(0.9);
                plan.push((when, Deed::Online(user, false)));
            }
        }
        let end = begin + self.scale.talking;
        plan.retain(|(when, _)| *when <= end);
        plan
    }

    fn carry_out(&mut self, mut plan: Vec<(Duration, Deed)>) {
        plan.sort_by_key(|(when, _)| *when);
        for (when, deed) in plan {
            self.world.run_for(when.saturating_sub(self.clock)).unwrap();
            self.clock = self.clock.max(when);
            self.act(deed);
        }
        self.world.run_for(Duration::from_secs(20)).unwrap();
        self.clock += Duration::from_secs(20);
    }

    fn act(&mut self, deed: Deed) {
        match deed {
            Deed::Invite(couple) => {
                let invite = Command::Invite {
                    reusable: false,
                    network: None,
                };
                self.ask(self.couples[couple].0, couple, invite);
            }
            Deed::Join(couple) => {
                let (inviter, joiner) = self.couples[couple];
                for event in self.world.take_faced(inviter) {
                    if let Outgoing::Face(Event::Answer { ticket, answer }) = event
                        && let Ok(Reply::Invitation(view)) = answer
                    {
                        self.links.insert(ticket.0 as usize - 1, view.link);
                    }
                }
                let link = self.links.remove(&couple).unwrap();
                self.ask(joiner, couple, Command::Join { link });
            }
            Deed::Say { from, to } => {
                // Whom somebody met in vain is not written to.
                if let Some((contact, _)) = self.known(from).get(&to) {
                    let contact = *contact;
                    let text = "Hello. How are you today?".into();
                    let reply_to = None;
                    let say = Command::Send {
                        contact,
                        text,
                        reply_to,
                    };
                    self.ask(from, 0, say);
                }
            }
            Deed::Online(user, online) => self.world.set_online(user, online),
        }
    }

    fn ask(&mut self, who: usize, number: usize, command: Command) {
        let ticket = Ticket(number as u64 + 1);
        self.world.command(who, Incoming::Ask { ticket, command });
    }

    /// Whom somebody knows, and the queue to write to.
    fn known(&self, who: usize) -> BTreeMap<usize, (ContactId, String)> {
        let contacts = self.world.store(who).unwrap().contacts().unwrap();
        let established = contacts
            .into_iter()
            .filter(|contact| contact.standing == Standing::Established);
        established
            .filter_map(|contact| {
                let other = (0..self.scale.users).find(|user| name(*user) == contact.name)?;
                let address = contact.addresses.first()?;
                let locator = Address::decode(address.expose()).ok()?.locator.0;
                // The sender's id is its last field but one (smp.md 8).
                let id = &locator[locator.len() - 25..locator.len() - 1];
                let id = id.iter().map(|byte| format!("{byte:02x}")).collect();
                Some((other, (contact.id, id)))
            })
            .collect()
    }

    /// The truth: the two queues of each conversation, by what senders call
    /// them.
    pub(crate) fn conversations(&self) -> Vec<[String; 2]> {
        let known: Vec<_> = (0..self.scale.users).map(|who| self.known(who)).collect();
        let queue = |from: usize, to| known[from].get(&to).map(|(_, queue)| queue.clone());
        let couples = self.couples.iter();
        couples
            .filter_map(|(one, other)| Some([queue(*one, *other)?, queue(*other, *one)?]))
            .collect()
    }
}

fn name(user: usize) -> String {
    format!("user {user}")
}

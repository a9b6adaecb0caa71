//! The machine that holds all conversations of one profile.
//!
//! One concept one file: [`invite`], [`join`] and [`petition`] bring people
//! together, [`welcome`] is the inviter's answer; [`introduce`] and [`introduced`] do so
//! for two contacts ([`offers`] wait for me, [`met`] is how it ends); [`speak`] and [`hear`] carry
//! messages, [`hold`] keeps those that came too early, [`hidden`] bounds what is
//! not shown, [`stranger`] bounds what is said before there is a decision, [`profile`] is how
//! we want to be shown, [`identity`] knows who somebody is, [`receipts`] tells what became of
//! messages, [`inquiry`] asks, [`renew`] changes keys, [`ask`] answers questions, [`progress`] follows letters, [`lost`] finds
//! another way when a network lost a mailbox, [`mail`] knows what each mailbox is
//! for and [`rotate`] replaces them, [`reach`] knows by which address a contact is
//! written to and [`attempts`] how that went, [`blocked`] who is not written to, [`echo`] answers again where the
//! answer was lost and [`silence`] asks where none came, [`broken`] ends conversations that
//! cannot go on, [`patience`] those that never began. [`keep`] is how I keep them,
//! [`find`] finds what was said, [`vanish`] lets it go, [`tidy`] leaves no trace of it, [`going`] lets go what was said with who is forgotten, [`mention`] names people,
//! [`typing`] says that somebody writes, [`mode`] agrees on what can be shown to
//! others, [`prove`] signs and shows it, and [`stretch`] says it off the record. What a backup holds [`put_back`] makes fit to go on; then [`restore`] asks
//! contacts to begin anew, [`anew`] does so, and [`former`] reads what was said before.
//! On several devices a conversation of two goes on as a [`pair`].
//! Conversations of many are [`room`]s; what one says to many is a [`channel`], and a [`list`]
//! where each is told alone, at moments by [`spread`].

mod anew;
mod ask;
mod attempts;
mod blocked;
mod broken;
mod carry_out;
mod channel;
mod device;
mod echo;
mod find;
mod former;
mod going;
mod hear;
mod hidden;
mod hold;
mod identity;
mod inquiry;
mod introduce;
mod introduced;
mod invite;
mod join;
mod keep;
mod list;
mod losses;
mod lost;
mod mail;
mod mailbox;
mod mention;
mod met;
mod mode;
mod offers;
mod pair;
mod patience;
mod people;
mod petition;
mod profile;
mod progress;
mod prove;
mod put_back;
mod reach;
mod receipts;
mod renew;
mod repeat;
mod restore;
mod room;
mod rotate;
mod shelf;
mod show;
mod silence;
mod speak;
mod spread;
mod stop;
mod stranger;
mod stretch;
mod tidy;
mod typing;
mod vanish;
mod welcome;

pub use put_back::{left_behind, restored};

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use hushwing_delivery::{FetchId, MailboxId, NetworkCommand, NetworkTag, OfficeEvent, PostOffice};
use hushwing_sansio::{Context, Input, Machine, Moment, Output, StorageError};

use crate::anew::Ask;
use crate::mls::{Crypto, Group};
use crate::storage::{InvitationRecord, JoinRecord, MailboxRecord};
use crate::{
    Command, ContactId, ConversationId, Event, Incoming, InvitationId, Outgoing, Refusal, Storage,
    Ticket,
};

use channel::Channels;
use device::Devices;
use echo::Echoes;
use find::Indexing;
use going::Going;
use list::Lists;
use losses::Losses;
use mail::Mails;
use pair::Pairs;
use patience::Patience;
use people::Person;
use profile::Profiles;
use reach::Reach;
use receipts::Debts;
use repeat::Repeats;
pub use room::GroupSize;
use room::Rooms;
use shelf::Shelf;
use silence::Silences;
use stop::Stop;
use stretch::Stretches;
use tidy::Tidying;
use typing::Notices;

/// How often what depends on the date is looked at.
const SWEEP: Duration = Duration::from_secs(10 * 60);

/// Setting under which my name lies.
const NAME: &str = "name";
/// Setting under which it lies whether I send read receipts.
const READ_RECEIPTS: &str = "read receipts";
/// Setting under which it lies whether it is told that somebody writes.
const TYPING: &str = "typing";

/// What a profile is opened with.
#[derive(Clone, Debug)]
pub struct Config {
    /// My name, told to contacts, until [`Command::SetProfile`] changes it.
    pub name: String,
    /// Where mailboxes are made unless a command says otherwise.
    pub network: NetworkTag,
    /// Receipts leave after a random wait between these, so that their timing
    /// does not tell a network who answers whom.
    pub receipt_delay: (Duration, Duration),
    /// Within which time all contacts are told of a change of mine, and those on a list of
    /// what was posted to it, each at a random moment. A relay that has mailboxes of several can still tell by it that they know one
    /// person (`THREATS.md`).
    pub spread: Duration,
    /// On how many different servers each conversation has a mailbox; at most
    /// as many as there are.
    pub mailboxes: usize,
    /// Whether each conversation has an address of last resort, on a server of its own
    /// as far as there is one.
    pub recovery: bool,
    /// Whether mailboxes are replaced every week.
    pub rotates: bool,
    /// Whether my keys are renewed every week, in groups that nobody passes on for and in
    /// conversations of two with several devices. Off: who is away for more than 21 days
    /// would lose the group (RFC 0013, *Renewing keys by themselves*).
    pub renews: bool,
    /// Whether messages leave to all addresses of a contact at once, and not to
    /// the next one when the one before it brought no receipt.
    pub in_parallel: bool,
    /// How large groups may be.
    pub group_size: GroupSize,
    /// How many letters, and how many bytes of them, wait at most of what I pass on for
    /// others in groups to those whose servers take nothing.
    pub most_for_others: (usize, usize),
    /// How many letters of receipts all in a group together send to a herald that gave no
    /// sign of life, and again after each wait.
    pub to_silent: u64,
    /// Up to how many leaves of a group with heralds all move to other mailboxes once somebody
    /// is out, and have several. Each who moves makes heralds write to all others twice: of 128
    /// that is 32,000 envelopes for one who was removed.
    pub most_who_move: usize,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            name: String::new(),
            network: NetworkTag::RELAY,
            receipt_delay: (Duration::from_secs(1), Duration::from_secs(8)),
            spread: Duration::from_secs(15),
            mailboxes: 1,
            recovery: false,
            rotates: true,
            renews: false,
            in_parallel: false,
            group_size: GroupSize::default(),
            most_for_others: (131_072, 128 * 1024 * 1024),
            to_silent: 16,
            most_who_move: 128,
        }
    }
}

/// What one call is lent.
pub(crate) struct Call<'a, 'c> {
    pub(crate) cx: &'a mut Context<'c>,
    pub(crate) storage: &'a mut dyn Storage,
}

/// All conversations of one profile.
pub struct Messenger {
    config: Config,
    read_receipts: bool,
    typing: bool,
    crypto: Crypto,
    office: PostOffice,
    people: BTreeMap<ContactId, Person>,
    groups: BTreeMap<ContactId, Group>,
    conversations: BTreeMap<ConversationId, ContactId>,
    /// Whose groups are, that are not the first of their conversation.
    begun_anew: BTreeMap<ConversationId, ContactId>,
    /// When a group was made anew for whom, in this run.
    made_anew: BTreeMap<ContactId, Moment>,
    /// What they asked too soon after that.
    asked_too_soon: BTreeMap<ContactId, Ask>,
    invitations: BTreeMap<InvitationId, InvitationRecord>,
    mailboxes: BTreeMap<MailboxId, MailboxRecord>,
    joins: BTreeMap<FetchId, JoinRecord>,
    debts: Debts,
    losses: Losses,
    mails: Mails,
    reach: Reach,
    echoes: Echoes,
    silences: Silences,
    patience: Patience,
    offers_patience: Patience,
    repeats: Repeats,
    rooms: Rooms,
    channels: Channels,
    devices: Devices,
    profiles: Profiles,
    lists: Lists,
    pairs: Pairs,
    shelf: Shelf,
    stretches: Stretches,
    waiting_invites: BTreeMap<InvitationId, Ticket>,
    waiting_joins: BTreeMap<FetchId, Vec<Ticket>>,
    /// Contacts of whom something was found damaged on opening, until the first
    /// call breaks their conversations.
    damaged: Vec<ContactId>,
    events: VecDeque<Event>,
    next_sweep: Moment,
    next_vanishing: Option<Moment>,
    indexing: Option<Indexing>,
    tidying: Tidying,
    going: Going,
    notices: Notices,
    awake: bool,
}

impl Messenger {
    /// Opens the profile that storage holds; empty storage is a new profile.
    ///
    /// What was under way goes on: mailboxes and cards are asked for again.
    ///
    /// # Errors
    ///
    /// When storage fails or holds what this program cannot read.
    pub fn open(storage: &mut dyn Storage, config: Config) -> Result<Self, StorageError> {
        let office = PostOffice::open(&mut *storage)?;
        let mut found = people::open(storage)?;
        let (rooms, damaged) = Rooms::open(storage)?;
        found.damaged.extend(damaged);
        let (channels, damaged) = Channels::open(storage)?;
        found.damaged.extend(damaged);
        let devices = Devices::open(storage)?;
        let profiles = Profiles::open(storage)?;
        let lists = Lists::open(storage)?;
        let pairs = Pairs::open(storage)?;
        let shelf = Shelf::open(storage, &mut found, &rooms)?;
        let mut messenger = Self {
            read_receipts: Self::is_on(storage, READ_RECEIPTS)?,
            typing: Self::is_on(storage, TYPING)?,
            config: named(storage, config)?,
            crypto: Crypto::default(),
            office,
            people: found.people,
            groups: BTreeMap::new(),
            conversations: BTreeMap::new(),
            begun_anew: BTreeMap::new(),
            made_anew: BTreeMap::new(),
            asked_too_soon: BTreeMap::new(),
            invitations: storage
                .invitations()?
                .into_iter()
                .map(|r| (r.id, r))
                .collect(),
            mailboxes: storage
                .mailbox_records()?
                .into_iter()
                .map(|record| (MailboxId(record.id), record))
                .collect(),
            joins: storage
                .joins()?
                .into_iter()
                .map(|r| (FetchId(r.fetch), r))
                .collect(),
            debts: Debts::default(),
            losses: Losses::default(),
            mails: Mails::default(),
            reach: Reach::default(),
            echoes: Echoes::default(),
            silences: Silences::default(),
            patience: Patience::default(),
            offers_patience: Patience::default(),
            repeats: Repeats::default(),
            rooms,
            channels,
            devices,
            profiles,
            lists,
            pairs,
            shelf,
            stretches: Stretches::default(),
            waiting_invites: BTreeMap::new(),
            waiting_joins: BTreeMap::new(),
            damaged: found.damaged,
            events: VecDeque::new(),
            next_sweep: Moment::default(),
            next_vanishing: None,
            indexing: None,
            tidying: Tidying::default(),
            going: Going::default(),
            notices: Notices::default(),
            awake: false,
        };
        let people = messenger.people.values();
        messenger.conversations = people
            .map(|p| (p.record.conversation, p.record.id))
            .chain(messenger.rooms.conversations())
            .chain(messenger.channels.entered())
            .collect();
        let people = messenger.people.values();
        messenger.begun_anew = people
            .filter_map(|p| Some((p.era.group()?, p.record.id)))
            .collect();
        messenger.name_threads();
        messenger.resume_losses(storage)?;
        messenger.resume_mails(storage)?;
        messenger.resume_mailboxes(None);
        messenger.resume_fetches(None);
        Ok(messenger)
    }

    /// Takes up what needs a clock, once per run.
    fn wake(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        if self.awake {
            return Ok(());
        }
        if self.is_out() {
            return self.wake_out(call);
        }
        self.awake = true;
        for contact in core::mem::take(&mut self.damaged) {
            let error = StorageError::corrupt("reading a conversation");
            self.damaged(call, contact, error)?;
        }
        self.end_what_was_restored(call)?;
        self.plan_replacements(call);
        self.resume_restoring(call)?;
        self.resume_repeats(call)?;
        self.plan_vanishing(call)?;
        self.resume_indexing(call)?;
        self.resume_tidying(call)?;
        self.resume_going(call)?;
        self.resume_debts(call)?;
        self.resume_stretches();
        self.plan_profiles(call);
        self.plan_posts(call);
        self.wake_channels(call)?;
        self.wake_rooms(call)
    }

    fn ask(
        &mut self,
        call: &mut Call<'_, '_>,
        ticket: Ticket,
        command: Command,
    ) -> Result<(), StorageError> {
        let concern = self.concern_of(&command);
        let answer = match self.carry_out(call, ticket, command) {
            Ok(None) => return Ok(()),
            Ok(Some(reply)) => Ok(reply),
            Err(Stop::Refused(refusal)) => Err(refusal),
            Err(Stop::Storage(error)) => {
                self.damaged_by(call, &concern, error)?;
                Err(Refusal::Broken)
            }
        };
        self.tell(Event::Answer { ticket, answer });
        Ok(())
    }

    fn network(
        &mut self,
        call: &mut Call<'_, '_>,
        network: NetworkTag,
        event: hushwing_delivery::NetworkEvent,
    ) -> Result<(), StorageError> {
        self.office
            .handle_network(call.cx, &mut *call.storage, network, event)
    }

    fn timeout(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        if self.is_out() {
            return self.timeout_out(call);
        }
        self.office.handle_timeout(call.cx, &mut *call.storage)?;
        self.pay(call)?;
        self.mail_due(call)?;
        self.replace_due(call)?;
        self.repeat_due(call)?;
        self.stretches_due(call.cx.now());
        self.profiles_due(call)?;
        self.posts_due(call)?;
        self.asks_due(call)?;
        self.rooms_due(call)?;
        self.channels_due(call)?;
        self.vanish_due(call)?;
        self.index_due(call)?;
        self.tidy_due(call)?;
        self.go_due(call)?;
        if self.next_sweep <= call.cx.now() {
            self.next_sweep = call.cx.now() + SWEEP;
            self.sweep_invitations(call)?;
            self.sweep_people(call)?;
            self.plan_profiles(call);
            self.sweep_waiting(call)?;
            self.sweep_offers(call)?;
            self.sweep_introductions(call)?;
            self.sweep_strays(call)?;
            self.sweep_mail(call)?;
            self.sweep_restoring(call)?;
            self.sweep_former(call)?;
            self.sweep_stretches(call)?;
            self.sweep_silence(call)?;
            self.sweep_devices(call)?;
            self.sweep_rooms(call)?;
            self.pairs.look();
            self.sweep_channels(call)?;
        }
        Ok(())
    }

    /// What the office tells, until it has nothing more to tell.
    fn read_office(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        while let Some(event) = self.office.poll_event() {
            match event {
                OfficeEvent::Incoming(letter) => {
                    self.reached_at(call, letter.mailbox)?;
                    self.echoes.hear(Some(letter.repeat));
                    self.hear_letter(call, &letter)?;
                    self.echoes.hear(None);
                    self.wrote_to(call, letter.mailbox)?;
                }
                OfficeEvent::Again { mailbox, repeat } => {
                    self.came_again(call, mailbox, repeat)?;
                }
                OfficeEvent::Accepted { letter, network } => {
                    self.debts.left(letter, call.cx.now());
                    self.within_letter(call, letter, |this, call| {
                        this.accepted(call, letter, network)
                    })?;
                }
                OfficeEvent::Progress {
                    letter,
                    network,
                    stage,
                } => {
                    self.moved_on(call, letter, network, stage)?;
                }
                OfficeEvent::Failed {
                    letter,
                    reason,
                    tried,
                } => {
                    self.debts.left(letter, call.cx.now());
                    self.note_refused(&tried);
                    self.within_letter(call, letter, |this, call| {
                        this.failed(call, letter, reason, &tried)
                    })?;
                }
                OfficeEvent::Network { network, event } => {
                    self.network_told(call, network, event)?;
                }
            }
        }
        Ok(())
    }

    fn tell(&mut self, event: Event) {
        if !self.devices.hide(&event) {
            // What other devices are told of a contact may be otherwise.
            let known = matches!(event, Event::Contact(_));
            self.pairs.look_if(known);
            let event = self.as_of_thread(event);
            self.events.extend(event);
        }
    }

    fn instruct(&mut self, network: NetworkTag, command: NetworkCommand) {
        self.office.instruct(network, command);
    }
}

fn named(storage: &dyn Storage, mut config: Config) -> Result<Config, StorageError> {
    if let Some(name) = storage.setting(NAME)? {
        config.name = String::from_utf8(name)
            .map_err(|error| StorageError::corrupt("reading my name").because(error))?;
    }
    Ok(config)
}

impl Machine for Messenger {
    type Command = Incoming;
    type Event = Outgoing;
    type Storage = dyn Storage;

    fn handle(
        &mut self,
        cx: &mut Context<'_>,
        storage: &mut Self::Storage,
        input: Input<Incoming>,
    ) -> Result<(), StorageError> {
        let call = &mut Call { cx, storage };
        self.obey(call)?;
        self.wake(call)?;
        match input {
            Input::Command(Incoming::Ask { ticket, command }) => self.ask(call, ticket, command)?,
            Input::Command(Incoming::Network { network, event }) => {
                if self.listens_to(network, &event) {
                    self.network(call, network, event)?;
                }
            }
            Input::Command(Incoming::NetworkLost { network }) => {
                self.forget_unheard(network);
                self.office
                    .network_lost(call.cx, &mut *call.storage, network)?;
                self.resume_mailboxes(Some(network));
                self.resume_fetches(Some(network));
            }
            Input::Timeout => self.timeout(call)?,
            // No stream is ever opened.
            Input::StreamOpened { .. }
            | Input::StreamReceived { .. }
            | Input::StreamClosed { .. } => {}
        }
        self.read_office(call)?;
        if self.obey(call)? {
            self.read_office(call)?;
        }
        if self.is_out() {
            return Ok(());
        }
        self.tend_stretches(call)?;
        self.tend_channels(call)?;
        self.tend_pairs(call)?;
        self.tend_mail(call)
    }

    fn poll_output(&mut self) -> Option<Output<Outgoing>> {
        if let Some(event) = self.events.pop_front() {
            return Some(Output::Event(Outgoing::Face(event)));
        }
        loop {
            let (network, command) = self.office.poll_command()?;
            if self.may_leave(&command) {
                return Some(Output::Event(Outgoing::Network { network, command }));
            }
        }
    }

    fn poll_timeout(&self) -> Option<Moment> {
        if self.is_out() {
            return self.due_out();
        }
        let timers = [
            Some(self.next_sweep),
            self.debts.due(),
            self.losses.due(),
            self.repeats.due(),
            self.profiles.due(),
            self.lists.due(),
            self.stretches.due(),
            self.rooms.due(),
            self.channels.due(),
            self.next_vanishing,
            self.indexing.as_ref().map(Indexing::due),
            self.tidying.due(),
            self.going.due(),
            self.asks_due_at(),
            self.devices.mail_due_at(),
            self.office.poll_timeout(),
        ];
        timers.into_iter().flatten().min()
    }
}

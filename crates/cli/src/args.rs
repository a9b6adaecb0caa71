//! The command line as clap sees it: every command, flag and help text.
//! None of it has `Debug`: arguments hold texts, links and passwords.

mod backup;
mod conversation;
mod device;
mod group;
mod list;
mod mode;
mod profile;

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand, ValueEnum};
use clap_complete::Shell;

pub(crate) use self::backup::{Backup, Restore};
pub(crate) use self::conversation::{
    ContactAction, Contacts, Conversations, Disappear, Draft, Mute, Name, Pin, Report, Search,
    Switched, Unread,
};
pub(crate) use self::device::{Device, DeviceAction, DeviceLink, Past};
pub(crate) use self::group::{Channel, ChannelAction, Group, GroupAction};
pub(crate) use self::list::{List, ListAction};
pub(crate) use self::mode::{CheckProof, Mode, Prove};
pub(crate) use self::profile::{Profile, ProfileChange};

/// What may stand for a name or an id, and what the program ends with; in help and manual.
const NAMES: &str = "\
Names and ids:
  NAME is the shown name of a contact, letter by letter, or their id: the digits that
  `contacts` prints, or more of it. A number such as 36 is a name like any other.
  Requests and links have numbers, which only `requests accept`, `requests refuse` and
  `invite --revoke` understand.

  ID is the id of a message: the digits that `read`, `watch` and `send` print, or any
  beginning that no other message has.

  Where a name or an id may mean several, nothing is done and those are listed with ids.

Exit codes:
  0 done, 1 failed, 2 wrongly typed or against the rules, 3 no daemon answers, 4 no such
  contact, message or file of ours, 5 waited in vain.";

/// Messages that nobody but the people in a conversation can read, or knows of.
#[derive(Parser)]
#[command(
    name = "hushwing",
    version,
    propagate_version = true,
    max_term_width = 100,
    after_long_help = NAMES
)]
pub(crate) struct Cli {
    #[command(flatten)]
    pub(crate) global: Global,
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
}

/// What every command understands.
#[derive(Clone, Args)]
pub(crate) struct Global {
    /// Folder that holds everything of one installation [env: HUSHWING_HOME]
    #[arg(long, global = true, value_name = "DIR")]
    pub(crate) home: Option<PathBuf>,
    /// Profile to act as, instead of the first one created; a hidden one is opened by its
    /// passphrase [env: HUSHWING_PASSPHRASE]
    #[arg(long, global = true, value_name = "NAME")]
    pub(crate) profile: Option<String>,
    /// Print JSON: one document, or one a line for streams
    #[arg(long, global = true)]
    pub(crate) json: bool,
}

/// Everything the program can be told.
#[derive(Subcommand)]
pub(crate) enum Command {
    /// Watch Alice and Bob talk in a private world of their own
    Demo,
    /// Start the daemon
    Up(Up),
    /// Stop the daemon
    Down,
    /// Show what the daemon is doing
    Status,
    /// Look for faults and say how to mend them
    Doctor,
    /// Show the daemon's log
    Log(Log),
    /// Run a relay for others
    #[command(subcommand)]
    Relay(Relay),
    /// Choose the relays that hold your mailboxes
    #[command(subcommand)]
    Server(Server),
    /// Create and list profiles
    #[command(subcommand)]
    Profile(Profile),
    /// Make a link by which somebody can write to you; list links and take them down
    Invite(Invite),
    /// Open somebody's link
    Join(Join),
    /// List the people you can write to; forget one
    Contacts(Contacts),
    /// Found groups, ask contacts in, see who is there, leave. Write and read as with a
    /// contact, by the name of the group
    Group(Group),
    Channel(Channel),
    List(List),
    /// Link a second device, list your devices, revoke a lost one
    Device(Device),
    /// Ask two of your contacts whether they want to know each other
    Introduce(Introduce),
    /// List who wants to know you: strangers with a reusable link, people whom contacts
    /// introduce, groups they ask you into; accept or refuse them
    Requests(Requests),
    /// Show the safety number of a contact, or compare theirs with it
    Verify(Verify),
    /// Give a contact another name
    Rename(Rename),
    /// Show whether a conversation can be proved to others, or wish it to be so
    Mode(Mode),
    /// Write a file that proves a message to anybody
    Prove(Prove),
    /// Check a file that `prove` wrote; needs no daemon
    CheckProof(CheckProof),
    /// Replace mailboxes and keys of this device now: of a contact or a group
    Rotate(Rotate),
    /// Send a message
    Send(Send),
    /// Tell where a message is
    Where(MessageId),
    /// Show the messages of a conversation, oldest first
    Read(Read),
    /// Find messages by their words, in all conversations or in one
    Search(Search),
    /// Print what happens, as it happens
    Watch,
    /// React to a message; an empty reaction takes it back
    React(React),
    /// Change the text of a message you sent
    Edit(Edit),
    /// Delete a message you sent, on both sides
    Delete(MessageId),
    /// Agree with a contact when messages disappear, on both sides
    Disappear(Disappear),
    /// Tell a contact that you are writing, if the switch `typing` is on
    Typing(Name),
    /// Hear nothing more from a contact; they are not told
    Block(Name),
    /// Hear a contact again
    Unblock(Name),
    /// Write down what a contact said, for you to hand on; nothing is sent anywhere
    Report(Report),
    /// List conversations: what is unread, and how each is kept
    Conversations(Conversations),
    /// Put a conversation out of sight until something new comes
    Archive(Switched),
    /// Have nothing new in a conversation draw attention
    Mute(Mute),
    /// Show a conversation before others, or keep a message to be found again
    Pin(Pin),
    /// List conversations with something unread, or mark one
    Unread(Unread),
    /// Show or keep what you began to write
    Draft(Draft),
    /// Write a profile into a sealed file, for the day its home is lost
    Backup(Backup),
    /// Make a profile from such a file; its conversations begin anew by themselves
    Restore(Restore),
    /// Protect this installation by a passphrase
    #[command(subcommand)]
    Passphrase(Passphrase),
    /// Read and change settings
    #[command(subcommand)]
    Config(Config),
    /// Print completions for a shell
    Completions {
        /// Which shell
        shell: Shell,
    },
    /// Print the manual page
    Man,
    /// Measure this machine, each figure beside its reference
    Bench(Bench),
}

/// How to start the daemon.
#[derive(Args)]
pub(crate) struct Up {
    /// Stay in the foreground and log to standard error
    #[arg(long)]
    pub(crate) foreground: bool,
    /// Serve the embedded relay to the local network; links then show this machine's address
    #[arg(long)]
    pub(crate) lan: bool,
}

/// How to show the log.
#[derive(Args)]
pub(crate) struct Log {
    /// Go on printing what is added
    #[arg(short, long)]
    pub(crate) follow: bool,
}

/// Relay commands.
#[derive(Subcommand)]
pub(crate) enum Relay {
    /// Run a relay until it is stopped; prints its address first
    Run(RelayRun),
    /// Print the address of a relay that was run before
    Info {
        /// Folder of the relay
        #[arg(long, value_name = "DIR")]
        dir: PathBuf,
    },
}

/// How to run a relay.
#[derive(Args)]
pub(crate) struct RelayRun {
    /// Folder that holds its identity and its queues
    #[arg(long, value_name = "DIR")]
    pub(crate) dir: PathBuf,
    /// Address to listen on; port 0 takes a free one
    #[arg(long, value_name = "ADDR:PORT", default_value = "0.0.0.0:5223")]
    pub(crate) listen: String,
    /// Host name or address to print, where it is not the one listened on
    #[arg(long, value_name = "HOST")]
    pub(crate) host: Option<String>,
    /// Password that new mailboxes must give; without it a random one is made and kept, if
    /// others than this machine reach the relay
    #[arg(long, value_name = "PASSWORD", conflicts_with = "open")]
    pub(crate) password: Option<String>,
    /// Read the password from a file, or from standard input if `-`: on a command line
    /// other users of this machine can see it
    #[arg(long, value_name = "FILE", conflicts_with_all = ["open", "password"])]
    pub(crate) password_file: Option<PathBuf>,
    /// Let everybody make mailboxes, without a password
    #[arg(long)]
    pub(crate) open: bool,
}

/// Server commands.
#[derive(Subcommand)]
pub(crate) enum Server {
    /// Use a relay for new mailboxes, if it works; given again with another password, it gets
    /// that one
    Add {
        /// `smp://FINGERPRINT[:PASSWORD]@HOST[:PORT]`
        address: String,
        /// Use it without trying it first
        #[arg(long)]
        unchecked: bool,
    },
    /// Use a relay no longer, and move the mailboxes of conversations away from it
    Remove {
        /// Its address, or its host or another part that no other relay in use has
        address: String,
    },
    /// List the relays in use: all, or those of `--profile`
    List {
        /// Print the passwords, too
        #[arg(long)]
        show_passwords: bool,
    },
    /// Try a relay: connect, make a queue, lock it, delete it
    Test {
        /// Its address; all configured ones if left out
        address: Option<String>,
    },
}

/// How to invite.
#[derive(Args, Default)]
pub(crate) struct Invite {
    /// Let many people use it; each must then be accepted
    #[arg(long)]
    pub(crate) reusable: bool,
    /// Lead into this group; you are its steward. Whoever uses the link once gets in
    #[arg(long, value_name = "GROUP")]
    pub(crate) group: Option<String>,
    /// Let everybody who has the link into the group, without asking you
    #[arg(long, requires_all = ["group", "reusable"])]
    pub(crate) open: bool,
    /// Also print a code to be scanned
    #[arg(long)]
    pub(crate) qr: bool,
    /// Also write the code to a picture
    #[arg(long, value_name = "FILE")]
    pub(crate) png: Option<PathBuf>,
    /// Network that carries the first message
    #[arg(long, value_name = "NETWORK")]
    pub(crate) network: Option<Network>,
    /// List links that can be used, with their numbers
    #[arg(long, conflicts_with_all = ["reusable", "group", "qr", "png", "network", "revoke"])]
    pub(crate) list: bool,
    /// Take a link down by its number: nobody can use it any more
    #[arg(long, value_name = "N", conflicts_with_all = ["reusable", "group", "qr", "png", "network"])]
    pub(crate) revoke: Option<u64>,
}

/// Delivery networks by name.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum Network {
    /// SMP queue servers
    Relay,
}

/// How to join.
#[derive(Args)]
pub(crate) struct Join {
    /// The link, or `-` to read it from standard input
    #[arg(required_unless_present = "image", conflicts_with = "image")]
    pub(crate) link: Option<String>,
    /// Read the link from a picture of its code
    #[arg(long, value_name = "FILE")]
    pub(crate) image: Option<PathBuf>,
    /// Enter the group that the link leads into, without being asked again; one that is among
    /// your groups already, as after `restore`, stays among the `requests` until you accept it
    #[arg(long)]
    pub(crate) enter_group: bool,
    /// Wait until the other side has answered
    #[arg(long)]
    pub(crate) wait: bool,
    /// Seconds to wait, for the link's server and for the answer
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) timeout: u64,
}

/// What to do with requests.
#[derive(Args)]
pub(crate) struct Requests {
    #[command(subcommand)]
    pub(crate) action: Option<RequestAction>,
}

/// A verdict on a request.
#[derive(Subcommand)]
pub(crate) enum RequestAction {
    /// Begin a conversation
    Accept {
        /// Number of the request, or the name where one alone has it
        request: String,
    },
    /// Drop it; the stranger is not told
    Refuse {
        /// Number of the request, or the name where one alone has it
        request: String,
    },
}

/// Whom to introduce.
#[derive(Args)]
pub(crate) struct Introduce {
    /// One contact, by name or id
    #[arg(required_unless_present = "list")]
    pub(crate) one: Option<String>,
    /// The other
    #[arg(required_unless_present = "list")]
    pub(crate) other: Option<String>,
    /// What to say to both about it
    #[arg(long, value_name = "TEXT")]
    pub(crate) word: Option<String>,
    /// List introductions you made, and how far they are
    #[arg(long, conflicts_with_all = ["one", "other", "word"])]
    pub(crate) list: bool,
}

/// How to verify.
#[derive(Args)]
pub(crate) struct Verify {
    /// The contact, by name or id
    pub(crate) name: String,
    /// The number they read to you, sixty digits, spaces do not matter; or the code they
    /// sent, `hushwing:v#…`
    #[arg(num_args = 0..)]
    pub(crate) number: Vec<String>,
    /// Also print a code for them to scan
    #[arg(long, conflicts_with = "number")]
    pub(crate) qr: bool,
    /// Also write that code to a picture
    #[arg(long, value_name = "FILE", conflicts_with_all = ["number", "image"])]
    pub(crate) png: Option<PathBuf>,
    /// Compare with the code in a picture of their screen
    #[arg(long, value_name = "FILE", conflicts_with_all = ["number", "qr"])]
    pub(crate) image: Option<PathBuf>,
}

/// How to rename.
#[derive(Args)]
pub(crate) struct Rename {
    /// The contact, by name or id
    pub(crate) name: String,
    /// The new name, seen by nobody else
    pub(crate) new_name: String,
}

/// What to rotate.
#[derive(Args)]
pub(crate) struct Rotate {
    /// The contact or group, by name or id
    pub(crate) name: String,
}

/// How to send.
#[derive(Args)]
pub(crate) struct Send {
    /// The contact, by name or id
    pub(crate) name: String,
    /// The text, or `-` to read it from standard input (also when left out)
    pub(crate) text: Option<String>,
    /// Message to answer, by its id or the beginning of it
    #[arg(long, value_name = "ID")]
    pub(crate) reply: Option<String>,
    /// Wait until the message has come that far
    #[arg(long, value_name = "STATE")]
    pub(crate) wait: Option<Wait>,
    /// Seconds to wait
    #[arg(long, value_name = "SECONDS", default_value_t = 60)]
    pub(crate) timeout: u64,
}

/// How far a message should have come.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, ValueEnum)]
pub(crate) enum Wait {
    /// A network took responsibility
    Accepted,
    /// The recipient has it and signed for it
    Delivered,
    /// The recipient read it
    Read,
}

/// A message by its id.
#[derive(Args)]
pub(crate) struct MessageId {
    /// Id of the message, or the beginning of it
    pub(crate) id: String,
}

/// How to read.
#[derive(Args)]
pub(crate) struct Read {
    /// The contact, by name or id
    pub(crate) name: String,
    /// How many of the newest messages
    #[arg(short = 'n', value_name = "N", default_value_t = 50, value_parser = clap::value_parser!(u32).range(1..))]
    pub(crate) count: u32,
    /// Also show what edited messages said before
    #[arg(long)]
    pub(crate) history: bool,
}

/// How to react.
#[derive(Args)]
pub(crate) struct React {
    /// Id of the message, or the beginning of it
    pub(crate) id: String,
    /// The reaction, usually one emoji
    pub(crate) reaction: String,
}

/// How to edit.
#[derive(Args)]
pub(crate) struct Edit {
    /// Id of the message, or the beginning of it
    pub(crate) id: String,
    /// The new text; without it, or with `-`, it is read from standard input
    pub(crate) text: Option<String>,
}

/// Passphrase commands; each reads the passphrase from the terminal, or from
/// standard input where there is none.
#[derive(Clone, Copy, Debug, Subcommand)]
pub(crate) enum Passphrase {
    /// Set or change it
    Set,
    /// Do without one
    Clear,
    /// Forget the key until the passphrase is given again
    Lock,
}

/// Settings commands.
#[derive(Subcommand)]
pub(crate) enum Config {
    /// Print one setting, or all
    Get {
        /// Its name, as in `config set`
        key: Option<String>,
    },
    /// Change a setting
    Set {
        /// `read_receipts`: tell people that you read what they wrote; `prompt_receipts`: tell
        /// at once what arrived, not after some random seconds; `typing`: tell people that you
        /// are writing, and be shown that they are (these are off at first);
        /// `several_mailboxes`: have mailboxes on two relays for each conversation, where two
        /// are chosen; `send_in_parallel`: by all addresses of a contact at once, not one after
        /// the other
        key: String,
        /// `on` or `off`
        value: String,
    },
}

/// What to measure.
#[derive(Args)]
pub(crate) struct Bench {
    /// The area
    pub(crate) area: BenchArea,
    /// Seconds for each figure
    #[arg(long, value_name = "SECONDS", default_value_t = 5)]
    pub(crate) seconds: u64,
}

/// Areas that can be measured.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(crate) enum BenchArea {
    /// Messages that waited, until they are shown
    Backlog,
    /// Messages through the conversation layer, in memory and on disk
    Conversation,
    /// What a message, adding one and joining cost in large groups; growing them takes minutes
    Group,
    /// Messages and connections through the relay server
    Relay,
    /// A profile in which a million messages lie; filling it takes minutes
    Store,
}

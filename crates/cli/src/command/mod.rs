//! One file per family of commands.

mod backup;
mod bench;
mod channel;
mod contact;
mod conversation;
mod daemon;
mod demo;
mod device;
mod document;
mod group;
mod introduction;
mod invitation;
mod list;
mod log;
mod message;
pub(crate) mod passphrase;
mod picture;
mod profile;
mod proof;
mod relay;
mod server;
mod setting;
mod shown;

use std::future::Future;
use std::process::ExitCode;

use hushwing_daemon::{Error, ErrorKind, Home};

use crate::args::{Cli, Command, ContactAction, Global};
use crate::client::{AskName, Client};
use crate::output::Output;

/// What every command gets: the caller of the daemon and the way to print.
struct Session {
    home: Home,
    client: Client,
    output: Output,
}

/// Runs what was typed.
///
/// # Errors
///
/// Whatever the command met; the caller prints it and derives the exit code.
pub(crate) fn run(cli: Cli, output: Output) -> Result<ExitCode, Error> {
    let Cli { global, command } = cli;
    match command {
        Some(Command::Completions { shell }) => document::completions(shell),
        Some(Command::Man) => document::manual(),
        Some(Command::CheckProof(asked)) => proof::check(&asked, output),
        Some(Command::Demo) => block_on(demo::run(output)),
        Some(Command::Relay(relay)) => block_on(relay::run(relay, output)),
        Some(Command::Bench(what)) => bench::run(&what, output),
        Some(command) => with_home(global, output, command),
        None => {
            let session = open(global, output)?;
            block_on(daemon::welcome(&session))
        }
    }
}

fn with_home(global: Global, output: Output, command: Command) -> Result<ExitCode, Error> {
    let session = open(global, output)?;
    match command {
        Command::Up(up) => daemon::up(&session, &up),
        Command::Passphrase(action) => block_on(passphrase::run(&session, action)),
        Command::Doctor => block_on(daemon::doctor(&session)),
        Command::Log(log) => log::log(&session, &log),
        command => block_on(over_api(session, command)),
    }
}

async fn over_api(session: Session, command: Command) -> Result<ExitCode, Error> {
    match command {
        Command::Down => daemon::down(&session).await?,
        Command::Status => daemon::status(&session).await?,
        Command::Server(server) => return server::run(&session, server).await,
        Command::Profile(profile) => setting::profile(&session, profile).await?,
        Command::Backup(asked) => backup::back_up(&session, asked).await?,
        Command::Restore(asked) => backup::restore(&session, asked).await?,
        Command::Config(config) => setting::config(&session, config).await?,
        Command::Invite(invite) => invitation::invite(&session, invite).await?,
        Command::Join(join) => invitation::join(&session, join).await?,
        Command::Requests(requests) => invitation::requests(&session, requests).await?,
        Command::Group(group) => group::run(&session, group).await?,
        Command::Channel(channel) => channel::run(&session, channel).await?,
        Command::List(list) => list::run(&session, list).await?,
        Command::Device(device) => device::run(&session, device).await?,
        Command::Introduce(introduce) => introduction::introduce(&session, introduce).await?,
        Command::Contacts(contacts) => match contacts.action {
            None => contact::list(&session).await?,
            Some(ContactAction::Info { name }) => profile::info(&session, &name).await?,
            Some(ContactAction::Avatar { name, out }) => {
                profile::avatar(&session, &name, &out).await?;
            }
            Some(ContactAction::Remove { name, yes }) => {
                conversation::remove(&session, &name, yes).await?;
            }
        },
        Command::Verify(verify) => contact::verify(&session, verify).await?,
        Command::Rotate(rotate) => contact::rotate(&session, rotate).await?,
        Command::Rename(rename) => contact::rename(&session, rename).await?,
        Command::Mode(mode) => proof::mode(&session, mode).await?,
        Command::Prove(prove) => proof::prove(&session, prove).await?,
        Command::Send(send) => message::send(&session, send).await?,
        Command::Where(message) => message::locate(&session, message).await?,
        Command::Read(read) => message::read(&session, read).await?,
        Command::Search(search) => conversation::search(&session, search).await?,
        Command::Disappear(disappear) => conversation::disappear(&session, disappear).await?,
        Command::Typing(name) => conversation::typing(&session, name).await?,
        Command::Block(name) => conversation::block(&session, name, true).await?,
        Command::Unblock(name) => conversation::block(&session, name, false).await?,
        Command::Report(report) => conversation::report(&session, report).await?,
        Command::Conversations(which) => conversation::list(&session, which).await?,
        Command::Archive(which) => conversation::archive(&session, which).await?,
        Command::Mute(mute) => conversation::mute(&session, mute).await?,
        Command::Pin(pin) => conversation::pin(&session, pin).await?,
        Command::Unread(unread) => conversation::unread(&session, unread).await?,
        Command::Draft(draft) => conversation::draft(&session, draft).await?,
        Command::Watch => message::watch(&session).await?,
        Command::React(react) => message::react(&session, react).await?,
        Command::Edit(edit) => message::edit(&session, edit).await?,
        Command::Delete(message) => message::delete(&session, message).await?,
        // The rest was dispatched before: they need no running daemon.
        _ => return Err(Error::new(ErrorKind::Internal, "a command went astray")),
    }
    Ok(ExitCode::SUCCESS)
}

fn open(global: Global, output: Output) -> Result<Session, Error> {
    let home = Home::find(global.home).ok_or_else(|| {
        Error::new(ErrorKind::Usage, "no home folder is known")
            .with_advice("give one with --home DIR")
    })?;
    let ask_name = output.has_person().then_some(setting::ask_name as AskName);
    let client = Client::new(home.clone(), global.profile, ask_name);
    Ok(Session {
        home,
        client,
        output,
    })
}

/// Runs one command to its end on a small runtime of its own.
fn block_on<T>(command: impl Future<Output = Result<T, Error>>) -> Result<T, Error> {
    tokio::runtime::Builder::new_multi_thread()
        .enable_all()
        .build()
        .map_err(|error| Error::new(ErrorKind::Internal, format!("runtime: {error}")))?
        .block_on(command)
}

/// Reads an answer as the document it should be.
fn view<T: serde::de::DeserializeOwned>(value: serde_json::Value) -> Result<T, Error> {
    serde_json::from_value(value)
        .map_err(|error| Error::new(ErrorKind::Protocol, format!("the daemon's answer: {error}")))
}

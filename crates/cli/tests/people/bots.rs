//! The two example bots, each beside a real daemon that stops, starts and is
//! killed.

use std::path::Path;
use std::process::{Child, Command};

use crate::world::{Person, Relay, until};

/// The bot over the API crate, just as `cargo run --example` runs it.
#[path = "../../../api/examples/echo_bot.rs"]
#[allow(dead_code, reason = "its `main` only reads the command line")]
mod echo_bot;

#[test]
fn the_bot_over_the_api_crate_answers_each_text_once() {
    let runtime = tokio::runtime::Runtime::new().unwrap();
    converse(|home| {
        let api = hushwing_api::Client::new(home.join("api.sock"));
        runtime.spawn(echo_bot::serve(api))
    });
    runtime.shutdown_background();
}

#[test]
fn the_bot_over_the_bare_socket_answers_each_text_once() {
    converse(|home| {
        let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("../api/examples/echo_bot.py");
        let process = Command::new("python3").arg(file).arg(home).spawn();
        Running(process.unwrap())
    });
}

struct Running(Child);

impl Drop for Running {
    fn drop(&mut self) {
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

fn converse<B>(start: impl FnOnce(&Path) -> B) {
    let dir = tempfile::tempdir().unwrap();
    let relay = Relay::start(dir.path());
    let (bot, ada) = (Person::start("Echo", &relay), Person::start("Ada", &relay));
    let link = bot.run(&["invite", "--reusable"]).ok()["link"].clone();
    let _running = start(bot.path());

    ada.run(&["join", link.as_str().unwrap(), "--wait"]).ok();
    ada.run(&["send", "Echo", "one"]).ok();
    until("the first is answered", || ada.shown("Echo").len() == 2);

    // What is said while the bot's daemon is down is answered afterwards.
    bot.stop();
    ada.run(&["send", "Echo", "two"]).ok();
    bot.run(&["up"]).ok();
    until("the second is answered", || ada.shown("Echo").len() == 4);

    // Whatever were answered a second time would come before the last answer.
    bot.kill_daemon();
    bot.run(&["up"]).ok();
    ada.run(&["send", "Echo", "three"]).ok();
    until("the third is answered", || ada.shown("Echo").len() >= 6);
    let shown = ada.shown("Echo").into_iter().map(|(_, text)| text);
    let mut texts: Vec<String> = shown.collect();
    texts.sort();
    assert_eq!(texts, ["one", "one", "three", "three", "two", "two"]);
}

//! A walk through every call of the local API, in two homes, written down call by
//! call for `interop/api_check.py`, which reads nothing but the description.

use std::io::{BufRead, BufReader, Read, Write};
use std::os::unix::net::UnixStream;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;

use crate::Relay;

/// Somebody's home, and every call that was made there.
struct Home {
    dir: TempDir,
    made: Vec<Value>,
}

impl Home {
    fn start() -> Self {
        let dir = tempfile::tempdir().unwrap();
        let up = Command::new(env!("CARGO_BIN_EXE_hushwing"))
            .arg("--home")
            .arg(dir.path())
            .args(["--json", "up"])
            .output()
            .unwrap();
        assert!(up.status.success(), "{up:?}");
        Self {
            dir,
            made: Vec::new(),
        }
    }

    /// Asks by HTTP/1.0, whose answers end with the connection.
    fn open(&self, method: &str, path: &str, sent: &Value) -> UnixStream {
        let mut stream = UnixStream::connect(self.dir.path().join("api.sock")).unwrap();
        let body = match sent {
            Value::Null => String::new(),
            sent => sent.to_string(),
        };
        let length = body.len();
        let head = format!("{method} /v1/{path} HTTP/1.0\r\ncontent-length: {length}\r\n\r\n");
        stream
            .write_all(format!("{head}{body}").as_bytes())
            .unwrap();
        stream
    }

    /// Makes a call and writes it down.
    fn call(&mut self, method: &str, path: &str, sent: Value) -> Value {
        let mut answer = String::new();
        let mut stream = self.open(method, path, &sent);
        stream.read_to_string(&mut answer).unwrap();
        let (head, document) = answer.split_once("\r\n\r\n").unwrap();
        let status: u16 = head.split(' ').nth(1).unwrap().parse().unwrap();
        let answer: Value = serde_json::from_str(document).unwrap();
        let path = format!("/v1/{path}");
        self.made.push(json!({
            "method": method, "path": path, "sent": sent, "status": status, "answer": answer,
        }));
        answer
    }

    fn get(&mut self, path: &str) -> Value {
        self.call("GET", path, Value::Null)
    }

    fn delete(&mut self, path: &str) -> Value {
        self.call("DELETE", path, Value::Null)
    }

    fn post(&mut self, path: &str, sent: Value) -> Value {
        self.call("POST", path, sent)
    }

    /// Asks until the answer is as wanted.
    fn until(&mut self, path: &str, wanted: impl Fn(&Value) -> bool) -> Value {
        let begun = Instant::now();
        loop {
            let answer = self.get(path);
            if wanted(&answer) {
                return answer;
            }
            assert!(
                begun.elapsed() < Duration::from_secs(60),
                "{path}: {answer}"
            );
            std::thread::sleep(Duration::from_millis(50));
        }
    }

    /// Reads what happens up to an event of that kind, and writes it down.
    fn events(&mut self, stream: UnixStream, last: &str) {
        let mut lines: Vec<Value> = Vec::new();
        let mut heads = true;
        for line in BufReader::new(stream).lines() {
            let line = line.unwrap();
            heads &= !line.is_empty();
            if !heads && !line.is_empty() {
                lines.push(serde_json::from_str(&line).unwrap());
            }
            if lines.last().is_some_and(|event| event["event"] == last) {
                break;
            }
        }
        self.made.push(json!({
            "method": "GET", "path": "/v1/events", "sent": null, "status": 200, "lines": lines,
        }));
    }
}

fn count(wanted: usize) -> impl Fn(&Value) -> bool {
    move |answer| answer.as_array().is_some_and(|all| all.len() == wanted)
}

fn text(value: &Value) -> &str {
    value.as_str().unwrap()
}

/// Walks, and gives the file of all calls.
pub(crate) fn walk(dir: &Path) -> PathBuf {
    let relay = Relay::start();
    let (mut ada, mut ben) = (Home::start(), Home::start());
    settle(&mut ada, "Ada", &relay.address);
    settle(&mut ben, "Ben", &relay.address);
    installation(&mut ada);
    meet(&mut ada, &mut ben);
    show(&mut ada, &mut ben);
    talk(&mut ada, &mut ben);
    introduce(&mut ada, &mut ben);
    group(&mut ada, &mut ben);
    list(&mut ada);
    devices(&mut ada, &mut ben);
    keep(&mut ada);
    back_up(&mut ada, dir);
    hide(&mut ada);
    wrongs(&mut ada);
    ada.delete("contacts/Ben");
    ada.delete("servers?address=127.0.0.1");
    ben.delete("profiles/Cid");
    for home in [&mut ada, &mut ben] {
        home.post("shutdown", json!({}));
    }
    let calls: Vec<String> = ada
        .made
        .iter()
        .chain(&ben.made)
        .map(Value::to_string)
        .collect();
    let file = dir.join("calls.ndjson");
    std::fs::write(&file, calls.join("\n")).unwrap();
    file
}

fn settle(home: &mut Home, name: &str, relay: &str) {
    home.get("status");
    home.post("servers", json!({ "address": relay }));
    home.post("profiles", json!({ "name": name }));
    home.post("config/prompt_receipts", json!({ "value": "on" }));
}

fn installation(ada: &mut Home) {
    for path in [
        "status",
        "doctor",
        "config",
        "config/read_receipts",
        "profiles",
        "servers",
        "servers?passwords=true&profile=Ada",
    ] {
        ada.get(path);
    }
    ada.post("servers/test", json!({}));
}

fn meet(ada: &mut Home, ben: &mut Home) {
    let once = ada.post("invitations", json!({}));
    let link = ada.post("invitations", json!({ "reusable": true }))["link"].clone();
    ada.get("invitations?profile=Ada");
    ada.delete(&format!("invitations/{}", once["invitation"]));
    for (profile, verdict) in [("Cid", "refuse"), ("Ben", "accept")] {
        if profile == "Cid" {
            ben.post("profiles", json!({ "name": profile }));
        }
        let path = format!("joins?profile={profile}");
        ben.post(
            &path,
            json!({ "link": link, "timeout": 30, "enter_group": true }),
        );
        let request = ada.until("requests", count(1))[0]["request"].clone();
        ada.post(&format!("requests/{request}/{verdict}"), json!({}));
    }
    for home in [ada, ben] {
        home.until("contacts", |all| all[0]["state"] == "connected");
    }
}

/// A white dot.
const PICTURE: &str = "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg==";

fn show(ada: &mut Home, ben: &mut Home) {
    ada.post("profile", json!({ "status": "away", "avatar": PICTURE }));
    ada.get("profile");
    ben.until("contacts/Ada", |contact| contact["status"] == "away");
    ben.get("contacts/Ada/avatar");
}

fn talk(ada: &mut Home, ben: &mut Home) {
    let number = ada.get("contacts/Ben/safety")["safety_number"].clone();
    ben.post("contacts/Ada/safety", json!({ "number": number }));
    ben.post(
        "contacts/Ada/safety",
        json!({ "number": "12345 ".repeat(12) }),
    );
    ben.post("conversations/Ada/rotate", json!({}));
    ben.post("contacts/Ada/name", json!({ "name": "Ada L." }));

    let stream = ada.open("GET", "events", &Value::Null);
    let wish = json!({ "mode": "provable" });
    ada.post("contacts/Ben/mode", wish.clone());
    ben.until("contacts/Ada%20L./mode", |mode| {
        mode["theirs"] == "provable"
    });
    ben.post("contacts/Ada%20L./mode", wish);
    let say = |text: &str| json!({ "to": "Ada L.", "text": text, "wait": "delivered" });
    let first = ben.post("messages", say("hello"));
    let id = text(&first["message"]);
    ada.until("conversations/Ben/messages", count(1));
    let answer = json!({ "to": "Ben", "text": "hi", "reply_to": id, "wait": "delivered" });
    ada.post("messages", answer);
    ben.get(&format!("messages/{id}/where"));
    ben.get(&format!("messages/{id}/proof"));
    ben.post(&format!("messages/{id}/edit"), json!({ "text": "hello!" }));
    ben.post(
        &format!("messages/{id}/reactions"),
        json!({ "reaction": "+" }),
    );
    ada.events(stream, "changed");
    ben.get("conversations/Ada%20L./messages?n=7&profile=Ben");
    ben.delete(&format!("messages/{id}"));
    ada.until("conversations/Ben/messages", |all| {
        all[0]["deleted"] == true
    });
}

/// How a conversation is kept, and what is found in it.
fn keep(ada: &mut Home) {
    let said = json!({ "to": "Ben", "text": "keep this", "wait": "delivered" });
    let sent = ada.post("messages", said);
    let id = text(&sent["message"]).to_owned();
    ada.get(&format!("messages/{id}/history"));
    ada.post(&format!("messages/{id}/pin"), json!({ "on": true }));
    ada.get("search?text=keep&in=Ben&n=5");
    ada.get("search?text=%28");
    for what in ["archive", "pin", "unread", "block"] {
        for on in [true, false] {
            let path = format!("conversations/Ben/{what}");
            ada.post(&path, json!({ "on": on }));
        }
    }
    let path = |what: &str| format!("conversations/Ben/{what}");
    ada.post(&path("mute"), json!({ "on": true, "seconds": 60 }));
    ada.post(&path("draft"), json!({ "text": "half", "reply_to": id }));
    ada.post(&path("timer"), json!({ "seconds": 3_600 }));
    ada.post(&path("typing"), json!({}));
    ada.get("conversations");
    ada.get(&path("report?n=5"));
}

/// With a passphrase, with a code, and where there is a file already.
fn back_up(ada: &mut Home, dir: &Path) {
    let file = dir.join("ada.backup");
    let words = "four words by dice";
    ada.post("backups", json!({ "file": file, "passphrase": words }));
    let again = json!({ "file": file, "force": true });
    let made = ada.post("backups?profile=Ada", again);
    ada.post("backups", json!({ "file": file }));
    let code = &made["recovery_code"];
    ada.post("restores", json!({ "file": file, "secret": words }));
    ada.post("restores", json!({ "file": file, "secret": code }));
    let order = json!({ "file": file, "secret": code, "name": "Ada II" });
    ada.post("restores", order);
    ada.delete("profiles/Ada%20II");
}

/// Made, made twice, opened, and opened by the wrong words; and one that was there.
fn hide(ada: &mut Home) {
    let mut eve = json!({ "name": "Eve", "passphrase": "words by dice" });
    ada.post("profiles/open", eve.clone());
    ada.post("profiles/hidden", eve.clone());
    ada.post("profiles/hidden", eve.clone());
    ada.post("profiles/open", eve.clone());
    eve["passphrase"] = "other words".into();
    ada.post("profiles/open", eve);
    ada.post("profiles", json!({ "name": "Max" }));
    for name in ["Max", "Nobody"] {
        let words = json!({ "passphrase": "third words" });
        ada.post(&format!("profiles/{name}/hide"), words);
    }
}

/// A new device of Ada's, in a profile of Ben's home, is linked and revoked.
fn devices(ada: &mut Home, ben: &mut Home) {
    ben.post("profiles", json!({ "name": "Phone" }));
    ben.post("devices/show", json!({ "name": "phone" }));
    ben.post("devices/show?profile=Phone", json!({ "name": "phone" }));
    let shown = ben.until("devices?profile=Phone", |known| known["link"].is_string());
    let link = json!({ "link": shown["link"], "name": "desk" });
    ada.post("devices/link", json!({ "link": "x", "name": "desk" }));
    ada.post("devices/link", link);
    let code = ada.until("devices", |known| known["code"].is_string())["code"].clone();
    ada.post("devices/confirm", json!({ "code": "none" }));
    ada.post(
        "devices/confirm",
        json!({ "code": code, "history_days": 30 }),
    );
    ben.until("devices?profile=Phone", |known| known["state"] == "linked");
    let named = |known: &Value| known["devices"][1]["name"] == "phone";
    ada.until("devices", named);
    ada.delete("devices/tablet");
    ada.delete("devices/phone");
    ben.until("devices?profile=Phone", |known| known["state"] == "out");
    ben.delete("profiles/Phone");
}

/// Ada introduces two people who share Ben's home.
fn introduce(ada: &mut Home, ben: &mut Home) {
    ben.post("profiles", json!({ "name": "Dan" }));
    let link = ada.post("invitations", json!({}))["link"].clone();
    let opened = json!({ "link": link, "wait": true, "timeout": 60 });
    ben.post("joins?profile=Dan", opened);
    let is_dan = |one: &Value| one["name"] == "Dan" && one["state"] == "connected";
    ada.until("contacts", |all| {
        all.as_array().is_some_and(|all| all.iter().any(is_dan))
    });
    ada.get("contacts/Dan");
    let word = "you share a home";
    ada.post(
        "introductions",
        json!({ "one": "Ben", "other": "Dan", "word": word }),
    );
    ada.post("introductions", json!({ "one": "Ben", "other": "Ben" }));
    ada.get("introductions");
    for (profile, verdict) in [("Ben", "accept"), ("Dan", "refuse")] {
        let offers = ben.until(&format!("requests?profile={profile}"), count(1));
        let path = format!(
            "introductions/{}/{verdict}?profile={profile}",
            offers[0]["request"]
        );
        ben.post(&path, json!({}));
    }
}

/// Ada founds two groups and asks Ben in, who refuses one; and all else that can
/// be done to the other.
fn group(ada: &mut Home, ben: &mut Home) {
    ada.post("channels", json!({ "name": "News" }));
    ada.post("groups", json!({ "name": "Rowing" }));
    ada.post("groups", json!({ "name": "Sailing" }));
    let many = json!({ "group": "Sailing", "reusable": true, "open": true });
    let made = ada.post("invitations", many);
    ada.get("invitations");
    ada.delete(&format!("invitations/{}", made["invitation"]));
    ada.post("invitations", json!({ "open": true }));
    ada.post("invitations", json!({ "group": "Nowhere" }));
    for (name, verdict) in [("Rowing", "refuse"), ("Sailing", "accept")] {
        ada.post(&format!("groups/{name}/add"), json!({ "who": "Ben" }));
        // An introduction may wait as well.
        let is_group = |one: &Value| one["kind"] == "group";
        let requests = ben.until("requests", |all| {
            all.as_array().is_some_and(|all| all.iter().any(is_group))
        });
        let mut requests = requests.as_array().unwrap().iter();
        let offer = requests.find(|one| is_group(one)).unwrap();
        let path = format!("groups/{}/{verdict}", offer["request"]);
        ben.post(&path, json!({}));
    }
    let both = |all: &Value| all["size"] == 2;
    ada.until("groups/Sailing", both);
    ada.get("groups");
    ada.post("groups/Sailing/name", json!({ "name": "Regatta" }));
    ada.until("groups/Regatta", both);
    // Who may not set one is told that, whatever was chosen.
    ben.until("groups/Regatta", both);
    let told = ben.post("groups/Regatta/avatar", json!({ "avatar": "AAAA" }));
    assert_eq!(told["error"]["kind"], "usage", "{told}");
    ada.post(
        "groups/Regatta/stewards",
        json!({ "who": "Ben", "on": true }),
    );
    ada.post(
        "groups/Regatta/heralds",
        json!({ "who": "Ben", "on": false }),
    );
    ada.post("groups/Regatta/herald", json!({ "on": false }));
    ada.post("groups/Regatta/history", json!({ "on": true }));
    let rotated = ben.post("conversations/Regatta/rotate", json!({}));
    assert_eq!(rotated["mailboxes_are"], "replaced");
    ada.post("groups/Regatta/avatar", json!({ "avatar": PICTURE }));
    ada.until("groups/Regatta", |group| group["avatar"].is_string());
    ada.get("groups/Regatta/avatar");
    ada.post("groups/Regatta/avatar", json!({ "no_avatar": true }));
    ada.until("groups/Regatta", |group| group["avatar"].is_null());
    let none = ada.get("groups/Regatta/avatar");
    let advice = none["error"]["advice"].as_str().unwrap();
    assert!(advice.contains("group info"), "{advice}");
    ada.post("messages", json!({ "to": "Regatta", "text": "at six" }));
    for (what, body) in [
        ("mute", json!({ "on": true, "seconds": 60 })),
        ("pin", json!({ "on": true })),
        ("draft", json!({ "text": "at se" })),
        ("typing", json!({})),
        ("block", json!({ "on": true })),
        ("timer", json!({ "seconds": 60 })),
    ] {
        ada.post(&format!("conversations/Regatta/{what}"), body);
    }
    ada.get("conversations/Regatta/report");
    ada.post("groups/Regatta/remove", json!({ "who": "Nobody" }));
    ada.post("groups/Regatta/remove", json!({ "who": "Ben" }));
    ada.until("groups/Regatta", |all| all["size"] == 1);
    ada.post("groups/Regatta/leave", json!({}));
    ada.delete("groups/Regatta");
}

/// Ada makes a list of one, and posts to it.
fn list(ada: &mut Home) {
    ada.post("lists", json!({ "name": "Crew" }));
    ada.post("lists/Crew/posts", json!({ "text": "nobody" }));
    ada.post("lists/Crew/add", json!({ "who": "Ben" }));
    ada.get("lists");
    let posted = ada.post("lists/Crew/posts", json!({ "text": "at six" }));
    let path = format!("messages/{}/where", posted["message"].as_str().unwrap());
    ada.get(&path);
    ada.get("lists/Crew");
    ada.post("lists/Crew/remove", json!({ "who": "Ben" }));
    ada.delete("lists/Crew");
}

/// Errors are documents as well.
fn wrongs(ada: &mut Home) {
    ada.post("profiles", json!({ "name": "Ada" }));
    ada.post("joins", json!({ "link": "hushwing:nonsense" }));
    ada.post("messages", json!({ "to": "Nobody", "text": "x" }));
    ada.post(
        "messages",
        json!({ "to": "Ben", "text": "x", "tone": "shrill" }),
    );
    ada.get("messages/00000000/where");
    ada.post("contacts/Ben/mode", json!({ "mode": "otr" }));
    ada.post("messages", json!({ "to": "Ben", "text": "alone" }));
    ada.post("contacts/Ben/mode", json!({ "mode": "normal" }));
    ada.get("config/colour");
    ada.get("contacts?profile=Nobody");
    ada.delete("servers?address=nowhere.example");
}

//! Messages, contacts and events as lines for people.
//!
//! Contacts choose their names and write what they like, so what is theirs never
//! stands where a line begins: that is where ids stand.

use hushwing_daemon::view;
use serde::de::DeserializeOwned;
use serde_json::Value;

use crate::output::indented;

/// Digits of a message id where only the id is known. The daemon shows as many
/// unless others begin alike.
const DIGITS: usize = 10;

/// An id by its beginning.
pub(super) fn id(whole: &str) -> &str {
    whole.get(..DIGITS).unwrap_or(whole)
}

/// A message as said by `from`: its id, what it answers, its text and what
/// became of it.
pub(super) fn message(message: &view::Message, from: &str) -> String {
    let text = if message.deleted {
        "(deleted)".to_owned()
    } else {
        indented(&message.text)
    };
    // What the conversation tells of itself stands apart from what people say.
    let colon = if message.notice.is_some() { " *" } else { ":" };
    let mut line = format!(
        "{}  {}  {from}{}{colon} {text}",
        message.short,
        message.sent_at,
        answered(message)
    );
    if message.edited && !message.deleted {
        line.push_str("  (edited)");
    }
    if message.elsewhere || message.state != "received" {
        line.push_str(&format!("  [{}]", outcome(message)));
    }
    match message.provable {
        Some(true) => line.push_str("  [provable]"),
        Some(false) => line.push_str("  [not provable]"),
        None => {}
    }
    if message.off_the_record {
        line.push_str("  [off the record]");
    }
    if message.handed_on {
        line.push_str("  [said before you came, as who let you in tells it]");
    }
    for reaction in &message.reactions {
        line.push_str(&format!("  {} {}", reaction.reaction, reaction.from));
    }
    line
}

/// What became of a message of mine; in a group, to how many it got as far as to
/// anybody.
fn outcome(message: &view::Message) -> String {
    let Some(to) = &message.reached else {
        return match message.elsewhere {
            true => "by another device".to_owned(),
            false => message.state.clone(),
        };
    };
    let furthest = [
        (to.read, "read by"),
        (to.delivered, "delivered to"),
        (to.accepted, "accepted for"),
    ];
    match furthest.iter().find(|(count, _)| *count > 0) {
        _ if to.all == 0 => "nobody else was there".to_owned(),
        Some((count, what)) => format!("{what} {count} of {}", to.all),
        None => message.state.clone(),
    }
}

fn answered(message: &view::Message) -> String {
    match (&message.answered, &message.reply_to) {
        (Some(quote), _) if quote.deleted => format!(" answers {} (deleted)", quote.short),
        (Some(quote), _) => format!(" answers {} \"{}\"", quote.short, quote.text),
        (None, Some(target)) => format!(" answers {} (not here)", id(target)),
        (None, None) => String::new(),
    }
}

/// A contact: by whom, how, and how to name them where others have their name.
pub(super) fn contact(contact: &view::Contact) -> String {
    let verified = identity(contact);
    let secrecy = if contact.forward_secrecy {
        ""
    } else {
        "  no forward secrecy yet"
    };
    let mode = match contact.mode.as_str() {
        "normal" => String::new(),
        other => format!("  {other}"),
    };
    let lost = if contact.mailbox_lost {
        "  cannot write to you now: the relay lost their mailbox"
    } else {
        ""
    };
    let blocked = if contact.blocked { "  blocked" } else { "" };
    let devices = match contact.devices {
        0 | 1 => String::new(),
        several => format!("  {several} devices"),
    };
    let namesake = if contact.namesake {
        "  another contact has this name: use the id"
    } else {
        ""
    };
    format!(
        "{}  {}  {}{verified}{devices}{blocked}{secrecy}{mode}{}{lost}{namesake}{}",
        contact.short,
        contact.name,
        contact.state,
        introduced(contact),
        in_their_words(contact)
    )
}

/// What somebody says of themselves, on lines of its own: no mark of ours stands there.
fn in_their_words(contact: &view::Contact) -> String {
    let mut lines = String::new();
    if let Some(name) = contact
        .own_name
        .as_ref()
        .filter(|own| **own != contact.name)
    {
        lines.push_str(&format!("\n          calls themselves {name}"));
    }
    if let Some(status) = &contact.status {
        lines.push_str(&format!("\n          says: {status}"));
    }
    lines
}

/// Who introduced somebody, and whether both were told the same.
fn introduced(contact: &view::Contact) -> String {
    let Some(by) = &contact.introduced_by else {
        return String::new();
    };
    let doubt = match contact.introduction.as_deref() {
        Some("disputed") => " WHO TOLD YOU TWO DIFFERENT THINGS: compare the safety number",
        _ => "",
    };
    format!("  introduced by {by}{doubt}")
}

/// Whether somebody was compared, and since when they are not any more.
fn identity(contact: &view::Contact) -> String {
    match (&contact.verified_at, &contact.withdrawn_at) {
        (Some(at), _) if contact.verified => format!("  verified {at}"),
        (_, Some(at)) => format!("  NOT VERIFIED ANY MORE: their safety number changed {at}"),
        _ if contact.verified => "  verified".to_owned(),
        _ => String::new(),
    }
}

/// A safety number, and what to do with it.
pub(super) fn safety(safety: &view::Safety, drawn: bool) -> String {
    let advice = match (&safety.verified_at, &safety.withdrawn_at) {
        (Some(at), _) => format!(
            "verified {at} by {}; compare again whenever you like",
            safety.verified_by.as_deref().unwrap_or("number")
        ),
        (None, Some(at)) => format!(
            "NOT VERIFIED ANY MORE: this number is another one since {at}. Compare it again, in \
             person, before you write anything that matters"
        ),
        (None, None) if drawn => {
            "have them scan this by `hushwing verify YOU --image FILE`, and scan theirs".to_owned()
        }
        (None, None) => {
            "have them read theirs to you, then `hushwing verify NAME 'THEIR NUMBER'`; or scan: \
             `hushwing verify NAME --qr` shows the code, `--image FILE` reads theirs"
                .to_owned()
        }
    };
    format!("{}\n{}\n{advice}", safety.name, safety.safety_number)
}

/// Messages, oldest first, and between them the changes of keys, each before the
/// first message that is younger.
pub(super) fn conversation(messages: &[view::Message], changes: &[view::KeyChange]) -> String {
    let mut lines = Vec::new();
    let mut changes = changes.iter().peekable();
    for shown in messages {
        let with = &shown.with;
        while let Some(change) = changes.next_if(|change| change.at < shown.sent_at) {
            lines.push(key_change(change, with));
        }
        lines.push(message(shown, &shown.from));
    }
    let with = messages.last().map_or("", |shown| &shown.with);
    lines.extend(changes.map(|change| key_change(change, with)));
    lines.join("\n")
}

/// A change of who somebody is, as a line among their messages.
pub(super) fn key_change(change: &view::KeyChange, name: &str) -> String {
    let what = match change.change.as_str() {
        "planned_key" => format!("{name} has a key for you alone now, as expected"),
        "conversation" => format!("the conversation with {name} was begun anew, with other keys"),
        "restored" => format!("{name} put a backup back and goes on with it"),
        "own_key" => format!("your key towards {name} is another one"),
        _ => format!("the key of {name} is another one"),
    };
    let verified = match change.withdrew_verification {
        true => "; they are NOT VERIFIED any more: compare by `hushwing verify`",
        false => "",
    };
    format!("--  {}  {what}{verified}", change.at)
}

/// An introduction that was offered, or got further.
fn introduction(offer: &view::Request) -> String {
    let number = offer.request;
    match offer.state.as_str() {
        "waiting" => format!(
            "introduction {}\n    `hushwing requests accept {number}` or `refuse {number}`",
            super::introduction::line(offer)
        ),
        _ => format!("introduction {}", super::introduction::line(offer)),
    }
}

/// An event of `watch`.
pub(super) fn event(event: &Value) -> String {
    let name = text(event, "event");
    let line = match name {
        "message" => read(event).map(|shown| arrived(&shown, event)),
        "disappeared" => Some(format!("{}  disappeared", id(text(event, "message")))),
        "changed" => read(event).map(|shown| format!("changed  {}", said(&shown))),
        "mode" => Some(format!(
            "mode  {}  {}, your wish {}, theirs {}",
            text(event, "name"),
            text(event, "mode"),
            text(event, "mine"),
            text(event, "theirs")
        )),
        "name_changed" => Some(format!(
            "contact  {}  who called themselves {} calls themselves {} now; `hushwing rename` \
             would show them so",
            text(event, "name"),
            text(event, "before"),
            text(event, "now")
        )),
        "introduction" => read(event).map(|offer| introduction(&offer)),
        "group" => read(event).map(|shown| format!("group  {}", super::group::line(&shown))),
        "devices" => read(event).map(|known| super::device::changed(&known)),
        "devices_unchanged" => Some(format!(
            "devices  cannot be changed so: {}",
            text(event, "reason")
        )),
        "group_offered" => read(event).map(|offer: view::Request| {
            let number = offer.request;
            format!(
                "request {}\n    `hushwing requests accept {number}` or `refuse {number}`",
                super::group::offered(&offer)
            )
        }),
        "key_changed" => read(event).map(|change| key_change(&change, text(event, "name"))),
        "contact" => read(event).map(|shown| format!("contact  {}", contact(&shown))),
        "removed" => Some(format!("removed  {}", text(event, "name"))),
        "state" => Some(state(event)),
        "progress" => Some(format!(
            "{}  {} on {}",
            id(text(event, "message")),
            text(event, "stage"),
            text(event, "network")
        )),
        "request" => event.get("request").map(|number| {
            format!(
                "request {number}  {}: `hushwing requests accept {number}` or `refuse {number}`",
                text(event, "name")
            )
        }),
        _ => None,
    };
    line.unwrap_or_else(|| fields(event))
}

fn state(event: &Value) -> String {
    let line = format!("{}  {}", id(text(event, "message")), text(event, "state"));
    match text(event, "reason") {
        "" => line,
        reason => format!("{line}: {reason}"),
    }
}

fn read<T: DeserializeOwned>(event: &Value) -> Option<T> {
    serde_json::from_value(event.clone()).ok()
}

/// Where several conversations mix, own messages say to whom, and those of members of
/// a group in which.
pub(super) fn said(shown: &view::Message) -> String {
    match shown.from == shown.with {
        true => message(shown, &shown.from),
        false => message(shown, &format!("{} to {}", shown.from, shown.with)),
    }
}

fn arrived(shown: &view::Message, event: &Value) -> String {
    let late = match event.get("last") {
        Some(Value::Bool(false)) => "late  ",
        _ => "",
    };
    format!("{late}{}", said(shown))
}

fn text<'e>(event: &'e Value, field: &str) -> &'e str {
    event.get(field).and_then(Value::as_str).unwrap_or_default()
}

/// A span of time, in the units people use.
pub(super) fn span(seconds: u32) -> String {
    let units = [
        (7 * 86_400, "week"),
        (86_400, "day"),
        (3_600, "hour"),
        (60, "minute"),
        (1, "second"),
    ];
    let mut left = seconds;
    let mut parts = Vec::new();
    for (unit, name) in units {
        match left / unit {
            0 => {}
            1 => parts.push(format!("1 {name}")),
            many => parts.push(format!("{many} {name}s")),
        }
        left %= unit;
    }
    match parts.is_empty() {
        true => "0 seconds".to_owned(),
        false => parts.join(" "),
    }
}

/// Any other event: its name, then its plain fields.
fn fields(event: &Value) -> String {
    let Value::Object(fields) = event else {
        return event.to_string();
    };
    let mut line = text(event, "event").to_owned();
    for (key, value) in fields.iter().filter(|(key, _)| *key != "event") {
        match value {
            Value::Null | Value::Array(_) | Value::Object(_) => {}
            Value::String(text) => line.push_str(&format!("  {key}: {}", indented(text))),
            other => line.push_str(&format!("  {key}: {other}")),
        }
    }
    line
}

#[cfg(test)]
mod tests {
    #[test]
    fn spans_are_told_in_units_people_use() {
        let told = [0, 1, 90, 86_400, 1_209_600, 694_861].map(span);
        let wanted = [
            "0 seconds",
            "1 second",
            "1 minute 30 seconds",
            "1 day",
            "2 weeks",
            "1 week 1 day 1 hour 1 minute 1 second",
        ];
        assert_eq!(told, wanted);
    }

    use serde_json::json;

    use super::*;

    fn reply() -> Value {
        json!({
            "event": "message", "last": true,
            "id": "01aabbccddeeff", "short": "01aabbccdd", "conversation": "77", "with": "Bob",
            "from": "Bob", "sent_at": "2026-11-21T04:38:01.392Z", "text": "yes\nno",
            "state": "received", "attachments": [], "reply_to": "0199887766554433",
            "answered": {"short": "0199887766", "from": "me", "text": "Tea?", "deleted": false},
            "edited": true, "deleted": false,
            "reactions": [{"from": "me", "reaction": "👍"}],
        })
    }

    #[test]
    fn a_message_shows_its_id_what_it_answers_and_its_marks() {
        assert_eq!(
            event(&reply()),
            "01aabbccdd  2026-11-21T04:38:01.392Z  Bob answers 0199887766 \"Tea?\": \
             yes\n    no  (edited)  👍 me"
        );
    }

    #[test]
    fn changes_of_keys_stand_between_the_messages_of_their_time() {
        let mut event = reply();
        event["answered"] = Value::Null;
        event["reply_to"] = Value::Null;
        event["with"] = json!("Bob");
        let earlier: view::Message = serde_json::from_value(event.clone()).unwrap();
        event["sent_at"] = json!("2026-11-21T06:00:00.000Z");
        let later: view::Message = serde_json::from_value(event).unwrap();
        let change = |at: &str, withdrew_verification| view::KeyChange {
            at: at.to_owned(),
            change: "key".to_owned(),
            withdrew_verification,
        };
        let shown = conversation(
            &[earlier, later],
            &[
                change("2026-11-21T05:00:00.000Z", true),
                change("2026-11-21T07:00:00.000Z", false),
            ],
        );
        let lines: Vec<&str> = shown
            .lines()
            .filter(|line| !line.starts_with(' '))
            .collect();
        assert!(lines[1].starts_with("--  2026-11-21T05:00") && lines[1].contains("NOT VERIFIED"));
        assert!(lines[3].starts_with("--  2026-11-21T07:00") && !lines[3].contains("NOT"));
    }

    #[test]
    fn a_deleted_message_and_an_unknown_one_that_is_answered_are_named() {
        let mut event = reply();
        event["deleted"] = json!(true);
        event["text"] = json!("");
        event["answered"] = Value::Null;
        event["reactions"] = json!([]);
        assert_eq!(
            super::event(&event),
            "01aabbccdd  2026-11-21T04:38:01.392Z  Bob answers 0199887766 (not here): (deleted)"
        );
    }

    #[test]
    fn own_messages_say_to_whom_and_states_name_their_message() {
        let mut event = reply();
        event["from"] = json!("me");
        event["state"] = json!("queued");
        assert!(super::event(&event).contains("  me to Bob answers "));
        assert!(super::event(&event).contains("  [queued]"));
        event["with"] = json!("Rowing");
        event["from"] = json!("Bob");
        assert!(super::event(&event).contains("  Bob to Rowing answers "));
        let state = json!({"event": "state", "message": "01aabbccddeeff", "state": "delivered"});
        assert_eq!(super::event(&state), "01aabbccdd  delivered");
        let failed = json!({
            "event": "state", "message": "01aabbccddeeff", "state": "failed", "reason": "gone",
        });
        assert_eq!(super::event(&failed), "01aabbccdd  failed: gone");
    }

    #[test]
    fn an_event_of_a_later_daemon_is_still_shown() {
        let event = json!({"event": "weather", "wind": 7, "from": "west"});
        assert_eq!(super::event(&event), "weather  from: west  wind: 7");
    }
}

//! Private names for several contacts, each of whom is told alone.

use hushwing_api::list::{List, ListPost, MissedCopy};
use hushwing_daemon::Error;
use serde_json::{Value, json};

use super::{Session, message, shown, view};
use crate::args::{self, ListAction};
use crate::client::Path;

/// `list`
pub(super) async fn run(session: &Session, list: args::List) -> Result<(), Error> {
    match list.action {
        ListAction::New { name } => {
            let body = json!({ "name": name });
            let made = session.client.post(&Path::new(["lists"]), &body).await?;
            let made: List = view(made)?;
            session.output.result(&made, |made| {
                let (name, number) = (&made.name, made.list);
                format!("made list {name}, number {number}; add contacts by `hushwing list add`")
            });
        }
        ListAction::Add { list, contact } => {
            let said = |_: &List| format!("{contact} is on it");
            change(session, &list, &contact, "add", said).await?;
        }
        ListAction::Remove { list, contact } => {
            let said = |_: &List| format!("{contact} is not on it any more");
            change(session, &list, &contact, "remove", said).await?;
        }
        ListAction::Delete { list } => {
            let gone = session.client.delete(&Path::new(["lists", &list])).await?;
            session
                .output
                .result(&gone, |_: &Value| format!("forgot list {list}"));
        }
        ListAction::List => {
            let all: Vec<List> = view(session.client.get(&Path::new(["lists"])).await?)?;
            session.output.result(&all, |all| {
                let lines: Vec<String> = all.iter().map(line).collect();
                match lines.is_empty() {
                    true => "you have no list".to_owned(),
                    false => lines.join("\n"),
                }
            });
        }
        ListAction::Info { list } => {
            let found: List = view(session.client.get(&Path::new(["lists", &list])).await?)?;
            session.output.result(&found, info);
        }
        ListAction::Post { list, text } => {
            let text = message::text(text)?;
            let path = Path::new(["lists", &list, "posts"]);
            let posted = session.client.post(&path, &json!({ "text": text })).await?;
            let posted: ListPost = view(posted)?;
            session.output.result(&posted, |posted| {
                let id = shown::id(&posted.message);
                let to = posted.waiting;
                format!(
                    "posted {id}, to be said to {to} of {}{}",
                    posted.all,
                    missed(posted)
                )
            });
        }
    }
    Ok(())
}

async fn change(
    session: &Session,
    list: &str,
    contact: &str,
    what: &str,
    said: impl FnOnce(&List) -> String,
) -> Result<(), Error> {
    let path = Path::new(["lists", list, what]);
    let changed = session
        .client
        .post(&path, &json!({ "who": contact }))
        .await?;
    session.output.result(&view(changed)?, said);
    Ok(())
}

fn line(list: &List) -> String {
    format!(
        "{}  {}  {} on it",
        list.list,
        list.name,
        list.contacts.len()
    )
}

fn info(list: &List) -> String {
    let mut text = line(list);
    for contact in &list.contacts {
        text.push_str(&format!("\n  {}", contact.name));
    }
    for post in &list.posts {
        let how = match (post.deleted, post.waiting) {
            (false, 0) => "said".to_owned(),
            (true, 0) => "deleted".to_owned(),
            (_, waiting) => format!("{waiting} of {} to be told", post.all),
        };
        let missed = missed(post);
        text.push_str(&format!(
            "\n  post {}  {}  {how}{missed}",
            shown::id(&post.message),
            post.posted_at
        ));
    }
    text
}

/// Who is not told, and why.
fn missed(post: &ListPost) -> String {
    let one = |one: &MissedCopy| format!("{} ({})", one.name, words(&one.reason));
    let names: Vec<String> = post.missed.iter().map(one).collect();
    match names.is_empty() {
        true => String::new(),
        false => format!("; not to {}", names.join(", ")),
    }
}

/// A word of the local API as people write it.
pub(super) fn words(word: &str) -> String {
    word.replace('_', " ")
}

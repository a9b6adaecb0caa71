//! What one says and others read. To the local API a channel is a group of that kind.

use hushwing_api::group::Group;
use hushwing_daemon::{Error, view};
use serde_json::json;

use super::group::{by_id, change, forget, info, line, of_kind, post};
use super::{Session, view};
use crate::args::{self, ChannelAction};
use crate::client::Path;

const CHANNEL: &str = "channel";

/// `channel`
pub(super) async fn run(session: &Session, channel: args::Channel) -> Result<(), Error> {
    match channel.action {
        ChannelAction::New { name } => {
            let made = post(session, &Path::new(["channels"]), &json!({ "name": name })).await?;
            let note = by_id(session, &made).await?;
            session.output.result(&made, |made| {
                format!(
                    "founded {}; ask contacts to read it by `hushwing channel add`{note}",
                    made.name
                )
            });
        }
        ChannelAction::Post { channel, text } => {
            let id = of_kind(session, CHANNEL, &channel).await?.group;
            let body = json!({ "to": id, "text": text });
            let sent = session.client.post(&Path::new(["messages"]), &body).await?;
            let sent: view::Sent = view(sent)?;
            session.output.result(&sent, |sent| match sent.alone {
                true => "posted; nobody reads it yet".to_owned(),
                false => "posted".to_owned(),
            });
        }
        ChannelAction::List => list(session).await?,
        ChannelAction::Info { channel } => {
            let found = of_kind(session, CHANNEL, &channel).await?;
            session.output.result(&found, info);
        }
        ChannelAction::Add { channel, contact } => {
            let said = |_: &Group| format!("asked {contact}; they read once they accept");
            change(
                session,
                CHANNEL,
                &channel,
                "add",
                &json!({ "who": contact }),
                said,
            )
            .await?;
        }
        ChannelAction::Remove { channel, reader } => {
            let said = |_: &Group| format!("{reader} reads nothing further");
            change(
                session,
                CHANNEL,
                &channel,
                "remove",
                &json!({ "who": reader }),
                said,
            )
            .await?;
        }
        ChannelAction::Leave { channel } => {
            let said = |_: &Group| "left".to_owned();
            change(session, CHANNEL, &channel, "leave", &json!({}), said).await?;
        }
        ChannelAction::Forget { channel } => {
            forget(session, CHANNEL, &channel).await?;
        }
    }
    Ok(())
}

async fn list(session: &Session) -> Result<(), Error> {
    let mut all: Vec<Group> = view(session.client.get(&Path::new(["groups"])).await?)?;
    all.retain(|one| one.kind == "channel" && one.state != "offered");
    session.output.result(&all, |all| {
        let lines: Vec<String> = all.iter().map(line).collect();
        match lines.is_empty() {
            true => "you publish and read no channel".into(),
            false => lines.join("\n"),
        }
    });
    Ok(())
}

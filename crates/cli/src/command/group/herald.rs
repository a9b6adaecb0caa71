//! `group herald`: who passes on what others say.

use hushwing_api::group::{Group, GroupMember};
use hushwing_daemon::Error;
use serde_json::json;

use super::{GROUP, change, of_kind};
use crate::command::Session;

/// Shows who does.
pub(super) async fn show(session: &Session, group: &str) -> Result<(), Error> {
    let found = of_kind(session, GROUP, group).await?;
    session.output.result(&found, heralds);
    Ok(())
}

/// Lets a member be one, or no longer.
pub(super) async fn name(
    session: &Session,
    group: &str,
    member: &str,
    on: bool,
) -> Result<(), Error> {
    let said = |changed: &Group| match on {
        true => format!("{member} shall pass on what others say"),
        false => dismissed(changed, member),
    };
    let body = json!({ "who": member, "on": on });
    change(session, GROUP, group, "heralds", &body, said).await
}

fn dismissed(group: &Group, member: &str) -> String {
    let waits = group.pending.iter().any(|one| one.change == "no_herald");
    let now = match waits {
        true => "shall pass on what others say no longer",
        false => "passes on nothing",
    };
    format!("{member} {now}, and is named again only if a steward says so")
}

/// Says whether I do, if I am asked to.
pub(super) async fn be(session: &Session, group: &str, willing: bool) -> Result<(), Error> {
    let said = |changed: &Group| {
        let me = changed.members.iter().find(|one| one.me);
        match (willing, me.is_some_and(|me| me.herald)) {
            (true, _) => "you pass on what others say there if you are named".to_owned(),
            (false, true) => {
                "told the stewards; you pass on what others say until they named another".to_owned()
            }
            (false, false) => "you will not be named there".to_owned(),
        }
    };
    let body = json!({ "on": willing });
    change(session, GROUP, group, "herald", &body, said).await
}

fn heralds(group: &Group) -> String {
    let lines: Vec<_> = group
        .members
        .iter()
        .filter(|one| one.present && (one.herald || one.declines))
        .map(line)
        .collect();
    match group.members.iter().any(|one| one.herald) {
        true => lines.join("\n"),
        false => {
            let none = "nobody passes on what others say: each writes to all".to_owned();
            [vec![none], lines].concat().join("\n")
        }
    }
}

fn line(member: &GroupMember) -> String {
    let note = match (&member.sign, member.me) {
        _ if !member.herald => "declines to be one".to_owned(),
        _ if member.declines => "declines, until another is named".to_owned(),
        (_, true) => "you".to_owned(),
        (Some(at), _) => format!("last sign {at}"),
        (None, _) => "no sign yet".to_owned(),
    };
    format!("  {}  {}  {note}", member.member, member.name)
}

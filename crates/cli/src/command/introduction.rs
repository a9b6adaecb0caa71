//! Introducing contacts to each other, and being introduced.

use hushwing_daemon::{Error, view};
use serde_json::json;

use super::{Session, view};
use crate::args::Introduce;
use crate::client::Path;
use crate::output::indented;

/// `introduce`
pub(super) async fn introduce(session: &Session, introduce: Introduce) -> Result<(), Error> {
    let path = Path::new(["introductions"]);
    let (Some(one), Some(other)) = (introduce.one, introduce.other) else {
        return list(session).await;
    };
    let body = json!({ "one": one, "other": other, "word": introduce.word });
    let made: view::Introduction = view(session.client.post(&path, &body).await?)?;
    session.output.result(&made, |made| {
        format!(
            "asked {} and {}; if both agree they meet by themselves",
            made.one, made.other
        )
    });
    Ok(())
}

async fn list(session: &Session) -> Result<(), Error> {
    let path = Path::new(["introductions"]);
    let all: Vec<view::Introduction> = view(session.client.get(&path).await?)?;
    session.output.result(&all, |all| {
        if all.is_empty() {
            return "you introduced nobody lately".into();
        }
        let lines = all.iter().map(|one| {
            format!(
                "{}  {}  {} and {}: {}",
                one.introduction, one.since, one.one, one.other, one.state
            )
        });
        lines.collect::<Vec<_>>().join("\n")
    });
    Ok(())
}

/// `requests accept`, of an introduction
pub(super) async fn accept(session: &Session, request: u64) -> Result<(), Error> {
    let path = Path::new(["introductions", &request.to_string(), "accept"]);
    let agreed: view::Request = view(session.client.post(&path, &json!({})).await?)?;
    session.output.result(&agreed, |agreed| {
        format!("agreed; if {} agrees too, you will meet", agreed.name)
    });
    Ok(())
}

/// `requests refuse`, of an introduction
pub(super) async fn refuse(session: &Session, request: u64) -> Result<(), Error> {
    let path = Path::new(["introductions", &request.to_string(), "refuse"]);
    let refused = session.client.post(&path, &json!({})).await?;
    session
        .output
        .result(&refused, |_| format!("refused {request}; nobody is told"));
    Ok(())
}

/// An offer as a line of `requests`.
pub(super) fn line(request: &view::Request) -> String {
    let by = request.introduced_by.as_deref().unwrap_or("somebody");
    let known = match request.name_known {
        true => "; you know somebody of that name",
        false => "",
    };
    let word = match &request.word {
        Some(word) => format!(": \"{}\"", indented(word)),
        None => String::new(),
    };
    format!(
        "{}  {}  {}, introduced by {by}{word}  [{}{known}]",
        request.request, request.received_at, request.name, request.state
    )
}

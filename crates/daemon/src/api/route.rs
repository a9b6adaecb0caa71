//! Which call answers which path.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::{Method, Request, Response};
use serde::Deserialize;
use tokio::sync::watch;

use super::body::{self, Body};
use crate::error::{Error, ErrorKind};
use crate::handle::{Events, Handle, Outgoing, Stage};

type Answer = Result<Response<Body>, Error>;

/// Answers one request; every failure becomes an error document.
pub(super) async fn answer(
    handle: &Handle,
    request: Request<Incoming>,
    stop: watch::Receiver<bool>,
) -> Response<Body> {
    match route(handle, request, stop).await {
        Ok(response) => response,
        Err(error) => body::failure(&error),
    }
}

/// A request taken apart: path segments after `/v1/` and query values.
struct Call {
    segments: Vec<String>,
    query: Vec<(String, String)>,
}

impl Call {
    fn parse(request: &Request<Incoming>) -> Result<Self, Error> {
        let uri = request.uri();
        let path = uri.path().strip_prefix("/v1/").ok_or_else(no_such_path)?;
        let segments = path.split('/').map(unescape).collect::<Result<_, _>>()?;
        let query = uri
            .query()
            .unwrap_or_default()
            .split('&')
            .filter(|pair| !pair.is_empty())
            .map(|pair| {
                let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
                Ok((unescape(name)?, unescape(value)?))
            })
            .collect::<Result<_, Error>>()?;
        Ok(Self { segments, query })
    }

    fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    fn profile(&self) -> Option<&str> {
        self.query("profile")
    }
}

fn no_such_path() -> Error {
    Error::new(ErrorKind::NotFound, "the local API has no such path")
        .with_advice("paths begin with /v1/")
}

fn unescape(text: &str) -> Result<String, Error> {
    let wrong = || Error::new(ErrorKind::Usage, "the path is not properly escaped");
    let mut bytes = Vec::with_capacity(text.len());
    let mut rest = text.bytes();
    while let Some(byte) = rest.next() {
        if byte != b'%' {
            bytes.push(byte);
            continue;
        }
        let digit = |byte: Option<u8>| byte.and_then(|byte| char::from(byte).to_digit(16));
        let (high, low) = (digit(rest.next()), digit(rest.next()));
        let value = high.zip(low).map(|(high, low)| high * 16 + low);
        bytes.push(
            value
                .and_then(|value| u8::try_from(value).ok())
                .ok_or_else(wrong)?,
        );
    }
    String::from_utf8(bytes).map_err(|_| wrong())
}

#[derive(Deserialize)]
struct NameBody {
    name: String,
}

#[derive(Deserialize)]
struct ServerBody {
    address: String,
    #[serde(default)]
    unchecked: bool,
}

#[derive(Deserialize)]
struct TestBody {
    address: Option<String>,
}

#[derive(Deserialize)]
struct InviteBody {
    #[serde(default)]
    reusable: bool,
}

#[derive(Deserialize)]
struct JoinBody {
    link: String,
    #[serde(default)]
    wait: bool,
    timeout: Option<u64>,
}

#[derive(Deserialize)]
struct SendBody {
    to: String,
    text: String,
    reply_to: Option<String>,
    wait: Option<Stage>,
    timeout: Option<u64>,
}

#[derive(Deserialize)]
struct TextBody {
    text: String,
}

#[derive(Deserialize)]
struct ReactionBody {
    reaction: String,
}

#[derive(Deserialize)]
struct NumberBody {
    number: String,
}

#[derive(Deserialize)]
struct ValueBody {
    value: String,
}

const DEFAULT_WAIT: u64 = 60;
const DEFAULT_COUNT: u32 = 50;

fn wait_time(seconds: Option<u64>) -> Duration {
    // A day is longer than anybody waits, and adding it to a clock cannot fail.
    Duration::from_secs(seconds.unwrap_or(DEFAULT_WAIT).min(86_400))
}

async fn route(handle: &Handle, request: Request<Incoming>, stop: watch::Receiver<bool>) -> Answer {
    let call = Call::parse(&request)?;
    let method = request.method().clone();
    let body = request.into_body();
    let segments: Vec<&str> = call.segments.iter().map(String::as_str).collect();
    match segments.as_slice() {
        [
            "status" | "shutdown" | "doctor" | "config" | "profiles" | "servers",
            ..,
        ] => installation(handle, &method, &segments, &call, body).await,
        ["invitations" | "joins" | "requests", ..] => {
            meeting(handle, &method, &segments, &call, body).await
        }
        ["contacts", ..] => contacts(handle, &method, &segments, &call, body).await,
        ["messages", ..] => messages(handle, &method, &segments, &call, body).await,
        ["conversations", name, "messages"] if method == Method::GET => {
            let count = match call.query("n") {
                None => DEFAULT_COUNT,
                Some(text) => text
                    .parse()
                    .map_err(|_| Error::new(ErrorKind::Usage, "n is a number of messages"))?,
            };
            body::json(&handle.read(call.profile(), name, count).await?)
        }
        ["events"] if method == Method::GET => Ok(events(handle.events(call.profile())?, stop)),
        _ => Err(no_such_path()),
    }
}

async fn installation(
    handle: &Handle,
    method: &Method,
    segments: &[&str],
    call: &Call,
    body: Incoming,
) -> Answer {
    match (method, segments) {
        (&Method::GET, ["status"]) => body::json(&handle.status().await?),
        (&Method::POST, ["shutdown"]) => {
            handle.stop();
            body::json(&serde_json::json!({ "stopping": true }))
        }
        (&Method::GET, ["doctor"]) => body::json(&handle.doctor().await?),
        (&Method::GET, ["config"]) => body::json(&handle.setting(None)?),
        (&Method::GET, ["config", key]) => body::json(&handle.setting(Some(key))?),
        (&Method::POST, ["config", key]) => {
            let ValueBody { value } = body::read(body).await?;
            body::json(&handle.set_setting(key, &value).await?)
        }
        (&Method::GET, ["profiles"]) => body::json(&handle.profiles()),
        (&Method::POST, ["profiles"]) => {
            let NameBody { name } = body::read(body).await?;
            body::json(&handle.create_profile(&name).await?)
        }
        (&Method::GET, ["servers"]) => {
            let passwords = call.query("passwords") == Some("true");
            body::json(&handle.servers(call.profile(), passwords)?)
        }
        (&Method::POST, ["servers"]) => {
            let ServerBody { address, unchecked } = body::read(body).await?;
            let profile = call.profile();
            body::json(&match unchecked {
                true => handle.add_server_unchecked(profile, &address).await?,
                false => handle.add_server(profile, &address).await?,
            })
        }
        (&Method::DELETE, ["servers"]) => {
            let address = call.query("address").unwrap_or_default();
            body::json(&handle.remove_server(call.profile(), address).await?)
        }
        (&Method::POST, ["servers", "test"]) => {
            let TestBody { address } = body::read(body).await?;
            body::json(&handle.test_servers(address.as_deref()).await?)
        }
        _ => Err(no_such_path()),
    }
}

async fn meeting(
    handle: &Handle,
    method: &Method,
    segments: &[&str],
    call: &Call,
    body: Incoming,
) -> Answer {
    let number = |text: &str| {
        text.parse::<u64>()
            .map_err(|_| Error::new(ErrorKind::Usage, "this is named by its number"))
    };
    match (method, segments) {
        (&Method::POST, ["invitations"]) => {
            let InviteBody { reusable } = body::read(body).await?;
            body::json(&handle.invite(call.profile(), reusable).await?)
        }
        (&Method::GET, ["invitations"]) => body::json(&handle.invitations(call.profile()).await?),
        (&Method::DELETE, ["invitations", invitation]) => {
            let invitation = number(invitation)?;
            handle.revoke_invitation(call.profile(), invitation).await?;
            body::json(&serde_json::json!({ "revoked": invitation }))
        }
        (&Method::POST, ["joins"]) => {
            let JoinBody {
                link,
                wait,
                timeout,
            } = body::read(body).await?;
            let wait = wait.then(|| wait_time(timeout));
            body::json(&handle.join(call.profile(), &link, wait).await?)
        }
        (&Method::GET, ["requests"]) => body::json(&handle.requests(call.profile()).await?),
        (&Method::POST, ["requests", request, "accept"]) => body::json(
            &handle
                .accept_request(call.profile(), number(request)?)
                .await?,
        ),
        (&Method::POST, ["requests", request, "refuse"]) => {
            handle
                .refuse_request(call.profile(), number(request)?)
                .await?;
            body::json(&serde_json::json!({ "refused": number(request)? }))
        }
        _ => Err(no_such_path()),
    }
}

async fn contacts(
    handle: &Handle,
    method: &Method,
    segments: &[&str],
    call: &Call,
    body: Incoming,
) -> Answer {
    match (method, segments) {
        (&Method::GET, ["contacts"]) => body::json(&handle.contacts(call.profile()).await?),
        (&Method::GET, ["contacts", name, "safety"]) => {
            body::json(&handle.safety(call.profile(), name).await?)
        }
        (&Method::POST, ["contacts", name, "safety"]) => {
            let NumberBody { number } = body::read(body).await?;
            body::json(&handle.verify(call.profile(), name, number).await?)
        }
        (&Method::POST, ["contacts", name, "name"]) => {
            let NameBody { name: new_name } = body::read(body).await?;
            body::json(&handle.rename(call.profile(), name, &new_name).await?)
        }
        _ => Err(no_such_path()),
    }
}

async fn messages(
    handle: &Handle,
    method: &Method,
    segments: &[&str],
    call: &Call,
    body: Incoming,
) -> Answer {
    match (method, segments) {
        (&Method::POST, ["messages"]) => {
            let SendBody {
                to,
                text,
                reply_to,
                wait,
                timeout,
            } = body::read(body).await?;
            let wait = wait.map(|stage| (stage, wait_time(timeout)));
            let outgoing = Outgoing { to, text, reply_to };
            body::json(&handle.send(call.profile(), outgoing, wait).await?)
        }
        (&Method::GET, ["messages", id, "where"]) => {
            body::json(&handle.locate(call.profile(), id).await?)
        }
        (&Method::POST, ["messages", id, "edit"]) => {
            let TextBody { text } = body::read(body).await?;
            body::json(&handle.edit(call.profile(), id, text).await?)
        }
        (&Method::POST, ["messages", id, "reactions"]) => {
            let ReactionBody { reaction } = body::read(body).await?;
            body::json(&handle.react(call.profile(), id, reaction).await?)
        }
        (&Method::DELETE, ["messages", id]) => {
            body::json(&handle.delete(call.profile(), id).await?)
        }
        _ => Err(no_such_path()),
    }
}

/// Events as lines, until the caller goes or the daemon stops.
fn events(events: Events, stop: watch::Receiver<bool>) -> Response<Body> {
    let lines = futures_util::stream::unfold((events, stop), |(mut events, mut stop)| async move {
        let event = tokio::select! {
            event = events.next() => event?,
            _ = stop.wait_for(|stop| *stop) => return None,
        };
        let mut line = event.to_string().into_bytes();
        line.push(b'\n');
        Some((Ok(Frame::data(Bytes::from(line))), (events, stop)))
    });
    body::stream(StreamBody::new(lines).boxed_unsync())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn escapes_are_undone_and_broken_ones_refused() {
        assert_eq!(unescape("a%2Fb%20%C3%BC").unwrap(), "a/b ü");
        for broken in ["%", "%1", "%zz", "%FF"] {
            assert!(unescape(broken).is_err(), "{broken}");
        }
    }
}

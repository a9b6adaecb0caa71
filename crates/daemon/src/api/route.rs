//! Which call answers which path.

use std::time::Duration;

use bytes::Bytes;
use http_body_util::{BodyExt, StreamBody};
use hyper::body::{Frame, Incoming};
use hyper::http::request::Parts;
use hyper::{Method, Request, Response};
use tokio::sync::watch;

use super::body::{self, Body};
use super::request::{
    Call, InviteBody, JoinBody, NameBody, NoBody, NumberBody, ReactionBody, SendBody, ServerBody,
    TestBody, TextBody, ValueBody, no_such_path,
};
use crate::error::{Error, ErrorKind};
use crate::handle::{Events, Handle, Outgoing};

type Answer = Result<Response<Body>, Error>;

/// Answers one request; every failure becomes an error document.
pub(super) async fn answer(
    handle: &Handle,
    request: Request<Incoming>,
    stop: watch::Receiver<bool>,
) -> Response<Body> {
    let (head, body) = request.into_parts();
    // Read first, whatever the answer: a caller who is still writing would not
    // see it.
    let body = match body::receive(body).await {
        Ok(body) => body,
        Err(error) => return body::last(body::failure(&error)),
    };
    match route(handle, &head, &body, stop).await {
        Ok(response) => response,
        Err(error) => body::failure(&error),
    }
}

const DEFAULT_WAIT: u64 = 60;
const DEFAULT_COUNT: u32 = 50;

fn wait_time(seconds: Option<u64>) -> Duration {
    // A day is longer than anybody waits, and adding it to a clock cannot fail.
    Duration::from_secs(seconds.unwrap_or(DEFAULT_WAIT).min(86_400))
}

async fn route(handle: &Handle, head: &Parts, body: &Bytes, stop: watch::Receiver<bool>) -> Answer {
    let method = &head.method;
    let call = Call::parse(method, &head.uri)?;
    let segments = call.segments();
    if method != Method::POST {
        let NoBody {} = body::parse(body)?;
    }
    match segments.as_slice() {
        [
            "status" | "shutdown" | "doctor" | "config" | "profiles" | "servers",
            ..,
        ] => installation(handle, method, &segments, &call, body).await,
        ["invitations" | "joins" | "requests", ..] => {
            meeting(handle, method, &segments, &call, body).await
        }
        ["contacts", ..] => contacts(handle, method, &segments, &call, body).await,
        ["messages", ..] => messages(handle, method, &segments, &call, body).await,
        ["conversations", name, "messages"] if *method == Method::GET => {
            let count = match call.query("n") {
                None => DEFAULT_COUNT,
                Some(text) => text
                    .parse()
                    .map_err(|_| Error::new(ErrorKind::Usage, "n is a number of messages"))?,
            };
            body::json(&handle.read(call.profile(), name, count).await?)
        }
        ["events"] if *method == Method::GET => Ok(events(handle.events(call.profile())?, stop)),
        _ => Err(no_such_path()),
    }
}

async fn installation(
    handle: &Handle,
    method: &Method,
    segments: &[&str],
    call: &Call,
    body: &Bytes,
) -> Answer {
    match (method, segments) {
        (&Method::GET, ["status"]) => body::json(&handle.status().await?),
        (&Method::POST, ["shutdown"]) => {
            let NoBody {} = body::parse(body)?;
            handle.stop();
            body::json(&serde_json::json!({ "stopping": true }))
        }
        (&Method::GET, ["doctor"]) => body::json(&handle.doctor().await?),
        (&Method::GET, ["config"]) => body::json(&handle.setting(None)?),
        (&Method::GET, ["config", key]) => body::json(&handle.setting(Some(key))?),
        (&Method::POST, ["config", key]) => {
            let ValueBody { value } = body::parse(body)?;
            body::json(&handle.set_setting(key, &value).await?)
        }
        (&Method::GET, ["profiles"]) => body::json(&handle.profiles()),
        (&Method::POST, ["profiles"]) => {
            let NameBody { name } = body::parse(body)?;
            body::json(&handle.create_profile(&name).await?)
        }
        (&Method::GET, ["servers"]) => {
            let passwords = match call.query("passwords") {
                None | Some("false") => false,
                Some("true") => true,
                Some(_) => return Err(Error::new(ErrorKind::Usage, "passwords is true or false")),
            };
            body::json(&handle.servers(call.profile(), passwords)?)
        }
        (&Method::POST, ["servers"]) => {
            let ServerBody { address, unchecked } = body::parse(body)?;
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
            let TestBody { address } = body::parse(body)?;
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
    body: &Bytes,
) -> Answer {
    let number = |text: &str| {
        text.parse::<u64>()
            .map_err(|_| Error::new(ErrorKind::Usage, "this is named by its number"))
    };
    match (method, segments) {
        (&Method::POST, ["invitations"]) => {
            let InviteBody { reusable } = body::parse(body)?;
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
            } = body::parse(body)?;
            let joined = handle.join(call.profile(), &link, wait, wait_time(timeout));
            body::json(&joined.await?)
        }
        (&Method::GET, ["requests"]) => body::json(&handle.requests(call.profile()).await?),
        (&Method::POST, ["requests", request, "accept"]) => {
            let NoBody {} = body::parse(body)?;
            let request = number(request)?;
            body::json(&handle.accept_request(call.profile(), request).await?)
        }
        (&Method::POST, ["requests", request, "refuse"]) => {
            let NoBody {} = body::parse(body)?;
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
    body: &Bytes,
) -> Answer {
    match (method, segments) {
        (&Method::GET, ["contacts"]) => body::json(&handle.contacts(call.profile()).await?),
        (&Method::GET, ["contacts", name, "safety"]) => {
            body::json(&handle.safety(call.profile(), name).await?)
        }
        (&Method::POST, ["contacts", name, "safety"]) => {
            let NumberBody { number } = body::parse(body)?;
            body::json(&handle.verify(call.profile(), name, number).await?)
        }
        (&Method::POST, ["contacts", name, "name"]) => {
            let NameBody { name: new_name } = body::parse(body)?;
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
    body: &Bytes,
) -> Answer {
    match (method, segments) {
        (&Method::POST, ["messages"]) => {
            let SendBody {
                to,
                text,
                reply_to,
                wait,
                timeout,
            } = body::parse(body)?;
            let wait = wait.map(|stage| (stage, wait_time(timeout)));
            let outgoing = Outgoing { to, text, reply_to };
            body::json(&handle.send(call.profile(), outgoing, wait).await?)
        }
        (&Method::GET, ["messages", id, "where"]) => {
            body::json(&handle.locate(call.profile(), id).await?)
        }
        (&Method::POST, ["messages", id, "edit"]) => {
            let TextBody { text } = body::parse(body)?;
            body::json(&handle.edit(call.profile(), id, text).await?)
        }
        (&Method::POST, ["messages", id, "reactions"]) => {
            let ReactionBody { reaction } = body::parse(body)?;
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

//! Bodies in and out.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full};
use hyper::body::{Body as _, Incoming};
use hyper::{Response, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::view;
use crate::error::{Error, ErrorKind};

/// Any answer: a document or a stream.
pub(super) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Larger requests are refused; a message is far smaller.
const LIMIT: usize = 1 << 20;
/// Of a larger one so much is still taken in and thrown away: a caller who
/// writes it all and then reads would not see the answer otherwise.
const DRAINED: usize = 8 << 20;

/// Takes in a request.
///
/// # Errors
///
/// When it is too large or breaks off; no further one can be read then.
pub(super) async fn receive(mut body: Incoming) -> Result<Bytes, Error> {
    let most = LIMIT + DRAINED;
    let mut length = 0_usize;
    let mut kept = Vec::new();
    // One that says it is longer than that need not even begin.
    let mut too_long = body.size_hint().lower() > u64::try_from(most).unwrap_or(u64::MAX);
    while !too_long && let Some(frame) = body.frame().await {
        let frame =
            frame.map_err(|_| Error::new(ErrorKind::Usage, "the request's body broke off"))?;
        let data = frame.into_data().unwrap_or_default();
        length = length.saturating_add(data.len());
        too_long = length > most;
        if length <= LIMIT {
            kept.extend_from_slice(&data);
        }
    }
    if too_long || length > LIMIT {
        let message = "the request is too large: at most 1 MiB";
        return Err(Error::new(ErrorKind::Usage, message));
    }
    Ok(kept.into())
}

/// Reads a JSON request; nothing at all stands for an empty one.
pub(super) fn parse<T: DeserializeOwned>(body: &[u8]) -> Result<T, Error> {
    let body = if body.is_empty() { b"{}" } else { body };
    // A list would be taken for the fields in their order.
    if !body.trim_ascii_start().starts_with(b"{") {
        let message = "the request's body is no JSON object";
        return Err(Error::new(ErrorKind::Usage, message));
    }
    serde_json::from_slice(body)
        .map_err(|error| Error::new(ErrorKind::Usage, format!("the request's JSON: {error}")))
}

/// A document.
pub(super) fn json(value: &impl Serialize) -> Result<Response<Body>, Error> {
    let bytes = serde_json::to_vec(value)
        .map_err(|error| Error::new(ErrorKind::Internal, format!("answer: {error}")))?;
    Ok(response(StatusCode::OK, "application/json", full(bytes)))
}

/// An error document with the status that fits its kind.
pub(super) fn failure(error: &Error) -> Response<Body> {
    let failure = view::Failure {
        error: error.into(),
    };
    let bytes = serde_json::to_vec(&failure).unwrap_or_default();
    let status = StatusCode::from_u16(error.kind().status());
    let status = status.unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    response(status, "application/json", full(bytes))
}

/// The last answer on its connection.
pub(super) fn last(mut response: Response<Body>) -> Response<Body> {
    let close = header::HeaderValue::from_static("close");
    response.headers_mut().insert(header::CONNECTION, close);
    response
}

/// A stream of documents, one a line.
pub(super) fn stream(body: Body) -> Response<Body> {
    response(StatusCode::OK, "application/x-ndjson", body)
}

fn full(bytes: Vec<u8>) -> Body {
    Full::new(Bytes::from(bytes)).boxed_unsync()
}

fn response(status: StatusCode, kind: &'static str, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
        .headers_mut()
        .insert(header::CONTENT_TYPE, header::HeaderValue::from_static(kind));
    response
}

//! Bodies in and out.

use std::convert::Infallible;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt, Full, Limited};
use hyper::body::Incoming;
use hyper::{Response, StatusCode, header};
use serde::Serialize;
use serde::de::DeserializeOwned;

use super::view;
use crate::error::{Error, ErrorKind};

/// Any answer: a document or a stream.
pub(super) type Body = UnsyncBoxBody<Bytes, Infallible>;

/// Larger requests are refused; a message is far smaller.
const LIMIT: usize = 1 << 20;

/// Reads a JSON request.
pub(super) async fn read<T: DeserializeOwned>(body: Incoming) -> Result<T, Error> {
    let bytes = Limited::new(body, LIMIT)
        .collect()
        .await
        .map_err(|_| {
            Error::new(
                ErrorKind::Usage,
                "the request is larger than 1 MiB or broke off",
            )
        })?
        .to_bytes();
    let bytes: &[u8] = if bytes.is_empty() { b"{}" } else { &bytes };
    serde_json::from_slice(bytes)
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
    response(status(error.kind()), "application/json", full(bytes))
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

fn status(kind: ErrorKind) -> StatusCode {
    match kind {
        ErrorKind::Usage | ErrorKind::BadLink | ErrorKind::BadFile => StatusCode::BAD_REQUEST,
        ErrorKind::NotFound | ErrorKind::NoProfile => StatusCode::NOT_FOUND,
        ErrorKind::Ambiguous
        | ErrorKind::Exists
        | ErrorKind::AlreadyRunning
        | ErrorKind::Mismatch => StatusCode::CONFLICT,
        ErrorKind::LinkUsed | ErrorKind::LinkExpired => StatusCode::GONE,
        ErrorKind::WrongPassphrase | ErrorKind::Denied => StatusCode::FORBIDDEN,
        ErrorKind::Timeout => StatusCode::GATEWAY_TIMEOUT,
        ErrorKind::Unreachable
        | ErrorKind::WrongServer
        | ErrorKind::Refused
        | ErrorKind::Protocol => StatusCode::BAD_GATEWAY,
        ErrorKind::DiskFull => StatusCode::INSUFFICIENT_STORAGE,
        ErrorKind::DaemonNotRunning
        | ErrorKind::PortInUse
        | ErrorKind::Damaged
        | ErrorKind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

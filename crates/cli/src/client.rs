//! The command line's end of the local API: HTTP over the home's Unix socket.

use std::io;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hushwing_daemon::{Error, ErrorKind, Home, passphrase, view};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Method, Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde::Serialize;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use crate::heard_out::HeardOut;

/// Asks a person for the first profile's name; `None` where nobody answers.
pub(crate) type AskName = fn() -> Option<String>;

/// A caller of one daemon, acting as one profile.
pub(crate) struct Client {
    home: Home,
    profile: Option<String>,
    ask_name: Option<AskName>,
}

impl Client {
    pub(crate) fn new(home: Home, profile: Option<String>, ask_name: Option<AskName>) -> Self {
        Self {
            home,
            profile,
            ask_name,
        }
    }

    pub(crate) async fn get(&self, path: &Path) -> Result<serde_json::Value, Error> {
        self.call(Method::GET, path, Bytes::new()).await
    }

    pub(crate) async fn delete(&self, path: &Path) -> Result<serde_json::Value, Error> {
        self.call(Method::DELETE, path, Bytes::new()).await
    }

    pub(crate) async fn post(
        &self,
        path: &Path,
        body: &impl Serialize,
    ) -> Result<serde_json::Value, Error> {
        let body = serde_json::to_vec(body)
            .map_err(|error| Error::new(ErrorKind::Internal, format!("request: {error}")))?;
        self.call(Method::POST, path, body.into()).await
    }

    async fn call(
        &self,
        method: Method,
        path: &Path,
        body: Bytes,
    ) -> Result<serde_json::Value, Error> {
        let response = self.request(method, path, body).await?;
        let status = response.status();
        let bytes = response
            .into_body()
            .collect()
            .await
            .map_err(broken)?
            .to_bytes();
        if status == StatusCode::NO_CONTENT || bytes.is_empty() {
            return Ok(serde_json::Value::Null);
        }
        parse(&bytes)
    }

    /// A stream of JSON documents, one a line.
    pub(crate) async fn events(&self, path: &Path) -> Result<Lines, Error> {
        let response = self.request(Method::GET, path, Bytes::new()).await?;
        Ok(Lines {
            body: response.into_body(),
            buffer: Vec::new(),
        })
    }

    /// Sends a request; where it needs a profile and there is none, a person
    /// at the terminal is asked for a name first.
    async fn request(
        &self,
        method: Method,
        path: &Path,
        body: Bytes,
    ) -> Result<Response<Incoming>, Error> {
        let error = match self.attempt(method.clone(), path, body.clone()).await {
            Err(error) if error.kind() == ErrorKind::NoProfile => error,
            done => return done,
        };
        let name = self.ask_name.and_then(|ask| ask()).ok_or(error)?;
        let profile = serde_json::json!({ "name": name }).to_string();
        let profiles = Path::new(["profiles"]);
        self.attempt(Method::POST, &profiles, profile.into())
            .await?;
        self.attempt(method, path, body).await
    }

    async fn attempt(
        &self,
        method: Method,
        path: &Path,
        body: Bytes,
    ) -> Result<Response<Incoming>, Error> {
        let stream = UnixStream::connect(self.home.socket())
            .await
            .map_err(|error| self.nobody(&error))?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(HeardOut::new(stream)))
            .await
            .map_err(broken)?;
        tokio::spawn(connection);
        let request = Request::builder()
            .method(method)
            .uri(path.uri(self.profile.as_deref()))
            .header(header::HOST, "hushwing")
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::new(body))
            .map_err(|error| Error::new(ErrorKind::Internal, format!("request: {error}")))?;
        let response = sender.send_request(request).await.map_err(broken)?;
        if response.status().is_success() {
            Ok(response)
        } else {
            Err(failure(response).await)
        }
    }
}

impl Client {
    /// Why no daemon was reached: most often because none runs.
    fn nobody(&self, error: &io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::PermissionDenied => Error::system("use", self.home.path(), error),
            io::ErrorKind::NotADirectory => {
                Error::system("use the home folder", self.home.path(), error)
            }
            // A home whose state cannot be told is told apart by `up`.
            _ if passphrase::is_set(&self.home).unwrap_or(false) => Error::new(
                ErrorKind::DaemonNotRunning,
                "this home is locked: no daemon runs, and a passphrase protects it",
            )
            .with_advice("unlock it with `hushwing up`, which asks for the passphrase"),
            _ => Error::new(
                ErrorKind::DaemonNotRunning,
                "no daemon answers on this home",
            ),
        }
    }
}

/// A path of the API: segments and query values, escaped when joined.
pub(crate) struct Path {
    segments: Vec<String>,
    query: Vec<(&'static str, String)>,
}

impl Path {
    pub(crate) fn new<const N: usize>(segments: [&str; N]) -> Self {
        Self {
            segments: segments.into_iter().map(escape).collect(),
            query: Vec::new(),
        }
    }

    pub(crate) fn with(mut self, name: &'static str, value: impl ToString) -> Self {
        self.query.push((name, escape(&value.to_string())));
        self
    }

    fn uri(&self, profile: Option<&str>) -> String {
        let mut uri = format!("/v1/{}", self.segments.join("/"));
        let profile = profile.map(|name| ("profile", escape(name)));
        let mut mark = '?';
        for (name, value) in self.query.iter().cloned().chain(profile) {
            uri.push(mark);
            uri.push_str(&format!("{name}={value}"));
            mark = '&';
        }
        uri
    }
}

/// Percent-encodes everything but RFC 3986's unreserved characters.
fn escape(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for byte in text.bytes() {
        match byte {
            b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => {
                out.push(char::from(byte));
            }
            _ => out.push_str(&format!("%{byte:02X}")),
        }
    }
    out
}

/// JSON documents as they arrive.
pub(crate) struct Lines {
    body: Incoming,
    buffer: Vec<u8>,
}

impl Lines {
    /// The next document, or `None` when the daemon ends the stream.
    pub(crate) async fn next(&mut self) -> Result<Option<serde_json::Value>, Error> {
        loop {
            if let Some(end) = self.buffer.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                if line.trim_ascii().is_empty() {
                    continue;
                }
                return parse(&line).map(Some);
            }
            match self.body.frame().await {
                None => return Ok(None),
                Some(frame) => {
                    if let Ok(data) = frame.map_err(broken)?.into_data() {
                        self.buffer.extend_from_slice(&data);
                    }
                }
            }
        }
    }
}

fn parse<T: DeserializeOwned>(bytes: &[u8]) -> Result<T, Error> {
    serde_json::from_slice(bytes)
        .map_err(|error| Error::new(ErrorKind::Protocol, format!("the daemon's answer: {error}")))
}

fn broken(error: hyper::Error) -> Error {
    Error::new(
        ErrorKind::DaemonNotRunning,
        format!("the daemon went away: {error}"),
    )
}

/// The error a failed call carries.
async fn failure(response: Response<Incoming>) -> Error {
    let status = response.status();
    let body = match response.into_body().collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return broken(error),
    };
    match parse::<view::Failure>(&body) {
        Ok(view::Failure { error }) => error.into(),
        Err(_) => Error::new(ErrorKind::Protocol, format!("the daemon answered {status}")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_escaped_in_paths() {
        let path = Path::new(["contacts", "a/b ü", "safety"]).with("n", 3);
        assert_eq!(
            path.uri(Some("x&y")),
            "/v1/contacts/a%2Fb%20%C3%BC/safety?n=3&profile=x%26y"
        );
    }
}

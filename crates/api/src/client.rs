//! The caller's end of the local API: HTTP over the home's Unix socket.

use std::io;
use std::marker::PhantomData;
use std::path::PathBuf;

use bytes::Bytes;
use http_body_util::{BodyExt, Full};
use hyper::body::Incoming;
use hyper::client::conn::http1;
use hyper::{Request, Response, StatusCode, header};
use hyper_util::rt::TokioIo;
use serde::de::DeserializeOwned;
use tokio::net::UnixStream;

use crate::backup::Secret;
use crate::call::{Call, Method, PathValues, Scope};
use crate::calls;
use crate::event::Event;
use crate::heard_out::HeardOut;
use crate::kind::ErrorKind;
use crate::path::Path;
use crate::query;
use crate::request::Nothing;
use crate::view::{Failure, FailureBody};

/// Why a call was not answered.
#[derive(Debug, thiserror::Error)]
pub enum CallError {
    /// Nobody listens on the socket, or it may not be opened.
    #[error("no daemon answers on this home")]
    NoDaemon(#[source] io::Error),
    /// The connection ended before the answer did.
    #[error("the daemon went away: {0}")]
    Broken(#[source] hyper::Error),
    /// The daemon answered with an error.
    #[error("{}", .0.message)]
    Refused(FailureBody),
    /// The answer is not what this program expects.
    #[error("the daemon's answer: {0}")]
    Unreadable(#[source] serde_json::Error),
    /// An error without a document.
    #[error("the daemon answered {0}")]
    Status(StatusCode),
    /// The request cannot be written.
    #[error("request: {0}")]
    Request(String),
}

impl CallError {
    /// Its coarse kind. One that is too new to be known is
    /// [`ErrorKind::Internal`].
    #[must_use]
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::NoDaemon(_) | Self::Broken(_) => ErrorKind::DaemonNotRunning,
            Self::Refused(body) => ErrorKind::from_name(&body.kind).unwrap_or(ErrorKind::Internal),
            Self::Unreadable(_) | Self::Status(_) => ErrorKind::Protocol,
            Self::Request(_) => ErrorKind::Internal,
        }
    }
}

/// A caller of one daemon, acting as one profile. Each call is a connection of
/// its own, so one may be made while another still waits.
#[derive(Clone, Debug)]
pub struct Client {
    socket: PathBuf,
    profile: Option<String>,
    token: Option<Secret>,
}

impl Client {
    /// A caller of the daemon that listens on `socket`, `api.sock` in its home,
    /// as its default profile.
    pub fn new(socket: impl Into<PathBuf>) -> Self {
        Self {
            socket: socket.into(),
            profile: None,
            token: None,
        }
    }

    /// Acts as that profile.
    #[must_use]
    pub fn of_profile(mut self, profile: Option<String>) -> Self {
        self.profile = profile;
        self
    }

    /// Sees the hidden profile of that token.
    #[must_use]
    pub fn with_token(mut self, token: Secret) -> Self {
        self.token = Some(token);
        self
    }

    /// Makes a call.
    ///
    /// # Errors
    ///
    /// When there is no answer, or it is an error.
    pub async fn call<C: Call>(
        &self,
        path: C::Path,
        query: &C::Query,
        body: &C::Body,
    ) -> Result<C::Answer, CallError> {
        self.made::<C>(path, query, body).await?.document().await
    }

    /// Makes a call that takes nothing but what stands in its path.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub async fn ask<C>(&self, path: C::Path) -> Result<C::Answer, CallError>
    where
        C: Call<Body = Nothing, Query: Default>,
    {
        let query = C::Query::default();
        self.call::<C>(path, &query, &Nothing {}).await
    }

    /// Makes a call that takes a document.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub async fn tell<C>(&self, path: C::Path, body: &C::Body) -> Result<C::Answer, CallError>
    where
        C: Call<Query = Nothing>,
    {
        self.call::<C>(path, &Nothing {}, body).await
    }

    /// What happens from now on.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub async fn events(&self) -> Result<Lines<Event>, CallError> {
        let made = self.made::<calls::Events>((), &Nothing {}, &Nothing {});
        Ok(made.await?.lines())
    }

    async fn made<C: Call>(
        &self,
        path: C::Path,
        query: &C::Query,
        body: &C::Body,
    ) -> Result<Answer, CallError> {
        let wrong = |error: serde_json::Error| CallError::Request(error.to_string());
        let mut whole = Path::of(C::IT.segments(path.write()));
        for (name, value) in query::write(query).map_err(wrong)? {
            whole = whole.with(&name, value);
        }
        let body = serde_json::to_vec(body).map_err(wrong)?;
        self.request(C::IT.method, &whole, body).await
    }

    /// Makes a call by its method and path, as bytes.
    ///
    /// # Errors
    ///
    /// As [`call`](Self::call).
    pub async fn request(
        &self,
        method: Method,
        path: &Path,
        body: impl Into<Bytes>,
    ) -> Result<Answer, CallError> {
        let stream = UnixStream::connect(&self.socket)
            .await
            .map_err(CallError::NoDaemon)?;
        let (mut sender, connection) = http1::handshake(TokioIo::new(HeardOut::new(stream)))
            .await
            .map_err(CallError::Broken)?;
        tokio::spawn(connection);
        let mut request = Request::builder()
            .method(method.name())
            .uri(path.uri(self.profile_for(method, path)))
            .header(header::HOST, "hushwing")
            .header(header::CONTENT_TYPE, "application/json");
        if let Some(token) = &self.token {
            let bearer = format!("Bearer {}", token.reveal());
            request = request.header(header::AUTHORIZATION, bearer);
        }
        let request = request
            .body(Full::new(body.into()))
            .map_err(|error| CallError::Request(error.to_string()))?;
        let response = sender
            .send_request(request)
            .await
            .map_err(CallError::Broken)?;
        if response.status().is_success() {
            Ok(Answer(response))
        } else {
            Err(failure(response).await)
        }
    }

    /// The profile, where the call takes one.
    fn profile_for(&self, method: Method, path: &Path) -> Option<&str> {
        let segments = path.segments();
        let call = calls::ALL
            .iter()
            .find(|call| call.method == method && call.values(&segments).is_some());
        let takes = call.is_none_or(|call| call.scope != Scope::Home);
        self.profile.as_deref().filter(|_| takes)
    }
}

/// An answer that has begun to arrive.
#[derive(Debug)]
pub struct Answer(Response<Incoming>);

impl Answer {
    /// The whole answer as a document.
    ///
    /// # Errors
    ///
    /// When it breaks off, or is another document.
    pub async fn document<T: DeserializeOwned>(self) -> Result<T, CallError> {
        let body = self.0.into_body().collect().await;
        let bytes = body.map_err(CallError::Broken)?.to_bytes();
        serde_json::from_slice(&bytes).map_err(CallError::Unreadable)
    }

    /// Documents as they arrive, one a line.
    #[must_use]
    pub fn lines<T>(self) -> Lines<T> {
        Lines {
            body: self.0.into_body(),
            buffer: Vec::new(),
            of: PhantomData,
        }
    }
}

/// JSON documents as they arrive.
#[derive(Debug)]
pub struct Lines<T> {
    body: Incoming,
    buffer: Vec<u8>,
    of: PhantomData<fn() -> T>,
}

impl<T: DeserializeOwned> Lines<T> {
    /// The next document, or `None` when the daemon ends the stream. A call that
    /// is given up loses nothing.
    ///
    /// # Errors
    ///
    /// When the connection breaks, or a line is no such document.
    pub async fn next(&mut self) -> Result<Option<T>, CallError> {
        loop {
            if let Some(end) = self.buffer.iter().position(|&byte| byte == b'\n') {
                let line: Vec<u8> = self.buffer.drain(..=end).collect();
                if line.trim_ascii().is_empty() {
                    continue;
                }
                let document = serde_json::from_slice(&line);
                return document.map(Some).map_err(CallError::Unreadable);
            }
            match self.body.frame().await {
                None => return Ok(None),
                Some(frame) => {
                    if let Ok(data) = frame.map_err(CallError::Broken)?.into_data() {
                        self.buffer.extend_from_slice(&data);
                    }
                }
            }
        }
    }
}

/// The error a failed call carries.
async fn failure(response: Response<Incoming>) -> CallError {
    let status = response.status();
    let body = match response.into_body().collect().await {
        Ok(body) => body.to_bytes(),
        Err(error) => return CallError::Broken(error),
    };
    match serde_json::from_slice::<Failure>(&body) {
        Ok(Failure { error }) => CallError::Refused(error),
        Err(_) => CallError::Status(status),
    }
}

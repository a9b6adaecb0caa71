//! From a request to the call it makes, and from its answer to a response.

use std::pin::Pin;

use bytes::Bytes;
use http_body_util::{BodyExt, StreamBody};
use hushwing_api::{Call, Description, Method, PathValues, Scope, read_query, unescape};
use hyper::body::Frame;
use hyper::{Response, Uri};
use tokio::sync::watch;

use super::body::{self, Body};
use crate::error::{Error, ErrorKind};
use crate::handle::{Events, Handle};

/// A call with everything it was given.
pub(super) struct Asked<C: Call> {
    profile: Option<String>,
    pub(super) path: C::Path,
    pub(super) query: C::Query,
    pub(super) body: C::Body,
}

impl<C: Call> Asked<C> {
    /// The profile it is made for, where one is named.
    pub(super) fn profile(&self) -> Option<&str> {
        self.profile.as_deref()
    }
}

/// A request taken apart, before it is known what call it makes.
pub(super) struct Given {
    method: Option<Method>,
    segments: Vec<String>,
    query: Vec<(String, String)>,
    body: Bytes,
    /// Turns true when the daemon stops.
    stop: watch::Receiver<bool>,
}

impl Given {
    /// Takes one apart.
    ///
    /// # Errors
    ///
    /// Where it is no path of this API, or not properly escaped.
    pub(super) fn parse(
        method: &hyper::Method,
        uri: &Uri,
        body: Bytes,
        stop: watch::Receiver<bool>,
    ) -> Result<Self, Error> {
        let path = uri.path().strip_prefix("/v1/").ok_or_else(no_such_path)?;
        let segments = path.split('/').map(undo).collect::<Result<_, _>>()?;
        let pairs = uri.query().unwrap_or_default().split('&');
        let query = pairs.filter(|pair| !pair.is_empty()).map(|pair| {
            let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
            Ok((undo(name)?, undo(value)?))
        });
        Ok(Self {
            method: Method::from_name(method.as_str()),
            segments,
            query: query.collect::<Result<_, Error>>()?,
            body,
            stop,
        })
    }

    /// Whether this is the call it makes.
    pub(super) fn makes(&self, call: &Description) -> bool {
        self.method == Some(call.method) && call.values(&self.segments()).is_some()
    }

    fn segments(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    /// Reads what is given to a call; what would be passed over is refused.
    fn ask<C: Call>(mut self) -> Result<Asked<C>, Error> {
        let profile = self.take_profile(C::IT.scope)?;
        let values = C::IT.values(&self.segments()).ok_or_else(no_such_path)?;
        let path = C::Path::read(&values)
            .ok_or_else(|| Error::new(ErrorKind::Usage, "this is named by its number"))?;
        let query = read_query(&self.query)
            .map_err(|error| Error::new(ErrorKind::Usage, error.to_string()))?;
        let body = body::parse(&self.body)?;
        Ok(Asked {
            profile,
            path,
            query,
            body,
        })
    }

    fn take_profile(&mut self, scope: Scope) -> Result<Option<String>, Error> {
        if scope == Scope::Home {
            // Left where it is, it is refused as unknown.
            return Ok(None);
        }
        let named = |(name, _): &mut (String, String)| name == "profile";
        let mut given = self.query.extract_if(.., named);
        let profile = given.next();
        if given.next().is_some() {
            let message = "the query value `profile` is given twice";
            return Err(Error::new(ErrorKind::Usage, message));
        }
        Ok(profile.map(|(_, value)| value))
    }
}

fn undo(text: &str) -> Result<String, Error> {
    unescape(text).map_err(|error| Error::new(ErrorKind::Usage, error.to_string()))
}

pub(super) fn no_such_path() -> Error {
    Error::new(ErrorKind::NotFound, "the local API has no such path")
        .with_advice("paths begin with /v1/")
}

pub(super) type Answer = Result<Response<Body>, Error>;
type Pending = Pin<Box<dyn Future<Output = Answer> + Send>>;

/// How one call is answered.
pub(super) struct Route {
    pub(super) call: Description,
    answer: Box<dyn Fn(Handle, Given) -> Pending + Send + Sync>,
}

impl Route {
    pub(super) async fn answer(&self, handle: Handle, given: Given) -> Answer {
        (self.answer)(handle, given).await
    }
}

/// Calls, answered by functions of the types they declare.
pub(super) trait Answered: Call + Sized {
    /// Answered with a document.
    fn by<F, A>(answer: F) -> Route
    where
        F: Fn(Handle, Asked<Self>) -> A + Send + Sync + 'static,
        A: Future<Output = Result<Self::Answer, Error>> + Send + 'static,
    {
        Route {
            call: Self::IT,
            answer: Box::new(move |handle, given| {
                let answer = given.ask().map(|asked| answer(handle, asked));
                Box::pin(async move { body::json(&answer?.await?) })
            }),
        }
    }

    /// Answered with a stream of documents, until the caller goes or the daemon
    /// stops.
    fn by_stream<F>(answer: F) -> Route
    where
        F: Fn(Handle, Asked<Self>) -> Result<Events, Error> + Send + Sync + 'static,
        Self: Call<Answer = hushwing_api::Event>,
    {
        Route {
            call: Self::IT,
            answer: Box::new(move |handle, given| {
                let stop = given.stop.clone();
                let events = given.ask().and_then(|asked| answer(handle, asked));
                Box::pin(async move { Ok(lines(events?, stop)) })
            }),
        }
    }
}

impl<C: Call> Answered for C {}

fn lines(events: Events, stop: watch::Receiver<bool>) -> Response<Body> {
    let lines = futures_util::stream::unfold((events, stop), |(mut events, mut stop)| async move {
        let event = tokio::select! {
            event = events.next() => event?,
            _ = stop.wait_for(|stop| *stop) => return None,
        };
        // These documents have names for keys only, so this cannot fail.
        let mut line = serde_json::to_vec(&event).ok()?;
        line.push(b'\n');
        Some((Ok(Frame::data(Bytes::from(line))), (events, stop)))
    });
    body::stream(StreamBody::new(lines).boxed_unsync())
}

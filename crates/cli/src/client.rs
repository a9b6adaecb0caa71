//! The command line's end of the local API: what went wrong is told as a person
//! can mend it, and one who has no profile yet is asked for a name.

use std::io;

use bytes::Bytes;
pub(crate) use hushwing_api::Path;
use hushwing_api::backup::Secret;
use hushwing_api::calls::{OpenProfile, Profiles};
use hushwing_api::hidden::OpenBody;
use hushwing_api::{Answer, CallError, Lines, Method};
use hushwing_daemon::passphrase::is_set;
use hushwing_daemon::{Error, ErrorKind, Home};
use serde::Serialize;
use serde_json::Value;
use tokio::sync::OnceCell;

use crate::command::passphrase;

/// Asks a person for the first profile's name; `None` where nobody answers.
pub(crate) type AskName = fn() -> Option<String>;

/// A caller of one daemon, acting as one profile.
pub(crate) struct Client {
    home: Home,
    api: hushwing_api::Client,
    profile: Option<String>,
    /// The same, once a hidden profile was opened or found not to be meant.
    acting: OnceCell<hushwing_api::Client>,
    ask_name: Option<AskName>,
}

impl Client {
    pub(crate) fn new(home: Home, profile: Option<String>, ask_name: Option<AskName>) -> Self {
        let api = hushwing_api::Client::new(home.socket()).of_profile(profile.clone());
        Self {
            home,
            api,
            profile,
            acting: OnceCell::new(),
            ask_name,
        }
    }

    pub(crate) async fn get(&self, path: &Path) -> Result<Value, Error> {
        self.call(Method::Get, path, Bytes::new()).await
    }

    pub(crate) async fn delete(&self, path: &Path) -> Result<Value, Error> {
        self.call(Method::Delete, path, Bytes::new()).await
    }

    pub(crate) async fn post(&self, path: &Path, body: &impl Serialize) -> Result<Value, Error> {
        let body = serde_json::to_vec(body)
            .map_err(|error| Error::new(ErrorKind::Internal, format!("request: {error}")))?;
        self.call(Method::Post, path, body.into()).await
    }

    async fn call(&self, method: Method, path: &Path, body: Bytes) -> Result<Value, Error> {
        let answer = self.request(method, path, body).await?;
        answer.document().await.map_err(|error| self.told(error))
    }

    /// A stream of JSON documents, one a line.
    pub(crate) async fn events(&self, path: &Path) -> Result<Documents<'_>, Error> {
        let answer = self.request(Method::Get, path, Bytes::new()).await?;
        Ok(Documents {
            client: self,
            lines: answer.lines(),
        })
    }

    /// Sends a request; where it needs a profile and there is none, a person
    /// at the terminal is asked for a name first.
    async fn request(&self, method: Method, path: &Path, body: Bytes) -> Result<Answer, Error> {
        let error = match self.attempt(method, path, body.clone()).await {
            Err(error) if error.kind() == ErrorKind::NoProfile => error,
            done => return done,
        };
        let name = self.ask_name.and_then(|ask| ask()).ok_or(error)?;
        let profile = serde_json::json!({ "name": name }).to_string();
        let profiles = Path::new(["profiles"]);
        self.attempt(Method::Post, &profiles, profile.into())
            .await?;
        self.attempt(method, path, body).await
    }

    async fn attempt(&self, method: Method, path: &Path, body: Bytes) -> Result<Answer, Error> {
        let api = self.acting.get_or_try_init(|| self.acts()).await?;
        let answer = api.request(method, path, body).await;
        answer.map_err(|error| self.told(error))
    }

    /// A caller as the profile that was named. One that is not listed may be hidden,
    /// so its passphrase is asked for.
    async fn acts(&self) -> Result<hushwing_api::Client, Error> {
        let Some(name) = &self.profile else {
            return Ok(self.api.clone());
        };
        let listed = self.api.ask::<Profiles>(()).await;
        let listed = listed.map_err(|error| self.told(error))?;
        if listed.iter().any(|profile| profile.profile == *name) {
            return Ok(self.api.clone());
        }
        let Some(passphrase) = passphrase::of_hidden()? else {
            return Ok(self.api.clone());
        };
        let body = OpenBody {
            name: name.clone(),
            passphrase: Secret::new(&passphrase),
        };
        let opened = self.api.tell::<OpenProfile>((), &body).await;
        let opened = opened.map_err(|error| self.told(error))?;
        Ok(self.api.clone().with_token(opened.token))
    }

    /// A failed call as this program tells it.
    fn told(&self, error: CallError) -> Error {
        match error {
            CallError::NoDaemon(error) => self.nobody(&error),
            CallError::Refused(body) => body.into(),
            other => Error::new(other.kind(), other.to_string()),
        }
    }

    /// Why no daemon was reached: most often because none runs.
    fn nobody(&self, error: &io::Error) -> Error {
        match error.kind() {
            io::ErrorKind::PermissionDenied => Error::system("use", self.home.path(), error),
            io::ErrorKind::NotADirectory => {
                Error::system("use the home folder", self.home.path(), error)
            }
            // A home whose state cannot be told is told apart by `up`.
            _ if is_set(&self.home).unwrap_or(false) => Error::new(
                ErrorKind::Locked,
                "this home is locked: no daemon runs, and a passphrase protects it",
            ),
            _ => Error::new(
                ErrorKind::DaemonNotRunning,
                "no daemon answers on this home",
            ),
        }
    }
}

/// JSON documents as they arrive.
pub(crate) struct Documents<'a> {
    client: &'a Client,
    lines: Lines<Value>,
}

impl Documents<'_> {
    /// The next document, or `None` when the daemon ends the stream.
    pub(crate) async fn next(&mut self) -> Result<Option<Value>, Error> {
        let next = self.lines.next().await;
        next.map_err(|error| self.client.told(error))
    }
}

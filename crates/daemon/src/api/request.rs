//! What a caller asks: the path, its query values and the bodies. Whatever is
//! not known is refused: passed over, it would be done otherwise than meant.

use hyper::{Method, Uri};
use serde::Deserialize;

use crate::error::{Error, ErrorKind};
use crate::handle::Stage;

/// A request taken apart: path segments after `/v1/` and query values.
pub(super) struct Call {
    segments: Vec<String>,
    query: Vec<(String, String)>,
}

impl Call {
    /// Takes one apart.
    ///
    /// # Errors
    ///
    /// Where it is no path of this API, or names a value twice or one that would
    /// be passed over.
    pub(super) fn parse(method: &Method, uri: &Uri) -> Result<Self, Error> {
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
        let call = Self { segments, query };
        call.check_query(values(method, &call.segments()))?;
        Ok(call)
    }

    fn check_query(&self, known: &[&str]) -> Result<(), Error> {
        for (at, (name, _)) in self.query.iter().enumerate() {
            let wrong = if name != "profile" && !known.contains(&name.as_str()) {
                "is unknown here"
            } else if self.query.iter().take(at).any(|(other, _)| other == name) {
                "is given twice"
            } else {
                continue;
            };
            let message = format!("the query value `{name}` {wrong}");
            return Err(Error::new(ErrorKind::Usage, message));
        }
        Ok(())
    }

    pub(super) fn segments(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    pub(super) fn query(&self, name: &str) -> Option<&str> {
        self.query
            .iter()
            .find(|(key, _)| key == name)
            .map(|(_, value)| value.as_str())
    }

    pub(super) fn profile(&self) -> Option<&str> {
        self.query("profile")
    }
}

/// The query values a call takes beside `profile`.
fn values(method: &Method, segments: &[&str]) -> &'static [&'static str] {
    match (method, segments) {
        (&Method::GET, ["servers"]) => &["passwords"],
        (&Method::DELETE, ["servers"]) => &["address"],
        (&Method::GET, ["conversations", _, "messages"]) => &["n"],
        _ => &[],
    }
}

pub(super) fn no_such_path() -> Error {
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

/// Of a call that takes nothing.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NoBody {}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NameBody {
    pub(super) name: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ServerBody {
    pub(super) address: String,
    #[serde(default)]
    pub(super) unchecked: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TestBody {
    pub(super) address: Option<String>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct InviteBody {
    #[serde(default)]
    pub(super) reusable: bool,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct JoinBody {
    pub(super) link: String,
    #[serde(default)]
    pub(super) wait: bool,
    pub(super) timeout: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct SendBody {
    pub(super) to: String,
    pub(super) text: String,
    pub(super) reply_to: Option<String>,
    pub(super) wait: Option<Stage>,
    pub(super) timeout: Option<u64>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct TextBody {
    pub(super) text: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ReactionBody {
    pub(super) reaction: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct NumberBody {
    pub(super) number: String,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ValueBody {
    pub(super) value: String,
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

//! Paths of the API: segments and query values, escaped when joined.

/// A path below `/v1/`, and what stands behind it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Path {
    segments: Vec<String>,
    query: Vec<(String, String)>,
}

impl Path {
    /// A path of segments as they are.
    #[must_use]
    pub fn new<const N: usize>(segments: [&str; N]) -> Self {
        Self::of(segments.into_iter().map(str::to_owned).collect())
    }

    pub(crate) fn of(segments: Vec<String>) -> Self {
        Self {
            segments,
            query: Vec::new(),
        }
    }

    /// Adds a query value.
    #[must_use]
    pub fn with(mut self, name: &str, value: impl ToString) -> Self {
        self.query.push((name.to_owned(), value.to_string()));
        self
    }

    pub(crate) fn segments(&self) -> Vec<&str> {
        self.segments.iter().map(String::as_str).collect()
    }

    pub(crate) fn uri(&self, profile: Option<&str>) -> String {
        let segments: Vec<String> = self.segments.iter().map(|one| escape(one)).collect();
        let mut uri = format!("/v1/{}", segments.join("/"));
        let profile = profile.map(|name| ("profile".to_owned(), name.to_owned()));
        let mut mark = '?';
        for (name, value) in self.query.iter().cloned().chain(profile) {
            uri.push(mark);
            uri.push_str(&format!("{}={}", escape(&name), escape(&value)));
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

/// A `%` without two hexadecimal digits, or bytes that are no UTF-8.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("the path is not properly escaped")]
pub struct Malformed;

/// Undoes percent-encoding.
///
/// # Errors
///
/// Where it is broken; what it stands for would be guessed.
pub fn unescape(text: &str) -> Result<String, Malformed> {
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
                .ok_or(Malformed)?,
        );
    }
    String::from_utf8(bytes).map_err(|_| Malformed)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn names_are_escaped_in_paths() {
        let path = Path::new(["contacts", "a/b ü", "safety"]).with("n", 3);
        assert_eq!(
            path.uri(Some("x&y")),
            "/v1/contacts/a%2Fb%20%C3%BC/safety?n=3&profile=x%26y"
        );
    }

    #[test]
    fn escapes_are_undone_and_broken_ones_refused() {
        assert_eq!(unescape("a%2Fb%20%C3%BC").unwrap(), "a/b ü");
        for broken in ["%", "%1", "%zz", "%FF"] {
            assert!(unescape(broken).is_err(), "{broken}");
        }
    }

    proptest! {
        #[test]
        fn what_is_escaped_is_undone(text in any::<String>()) {
            prop_assert_eq!(unescape(&escape(&text)).unwrap(), text);
        }
    }
}

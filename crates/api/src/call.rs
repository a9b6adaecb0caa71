//! What a call of the local API is.

use std::any::TypeId;
use std::fmt;

use schemars::{JsonSchema, Schema, SchemaGenerator};
use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::kind::ErrorKind;
use crate::request::Nothing;

/// One call: what is sent, what is answered. Both ends use this one; `calls!`
/// implements it.
pub trait Call: 'static {
    /// Everything said about it without its types.
    const IT: Description;
    /// The values in its path.
    type Path: PathValues;
    /// What stands behind the `?`, beside `profile`.
    type Query: Serialize + DeserializeOwned + JsonSchema + Send + 'static;
    /// The document sent; [`Nothing`] where none is.
    type Body: Serialize + DeserializeOwned + JsonSchema + Send + 'static;
    /// The document answered, or each document of a stream.
    type Answer: Serialize + DeserializeOwned + JsonSchema + Send + 'static;
}

/// A call described.
#[derive(Clone, Copy)]
pub struct Description {
    /// Its name: that of the type in [`calls`](crate::calls).
    pub name: &'static str,
    /// HTTP method.
    pub method: Method,
    /// Path below `/v1/`, with `{names}` where values stand.
    pub path: &'static str,
    /// Whether it acts as a profile.
    pub scope: Scope,
    /// What it does, for people.
    pub about: &'static str,
    /// Errors beside those any such call may end with.
    pub errors: &'static [ErrorKind],
    /// Whether the answer is a stream of documents, one a line.
    pub streams: bool,
    pub(crate) schemas: Schemas,
}

/// HTTP methods in use.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Method {
    /// Changes nothing.
    Get,
    /// Does something.
    Post,
    /// Takes something away.
    Delete,
}

/// For whom a call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Scope {
    /// For the installation; it takes no `profile`.
    Home,
    /// For the profile named by `profile`, or the default one.
    Profile,
    /// For the profile named, or without a name for all of them.
    Anyone,
}

/// Schemas of a call's parts.
#[derive(Clone, Copy)]
pub(crate) struct Schemas {
    pub(crate) path: fn(&mut SchemaGenerator) -> Vec<Schema>,
    pub(crate) query: fn(&mut SchemaGenerator) -> Schema,
    pub(crate) body: fn(&mut SchemaGenerator) -> Option<Schema>,
    pub(crate) answer: fn(&mut SchemaGenerator) -> Schema,
}

impl Schemas {
    pub(crate) const fn of<C: Call>() -> Self {
        Self {
            path: C::Path::schemas,
            query: C::Query::json_schema,
            body: body::<C::Body>,
            answer: |generator| generator.subschema_for::<C::Answer>(),
        }
    }
}

fn body<B: JsonSchema + 'static>(generator: &mut SchemaGenerator) -> Option<Schema> {
    let sent = TypeId::of::<B>() != TypeId::of::<Nothing>();
    sent.then(|| generator.subschema_for::<B>())
}

impl Description {
    /// The values in a path that is this call's, given its segments below
    /// `/v1/`; `None` where it is another's.
    #[must_use]
    pub fn values<'a>(&self, segments: &[&'a str]) -> Option<Vec<&'a str>> {
        let mut values = Vec::new();
        let mut given = segments.iter();
        for expected in self.path.split('/') {
            let segment = given.next()?;
            if expected.starts_with('{') {
                values.push(*segment);
            } else if expected != *segment {
                return None;
            }
        }
        given.next().is_none().then_some(values)
    }

    /// The path with values in it, each to be escaped by whoever joins them.
    pub(crate) fn segments(&self, values: Vec<String>) -> Vec<String> {
        let mut values = values.into_iter();
        let segment = |part: &'static str| match part.starts_with('{') {
            true => values.next().unwrap_or_default(),
            false => part.to_owned(),
        };
        self.path.split('/').map(segment).collect()
    }

    /// Names of the values in its path.
    pub(crate) fn names(&self) -> impl Iterator<Item = &'static str> {
        let parts = self.path.split('/');
        parts.filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
    }
}

impl fmt::Debug for Description {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} {} /v1/{}", self.name, self.method, self.path)
    }
}

impl Method {
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Get => "GET",
            Self::Post => "POST",
            Self::Delete => "DELETE",
        }
    }

    /// The method of that name.
    #[must_use]
    pub fn from_name(name: &str) -> Option<Self> {
        [Self::Get, Self::Post, Self::Delete]
            .into_iter()
            .find(|method| method.name() == name)
    }
}

impl fmt::Display for Method {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.name())
    }
}

/// Values in a path.
pub trait PathValues: Sized + Send + 'static {
    /// Reads them, in their order; `None` where one is not what it should be.
    fn read(values: &[&str]) -> Option<Self>;
    /// Writes them, in their order.
    fn write(self) -> Vec<String>;
    /// The schema of each.
    fn schemas(generator: &mut SchemaGenerator) -> Vec<Schema>;
}

impl PathValues for () {
    fn read(values: &[&str]) -> Option<Self> {
        values.is_empty().then_some(())
    }

    fn write(self) -> Vec<String> {
        Vec::new()
    }

    fn schemas(_: &mut SchemaGenerator) -> Vec<Schema> {
        Vec::new()
    }
}

impl PathValues for String {
    fn read(values: &[&str]) -> Option<Self> {
        match values {
            [one] => Some((*one).to_owned()),
            _ => None,
        }
    }

    fn write(self) -> Vec<String> {
        vec![self]
    }

    fn schemas(generator: &mut SchemaGenerator) -> Vec<Schema> {
        vec![generator.subschema_for::<Self>()]
    }
}

impl PathValues for (String, String) {
    fn read(values: &[&str]) -> Option<Self> {
        match values {
            [one, other] => Some(((*one).to_owned(), (*other).to_owned())),
            _ => None,
        }
    }

    fn write(self) -> Vec<String> {
        vec![self.0, self.1]
    }

    fn schemas(generator: &mut SchemaGenerator) -> Vec<Schema> {
        let one = generator.subschema_for::<String>();
        vec![one.clone(), one]
    }
}

impl PathValues for u64 {
    fn read(values: &[&str]) -> Option<Self> {
        match values {
            [one] => one.parse().ok(),
            _ => None,
        }
    }

    fn write(self) -> Vec<String> {
        vec![self.to_string()]
    }

    fn schemas(generator: &mut SchemaGenerator) -> Vec<Schema> {
        vec![generator.subschema_for::<Self>()]
    }
}

/// Declares calls, and `ALL` of them.
macro_rules! calls {
    ($(
        $(#[doc = $about:literal])+
        $name:ident: $method:ident $path:literal for $scope:ident {
            $(path: $values:ty,)?
            $(query: $query:ty,)?
            $(body: $body:ty,)?
            $(errors: [$($error:ident),* $(,)?],)?
            $(answer: $answer:ty,)?
            $(stream: $stream:ty,)?
        }
    )*) => {
        $(
            $(#[doc = $about])+
            #[derive(Clone, Copy, Debug)]
            pub struct $name;

            impl $crate::Call for $name {
                const IT: $crate::Description = $crate::Description {
                    name: stringify!($name),
                    method: $crate::Method::$method,
                    path: $path,
                    scope: $crate::Scope::$scope,
                    about: concat!($($about, "\n"),+),
                    errors: &[$($($crate::ErrorKind::$error),*)?],
                    streams: calls!(@streams $($stream)?),
                    schemas: $crate::call::Schemas::of::<$name>(),
                };
                type Path = calls!(@or $($values)?, ());
                type Query = calls!(@or $($query)?, $crate::request::Nothing);
                type Body = calls!(@or $($body)?, $crate::request::Nothing);
                type Answer = calls!(@or $($answer)? $($stream)?, ());
            }
        )*

        /// Every call there is.
        pub static ALL: &[&$crate::Description] = &[$(&<$name as $crate::Call>::IT),*];
    };
    (@or $given:ty, $default:ty) => { $given };
    (@or , $default:ty) => { $default };
    (@streams) => { false };
    (@streams $stream:ty) => { true };
}
pub(crate) use calls;

#[cfg(test)]
mod tests {
    use crate::calls::{ALL, EditMessage, RemoveServer};

    use super::*;

    #[test]
    fn no_path_is_that_of_two_calls() {
        for (at, one) in ALL.iter().enumerate() {
            for other in ALL.iter().skip(at + 1) {
                assert_ne!(one.name, other.name);
                let meets =
                    |(a, b): (&str, &str)| a == b || a.starts_with('{') || b.starts_with('{');
                let (mut a, mut b) = (one.path.split('/'), other.path.split('/'));
                let mut same = one.method == other.method;
                loop {
                    match (a.next(), b.next()) {
                        (Some(a), Some(b)) => same &= meets((a, b)),
                        (None, None) => break,
                        _ => {
                            same = false;
                            break;
                        }
                    }
                }
                assert!(!same, "{one:?} and {other:?}");
            }
        }
    }

    #[test]
    fn a_path_has_a_name_for_each_of_its_values() {
        for call in ALL {
            let mut generator = SchemaGenerator::default();
            let values = (call.schemas.path)(&mut generator);
            assert_eq!(call.names().count(), values.len(), "{call:?}");
        }
    }

    #[test]
    fn a_path_is_taken_apart_and_joined_the_same() {
        let edit = EditMessage::IT;
        let values = edit.values(&["messages", "a/b", "edit"]).unwrap();
        assert_eq!(values, ["a/b"]);
        assert_eq!(
            edit.segments(vec!["a/b".into()]),
            ["messages", "a/b", "edit"]
        );
        assert!(edit.values(&["messages", "a"]).is_none());
        assert!(edit.values(&["messages", "a", "edit", "b"]).is_none());
        assert!(RemoveServer::IT.values(&["servers"]).unwrap().is_empty());
    }
}

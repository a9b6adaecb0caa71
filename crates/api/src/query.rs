//! Query values as fields of a struct.

use std::fmt;

use serde::de::value::MapDeserializer;
use serde::de::{Deserializer, Error as _, IntoDeserializer, Visitor};
use serde::{Deserialize, Serialize, de, forward_to_deserialize_any};

/// Why query values are not what a call takes.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct QueryError(String);

impl de::Error for QueryError {
    fn custom<T: fmt::Display>(message: T) -> Self {
        Self(message.to_string())
    }

    fn unknown_field(field: &str, _: &'static [&'static str]) -> Self {
        Self(format!("the query value `{field}` is unknown here"))
    }

    fn duplicate_field(field: &'static str) -> Self {
        Self(format!("the query value `{field}` is given twice"))
    }

    fn missing_field(field: &'static str) -> Self {
        Self(format!("the query value `{field}` is missing"))
    }
}

/// Reads names and values, unescaped, into a struct.
///
/// # Errors
///
/// Where a value is unknown, missing, given twice or not of its kind.
pub fn read<'de, T: Deserialize<'de>>(pairs: &[(String, String)]) -> Result<T, QueryError> {
    let pairs = pairs.iter().map(|(name, value)| {
        let value = Value { name, value };
        (name.as_str(), value)
    });
    T::deserialize(MapDeserializer::new(pairs))
}

/// Writes a struct as names and values; what is `null` is left out.
pub(crate) fn write(query: &impl Serialize) -> Result<Vec<(String, String)>, serde_json::Error> {
    let serde_json::Value::Object(fields) = serde_json::to_value(query)? else {
        return Ok(Vec::new());
    };
    let pairs = fields.into_iter().filter_map(|(name, value)| match value {
        serde_json::Value::Null => None,
        serde_json::Value::String(text) => Some((name, text)),
        other => Some((name, other.to_string())),
    });
    Ok(pairs.collect())
}

/// One value; its name is for errors.
#[derive(Clone, Copy)]
struct Value<'a> {
    name: &'a str,
    value: &'a str,
}

impl Value<'_> {
    fn number<T: std::str::FromStr>(self) -> Result<T, QueryError> {
        let wrong = |_| QueryError::custom(format!("`{}` is a whole number", self.name));
        self.value.parse().map_err(wrong)
    }
}

impl<'de> IntoDeserializer<'de, QueryError> for Value<'_> {
    type Deserializer = Self;

    fn into_deserializer(self) -> Self {
        self
    }
}

impl<'de> Deserializer<'de> for Value<'_> {
    type Error = QueryError;

    fn deserialize_any<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        visitor.visit_str(self.value)
    }

    fn deserialize_bool<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        match self.value {
            "true" => visitor.visit_bool(true),
            "false" => visitor.visit_bool(false),
            _ => Err(QueryError(format!("`{}` is true or false", self.name))),
        }
    }

    fn deserialize_u32<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        visitor.visit_u32(self.number()?)
    }

    fn deserialize_u64<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        visitor.visit_u64(self.number()?)
    }

    fn deserialize_option<V: Visitor<'de>>(self, visitor: V) -> Result<V::Value, QueryError> {
        visitor.visit_some(self)
    }

    fn deserialize_enum<V: Visitor<'de>>(
        self,
        name: &'static str,
        variants: &'static [&'static str],
        visitor: V,
    ) -> Result<V::Value, QueryError> {
        let value: de::value::StrDeserializer<'_, QueryError> = self.value.into_deserializer();
        value.deserialize_enum(name, variants, visitor)
    }

    forward_to_deserialize_any! {
        i8 i16 i32 i64 i128 u8 u16 u128 f32 f64 char str string bytes byte_buf unit unit_struct
        newtype_struct seq tuple tuple_struct map struct identifier ignored_any
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug, PartialEq, Eq, Serialize, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Example {
        text: String,
        many: Option<u32>,
        #[serde(default)]
        all: bool,
    }

    fn pairs(pairs: &[(&str, &str)]) -> Vec<(String, String)> {
        let owned = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
        pairs.iter().map(owned).collect()
    }

    #[test]
    fn what_is_written_is_read() {
        for many in [None, Some(50)] {
            let all = many.is_some();
            let text = "12 true & ü".to_owned();
            let example = Example { text, many, all };
            assert_eq!(read(&write(&example).unwrap()), Ok(example));
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (given, named) in [
            (
                &[("text", "a"), ("many", "x")][..],
                "`many` is a whole number",
            ),
            (&[("text", "a"), ("many", "-1")], "`many` is a whole number"),
            (&[("text", "a"), ("all", "on")], "`all` is true or false"),
            (&[("text", "a"), ("text", "b")], "`text` is given twice"),
            (&[("text", "a"), ("tall", "1")], "`tall` is unknown here"),
            (&[], "`text` is missing"),
        ] {
            let error = read::<Example>(&pairs(given)).unwrap_err().to_string();
            assert!(error.contains(named), "{error}");
        }
    }
}

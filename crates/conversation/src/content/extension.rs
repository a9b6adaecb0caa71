//! The extensions map of a message: what MIMI leaves to others to define.

use std::collections::BTreeMap;

use minicbor::data::Type;

use super::cbor::{Reader, SyntaxError, Writer};

/// Extensions a message may carry, and entries a map inside one may have.
const MAX_ENTRIES: u64 = 64;
/// Bytes of a text key of an extension.
const MAX_KEY: usize = 255;
/// Integer keys stay exact in a double: -(2^53 - 1) to 2^53 - 1.
const MAX_INTEGER_KEY: u64 = (1 << 53) - 1;
/// Levels of arrays, maps and tags, the extensions map itself being the first.
const MAX_DEPTH: usize = 4;

/// A map key. Its order is the order of encodings, which RFC 8949 section
/// 4.2.1 prescribes for maps.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Key {
    /// 0 and above.
    Unsigned(u64),
    /// -1 minus the number: `Negative(0)` is -1.
    Negative(u64),
    /// A byte string; not allowed as key of an extension, only deeper.
    Bytes(Vec<u8>),
    /// A text string, 1 to 255 bytes as key of an extension.
    Text(String),
}

impl Key {
    fn rank(&self) -> (u8, u64, &[u8]) {
        match self {
            Self::Unsigned(number) => (0, *number, &[]),
            Self::Negative(number) => (1, *number, &[]),
            Self::Bytes(bytes) => (2, bytes.len() as u64, bytes),
            Self::Text(text) => (3, text.len() as u64, text.as_bytes()),
        }
    }

    fn read(reader: &mut Reader<'_>) -> Result<Self, SyntaxError> {
        let at = reader.at();
        match Value::read(reader, MAX_DEPTH)? {
            Value::Unsigned(number) if number <= MAX_INTEGER_KEY => Ok(Self::Unsigned(number)),
            Value::Negative(number) if number < MAX_INTEGER_KEY => Ok(Self::Negative(number)),
            Value::Bytes(bytes) => Ok(Self::Bytes(bytes)),
            Value::Text(text) => Ok(Self::Text(text)),
            _ => Err(SyntaxError::Unexpected { at }),
        }
    }

    fn write(&self, writer: &mut Writer) {
        match self {
            Self::Unsigned(number) => writer.unsigned(*number),
            Self::Negative(number) => writer.negative(*number),
            Self::Bytes(bytes) => writer.bytes(bytes),
            Self::Text(text) => writer.text(text),
        };
    }

    /// Whether an extension may be named so.
    fn names_an_extension(&self) -> bool {
        match self {
            Self::Unsigned(number) => *number <= MAX_INTEGER_KEY,
            Self::Negative(number) => *number < MAX_INTEGER_KEY,
            Self::Bytes(_) => false,
            Self::Text(text) => (1..=MAX_KEY).contains(&text.len()),
        }
    }
}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> core::cmp::Ordering {
        self.rank().cmp(&other.rank())
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<core::cmp::Ordering> {
        Some(self.cmp(other))
    }
}

/// The value of an extension: CBOR without floating point, `undefined` and
/// unassigned simple values, which nothing here needs.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value {
    /// 0 and above.
    Unsigned(u64),
    /// -1 minus the number.
    Negative(u64),
    /// A byte string.
    Bytes(Vec<u8>),
    /// A text string.
    Text(String),
    /// A list.
    Array(Vec<Value>),
    /// A map.
    Map(BTreeMap<Key, Value>),
    /// A tagged value.
    Tag(u64, Box<Value>),
    /// A truth value.
    Bool(bool),
    /// Nothing.
    Null,
}

impl Value {
    /// Reads a value that lies inside `depth` levels.
    fn read(reader: &mut Reader<'_>, depth: usize) -> Result<Self, SyntaxError> {
        let at = reader.at();
        Ok(match reader.kind()? {
            Type::Bytes => Self::Bytes(reader.bytes(usize::MAX)?.to_vec()),
            Type::String => Self::Text(reader.text(usize::MAX)?.to_owned()),
            Type::Bool => Self::Bool(reader.bool()?),
            Type::Null => reader.nullable(Self::never).map(|_| Self::Null)?,
            Type::Array | Type::Map | Type::Tag if depth >= MAX_DEPTH => {
                return Err(SyntaxError::TooDeep { at });
            }
            Type::Array => {
                let count = reader.array(MAX_ENTRIES)?;
                let items = (0..count).map(|_| Self::read(reader, depth + 1));
                Self::Array(items.collect::<Result<_, _>>()?)
            }
            Type::Map => Self::Map(read_entries(reader, depth + 1)?),
            Type::Tag => Self::Tag(reader.tag()?, Box::new(Self::read(reader, depth + 1)?)),
            _ => Self::read_integer(reader)?,
        })
    }

    fn never(reader: &mut Reader<'_>) -> Result<(), SyntaxError> {
        Err(SyntaxError::Unexpected { at: reader.at() })
    }

    fn read_integer(reader: &mut Reader<'_>) -> Result<Self, SyntaxError> {
        let at = reader.at();
        let integer = reader.integer()?;
        let outside = |_| SyntaxError::Unexpected { at };
        if integer < 0 {
            return u64::try_from(-1 - integer)
                .map(Self::Negative)
                .map_err(outside);
        }
        u64::try_from(integer).map(Self::Unsigned).map_err(outside)
    }

    fn write<'w>(&self, writer: &'w mut Writer) -> &'w mut Writer {
        match self {
            Self::Unsigned(number) => writer.unsigned(*number),
            Self::Negative(number) => writer.negative(*number),
            Self::Bytes(bytes) => writer.bytes(bytes),
            Self::Text(text) => writer.text(text),
            Self::Bool(truth) => writer.bool(*truth),
            Self::Null => writer.null(),
            Self::Tag(number, value) => value.write(writer.tag(*number)),
            Self::Map(entries) => write_entries(entries, writer),
            Self::Array(items) => items
                .iter()
                .fold(writer.array(items.len()), |writer, item| item.write(writer)),
        }
    }

    /// Levels of arrays, maps and tags in this value.
    fn levels(&self) -> usize {
        match self {
            Self::Array(items) => 1 + items.iter().map(Self::levels).max().unwrap_or(0),
            Self::Map(entries) => 1 + entries.values().map(Self::levels).max().unwrap_or(0),
            Self::Tag(_, value) => 1 + value.levels(),
            _ => 0,
        }
    }
}

fn read_entries(
    reader: &mut Reader<'_>,
    depth: usize,
) -> Result<BTreeMap<Key, Value>, SyntaxError> {
    let count = reader.map(MAX_ENTRIES)?;
    let mut entries = BTreeMap::new();
    for _ in 0..count {
        let at = reader.at();
        let key = Key::read(reader)?;
        if entries
            .last_key_value()
            .is_some_and(|(last, _)| *last >= key)
        {
            return Err(SyntaxError::KeyOrder { at });
        }
        entries.insert(key, Value::read(reader, depth)?);
    }
    Ok(entries)
}

fn write_entries<'w>(entries: &BTreeMap<Key, Value>, writer: &'w mut Writer) -> &'w mut Writer {
    entries
        .iter()
        .fold(writer.map(entries.len()), |writer, (key, value)| {
            key.write(writer);
            value.write(writer)
        })
}

/// The extensions of one message.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Extensions(pub BTreeMap<Key, Value>);

impl Extensions {
    /// Key of the sender's URI in the draft's registry.
    pub const SENDER_URI: Key = Key::Unsigned(1);
    /// Key of the room's URI in the draft's registry.
    pub const ROOM_URI: Key = Key::Unsigned(2);

    /// The text under `key`, if it is text.
    #[must_use]
    pub fn text(&self, key: &Key) -> Option<&str> {
        match self.0.get(key) {
            Some(Value::Text(text)) => Some(text),
            _ => None,
        }
    }

    /// Whether the draft's and this program's limits hold: at most 64
    /// extensions, keys as the draft allows, at most 4 levels in all, URIs as
    /// text.
    pub(crate) fn in_bounds(&self) -> bool {
        let uris = [Self::SENDER_URI, Self::ROOM_URI];
        self.0.len() as u64 <= MAX_ENTRIES
            && self.0.keys().all(Key::names_an_extension)
            && self.0.values().all(|value| value.levels() < MAX_DEPTH)
            && uris
                .iter()
                .all(|key| !self.0.contains_key(key) || self.text(key).is_some())
    }

    pub(crate) fn read(reader: &mut Reader<'_>) -> Result<Self, SyntaxError> {
        read_entries(reader, 1).map(Self)
    }

    pub(crate) fn write(&self, writer: &mut Writer) {
        write_entries(&self.0, writer);
    }
}

#[cfg(test)]
mod tests {
    use super::super::cbor::whole;
    use super::*;

    fn read(bytes: &[u8]) -> Result<Extensions, SyntaxError> {
        whole(bytes, 1_000, Extensions::read, Extensions::write)
    }

    #[test]
    fn keys_sort_as_their_encodings() {
        let keys = [
            Key::Unsigned(0),
            Key::Unsigned(24),
            Key::Negative(0),
            Key::Negative(300),
            Key::Bytes(vec![9]),
            Key::Text("z".into()),
            Key::Text("aa".into()),
        ];
        let encodings = keys.clone().map(|key| {
            let mut writer = Writer::new();
            key.write(&mut writer);
            writer.finish()
        });
        assert!(keys.is_sorted());
        assert!(encodings.is_sorted());
    }

    #[test]
    fn unsorted_and_repeated_keys_are_refused() {
        assert!(read(&[0xa2, 1, 1, 2, 2]).is_ok());
        assert_eq!(
            read(&[0xa2, 2, 2, 1, 1]),
            Err(SyntaxError::KeyOrder { at: 3 })
        );
        assert_eq!(
            read(&[0xa2, 1, 1, 1, 1]),
            Err(SyntaxError::KeyOrder { at: 3 })
        );
    }

    #[test]
    fn four_levels_are_taken_and_five_refused() {
        // The draft's example of 4 levels: map, array, array, tag.
        assert!(read(&[0xa1, 0x19, 1, 0, 0x81, 0x81, 0xd8, 0x20, 0x61, b'u']).is_ok());
        let deep = [0xa1, 0x19, 1, 0, 0x81, 0x81, 0x81, 0x81, 0];
        assert_eq!(read(&deep), Err(SyntaxError::TooDeep { at: 7 }));
    }

    #[test]
    fn floats_undefined_and_keys_beyond_a_double_are_refused() {
        assert!(read(&[0xa1, 1, 0xf9, 0x7e, 0]).is_err());
        assert!(read(&[0xa1, 1, 0xf7]).is_err());
        assert!(read(&[0xa1, 0x1b, 0, 0x20, 0, 0, 0, 0, 0, 0, 1]).is_err());
        assert!(read(&[0xa1, 0xf5, 1]).is_err());
    }

    #[test]
    fn byte_keys_and_numeric_uris_are_out_of_bounds() {
        assert!(!read(&[0xa1, 0x41, 1, 1]).unwrap().in_bounds());
        assert!(!read(&[0xa1, 1, 1]).unwrap().in_bounds());
        assert!(!read(&[0xa1, 0x60, 1]).unwrap().in_bounds());
        assert!(read(&[0xa1, 1, 0x61, b'u']).unwrap().in_bounds());
    }
}

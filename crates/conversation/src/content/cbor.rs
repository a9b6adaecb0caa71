//! Strict CBOR: one value has one encoding.
//!
//! Identifiers and signatures cover encoded bytes, so two encodings of one
//! value would be two messages. RFC 8949 section 4.2.1 fixes the one we take:
//! shortest integers and lengths, nothing of indefinite length, map keys
//! sorted. The decoder below is tolerant in places, so [`whole`] encodes what
//! it read once more and compares.

use core::convert::Infallible;

use minicbor::data::{Int, Tag, Type};
use minicbor::decode::Decoder;
use minicbor::encode::{self, Encoder};

/// Why bytes are not the one encoding of a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SyntaxError {
    /// More bytes than this kind of value may have.
    #[error("{got} bytes where at most {most} are allowed")]
    TooLong {
        /// Bytes given.
        got: usize,
        /// Bytes allowed.
        most: usize,
    },
    /// Truncated, a wrong type, a number out of range, or text that is not
    /// UTF-8, at this byte offset.
    #[error("unexpected data at byte {at}")]
    Unexpected {
        /// Offset from the start of the value.
        at: usize,
    },
    /// More elements than allowed, or another number than expected.
    #[error("wrong number of elements at byte {at}")]
    Count {
        /// Offset from the start of the value.
        at: usize,
    },
    /// Nested deeper than allowed.
    #[error("nested too deeply at byte {at}")]
    TooDeep {
        /// Offset from the start of the value.
        at: usize,
    },
    /// Map keys repeat or are out of order.
    #[error("map keys out of order at byte {at}")]
    KeyOrder {
        /// Offset from the start of the value.
        at: usize,
    },
    /// Bytes follow the value.
    #[error("trailing bytes")]
    Trailing,
    /// Well-formed, but not the shortest form.
    #[error("not in canonical form")]
    NotCanonical,
}

/// Reads one value that fills `bytes` (at most `most` of them) and compares
/// with its own encoding.
///
/// # Errors
///
/// Whatever `read` says, or [`SyntaxError::TooLong`], [`SyntaxError::Trailing`]
/// and [`SyntaxError::NotCanonical`].
pub(crate) fn whole<'b, T, E: From<SyntaxError>>(
    bytes: &'b [u8],
    most: usize,
    read: impl FnOnce(&mut Reader<'b>) -> Result<T, E>,
    write: impl FnOnce(&T, &mut Writer),
) -> Result<T, E> {
    if bytes.len() > most {
        let got = bytes.len();
        return Err(SyntaxError::TooLong { got, most }.into());
    }
    let mut reader = Reader::new(bytes);
    let value = read(&mut reader)?;
    if reader.at() != bytes.len() {
        return Err(SyntaxError::Trailing.into());
    }
    let mut writer = Writer::new();
    write(&value, &mut writer);
    if writer.finish() != bytes {
        return Err(SyntaxError::NotCanonical.into());
    }
    Ok(value)
}

/// Reads values of definite length, with limits.
pub(crate) struct Reader<'b> {
    inner: Decoder<'b>,
}

impl<'b> Reader<'b> {
    fn new(bytes: &'b [u8]) -> Self {
        Self {
            inner: Decoder::new(bytes),
        }
    }

    /// Offset of the next value.
    pub(crate) fn at(&self) -> usize {
        self.inner.position()
    }

    fn take<T>(
        &mut self,
        read: impl FnOnce(&mut Decoder<'b>) -> Result<T, minicbor::decode::Error>,
    ) -> Result<T, SyntaxError> {
        let at = self.at();
        read(&mut self.inner).map_err(|_| SyntaxError::Unexpected { at })
    }

    /// The major type of the next value.
    pub(crate) fn kind(&mut self) -> Result<Type, SyntaxError> {
        self.take(|d| d.datatype())
    }

    /// The length of an array of at most `most` elements.
    pub(crate) fn array(&mut self, most: u64) -> Result<u64, SyntaxError> {
        let at = self.at();
        let count = self
            .take(Decoder::array)?
            .ok_or(SyntaxError::NotCanonical)?;
        if count > most {
            return Err(SyntaxError::Count { at });
        }
        Ok(count)
    }

    /// An array of exactly `count` elements.
    pub(crate) fn array_of(&mut self, count: u64) -> Result<(), SyntaxError> {
        let at = self.at();
        if self.array(count)? == count {
            Ok(())
        } else {
            Err(SyntaxError::Count { at })
        }
    }

    /// The head of an array of `count` elements of which the first is the
    /// version `known`; gives the version, which is at least that. What newer
    /// versions hold is not looked at.
    pub(crate) fn versioned(&mut self, known: u64, count: u64) -> Result<u64, SyntaxError> {
        let at = self.at();
        let found = self.array(64)?;
        let version = self.unsigned()?;
        match version {
            _ if version < known => Err(SyntaxError::Unexpected { at }),
            _ if version == known && found != count => Err(SyntaxError::Count { at }),
            _ => Ok(version),
        }
    }

    /// The length of a map of at most `most` entries.
    pub(crate) fn map(&mut self, most: u64) -> Result<u64, SyntaxError> {
        let at = self.at();
        let count = self.take(Decoder::map)?.ok_or(SyntaxError::NotCanonical)?;
        if count > most {
            return Err(SyntaxError::Count { at });
        }
        Ok(count)
    }

    /// A byte string of at most `most` bytes.
    pub(crate) fn bytes(&mut self, most: usize) -> Result<&'b [u8], SyntaxError> {
        let bytes = self.take(Decoder::bytes)?;
        within(bytes.len(), most)?;
        Ok(bytes)
    }

    /// A byte string of exactly `N` bytes.
    pub(crate) fn fixed<const N: usize>(&mut self) -> Result<[u8; N], SyntaxError> {
        let at = self.at();
        let bytes = self.take(Decoder::bytes)?;
        bytes.try_into().map_err(|_| SyntaxError::Unexpected { at })
    }

    /// A text string of at most `most` bytes.
    pub(crate) fn text(&mut self, most: usize) -> Result<&'b str, SyntaxError> {
        let text = self.take(Decoder::str)?;
        within(text.len(), most)?;
        Ok(text)
    }

    /// An unsigned integer that fits `T`.
    pub(crate) fn unsigned<T: TryFrom<u64>>(&mut self) -> Result<T, SyntaxError> {
        let at = self.at();
        let value = self.take(Decoder::u64)?;
        T::try_from(value).map_err(|_| SyntaxError::Unexpected { at })
    }

    /// Any integer CBOR knows: -2^64 to 2^64 - 1.
    pub(crate) fn integer(&mut self) -> Result<i128, SyntaxError> {
        self.take(Decoder::int).map(i128::from)
    }

    /// `true` or `false`.
    pub(crate) fn bool(&mut self) -> Result<bool, SyntaxError> {
        self.take(Decoder::bool)
    }

    /// The number of a tag; its value follows.
    pub(crate) fn tag(&mut self) -> Result<u64, SyntaxError> {
        self.take(Decoder::tag).map(|tag| tag.as_u64())
    }

    /// `null`, or what `read` reads.
    pub(crate) fn nullable<T, E: From<SyntaxError>>(
        &mut self,
        read: impl FnOnce(&mut Self) -> Result<T, E>,
    ) -> Result<Option<T>, E> {
        if self.kind()? == Type::Null {
            self.take(Decoder::null)?;
            return Ok(None);
        }
        read(self).map(Some)
    }
}

fn within(got: usize, most: usize) -> Result<(), SyntaxError> {
    if got > most {
        Err(SyntaxError::TooLong { got, most })
    } else {
        Ok(())
    }
}

/// Writes values in their one form into memory.
pub(crate) struct Writer {
    inner: Encoder<Vec<u8>>,
}

impl Writer {
    /// Nothing written yet.
    pub(crate) fn new() -> Self {
        Self {
            inner: Encoder::new(Vec::new()),
        }
    }

    /// What was written.
    pub(crate) fn finish(self) -> Vec<u8> {
        self.inner.into_writer()
    }

    fn put(
        &mut self,
        write: impl FnOnce(&mut Encoder<Vec<u8>>) -> Result<(), encode::Error<Infallible>>,
    ) -> &mut Self {
        // Memory takes everything, and none of the calls below fails otherwise.
        let written = write(&mut self.inner);
        debug_assert!(written.is_ok());
        self
    }

    /// The head of an array.
    pub(crate) fn array(&mut self, count: usize) -> &mut Self {
        self.put(|e| e.array(count as u64)?.ok())
    }

    /// The head of a map.
    pub(crate) fn map(&mut self, count: usize) -> &mut Self {
        self.put(|e| e.map(count as u64)?.ok())
    }

    /// A byte string.
    pub(crate) fn bytes(&mut self, bytes: &[u8]) -> &mut Self {
        self.put(|e| e.bytes(bytes)?.ok())
    }

    /// A text string.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        self.put(|e| e.str(text)?.ok())
    }

    /// An unsigned integer in its shortest form.
    pub(crate) fn unsigned(&mut self, value: impl Into<u64>) -> &mut Self {
        let value = value.into();
        self.put(|e| e.u64(value)?.ok())
    }

    /// The integer -1 - `value` in its shortest form.
    pub(crate) fn negative(&mut self, value: u64) -> &mut Self {
        // Out of range only below -2^64, which no u64 reaches.
        let int = Int::try_from(-1 - i128::from(value)).unwrap_or(Int::from(0_u64));
        self.put(|e| e.int(int)?.ok())
    }

    /// `true` or `false`.
    pub(crate) fn bool(&mut self, value: bool) -> &mut Self {
        self.put(|e| e.bool(value)?.ok())
    }

    /// The head of a tagged value.
    pub(crate) fn tag(&mut self, number: u64) -> &mut Self {
        self.put(|e| e.tag(Tag::new(number))?.ok())
    }

    /// `null`.
    pub(crate) fn null(&mut self) -> &mut Self {
        self.put(|e| e.null()?.ok())
    }

    /// `null`, or what `write` writes.
    pub(crate) fn nullable<T>(
        &mut self,
        value: Option<&T>,
        write: impl FnOnce(&mut Self, &T),
    ) -> &mut Self {
        match value {
            None => self.null(),
            Some(value) => {
                write(self, value);
                self
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn number(bytes: &[u8]) -> Result<u64, SyntaxError> {
        whole(bytes, 16, Reader::unsigned::<u64>, |value, w| {
            w.unsigned(*value);
        })
    }

    #[test]
    fn only_the_shortest_integer_is_taken() {
        assert_eq!(number(&[0x17]), Ok(23));
        assert_eq!(number(&[0x18, 0x18]), Ok(24));
        assert_eq!(number(&[0x18, 0x17]), Err(SyntaxError::NotCanonical));
        assert_eq!(
            number(&[0x1b, 0, 0, 0, 0, 0, 0, 0, 1]),
            Err(SyntaxError::NotCanonical)
        );
    }

    #[test]
    fn trailing_truncated_and_long_input_is_told_apart() {
        assert_eq!(number(&[0x01, 0x01]), Err(SyntaxError::Trailing));
        assert_eq!(
            number(&[0x19, 0x01]),
            Err(SyntaxError::Unexpected { at: 0 })
        );
        assert_eq!(number(&[]), Err(SyntaxError::Unexpected { at: 0 }));
        assert_eq!(
            number(&[0; 17]),
            Err(SyntaxError::TooLong { got: 17, most: 16 })
        );
    }

    #[test]
    fn indefinite_lengths_and_huge_counts_are_refused() {
        let array = |bytes: &[u8]| Reader::new(bytes).array(4);
        assert_eq!(array(&[0x9f, 0xff]), Err(SyntaxError::NotCanonical));
        assert_eq!(
            array(&[0x9b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]),
            Err(SyntaxError::Count { at: 0 })
        );
        assert!(Reader::new(&[0x5f, 0x41, 0x00, 0xff]).bytes(9).is_err());
        assert!(
            Reader::new(&[0x5b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff])
                .bytes(9)
                .is_err()
        );
    }

    #[test]
    fn the_lowest_integer_survives() {
        let mut writer = Writer::new();
        writer.negative(u64::MAX);
        let bytes = writer.finish();
        assert_eq!(
            bytes,
            [0x3b, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff]
        );
        assert_eq!(Reader::new(&bytes).integer(), Ok(-(1_i128 << 64)));
    }
}

//! Appending values to a block (SMP 1).

/// A value does not fit its length field or its block.
///
/// Always a fault of the caller: lengths of ids, keys and bodies are checked
/// where they enter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("value is too long for its field")]
pub struct TooLong;

/// Appends values to a buffer.
///
/// Lengths that overflow their field are remembered instead of returned by
/// every call; [`Writer::check`] tells at the end.
#[derive(Debug)]
pub struct Writer<'a> {
    out: &'a mut Vec<u8>,
    failed: bool,
}

impl<'a> Writer<'a> {
    /// A writer that appends to `out`.
    #[must_use]
    pub const fn new(out: &'a mut Vec<u8>) -> Self {
        Self { out, failed: false }
    }

    /// Bytes in the buffer so far, with those that were there before.
    #[must_use]
    pub fn position(&self) -> usize {
        self.out.len()
    }

    /// The bytes from `position` on, to be changed in place.
    pub fn written_from(&mut self, position: usize) -> &mut [u8] {
        self.out.get_mut(position..).unwrap_or_default()
    }

    /// Whether all lengths fitted.
    ///
    /// # Errors
    ///
    /// [`TooLong`] if one did not; what was written is then void.
    pub const fn check(&self) -> Result<(), TooLong> {
        if self.failed { Err(TooLong) } else { Ok(()) }
    }

    /// Marks the value as not encodable.
    pub const fn fail(&mut self) {
        self.failed = true;
    }

    /// Bytes as they are (`tail`, tags, raw nonces).
    pub fn raw(&mut self, bytes: &[u8]) -> &mut Self {
        self.out.extend_from_slice(bytes);
        self
    }

    /// `len` times the byte `fill`.
    pub fn fill(&mut self, fill: u8, len: usize) -> &mut Self {
        self.out.resize(self.out.len().saturating_add(len), fill);
        self
    }

    /// One byte.
    pub fn u8(&mut self, value: u8) -> &mut Self {
        self.out.push(value);
        self
    }

    /// Two bytes, big-endian.
    pub fn u16(&mut self, value: u16) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }

    /// Eight bytes, big-endian, signed.
    pub fn i64(&mut self, value: i64) -> &mut Self {
        self.raw(&value.to_be_bytes())
    }

    /// `str`: one length byte, then at most 255 bytes.
    pub fn str(&mut self, bytes: &[u8]) -> &mut Self {
        match u8::try_from(bytes.len()) {
            Ok(len) => self.u8(len).raw(bytes),
            Err(_) => self.overflow(),
        }
    }

    /// `big`: two length bytes, then at most 65,535 bytes.
    pub fn big(&mut self, bytes: &[u8]) -> &mut Self {
        match u16::try_from(bytes.len()) {
            Ok(len) => self.u16(len).raw(bytes),
            Err(_) => self.overflow(),
        }
    }

    /// `bool`: `T` or `F`.
    pub fn bool(&mut self, value: bool) -> &mut Self {
        self.u8(if value { b'T' } else { b'F' })
    }

    /// `opt X`: `0`, or `1` and then what `item` writes.
    pub fn opt<T>(&mut self, value: Option<T>, item: impl FnOnce(&mut Self, T)) -> &mut Self {
        match value {
            None => self.u8(b'0'),
            Some(value) => {
                self.u8(b'1');
                item(self, value);
                self
            }
        }
    }

    /// `list1 X`: a count byte, then the items; 1 to 255 of them.
    pub fn list1<T>(&mut self, items: &[T], mut item: impl FnMut(&mut Self, &T)) -> &mut Self {
        match u8::try_from(items.len()) {
            Ok(count) if count > 0 => {
                self.u8(count);
                for each in items {
                    item(self, each);
                }
                self
            }
            _ => self.overflow(),
        }
    }

    /// `big` whose content is what `item` writes.
    pub fn big_of(&mut self, item: impl FnOnce(&mut Self)) -> &mut Self {
        let at = self.position();
        self.u16(0);
        item(self);
        let len = self.position().saturating_sub(at + 2);
        match (u16::try_from(len), self.out.get_mut(at..at + 2)) {
            (Ok(len), Some(field)) => {
                field.copy_from_slice(&len.to_be_bytes());
                self
            }
            _ => self.overflow(),
        }
    }

    const fn overflow(&mut self) -> &mut Self {
        self.failed = true;
        self
    }
}

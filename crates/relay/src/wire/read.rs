//! Taking values off the front of received bytes (SMP 1).

/// Received bytes that do not follow the grammar.
///
/// It carries no detail on purpose: a peer that sends it learns nothing, and
/// the layer above turns it into the error that fits its place (`ERR BLOCK`,
/// `CMD SYNTAX`, a closed connection).
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed bytes")]
pub struct Malformed;

/// A cursor over received bytes. What it returns borrows from them.
///
/// After an error the position is unspecified; give up the whole value.
#[derive(Clone, Debug)]
pub struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    /// A reader at the start of `bytes`.
    #[must_use]
    pub const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// What was not read yet, without reading it.
    #[must_use]
    pub const fn rest(&self) -> &'a [u8] {
        self.rest
    }

    /// The next `len` bytes.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if fewer are left.
    pub fn take(&mut self, len: usize) -> Result<&'a [u8], Malformed> {
        let (head, rest) = self.rest.split_at_checked(len).ok_or(Malformed)?;
        self.rest = rest;
        Ok(head)
    }

    /// The next `N` bytes.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if fewer are left.
    pub fn array<const N: usize>(&mut self) -> Result<&'a [u8; N], Malformed> {
        let (head, rest) = self.rest.split_first_chunk().ok_or(Malformed)?;
        self.rest = rest;
        Ok(head)
    }

    /// One byte.
    ///
    /// # Errors
    ///
    /// [`Malformed`] at the end.
    pub fn u8(&mut self) -> Result<u8, Malformed> {
        self.array().map(|[byte]| *byte)
    }

    /// Two bytes, big-endian.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if fewer are left.
    pub fn u16(&mut self) -> Result<u16, Malformed> {
        self.array().map(|bytes| u16::from_be_bytes(*bytes))
    }

    /// Four bytes, big-endian.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if fewer are left.
    pub fn u32(&mut self) -> Result<u32, Malformed> {
        self.array().map(|bytes| u32::from_be_bytes(*bytes))
    }

    /// Eight bytes, big-endian, signed.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if fewer are left.
    pub fn i64(&mut self) -> Result<i64, Malformed> {
        self.array().map(|bytes| i64::from_be_bytes(*bytes))
    }

    /// `str`: one length byte, then 0 to 255 bytes.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if it is cut short.
    pub fn str(&mut self) -> Result<&'a [u8], Malformed> {
        let len = self.u8()?;
        self.take(usize::from(len))
    }

    /// `big`: two length bytes, then 0 to 65,535 bytes.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if it is cut short.
    pub fn big(&mut self) -> Result<&'a [u8], Malformed> {
        let len = self.u16()?;
        self.take(usize::from(len))
    }

    /// `tail`: all that is left.
    pub fn tail(&mut self) -> &'a [u8] {
        core::mem::take(&mut self.rest)
    }

    /// `bool`: the character `T` or `F`.
    ///
    /// # Errors
    ///
    /// [`Malformed`] for anything else.
    pub fn bool(&mut self) -> Result<bool, Malformed> {
        match self.u8()? {
            b'T' => Ok(true),
            b'F' => Ok(false),
            _ => Err(Malformed),
        }
    }

    /// `opt X`: the character `0`, or `1` and then what `item` reads.
    ///
    /// # Errors
    ///
    /// [`Malformed`] for another character, or what `item` returns.
    pub fn opt<T>(
        &mut self,
        item: impl FnOnce(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Option<T>, Malformed> {
        match self.u8()? {
            b'0' => Ok(None),
            b'1' => item(self).map(Some),
            _ => Err(Malformed),
        }
    }

    /// `list1 X`: a count byte of at least 1, then that many items.
    ///
    /// # Errors
    ///
    /// [`Malformed`] for a count of 0, or what `item` returns.
    pub fn list1<T>(
        &mut self,
        mut item: impl FnMut(&mut Self) -> Result<T, Malformed>,
    ) -> Result<Vec<T>, Malformed> {
        let count = self.u8()?;
        if count == 0 {
            return Err(Malformed);
        }
        (0..count).map(|_| item(self)).collect()
    }

    /// The given byte and nothing else.
    ///
    /// # Errors
    ///
    /// [`Malformed`] for another byte.
    pub fn expect(&mut self, byte: u8) -> Result<(), Malformed> {
        if self.u8()? == byte {
            Ok(())
        } else {
            Err(Malformed)
        }
    }

    /// The bytes before the next `byte`, which is read too and dropped.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if there is none.
    pub fn until(&mut self, byte: u8) -> Result<&'a [u8], Malformed> {
        let at = self.rest.iter().position(|b| *b == byte).ok_or(Malformed)?;
        let head = self.take(at)?;
        self.expect(byte)?;
        Ok(head)
    }

    /// Ends reading; nothing may be left.
    ///
    /// # Errors
    ///
    /// [`Malformed`] if something is.
    pub fn finish(self) -> Result<(), Malformed> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Malformed)
        }
    }
}

//! The signature that a message of a provable conversation carries.

use super::extension::{Extensions, Key, Value};
use super::message::{DecodeError, Message};
use crate::proof::{PublicIdentity, SignatureBytes};

/// Version of the extension's value.
const VERSION: u64 = 1;

/// Who signed a message, for whom: extension `-2`, the array
/// `[1, author key, audience key, signature]`. What is signed is the message
/// without this extension ([`Said`](crate::proof::Said)).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Signature {
    /// Whose signature it is said to be.
    pub author: PublicIdentity,
    /// To whom the message was said.
    pub audience: PublicIdentity,
    /// The signature; nothing here verified it.
    pub bytes: SignatureBytes,
}

/// An extension `-2` that is no signature, or one of a newer version. Such a
/// message is shown as not provable.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("malformed signature")]
pub struct SignatureError;

/// A message with its signature taken off.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unsigned {
    /// The encoded message without extension `-2`: what is signed.
    pub content: Vec<u8>,
    /// What stood there, if anything did.
    pub signature: Option<Result<Signature, SignatureError>>,
}

impl Signature {
    /// Key of the extension, out of the range for private use.
    pub const KEY: Key = Key::Negative(1);

    fn read(value: &Value) -> Result<Self, SignatureError> {
        let Value::Array(items) = value else {
            return Err(SignatureError);
        };
        match items.as_slice() {
            [
                Value::Unsigned(VERSION),
                Value::Bytes(author),
                Value::Bytes(audience),
                Value::Bytes(signature),
            ] => Ok(Self {
                author: read_key(author)?,
                audience: read_key(audience)?,
                bytes: signature
                    .as_slice()
                    .try_into()
                    .map_err(|_| SignatureError)?,
            }),
            _ => Err(SignatureError),
        }
    }

    fn write(&self, extensions: &mut Extensions) {
        let value = Value::Array(vec![
            Value::Unsigned(VERSION),
            Value::Bytes(self.author.as_bytes().to_vec()),
            Value::Bytes(self.audience.as_bytes().to_vec()),
            Value::Bytes(self.bytes.to_vec()),
        ]);
        extensions.0.insert(Self::KEY, value);
    }

    /// Puts this signature into the encoded message it signs.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if that is no message, or one too long to be signed.
    pub fn put_into(&self, content: &[u8]) -> Result<Vec<u8>, DecodeError> {
        let mut message = Message::decode(content)?;
        self.write(&mut message.extensions);
        message.encode().map_err(|_| DecodeError::Extensions)
    }

    /// Takes the signature off an encoded message.
    ///
    /// # Errors
    ///
    /// [`DecodeError`] if that is no message.
    pub fn take_off(content: &[u8]) -> Result<Unsigned, DecodeError> {
        let mut message = Message::decode(content)?;
        let Some(value) = message.extensions.0.remove(&Self::KEY) else {
            return Ok(Unsigned {
                content: content.to_vec(),
                signature: None,
            });
        };
        Ok(Unsigned {
            content: message.encode().map_err(|_| DecodeError::Extensions)?,
            signature: Some(Self::read(&value)),
        })
    }
}

fn read_key(bytes: &[u8]) -> Result<PublicIdentity, SignatureError> {
    let bytes = bytes.try_into().map_err(|_| SignatureError)?;
    PublicIdentity::from_bytes(bytes).map_err(|_| SignatureError)
}

#[cfg(test)]
mod tests {
    use hushwing_sansio::Timestamp;

    use super::*;
    use crate::content::{Content, Frame, Lamport, Post, Salt, Stamp, Text};
    use crate::proof::IdentityKey;

    fn post() -> Vec<u8> {
        let frame = Frame {
            salt: Salt([3; 16]),
            stamp: Stamp {
                lamport: Lamport::default(),
                sent: Timestamp::from_secs(1_790_000_000),
            },
            expires: None,
        };
        let post = Post::new(Text::new("signed").unwrap(), None);
        Content::Post(post).compose(frame).unwrap()
    }

    fn signature() -> Signature {
        Signature {
            author: IdentityKey::from_seed(&[1; 32]).public(),
            audience: IdentityKey::from_seed(&[2; 32]).public(),
            bytes: [7; 64],
        }
    }

    #[test]
    fn a_signature_is_put_in_and_taken_off_without_a_trace() {
        let signed = signature().put_into(&post()).unwrap();
        let unsigned = Signature::take_off(&signed).unwrap();
        assert_eq!(unsigned.content, post());
        assert_eq!(unsigned.signature, Some(Ok(signature())));
        let plain = Signature::take_off(&post()).unwrap();
        assert_eq!((plain.content, plain.signature), (post(), None));
    }

    #[test]
    fn what_stands_there_and_is_no_signature_is_told_apart_from_nothing() {
        let author = signature().author.as_bytes().to_vec();
        let array = |version, author: &[u8], bytes: usize| {
            Value::Array(vec![
                Value::Unsigned(version),
                Value::Bytes(author.to_vec()),
                Value::Bytes(author.to_vec()),
                Value::Bytes(vec![7; bytes]),
            ])
        };
        for value in [
            Value::Null,
            Value::Array(Vec::new()),
            array(2, &author, 64),
            array(1, &author, 63),
            array(1, &[0; 32], 64),
            array(1, &author[1..], 64),
        ] {
            let mut message = Message::decode(&post()).unwrap();
            message.extensions.0.insert(Signature::KEY, value);
            let unsigned = Signature::take_off(&message.encode().unwrap()).unwrap();
            assert_eq!(unsigned.signature, Some(Err(SignatureError)));
            assert_eq!(unsigned.content, post());
        }
    }
}

//! Bringing two contacts together: what passes between them and who introduces
//! them, and what they tell each other when they met.

use core::fmt;

use super::cbor::{Reader, SyntaxError, Writer, whole};
use super::shown::{MAX_NAME, clean_name, clean_text};
use crate::Secret;
use crate::link::{IntroducedLink, MAX_LINK, Promise};

/// Media type of all content about introductions.
pub(crate) const MEDIA_TYPE: &str = "application/vnd.hushwing.introduction+cbor";
/// Version of the encoding.
const VERSION: u64 = 1;
/// Bytes of a word of whoever introduces, after cleaning.
pub const MAX_WORD: usize = 512;
/// Bytes of an encoded introduction: an offer has the most.
const MAX_INTRODUCTION: usize = (MAX_NAME + MAX_WORD) * 4 + 64;

/// The name of an introduction: 16 random bytes of whoever introduces. It is
/// unique only among theirs.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct IntroductionId(pub [u8; 16]);

// It goes over the wire only encrypted, so a log must not hold it whole.
impl fmt::Debug for IntroductionId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("IntroductionId(..)")
    }
}

/// What is said about one introduction.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Introduction {
    /// Which one.
    pub id: IntroductionId,
    /// What.
    pub step: IntroductionStep,
}

/// One step of an introduction. `Debug` hides names and links.
#[derive(Clone, PartialEq, Eq)]
pub enum IntroductionStep {
    /// To both: do you want to know the other?
    Offer(Offer),
    /// The answer: yes, and this is what I shall hold to.
    Agree(Promise),
    /// To both, once both agreed: what the other shall hold to.
    Agreed(Promise),
    /// The link, from the inviter and on to the joiner, with its maker's signature.
    Link(IntroducedLink),
    /// Between the two who met: the hash of both promises.
    Witness([u8; 32]),
}

/// An offer to meet somebody.
#[derive(Clone, PartialEq, Eq)]
pub struct Offer {
    /// Whether I am to make the link, and not to open it.
    pub invites: bool,
    /// The other's name, as whoever introduces shows it.
    pub name: String,
    /// A word about them.
    pub word: Option<String>,
}

impl fmt::Debug for IntroductionStep {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Offer(_) => "Offer",
            Self::Agree(_) => "Agree",
            Self::Agreed(_) => "Agreed",
            Self::Link(_) => "Link",
            Self::Witness(_) => "Witness",
        })
    }
}

/// Why something is no introduction.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum IntroductionError {
    /// Not the canonical CBOR of one.
    #[error(transparent)]
    Syntax(#[from] SyntaxError),
    /// Made by a newer program.
    #[error("introduction of newer version {0}")]
    Newer(u64),
    /// A step that does not exist.
    #[error("unknown step of an introduction")]
    Step,
    /// Nothing in the name can be seen.
    #[error("empty name")]
    EmptyName,
}

impl Introduction {
    /// Encodes as `[1, step, id, body]`.
    #[must_use]
    pub fn encode(&self) -> Vec<u8> {
        let mut writer = Writer::new();
        write(&self.raw(), &mut writer);
        writer.finish()
    }

    /// Decodes an introduction and cleans its name and word.
    ///
    /// # Errors
    ///
    /// [`IntroductionError`] for anything but the canonical encoding of one.
    pub fn decode(bytes: &[u8]) -> Result<Self, IntroductionError> {
        let (id, raw) = whole(bytes, MAX_INTRODUCTION, read, write)?;
        let step = match raw {
            Raw::Offer(invites, name, word) => IntroductionStep::Offer(Offer {
                invites,
                name: clean_name(name).ok_or(IntroductionError::EmptyName)?,
                word: word.and_then(clean_word),
            }),
            Raw::Agree(promise) => IntroductionStep::Agree(Promise(promise)),
            Raw::Agreed(promise) => IntroductionStep::Agreed(Promise(promise)),
            Raw::Link(link, fixed, signature) => IntroductionStep::Link(IntroducedLink {
                link: Secret::new(link),
                fixed,
                signature,
            }),
            Raw::Witness(hash) => IntroductionStep::Witness(hash),
        };
        Ok(Self {
            id: IntroductionId(id),
            step,
        })
    }

    fn raw(&self) -> ([u8; 16], Raw<'_>) {
        let raw = match &self.step {
            IntroductionStep::Offer(offer) => {
                Raw::Offer(offer.invites, &offer.name, offer.word.as_deref())
            }
            IntroductionStep::Agree(promise) => Raw::Agree(promise.0),
            IntroductionStep::Agreed(promise) => Raw::Agreed(promise.0),
            IntroductionStep::Link(signed) => {
                Raw::Link(signed.link.expose(), signed.fixed, signed.signature)
            }
            IntroductionStep::Witness(hash) => Raw::Witness(*hash),
        };
        (self.id.0, raw)
    }
}

/// A word as shown: on one line, at most [`MAX_WORD`] bytes. `None` if nothing
/// is left.
#[must_use]
pub fn clean_word(word: &str) -> Option<String> {
    let clean = clean_text(word);
    let line = clean.split_whitespace().collect::<Vec<_>>().join(" ");
    let mut end = line.len().min(MAX_WORD);
    while !line.is_char_boundary(end) {
        end -= 1;
    }
    let cut = line.get(..end).unwrap_or_default().trim_end();
    (!cut.is_empty()).then(|| cut.to_owned())
}

/// A step as it came.
enum Raw<'b> {
    Offer(bool, &'b str, Option<&'b str>),
    Agree([u8; 32]),
    Agreed([u8; 32]),
    Link(&'b [u8], [u8; 33], [u8; 64]),
    Witness([u8; 32]),
}

fn read<'b>(reader: &mut Reader<'b>) -> Result<([u8; 16], Raw<'b>), IntroductionError> {
    match reader.versioned(VERSION, 4)? {
        VERSION => {}
        newer => return Err(IntroductionError::Newer(newer)),
    }
    let step: u8 = reader.unsigned()?;
    let id = reader.fixed()?;
    let raw = match step {
        0 => {
            reader.array_of(3)?;
            let invites = reader.bool()?;
            let name = reader.text(MAX_NAME * 4)?;
            let word = reader.nullable(|r| r.text(MAX_WORD * 4))?;
            Raw::Offer(invites, name, word)
        }
        1 => Raw::Agree(reader.fixed()?),
        2 => Raw::Agreed(reader.fixed()?),
        3 => {
            reader.array_of(3)?;
            Raw::Link(reader.bytes(MAX_LINK)?, reader.fixed()?, reader.fixed()?)
        }
        4 => Raw::Witness(reader.fixed()?),
        _ => return Err(IntroductionError::Step),
    };
    Ok((id, raw))
}

fn write((id, raw): &([u8; 16], Raw<'_>), writer: &mut Writer) {
    let mut head = |step: u8| {
        writer.array(4).unsigned(VERSION).unsigned(step).bytes(id);
    };
    match raw {
        Raw::Offer(invites, name, word) => {
            head(0);
            writer.array(3).bool(*invites).text(name);
            writer.nullable(word.as_ref(), |w, word| {
                w.text(word);
            });
        }
        Raw::Agree(promise) => {
            head(1);
            writer.bytes(promise);
        }
        Raw::Agreed(promise) => {
            head(2);
            writer.bytes(promise);
        }
        Raw::Link(link, fixed, signature) => {
            head(3);
            writer.array(3).bytes(link).bytes(fixed).bytes(signature);
        }
        Raw::Witness(hash) => {
            head(4);
            writer.bytes(hash);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn all() -> Vec<Introduction> {
        let offer = |word: Option<&str>| Offer {
            invites: true,
            name: "Bob".to_owned(),
            word: word.map(str::to_owned),
        };
        let steps = [
            IntroductionStep::Offer(offer(None)),
            IntroductionStep::Offer(offer(Some("plays chess"))),
            IntroductionStep::Agree(Promise([1; 32])),
            IntroductionStep::Agreed(Promise([2; 32])),
            IntroductionStep::Link(IntroducedLink {
                link: Secret::new(*b"hushwing:i#AA"),
                fixed: [4; 33],
                signature: [5; 64],
            }),
            IntroductionStep::Witness([3; 32]),
        ];
        let of = |step| Introduction {
            id: IntroductionId([7; 16]),
            step,
        };
        steps.into_iter().map(of).collect()
    }

    #[test]
    fn every_step_survives() {
        for introduction in all() {
            assert_eq!(
                Introduction::decode(&introduction.encode()),
                Ok(introduction)
            );
        }
    }

    #[test]
    fn cut_changed_and_newer_ones_are_refused() {
        for introduction in all() {
            let bytes = introduction.encode();
            assert!(Introduction::decode(&bytes[..bytes.len() - 1]).is_err());
            assert!(Introduction::decode(&[bytes.as_slice(), &[0]].concat()).is_err());
            let mut newer = bytes.clone();
            newer[1] = 2;
            assert_eq!(
                Introduction::decode(&newer),
                Err(IntroductionError::Newer(2))
            );
            let mut unknown = bytes;
            unknown[2] = 9;
            assert_eq!(Introduction::decode(&unknown), Err(IntroductionError::Step));
        }
    }

    #[test]
    fn hostile_names_and_words_are_cleaned_cut_or_refused() {
        let offer = |name: &str, word: &str| {
            let step = IntroductionStep::Offer(Offer {
                invites: false,
                name: name.to_owned(),
                word: Some(word.to_owned()),
            });
            let id = IntroductionId([7; 16]);
            Introduction::decode(&Introduction { id, step }.encode())
        };
        let Ok(Introduction {
            step: IntroductionStep::Offer(read),
            ..
        }) = offer("B\u{202e}ob\u{7}", "one\n2026-11-21  me: yes")
        else {
            panic!("no offer")
        };
        assert_eq!(read.name, "Bob");
        assert_eq!(read.word.as_deref(), Some("one 2026-11-21 me: yes"));
        assert_eq!(offer("\u{200b}", "x"), Err(IntroductionError::EmptyName));
        assert!(offer("Bob", &"x".repeat(4 * MAX_WORD + 1)).is_err());
        let long = clean_word(&"é".repeat(MAX_WORD)).unwrap();
        assert_eq!(long.len(), MAX_WORD);
        assert_eq!(clean_word(" \n\u{7} "), None);
    }
}

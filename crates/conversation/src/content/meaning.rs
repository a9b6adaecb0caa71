//! What a message means to the people who read it.

use hushwing_sansio::Timestamp;

use super::addresses::{self, AddressUpdate, AddressUpdateError};
use super::channel::{self, ChannelWord, ChannelWordError};
use super::id::{MessageId, Origin, Salt};
use super::inquiry::{self, Inquiry, InquiryError};
use super::introduction::{self, Introduction, IntroductionError};
use super::message::{DecodeError, EncodeError, Expiration, Message};
use super::mode::{self, Wish, WishError};
use super::part::{Body, Disposition, Part};
use super::post::{Gathered, Post};
use super::profile::{self, Profile, ProfileError};
use super::receipt::{self, MAX_RECEIPTS, Receipt};
use super::room::{self, RoomWord, RoomWordError};
use super::shown::{clean_media_type, essence, is_mark};
use super::signed_receipts::{
    self, MAX_SIGNED_RECEIPTS, SignedReceipt, SignedReceiptsError, decode_signed, encode_signed,
};
use super::stamp::{Stamp, StampError};
use super::stretch::{self, StretchWord, StretchWordError};
use super::text::{PLAIN, Text, TextError};
use super::timer::{self, Timer, TimerError};
use super::typing::{self, Typing, TypingError};

/// What the media types of Hushwing's own content begin with.
const OWN: &str = "application/vnd.hushwing.";

/// What was said. Every message that can be read at all means one of these.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Content {
    /// Something new, or an answer.
    Post(Post),
    /// A new version of my earlier post.
    Edit {
        /// The first version.
        target: MessageId,
        /// What stands there now.
        post: Post,
    },
    /// My earlier message shall be gone.
    Delete {
        /// Its first version.
        target: MessageId,
    },
    /// A reaction to a message.
    Reaction {
        /// The message.
        target: MessageId,
        /// The reaction.
        mark: Mark,
        /// My earlier reaction that this one takes the place of.
        replaces: Option<MessageId>,
    },
    /// My earlier reaction shall be gone.
    Unreact {
        /// The message that carried it.
        reaction: MessageId,
    },
    /// How I want to be shown from now on.
    Profile(Profile),
    /// What became of your messages.
    Receipts(Vec<Receipt>),
    /// What became of your messages, signed for others to check.
    SignedReceipts(Vec<SignedReceipt>),
    /// Where I can be reached from now on.
    Addresses(AddressUpdate),
    /// Which of my messages are there?
    Inquiry(Inquiry),
    /// When messages said from now on disappear.
    Timer(Timer),
    /// I am writing something.
    Typing(Typing),
    /// How I wish this conversation to be from now on.
    Mode(Wish),
    /// Something about an introduction.
    Introduction(Introduction),
    /// Something about a room.
    Room(RoomWord),
    /// Something about a channel.
    Channel(ChannelWord),
    /// Something about the stretch in which it is said.
    Stretch(StretchWord),
    /// Control content that only newer programs know: nothing here.
    Newer,
    /// Something this program cannot show.
    Unsupported {
        /// Its media type, fit to be shown.
        media_type: String,
    },
}

/// A reaction: visible characters without white space, at most 64 bytes,
/// usually one emoji.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Mark(String);

impl Mark {
    /// The reaction `mark`, if it is one.
    #[must_use]
    pub fn new(mark: &str) -> Option<Self> {
        (mark.len() <= 64 && is_mark(mark)).then(|| Self(mark.to_owned()))
    }

    /// As shown.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

/// A message, opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Opened {
    /// Its name.
    pub id: MessageId,
    /// When it was said.
    pub stamp: Stamp,
    /// When it shall disappear.
    pub expires: Option<Expiration>,
    /// What it means.
    pub content: Content,
}

/// Why a message means nothing. All of these are the sender's doing; such a
/// message is dropped and changes no state.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum OpenError {
    /// Not a message at all.
    #[error(transparent)]
    Decode(#[from] DecodeError),
    /// It says nothing about when it was said.
    #[error(transparent)]
    Stamp(#[from] StampError),
    /// It names another sender or conversation than MLS proved.
    #[error("message names a foreign sender or conversation")]
    ForeignOrigin,
    /// It expires over a year away, in either direction.
    #[error("expiry over a year away")]
    FarExpiry,
    /// Text that is none.
    #[error(transparent)]
    Text(#[from] TextError),
    /// A profile that is none.
    #[error(transparent)]
    Profile(#[from] ProfileError),
    /// Addresses that are none.
    #[error(transparent)]
    Addresses(#[from] AddressUpdateError),
    /// An inquiry that is none.
    #[error(transparent)]
    Inquiry(#[from] InquiryError),
    /// A timer that is none.
    #[error(transparent)]
    Timer(#[from] TimerError),
    /// A typing notice that is none.
    #[error(transparent)]
    Typing(#[from] TypingError),
    /// A wish that is none.
    #[error(transparent)]
    Mode(#[from] WishError),
    /// Signed receipts that are none.
    #[error(transparent)]
    SignedReceipts(#[from] SignedReceiptsError),
    /// An introduction that is none.
    #[error(transparent)]
    Introduction(#[from] IntroductionError),
    /// Something about a room that is none.
    #[error(transparent)]
    Room(#[from] RoomWordError),
    /// Something about a channel that is none.
    #[error(transparent)]
    Channel(#[from] ChannelWordError),
    /// Something about a stretch that is none.
    #[error(transparent)]
    Stretch(#[from] StretchWordError),
    /// A reaction that is not a short visible mark.
    #[error("malformed reaction")]
    Mark,
    /// A reaction to nothing.
    #[error("reaction without target")]
    NoTarget,
    /// An empty body, but nothing to delete.
    #[error("empty message")]
    Empty,
    /// A receipt, profile, address list, inquiry, timer or other control content
    /// that replaces a message.
    #[error("control content that replaces a message")]
    Misplaced,
}

/// Opens a message received at `received` from `origin`.
///
/// # Errors
///
/// [`OpenError`] for anything but a message that makes sense.
pub fn open(bytes: &[u8], origin: &Origin, received: Timestamp) -> Result<Opened, OpenError> {
    let message = Message::decode(bytes)?;
    if !message.agrees_with(origin) {
        return Err(OpenError::ForeignOrigin);
    }
    if message
        .expires
        .is_some_and(|expires| !expires.is_plausible(received))
    {
        return Err(OpenError::FarExpiry);
    }
    Ok(Opened {
        id: MessageId::derive(origin, bytes, &message.salt),
        stamp: Stamp::read(&message.extensions)?,
        expires: message.expires,
        content: Content::read(&message)?,
    })
}

/// What my message carries besides its content.
#[derive(Clone, Copy, Debug)]
pub struct Frame {
    /// 16 fresh random bytes.
    pub salt: Salt,
    /// When it is said.
    pub stamp: Stamp,
    /// When it shall disappear.
    pub expires: Option<Expiration>,
}

/// Why content cannot be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum ComposeError {
    /// Received kinds that this program does not make yet: attachments,
    /// unsupported content.
    #[error("content of this kind cannot be sent")]
    NotSendable,
    /// No text in a post.
    #[error("nothing to send")]
    Empty,
    /// Over 1,024 receipts in one report, or over 100 signed ones.
    #[error("too many receipts in one report")]
    TooManyReceipts,
    /// Over a limit of the format.
    #[error(transparent)]
    Encode(#[from] EncodeError),
}

impl Content {
    /// Encodes a message with this content.
    ///
    /// # Errors
    ///
    /// [`ComposeError`] for what cannot be sent.
    pub fn compose(&self, frame: Frame) -> Result<Vec<u8>, ComposeError> {
        let mut message = Message::new(frame.salt, self.part()?);
        message.expires = frame.expires;
        frame.stamp.write(&mut message.extensions);
        match self {
            Self::Post(post) => message.in_reply_to = post.reply_to,
            Self::Edit { target, post } => {
                message.replaces = Some(*target);
                message.in_reply_to = post.reply_to;
            }
            Self::Delete { target } => message.replaces = Some(*target),
            Self::Unreact { reaction } => message.replaces = Some(*reaction),
            Self::Reaction {
                target, replaces, ..
            } => {
                message.in_reply_to = Some(*target);
                message.replaces = *replaces;
            }
            Self::Profile(_)
            | Self::Receipts(_)
            | Self::SignedReceipts(_)
            | Self::Addresses(_)
            | Self::Inquiry(_)
            | Self::Timer(_)
            | Self::Typing(_)
            | Self::Mode(_)
            | Self::Introduction(_)
            | Self::Room(_)
            | Self::Channel(_)
            | Self::Stretch(_)
            | Self::Newer
            | Self::Unsupported { .. } => {}
        }
        Ok(message.encode()?)
    }

    fn part(&self) -> Result<Part, ComposeError> {
        let control =
            |media_type, content| Part::single(Disposition::UNSPECIFIED, media_type, content);
        Ok(match self {
            Self::Post(post) | Self::Edit { post, .. } => post.part()?,
            Self::Delete { .. } => Part::null(Disposition::RENDER),
            Self::Unreact { .. } => Part::null(Disposition::REACTION),
            Self::Reaction { mark, .. } => {
                Part::single(Disposition::REACTION, PLAIN, mark.0.clone().into_bytes())
            }
            Self::Profile(profile) => {
                Part::single(Disposition::PROFILE, profile::MEDIA_TYPE, profile.encode())
            }
            Self::Receipts(receipts) if receipts.len() > MAX_RECEIPTS => {
                return Err(ComposeError::TooManyReceipts);
            }
            Self::Receipts(receipts) => control(receipt::MEDIA_TYPE, receipt::encode(receipts)),
            Self::SignedReceipts(receipts) if receipts.len() > MAX_SIGNED_RECEIPTS => {
                return Err(ComposeError::TooManyReceipts);
            }
            Self::SignedReceipts(receipts) => {
                control(signed_receipts::MEDIA_TYPE, encode_signed(receipts))
            }
            Self::Addresses(update) => control(addresses::MEDIA_TYPE, update.encode()),
            Self::Mode(wish) => control(mode::MEDIA_TYPE, wish.encode()),
            Self::Inquiry(inquiry) => control(inquiry::MEDIA_TYPE, inquiry.encode()),
            Self::Timer(timer) => control(timer::MEDIA_TYPE, timer.encode()),
            Self::Typing(typing) => control(typing::MEDIA_TYPE, typing.encode()),
            Self::Stretch(word) => control(stretch::MEDIA_TYPE, word.encode()),
            Self::Introduction(introduction) => {
                control(introduction::MEDIA_TYPE, introduction.encode())
            }
            Self::Room(word) => control(room::MEDIA_TYPE, word.encode()),
            Self::Channel(word) => control(channel::MEDIA_TYPE, word.encode()),
            Self::Newer | Self::Unsupported { .. } => return Err(ComposeError::NotSendable),
        })
    }

    /// What `message` means.
    ///
    /// # Errors
    ///
    /// [`OpenError`] if it means nothing.
    pub fn read(message: &Message) -> Result<Self, OpenError> {
        let reaction = message.part.disposition == Disposition::REACTION;
        match (&message.part.body, message.replaces) {
            (Body::Null, None) => Err(OpenError::Empty),
            (Body::Null, Some(reaction_id)) if reaction => Ok(Self::Unreact {
                reaction: reaction_id,
            }),
            (Body::Null, Some(target)) => Ok(Self::Delete { target }),
            (
                Body::Single {
                    content_type,
                    content,
                },
                replaces,
            ) => {
                let disposition = message.part.disposition;
                if let Some(control) = Self::read_control(disposition, content_type, content)? {
                    return if replaces.is_some() {
                        Err(OpenError::Misplaced)
                    } else {
                        Ok(control)
                    };
                }
                if reaction {
                    Self::read_reaction(message)
                } else {
                    Self::read_post(message)
                }
            }
            _ if reaction => Self::read_reaction(message),
            _ => Self::read_post(message),
        }
    }

    fn read_control(
        disposition: Disposition,
        content_type: &str,
        content: &[u8],
    ) -> Result<Option<Self>, OpenError> {
        Ok(Some(match essence(content_type).as_str() {
            receipt::MEDIA_TYPE => Self::Receipts(receipt::decode(content)?),
            profile::MEDIA_TYPE => Self::Profile(Profile::decode(content)?),
            signed_receipts::MEDIA_TYPE => Self::SignedReceipts(decode_signed(content)?),
            addresses::MEDIA_TYPE => Self::Addresses(AddressUpdate::decode(content)?),
            mode::MEDIA_TYPE => Self::Mode(Wish::decode(content)?),
            inquiry::MEDIA_TYPE => Self::Inquiry(Inquiry::decode(content)?),
            timer::MEDIA_TYPE => Self::Timer(Timer::decode(content)?),
            typing::MEDIA_TYPE => Self::Typing(Typing::decode(content)?),
            introduction::MEDIA_TYPE => Self::Introduction(Introduction::decode(content)?),
            room::MEDIA_TYPE => Self::Room(RoomWord::decode(content)?),
            channel::MEDIA_TYPE => Self::Channel(ChannelWord::decode(content)?),
            stretch::MEDIA_TYPE => Self::Stretch(StretchWord::decode(content)?),
            other if disposition == Disposition::UNSPECIFIED && other.starts_with(OWN) => {
                Self::Newer
            }
            _ => return Ok(None),
        }))
    }

    /// Of several reactions in one message the first is taken.
    fn read_reaction(message: &Message) -> Result<Self, OpenError> {
        let target = message.in_reply_to.ok_or(OpenError::NoTarget)?;
        match leading_single(&message.part) {
            Some((content_type, content)) if Text::is_text(content_type) => {
                let mark = core::str::from_utf8(content).ok().and_then(Mark::new);
                let mark = mark.ok_or(OpenError::Mark)?;
                Ok(Self::Reaction {
                    target,
                    mark,
                    replaces: message.replaces,
                })
            }
            Some((content_type, _)) => Ok(Self::Unsupported {
                media_type: clean_media_type(content_type),
            }),
            None => Err(OpenError::Mark),
        }
    }

    fn read_post(message: &Message) -> Result<Self, OpenError> {
        let post = match Gathered::from(&message.part)?.into_post(message.in_reply_to) {
            Ok(post) => post,
            Err(Some(media_type)) => return Ok(Self::Unsupported { media_type }),
            Err(None) => return Err(OpenError::Empty),
        };
        Ok(match message.replaces {
            Some(target) => Self::Edit { target, post },
            None => Self::Post(post),
        })
    }
}

/// Type and bytes (none, if they lie elsewhere) of the first leaf with any.
fn leading_single(part: &Part) -> Option<(&str, &[u8])> {
    match &part.body {
        Body::Null => None,
        Body::Single {
            content_type,
            content,
        } => Some((content_type, content)),
        Body::External(external) => Some((&external.content_type, &[])),
        Body::Multi { parts, .. } => parts.iter().find_map(leading_single),
    }
}

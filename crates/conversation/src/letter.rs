//! What stands in a letter between two people.
//!
//! ```text
//! 0  1  version, 1
//! 1  1  kind: 0 messages, 1 join request, 2 ask to begin anew, 3 answer to that,
//!       4 welcome, 5 side letters, 6 messages of a room, 7 commits,
//!       8 announcement, 9 between devices, 10 posts of channels
//! 2  …  items: u32 length, big-endian, then that many bytes; to the end
//! ```
//!
//! Items are MLS messages (RFC 9420 section 6); the first item of a join
//! request and of a welcome is the Welcome, that of the messages of a room the
//! key of the leaf that sends them, which is a hint and believed by nobody, and behind them
//! may stand side letters. What
//! stands in kinds 2 and 3, [`anew`](crate::anew) knows; 4 to 7 and 9 are
//! of rooms, see `protocol/rooms.md`, and 8 of stretches off the record, see
//! `protocol/otr.md`. The items of kind 10 are posts, see `protocol/channels.md`.

const VERSION: u8 = 1;
const MESSAGES: u8 = 0;
const JOIN_REQUEST: u8 = 1;
const ASK_ANEW: u8 = 2;
const ANEW: u8 = 3;
const WELCOME: u8 = 4;
const SIDE: u8 = 5;
const ROOM: u8 = 6;
const COMMITS: u8 = 7;
const ANNOUNCEMENT: u8 = 8;
const DEVICE: u8 = 9;
const POSTS: u8 = 10;
/// Items in one letter.
const MOST_ITEMS: usize = 16;
/// Side letters beside a Welcome.
pub(crate) const MOST_WITH_WELCOME: usize = MOST_ITEMS - 1;

/// A letter, cut into its items.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum LetterBody<'b> {
    /// To a conversation both sides are in.
    Messages(Vec<&'b [u8]>),
    /// From somebody who opened a link.
    JoinRequest {
        /// The Welcome into the group they created.
        welcome: &'b [u8],
        /// What they say first in it.
        messages: Vec<&'b [u8]>,
    },
    /// Who put a backup back asks to begin the conversation anew.
    AskAnew(Vec<&'b [u8]>),
    /// The answer to that.
    Anew(Vec<&'b [u8]>),
    /// From who added me to a room.
    Welcome {
        /// The Welcome.
        welcome: &'b [u8],
        /// Side letters to me.
        side: Vec<&'b [u8]>,
    },
    /// To one member of a room.
    Side(Vec<&'b [u8]>),
    /// To all members of a room.
    Room {
        /// The key of the leaf that says it is the sender's.
        from: &'b [u8],
        /// MLS messages, and side letters.
        messages: Vec<&'b [u8]>,
    },
    /// Commits that were asked for, in order.
    Commits(Vec<&'b [u8]>),
    /// What two devices tell each other before they share a room.
    Device {
        /// The word.
        word: &'b [u8],
        /// Under an answer, by the key in the link; empty under a call.
        signature: &'b [u8],
    },
    /// From the publisher of channels.
    Posts(Vec<&'b [u8]>),
    /// Whose the leaf key of a stretch is: head, MLS object, tag.
    Announcement([&'b [u8]; 3]),
}

impl<'b> LetterBody<'b> {
    /// A letter with one message.
    pub(crate) fn message(message: &[u8]) -> Vec<u8> {
        write(MESSAGES, &[message])
    }

    /// A join request.
    pub(crate) fn join_request(welcome: &[u8], messages: [&[u8]; 2]) -> Vec<u8> {
        let [first, second] = messages;
        write(JOIN_REQUEST, &[welcome, first, second])
    }

    /// A Welcome to a room.
    pub(crate) fn welcome(welcome: &[u8], sides: &[Vec<u8>]) -> Vec<u8> {
        let sides = sides.iter().map(Vec::as_slice).take(MOST_WITH_WELCOME);
        let items: Vec<_> = core::iter::once(welcome).chain(sides).collect();
        write(WELCOME, &items)
    }

    /// A letter to one member of a room.
    pub(crate) fn side(side: &[u8]) -> Vec<u8> {
        write(SIDE, &[side])
    }

    /// A letter to all members of a room.
    pub(crate) fn room(from: &[u8], message: &[u8]) -> Vec<u8> {
        write(ROOM, &[from, message])
    }

    /// A letter with one item more.
    pub(crate) fn beside(letter: &[u8], item: &[u8]) -> Vec<u8> {
        [letter, &list(&[item])].concat()
    }

    /// An announcement: head, MLS object, tag.
    pub(crate) fn announcement(items: [&[u8]; 3]) -> Vec<u8> {
        write(ANNOUNCEMENT, &items)
    }

    /// Commits that were asked for.
    pub(crate) fn commits(chain: &[Vec<u8>]) -> Vec<u8> {
        let items: Vec<&[u8]> = chain.iter().map(Vec::as_slice).collect();
        write(COMMITS, &items)
    }

    /// What two devices tell each other before they share a room.
    pub(crate) fn device(word: &[u8], signature: &[u8]) -> Vec<u8> {
        write(DEVICE, &[word, signature])
    }

    /// Posts of a channel.
    pub(crate) fn posts(posts: &[Vec<u8>]) -> Vec<u8> {
        let items: Vec<&[u8]> = posts.iter().map(Vec::as_slice).collect();
        write(POSTS, &items)
    }

    /// Cuts a letter; `None` for anything but the form above.
    pub(crate) fn read(bytes: &'b [u8]) -> Option<Self> {
        let (&[VERSION, kind], rest) = bytes.split_first_chunk::<2>()? else {
            return None;
        };
        let mut items = read_items(rest)?;
        match kind {
            MESSAGES if !items.is_empty() => Some(Self::Messages(items)),
            JOIN_REQUEST if !items.is_empty() => {
                let welcome = items.remove(0);
                Some(Self::JoinRequest {
                    welcome,
                    messages: items,
                })
            }
            ASK_ANEW => Some(Self::AskAnew(items)),
            ANEW => Some(Self::Anew(items)),
            WELCOME if !items.is_empty() => {
                let welcome = items.remove(0);
                Some(Self::Welcome {
                    welcome,
                    side: items,
                })
            }
            SIDE if !items.is_empty() => Some(Self::Side(items)),
            ROOM if !items.is_empty() => {
                let from = items.remove(0);
                Some(Self::Room {
                    from,
                    messages: items,
                })
            }
            COMMITS if !items.is_empty() => Some(Self::Commits(items)),
            ANNOUNCEMENT => Some(Self::Announcement(items.try_into().ok()?)),
            POSTS if !items.is_empty() => Some(Self::Posts(items)),
            DEVICE => match items.as_slice() {
                [word, signature] => Some(Self::Device { word, signature }),
                _ => None,
            },
            _ => None,
        }
    }

    /// A letter that asks to begin a conversation anew.
    pub(crate) fn ask_anew(items: &[&[u8]]) -> Vec<u8> {
        write(ASK_ANEW, items)
    }

    /// The letter that answers one.
    pub(crate) fn anew(items: &[&[u8]]) -> Vec<u8> {
        write(ANEW, items)
    }
}

fn write(kind: u8, items: &[&[u8]]) -> Vec<u8> {
    [&[VERSION, kind], list(items).as_slice()].concat()
}

/// Items, each behind its length.
pub(crate) fn list(items: &[&[u8]]) -> Vec<u8> {
    let length = items.iter().map(|item| item.len() + 4).sum::<usize>();
    let mut bytes = Vec::with_capacity(length);
    for item in items {
        // Messages are far below 4 GiB.
        let length = u32::try_from(item.len()).unwrap_or(u32::MAX);
        bytes.extend_from_slice(&length.to_be_bytes());
        bytes.extend_from_slice(item);
    }
    bytes
}

fn read_items(mut rest: &[u8]) -> Option<Vec<&[u8]>> {
    let mut items = Vec::new();
    while let Some((length, tail)) = rest.split_first_chunk::<4>() {
        let length = usize::try_from(u32::from_be_bytes(*length)).ok()?;
        let (item, tail) = tail.split_at_checked(length)?;
        items.push(item);
        rest = tail;
    }
    (rest.is_empty() && items.len() <= MOST_ITEMS).then_some(items)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn both_kinds_survive() {
        let letter = LetterBody::message(b"one");
        assert_eq!(
            LetterBody::read(&letter),
            Some(LetterBody::Messages(vec![b"one"]))
        );
        let letter = LetterBody::join_request(b"welcome", [b"one", b""]);
        let messages = vec![b"one".as_slice(), b""];
        assert_eq!(
            LetterBody::read(&letter),
            Some(LetterBody::JoinRequest {
                welcome: b"welcome",
                messages
            })
        );
    }

    #[test]
    fn an_announcement_has_three_items() {
        let letter = LetterBody::announcement([b"head", b"", b"tag"]);
        let read = LetterBody::read(&letter);
        assert_eq!(read, Some(LetterBody::Announcement([b"head", b"", b"tag"])));
        for items in [&[b"head".as_slice()][..], &[b"1", b"2", b"3", b"4"]] {
            assert_eq!(LetterBody::read(&write(ANNOUNCEMENT, items)), None);
        }
    }

    #[test]
    fn other_versions_kinds_and_empty_letters_are_refused() {
        for bytes in [
            &[2, 0, 0, 0, 0, 0][..],
            &[1, 200, 0, 0, 0, 0],
            &[1, 0],
            &[1],
            &[],
        ] {
            assert_eq!(LetterBody::read(bytes), None, "{bytes:?}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(256))]
        #[test]
        fn whatever_is_read_is_the_one_form_of_it(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            for kind in [WELCOME, SIDE, ROOM, COMMITS, ANNOUNCEMENT, DEVICE, POSTS] {
                let _ = LetterBody::read(&[&[VERSION, kind], bytes.as_slice()].concat());
            }
            let letter = [&[VERSION, MESSAGES], bytes.as_slice()].concat();
            if let Some(LetterBody::Messages(items)) = LetterBody::read(&letter) {
                prop_assert_eq!(write(MESSAGES, &items), letter);
            }
        }
    }
}

//! Frames: one part of a letter, as it stands inside a seal.
//!
//! ```text
//!  0  1  version, 1
//!  1  1  flags, 0
//!  2 16  repeat id: the same in every part and every copy of one letter
//! 18  2  index of this part, big-endian
//! 20  2  number of parts, at least 1
//! 22  4  length of the whole letter in bytes
//! 26  …  this part's bytes, then zeros to the end
//! ```
//!
//! Every part but the last is full, so index and length say how many bytes of
//! letter a frame holds, and there is one encoding only of each part.

use core::fmt;

use crate::{LONGEST_FIRST_CONTACT, LONGEST_LETTER};

const VERSION: u8 = 1;
const HEAD: usize = 26;

/// What joins the parts and the copies of one letter (16 random bytes). It is
/// visible to the recipient only. Copies are recognised by it for 60 days.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepeatId(pub [u8; 16]);

impl fmt::Debug for RepeatId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("RepeatId(..)")
    }
}

/// The head of a frame, checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct FrameHead {
    pub(crate) repeat: RepeatId,
    pub(crate) index: u16,
    pub(crate) count: u16,
    pub(crate) length: u32,
}

/// Bytes of letter that fit into one frame of `frame_len` bytes.
pub(crate) fn chunk_len(frame_len: usize) -> usize {
    frame_len.saturating_sub(HEAD).max(1)
}

/// How many frames of `frame_len` bytes a letter of `length` bytes takes; a
/// letter without bytes takes one.
pub(crate) fn part_count(length: usize, frame_len: usize) -> u16 {
    u16::try_from(length.div_ceil(chunk_len(frame_len)).max(1)).unwrap_or(u16::MAX)
}

/// Writes head and chunk into a zeroed frame.
pub(crate) fn write(frame: &mut [u8], head: &FrameHead, chunk: &[u8]) {
    let mut bytes = [0; HEAD];
    let fields: [&[u8]; 6] = [
        &[VERSION, 0],
        &head.repeat.0,
        &head.index.to_be_bytes(),
        &head.count.to_be_bytes(),
        &head.length.to_be_bytes(),
        &[],
    ];
    for (to, from) in bytes.iter_mut().zip(fields.into_iter().flatten()) {
        *to = *from;
    }
    for (place, source) in [(0, bytes.as_slice()), (HEAD, chunk)] {
        if let Some(to) = frame.get_mut(place..place + source.len()) {
            to.copy_from_slice(source);
        }
    }
}

/// Reads a frame; `None` for anything [`write`] would not have written.
pub(crate) fn read(frame: &[u8]) -> Option<(FrameHead, &[u8])> {
    let (head, body) = frame.split_first_chunk::<HEAD>()?;
    let ([version, flags], rest) = head.split_first_chunk::<2>()?;
    let (repeat, rest) = rest.split_first_chunk::<16>()?;
    let (index, rest) = rest.split_first_chunk::<2>()?;
    let (count, rest) = rest.split_first_chunk::<2>()?;
    let (length, _) = rest.split_first_chunk::<4>()?;
    let head = FrameHead {
        repeat: RepeatId(*repeat),
        index: u16::from_be_bytes(*index),
        count: u16::from_be_bytes(*count),
        length: u32::from_be_bytes(*length),
    };
    let length = usize::try_from(head.length).ok()?;
    let fits = *version == VERSION
        && *flags == 0
        && head.index < head.count
        && head.count == part_count(length, frame.len())
        && length <= longest(frame.len());
    if !fits {
        return None;
    }
    let start = usize::from(head.index).checked_mul(chunk_len(frame.len()))?;
    let here = length.checked_sub(start)?.min(body.len());
    let (chunk, padding) = body.split_at_checked(here)?;
    is_zero(padding).then_some((head, chunk))
}

/// The longest letter in frames of this length: strangers get less room.
fn longest(frame_len: usize) -> usize {
    if frame_len < crate::REGULAR_PAYLOAD {
        LONGEST_FIRST_CONTACT
    } else {
        LONGEST_LETTER
    }
}

/// Whether all bytes are zero; folds blocks so that it costs a microsecond and
/// not ten.
fn is_zero(bytes: &[u8]) -> bool {
    bytes
        .chunks(64)
        .all(|block| block.iter().fold(0, |all, byte| all | byte) == 0)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::{FIRST_CONTACT_PAYLOAD, GUARD_RESERVE, REGULAR_PAYLOAD};

    fn frames(letter: &[u8], frame_len: usize) -> Vec<Vec<u8>> {
        let count = part_count(letter.len(), frame_len);
        let mut chunks: Vec<&[u8]> = letter.chunks(chunk_len(frame_len)).collect();
        if chunks.is_empty() {
            chunks.push(&[]);
        }
        (0..count)
            .zip(chunks)
            .map(|(index, chunk)| {
                let mut frame = vec![0; frame_len];
                let length = u32::try_from(letter.len()).unwrap();
                let repeat = RepeatId([9; 16]);
                write(
                    &mut frame,
                    &FrameHead {
                        repeat,
                        index,
                        count,
                        length,
                    },
                    chunk,
                );
                frame
            })
            .collect()
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(32))]

        #[test]
        fn a_letter_is_the_sum_of_its_frames(
            length in 0_usize..50_000,
            fill: u8,
            regular: bool,
        ) {
            let frame_len =
                if regular { REGULAR_PAYLOAD } else { FIRST_CONTACT_PAYLOAD - GUARD_RESERVE };
            let letter = vec![fill; length];
            let mut joined = Vec::new();
            for (index, frame) in frames(&letter, frame_len).iter().enumerate() {
                let (head, chunk) = read(frame).unwrap();
                prop_assert_eq!(usize::from(head.index), index);
                joined.extend_from_slice(chunk);
            }
            prop_assert_eq!(joined, letter);
        }

        #[test]
        fn any_other_head_is_refused_or_reads_back_the_same(
            place in 0_usize..HEAD,
            flip in 1_u8..,
        ) {
            let mut frame = frames(&[7; 20_000], REGULAR_PAYLOAD).remove(0);
            frame[place] ^= flip;
            if let Some((head, chunk)) = read(&frame) {
                let mut again = vec![0; frame.len()];
                write(&mut again, &head, chunk);
                prop_assert_eq!(again, frame);
            }
        }
    }

    #[test]
    fn padding_that_is_not_zero_is_refused() {
        let mut frame = frames(b"short", REGULAR_PAYLOAD).remove(0);
        assert!(read(&frame).is_some());
        *frame.last_mut().unwrap() = 1;
        assert!(read(&frame).is_none());
    }

    #[test]
    fn a_strangers_letter_may_not_be_long() {
        let frame_len = FIRST_CONTACT_PAYLOAD - GUARD_RESERVE;
        assert!(read(&frames(&vec![0; LONGEST_FIRST_CONTACT], frame_len)[0]).is_some());
        assert!(read(&frames(&vec![0; LONGEST_FIRST_CONTACT + 1], frame_len)[0]).is_none());
    }
}

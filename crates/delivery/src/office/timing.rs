//! The post office's patience.

use core::time::Duration;

use hushwing_sansio::Context;

use crate::SendFailure;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_secs(60);
const DAY: Duration = Duration::from_secs(24 * 60 * 60);

/// A network that has not answered a `Send` for so long is taken to have lost
/// it; the longest an SMP server is waited for, with room for slower networks.
pub(super) const STALL: Duration = Duration::from_secs(15 * 60);
/// How long the other addresses of a letter that nobody confirms are tried after one took
/// it: a server that is not reached for longer is no help against one that loses letters.
pub(super) const ENOUGH: Duration = MINUTE.saturating_mul(10);
/// After so long a network may have let an accepted letter expire (SMP: 21
/// days), so it is sent again.
pub(super) const EXPIRY: Duration = DAY.saturating_mul(21);
/// How long a repeat is recognised: a letter accepted and sent again after
/// [`EXPIRY`] may lie as long once more before it is read.
pub(super) const REPEAT_MEMORY: Duration = DAY.saturating_mul(60);
const _: () = assert!(REPEAT_MEMORY.as_secs() > 2 * EXPIRY.as_secs());
/// Repeat ids remembered, for all senders together. Beyond, the oldest go: who is
/// heard twice for it is known by MLS, which spends each key once.
pub(super) const MOST_REPEATS: usize = 65_536;
/// Letters after which [`MOST_REPEATS`] is seen to.
pub(super) const REPEATS_BETWEEN: usize = 4_096;
/// How long the rest of a contact's letter is waited for.
pub(super) const INCOMPLETE: Duration = DAY.saturating_mul(30);
/// How long the rest of a stranger's letter is waited for.
pub(super) const INCOMPLETE_FIRST_CONTACT: Duration = DAY.saturating_mul(3);
/// Between two rounds of forgetting what has expired.
pub(super) const HOUSEKEEPING: Duration = DAY;

/// The wait before the next address of a letter without receipt: two to four
/// minutes, drawn anew each time so that an observer of two networks cannot
/// match copies by their distance.
pub(super) fn next_address(cx: &mut Context<'_>) -> Duration {
    MINUTE.saturating_mul(2) + spread(cx, MINUTE.saturating_mul(2))
}

/// The wait before the next address once one was refused or not reached: one to
/// six seconds, so that the next server does not see just when the first failed.
pub(super) fn after_refusal(cx: &mut Context<'_>) -> Duration {
    SECOND + spread(cx, SECOND.saturating_mul(5))
}

/// The wait before a last resort, while no address has taken the letter: a day,
/// and up to two hours more.
pub(super) fn last_resort(cx: &mut Context<'_>) -> Duration {
    DAY + spread(cx, MINUTE.saturating_mul(120))
}

/// The wait after `failures` failures in a row, doubling: from one second to a
/// quarter of a minute where nobody answers, since a person waits for the
/// message; from five seconds to five minutes where the mailbox is full, which
/// only its owner changes. The upper half is random so that a server coming
/// back is not met by everybody at once.
pub(super) fn back_off(cx: &mut Context<'_>, reason: SendFailure, failures: u32) -> Duration {
    let (first, longest) = match reason {
        SendFailure::Full => (SECOND.saturating_mul(5), MINUTE.saturating_mul(5)),
        _ => (SECOND, SECOND.saturating_mul(15)),
    };
    let doublings = failures.saturating_sub(1).min(16);
    let whole = first
        .saturating_mul(2_u32.saturating_pow(doublings))
        .min(longest);
    whole / 2 + spread(cx, whole / 2)
}

fn spread(cx: &mut Context<'_>, width: Duration) -> Duration {
    let millis = u64::try_from(width.as_millis()).unwrap_or(u64::MAX);
    Duration::from_millis(cx.random_below(millis.saturating_add(1)))
}

//! The newest messages of a conversation, however many answers they take.

use hushwing_conversation::view::MessageView;
use hushwing_conversation::{Command, MessageId, Reply};

use crate::error::Error;
use crate::profile::{Profile, unexpected};

/// More messages than anybody reads at once; whoever wants more asks again.
const MOST: u32 = 10_000;

/// The newest `count` messages, oldest first, at most 10,000. `page` asks for
/// so many before one; an answer is bounded in bytes too, so long texts take
/// several.
pub(super) async fn newest(
    profile: &Profile,
    count: u32,
    page: impl Fn(Option<MessageId>, usize) -> Command,
) -> Result<Vec<MessageView>, Error> {
    let count = usize::try_from(count.min(MOST)).unwrap_or(usize::MAX);
    let mut newest: Vec<MessageView> = Vec::new();
    while let Some(most @ 1..) = count.checked_sub(newest.len()) {
        let before = newest.first().map(|message| message.id);
        let Reply::Messages(older) = profile.ask(page(before, most)).await? else {
            return Err(unexpected());
        };
        if older.is_empty() {
            break;
        }
        newest.splice(0..0, older);
    }
    Ok(newest)
}

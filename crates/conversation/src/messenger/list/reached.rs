//! How far a post to a list got.

use super::super::broken::is_damage;
use super::super::stop::Stop;
use super::super::{Call, Messenger};
use crate::storage::{CopyRecord, ListPostRecord, MessageState};
use crate::view::{CopyReached, Progress, Speaker, Whereabouts};
use crate::{MessageId, Refusal, Reply};

impl Messenger {
    /// As the whereabouts of a message, with each contact it is for.
    pub(in crate::messenger) fn whereabouts_of_post(
        &self,
        call: &Call<'_, '_>,
        post: &MessageId,
    ) -> Result<Reply, Stop> {
        let post = self.lists.named(post).ok_or(Refusal::NoMessage)?;
        let copies = post.copies.iter().map(|copy| reached(call, post, copy));
        let copies: Vec<CopyReached> = copies.collect::<Result<_, Stop>>()?;
        // No further than to whom it came least far, of those who get it.
        let for_them = copies
            .iter()
            .filter(|copy| copy.state.is_some() || copy.missed.is_none());
        let states = for_them.map(|copy| match (copy.waits, copy.state) {
            (false, Some(state)) => state,
            _ => MessageState::Queued,
        });
        Ok(Reply::Where(Whereabouts {
            elsewhere: false,
            from: Speaker::Me,
            state: states.min().unwrap_or(MessageState::Failed),
            progress: vec![Progress {
                network: None,
                stage: MessageState::Queued,
                at: post.at,
                verified: false,
            }],
            attempts: Vec::new(),
            read_receipts: false,
            members: Vec::new(),
            copies,
        }))
    }
}

fn reached(
    call: &Call<'_, '_>,
    post: &ListPostRecord,
    copy: &CopyRecord,
) -> Result<CopyReached, Stop> {
    let said = copy.message();
    let message = said.map(|message| call.storage.message(&message));
    let message = match message.transpose() {
        // The damage is found where that message is read.
        Err(error) if is_damage(&error) => None,
        message => message?.flatten(),
    };
    let waits = copy.waits(post.revision);
    let told = !waits && copy.missed.is_none();
    let gone = said.map(|_| MessageState::Failed);
    Ok(CopyReached {
        contact: copy.contact,
        state: message.map(|message| message.state).or(gone),
        waits,
        taken_back: post.taken_back && told && said.is_some(),
        missed: copy.missed,
    })
}

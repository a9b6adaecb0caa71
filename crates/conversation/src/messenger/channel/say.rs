//! What I say in a channel of mine.

use super::MOST_POSTS;
use crate::channel::Chain;
use crate::content::{Content, Frame, Lamport, MessageId, Salt, Stamp};
use crate::messenger::speak::unfit;
use crate::messenger::stop::Stop;
use crate::messenger::{Call, Messenger};
use crate::storage::{
    MessageKind, MessageRecord, MessageState, MessageTimes, Owed, Position, PostRecord,
};
use crate::{Refusal, Reply, RoomId};
use hushwing_sansio::StorageError;

impl Messenger {
    /// Stores and shows my next post; it leaves afterwards.
    pub(in crate::messenger) fn publish_at(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
        content: &Content,
        kind: MessageKind,
        target: Option<MessageId>,
    ) -> Result<Reply, Stop> {
        if !is_post(content) {
            return Err(Refusal::NotInChannels.into());
        }
        let salt = Salt(call.cx.random());
        let sent = call.cx.wall();
        let before = call.storage.last_position(id.place())?;
        let channel = self.channels.find(id)?;
        let heard = channel.reading().next().is_some();
        let origin = channel.origin()?;
        let number = channel.published().map_or(0, |mine| mine.head + 1);
        let stamp = Stamp {
            lamport: Lamport::new(number).unwrap_or(Lamport::MAX),
            sent,
        };
        let frame = Frame {
            salt,
            stamp,
            expires: None,
        };
        let bytes = content.compose(frame).map_err(unfit)?;
        // Not before it is sure that something is said: all are told of them.
        self.keys_for_next(call, id)?;
        let chain = self.channels.find(id)?.record.chains.last();
        let generation = chain.ok_or(Refusal::ChannelOver)?.generation;
        let message = MessageId::derive(&origin, &bytes, &salt);
        let post = PostRecord {
            number,
            generation,
            message: message.as_bytes().to_vec(),
        };
        let record = MessageRecord {
            contact: id.place(),
            position: Position {
                epoch: 0,
                lamport: number,
                leaf: 0,
                id: message,
            },
            mine: true,
            author: None,
            kind,
            target,
            sent_at: sent,
            // Where nobody reads, nothing is left to be done.
            state: match heard {
                true => MessageState::Queued,
                false => MessageState::Accepted,
            },
            times: MessageTimes::default(),
            owed: Owed::Nothing,
            letter: None,
            sealed_epoch: 0,
            content: bytes,
        };
        call.storage.add_message(&record)?;
        let mut gone = self.note_post(call, id, post)?;
        if kind == MessageKind::Delete {
            gone.extend(self.posts_about(call, id, target)?);
        }
        self.call_posts_back(call, id, &gone)?;
        self.channels.to_tend.insert(id);
        self.show_new(call, &record, content, before)?;
        Ok(Reply::Sent {
            message,
            state: record.state,
        })
    }

    /// The numbers of what was taken back, and of its edits.
    fn posts_about(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
        target: Option<MessageId>,
    ) -> Result<Vec<u64>, StorageError> {
        let mut about = Vec::new();
        let posts = self.channels.find(id)?.published();
        let posts = posts.map(|mine| mine.posts.clone()).unwrap_or_default();
        for post in posts {
            let damaged = |_| StorageError::corrupt("reading a post");
            let message = MessageId::from_bytes(&post.message).map_err(damaged)?;
            let record = call.storage.message(&message)?;
            let of = record.is_none_or(|one| one.kind == MessageKind::Edit && one.target == target);
            if of || Some(message) == target {
                about.push(post.number);
            }
        }
        Ok(about)
    }

    /// Keeps a post among those that can be had, and lets the oldest go, whose numbers it
    /// gives: nobody can be sent them any more, and their keys are forgotten.
    fn note_post(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
        post: PostRecord,
    ) -> Result<Vec<u64>, StorageError> {
        let crypto = &self.crypto;
        let missing = || StorageError::corrupt("finding a channel");
        let channel = self.channels.by_id.get_mut(&id).ok_or_else(missing)?;
        let name = channel.name();
        let Some(mine) = channel.published() else {
            return Ok(Vec::new());
        };
        mine.head = post.number;
        mine.posts.push(post);
        let beyond = mine.posts.len().saturating_sub(MOST_POSTS);
        let gone = mine.posts.drain(..beyond).map(|post| post.number).collect();
        let posts = mine.posts.clone();
        if beyond > 0 {
            let chains = &mut channel.record.chains;
            let last = chains.last().map(|one| one.generation);
            chains.retain(|one| Some(one.generation) == last || first_of(&posts, one).is_some());
            for chain in chains {
                let first = first_of(&posts, chain);
                if let Some(later) = first.and_then(|first| chain.forward(crypto, name, first)) {
                    *chain = later;
                }
            }
        }
        channel.record.put(call.storage)?;
        Ok(gone)
    }
}

fn first_of(posts: &[PostRecord], chain: &Chain) -> Option<u64> {
    let mut of_it = posts
        .iter()
        .filter(|post| post.generation == chain.generation);
    of_it.next().map(|post| post.number)
}

/// What is said in a channel. There is nobody to react, and nothing that both agree on.
pub(super) fn is_post(content: &Content) -> bool {
    matches!(
        content,
        Content::Post(_) | Content::Edit { .. } | Content::Delete { .. }
    )
}

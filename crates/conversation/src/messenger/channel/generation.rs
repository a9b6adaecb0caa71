//! Keys that begin anew: when a reader is out, and when a backup was put back.

use hushwing_sansio::StorageError;

use crate::channel::Chain;
use crate::messenger::{Call, Messenger};
use crate::storage::ReaderRecord;
use crate::{RoomId, Secret};

/// How far numbers jump at least after a backup was put back.
const JUMP: u64 = 1 << 20;
/// And generations.
const JUMP_OF_GENERATIONS: u32 = 1 << 16;
/// What is the greatest of them, which leaves room for as many posts as one cares to say.
pub(super) const MOST: u64 = 1 << 52;

impl Messenger {
    /// Somebody had keys who is out: the next post is not sealed with them. Until then
    /// nobody is told, and however many go meanwhile, one generation begins.
    pub(super) fn spend_keys(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
    ) -> Result<(), StorageError> {
        let channel = self.channels.find(id)?;
        if let Some(mine) = channel.published() {
            mine.spent = true;
        }
        channel.record.put(call.storage)
    }

    /// Other keys are used from the next post on, if the last ones are spent. They are
    /// named by the time: a count would tell how often somebody went.
    pub(super) fn keys_for_next(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
    ) -> Result<(), StorageError> {
        let channel = self.channels.find(id)?;
        let last = channel.record.chains.last();
        let last = last.map_or(0, |one| one.generation);
        match channel.published().is_some_and(|mine| mine.spent) {
            true => self.begin_generation(call, id, last.saturating_add(1)),
            false => Ok(()),
        }
    }

    fn begin_generation(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
        least: u32,
    ) -> Result<(), StorageError> {
        let seconds = u32::try_from(call.cx.wall().as_secs()).unwrap_or(0);
        let generation = least.max(seconds);
        let key = Secret::new(call.cx.random::<32>());
        let channel = self.channels.find(id)?;
        let Some(mine) = channel.published() else {
            return Ok(());
        };
        mine.spent = false;
        let used: Vec<u32> = mine.posts.iter().map(|post| post.generation).collect();
        let next = mine.head.saturating_add(1);
        let chains = &mut channel.record.chains;
        // Of one in which nothing was said that can be had nobody needs the key.
        chains.retain(|chain| used.contains(&chain.generation));
        chains.push(Chain {
            generation,
            next,
            key,
        });
        channel.record.put(call.storage)?;
        self.channels.to_tend.insert(id);
        Ok(())
    }

    /// A backup was put back. Since it was made, posts may have been said, readers
    /// removed and others let in: all numbers jump beyond those of that time, and every
    /// reader is asked again. Who still reads says so without being asked; who was
    /// removed or left has to decide.
    pub(super) fn go_on_restored(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
    ) -> Result<(), StorageError> {
        let millis = call.cx.wall().as_millis();
        let channel = self.channels.find(id)?;
        let last = channel.record.chains.last();
        let last = last.map_or(0, |one| one.generation);
        let readers = channel.readers.clone();
        let Some(mine) = channel.published() else {
            return Ok(());
        };
        // Nobody says a post a millisecond. So the time is beyond all numbers, those
        // included that the same backup led to when it was put back before.
        mine.head = mine.head.saturating_add(JUMP).max(millis).min(MOST);
        mine.admissions = mine.admissions.saturating_add(JUMP).max(millis).min(MOST);
        mine.restored = false;
        self.begin_generation(call, id, last.saturating_add(JUMP_OF_GENERATIONS))?;
        for (reader, known) in readers {
            if !known.state.is_here() {
                continue;
            }
            self.ask_to_read(call, id, reader, known.returns)?;
            let channel = self.channels.find(id)?;
            if let Some(asked) = channel.readers.get(&reader).cloned() {
                let (floor, sent) = (known.floor, known.sent);
                let asked = ReaderRecord {
                    floor,
                    sent,
                    ..asked
                };
                self.put_reader(call.storage, id, reader, asked)?;
            }
        }
        Ok(())
    }
}

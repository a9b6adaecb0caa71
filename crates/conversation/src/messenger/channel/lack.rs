//! Posts that did not come: noticed, and asked for.

use core::time::Duration;

use hushwing_sansio::{StorageError, Timestamp};

use crate::RoomId;
use crate::content::ChannelStep;
use crate::messenger::{Call, Messenger};
use crate::storage::RoomStanding;

/// The least wait for what is missing, in seconds; by chance up to three times as long,
/// so that readers do not ask all at once.
const WAIT: u64 = 30;
/// How often the wait doubles at most.
const MOST_DOUBLED: u32 = 10;
const DAY: u64 = 24 * 60 * 60;

impl Messenger {
    /// If posts are known to be missing, they are asked for after a while.
    pub(super) fn miss_posts(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
    ) -> Result<(), StorageError> {
        let by_chance = u64::from_be_bytes(call.cx.random()) % (2 * WAIT);
        let now = call.cx.now();
        let channel = self.channels.find(id)?;
        // Who is let in is told keys; that may be lost as well.
        let joins = channel.record.standing == RoomStanding::Joining;
        let reads = channel.record.standing == RoomStanding::Member;
        let lacks = channel
            .subscribed()
            .is_some_and(|mine| mine.next <= mine.head);
        if !(joins || reads && lacks) {
            channel.asks = None;
            channel.asked = 0;
        } else if channel.asks.is_none() {
            let doubled = (WAIT + by_chance) << channel.asked.min(MOST_DOUBLED);
            channel.asks = Some(now + Duration::from_secs(doubled));
        }
        Ok(())
    }

    pub(super) fn ask_due(&mut self, call: &mut Call<'_, '_>) -> Result<(), StorageError> {
        let now = call.cx.now();
        let all = self.channels.by_id.values();
        let due = all.filter(|one| one.asks.is_some_and(|at| at <= now));
        for id in due.map(|one| one.record.id).collect::<Vec<_>>() {
            self.in_channel(call, id, |this, call| {
                this.ask_for_posts(call, id)?;
                this.miss_posts(call, id)
            })?;
        }
        Ok(())
    }

    /// Asks where nothing came for long: the last post may have been lost.
    pub(super) fn ask_for_nothing(
        &mut self,
        call: &mut Call<'_, '_>,
        id: RoomId,
    ) -> Result<(), StorageError> {
        let now = call.cx.wall();
        let channel = self.channels.find(id)?;
        let lives = channel.lives();
        let due = channel.subscribed().is_some_and(|one| one.ask_after <= now);
        match lives && due {
            true => self.ask_for_posts(call, id),
            false => Ok(()),
        }
    }

    fn ask_for_posts(&mut self, call: &mut Call<'_, '_>, id: RoomId) -> Result<(), StorageError> {
        let ask_after = self.next_asking(call);
        let channel = self.channels.find(id)?;
        channel.asks = None;
        channel.asked = channel.asked.saturating_add(1);
        let Some(mine) = channel.subscribed() else {
            return Ok(());
        };
        mine.ask_after = ask_after;
        let (publisher, next, before) = (mine.publisher, mine.next, mine.asking.take());
        // One that did not leave yet says less than the next one.
        if let Some(letter) = before {
            self.recall(call, letter)?;
        }
        let step = ChannelStep::Ask { next };
        let letter = self.mention_channel(call, id, publisher, step)?;
        let channel = self.channels.find(id)?;
        if let Some(mine) = channel.subscribed() {
            mine.asking = letter.map(|letter| letter.0);
        }
        channel.record.put(call.storage)
    }

    /// In five to nine days.
    pub(super) fn next_asking(&self, call: &mut Call<'_, '_>) -> Timestamp {
        let by_chance = u64::from_be_bytes(call.cx.random()) % (4 * DAY);
        call.cx.wall() + Duration::from_secs(5 * DAY + by_chance)
    }
}

//! Our content and MLS alone, each call in a transaction of its own.

use hushwing_conversation::exchange::{Party, couple};
use hushwing_sansio::{Context, Moment, Timestamp};
use hushwing_transport::OsEntropy;

use super::desk::{Desk, storage};
use super::line::Line;
use crate::BenchError;

/// When it takes place; what is measured does not depend on it.
const WALL: Timestamp = Timestamp::from_secs(1_800_000_000);

struct Side<D> {
    party: Party,
    desk: D,
}

/// Two parties and their storage.
pub(crate) struct Exchange<D>([Side<D>; 2]);

impl<D: Desk> Exchange<D> {
    pub(crate) fn new(mut hers: D, mut his: D) -> Result<Self, BenchError> {
        hers.begin().and_then(|()| his.begin()).map_err(storage)?;
        let mut entropy = OsEntropy;
        let mut cx = Context::new(Moment::default(), WALL, &mut entropy);
        let (first, second) = couple(&mut cx, hers.lend(), his.lend()).map_err(storage)?;
        hers.commit().and_then(|()| his.commit()).map_err(storage)?;
        let side = |party, desk| Side { party, desk };
        Ok(Self([side(first, hers), side(second, his)]))
    }
}

impl<D: Desk> Line for Exchange<D> {
    fn bring(&mut self, from: usize, text: &str) -> Result<(), BenchError> {
        let [first, second] = &mut self.0;
        let (speaker, listener) = if from == 0 {
            (first, second)
        } else {
            (second, first)
        };
        let mut entropy = OsEntropy;
        let mut cx = Context::new(Moment::default(), WALL, &mut entropy);

        speaker.desk.begin().map_err(storage)?;
        let message = speaker.party.say(&mut cx, speaker.desk.lend(), text);
        let message = message.map_err(storage)?;
        speaker.desk.commit().map_err(storage)?;

        listener.desk.begin().map_err(storage)?;
        let heard = listener.party.hear(&mut cx, listener.desk.lend(), &message);
        let heard = heard.map_err(storage)?;
        listener.desk.commit().map_err(storage)?;
        if heard == text {
            Ok(())
        } else {
            Err(BenchError::Bug("another text arrived"))
        }
    }
}

//! Groups of many: what their size costs.
//!
//! | file | concept |
//! |---|---|
//! | `seat` | one leaf with all that a program keeps for it |
//! | `circle` | a group with a filled tree |
//! | `author` | a whole messenger in a group of the largest size |
//!
//! Messages take turns with those of a conversation of two, as in `conversation`.
//! References of bytes and of the time of joining are the most that may be.

mod author;
mod circle;
mod seat;

use std::time::Duration;

use author::Author;
use circle::Circle;

use crate::conversation::desk::Memory;
use crate::conversation::exchange::Exchange;
use crate::conversation::line::{Line, Turns};
use crate::{BenchError, Figure};

/// Leaves of a large group.
const MANY: u16 = 100;
/// Leaves of the largest.
const MOST: u16 = 500;
/// Bytes that adding one may cost each who is there.
const MOST_COMMIT: f64 = 26_000.0;
/// Bytes that it may cost who is added.
const MOST_WELCOME: f64 = 290_000.0;
/// Envelopes that a text may cost its author in the largest.
const MOST_ENVELOPES: f64 = 4.0;
/// Milliseconds in which who is added to the largest is in.
const MOST_JOIN: f64 = 1_000.0;

/// All figures of groups.
pub(crate) fn measure(budget: Duration) -> Result<Vec<Figure>, BenchError> {
    let mut many = Circle::of(MANY)?;
    let mut figures = messages(budget, &mut many)?;
    let added = many.grow()?;
    let bytes = |name, value: usize, most| Figure::new(name, "bytes", value as f64, most);
    figures.push(bytes("commit_of_adding_to_100", added.commit, MOST_COMMIT));
    figures.push(bytes("welcome_to_100", added.welcome, MOST_WELCOME));
    let added = Circle::of(MOST - 1)?.grow()?;
    figures.push(Figure::new("join_of_500_ms", "ms", added.join, MOST_JOIN));
    let spent = Author::among(MOST)?.say("hello")?;
    let text = "envelopes_of_a_text_in_500";
    let envelopes = spent.envelopes as f64;
    figures.push(Figure::new(text, "envelopes", envelopes, MOST_ENVELOPES));
    figures.push(Figure::new("say_in_500_ms", "ms", spent.time, MOST_JOIN));
    Ok(figures)
}

/// A message in a group beside one between two: in a group of two, and as
/// conversations of two are.
fn messages(budget: Duration, many: &mut Circle) -> Result<Vec<Figure>, BenchError> {
    let mut few = Circle::of(2)?;
    let mut pair = Exchange::new(Memory::default(), Memory::default())?;
    let lines = [many as &mut dyn Line, &mut few, &mut pair];
    let [many, few, pair] = Turns::new(budget).measure(lines, &mut || Ok(()))?;
    let unit = "µs/message";
    Ok(vec![
        Figure::new("message_of_100_vs_pair", unit, many, pair),
        Figure::new("message_of_100_vs_2", unit, many, few),
    ])
}

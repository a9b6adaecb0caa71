//! A profile in which a million messages lie: how long a person waits for the
//! newest, for what they look for, and for the daemon.
//!
//! The file is filled through the storage trait, in this process, with the
//! records and the index entries that messages leave when they arrive. Wall-clock
//! time: whoever waits does so by that.

mod fill;
mod person;

use std::path::Path;
use std::time::Instant;

use hushwing_conversation::search::Query;
use hushwing_conversation::storage::SaidRows as _;
use hushwing_conversation::{ContactId, Storage as _};
use hushwing_daemon::Home;
use hushwing_store::ProfileStore;

use crate::clock::{Samples, millis};
use crate::conversation::ready;
use crate::{BenchError, Figure};
use person::Person;

/// Messages in the profile.
const MESSAGES: u32 = 1_000_000;
/// Conversations they lie in.
const CONVERSATIONS: u32 = 50;
/// Calls of each kind that are measured.
const CALLS: usize = 30;
/// Starts of a daemon that are measured.
const STARTS: usize = 5;
/// What is looked for: in few messages, in many, by a beginning, together.
const QUERIES: [&str; 4] = ["needle", "borimu", "bor", "bori tani"];

/// All figures of a full profile.
pub(crate) fn measure(program: &Path) -> Result<Vec<Figure>, BenchError> {
    let folder = tempfile::tempdir().map_err(BenchError::system("make a folder"))?;
    let full = home(program, folder.path(), "full")?;
    let empty = home(program, folder.path(), "empty")?;
    let mut store = fill::open(&full)?;
    fill::fill(&mut store, MESSAGES)?;
    let mut figures = waits(&mut store)?;
    drop(store);
    figures.extend(daemons(program, &full, &empty)?);
    Ok(figures)
}

/// A home with one profile.
fn home(program: &Path, folder: &Path, name: &str) -> Result<Home, BenchError> {
    let home = Home::at(folder.join(name));
    let running = ready::start(program, &home)?;
    ready::create_profile(&home)?;
    drop(running);
    Ok(home)
}

/// What the conversation layer takes, beside what of it storage takes.
fn waits(store: &mut ProfileStore) -> Result<Vec<Figure>, BenchError> {
    let storage = |_| BenchError::Bug("the filled profile cannot be read");
    let (mut newest, mut rows) = (Samples::default(), Samples::default());
    let mut person = Person::open(store)?;
    for call in 0..CALLS {
        let contact = ContactId(1 + call as u64 % u64::from(CONVERSATIONS));
        let begun = Instant::now();
        person.newest(contact)?;
        newest.push(millis(begun.elapsed()));
        let begun = Instant::now();
        let read = person
            .store()
            .messages(contact, None, 50, 1 << 22)
            .map_err(storage)?;
        rows.push(millis(begun.elapsed()));
        if read.len() != 50 {
            return Err(BenchError::Bug("a conversation has fewer messages"));
        }
    }
    let (mut slowest, mut reference) = (0.0_f64, 0.0);
    for words in QUERIES {
        let query = Query::new(words).map_err(BenchError::bug("no query"))?;
        let (mut search, mut found) = (Samples::default(), Samples::default());
        for _ in 0..CALLS {
            let begun = Instant::now();
            person.search(words)?;
            search.push(millis(begun.elapsed()));
            let begun = Instant::now();
            person
                .store()
                .find_texts(&query, None, 50)
                .map_err(storage)?;
            found.push(millis(begun.elapsed()));
        }
        if search.median() > slowest {
            (slowest, reference) = (search.median(), found.median());
        }
    }
    Ok(vec![
        Figure::new("newest_50_ms", "ms", newest.median(), rows.median()),
        Figure::new("search_ms", "ms", slowest, reference),
    ])
}

/// A daemon on the full profile, beside one on an empty profile.
fn daemons(program: &Path, full: &Home, empty: &Home) -> Result<Vec<Figure>, BenchError> {
    let mut ready = [Samples::default(), Samples::default()];
    let mut held = [Samples::default(), Samples::default()];
    for _ in 0..STARTS {
        for ((home, ready), held) in [full, empty].into_iter().zip(&mut ready).zip(&mut held) {
            let begun = Instant::now();
            let running = ready::start(program, home)?;
            ready::status(home)?;
            ready.push(millis(begun.elapsed()));
            held.push(running.resident()? as f64 / 1e6);
        }
    }
    let [full_ready, empty_ready] = ready;
    let [full_held, empty_held] = held;
    Ok(vec![
        Figure::new(
            "daemon_ready_ms",
            "ms",
            full_ready.median(),
            empty_ready.median(),
        ),
        Figure::new(
            "daemon_rss_mb",
            "MB",
            full_held.median(),
            empty_held.median(),
        ),
    ])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::conversation::desk::fresh_key;

    #[test]
    fn a_small_profile_gives_all_figures_of_the_conversation_layer() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("profile.db");
        let mut store = ProfileStore::open(&path, &fresh_key()).unwrap();
        fill::fill(&mut store, 4_000).unwrap();
        let figures = waits(&mut store).unwrap();
        assert_eq!(figures.len(), 2);
        assert!(figures.iter().all(|figure| figure.value > 0.0));
    }
}

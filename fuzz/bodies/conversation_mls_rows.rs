//! One row of a conversation's MLS state that a disk gives back otherwise than
//! it was written: its label, then its value.

use std::cell::OnceCell;

use hushwing_conversation::exchange::{Party, couple};
use hushwing_conversation::storage::MlsRow;
use hushwing_conversation::{MemoryStorage, MlsRows, Secret};
use hushwing_sansio::{Context, Entropy, Moment, StorageError, Timestamp};

/// Labels from here on are of keys that belong to no group yet.
const KEYS: u8 = 32;

struct Dice(u64);

impl Entropy for Dice {
    fn fill(&mut self, dest: &mut [u8]) {
        for byte in dest {
            self.0 = self
                .0
                .wrapping_mul(6_364_136_223_846_793_005)
                .wrapping_add(1);
            *byte = self.0.to_be_bytes()[0];
        }
    }
}

/// Rows of which each with this label reads as `value`.
struct Damaged<'a> {
    rows: MemoryStorage,
    label: u8,
    value: &'a [u8],
}

impl Damaged<'_> {
    fn read(&self, label: u8, value: Secret) -> Secret {
        if label == self.label {
            Secret::new(self.value.to_vec())
        } else {
            value
        }
    }
}

impl MlsRows for Damaged<'_> {
    fn mls_row(&self, scope: &[u8], label: u8, key: &[u8]) -> Result<Option<Secret>, StorageError> {
        let value = self.rows.mls_row(scope, label, key)?;
        Ok(value.map(|value| self.read(label, value)))
    }

    fn put_mls_row(
        &mut self,
        scope: &[u8],
        label: u8,
        key: &[u8],
        value: &[u8],
    ) -> Result<(), StorageError> {
        self.rows.put_mls_row(scope, label, key, value)
    }

    fn remove_mls_row(&mut self, scope: &[u8], label: u8, key: &[u8]) -> Result<(), StorageError> {
        self.rows.remove_mls_row(scope, label, key)
    }

    fn mls_scope(&self, scope: &[u8]) -> Result<Vec<MlsRow>, StorageError> {
        let rows = self.rows.mls_scope(scope)?.into_iter();
        Ok(rows
            .map(|(label, key, value)| (label, key, self.read(label, value)))
            .collect())
    }

    fn remove_mls_scope(&mut self, scope: &[u8]) -> Result<(), StorageError> {
        self.rows.remove_mls_scope(scope)
    }
}

/// One of two, what was said to it, and its rows.
struct Home {
    party: Party,
    rows: MemoryStorage,
    message: Vec<u8>,
}

pub(crate) fn run(data: &[u8]) {
    thread_local!(static HOME: OnceCell<Home> = const { OnceCell::new() });
    let Some((&label, value)) = data.split_first() else {
        return;
    };
    if label < KEYS {
        HOME.with(|home| restart(home.get_or_init(begin), label, value));
    } else {
        let rows = MemoryStorage::new();
        let mut inviter = Damaged { rows, label, value };
        let mut dice = Dice(2);
        let _ = couple(
            &mut context(&mut dice),
            &mut MemoryStorage::new(),
            &mut inviter,
        );
    }
}

fn restart(home: &Home, label: u8, value: &[u8]) {
    let rows = home.rows.clone();
    let mut rows = Damaged { rows, label, value };
    let mut dice = Dice(3);
    let mut cx = context(&mut dice);
    if let Ok(mut party) = home.party.reopen(&mut cx, &mut rows) {
        let _ = party.hear(&mut cx, &mut rows, &home.message);
        let _ = party.say(&mut cx, &mut rows, "answer");
    }
}

fn begin() -> Home {
    let (mut hers, mut his) = (MemoryStorage::new(), MemoryStorage::new());
    let mut dice = Dice(1);
    let mut cx = context(&mut dice);
    let (mut joiner, party) = couple(&mut cx, &mut hers, &mut his).unwrap();
    let message = joiner.say(&mut cx, &mut hers, "text").unwrap();
    Home {
        party,
        rows: his,
        message,
    }
}

fn context(dice: &mut Dice) -> Context<'_> {
    Context::new(Moment::default(), Timestamp::from_secs(1_790_000_000), dice)
}

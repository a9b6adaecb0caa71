//! Rows of the post office that a disk gives back otherwise than they were
//! written.

use hushwing_delivery::{LetterId, MailboxId, MemoryStorage, PostOffice, Storage};
use hushwing_sansio::{Context, Entropy, Moment, Timestamp};

/// Counts instead of throwing, so that a finding can be run again.
#[derive(Default)]
struct Dice(u8);

impl Entropy for Dice {
    fn fill(&mut self, dest: &mut [u8]) {
        self.0 = self.0.wrapping_add(1);
        dest.fill(self.0);
    }
}

pub(crate) fn run(data: &[u8]) {
    let mut with_mailbox = MemoryStorage::new();
    with_mailbox.put_mailbox(MailboxId(7), data).unwrap();
    let mut with_letter = MemoryStorage::new();
    with_letter
        .insert_letter(LetterId(1), data, b"body")
        .unwrap();
    for mut storage in [with_mailbox, with_letter] {
        let Ok(mut office) = PostOffice::open(&mut storage) else {
            continue;
        };
        let mut dice = Dice::default();
        let mut cx = Context::new(Moment::default(), Timestamp::from_secs(1), &mut dice);
        let _ = office.handle_timeout(&mut cx, &mut storage);
        while office.poll_event().is_some() || office.poll_command().is_some() {}
    }
}

//! What was spent on cryptography, counted for tests that compare costs.
//!
//! A refusal must cost the same whatever its reason. A clock tells that badly
//! on a busy machine; the list of primitives that ran, with the lengths they
//! ran over, tells it every time.

use std::cell::RefCell;

use super::KeyKind;

/// A use of a primitive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Effort {
    /// A signature was checked, by this kind of key over so many bytes.
    Signature(KeyKind, usize),
    /// An X25519 agreement.
    Agreement,
    /// A hash over so many bytes.
    Hash(usize),
    /// A box of so many bytes was opened.
    Opening(usize),
}

thread_local! {
    static SPENT: RefCell<Vec<Effort>> = const { RefCell::new(Vec::new()) };
}

/// Notes a use by this thread.
pub(super) fn note(effort: Effort) {
    SPENT.with_borrow_mut(|spent| spent.push(effort));
}

/// Everything this thread spent during `work`.
pub(crate) fn spent_in(work: impl FnOnce()) -> Vec<Effort> {
    SPENT.take();
    work();
    SPENT.take()
}

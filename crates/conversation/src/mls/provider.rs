//! What openmls is lent for one call: crypto, chance, rows.
//!
//! Chance comes from the context, with one exception: encapsulation inside the
//! crypto provider's HPKE draws from the operating system, which it offers no
//! way to replace.

use core::cell::RefCell;

use hushwing_sansio::{Context, Entropy, StorageError};
use openmls_traits::OpenMlsProvider;
use openmls_traits::random::OpenMlsRand;

use super::crypto::Crypto;
use super::ledger::Ledger;
use crate::MlsRows;

/// What openmls is lent for one call.
pub(crate) struct Provider<'a> {
    crypto: &'a Crypto,
    dice: Dice<'a>,
    ledger: Ledger<'a>,
}

/// The context's randomness in the clothes openmls wants.
pub(crate) struct Dice<'a>(RefCell<&'a mut dyn Entropy>);

impl<'a> Provider<'a> {
    pub(crate) fn new(
        crypto: &'a Crypto,
        cx: &'a mut Context<'_>,
        rows: &'a mut dyn MlsRows,
    ) -> Self {
        Self {
            crypto,
            dice: Dice(RefCell::new(cx.entropy())),
            ledger: Ledger::new(rows),
        }
    }

    /// Ends a call: writes are carried out if it succeeded and forgotten if
    /// not. A failure of the rows takes precedence over what openmls made of
    /// it.
    pub(super) fn end<T, E>(mut self, outcome: Result<T, E>) -> Result<Result<T, E>, StorageError> {
        if let Some(fault) = self.ledger.fault() {
            return Err(fault);
        }
        if outcome.is_ok() {
            self.ledger.settle()?;
        }
        Ok(outcome)
    }
}

impl<'a> OpenMlsProvider for Provider<'a> {
    type CryptoProvider = Crypto;
    type RandProvider = Dice<'a>;
    type StorageProvider = Ledger<'a>;

    fn storage(&self) -> &Ledger<'a> {
        &self.ledger
    }

    fn crypto(&self) -> &Crypto {
        self.crypto
    }

    fn rand(&self) -> &Dice<'a> {
        &self.dice
    }
}

/// The random source cannot fail; openmls wants a type for it all the same.
#[derive(Debug, thiserror::Error)]
#[error("no randomness")]
pub(crate) struct NoRandomness;

impl OpenMlsRand for Dice<'_> {
    type Error = NoRandomness;

    fn random_array<const N: usize>(&self) -> Result<[u8; N], NoRandomness> {
        let mut bytes = [0; N];
        self.0.borrow_mut().fill(&mut bytes);
        Ok(bytes)
    }

    fn random_vec(&self, len: usize) -> Result<Vec<u8>, NoRandomness> {
        let mut bytes = vec![0; len];
        self.0.borrow_mut().fill(&mut bytes);
        Ok(bytes)
    }
}

//! The storage a driver brackets.

use hushwing_sansio::StorageError;

/// Storage with transactions, as drivers need it. The daemon implements it for
/// each file and machine.
///
/// Calls come as `begin`, any number of `storage`, then one of `commit` and
/// `rollback`. After a failed `commit` comes `rollback`.
pub trait Transactional {
    /// The machine's own storage trait, usually `dyn Trait`.
    type Storage: ?Sized;

    /// Begins a transaction. It may be lazy: nothing is promised before the
    /// first write.
    ///
    /// # Errors
    ///
    /// When storage fails.
    fn begin(&mut self) -> Result<(), StorageError>;

    /// Lends the storage inside the transaction.
    fn storage(&mut self) -> &mut Self::Storage;

    /// Makes everything since `begin` durable together.
    ///
    /// # Errors
    ///
    /// When storage fails; then nothing since `begin` has become durable.
    fn commit(&mut self) -> Result<(), StorageError>;

    /// Forgets everything since `begin`. Must leave the storage ready for the
    /// next `begin` as far as it can.
    fn rollback(&mut self);

    /// Puts what was committed where it is to stay and clears what it passed
    /// through on the way, as a log. Comes between transactions some time
    /// after a commit, and before the driver ends. Nothing depends on it, so
    /// where it fails it is tried again after the next commit.
    fn settle(&mut self) {}
}

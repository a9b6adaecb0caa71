//! One leaf of a group with all that a program keeps for it.

use std::time::Duration;

use hushwing_conversation::ConversationId;
use hushwing_conversation::MemoryStorage;
use hushwing_conversation::branches::{
    AccountId, CommitHash, Crypto, GroupPolicy, Heard, Keeper, Lent, MOST_PICTURE_BYTES,
    OwnPackage, Told, Wish,
};
use hushwing_sansio::{Context, Moment, StorageError, Timestamp};
use hushwing_transport::OsEntropy;

use crate::BenchError;
use crate::conversation::desk::storage;

const GROUP: ConversationId = ConversationId([7; 16]);

/// A commit of mine that a network took: what it told the others, and those it
/// added.
#[derive(Default)]
pub(super) struct Committed {
    pub(super) commit: Vec<u8>,
    pub(super) welcome: Vec<u8>,
}

/// A leaf, or somebody who is to become one.
pub(super) struct Seat {
    account: AccountId,
    crypto: Crypto,
    rows: MemoryStorage,
    package: Option<OwnPackage>,
    keeper: Option<Keeper>,
}

impl Seat {
    /// Somebody in no group, of an account of this number.
    pub(super) fn new(number: u16) -> Result<Self, BenchError> {
        let mut account = [0; 16];
        account[..2].copy_from_slice(&number.to_be_bytes());
        let account = AccountId::try_from(account.as_slice());
        Ok(Self {
            account: account.map_err(BenchError::bug("an account cannot be named"))?,
            crypto: Crypto::default(),
            rows: MemoryStorage::new(),
            package: None,
            keeper: None,
        })
    }

    fn lend<T>(
        &mut self,
        now: Duration,
        act: impl FnOnce(&mut Lent<'_, '_>, &mut Option<Keeper>) -> Result<T, StorageError>,
    ) -> Result<T, BenchError> {
        let wall = Timestamp::from_secs(1_800_000_000) + now;
        let mut entropy = OsEntropy;
        let mut cx = Context::new(Moment::from_origin(now), wall, &mut entropy);
        let mut lent = Lent {
            crypto: &self.crypto,
            cx: &mut cx,
            rows: &mut self.rows,
        };
        act(&mut lent, &mut self.keeper).map_err(storage)
    }

    fn with<T>(
        &mut self,
        now: Duration,
        act: impl FnOnce(&mut Keeper, &mut Lent<'_, '_>) -> Result<T, StorageError>,
    ) -> Result<T, BenchError> {
        let nobody = || StorageError::corrupt("finding a keeper");
        self.lend(now, |lent, keeper| {
            act(keeper.as_mut().ok_or_else(nobody)?, lent)
        })
    }

    /// Founds the group, with a picture of the most bytes: each Welcome carries it, and each
    /// leaf's secrets beside it.
    pub(super) fn found(&mut self) -> Result<(), BenchError> {
        let account = self.account.clone();
        let policy =
            GroupPolicy::of_group(vec![account.clone()], "many").pictured(&[7; MOST_PICTURE_BYTES]);
        self.lend(Duration::ZERO, |lent, keeper| {
            *keeper = Keeper::found(lent, GROUP, &account, &policy)?.ok();
            Ok(())
        })
    }

    /// A key package to be added with.
    pub(super) fn package(&mut self, now: Duration) -> Result<Vec<u8>, BenchError> {
        let account = self.account.clone();
        let package = self.lend(now, |lent, _| OwnPackage::make(lent, &account))?;
        let message = package.message.clone();
        self.package = Some(package);
        Ok(message)
    }

    /// Follows a Welcome.
    pub(super) fn join(&mut self, now: Duration, welcome: &[u8]) -> Result<(), BenchError> {
        let missing = BenchError::Bug("nobody made a key package");
        let key = self.package.as_ref().map(|package| package.key.clone());
        let key = key.ok_or(missing)?;
        let joined = self.lend(now, |lent, keeper| {
            let joined = Keeper::join(lent, welcome, |_| Some(key))?;
            *keeper = joined.ok();
            Ok(keeper.is_some())
        })?;
        joined
            .then_some(())
            .ok_or(BenchError::Bug("a Welcome was not followed"))
    }

    /// Wishes something, commits it, and says that a network took it.
    pub(super) fn commit(&mut self, now: Duration, wish: Wish) -> Result<Committed, BenchError> {
        let told = self.with(now, |keeper, lent| {
            let Ok((_, mut told)) = keeper.wish(lent, wish)? else {
                return Ok(Vec::new());
            };
            for commit in published(&told) {
                told.extend(keeper.published(lent, commit, Duration::ZERO)?);
            }
            Ok(told)
        })?;
        let mut committed = Committed::default();
        for one in told {
            match one {
                Told::Publish { bytes, .. } => committed.commit = bytes,
                Told::Welcome { bytes, .. } => committed.welcome = bytes,
                _ => {}
            }
        }
        Ok(committed)
    }

    /// Hears a commit.
    pub(super) fn follow(&mut self, now: Duration, commit: &[u8]) -> Result<(), BenchError> {
        let (_, heard) = self.with(now, |keeper, lent| keeper.hear(lent, commit))?;
        match heard {
            Ok(Heard::Commit(_)) => Ok(()),
            _ => Err(BenchError::Bug("a commit was not taken")),
        }
    }

    /// Says a text; what travels.
    pub(super) fn say(&mut self, now: Duration, text: &str) -> Result<Vec<u8>, BenchError> {
        let said = self.with(now, |keeper, lent| keeper.say(lent, text.as_bytes(), None))?;
        let (bytes, _) = said.map_err(BenchError::bug("a text cannot be said"))?;
        Ok(bytes)
    }

    /// Hears a text.
    pub(super) fn hear(&mut self, now: Duration, said: &[u8]) -> Result<Vec<u8>, BenchError> {
        let (_, heard) = self.with(now, |keeper, lent| keeper.hear(lent, said))?;
        match heard {
            Ok(Heard::Said(said)) => Ok(said.plaintext),
            _ => Err(BenchError::Bug("a text was not heard")),
        }
    }

    /// How many leaves the group has.
    pub(super) fn size(&mut self, now: Duration) -> Result<usize, BenchError> {
        let members = self.with(now, |keeper, lent| keeper.members(lent))?;
        Ok(members.len())
    }
}

fn published(told: &[Told]) -> Vec<CommitHash> {
    let commits = told.iter().filter_map(|one| match one {
        Told::Publish { commit, .. } => Some(*commit),
        _ => None,
    });
    commits.collect()
}

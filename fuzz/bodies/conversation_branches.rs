//! What a group of many says of itself beside MLS, and what its keeper reads back
//! of a disk: the first byte says which.

use hushwing_conversation::branches::{
    AccountId, Crypto, GroupPolicy, Keeper, Lent, Pointer, Succession,
};
use hushwing_conversation::content::Avatar;
use hushwing_conversation::{ConversationId, MemoryStorage, MlsRows as _};
use hushwing_sansio::{Context, Entropy, Moment, Timestamp};

const GROUP: ConversationId = ConversationId([7; 16]);

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

/// The scope in which the keeper's records lie.
pub(crate) fn records() -> Vec<u8> {
    [&[0xB5, 0][..], &GROUP.0].concat()
}

/// A group somebody just founded.
pub(crate) fn founded() -> MemoryStorage {
    let mut rows = MemoryStorage::new();
    let mut dice = Dice(1);
    let mut cx = Context::new(Moment::default(), Timestamp::default(), &mut dice);
    let mut lent = Lent {
        crypto: &Crypto::default(),
        cx: &mut cx,
        rows: &mut rows,
    };
    let me = AccountId::try_from([1; 16].as_slice()).expect("16 bytes are an account");
    let policy = GroupPolicy::of_group(vec![me.clone()], "fuzz");
    let keeper = Keeper::found(&mut lent, GROUP, &me, &policy);
    assert!(keeper.expect("memory does not fail").is_ok());
    rows
}

pub(crate) fn run(data: &[u8]) {
    match data.split_first() {
        Some((0, bytes)) => {
            if let Some(pointer) = Pointer::decode(bytes) {
                assert_eq!(pointer.encode(), bytes);
            }
        }
        Some((1, bytes)) => {
            if let Ok(policy) = GroupPolicy::decode(bytes) {
                assert_eq!(policy.encode().as_deref(), Ok(bytes));
                let _ = Succession::of(&policy);
                let picture = policy.picture().map(<[u8]>::to_vec);
                let avatar = picture.and_then(|picture| Avatar::new(picture).ok());
                let _ = avatar.is_some_and(|avatar| avatar.is_fit());
            }
        }
        Some((255, bytes)) => chain(bytes),
        Some((number, bytes)) => open(number - 1, bytes),
        None => {}
    }
}

/// A founded group hears a chain of two pieces, of which the last looks like a
/// signature if it is long enough.
fn chain(bytes: &[u8]) {
    let mut rows = founded();
    let mut dice = Dice(3);
    let mut cx = Context::new(Moment::default(), Timestamp::default(), &mut dice);
    let mut lent = Lent {
        crypto: &Crypto::default(),
        cx: &mut cx,
        rows: &mut rows,
    };
    let keeper = Keeper::open(&mut lent, GROUP).expect("memory does not fail");
    let mut keeper = keeper.expect("it was founded");
    let (commit, last) = bytes.split_at(bytes.len().saturating_sub(105));
    let heard = keeper.hear_chain(&mut lent, &[commit.to_vec(), last.to_vec()]);
    assert!(heard.expect("memory does not fail").1.is_some());
}

/// Opens a group of which the records with this label read so.
fn open(label: u8, bytes: &[u8]) {
    let mut rows = founded();
    let scope = records();
    let all = rows.mls_scope(&scope).expect("memory does not fail");
    let keys = all.into_iter().filter(|(of, ..)| *of == label);
    let mut keys: Vec<_> = keys.map(|(_, key, _)| key).collect();
    if keys.is_empty() {
        keys = vec![vec![9; 8], vec![9; 32]];
    }
    for key in keys {
        rows.put_mls_row(&scope, label, &key, bytes)
            .expect("memory does not fail");
    }
    let mut dice = Dice(2);
    let mut cx = Context::new(Moment::default(), Timestamp::default(), &mut dice);
    let mut lent = Lent {
        crypto: &Crypto::default(),
        cx: &mut cx,
        rows: &mut rows,
    };
    if let Ok(Some(mut keeper)) = Keeper::open(&mut lent, GROUP) {
        let _ = keeper.tick(&mut lent);
        let _ = keeper.say(&mut lent, b"still here", None);
    }
}

//! Filling a profile as the arrival of messages would.

use std::fs;

use hushwing_conversation::content::{Content, Frame, Lamport, Post, Salt, Stamp, Text};
use hushwing_conversation::search::spaced;
use hushwing_conversation::storage::{
    ContactRecord, MessageKind, MessageRecord, MessageState, MessageTimes, Owed, Position,
    SaidRows as _, Side, Standing,
};
use hushwing_conversation::{ContactId, ConversationId, MessageId, Secret, Storage as _};
use hushwing_daemon::Home;
use hushwing_sansio::Timestamp;
use hushwing_store::ProfileStore;
use hushwing_store::keys::{KeyFile, Role};

use super::CONVERSATIONS;
use crate::BenchError;
use crate::conversation::ready::PROFILE;

/// Messages in one transaction.
const AT_ONCE: u32 = 10_000;
/// When the first was said: 2026-01-01.
const BEGINNING: u64 = 1_767_225_600_000;
/// Words of a text.
const WORDS: u32 = 8;
const SYLLABLES: [&str; 16] = [
    "ba", "ri", "mu", "ke", "lo", "ta", "ni", "so", "bo", "ga", "fe", "du", "pi", "wa", "ze", "ho",
];

/// Opens the database of the profile in a home whose daemon has ended.
pub(super) fn open(home: &Home) -> Result<ProfileStore, BenchError> {
    let master = KeyFile::at(home.key())
        .unlock(None)
        .map_err(BenchError::bug("the home's key cannot be read"))?;
    let folders = fs::read_dir(home.profiles()).map_err(BenchError::system("list profiles"))?;
    let folder = folders.flatten().next();
    let folder = folder.ok_or(BenchError::Bug("the profile has no folder"))?;
    let key = master.derive(Role::Profile, PROFILE);
    ProfileStore::open(&folder.path().join("profile.db"), &key)
        .map_err(BenchError::bug("the profile cannot be opened"))
}

/// Fills it.
pub(super) fn fill(store: &mut ProfileStore, messages: u32) -> Result<(), BenchError> {
    let failed = || |_| BenchError::Bug("the profile cannot be filled");
    store.begin().map_err(failed())?;
    for n in 1..=CONVERSATIONS {
        store.put_contact(&contact(n)).map_err(failed())?;
    }
    // What lies here is in the index from the beginning.
    store
        .put_setting("texts indexed up to contact", &u64::MAX.to_be_bytes())
        .map_err(failed())?;
    for n in 0..messages {
        if n % AT_ONCE == AT_ONCE - 1 {
            store.commit().map_err(failed())?;
            store.begin().map_err(failed())?;
        }
        let text = text(n);
        let record = message(n, &text)?;
        store.add_message(&record).map_err(failed())?;
        store
            .index_text(record.id(), Some(&spaced(&text)))
            .map_err(failed())?;
    }
    store.commit().map_err(failed())
}

fn contact(n: u32) -> ContactRecord {
    let at = Timestamp::from_millis(BEGINNING);
    let mut conversation = [7; 16];
    for (byte, from) in conversation.iter_mut().zip(n.to_be_bytes()) {
        *byte = from;
    }
    ContactRecord {
        id: ContactId(n.into()),
        conversation: ConversationId(conversation),
        side: Side::Joiner,
        standing: Standing::Established,
        name: format!("Contact {n}"),
        verified: None,
        unsecured_start: false,
        signing_key: Secret::new([7; 32]),
        renamed: false,
        addresses: Vec::new(),
        address_revision: 1,
        commit_letter: None,
        invitation: None,
        since: at,
        // No keys are due: there is no group behind these contacts.
        epoch_since: Timestamp::from_secs(4_102_444_800),
    }
}

/// Numbers that fall anywhere.
fn scattered(n: u32, salt: u32) -> u32 {
    let mixed = n
        .wrapping_add(salt.wrapping_mul(0x9E37_79B9))
        .wrapping_mul(0x85EB_CA6B);
    (mixed ^ (mixed >> 13)).wrapping_mul(0xC2B2_AE35)
}

/// Of 4,096 words, each in some 2,000 messages of a million; one in a hundred.
fn text(n: u32) -> String {
    let syllable = |at: u32| {
        SYLLABLES
            .get(at as usize % SYLLABLES.len())
            .copied()
            .unwrap_or("ba")
    };
    let mut words: Vec<String> = (0..WORDS)
        .map(|word| {
            let at = scattered(n, word) >> 8;
            [syllable(at), syllable(at >> 4), syllable(at >> 8)].concat()
        })
        .collect();
    if n.is_multiple_of(10_000) {
        words.push("needle".to_owned());
    }
    words.join(" ")
}

fn message(n: u32, text: &str) -> Result<MessageRecord, BenchError> {
    let lamport = u64::from(n / CONVERSATIONS + 1);
    let sent = Timestamp::from_millis(BEGINNING + u64::from(n) * 1_000);
    let mut id = [1; 32];
    for (at, byte) in id.iter_mut().enumerate().skip(1) {
        *byte = scattered(n, at as u32).to_be_bytes()[0];
    }
    let mut salt = [0; 16];
    salt.copy_from_slice(id.get(..16).unwrap_or(&[0; 16]));
    let words = Text::new(text).map_err(BenchError::bug("no text"))?;
    let content = Content::Post(Post::new(words, None)).compose(Frame {
        salt: Salt(salt),
        stamp: Stamp {
            lamport: Lamport::new(lamport).ok_or(BenchError::Bug("no counter"))?,
            sent,
        },
        expires: None,
    });
    let mine = n.is_multiple_of(3);
    Ok(MessageRecord {
        contact: ContactId(u64::from(n % CONVERSATIONS + 1)),
        position: Position {
            epoch: lamport / 50,
            lamport,
            leaf: u32::from(!mine),
            id: MessageId::from_bytes(&id).map_err(BenchError::bug("no id"))?,
        },
        mine,
        author: None,
        kind: MessageKind::Text,
        target: None,
        sent_at: sent,
        state: MessageState::Read,
        times: MessageTimes::default(),
        owed: Owed::Nothing,
        letter: None,
        sealed_epoch: lamport / 50,
        content: content.map_err(BenchError::bug("no content"))?,
    })
}

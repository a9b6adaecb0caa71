//! Seeds about lists.

use hushwing_conversation::storage::{CopyRecord, ListPostRecord, ListRecord, ListsRecord, Missed};
use hushwing_conversation::{ContactId, ListId};
use hushwing_sansio::Timestamp;

use crate::seeds::Seed;

pub(crate) fn lists() -> Vec<Seed> {
    let records = "conversation_records";
    vec![
        (records, "lists", mine().encode()),
        (records, "list_post", post().encode()),
    ]
}

fn mine() -> ListsRecord {
    ListsRecord {
        lists: vec![ListRecord {
            id: ListId(3),
            name: "Friends".to_owned(),
            contacts: vec![ContactId(1), ContactId(2)],
        }],
    }
}

fn post() -> ListPostRecord {
    let copy = |contact, message, missed| CopyRecord {
        contact: ContactId(contact),
        message,
        told: 1,
        missed,
    };
    ListPostRecord {
        number: 9,
        id: [1; 32],
        list: ListId(3),
        at: Timestamp::from_secs(1_790_000_000),
        revision: 2,
        text: Some("tea at four".to_owned()),
        taken_back: false,
        copies: vec![
            copy(1, Some([1; 32]), None),
            copy(2, None, Some(Missed::Blocked)),
        ],
    }
}

//! How the index of texts is written.

use hushwing_conversation::storage::SaidRows as _;
use hushwing_conversation::{MlsRows as _, Storage as _};

use super::{message, open};

/// What the index gathers is written when the transaction ends, not before: a
/// segment for each text costs pages, and merging them costs more.
#[test]
fn texts_of_one_transaction_make_one_segment_of_the_index() {
    let dir = tempfile::tempdir().unwrap();
    let mut store = open(&dir);
    store.begin().unwrap();
    for n in 0..20 {
        let record = message(n);
        store.add_message(&record).unwrap();
        store.put_mls_row(b"group", 1, b"key", &[n]).unwrap();
        let text = format!("hello number {n}");
        store.index_text(record.id(), Some(&text)).unwrap();
    }
    store.commit().unwrap();
    // How FTS5 numbers the pages of a segment.
    let sql = "SELECT count(DISTINCT id >> 37) FROM texts_data WHERE id > 10";
    let connection = store.database.connection();
    let segments: u32 = connection.query_row(sql, [], |row| row.get(0)).unwrap();
    assert_eq!(segments, 1);
}

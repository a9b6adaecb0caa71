//! Rows of a profile that a disk gives back otherwise than they were written.

use hushwing_conversation::storage::{
    ContactRecord, InvitationRecord, JoinRecord, KeyPackageRecord, MailboxRecord,
};

pub(crate) fn run(data: &[u8]) {
    let _ = ContactRecord::decode(data);
    let _ = InvitationRecord::decode(data);
    let _ = JoinRecord::decode(data);
    let _ = KeyPackageRecord::decode(data);
    let _ = MailboxRecord::decode(data);
}

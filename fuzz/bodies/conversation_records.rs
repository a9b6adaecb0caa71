//! Rows of a profile that a disk gives back otherwise than they were written.

use hushwing_conversation::storage::{
    ChannelRecord, ContactRecord, ConversationRecord, DetourRecord, DevicesRecord, EraRecord,
    ExpectedRecord, FaceRecord, HandingRecord, IdentityRecord, IntroducedRecord,
    IntroductionsRecord, InvitationRecord, JoinRecord, KeyPackageRecord, KinRecord, LackRecord,
    LeavesRecord, ListPostRecord, ListsRecord, LossRecord, MailRecord, MailboxRecord, MemberRecord,
    ModeRecord, MyProfileRecord, OffersRecord, OrphanRecord, PairsRecord, PartedRecord,
    ReaderRecord, RepeatRecord, RoomFollowersRecord, RoomLinkRecord, RoomMeetingRecord, RoomRecord,
    RoomRenewalRecord, RoomReturnRecord, RoomReturnersRecord, RoomRollRecord, SeenRecord,
    StretchRecord, TakingRecord,
};

pub(crate) fn run(data: &[u8]) {
    let _ = ChannelRecord::decode(data);
    let _ = ReaderRecord::decode(data);
    let _ = ContactRecord::decode(data);
    if let Ok(record) = ConversationRecord::decode(data) {
        let _ = (record.disappear_after(), record.pins().count());
    }
    let _ = DetourRecord::decode(data);
    let _ = DevicesRecord::decode(data);
    let _ = EraRecord::decode(data);
    let _ = ExpectedRecord::decode(data);
    let _ = FaceRecord::decode(data);
    let _ = HandingRecord::decode(data);
    let _ = TakingRecord::decode(data);
    let _ = IdentityRecord::decode(data);
    let _ = IntroducedRecord::decode(data);
    let _ = IntroductionsRecord::decode(data);
    let _ = InvitationRecord::decode(data);
    let _ = JoinRecord::decode(data);
    let _ = KeyPackageRecord::decode(data);
    let _ = KinRecord::decode(data);
    let _ = LackRecord::decode(data);
    let _ = LeavesRecord::decode(data);
    if let Ok(mut record) = ListPostRecord::decode(data) {
        let _ = (record.id(), record.waiting().count());
        record.settle();
    }
    let _ = ListsRecord::decode(data);
    let _ = LossRecord::decode(data);
    let _ = MailRecord::decode(data);
    let _ = MailboxRecord::decode(data);
    let _ = ModeRecord::decode(data);
    let _ = MyProfileRecord::decode(data);
    let _ = OffersRecord::decode(data);
    let _ = OrphanRecord::decode(data);
    let _ = PairsRecord::decode(data);
    let _ = PartedRecord::decode(data);
    let _ = MemberRecord::decode(data);
    let _ = RepeatRecord::decode(data);
    let _ = RoomLinkRecord::decode(data);
    let _ = RoomMeetingRecord::decode(data);
    let _ = RoomRenewalRecord::decode(data);
    let _ = RoomRollRecord::decode(data);
    let _ = RoomReturnRecord::decode(data);
    let _ = RoomReturnersRecord::decode(data);
    let _ = RoomFollowersRecord::decode(data);
    let _ = RoomRecord::decode(data);
    if let Ok(record) = SeenRecord::decode(data) {
        let _ = record.position();
    }
    let _ = StretchRecord::decode(data);
}

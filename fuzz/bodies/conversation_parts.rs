//! What stands inside messages of our own kinds has one encoding, besides the
//! names in profiles, which are cleaned where they are read.

use hushwing_conversation::content::{
    AddressUpdate, Avatar, Inquiry, Profile, StretchWord, Timer, Typing, Wish, decode_receipts,
    decode_signed, encode_signed,
};

pub(crate) fn run(data: &[u8]) {
    if let Ok(profile) = Profile::decode(data) {
        assert_eq!(Profile::decode(&profile.encode()), Ok(profile));
    }
    let _ = Avatar::new(data.to_vec()).map(|avatar| avatar.is_fit());
    if let Ok(update) = AddressUpdate::decode(data) {
        assert_eq!(update.encode(), data);
    }
    if let Ok(inquiry) = Inquiry::decode(data) {
        assert_eq!(inquiry.encode(), data);
    }
    if let Ok(timer) = Timer::decode(data) {
        assert_eq!(timer.encode(), data);
    }
    if let Ok(word) = StretchWord::decode(data) {
        assert_eq!(word.encode(), data);
    }
    if let Ok(typing) = Typing::decode(data) {
        assert_eq!(typing.encode(), data);
    }
    if let Ok(wish) = Wish::decode(data) {
        assert_eq!(wish.encode(), data);
    }
    if let Ok(receipts) = decode_signed(data) {
        assert_eq!(encode_signed(&receipts), data);
    }
    let _ = decode_receipts(data);
}

//! A post has one form, whatever it is worth, and so have the key of a channel and what
//! is said about it.

use hushwing_conversation::channel::{MAX_POST, Post, PublicChannelKey};
use hushwing_conversation::content::ChannelWord;

pub(crate) fn run(data: &[u8]) {
    if let Ok(post) = Post::decode(data) {
        assert_eq!(post.encode(), data);
        assert!(data.len() <= MAX_POST);
    }
    if let Ok(bytes) = data.try_into()
        && let Ok(key) = PublicChannelKey::from_bytes(bytes)
    {
        assert_eq!(key.as_bytes(), data);
    }
    let Ok(word) = ChannelWord::decode(data) else {
        return;
    };
    // Cleaning may shorten a name; what is made of it is read as the same again.
    let encoded = word.encode();
    assert!(encoded.len() <= data.len());
    assert_eq!(ChannelWord::decode(&encoded), Ok(word));
}

//! A post has one form, whatever it is worth, and so has the key of a channel.

use hushwing_conversation::channel::{MAX_POST, Post, PublicChannelKey};

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
}

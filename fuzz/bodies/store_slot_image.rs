//! What is sealed in a slot, as a newer program or a fault may have left it.

use hushwing_store::slots::Image;

pub(crate) fn run(data: &[u8]) {
    if let Ok(image) = Image::decode(data) {
        let mut again = vec![0xFF; data.len()];
        image.encode(&mut again).unwrap();
        assert_eq!(again, data);
    }
}

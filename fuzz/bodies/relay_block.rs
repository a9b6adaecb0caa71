//! What stands in a block, as server and as client read it, in every version.

use hushwing_relay::wire::{
    BlockReader, ClientHello, Command, Response, SUPPORTED, ServerHello, Version, transmissions,
};

pub(crate) fn run(data: &[u8]) {
    let mut blocks = 0;
    BlockReader::default().push(data, |_| {
        blocks += 1;
        true
    });
    assert_eq!(blocks, data.len() / hushwing_relay::wire::BLOCK_LEN);
    let _ = ServerHello::parse(data);
    let _ = ClientHello::parse(data);
    for version in (SUPPORTED.min.0..=SUPPORTED.max.0).map(Version) {
        let _ = Command::parse(data, version);
        let _ = Response::parse(data, version);
        for transmission in transmissions(data, version).into_iter().flatten().flatten() {
            let _ = Command::parse(transmission.text, version);
            let _ = Response::parse(transmission.text, version);
        }
    }
}

//! What a leaf signs of a message in a stretch (RFC 9420 sections 5.1.2, 6.1).
//!
//! openmls makes and checks these signatures; this writes down what they cover, so
//! that a transcript can be checked, and forged, without a group.

/// Ours, of which all but these three is fixed by the protocol.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Frame {
    /// The name of the stretch's group.
    pub(super) group: [u8; 16],
    /// The hash of its tree.
    pub(super) tree: [u8; 48],
    /// The hash of the commit that began it.
    pub(super) begun: [u8; 48],
}

/// Version byte of the authenticated data.
const SAID_IN: u8 = 1;
const MLS_10: [u8; 2] = [0, 1];
const SUITE: [u8; 2] = [0, 0x4E];
const SUITE_NAME_EXTENSION: [u8; 2] = [0xF4, 0x8A];
const SUITE_NAME: &[u8] = b"MLS_128_MLKEM768X25519_AES256GCM_SHA384_Ed25519";
/// The only epoch of a stretch.
const EPOCH: u64 = 1;
const PRIVATE_MESSAGE: [u8; 2] = [0, 2];
const MEMBER: u8 = 1;
const APPLICATION: u8 = 1;
const LABEL: &[u8] = b"MLS 1.0 FramedContentTBS";

impl Frame {
    /// The bytes a leaf signs when it says `content`, in `epoch` of the
    /// conversation.
    pub(super) fn signed(&self, leaf: u8, epoch: u64, content: &[u8]) -> Vec<u8> {
        let mut tbs = Vec::with_capacity(content.len() + 320);
        tbs.extend(MLS_10);
        tbs.extend(PRIVATE_MESSAGE);
        put(&mut tbs, &self.group);
        tbs.extend(EPOCH.to_be_bytes());
        tbs.push(MEMBER);
        tbs.extend(u32::from(leaf).to_be_bytes());
        put(
            &mut tbs,
            &[&[SAID_IN], epoch.to_be_bytes().as_slice()].concat(),
        );
        tbs.push(APPLICATION);
        put(&mut tbs, content);
        tbs.extend(self.context());
        let mut signed = Vec::with_capacity(tbs.len() + 32);
        put(&mut signed, LABEL);
        put(&mut signed, &tbs);
        signed
    }

    /// The group context.
    pub(super) fn context(&self) -> Vec<u8> {
        let mut context = Vec::new();
        context.extend(MLS_10);
        context.extend(SUITE);
        put(&mut context, &self.group);
        context.extend(EPOCH.to_be_bytes());
        put(&mut context, &self.tree);
        put(&mut context, &self.begun);
        let mut extension = SUITE_NAME_EXTENSION.to_vec();
        put(&mut extension, SUITE_NAME);
        put(&mut context, &extension);
        context
    }
}

/// Bytes behind their length as RFC 9420 section 2.1.2 writes it.
fn put(to: &mut Vec<u8>, bytes: &[u8]) {
    // No message is near the 2^30 bytes that have no length here.
    let length = u32::try_from(bytes.len()).unwrap_or(u32::MAX);
    let [.., third, low] = length.to_be_bytes();
    match length {
        0..0x40 => to.push(low),
        0x40..0x4000 => to.extend([0x40 | third, low]),
        _ => to.extend((0x8000_0000 | length).to_be_bytes()),
    }
    to.extend_from_slice(bytes);
}

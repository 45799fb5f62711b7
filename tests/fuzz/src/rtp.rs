//! RTP packets.

use plugboard_media::rtp::Header;

/// The bytes are a packet.
///
/// # Panics
/// When the payload is not within the packet, or a packet made of header and payload reads otherwise.
pub fn rtp(bytes: &[u8]) {
    let Some(header) = Header::parse(bytes) else { return };
    let payload = bytes.get(header.payload.clone());
    assert!(payload.is_some(), "{header:?} of {}", bytes.escape_ascii());
    let made = header.packet(payload.unwrap_or_default());
    let read = Header::parse(&made);
    let same = read.as_ref().is_some_and(|read| Header { payload: read.payload.clone(), ..header.clone() } == *read);
    assert!(same && read.and_then(|read| made.get(read.payload)) == payload, "{header:?}");
    let mut copy = bytes.to_vec();
    header.rewrite(&mut copy);
    assert_eq!(copy, bytes);
}

//! UDPTL, datagram by datagram.

use plugboard_media::udptl::{Datagram, Receiver};

/// Datagrams, each after its length.
///
/// # Panics
/// When one that was read is written otherwise than it reads, or a packet is given twice or out of order.
pub fn udptl(bytes: &[u8]) {
    let (mut receiver, mut last, mut rest) = (Receiver::default(), None::<u16>, bytes);
    while let Some((length, after)) = rest.split_first() {
        let (datagram, next) = after.split_at(after.len().min(usize::from(*length)));
        rest = next;
        if let Ok(read) = Datagram::parse(datagram) {
            let written = read.write();
            assert_eq!(Datagram::parse(&written).as_ref(), Ok(&read), "{}", datagram.escape_ascii());
        }
        for (number, _) in receiver.take(datagram).unwrap_or_default() {
            let step = last.map_or(1, |last| i32::from(number.wrapping_sub(last).cast_signed()));
            // A sender that counts anew jumps far, and nobody else.
            assert!(!(-900..=0).contains(&step), "{number} after {last:?}");
            last = Some(number);
        }
    }
}

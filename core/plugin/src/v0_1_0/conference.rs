//! Capability `conference`.

use super::bindings::plugboard::switch::conference as wit;
use super::words;
use crate::guest::{Guest, wrong_answer};
use plugboard_model::{ConferenceEnd, ConferenceRequest, HostCall, HostResult, NotJoined};

/// The longest name of a room.
const ROOM_BYTES_MAX: usize = 64;

impl wit::Host for Guest {
    async fn join(&mut self, room: String, seat: wit::Seat) -> wasmtime::Result<Result<wit::Left, wit::NotJoined>> {
        let request = match request(room, seat) {
            Ok(request) => request,
            Err(fault) => return Ok(Err(wit::NotJoined::Invalid(fault))),
        };
        let HostResult::Conferred(conferred) = self.ask(HostCall::JoinConference(request)).await? else {
            return Err(wrong_answer("conference.join"));
        };
        Ok(conferred
            .map(|end| match end {
                ConferenceEnd::Key => wit::Left::Key,
                ConferenceEnd::TimeOver => wit::Left::TimeOver,
            })
            .map_err(|why| match why {
                NotJoined::Full => wit::NotJoined::Full,
                NotJoined::CallerGone => wit::NotJoined::CallerGone,
                NotJoined::Talking => wit::NotJoined::Talking,
                NotJoined::NoMedia(reason) => wit::NotJoined::NoMedia(reason),
                NotJoined::Invalid(which) => wit::NotJoined::Invalid(which),
            }))
    }
}

fn request(room: String, seat: wit::Seat) -> Result<ConferenceRequest, String> {
    let in_name = |byte: u8| matches!(byte, b'a'..=b'z' | b'0'..=b'9' | b'-');
    if !(1..=ROOM_BYTES_MAX).contains(&room.len()) || !room.bytes().all(in_name) {
        return Err(format!("the room {} is not 1 to {ROOM_BYTES_MAX} of a-z 0-9 -", words::cut(&room)));
    }
    if let Some(key) = seat.leave_on.filter(|key| !matches!(key, '0'..='9' | '*' | '#' | 'A'..='D')) {
        return Err(format!("leave-on {key:?} is none of 0-9 * # A-D"));
    }
    Ok(ConferenceRequest {
        room,
        listens: seat.listens,
        seats_max: words::in_range("seats-max", seat.seats_max, 2..=256)?,
        max_ms: words::in_range("max-ms", seat.max_ms, 1_000..=43_200_000)?,
        leave_on: seat.leave_on,
        beep: seat.beep,
    })
}

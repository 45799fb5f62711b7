//! The call's anchor in a room with others, of this shard or another.

use actix::Context;
use plugboard_call::Input;
use plugboard_media::{Command as MediaCommand, MediaLeg, PlayId, PlayOptions, Role};
use plugboard_model::{ConferenceRequest, LegId, NotJoined, Tone};

use super::CallActor;

/// What is played in a room for all that happens there is no play of the calls whose legs hear it: they count theirs from zero.
const BEEP: PlayId = PlayId(u64::MAX);
const ALONE: PlayId = PlayId(u64::MAX - 1);

/// Who is in a room, and whether the others hear him come and go.
pub(super) struct Seat {
    entry: crate::rooms::Entry,
    media: MediaLeg,
    beep: bool,
}

impl CallActor {
    pub(super) fn sit(&mut self, leg: LegId, seat: &ConferenceRequest, ctx: &mut Context<Self>) {
        let Some(media) = self.media_of(leg) else {
            let why = NotJoined::NoMedia("the leg has no media".into());
            return self.feed(Input::NotSeated(why), ctx);
        };
        if self.sits_as_supervisor(media) {
            return;
        }
        let Some((entry, room, others)) = self.snapshot.rooms.enter(&self.office.id, &seat.room, media, seat.seats_max)
        else {
            return self.feed(Input::NotSeated(NotJoined::Full), ctx);
        };
        let role = if seat.listens { Role::Listens } else { Role::Talks };
        self.to_media(MediaCommand::Sit { leg: media, room, role, partner: None });
        match others.as_slice() {
            [] => self.play_alone(media),
            [alone] => self.to_media(MediaCommand::StopPlay { leg: *alone, id: ALONE }),
            [..] => {}
        }
        if seat.beep {
            self.beep(&others);
        }
        self.seat = Some(Seat { entry, media, beep: seat.beep });
    }

    pub(super) fn stand(&mut self, leg: LegId, ctx: &Context<Self>) {
        if self.seat.is_none() {
            if let Some(media) = self.media_of(leg) {
                self.to_media(MediaCommand::Stand { leg: media });
            }
            return self.stops_supervising(ctx);
        }
        let Some(Seat { entry, media, beep }) = self.seat.take() else { return };
        let others = entry.others();
        drop(entry);
        self.to_media(MediaCommand::StopPlay { leg: media, id: ALONE });
        self.to_media(MediaCommand::Stand { leg: media });
        match others.as_slice() {
            [alone] => self.play_alone(*alone),
            [..] if beep => self.beep(&others),
            [..] => {}
        }
    }

    fn beep(&self, others: &[MediaLeg]) {
        for leg in others {
            let (audio, options) = (self.tone(Tone::Beep), PlayOptions::default());
            self.to_media(MediaCommand::Play { leg: *leg, id: BEEP, audio, options });
        }
    }

    /// Who is alone hears the music that those on hold hear.
    fn play_alone(&self, leg: MediaLeg) {
        let options = PlayOptions { repeat: true, ..PlayOptions::default() };
        self.to_media(MediaCommand::Play { leg, id: ALONE, audio: self.music_on_hold(), options });
    }
}

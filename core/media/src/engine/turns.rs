//! Who has work each 20 ms: legs that something is played to, and those that are unpacked.

use crate::codec::FRAME_MS;
use crate::command::MediaLeg;
use plugboard_model::Time;
use std::time::Duration;

/// Playing legs take turns within a frame's time, so that a thousand prompts are no burst on every 20th millisecond.
const TURNS: usize = 4;

/// The time between two turns.
const TURN: Duration = Duration::from_millis(FRAME_MS / 4);

/// Who plays, by turn.
#[derive(Debug, Default)]
pub(super) struct Turns {
    players: [Vec<MediaLeg>; TURNS],
    turn: usize,
    pub(super) at: Time,
}

impl Turns {
    const fn of(leg: MediaLeg) -> usize {
        leg.slot() % TURNS
    }

    pub(super) fn is_idle(&self) -> bool {
        self.players.iter().all(Vec::is_empty)
    }

    pub(super) fn player(&self, index: usize) -> Option<MediaLeg> {
        self.players.get(self.turn)?.get(index).copied()
    }

    /// A leg gets its turn each 20 ms from now on; a second time changes nothing.
    pub(super) fn join(&mut self, now: Time, leg: MediaLeg) {
        if self.is_idle() {
            self.at = now;
            self.turn = Self::of(leg);
        }
        if let Some(players) = self.players.get_mut(Self::of(leg))
            && !players.contains(&leg)
        {
            players.push(leg);
        }
    }

    pub(super) fn leave(&mut self, leg: MediaLeg) {
        if let Some(players) = self.players.get_mut(Self::of(leg))
            && let Some(place) = players.iter().position(|player| *player == leg)
        {
            players.swap_remove(place);
        }
    }

    /// The next turn begins.
    pub(super) fn pass(&mut self) {
        self.turn = (self.turn + 1) % TURNS;
        self.at = self.at + TURN;
    }

    /// When the next turn that has players is.
    pub(super) fn next(&self) -> Option<Time> {
        (0..TURNS).zip(0_u32..).find_map(|(ahead, times)| {
            let players = self.players.get((self.turn + ahead) % TURNS)?;
            (!players.is_empty()).then_some(self.at + TURN * times)
        })
    }
}

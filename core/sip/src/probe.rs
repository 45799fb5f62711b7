//! Whether a peer answers: when to ask it by OPTIONS, and what its answers and its silence mean. Sans-IO.
//!
//! Source: RFC 3261 section 11 (OPTIONS); the counts are the admin's.

use plugboard_model::Time;
use std::time::Duration;

/// How a peer is probed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Probing {
    /// From one question to the next.
    pub every: Duration,
    /// So many without an answer in a row, and it is down.
    pub down_after: u32,
    /// So many answers in a row, and it is up again.
    pub up_after: u32,
}

/// What a probe is told.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Input {
    /// A final answer came. Any is a sign of life, but 408 and 503: a proxy says those of a peer behind it, and 503 is how
    /// one that is to be left alone says so.
    Answered(u16),
    /// No answer, for this reason.
    Silent(String),
    /// [`Probe::poll_timeout`] is reached.
    Tick,
}

/// What a probe wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Output {
    /// Send an OPTIONS.
    Ask,
    /// It is up again.
    Up,
    /// It is down, for this reason.
    Down(String),
}

/// Watches one peer. It is taken to be up until it is shown not to be, so that a start does not refuse calls.
#[derive(Debug)]
pub struct Probe {
    probing: Probing,
    state: State,
    ask_at: Time,
    outbox: std::collections::VecDeque<Output>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
enum State {
    Up { missed: u32 },
    Down { answered: u32 },
}

impl Probe {
    /// The first question is asked after `delay`, so that not all peers are asked in one instant.
    pub fn new(now: Time, probing: Probing, delay: Duration) -> Self {
        let ask_at = now + delay.min(probing.every);
        Self { probing, state: State::Up { missed: 0 }, ask_at, outbox: std::collections::VecDeque::new() }
    }

    /// Takes one input.
    pub fn handle(&mut self, now: Time, input: Input) {
        let reason = match input {
            Input::Tick => {
                if now >= self.ask_at {
                    self.ask_at = now + self.probing.every;
                    self.outbox.push_back(Output::Ask);
                }
                return;
            }
            Input::Answered(status @ (408 | 503)) => Some(format!("it answers {status}")),
            Input::Answered(_) => None,
            Input::Silent(reason) => Some(reason),
        };
        self.state = match (&self.state, reason) {
            (State::Up { .. }, None) => State::Up { missed: 0 },
            (State::Up { missed }, Some(reason)) => {
                let missed = missed + 1;
                if missed >= self.probing.down_after {
                    self.outbox.push_back(Output::Down(reason));
                    State::Down { answered: 0 }
                } else {
                    State::Up { missed }
                }
            }
            (State::Down { answered }, None) => {
                let answered = answered + 1;
                if answered >= self.probing.up_after {
                    self.outbox.push_back(Output::Up);
                    State::Up { missed: 0 }
                } else {
                    State::Down { answered }
                }
            }
            (State::Down { .. }, Some(_)) => State::Down { answered: 0 },
        };
    }

    /// What it wants.
    pub fn poll_output(&mut self) -> Option<Output> {
        self.outbox.pop_front()
    }

    /// When to say [`Input::Tick`].
    pub const fn poll_timeout(&self) -> Time {
        self.ask_at
    }

    /// Whether calls may go there.
    pub const fn is_up(&self) -> bool {
        matches!(self.state, State::Up { .. })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const PROBING: Probing = Probing { every: Duration::from_secs(30), down_after: 2, up_after: 3 };

    fn told(probe: &mut Probe, input: Input) -> Vec<Output> {
        probe.handle(Time::ZERO, input);
        std::iter::from_fn(|| probe.poll_output()).collect()
    }

    #[test]
    fn it_is_asked_at_its_times() {
        let mut probe = Probe::new(Time::ZERO, PROBING, Duration::from_secs(3));
        let mut asked = Vec::new();
        while probe.poll_timeout() <= Time::ZERO + Duration::from_secs(70) {
            let now = probe.poll_timeout();
            probe.handle(now, Input::Tick);
            assert_eq!(probe.poll_output(), Some(Output::Ask));
            asked.push(now.since(Time::ZERO).as_secs());
        }
        assert_eq!(asked, [3, 33, 63]);
    }

    #[test]
    fn so_many_misses_in_a_row_are_down_and_so_many_answers_up() {
        let mut probe = Probe::new(Time::ZERO, PROBING, Duration::ZERO);
        let silent = || Input::Silent("nothing came".into());
        assert_eq!(told(&mut probe, silent()), []);
        assert_eq!(told(&mut probe, Input::Answered(404)), [], "any answer is a sign of life");
        assert_eq!(told(&mut probe, silent()), []);
        assert!(probe.is_up());
        assert_eq!(told(&mut probe, Input::Answered(503)), [Output::Down("it answers 503".into())]);
        assert!(!probe.is_up());
        assert_eq!(told(&mut probe, Input::Answered(200)), []);
        assert_eq!(told(&mut probe, Input::Answered(200)), []);
        assert_eq!(told(&mut probe, silent()), [], "told once");
        for _ in 0..2 {
            assert_eq!(told(&mut probe, Input::Answered(200)), []);
        }
        assert_eq!(told(&mut probe, Input::Answered(200)), [Output::Up]);
        assert!(probe.is_up());
    }
}

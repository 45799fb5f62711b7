//! Answers to 401 and 407.

use super::{Login, Session};
use crate::digest::{Challenge, Signed};
use crate::message::Response;
use std::fmt::Write as _;

/// How often one request is tried: once without, once with the password, once more when the nonce was stale.
pub(super) const TRIES_MAX: u8 = 3;

/// A name and password, and the last challenge that they answered.
#[derive(Debug)]
pub(crate) struct LoginState {
    login: Login,
    nonce: String,
    nc: u32,
}

impl LoginState {
    pub(crate) fn new(login: Login) -> Self {
        Self { login, nonce: String::new(), nc: 0 }
    }

    /// The header that answers the challenge in `response`; `None` when there is no challenge that can be answered, or
    /// `tries` says that the password is wrong (a challenge not stale after an answer).
    pub(crate) fn credentials(
        &mut self,
        response: &Response,
        request: Signed<'_>,
        tries: u8,
        cnonce: &str,
    ) -> Option<(&'static str, String)> {
        let (asks, answers) = match response.status {
            401 => ("WWW-Authenticate", "Authorization"),
            407 => ("Proxy-Authenticate", "Proxy-Authorization"),
            _ => return None,
        };
        let challenge = Challenge::pick(response.headers.get_all(asks))?;
        if tries >= TRIES_MAX || (tries > 1 && !challenge.stale) {
            return None;
        }
        if self.nonce != challenge.nonce {
            self.nonce.clone_from(&challenge.nonce);
            self.nc = 0;
        }
        self.nc = self.nc.saturating_add(1);
        let Login { user, password } = &self.login;
        Some((answers, challenge.answer(user, password, request, cnonce, self.nc)))
    }
}

impl Session {
    /// As [`LoginState::credentials`]; `None` also when there is no password.
    pub(super) fn credentials(
        &mut self,
        response: &Response,
        request: Signed<'_>,
        tries: u8,
    ) -> Option<(&'static str, String)> {
        let cnonce = self.random_token(tries);
        self.login.as_mut()?.credentials(response, request, tries, &cnonce)
    }

    /// A number that depends on the session's random one and on how far it is.
    pub(super) fn random(&self, salt: u64) -> u64 {
        // SplitMix64: it spreads; what must not be guessed rests on the random number itself.
        let mut z = self.local.random ^ (u64::from(self.next_seq) << 8 | salt).wrapping_mul(0x9e37_79b9_7f4a_7c15);
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    fn random_token(&self, tries: u8) -> String {
        let mut token = String::with_capacity(16);
        // Writing to a String cannot fail.
        let _ = write!(token, "{:016x}", self.random(u64::from(tries)));
        token
    }
}

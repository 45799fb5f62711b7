//! A leg whose keys stood in the descriptions.

use crate::packets::{Opener, Sealer};
use plugboard_media::{Guard, Kind, MasterKey, NotOpened, Protection, Shake, Suite};
use plugboard_model::Time;

/// More suites than there are.
const RESTED_MAX: usize = 8;

/// What seals and opens for it.
#[derive(Debug)]
pub(crate) struct Keyed {
    suite: Suite,
    send: MasterKey,
    sealer: Sealer,
    /// Of suites that were agreed on before: no key is ever counted from its beginning twice.
    rested: Vec<(Suite, MasterKey, Sealer)>,
    rtp: Opener,
    rtcp: Opener,
}

impl Keyed {
    pub(crate) fn new(suite: Suite, send: MasterKey, receive: MasterKey) -> Option<Self> {
        let sealer = Sealer::new(suite, &send)?;
        let (rtp, rtcp) = (Opener::new(Kind::Rtp, suite, receive)?, Opener::new(Kind::Rtcp, suite, receive)?);
        Some(Self { suite, send, sealer, rested: Vec::new(), rtp, rtcp })
    }
}

impl Guard for Keyed {
    fn seal(&mut self, kind: Kind, buffer: &mut [u8], length: usize) -> Option<usize> {
        self.sealer.seal(kind, buffer, length)
    }

    fn open(&mut self, kind: Kind, buffer: &mut [u8], length: usize) -> Result<usize, NotOpened> {
        match kind {
            Kind::Rtp => self.rtp.open(buffer, length),
            Kind::Rtcp => self.rtcp.open(buffer, length),
        }
    }

    fn renew(&mut self, protection: &Protection) -> bool {
        let Protection::Sdes { suite, send, receive } = *protection else { return false };
        if (suite, send) != (self.suite, self.send) {
            let rested = self.rested.iter().position(|(of, key, _)| (*of, *key) == (suite, send));
            let sealer = match rested {
                Some(place) => self.rested.swap_remove(place).2,
                // Our keys are one a suite for the whole life of a leg.
                None if self.rested.len() >= RESTED_MAX => return false,
                None => {
                    let Some(sealer) = Sealer::new(suite, &send) else { return false };
                    sealer
                }
            };
            let before = std::mem::replace(&mut self.sealer, sealer);
            self.rested.push((self.suite, self.send, before));
            (self.suite, self.send) = (suite, send);
        }
        if !self.rtp.has(suite, &receive) {
            let next = self.rtp.rekeyed(suite, receive).zip(self.rtcp.rekeyed(suite, receive));
            let Some((rtp, rtcp)) = next else { return false };
            (self.rtp, self.rtcp) = (rtp, rtcp);
        }
        true
    }

    fn shake(&mut self, _: Time, _: Kind, _: &[u8]) {}

    fn poll(&mut self, _: Time) -> Option<Shake> {
        None
    }

    fn is_heard(&self) -> bool {
        true
    }

    fn suite(&self) -> Option<Suite> {
        Some(self.suite)
    }
}

//! Audio that is ready to be sent: G.711 in both laws, prepared once, shared by every call that plays it.

use crate::codec::CLOCK_RATE;
use crate::g711::{self, Law};
use std::fmt;
use std::sync::Arc;
use std::time::Duration;

/// A prompt, a tone or a piece of music. Cheap to clone.
#[derive(Clone, PartialEq, Eq)]
pub struct Audio(Arc<Laws>);

#[derive(PartialEq, Eq)]
struct Laws {
    pcmu: Box<[u8]>,
    pcma: Box<[u8]>,
}

impl Audio {
    /// From linear samples at 8 kHz.
    pub fn from_linear(samples: &[i16]) -> Self {
        Self(Arc::new(Laws {
            pcmu: samples.iter().map(|sample| g711::encode(Law::Mu, *sample)).collect(),
            pcma: samples.iter().map(|sample| g711::encode(Law::A, *sample)).collect(),
        }))
    }

    /// From one law's bytes at 8 kHz; the other law is made by table.
    pub fn from_g711(law: Law, bytes: &[u8]) -> Self {
        let mut other = bytes.to_vec();
        g711::transcode(law, &mut other);
        let (own, other): (Box<[u8]>, Box<[u8]>) = (bytes.into(), other.into());
        Self(Arc::new(match law {
            Law::Mu => Laws { pcmu: own, pcma: other },
            Law::A => Laws { pcmu: other, pcma: own },
        }))
    }

    /// A moment of silence, to be repeated.
    pub fn silence() -> Self {
        /// As long as a packet, so that nothing is kept for it.
        const SAMPLES: usize = 160;
        Self::from_linear(&[0; SAMPLES])
    }

    /// The bytes in one law, one a sample.
    pub fn bytes(&self, law: Law) -> &[u8] {
        match law {
            Law::Mu => &self.0.pcmu,
            Law::A => &self.0.pcma,
        }
    }

    /// How many samples.
    pub fn len(&self) -> usize {
        self.0.pcmu.len()
    }

    /// There is nothing to hear.
    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// How long it plays.
    pub fn duration(&self) -> Duration {
        Duration::from_micros(
            u64::try_from(self.len()).unwrap_or(u64::MAX).saturating_mul(1_000_000 / u64::from(CLOCK_RATE)),
        )
    }

    /// What it costs in memory.
    pub fn size_bytes(&self) -> usize {
        self.len().saturating_mul(2)
    }
}

impl fmt::Debug for Audio {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Audio({:?})", self.duration())
    }
}

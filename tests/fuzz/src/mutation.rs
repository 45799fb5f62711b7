//! Damage from a seed: the same on every machine, so that a failure comes again.

/// Texts that mean something to the readers of SIP and of what it carries.
pub const SIP_WORDS: &[&[u8]] = &[
    b"\r\n",
    b"\n",
    b"\r\n\r\n",
    b"\r\n ",
    b"\t",
    b" ",
    b":",
    b";",
    b",",
    b"\"",
    b"\\",
    b"<",
    b">",
    b"@",
    b"%",
    b"%00",
    b"[",
    b"]",
    b"=",
    b"?",
    b"*",
    b"\0",
    b"\xff",
    b"\xc3\xa9",
    b"SIP/2.0",
    b"sip:",
    b"tel:",
    b"Via: SIP/2.0/UDP h;branch=z9hG4bKx\r\n",
    b"l: 0\r\n",
    b"Content-Length: 99999999999999999999\r\n",
    b"CSeq: 1 INVITE\r\n",
    b"i:",
    b"4294967296",
    b"-1",
    b"[::1]",
    b";branch=",
    b";received=",
    b";rport",
    b"<sip:a@h;lr>",
    b"z9hG4bK",
    b"Contact: *\r\n",
];

/// xorshift64*: enough to damage messages.
#[derive(Debug)]
pub struct Dice(u64);

impl Dice {
    /// From a seed; 0 is taken as 1.
    pub const fn new(seed: u64) -> Self {
        Self(if seed == 0 { 1 } else { seed })
    }

    /// 64 bits.
    pub const fn roll(&mut self) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        self.0.wrapping_mul(0x2545_f491_4f6c_dd1d)
    }

    /// Below `limit`; 0 when that is 0.
    pub fn below(&mut self, limit: usize) -> usize {
        let limit = u64::try_from(limit.max(1)).unwrap_or(1);
        usize::try_from(self.roll() % limit).unwrap_or(0)
    }

    /// One of them; nothing of nothing.
    pub fn one_of<'a>(&mut self, all: &[&'a [u8]]) -> &'a [u8] {
        let place = self.below(all.len());
        all.get(place).copied().unwrap_or_default()
    }
}

/// One of the seeds with one to five wounds: bytes changed, taken out, doubled, cut off, grafted from another seed, and words
/// put in that mean something to the parser.
pub fn damage(dice: &mut Dice, seeds: &[&[u8]], words: &[&[u8]]) -> Vec<u8> {
    let mut bytes = dice.one_of(seeds).to_vec();
    for _ in 0..=dice.below(4) {
        let at = dice.below(bytes.len() + 1);
        let end = (at + dice.below(20)).min(bytes.len());
        let kind = dice.below(7);
        match (kind, bytes.get_mut(at)) {
            (0, Some(byte)) => *byte = dice.roll().to_le_bytes()[0],
            (1, Some(byte)) => *byte ^= 1 << dice.below(8),
            (2, _) => drop(bytes.drain(at..end)),
            (3, _) => {
                let copy: Vec<u8> = bytes.get(at..end).unwrap_or_default().to_vec();
                let to = dice.below(bytes.len() + 1);
                bytes.splice(to..to, copy);
            }
            (4, _) => {
                let other = dice.one_of(seeds);
                let from = dice.below(other.len());
                bytes.truncate(at);
                bytes.extend_from_slice(other.get(from..).unwrap_or_default());
            }
            (5, _) => bytes.truncate(at),
            (_, _) => {
                let word = dice.one_of(words);
                bytes.splice(at..at, word.iter().copied());
            }
        }
    }
    bytes
}

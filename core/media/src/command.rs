//! What the media plane is told, and what it tells.

use crate::audio::Audio;
use crate::browser::BrowserAgreed;
use crate::codec::{Codec, Flow};
use crate::fax::Fax;
use crate::image::Image;
use crate::offer_answer::Negotiated;
use crate::reports::Told;
use crate::room::{Role, Room};
use crate::security::{Protection, Suite};
use crate::tape::Tape;
use std::fmt;
use std::net::SocketAddr;
use std::time::Duration;

/// One leg's media: a place in one shard. Ids are not used again soon: a late command for a closed leg finds nobody.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct MediaLeg(pub u64);

impl MediaLeg {
    /// Generations wrap here; an old command would have to wait through 16 million calls on one slot.
    const GENERATION_MASK: u32 = 0x00FF_FFFF;

    /// The leg of a shard's slot; `generation` counts the slot's uses.
    pub const fn new(shard: u8, slot: u32, generation: u32) -> Self {
        // `u64::from` is not const yet; widening cannot lose anything.
        Self(((shard as u64) << 56) | (((generation & Self::GENERATION_MASK) as u64) << 32) | slot as u64)
    }

    /// Which media thread carries it.
    pub const fn shard(self) -> u8 {
        self.0.to_be_bytes()[0]
    }

    /// The index within the shard.
    pub const fn slot(self) -> usize {
        (self.0 & 0xFFFF_FFFF) as usize
    }
}

impl fmt::Debug for MediaLeg {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "media-{}.{}.{}", self.shard(), self.slot(), (self.0 >> 32) & u64::from(Self::GENERATION_MASK))
    }
}

/// Names one [`Command::Play`] of a leg; the caller counts them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct PlayId(pub u64);

/// How long to play.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct PlayOptions {
    /// Ends with [`PlayEnd::TimeOver`]; `None`: at the audio's end, or never when it repeats.
    pub max: Option<Duration>,
    /// Begin again at the end.
    pub repeat: bool,
    /// Ends with [`PlayEnd::Stopped`] as soon as the leg that this one is bridged to is heard.
    pub yields: bool,
    /// It is no part of the talk: on a tape there is silence in its place.
    pub aside: bool,
}

/// Whether keys are listened for in the audio itself.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeysByEar {
    /// Where the far end did not agree on telephone-event.
    #[default]
    Auto,
    /// Always.
    On,
    /// Never.
    Off,
}

/// How a leg is told of its peer's keys.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum KeyForm {
    /// As telephone-event where the far end takes it, else as tones.
    #[default]
    Auto,
    /// As tones.
    Tones,
    /// By whoever speaks with it: [`Event::KeyToSignal`].
    Signalled,
}

/// A request to the media plane. A command for a leg that is closed does nothing.
#[derive(Debug, Clone, PartialEq)]
pub enum Command {
    /// Where the far end is and what was agreed. Learning of the source starts anew.
    SetRemote {
        /// The leg.
        leg: MediaLeg,
        /// The result of the offer and answer.
        negotiated: Negotiated,
    },
    /// What a browser's leg agreed on beside codecs; before its [`Command::SetRemote`].
    SetBrowser {
        /// The leg.
        leg: MediaLeg,
        /// The result of the offer and answer.
        agreed: Box<BrowserAgreed>,
    },
    /// How the leg's packets are protected, from now on; to be told before [`Command::SetRemote`]. The same again changes nothing. `None`:
    /// not at all. Answer: [`Event::Secured`] as soon as there are keys from a handshake, or [`Event::NotSecured`].
    Protect {
        /// The leg.
        leg: MediaLeg,
        /// What was agreed.
        protection: Option<Box<Protection>>,
    },
    /// Connects two legs of one shard. A leg that was bridged to another is taken from it.
    Bridge {
        /// One leg.
        a: MediaLeg,
        /// The other leg.
        b: MediaLeg,
    },
    /// Takes a leg and its peer apart.
    Unbridge {
        /// Either leg.
        leg: MediaLeg,
    },
    /// Plays to a leg, in place of its peer's audio. Ends what played before with [`PlayEnd::Stopped`].
    ///
    /// Begins when the far end's address is known. Answer: [`Event::PlayEnded`], exactly one.
    Play {
        /// The leg that hears it.
        leg: MediaLeg,
        /// Comes back in the event.
        id: PlayId,
        /// What.
        audio: Audio,
        /// How long.
        options: PlayOptions,
    },
    /// Stops what plays, if it is this one.
    StopPlay {
        /// The leg.
        leg: MediaLeg,
        /// Which one.
        id: PlayId,
    },
    /// Sends a leg's audio back to it. A bridge and a playing prompt go before.
    Echo {
        /// The leg.
        leg: MediaLeg,
        /// On or off.
        on: bool,
    },
    /// Takes a seat in a room: the leg hears the others who sit there, on whatever media thread. Taken anew with another role, or in
    /// another room; taken from its peer if it has one.
    Sit {
        /// The leg.
        leg: MediaLeg,
        /// Where.
        room: Room,
        /// As what.
        role: Role,
        /// Who gets the keys that are pressed at the leg, where it sits beside one whom it talks to.
        partner: Option<MediaLeg>,
    },
    /// Gives a leg to a fax machine, until [`Command::Stand`]: it is taken from its peer, and what it says nobody else hears.
    /// Answer: [`Event::FaxOver`], unless it stands up before.
    Fax {
        /// The leg.
        leg: MediaLeg,
        /// The machine.
        fax: Fax,
    },
    /// Leaves the room, or the fax machine.
    Stand {
        /// The leg.
        leg: MediaLeg,
    },
    /// A leg speaks T.38 over UDPTL from now on, with this far end, until [`Command::SetRemote`]: its datagrams go to its peer as they
    /// are, where that speaks T.38 as well, or to its fax machine.
    SetImage {
        /// The leg.
        leg: MediaLeg,
        /// The far end.
        image: Image,
    },
    /// Listens in a leg's audio for the tone of a fax machine that calls. Answer: [`Event::FaxHeard`], each time.
    HearFax {
        /// The leg.
        leg: MediaLeg,
        /// Or no longer.
        on: bool,
    },
    /// Narrows the agreed flow from our side (hold); [`Flow::SendRecv`] narrows nothing.
    SetFlow {
        /// The leg.
        leg: MediaLeg,
        /// What we allow.
        flow: Flow,
    },
    /// Begins to count a leg's silence anew: from now on it should be heard again.
    Listen {
        /// The leg.
        leg: MediaLeg,
    },
    /// How keys come from a leg and go to it.
    SetKeys {
        /// The leg.
        leg: MediaLeg,
        /// Whether they are listened for in its audio.
        hear: KeysByEar,
        /// How it is told of its peer's.
        send: KeyForm,
    },
    /// Gives what a leg says to one more tape, for a message of its own, or to none any more.
    Dictate {
        /// The leg.
        leg: MediaLeg,
        /// The tape.
        tape: Option<Tape>,
    },
    /// Gives what a leg says and hears to a tape, or to none any more. A tape that it had is told so.
    Record {
        /// The leg.
        leg: MediaLeg,
        /// The tape.
        tape: Option<Tape>,
    },
    /// A key of a leg came by signalling (INFO): told and passed on as one that came with its media.
    /// Answer: [`Event::Digit`], unless it came that way, too.
    KeyPressed {
        /// The leg.
        leg: MediaLeg,
        /// `0-9 * # A-D`.
        key: char,
        /// How long it was held.
        duration: Duration,
    },
    /// Answer: [`Event::Stats`].
    GetStats {
        /// The leg.
        leg: MediaLeg,
    },
    /// Ends the leg: its bridge, its prompt, its sockets. Answer: [`Event::Closed`].
    Close {
        /// The leg.
        leg: MediaLeg,
    },
}

impl Command {
    /// The leg that the command is for (the first one of a bridge).
    pub const fn leg(&self) -> MediaLeg {
        match self {
            Self::SetRemote { leg, .. }
            | Self::SetBrowser { leg, .. }
            | Self::Protect { leg, .. }
            | Self::Bridge { a: leg, .. }
            | Self::Unbridge { leg }
            | Self::Play { leg, .. }
            | Self::StopPlay { leg, .. }
            | Self::Echo { leg, .. }
            | Self::Sit { leg, .. }
            | Self::Fax { leg, .. }
            | Self::Stand { leg }
            | Self::SetImage { leg, .. }
            | Self::HearFax { leg, .. }
            | Self::SetFlow { leg, .. }
            | Self::Listen { leg }
            | Self::SetKeys { leg, .. }
            | Self::Record { leg, .. }
            | Self::Dictate { leg, .. }
            | Self::KeyPressed { leg, .. }
            | Self::GetStats { leg }
            | Self::Close { leg } => *leg,
        }
    }
}

/// How a [`Command::Play`] ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum PlayEnd {
    /// The audio was over.
    Finished,
    /// [`PlayOptions::max`] was over.
    TimeOver,
    /// By [`Command::StopPlay`], another play, or the leg's end.
    Stopped,
    /// There is nothing in it, with the reason.
    NotPlayable(String),
}

/// What the media plane tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Event {
    /// A key was pressed, told once in whatever forms it came. Also told while bridged.
    Digit {
        /// Whose.
        leg: MediaLeg,
        /// `0-9 * # A-D`.
        digit: char,
        /// How long it was held, as far as the packets said.
        duration: Duration,
    },
    /// A leg is to be told of a key by signalling.
    KeyToSignal {
        /// Which leg: the peer of the one that pressed it.
        leg: MediaLeg,
        /// `0-9 * # A-D`.
        key: char,
        /// How long it was held.
        duration: Duration,
    },
    /// A [`Command::Play`] is over.
    PlayEnded {
        /// Where.
        leg: MediaLeg,
        /// Which.
        id: PlayId,
        /// How.
        end: PlayEnd,
    },
    /// A fax machine calls: its tone was heard, by [`Command::HearFax`] or at a fax machine of ours.
    FaxHeard {
        /// Which.
        leg: MediaLeg,
    },
    /// The fax machine of a leg has done what it could; [`Fax::finish`] tells what. The leg still sits there.
    FaxOver {
        /// Which.
        leg: MediaLeg,
    },
    /// Neither RTP nor RTCP came from a leg that both hears and speaks, for as long as the engine's configuration says. Told once,
    /// until [`Event::MediaBack`] or [`Command::Listen`].
    MediaSilent {
        /// Which.
        leg: MediaLeg,
        /// Whether it was ever heard.
        heard: bool,
    },
    /// A silent leg sends again.
    MediaBack {
        /// Which.
        leg: MediaLeg,
    },
    /// A browser is gone for now: its checks stopped, or it closed its session.
    BrowserGone {
        /// Which.
        leg: MediaLeg,
    },
    /// A browser that was gone is there again.
    BrowserBack {
        /// Which.
        leg: MediaLeg,
    },
    /// Media comes from another address than the SDP's (NAT), and is now sent there.
    SourceLearned {
        /// Which.
        leg: MediaLeg,
        /// From where.
        source: SocketAddr,
    },
    /// The handshake of a leg gave keys.
    Secured {
        /// Which.
        leg: MediaLeg,
        /// What they are for.
        suite: Suite,
    },
    /// The handshake of a leg failed: nothing can be said to it or heard of it any more.
    NotSecured {
        /// Which.
        leg: MediaLeg,
        /// Why.
        why: &'static str,
    },
    /// To [`Command::GetStats`].
    Stats {
        /// Whose.
        leg: MediaLeg,
        /// Since it was opened.
        stats: Stats,
    },
    /// To [`Command::Close`].
    Closed {
        /// Which.
        leg: MediaLeg,
        /// The whole of it.
        stats: Stats,
    },
    /// A fault of ours ended this leg's media; the leg takes only [`Command::Close`] from here on.
    Failed {
        /// Which.
        leg: MediaLeg,
    },
    /// What went through the whole shard since the last such event; told each half second and after each close, when
    /// there is something to tell.
    Traffic(Traffic),
}

/// RTP of a whole shard (RTCP is not counted).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Traffic {
    /// Packets passed on, from a leg to its peer or back to itself (echo).
    pub relayed: u64,
    /// Their bytes, headers of RTP included.
    pub bytes: u64,
    /// Dropped: no RTP, or of a payload type that was not agreed.
    pub not_understood: u64,
    /// Dropped: from a source that is not the leg's, or is none of the browsers'.
    pub wrong_source: u64,
    /// Dropped: on an encrypted leg, and not sealed with its keys, or seen before.
    pub not_authentic: u64,
    /// Dropped: the leg to send it is held, has no address yet, or did not agree on such a payload.
    pub no_peer: u64,
    /// Dropped: the leg's socket took no more, prompts included.
    pub not_sent: u64,
    /// Frames that were unpacked and packed anew for a peer.
    pub transcoded: u64,
    /// Frames that were not, since the workers did not keep up.
    pub late: u64,
}

/// What a leg received and sent: RTP (RTCP is not counted), and what RTCP told.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Stats {
    /// Packets from the known source.
    pub packets_received: u64,
    /// Their bytes, headers of RTP included.
    pub bytes_received: u64,
    /// Packets sent to the far end.
    pub packets_sent: u64,
    /// Their bytes, headers of RTP included.
    pub bytes_sent: u64,
    /// Packets that the sequence numbers say are missing (RFC 3550 appendix A.3); 0 when duplicates outweigh losses.
    pub lost: u64,
    /// Interarrival jitter (RFC 3550 appendix A.8), in samples of 125 us.
    pub jitter_samples: u32,
    /// Packets from a source that is not the known one: dropped.
    pub wrong_source: u64,
    /// Packets that are no RTP, or of a payload type that was not agreed: dropped.
    pub not_understood: u64,
    /// Packets of G.711 with nothing but silence where they were looked at, and of Opus that are too small for a sound.
    pub silent: u64,
    /// The longest time without a packet between two, while it should have been heard and had not said that it is silent.
    pub gap_ms: u32,
    /// The same at its end.
    pub quiet_ms: u32,
    /// The codec agreed last; `None`: nothing was.
    pub codec: Option<Codec>,
    /// What the far end's RTCP told.
    pub told: Told,
    /// Packets on an encrypted leg that were not sealed with its keys, or seen before: dropped.
    pub not_authentic: u64,
}

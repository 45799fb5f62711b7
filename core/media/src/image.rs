//! What descriptions say of fax by packets: `m=image` with T.38 over UDPTL (ITU-T T.38 annex D, RFC 7345's registrations).

use crate::sdp::{Line, SdpError, read_session};
use crate::udptl::Sender;
use sdp_types::{Media, Session};
use std::fmt::Write as _;
use std::net::{IpAddr, SocketAddr};

/// Bits a second that T.38 of version 0 has.
const BIT_RATES: [u32; 6] = [2_400, 4_800, 7_200, 9_600, 12_000, 14_400];

/// The longest datagram of a far end that names none, and the bounds of what is believed.
const LONGEST_DEFAULT: u16 = 400;
const LONGEST_MIN: u16 = 72;
const LONGEST_MAX: u16 = 1_400;

/// How datagrams that are lost come back.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Correction {
    /// They do not.
    None,
    /// Each is in those after it.
    Redundancy,
    /// By the exclusive or of several.
    Fec,
}

impl Correction {
    const ALL: [Self; 3] = [Self::None, Self::Redundancy, Self::Fec];

    const fn name(self) -> &'static str {
        match self {
            Self::None => "t38UDPNoEC",
            Self::Redundancy => "t38UDPRedundancy",
            Self::Fec => "t38UDPFEC",
        }
    }
}

/// What an end of T.38 can and wants.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ImageTerms {
    /// Of T.38.
    pub version: u8,
    /// The fastest, in bits a second.
    pub bit_rate: u32,
    /// The longest datagram that it takes, in bytes.
    pub longest: u16,
    /// How lost datagrams come back.
    pub correction: Correction,
}

impl Default for ImageTerms {
    /// Those of the machines here: version 0, which everybody has, with redundancy.
    fn default() -> Self {
        Self { version: 0, bit_rate: 14_400, longest: LONGEST_DEFAULT, correction: Correction::Redundancy }
    }
}

/// An end of T.38.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Image {
    /// Where it takes datagrams.
    pub address: SocketAddr,
    /// What it can.
    pub terms: ImageTerms,
}

/// A far end's wish to go on by T.38: its lines, and what the one that counts says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ImageOffer {
    pub(crate) lines: Vec<Line>,
    pub(crate) index: usize,
    pub(crate) image: Image,
}

impl ImageOffer {
    /// Reads a description. `None`: it wants audio, or is none; whoever reads audio says what is wrong with it.
    ///
    /// # Errors
    /// [`SdpError`]: it wants T.38, in a way that nobody here can.
    pub fn parse(body: &[u8]) -> Result<Option<Self>, SdpError> {
        let Ok(session) = read_session(body) else { return Ok(None) };
        let in_use = |media: &Media, what: &str| media.port != 0 && media.media.eq_ignore_ascii_case(what);
        if session.medias.iter().any(|media| in_use(media, "audio")) {
            return Ok(None);
        }
        let Some((index, media)) = session.medias.iter().enumerate().find(|(_, media)| in_use(media, "image")) else {
            return Ok(None);
        };
        let image = Image::read(&session, media)?;
        let lines = session.medias.into_iter().map(Line::from).collect();
        Ok(Some(Self { lines, index, image }))
    }

    /// What the far end can.
    pub const fn terms(&self) -> ImageTerms {
        self.image.terms
    }

    /// Where it is.
    pub const fn image(&self) -> Image {
        self.image
    }
}

impl Image {
    fn read(session: &Session, media: &Media) -> Result<Self, SdpError> {
        let is_t38 = media.fmt.split_ascii_whitespace().any(|format| format.eq_ignore_ascii_case("t38"));
        if !media.proto.eq_ignore_ascii_case("udptl") || !is_t38 {
            return Err(SdpError::NoImage("its transport is not udptl, or its format not t38"));
        }
        let connection = media.connections.first().or(session.connection.as_ref());
        let address = connection.and_then(|connection| connection.connection_address.parse::<IpAddr>().ok());
        let usable = |address: &IpAddr| {
            let broadcast = matches!(address, IpAddr::V4(v4) if v4.is_broadcast());
            !(address.is_multicast() || address.is_unspecified() || broadcast)
        };
        let address = address.filter(usable).ok_or(SdpError::NoImage("its address is no unicast IP address"))?;
        let value = |name: &str| {
            let named = media.attributes.iter().find(|attribute| attribute.attribute.eq_ignore_ascii_case(name));
            named.and_then(|attribute| attribute.value.as_deref()).map(str::trim)
        };
        // The training check is done by those who train, not by those between: the other way is TCP's.
        if value("T38FaxRateManagement").is_some_and(|how| how.eq_ignore_ascii_case("localTCF")) {
            return Err(SdpError::NoImage("it wants localTCF; offer transferredTCF"));
        }
        let number = |name: &str| value(name).and_then(|value| value.parse::<u32>().ok());
        let bit_rate = number("T38MaxBitRate").and_then(|most| BIT_RATES.into_iter().rev().find(|rate| *rate <= most));
        let longest = number("T38FaxMaxDatagram").and_then(|bytes| u16::try_from(bytes).ok());
        let correction = value("T38FaxUdpEC")
            .and_then(|name| Correction::ALL.into_iter().find(|known| known.name().eq_ignore_ascii_case(name)));
        let terms = ImageTerms {
            version: number("T38FaxVersion").and_then(|version| u8::try_from(version.min(3)).ok()).unwrap_or(0),
            bit_rate: bit_rate.unwrap_or(14_400),
            longest: longest.unwrap_or(LONGEST_DEFAULT).clamp(LONGEST_MIN, LONGEST_MAX),
            correction: correction.unwrap_or(Correction::Redundancy),
        };
        Ok(Self { address: SocketAddr::new(address, media.port), terms })
    }
}

impl ImageTerms {
    /// The line with its attributes.
    pub(crate) fn write(self, body: &mut String, port: u16) {
        let Self { version, bit_rate, longest, correction } = self;
        // Writing into memory cannot fail.
        let _ = write!(
            body,
            "m=image {port} udptl t38\r\na=T38FaxVersion:{version}\r\na=T38MaxBitRate:{bit_rate}\r\n\
             a=T38FaxRateManagement:transferredTCF\r\na=T38FaxMaxDatagram:{longest}\r\na=T38FaxUdpEC:{}\r\n",
            correction.name()
        );
    }

    /// What both ends can; FEC goes to whoever asks for it, and redundancy to everybody else.
    #[must_use]
    pub fn and(self, other: Self) -> Self {
        Self {
            version: self.version.min(other.version),
            bit_rate: self.bit_rate.min(other.bit_rate),
            longest: self.longest,
            correction: if other.correction == Correction::Fec { Correction::Fec } else { self.correction },
        }
    }

    /// What writes datagrams for this end.
    pub(crate) fn sender(self) -> Sender {
        let longest = usize::from(self.longest);
        match self.correction {
            Correction::Fec => Sender::with_fec(longest),
            Correction::None | Correction::Redundancy => Sender::new(longest),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::codec::{Codec, Flow};
    use crate::command::MediaLeg;
    use crate::offer_answer::{Offer, OfferAnswer};
    use crate::plane::LocalMedia;
    use crate::security::Terms;

    fn side() -> OfferAnswer {
        let rtp = "192.0.2.9:10000".parse().unwrap();
        let rtcp = "192.0.2.9:10001".parse().unwrap();
        OfferAnswer::new(LocalMedia { leg: MediaLeg(1), rtp, rtcp }, 4_000)
    }

    fn image(lines: &str) -> String {
        format!("v=0\r\no=- 1 2 IN IP4 192.0.2.1\r\ns=-\r\nc=IN IP4 192.0.2.1\r\nt=0 0\r\n{lines}")
    }

    const GATEWAY: &str = "m=audio 0 RTP/AVP 0\r\nm=image 5000 udptl t38\r\na=T38FaxVersion:3\r\na=T38MaxBitRate:33600\r\n\
                           a=T38FaxRateManagement:transferredTCF\r\na=T38FaxMaxDatagram:200\r\na=T38FaxUdpEC:t38UDPFEC\r\n";

    #[test]
    fn a_wish_for_t38_is_read_and_answered_line_by_line() {
        let offer = ImageOffer::parse(image(GATEWAY).as_bytes()).unwrap().unwrap();
        assert_eq!(offer.image().address, "192.0.2.1:5000".parse().unwrap());
        let terms = ImageTerms { version: 3, bit_rate: 14_400, longest: 200, correction: Correction::Fec };
        assert_eq!(offer.terms(), terms);
        let answer = side().answer_image(&offer, ImageTerms::default().and(terms));
        assert_eq!(
            String::from_utf8(answer).unwrap(),
            "v=0\r\no=- 1000 1 IN IP4 192.0.2.9\r\ns=-\r\nc=IN IP4 192.0.2.9\r\nt=0 0\r\nm=audio 0 RTP/AVP 0\r\n\
             m=image 10000 udptl t38\r\na=T38FaxVersion:0\r\na=T38MaxBitRate:14400\r\na=T38FaxRateManagement:transferredTCF\r\n\
             a=T38FaxMaxDatagram:400\r\na=T38FaxUdpEC:t38UDPFEC\r\n"
        );
        assert_eq!(ImageTerms::default().and(ImageTerms::default()).correction, Correction::Redundancy);
    }

    #[test]
    fn our_own_wish_takes_the_place_of_the_audio_and_audio_comes_back_to_it() {
        let mut side = side();
        side.make_offer(&[Codec::Pcma], Flow::SendRecv);
        let offer = String::from_utf8(side.offer_image(ImageTerms::default())).unwrap();
        assert!(offer.contains("o=- 1000 2 IN") && offer.contains("m=image 10000 udptl t38\r\n"), "{offer}");
        assert!(!offer.contains("m=audio"), "{offer}");
        let answer = "m=image 5000 udptl t38\r\n";
        let far = side.accept_image(image(answer).as_bytes()).unwrap();
        assert_eq!((far.address, far.terms), ("192.0.2.1:5000".parse().unwrap(), ImageTerms::default()));
        let back = String::from_utf8(side.make_offer(&[Codec::Pcma], Flow::SendRecv)).unwrap();
        assert!(back.contains("o=- 1000 3 IN") && back.contains("m=audio 10000 RTP/AVP 8 101\r\n"), "{back}");
        assert!(!back.contains("m=image"), "{back}");
    }

    #[test]
    fn audio_goes_first_where_both_are_offered() {
        let both = image("m=audio 4000 RTP/AVP 0\r\nm=image 5000 udptl t38\r\n");
        assert_eq!(ImageOffer::parse(both.as_bytes()), Ok(None));
        assert!(Offer::parse(both.as_bytes(), Terms::default()).is_ok());
        assert_eq!(ImageOffer::parse(b"junk"), Ok(None));
        assert_eq!(ImageOffer::parse(image("m=image 0 udptl t38\r\n").as_bytes()), Ok(None));
    }

    #[test]
    fn what_nobody_can_here_is_refused_with_its_reason() {
        for lines in [
            "m=image 5000 tcp t38\r\n",
            "m=image 5000 udptl wb\r\n",
            "m=image 5000 udptl t38\r\na=T38FaxRateManagement:localTCF\r\n",
            "m=image 5000 udptl t38\r\nc=IN IP4 224.0.0.1\r\n",
        ] {
            let error = ImageOffer::parse(image(lines).as_bytes()).unwrap_err();
            assert_eq!(error.sip_status(), 488, "{lines}");
        }
        let refused = side().accept_image(image("m=image 0 udptl t38\r\n").as_bytes());
        assert!(refused.is_err());
    }
}

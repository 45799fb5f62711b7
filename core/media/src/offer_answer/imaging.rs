//! From audio to T.38 and back, in one dialog.

use super::{OfferAnswer, line};
use crate::image::{Image, ImageOffer, ImageTerms};
use crate::sdp::{Line, SdpError};

impl OfferAnswer {
    /// Offers to go on by T.38, in place of audio. What was said of audio is said again when the far end refuses.
    pub fn offer_image(&mut self, terms: ImageTerms) -> Vec<u8> {
        let (lines, index) = (self.lines.clone(), self.audio_index);
        self.send_image(&lines, index, terms)
    }

    /// Answers a far end that wants to go on by T.38.
    pub fn answer_image(&mut self, offer: &ImageOffer, terms: ImageTerms) -> Vec<u8> {
        // Where audio is once more, if it comes back: on its own line, or on the one that became an image.
        let before = self.lines.get(self.audio_index).cloned();
        self.lines.clone_from(&offer.lines);
        let audio = offer.lines.iter().position(|line| line.media.eq_ignore_ascii_case("audio"));
        self.audio_index = audio.unwrap_or(offer.index);
        if let (None, Some(place)) = (audio, self.lines.get_mut(offer.index)) {
            *place = before.unwrap_or_else(Line::audio);
        }
        self.send_image(&offer.lines, offer.index, terms)
    }

    /// Reads the answer to [`OfferAnswer::offer_image`].
    ///
    /// # Errors
    /// [`SdpError`]; the far end has not agreed.
    pub fn accept_image(&mut self, body: &[u8]) -> Result<Image, SdpError> {
        let answer = ImageOffer::parse(body)?.ok_or(SdpError::NoImage("its port is 0"))?;
        let offered = self.lines.len().max(1);
        if answer.lines.len() != offered {
            return Err(SdpError::LineCount { found: answer.lines.len(), offered });
        }
        Ok(answer.image)
    }

    fn send_image(&mut self, lines: &[Line], index: usize, terms: ImageTerms) -> Vec<u8> {
        let mut body = self.write_image(lines, index, terms);
        if let Some(last) = &self.sent
            && last.body != body
        {
            self.version += 1;
            body = self.write_image(lines, index, terms);
        }
        if let Some(sent) = &mut self.sent {
            sent.body.clone_from(&body);
        }
        body
    }

    fn write_image(&self, lines: &[Line], index: usize, terms: ImageTerms) -> Vec<u8> {
        let mut body = self.head();
        let port = self.local.rtp.port();
        if lines.is_empty() {
            terms.write(&mut body, port);
        }
        for (place, theirs) in lines.iter().enumerate() {
            if place == index {
                terms.write(&mut body, port);
            } else {
                line(&mut body, format_args!("m={} 0 {} {}", theirs.media, theirs.proto, theirs.formats));
            }
        }
        body.into_bytes()
    }
}

//! Media: SDP, RTP relay, tones, prompts, DTMF

//! Where the words of one crate become those of another.

use crate::message::Shown;
use plugboard_call::{CancelWhy, Party, Urgency};
use plugboard_media::{Event as MediaEvent, MediaLeg, Traffic};
use plugboard_metrics::{
    Flow as Way, Method as MethodLabel, Metrics, RtpDropReason, RtpDropped, RtpRelayed, RtpTranscoded, SipFault,
    SipFaultKind, SipMessage, SipRequest, SipResponse,
};
use plugboard_model::{Cause, REASON_COMPLETED_ELSEWHERE, Time, Tone, UserId};
use plugboard_office::KeptSettings;
use plugboard_sip::flow::{Flow, Transport};
use plugboard_sip::locate::Target;
use plugboard_sip::registrar::SavedBinding;
use plugboard_sip::session::reason_value;
use plugboard_sip::transaction::Misfit;
use plugboard_sip::{Message, Method, ParseError, Peek, PeekKind, Response};
use plugboard_store::{Store, StoreError};

use crate::env::{Random, SipTransport};

/// An outside number, its ways in the order in which they are tried.
pub(crate) fn outside(ways: Vec<plugboard_office::Way>, payer: Option<&UserId>, random: &dyn Random) -> Party {
    let below = |bound: u64| random.next() % bound.max(1);
    let ways = plugboard_office::drawn(ways, below);
    Party::Outside { ways: ways.into_iter().map(|way| call_way(way, Urgency::Usual, payer)).collect(), phone: None }
}

fn call_way(way: plugboard_office::Way, urgency: Urgency, payer: Option<&UserId>) -> plugboard_call::Way {
    plugboard_call::Way { gateway: way.gateway, number: way.number.into(), at: None, urgency, payer: payer.cloned() }
}

/// Whoever answers calls for help: each gateway in turn, then each once more even when it is down.
pub(crate) fn help(ways: Vec<plugboard_office::Way>, test: bool) -> Party {
    let urgencies: &[Urgency] = if test { &[Urgency::Test] } else { &[Urgency::Help, Urgency::LastResort] };
    let all = |urgency: &Urgency| ways.iter().cloned().map(|way| call_way(way, *urgency, None)).collect::<Vec<_>>();
    Party::Outside { ways: urgencies.iter().flat_map(all).collect(), phone: None }
}

/// Our way to an address of a gateway, or of its proxy. One that is known by name has to show that name over TLS.
pub(crate) fn gateway_flow(
    sip: &dyn SipTransport,
    gateway: &plugboard_office::Gateway,
    target: Target,
) -> Option<Flow> {
    match gateway.next_hop() {
        plugboard_office::Place::Host { name, .. } => sip.flow_to_named(target.transport, target.address, name),
        plugboard_office::Place::Address(_) => sip.flow_to(target.transport, target.address),
    }
}

/// The transport of a gateway as SIP's.
pub(crate) const fn sip_transport(transport: plugboard_office::Transport) -> Transport {
    match transport {
        plugboard_office::Transport::Udp => Transport::Udp,
        plugboard_office::Transport::Tcp => Transport::Tcp,
        plugboard_office::Transport::Tls => Transport::Tls,
    }
}

const fn transport_label(transport: Transport) -> plugboard_metrics::Transport {
    match transport {
        Transport::Udp => plugboard_metrics::Transport::Udp,
        Transport::Tcp => plugboard_metrics::Transport::Tcp,
        Transport::Tls => plugboard_metrics::Transport::Tls,
        Transport::Ws => plugboard_metrics::Transport::Ws,
        Transport::Wss => plugboard_metrics::Transport::Wss,
    }
}

/// Counts a message that was written.
pub(crate) fn count_sent(peek: &Peek<'_>, flow: Flow, metrics: &Metrics) {
    let method = std::str::from_utf8(peek.method).map_or(MethodLabel::Other, MethodLabel::of);
    let kind = match peek.kind {
        PeekKind::Request => SipRequest(method).into(),
        PeekKind::Response(status) => SipResponse { method, status }.into(),
    };
    SipMessage { flow: Way::Out, transport: transport_label(flow.transport), kind }.emit(metrics);
}

/// Counts a message that was read.
pub(crate) fn count_parsed(message: &Message, flow: Flow, metrics: &Metrics) {
    let kind = match message {
        Message::Request(request) => SipRequest(MethodLabel::of(request.method.as_str())).into(),
        Message::Response(response) => {
            let method =
                response.headers.cseq().map_or(MethodLabel::Other, |cseq| MethodLabel::of(cseq.method.as_str()));
            SipResponse { method, status: response.status }.into()
        }
    };
    SipMessage { flow: Way::In, transport: transport_label(flow.transport), kind }.emit(metrics);
}

/// What a peer did wrong, of which nothing more is known than this.
pub(crate) const fn fault(kind: SipFaultKind, at: Time, flow: Flow, reason: &str) -> SipFault<'_> {
    let (transport, source) = (transport_label(flow.transport), flow.remote);
    SipFault { kind, at, transport, source, method: None, status: None, leg: None, reason }
}

/// Tells of bytes that were no message.
pub(crate) fn tell_unparsed(kind: SipFaultKind, error: &ParseError, at: Time, flow: Flow, metrics: &Metrics) {
    let (status, reason) = match error {
        ParseError::Drop(_) => (None, error.fault().to_string()),
        ParseError::Reject(rejected) => (Some(rejected.rejection.status), error.fault().to_string()),
    };
    SipFault { status, ..fault(kind, at, flow, &reason) }.emit(metrics);
}

/// Tells of a request that is refused by ourselves: not of a call's outcome, and not of a challenge.
pub(crate) fn tell_refused(response: &Response, at: Time, flow: Flow, metrics: &Metrics) {
    let Some(kind) = SipFaultKind::of_status(response.status) else { return };
    let method = response.headers.cseq().ok().map(|cseq| MethodLabel::of(cseq.method.as_str()));
    let status = Some(response.status);
    SipFault { method, status, ..fault(kind, at, flow, &response.reason) }.emit(metrics);
}

/// What the Reason of a CANCEL says, if anything.
pub(crate) fn cancel_reason(why: CancelWhy) -> Option<String> {
    match why {
        CancelWhy::CompletedElsewhere => Some(REASON_COMPLETED_ELSEWHERE.into()),
        CancelWhy::Declined => Some(reason_value(&Cause::of(603))),
        CancelWhy::Forwarded => Some(reason_value(&Cause::of(302))),
        CancelWhy::CallerGone | CancelWhy::TimeOver => None,
    }
}

/// Tells of a message that fits no transaction.
pub(crate) fn tell_misfit(misfit: Misfit, method: &Method, at: Time, flow: Flow, metrics: &Metrics) {
    let (reason, method) = (misfit.to_string(), Some(MethodLabel::of(method.as_str())));
    let kind = match misfit {
        Misfit::NoRoom => SipFaultKind::NoRoom,
        Misfit::Nameless => SipFaultKind::Malformed,
        Misfit::Unasked | Misfit::NothingToCancel | Misfit::Merged => SipFaultKind::Transaction,
    };
    SipFault { method, status: misfit.status(), ..fault(kind, at, flow, &reason) }.emit(metrics);
}

/// The leg that an event of media is of.
pub(crate) const fn media_leg(event: &MediaEvent) -> Option<MediaLeg> {
    match event {
        MediaEvent::Digit { leg, .. }
        | MediaEvent::KeyToSignal { leg, .. }
        | MediaEvent::PlayEnded { leg, .. }
        | MediaEvent::MediaSilent { leg, .. }
        | MediaEvent::MediaBack { leg }
        | MediaEvent::FaxOver { leg }
        | MediaEvent::FaxHeard { leg }
        | MediaEvent::BrowserGone { leg }
        | MediaEvent::BrowserBack { leg }
        | MediaEvent::SourceLearned { leg, .. }
        | MediaEvent::Secured { leg, .. }
        | MediaEvent::NotSecured { leg, .. }
        | MediaEvent::Stats { leg, .. }
        | MediaEvent::Closed { leg, .. }
        | MediaEvent::Failed { leg } => Some(*leg),
        MediaEvent::Traffic(_) => None,
    }
}

/// Counts what a media shard told.
pub(crate) fn count_traffic(traffic: &Traffic, metrics: &Metrics) {
    use RtpDropReason as Reason;
    let Traffic { relayed, bytes, not_understood, wrong_source, not_authentic, no_peer, not_sent, transcoded, late } =
        *traffic;
    RtpRelayed { packets: relayed, bytes }.emit(metrics);
    RtpTranscoded { frames: transcoded }.emit(metrics);
    let dropped = [
        (Reason::NotRtp, not_understood),
        (Reason::Stranger, wrong_source),
        (Reason::NotAuthentic, not_authentic),
        (Reason::NoPeer, no_peer),
        (Reason::SendFailed, not_sent),
        (Reason::Late, late),
    ];
    for (reason, packets) in dropped.into_iter().filter(|(_, packets)| *packets > 0) {
        RtpDropped { reason, packets }.emit(metrics);
    }
}

/// Whether a user's device at the other end of `flow` speaks as browsers do: as he has it set, else by how it comes.
pub(crate) fn is_browser(user: Option<&std::sync::Arc<plugboard_office::User>>, flow: Flow) -> bool {
    let over_websocket = matches!(flow.transport, Transport::Ws | Transport::Wss);
    user.and_then(|user| user.browser).unwrap_or(over_websocket)
}

/// The headers that show somebody (RFC 3325 section 9.1; Remote-Party-ID for phones that know no other).
pub(crate) fn identity_headers(shown: &Shown) -> Vec<(String, String)> {
    if shown.number.is_empty() {
        return vec![("Privacy".to_owned(), "id".to_owned())];
    }
    let party = format!("{};party=called;privacy=off;screen=yes", shown.address);
    vec![("P-Asserted-Identity".to_owned(), shown.address.clone()), ("Remote-Party-ID".to_owned(), party)]
}

/// What has a phone answer by itself: no header does at all of them. RFC 5373; Call-Info as Snom and Grandstream read it, Alert-Info as
/// Yealink, Panasonic and Polycom do.
pub(crate) fn answer_by_itself(realm: &str) -> Vec<(String, String)> {
    let header = |name: &str, value: String| (name.to_owned(), value);
    vec![
        header("Answer-Mode", "Auto".to_owned()),
        header("Call-Info", format!("<sip:{realm}>;answer-after=0")),
        header("Alert-Info", format!("<http://{realm}>;info=alert-autoanswer;delay=0")),
    ]
}

/// What is wrong with a description that fits nothing: "incompatible media format" (RFC 3261 section 20.43).
pub(crate) fn warning(status: u16, text: &str) -> Option<(String, String)> {
    // What the far end wrote may be part of the text; its quotes are not to end it.
    let quotable = |c: &char| !c.is_control() && *c != '"' && *c != '\\';
    let text: String = text.chars().filter(quotable).take(WARNING_MAX).collect();
    (status == NOT_ACCEPTABLE).then(|| ("Warning".to_owned(), format!("305 plugboard \"{text}\"")))
}

/// A sentence.
const WARNING_MAX: usize = 160;

/// "Not Acceptable Here": a description that fits nothing.
pub(crate) const NOT_ACCEPTABLE: u16 = 488;

/// A tone of a country, as audio.
pub(crate) fn tone(country: &str, tone: Tone) -> plugboard_media::Audio {
    let country = plugboard_media::tone::Country::of_code(country).unwrap_or_default();
    plugboard_media::tone::audio(country, tone)
}

/// Keeps a user's devices over a restart.
pub(crate) fn save_bindings(store: &Store, user: &UserId, saved: &[SavedBinding]) -> Result<(), StoreError> {
    if saved.is_empty() {
        return store.registrations().remove(user);
    }
    // Plain data of known length: it always can be written.
    let bytes = serde_json::to_vec(saved).unwrap_or_default();
    store.registrations().put(user, bytes)
}

/// The devices that a user had when the switch stopped. What cannot be read any more is forgotten: phones register again.
pub(crate) fn read_bindings(bytes: &[u8]) -> Vec<SavedBinding> {
    serde_json::from_slice(bytes).unwrap_or_default()
}

/// Keeps what a user has set over a restart; nothing when the document says the same.
pub(crate) fn save_settings(store: &Store, user: &UserId, kept: &KeptSettings) -> Result<(), StoreError> {
    if kept.is_as_written() {
        return store.user_settings().remove(user);
    }
    // Plain data of known length: it always can be written.
    let bytes = serde_json::to_vec(kept).unwrap_or_default();
    store.user_settings().put(user, bytes)
}

/// What a user had set when the switch stopped. What cannot be read any more is told, and the document holds.
pub(crate) fn read_settings(user: &UserId, bytes: &[u8]) -> Option<KeptSettings> {
    match serde_json::from_slice(bytes) {
        Ok(kept) => Some(kept),
        Err(error) => {
            tracing::error!(%user, %error, "what the user had set could not be read; the office document holds");
            None
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_488_has_a_warning_and_its_quotes_end_where_they_should() {
        let (name, value) = warning(488, "no \"codec\"\r\nin common").unwrap();
        assert_eq!((name.as_str(), value.as_str()), ("Warning", "305 plugboard \"no codecin common\""));
        assert_eq!(warning(486, "busy"), None);
    }
}

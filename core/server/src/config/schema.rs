//! The JSON Schema of the configuration.

use plugboard_document::write_duration;
use serde_json::{Value as Json, json};
use std::ops::RangeInclusive;
use std::time::Duration;

use super::{
    Config, DRAIN, FAMILIES, GATHER, KEPT, Keep, LISTENERS_MAX, NETWORKS_MAX, SILENCE, THREADS, WEBRTC_ADDRESSES,
};

/// The JSON Schema of the file.
pub(crate) fn schema() -> Json {
    let address = json!({ "type": "string", "description": "Address and port.", "examples": ["0.0.0.0:5060"] });
    let listeners = |transport: &str| {
        json!({ "type": "array", "maxItems": LISTENERS_MAX, "items": address, "examples": [["192.0.2.10:5060"]],
            "description": format!("Where to listen for SIP over {transport}.") })
    };
    let addresses = |description: &str| {
        json!({ "type": ["string", "array"], "maxItems": FAMILIES, "items": { "type": "string" },
            "examples": ["192.0.2.10"], "description": description })
    };
    let threads = |description: &str| {
        json!({ "type": "integer", "minimum": THREADS.start(), "maximum": THREADS.end(), "default": 1,
            "description": description, "examples": [2] })
    };
    let time = |default: Duration, range: &RangeInclusive<Duration>, description: &str| {
        json!({ "type": "string", "pattern": "^[0-9]+(ms|s|m|min|h|d)$", "default": write_duration(default),
            "x-type": "duration", "x-minimum": write_duration(*range.start()),
            "x-maximum": write_duration(*range.end()), "description": description })
    };
    let part = |description: &str, properties: Json| json!({ "type": "object", "additionalProperties": false, "description": description, "properties": properties });
    let Config { drain, keep, media, .. } = Config::default();
    let mut schema = part(
        "What concerns the switch as a whole. Every key may be left out; one that is not known is a fault.",
        json!({
            "data": { "type": "string", "description": "The data folder; `--data` goes before it.",
                "default": "/var/lib/plugboard" },
            "plugins": { "type": "string", "examples": ["/usr/lib/plugboard/plugins"], "description": "The folder of \
                plugins; without it, `plugins` beside the program's folder. `--plugins` goes before it." },
            "threads": threads("Signalling threads."),
            "drain": time(drain, &DRAIN, "How long a SIGTERM waits for running calls."),
            "log": { "type": "string", "default": "info", "examples": ["warn"],
                "description": "error, warn, info, debug, or a filter of tracing-subscriber." },
            "sip": part(
                "Without any listener, 0.0.0.0:5060 over UDP and TCP, 0.0.0.0:5061 over TLS and 0.0.0.0:8443 over secure \
                 WebSocket; else those that are named and no other. IPv6 is `[::]:5060`.",
                json!({
                    "udp": listeners("UDP"), "tcp": listeners("TCP"), "tls": listeners("TLS"),
                    "ws": listeners("WebSocket"), "wss": listeners("secure WebSocket"),
                    "public_address": addresses("What peers outside `local_networks` see instead of our own address, in \
                        Via, Contact and SDP, where a NAT lies between: one address, or one of each family. The NAT must \
                        lead the same ports here."),
                    "local_networks": { "type": "array", "maxItems": NETWORKS_MAX, "items": { "type": "string" },
                        "examples": [["192.168.0.0/16", "fd00::/8"]], "description": "Networks on our side of the NAT: \
                        who is there sees our own address. This machine and link-local addresses always are." },
                    "origins": { "type": "array", "maxItems": NETWORKS_MAX, "items": { "type": "string" },
                        "examples": [["https://desk.example.com"]], "description": "Web pages that may connect over \
                        WebSocket, as browsers name them; without it all may, and need a password all the same." }
                })
            ),
            "tls": super::tls::schema(&part),
            "push": super::push::schema(&part),
            "turn": super::turn::schema(&part, time(super::turn::LIFETIME_DEFAULT, &super::turn::LIFETIME,
                "How long the name and the password are good; a browser gets new ones each time it registers.")),
            "dns": super::dns::schema(&part),
            "speech": speech(&part),
            "media": part("RTP.", json!({
                "address": addresses("Where RTP is bound and what SDP says: one address, or one of each family; without \
                    it, the address that SIP listens on, or the one that leads to the world."),
                "ports": { "type": "string", "pattern": "^[0-9]+ *- *[0-9]+$", "default": "20000-29999",
                    "description": "Even ports for RTP, the odd ones above for RTCP: two ports a leg." },
                "threads": threads("Threads that relay; at least as many as there are signalling threads."),
                "silence": time(media.silence, &SILENCE, "After so long without RTP and RTCP a peer in a call is asked, \
                    within the call, whether it is there; without an answer the call is closed. One that answers stays \
                    in the call, and the call's trace tells that it cannot be heard. Who holds or is held is left in \
                    peace. `0s`: nobody is asked."),
                "silence_from_start": { "type": "boolean", "default": false, "description": "Whether a peer is asked as \
                    well from which no packet has come since the call began; else that is only told in the trace." },
                "gather": time(media.gather, &GATHER, "How long packets may gather on a thread that relays for some 40 calls \
                    and more: it then looks after all that came at once, which takes a third less CPU; none waits longer. \
                    `0s`: every packet is relayed as it comes."),
                "webrtc_port": { "type": "integer", "minimum": 0, "maximum": 65_535, "default": 10_000, "description":
                    "The UDP port that browsers send to: one a thread, from this one up; 0 takes free ones." },
                "webrtc_address": { "type": ["string", "array"], "maxItems": WEBRTC_ADDRESSES, "items": { "type": "string" },
                    "examples": ["192.0.2.10"], "description": "Where else browsers reach these ports, such as the public \
                    addresses of a NAT, of either family. They are told of them in this order, after our own, and try \
                    all." },
                "webrtc_only": { "type": "boolean", "default": false, "description": "Browsers are told of \
                    `webrtc_address` alone, and not of our own address." }
            })),
            "http": part("Metrics and health.", json!({
                "listen": { "type": "string", "default": "127.0.0.1:8080", "description": "Where to listen." },
                "token_file": { "type": "string", "examples": ["/etc/plugboard/token"], "description": "Holds the token \
                    that everybody must send who asks for metrics; needed where `listen` is not on loopback." }
            })),
            "api": super::api::schema(),
            "keep": kept(&keep, &part, &time),
            "limits": super::limits::schema(&part)
        }),
    );
    if let Json::Object(fields) = &mut schema {
        fields.insert("$schema".into(), "https://json-schema.org/draft/2020-12/schema".into());
        fields.insert("title".into(), "Plugboard's configuration (TOML)".into());
    }
    schema
}

/// What is kept how long.
fn kept(
    keep: &Keep,
    part: &impl Fn(&str, Json) -> Json,
    time: &impl Fn(Duration, &RangeInclusive<Duration>, &str) -> Json,
) -> Json {
    part(
        "How long what is known of calls is kept, counted from a call's beginning. What is older is removed at \
         the start and every hour, in small steps; the log tells what, and the metric \
         `plugboard_store_trimmed_calls_total` counts it. Calls that go on keep everything.",
        json!({
            "calls": time(keep.calls, &KEPT, "Records: `call list` and `call show`. With a record goes what else \
                is left of the call."),
            "journals": time(keep.journals, &KEPT, "Journals: `call trace` and `call replay`."),
            "traces": time(keep.traces, &KEPT, "SIP messages: `call trace --sip` and `--pcap`."),
            "recordings": time(keep.recordings, &KEPT, "Recordings of calls, with their files: `recording list`."),
            "messages": time(keep.messages, &KEPT, "Voice messages, heard or not, with their files.")
        }),
    )
}

/// What reads words aloud.
fn speech(part: &impl Fn(&str, Json) -> Json) -> Json {
    part(
        "What reads words aloud to callers (the action `say`).",
        json!({
            "program": { "type": "string", "default": "espeak-ng", "examples": ["/usr/local/bin/speak"],
                "description": "Takes the arguments of espeak-ng (--stdin --stdout -b 1 -v LANGUAGE), words by its standard \
                input, and gives a WAV file; another engine is put behind a few lines of shell. Found as the system \
                finds programs." }
        }),
    )
}

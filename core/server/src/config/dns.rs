//! `[dns]`: who is asked for names.

use plugboard_document::{Faults, Field};
use serde_json::{Value as Json, json};
use std::net::{IpAddr, SocketAddr};

/// The machine's own file names three.
const SERVERS_MAX: usize = 8;
/// RFC 1035 section 4.2.
const PORT: u16 = 53;

/// Reads the part of the file.
pub(super) fn read(field: &Field<'_>, servers: &mut Vec<SocketAddr>, faults: &mut Faults) {
    let Some(mut fields) = field.fields(faults) else { return };
    for item in fields.take("servers").map(|field| field.list(SERVERS_MAX, faults)).unwrap_or_default() {
        let Some(text) = item.text(faults) else { continue };
        let address = text.parse().or_else(|_| text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, PORT)));
        match address {
            Ok(address) if servers.contains(&address) => item.fault(faults, "it is named twice", "name each once"),
            Ok(address) => servers.push(address),
            Err(_) => item.fault(
                faults,
                format!("{text:?} is no address of a name server"),
                "such as \"192.0.2.53\" or \"[::1]:5353\"",
            ),
        }
    }
    fields.finish(faults);
}

/// The schema of the part.
pub(super) fn schema(part: &impl Fn(&str, Json) -> Json) -> Json {
    part(
        "Who is asked for the names of gateways (RFC 3263: NAPTR, SRV, A, AAAA).",
        json!({
            "servers": { "type": "array", "maxItems": SERVERS_MAX, "items": { "type": "string" },
                "examples": [["192.0.2.53", "127.0.0.1:5353"]],
                "description": "Name servers, each an address, with a port where it is not 53; without it, those that the \
                machine asks (`/etc/resolv.conf`)." }
        }),
    )
}

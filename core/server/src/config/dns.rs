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
            Ok(address) if address.port() == 0 || address.ip().is_unspecified() || address.ip().is_multicast() => {
                item.fault(faults, format!("nobody answers at {text:?}"), "such as \"192.0.2.53\" or \"[::1]:5353\"");
            }
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

#[cfg(test)]
mod tests {
    use crate::config::Config;

    fn faults(server: &str) -> String {
        let read = Config::parse("p.toml", &format!("[dns]\nservers = [\"{server}\"]\n"));
        read.err().map(|faults| format!("{faults:?}")).unwrap_or_default()
    }

    #[test]
    fn an_address_at_which_nobody_can_answer_is_a_fault() {
        for fine in ["192.0.2.53", "[2001:db8::53]:5353", "127.0.0.1:5353"] {
            assert_eq!(faults(fine), "", "{fine}");
        }
        for odd in ["0.0.0.0", "[::]:53", "224.0.0.1", "192.0.2.53:0", "ff02::1"] {
            assert!(faults(odd).contains("nobody answers"), "{odd}: {}", faults(odd));
        }
        assert!(faults("resolver").contains("is no address"));
    }
}

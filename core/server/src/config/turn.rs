//! `[turn]`: the server through which browsers reach our media where their network blocks UDP.

use plugboard_document::{Faults, Field};
use plugboard_switch::Turn;
use serde_json::{Value as Json, json};
use std::ops::RangeInclusive;
use std::path::PathBuf;
use std::time::Duration;

use super::path;

/// Over UDP, TCP and TLS, by name and by address: nobody has more ways to one server.
const URIS_MAX: usize = 8;
/// Shorter than a call is of no use; who left the office a day ago has no business with its server.
pub(super) const LIFETIME: RangeInclusive<Duration> = Duration::from_secs(600)..=Duration::from_secs(86_400);
/// A working day.
pub(super) const LIFETIME_DEFAULT: Duration = Duration::from_secs(12 * 3_600);

/// What the file says of the server.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct TurnServer {
    /// Where it is.
    pub(crate) uris: Vec<String>,
    /// Holds the secret.
    pub(crate) secret_file: PathBuf,
    /// How long credentials are good.
    pub(crate) lifetime: Duration,
}

impl TurnServer {
    /// Reads the secret.
    ///
    /// # Errors
    /// The file and what is wrong with it; never what is in it.
    pub(crate) fn open(&self) -> Result<Turn, String> {
        let file = self.secret_file.display();
        let text = std::fs::read_to_string(&self.secret_file).map_err(|error| format!("{file}: {error}"))?;
        let secret = text.trim();
        if secret.is_empty() {
            return Err(format!("{file} is empty; it holds what coturn calls static-auth-secret"));
        }
        Ok(Turn { uris: self.uris.clone(), secret: secret.to_owned(), lifetime: self.lifetime })
    }
}

/// Reads the part of the file.
pub(super) fn read(field: &Field<'_>, faults: &mut Faults) -> Option<TurnServer> {
    let mut fields = field.fields(faults)?;
    let uris = fields.need("uris", faults).map(|field| field.list(URIS_MAX, faults)).unwrap_or_default();
    let uris: Vec<String> = uris.iter().filter_map(|item| uri(item, faults)).collect();
    let secret_file = path(&mut fields, "secret_file", faults);
    let lifetime = fields.take("lifetime").and_then(|field| field.duration(LIFETIME, faults));
    fields.finish(faults);
    if secret_file.is_none() {
        field.fault(faults, "the secret is missing", "name the file that holds it in secret_file");
    }
    (!uris.is_empty()).then_some(())?;
    Some(TurnServer { uris, secret_file: secret_file?, lifetime: lifetime.unwrap_or(LIFETIME_DEFAULT) })
}

fn uri(item: &Field<'_>, faults: &mut Faults) -> Option<String> {
    let text = item.text(faults)?;
    let rest = text.strip_prefix("turn:").or_else(|| text.strip_prefix("turns:"));
    // It stands in a header between angle brackets.
    let plain =
        |rest: &str| !rest.is_empty() && rest.bytes().all(|byte| byte.is_ascii_graphic() && !b"<>\"".contains(&byte));
    if rest.is_some_and(plain) {
        return Some(text);
    }
    item.fault(
        faults,
        format!("{text:?} is no URI of a TURN server"),
        "such as \"turn:turn.example.com:3478?transport=udp\"",
    );
    None
}

/// The schema of the part.
pub(super) fn schema(part: &impl Fn(&str, Json) -> Json, time: Json) -> Json {
    part(
        "A TURN server (coturn with `use-auth-secret`) through which browsers reach our media where their network blocks UDP. A \
         browser that registers is told in the answer where it is, with a name and a password of its own: `Plugboard-Turn`.",
        json!({
            "uris": { "type": "array", "maxItems": URIS_MAX, "items": { "type": "string" },
                "examples": [["turn:turn.example.com:3478?transport=udp", "turns:turn.example.com:5349?transport=tcp"]],
                "description": "Where it is (RFC 7065)." },
            "secret_file": { "type": "string", "examples": ["/etc/plugboard/turn-secret"],
                "description": "Holds the secret that it shares with us: its `static-auth-secret`." },
            "lifetime": time
        }),
    )
}

//! The configuration file.

use serde::Deserialize;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::ops::RangeInclusive;
use std::path::{Path, PathBuf};
use std::time::Duration;

/// Everything that can be configured. Unknown keys are faults: a typo must not be a default in silence.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Config {
    /// The data folder.
    pub(crate) data: PathBuf,
    /// The folder of plugins; without it, `plugins` beside the program's folder.
    pub(crate) plugins: Option<PathBuf>,
    /// Signalling threads, 1 to 64.
    pub(crate) threads: usize,
    /// How long a SIGTERM waits for running calls, such as "30s".
    pub(crate) drain: Span,
    /// SIP listeners.
    pub(crate) sip: Sip,
    /// RTP.
    pub(crate) media: Media,
    /// HTTP: metrics and health.
    pub(crate) http: Http,
    /// `error`, `warn`, `info`, `debug`, or a filter of tracing-subscriber.
    pub(crate) log: String,
}

/// SIP listeners.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Sip {
    /// UDP.
    pub(crate) udp: Vec<SocketAddr>,
    /// TCP.
    pub(crate) tcp: Vec<SocketAddr>,
}

/// RTP.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Media {
    /// Where RTP is bound and what SDP says.
    pub(crate) address: IpAddr,
    /// Such as "20000-29999".
    pub(crate) ports: Ports,
    /// Threads that relay, 1 to 64.
    pub(crate) threads: usize,
}

/// HTTP.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub(crate) struct Http {
    /// Where to listen.
    pub(crate) listen: SocketAddr,
    /// A file with the token that everybody off loopback must send.
    pub(crate) token_file: Option<PathBuf>,
}

/// A time with its unit, such as `"30s"`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Span(pub(crate) Duration);

/// A range of ports, such as `"20000-29999"`.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub(crate) struct Ports(pub(crate) RangeInclusive<u16>);

/// Why a configuration cannot be used; says file and line.
#[derive(Debug, thiserror::Error)]
pub(crate) enum ConfigError {
    #[error("{}: cannot be read: {cause}", file.display())]
    Read { file: PathBuf, cause: std::io::Error },
    #[error("{}: {fault}", file.display())]
    Wrong { file: PathBuf, fault: String },
}

impl Default for Config {
    fn default() -> Self {
        Self {
            data: "/var/lib/plugboard".into(),
            plugins: None,
            threads: 1,
            drain: Span(Duration::from_secs(30)),
            sip: Sip::default(),
            media: Media::default(),
            http: Http::default(),
            log: "info".into(),
        }
    }
}

impl Default for Sip {
    fn default() -> Self {
        let any = SocketAddr::from((Ipv4Addr::UNSPECIFIED, 5060));
        Self { udp: vec![any], tcp: vec![any] }
    }
}

impl Default for Media {
    fn default() -> Self {
        Self { address: Ipv4Addr::LOCALHOST.into(), ports: Ports(plugboard_media::DEFAULT_PORTS), threads: 1 }
    }
}

impl Default for Http {
    fn default() -> Self {
        Self { listen: SocketAddr::from((Ipv4Addr::LOCALHOST, 8080)), token_file: None }
    }
}

impl TryFrom<String> for Span {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no time; write a number and ms, s, min or h, such as \"30s\"");
        let end = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
        let (number, unit) = text.split_at(end);
        let number: u64 = number.parse().map_err(|_| wrong())?;
        let millis = match unit.trim() {
            "ms" => 1,
            "s" => 1_000,
            "min" => 60_000,
            "h" => 3_600_000,
            _ => return Err(wrong()),
        };
        Ok(Self(Duration::from_millis(number.saturating_mul(millis))))
    }
}

impl TryFrom<String> for Ports {
    type Error = String;
    fn try_from(text: String) -> Result<Self, String> {
        let wrong = || format!("{text:?} is no range of ports; write such as \"20000-29999\"");
        let (first, last) = text.split_once('-').ok_or_else(wrong)?;
        let (first, last) = (first.trim().parse().map_err(|_| wrong())?, last.trim().parse().map_err(|_| wrong())?);
        if first >= last { Err(wrong()) } else { Ok(Self(first..=last)) }
    }
}

impl Config {
    /// Reads a file.
    pub(crate) fn read(file: &Path) -> Result<Self, ConfigError> {
        let text = std::fs::read_to_string(file).map_err(|cause| ConfigError::Read { file: file.into(), cause })?;
        Self::parse(file, &text)
    }

    /// Reads a file's text.
    pub(crate) fn parse(file: &Path, text: &str) -> Result<Self, ConfigError> {
        let wrong = |fault: String| ConfigError::Wrong { file: file.into(), fault };
        let config: Self = toml::from_str(text).map_err(|error| {
            let line = error.span().map_or(1, |span| {
                text.get(..span.start).unwrap_or_default().bytes().filter(|byte| *byte == b'\n').count() + 1
            });
            wrong(format!("line {line}: {}", error.message()))
        })?;
        if !(1..=64).contains(&config.threads) || !(1..=64).contains(&config.media.threads) {
            return Err(wrong("threads is 1 to 64".into()));
        }
        if config.sip.udp.is_empty() && config.sip.tcp.is_empty() {
            return Err(wrong("no SIP listener: sip.udp and sip.tcp are both empty".into()));
        }
        Ok(config)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_typo_is_a_fault_with_its_line() {
        let fault = Config::parse(Path::new("p.toml"), "threads = 1\n[sip]\nudpp = []\n").unwrap_err().to_string();
        assert!(fault.starts_with("p.toml: line 3: unknown field `udpp`"), "{fault}");
    }

    #[test]
    fn units_stand_in_the_value() {
        let config =
            Config::parse(Path::new("p.toml"), "drain = \"2min\"\n[media]\nports = \"30000-30100\"\n").unwrap();
        assert_eq!(config.drain.0, Duration::from_secs(120));
        assert_eq!(config.media.ports.0, 30_000..=30_100);
        assert!(Config::parse(Path::new("p.toml"), "drain = \"2\"").is_err());
        assert!(Config::parse(Path::new("p.toml"), "drain = \"fast\"").unwrap_err().to_string().contains("such as"));
    }
}

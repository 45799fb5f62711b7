//! Which addresses a name leads to, and whether they may be dialled.

use hickory_resolver::TokioResolver;
use hickory_resolver::config::ResolverConfig;
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use plugboard_model::is_public;
use std::net::IpAddr;
use std::time::Duration;

/// How long one DNS server is waited for, and how often it is asked.
const SERVER_PATIENCE: Duration = Duration::from_secs(2);
const ATTEMPTS: usize = 2;

/// Looks names up without holding a thread. Cheap to clone.
#[derive(Clone)]
pub(crate) struct Names(TokioResolver);

impl Names {
    /// Asks whom the machine asks (`/etc/resolv.conf`, `/etc/hosts`). Where it asks nobody, addresses and names of its own work all the
    /// same. Inside a runtime.
    ///
    /// # Errors
    /// It cannot be set up.
    pub(crate) fn of_machine() -> Result<Self, NetError> {
        let config = hickory_resolver::system_conf::read_system_conf().map(|(config, _)| config);
        let config = config.unwrap_or_else(|_| ResolverConfig::from_parts(None, Vec::new(), Vec::new()));
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        let options = builder.options_mut();
        options.timeout = SERVER_PATIENCE;
        options.attempts = ATTEMPTS;
        builder.build().map(Self)
    }

    /// The addresses of a name, or the one that it is, which may be dialled; there may be none.
    ///
    /// # Errors
    /// The reason: it leads nowhere, or into a private network alone.
    pub(crate) async fn find(&self, host: &str, private: bool) -> Result<Vec<IpAddr>, String> {
        let found: Vec<IpAddr> = match host.parse() {
            Ok(address) => vec![address],
            Err(_) => self.0.lookup_ip(host).await.map_err(|error| error.to_string())?.iter().collect(),
        };
        let allowed: Vec<IpAddr> = found.iter().filter(|address| private || is_public(**address)).copied().collect();
        match (allowed.is_empty(), found.first()) {
            (true, Some(first)) => Err(not_private(*first)),
            (true, None) | (false, _) => Ok(allowed),
        }
    }
}

/// Why an address is not dialled.
pub(crate) fn not_private(address: IpAddr) -> String {
    format!("{address} is in a private network, and `private: true` is not written")
}

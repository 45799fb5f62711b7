//! What all shards know together of how often each source and each user asks.

use plugboard_model::{Time, UserId};
use plugboard_sip::rates::{Rate, Rates, house};
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

/// How often requests outside of calls may come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RequestRates {
    /// From one address, of those who have not shown who they are; what a right password came with is given back.
    pub strangers: Rate,
    /// Of one user: all but calls.
    pub requests: Rate,
    /// Calls of one user.
    pub calls: Rate,
}

impl Default for RequestRates {
    /// A hundred phones behind one address that get power again send some 2,000 requests, each with a right answer soon
    /// after; 10,000 phones that ask by OPTIONS each 20 s whether we are there send 500 a second. To answer so many strangers takes
    /// hundredths of a core. A console with 300 lamps subscribes 600 times at its start, all over again when the network was gone.
    fn default() -> Self {
        Self {
            strangers: Rate { per_second: 500, burst: 10_000 },
            requests: Rate { per_second: 50, burst: 2_000 },
            calls: Rate { per_second: 20, burst: 200 },
        }
    }
}

/// Sources remembered, strangers and phones: 2 MB, and as many again of those who call for help. There is a source for whoever asked within the last seconds.
const SOURCES_MAX: usize = 16_384;
/// Users remembered, likewise.
const USERS_MAX: usize = 16_384;

/// Calls for help from one address beyond what strangers may ask there, each with its challenge: a house on fire does not call
/// more often, and a password is asked for each.
const HELP: Rate = Rate { per_second: 10, burst: 100 };

/// A REGISTER or INVITE with a right password came after one without.
const REQUESTS_OF_A_LOGIN: u32 = 2;

/// Whose requests are counted together.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Source {
    /// All from one address.
    House(IpAddr),
    /// One phone that is registered from this port: its neighbours use nothing of its share.
    Phone(SocketAddr),
}

/// Behind a lock and no actor, as who guesses passwords (`SharedGuesses`).
#[derive(Debug, Clone)]
pub(crate) struct SharedRates(Arc<Mutex<Table>>);

#[derive(Debug)]
struct Table {
    sources: Rates<Source>,
    help: Rates<IpAddr>,
    requests: Rates<UserId>,
    calls: Rates<UserId>,
}

impl SharedRates {
    pub(crate) fn new(rates: RequestRates) -> Self {
        Self(Arc::new(Mutex::new(Table {
            sources: Rates::new(rates.strangers, SOURCES_MAX),
            help: Rates::new(HELP, SOURCES_MAX),
            requests: Rates::new(rates.requests, USERS_MAX),
            calls: Rates::new(rates.calls, USERS_MAX),
        })))
    }

    /// Whether a stranger there may ask once more.
    pub(crate) fn stranger(&self, now: Time, from: SocketAddr) -> bool {
        self.lock().sources.take(now, &Source::House(house(from.ip()))).is_ok()
    }

    /// The same of a phone that is registered from this very port.
    pub(crate) fn phone(&self, now: Time, from: SocketAddr) -> bool {
        self.lock().sources.take(now, &Source::Phone(from)).is_ok()
    }

    /// The same of a call for help from there.
    pub(crate) fn help(&self, now: Time, from: SocketAddr) -> bool {
        self.lock().help.take(now, &house(from.ip())).is_ok()
    }

    /// A user showed there that he is one, and asks once more.
    ///
    /// # Errors
    /// How long he is to wait.
    pub(crate) fn user(&self, now: Time, from: SocketAddr, user: &UserId, calls: bool) -> Result<(), Duration> {
        let mut table = self.lock();
        if calls { table.calls.take(now, user) } else { table.requests.take(now, user) }?;
        table.sources.give_back(now, &Source::House(house(from.ip())), REQUESTS_OF_A_LOGIN);
        table.sources.give_back(now, &Source::Phone(from), REQUESTS_OF_A_LOGIN);
        Ok(())
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

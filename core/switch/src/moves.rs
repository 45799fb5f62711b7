//! Where devices went whose connection broke.

use plugboard_sip::flow::Flow;
use std::collections::BTreeMap;
use std::sync::{Arc, Mutex, PoisonError};

/// Moves remembered, 100 bytes each: as many as there are connections. Past it the one from the oldest connection is
/// forgotten.
const MOVES_MAX: usize = 10_000;

/// For all shards: a device registers on one of them, its calls are on others.
///
/// Asked for each message over a connection, and locked for that look-up alone.
#[derive(Debug, Clone, Default)]
pub(crate) struct Moves(Arc<Mutex<BTreeMap<u64, Flow>>>);

impl Moves {
    /// A device that was on one connection is on another now. Connections are numbered in the order in which they opened.
    pub(crate) fn moved(&self, from: Flow, to: Flow) {
        let mut moves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if from.connection < to.connection {
            moves.insert(from.connection, to);
        }
        while moves.len() > MOVES_MAX {
            moves.pop_first();
        }
    }

    /// Over what to send that which was for this connection.
    pub(crate) fn follow(&self, flow: Flow) -> Flow {
        if flow.connection == 0 {
            return flow;
        }
        let moves = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        // Each step leads to a younger connection, so that this ends.
        std::iter::successors(Some(flow), |flow| moves.get(&flow.connection).copied()).last().unwrap_or(flow)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::net::SocketAddr;

    fn tcp(connection: u64) -> Flow {
        let address = SocketAddr::from(([192, 0, 2, 1], 5060));
        Flow::tcp(address, address, connection)
    }

    #[test]
    fn a_device_is_followed_over_all_its_connections_and_what_is_remembered_is_bounded() {
        let moves = Moves::default();
        for n in 1..=20_000 {
            moves.moved(tcp(n), tcp(n + 1));
        }
        assert_eq!(moves.follow(tcp(15_000)), tcp(20_001));
        assert_eq!(moves.follow(tcp(1)), tcp(1), "too long ago");
        assert_eq!(moves.follow(tcp(0)), tcp(0));
        moves.moved(tcp(20_001), tcp(20_001));
        moves.moved(tcp(20_001), tcp(10));
        assert_eq!(moves.follow(tcp(20_000)), tcp(20_001), "never in a circle");
    }
}

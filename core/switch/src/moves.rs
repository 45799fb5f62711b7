//! Where devices went whose connection broke.

use bytes::Bytes;
use plugboard_model::UserId;
use plugboard_sip::flow::Flow;
use std::collections::{BTreeMap, BTreeSet};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use crate::env::{SipTransport, Unsendable};

/// Connections remembered, about 150 bytes each: twice as many as may be open. Past it those go first that closed, the
/// oldest of them.
const CONNECTIONS_MAX: usize = 20_000;

/// For all shards: a device registers on one of them, its calls are on others.
///
/// Locked for a look-up when somebody proves who he is over a connection, and when one is gone over which something
/// should go.
#[derive(Debug, Clone, Default)]
pub(crate) struct Moves(Arc<Mutex<Table>>);

#[derive(Debug, Default)]
struct Table {
    connections: BTreeMap<u64, Connection>,
    closed: BTreeSet<u64>,
}

#[derive(Debug)]
struct Connection {
    /// The only one who ever spoke over it. None: several did, as over that of a proxy, or a gateway did. Then nobody
    /// knows whose what was for it is, and it goes nowhere else.
    whose: Option<UserId>,
    /// Over what his device registered last; all connections that it had share this.
    device: Option<Arc<Mutex<Flow>>>,
}

impl Moves {
    /// This user proved to be himself over this connection; `None`: a gateway that needs no proof.
    pub(crate) fn spoke(&self, flow: Flow, user: Option<&UserId>) {
        if flow.connection == 0 {
            return;
        }
        let mut table = self.lock();
        match table.connections.get_mut(&flow.connection) {
            Some(known) if known.whose.as_ref() == user => {}
            Some(known) => *known = Connection { whose: None, device: None },
            None => {
                let made = Connection { whose: user.cloned(), device: None };
                table.connections.insert(flow.connection, made);
                table.make_room();
            }
        }
    }

    /// A connection ended.
    pub(crate) fn closed(&self, flow: Flow) {
        let mut table = self.lock();
        if table.connections.contains_key(&flow.connection) {
            table.closed.insert(flow.connection);
        }
    }

    /// A device of this user that had registered over one connection did so over another.
    pub(crate) fn moved(&self, user: &UserId, from: Flow, to: Flow) {
        let mut table = self.lock();
        let Some(device) =
            table.of(user, from).map(|known| Arc::clone(known.device.get_or_insert_with(|| Arc::new(Mutex::new(to)))))
        else {
            return;
        };
        *device.lock().unwrap_or_else(PoisonError::into_inner) = to;
        if let Some(known) = table.of(user, to) {
            known.device = Some(device);
        }
    }

    /// Sends a message over its own connection or, when that is gone, a request over the one that the device of its user
    /// has now; over which it was tried, and with what success. Whoever waits for a response opens its own way
    /// (RFC 3261 section 18.2.2).
    pub(crate) fn send(
        &self,
        sip: &dyn SipTransport,
        flow: Flow,
        bytes: Bytes,
        is_request: bool,
    ) -> (Flow, Result<(), Unsendable>) {
        let sent = sip.send(flow, bytes.clone());
        if is_request
            && matches!(sent, Err(Unsendable::Anything(_)))
            && let Some(to) = self.follow(flow)
        {
            return (to, sip.send(to, bytes));
        }
        (flow, sent)
    }

    /// Over what that may go which was for a connection that is gone.
    fn follow(&self, flow: Flow) -> Option<Flow> {
        let table = self.lock();
        let device = table.connections.get(&flow.connection)?.device.as_ref()?;
        let to = *device.lock().unwrap_or_else(PoisonError::into_inner);
        (to.connection != flow.connection && !table.closed.contains(&to.connection)).then_some(to)
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Table {
    /// A connection over which nobody else than this user spoke.
    fn of(&mut self, user: &UserId, flow: Flow) -> Option<&mut Connection> {
        self.connections.get_mut(&flow.connection).filter(|known| known.whose.as_ref() == Some(user))
    }

    fn make_room(&mut self) {
        while self.connections.len() > CONNECTIONS_MAX {
            let oldest = self.closed.pop_first().or_else(|| self.connections.keys().next().copied());
            let Some(oldest) = oldest else { return };
            self.connections.remove(&oldest);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use plugboard_model::OfficeId;
    use plugboard_sip::flow::Transport;
    use std::net::SocketAddr;

    fn tcp(connection: u64) -> Flow {
        let address = SocketAddr::from(([192, 0, 2, 1], 5060));
        Flow::tcp(address, address, connection)
    }

    fn user(name: &str) -> UserId {
        UserId::new(&OfficeId::new("main").unwrap(), name).unwrap()
    }

    /// A network on which these connections are open.
    struct Net(BTreeSet<u64>);

    impl SipTransport for Net {
        fn send(&self, flow: Flow, _: Bytes) -> Result<(), Unsendable> {
            self.0.contains(&flow.connection).then_some(()).ok_or(Unsendable::Anything(flow))
        }
        fn flow_to(&self, _: Transport, _: SocketAddr) -> Option<Flow> {
            None
        }
        fn local_addresses(&self) -> Vec<(Transport, SocketAddr)> {
            Vec::new()
        }
    }

    /// Over what a request for this connection goes while those are open; `None`: it fails.
    fn goes(moves: &Moves, connection: u64, open: &[u64]) -> Option<u64> {
        let (over, sent) = moves.send(&Net(open.iter().copied().collect()), tcp(connection), Bytes::new(), true);
        sent.ok().map(|()| over.connection)
    }

    /// A device of this user that registered over each of these, one after the other.
    fn registered(name: &str, over: &[u64]) -> Moves {
        let (moves, user) = (Moves::default(), user(name));
        for connection in over {
            moves.spoke(tcp(*connection), Some(&user));
        }
        for pair in over.windows(2) {
            moves.moved(&user, tcp(pair[0]), tcp(pair[1]));
        }
        moves
    }

    #[test]
    fn a_device_is_followed_over_all_its_connections() {
        let moves = registered("101", &(1..=10_000).collect::<Vec<_>>());
        for connection in [1, 5_000, 9_999] {
            assert_eq!(goes(&moves, connection, &[10_000]), Some(10_000));
        }
        assert_eq!(goes(&moves, 1, &[]), None);
        assert_eq!(goes(&moves, 0, &[10_000]), None, "not over any connection that broke");
        moves.closed(tcp(10_000));
        assert_eq!(moves.follow(tcp(1)), None, "he is nowhere");
        moves.spoke(tcp(10_001), Some(&user("101")));
        moves.moved(&user("101"), tcp(10_000), tcp(10_001));
        assert_eq!(goes(&moves, 1, &[10_001]), Some(10_001), "he is back");
    }

    #[test]
    fn what_is_for_a_connection_that_is_open_goes_over_it() {
        let moves = registered("101", &[1, 2]);
        assert_eq!(goes(&moves, 1, &[1, 2]), Some(1));
        assert_eq!(goes(&moves, 1, &[2]), Some(2));
    }

    #[test]
    fn a_device_that_registers_over_two_connections_by_turns_is_followed_to_the_one_that_is_left() {
        let moves = registered("101", &[1, 2, 1]);
        assert_eq!(goes(&moves, 2, &[1]), Some(1));
        assert_eq!(goes(&moves, 1, &[2]), None, "it registered over the first one last");
    }

    #[test]
    fn what_is_for_a_connection_of_several_follows_none_of_them() {
        for late in [false, true] {
            for other in [Some(user("102")), None] {
                let moves = if late { registered("101", &[1, 2]) } else { Moves::default() };
                moves.spoke(tcp(1), Some(&user("101")));
                moves.spoke(tcp(1), other.as_ref());
                moves.spoke(tcp(2), Some(&user("101")));
                moves.moved(&user("101"), tcp(1), tcp(2));
                assert_eq!(goes(&moves, 1, &[2]), None, "{late} {other:?}");
            }
        }
        let moves = registered("101", &[1, 2]);
        moves.moved(&user("102"), tcp(1), tcp(3));
        assert_eq!(goes(&moves, 1, &[2, 3]), Some(2), "nobody moves another");
    }

    #[test]
    fn nobody_gets_what_is_for_others_over_the_connection_of_a_proxy_that_he_moved_to() {
        let moves = Moves::default();
        for (connection, name) in [(1, "101"), (2, "101"), (2, "102"), (3, "101")] {
            moves.spoke(tcp(connection), Some(&user(name)));
        }
        moves.moved(&user("101"), tcp(1), tcp(2));
        moves.moved(&user("101"), tcp(2), tcp(3));
        assert_eq!(goes(&moves, 1, &[2, 3]), Some(2), "his own goes where he went");
        assert_eq!(goes(&moves, 2, &[3]), None);
    }

    #[test]
    fn a_response_follows_nobody() {
        let moves = registered("101", &[1, 2]);
        let (over, sent) = moves.send(&Net([2].into()), tcp(1), Bytes::new(), false);
        assert_eq!((over, sent), (tcp(1), Err(Unsendable::Anything(tcp(1)))));
    }

    #[test]
    fn what_is_remembered_is_bounded_and_the_closed_go_first() {
        let moves = registered("101", &[1, 2]);
        moves.closed(tcp(2));
        for n in 3..=20_001 {
            moves.spoke(tcp(n), Some(&user("102")));
        }
        assert_eq!(moves.lock().connections.len(), CONNECTIONS_MAX);
        assert!(moves.lock().connections.contains_key(&1) && !moves.lock().connections.contains_key(&2));
        moves.spoke(tcp(20_002), None);
        assert_eq!(moves.lock().connections.len(), CONNECTIONS_MAX);
        assert!(moves.lock().closed.is_empty());
    }
}

//! Byte streams between people and the server: they take their time, arrive in
//! any chunking, and break.

use core::time::Duration;
use std::collections::{BTreeMap, VecDeque};

use hushwing_sansio::{Endpoint, Moment, StreamId};

use crate::room::ConnId;
use crate::{Dice, Netem};

/// What reaches one end of a connection.
#[derive(Debug)]
pub(crate) enum Arrival {
    /// The server accepted, or did not: the person is told at the same time.
    Open(Endpoint),
    ToServer(Vec<u8>),
    ToPerson(Vec<u8>),
    /// The connection is over, for both.
    Broken,
}

pub(crate) struct Connection {
    pub(crate) person: usize,
    pub(crate) stream: StreamId,
    /// Each end that still wants to hear of the connection.
    pub(crate) person_listens: bool,
    pub(crate) server_listens: bool,
    up: VecDeque<(Moment, Arrival)>,
    down: VecDeque<(Moment, Arrival)>,
}

/// All connections of the world.
#[derive(Default)]
pub(crate) struct Streams {
    pub(crate) connections: BTreeMap<ConnId, Connection>,
    next: u64,
}

impl Streams {
    pub(crate) fn open(&mut self, person: usize, stream: StreamId, endpoint: Endpoint, at: Moment) {
        let id = ConnId(self.next);
        self.next = self.next.saturating_add(1);
        let up = VecDeque::from([(at, Arrival::Open(endpoint))]);
        self.connections.insert(
            id,
            Connection {
                person,
                stream,
                person_listens: true,
                server_listens: false,
                up,
                down: VecDeque::new(),
            },
        );
    }

    pub(crate) fn of(&self, person: usize, stream: StreamId) -> Option<ConnId> {
        self.connections
            .iter()
            .find(|(_, conn)| (conn.person, conn.stream) == (person, stream))
            .map(|(id, _)| *id)
    }

    pub(crate) fn send(
        &mut self,
        dice: &mut Dice,
        netem: &Netem,
        now: Moment,
        id: ConnId,
        bytes: Vec<u8>,
        to_server: bool,
    ) {
        let Some(conn) = self.connections.get_mut(&id) else {
            return;
        };
        let lane = if to_server {
            &mut conn.up
        } else {
            &mut conn.down
        };
        let mut at = (now + dice.between(netem.latency.0, netem.latency.1))
            .max(lane.back().map_or(now, |(at, _)| *at));
        if dice.chance(netem.breaks) {
            lane.push_back((at, Arrival::Broken));
            return;
        }
        let mut rest = bytes;
        while !rest.is_empty() {
            let cut = if netem.cuts {
                usize::try_from(dice.below(rest.len() as u64))
                    .unwrap_or(0)
                    .saturating_add(1)
            } else {
                rest.len()
            };
            let tail = rest.split_off(cut.min(rest.len()));
            let arrival = if to_server {
                Arrival::ToServer(rest)
            } else {
                Arrival::ToPerson(rest)
            };
            lane.push_back((at, arrival));
            at = at + Duration::from_micros(50);
            rest = tail;
        }
    }

    /// The earliest arrival still to come.
    pub(crate) fn next_arrival(&self) -> Option<Moment> {
        self.connections
            .values()
            .flat_map(|conn| [conn.up.front(), conn.down.front()])
            .flatten()
            .map(|(at, _)| *at)
            .min()
    }

    /// Takes one thing that has arrived by `now`.
    pub(crate) fn take(&mut self, now: Moment) -> Option<(ConnId, Arrival)> {
        let id = self.connections.iter().find_map(|(id, conn)| {
            [conn.up.front(), conn.down.front()]
                .into_iter()
                .flatten()
                .any(|(at, _)| *at <= now)
                .then_some(*id)
        })?;
        let conn = self.connections.get_mut(&id)?;
        let due = |lane: &VecDeque<(Moment, Arrival)>| {
            lane.front().map(|(at, _)| *at).filter(|at| *at <= now)
        };
        let lane = match (due(&conn.up), due(&conn.down)) {
            (Some(up), Some(down)) if down < up => &mut conn.down,
            (Some(_), _) => &mut conn.up,
            (None, _) => &mut conn.down,
        };
        lane.pop_front().map(|(_, arrival)| (id, arrival))
    }

    /// One end is done; the other is told after what is on its way arrived.
    pub(crate) fn hang_up(&mut self, now: Moment, id: ConnId, by_person: bool) {
        let Some(conn) = self.connections.get_mut(&id) else {
            return;
        };
        let (lane, other) = if by_person {
            conn.person_listens = false;
            (&mut conn.up, &mut conn.down)
        } else {
            conn.server_listens = false;
            (&mut conn.down, &mut conn.up)
        };
        other.clear();
        let at = lane.back().map_or(now, |(at, _)| *at);
        lane.push_back((at, Arrival::Broken));
    }

    /// A person's process is gone and with it its end of every connection.
    pub(crate) fn hang_up_all(&mut self, now: Moment, person: usize) {
        let of_person = |(id, conn): (&ConnId, &Connection)| {
            (conn.person == person && conn.person_listens).then_some(*id)
        };
        let theirs: Vec<ConnId> = self.connections.iter().filter_map(of_person).collect();
        for id in theirs {
            self.hang_up(now, id, true);
        }
    }

    /// Breaks every connection that `which` picks: what is on its way is gone.
    pub(crate) fn cut(&mut self, now: Moment, which: impl Fn(&Connection) -> bool) {
        for conn in self.connections.values_mut().filter(|conn| which(conn)) {
            conn.down.clear();
            conn.up = VecDeque::from([(now, Arrival::Broken)]);
        }
    }
}

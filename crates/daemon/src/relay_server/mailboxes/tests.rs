use futures_util::FutureExt;
use hushwing_relay::server::{Answer, Output, Ticket};

use super::*;

const MIB: usize = 1024 * 1024;

/// The connection's end of a line.
struct Client {
    id: ConnectionId,
    line: Arc<Line>,
}

impl Client {
    fn open(mailboxes: &mut Mailboxes, id: u64) -> Self {
        let line = Arc::new(Line::new(&mailboxes.unread, Moment::default()));
        let id = ConnectionId(id);
        mailboxes.insert(id, Mailbox::new(Arc::clone(&line)));
        Self { id, line }
    }

    fn is_open(&self) -> bool {
        self.line.listen(false).now_or_never().is_none()
    }

    fn read(&self) -> usize {
        let mut read = 0;
        for message in self
            .line
            .listen(true)
            .now_or_never()
            .into_iter()
            .flatten()
            .flatten()
        {
            let ToConnection::Outputs(outputs) = message else {
                continue;
            };
            let weight = backlog::weight(&outputs);
            self.line.backlog.release(weight);
            read += weight;
        }
        read
    }
}

fn mailboxes() -> Mailboxes {
    Mailboxes::new(&ServerConfig::default(), Unread::default())
}

fn at(seconds: u64) -> Moment {
    Moment::from_origin(Duration::from_secs(seconds))
}

/// One transaction that says `bytes` to `client`.
fn say(mailboxes: &mut Mailboxes, client: &Client, bytes: usize, now: Moment) {
    let answer = Output::Answer(Ticket(0), Answer::Info("x".repeat(bytes)));
    mailboxes.send(client.id, ToConnection::Outputs(vec![answer]), now);
    mailboxes.make_room(now);
}

#[test]
fn who_reads_gets_its_mail_while_parked_ones_are_closed() {
    let mut mailboxes = mailboxes();
    let mut parked: Vec<_> = (1..=64)
        .map(|id| Client::open(&mut mailboxes, id))
        .collect();
    for client in &parked {
        say(&mut mailboxes, client, 4 * MIB - 512, at(1));
    }
    let honest = Client::open(&mut mailboxes, 100);
    for second in 2..300 {
        say(&mut mailboxes, &honest, MIB, at(second));
        assert!(honest.read() > MIB);
        // Every other second a new one parks.
        if second % 2 == 0 {
            let another = Client::open(&mut mailboxes, 100 + second);
            say(&mut mailboxes, &another, 4 * MIB - 512, at(second));
            parked.push(another);
        }
        assert!(mailboxes.unread.bytes() <= 256 * MIB);
    }
    assert!(honest.is_open());
    let open = parked.iter().map(Client::is_open);
    // Those who came first went first.
    assert!(open.is_sorted(), "the oldest went");
    assert!(!parked[0].is_open() && !parked[64].is_open());
}

#[test]
fn many_that_park_little_make_room_too() {
    let mut mailboxes = mailboxes();
    let parked: Vec<_> = (0..4_200)
        .map(|id| {
            let client = Client::open(&mut mailboxes, id);
            say(&mut mailboxes, &client, MODEST / 2, at(1));
            client
        })
        .collect();
    let honest = Client::open(&mut mailboxes, 10_000);
    for second in 2..10 {
        say(&mut mailboxes, &honest, MIB, at(second));
        assert!(honest.read() > MIB && mailboxes.unread.bytes() <= 256 * MIB);
    }
    assert!(honest.is_open());
    let closed = parked
        .iter()
        .filter_map(|client| (!client.is_open()).then_some(()));
    // A sixteenth, and what was too much; not all of them.
    assert!((1..1_000).contains(&closed.count()));
}

#[test]
fn a_connection_that_had_read_everything_stays() {
    let mut mailboxes = mailboxes();
    let parked = Client::open(&mut mailboxes, 1);
    let honest = Client::open(&mut mailboxes, 2);
    say(&mut mailboxes, &parked, MIB, at(1));
    mailboxes.limits.1 = 0;
    // More than all others, and nobody is left to make room.
    say(&mut mailboxes, &honest, 8 * MIB, at(2));
    assert!(honest.is_open() && !mailboxes.has(parked.id));
}

#[test]
fn a_connection_that_reads_nothing_reaches_its_bound() {
    let mut mailboxes = mailboxes();
    let client = Client::open(&mut mailboxes, 1);
    say(&mut mailboxes, &client, 4 * MIB - 512, at(1));
    say(&mut mailboxes, &client, MIB, at(1));
    assert!(client.is_open());
    say(&mut mailboxes, &client, 1, at(1));
    assert!(!client.is_open());
    assert_eq!(mailboxes.unread.bytes(), 0);
}

#[test]
fn who_stays_behind_for_minutes_is_closed() {
    let mut mailboxes = mailboxes();
    let clients: Vec<_> = (0..3).map(|id| Client::open(&mut mailboxes, id)).collect();
    let parked_at = |minute: u64| at(60 * minute);
    for minute in 0..=10 {
        // One parks much and reads a little, one little; one catches up.
        say(
            &mut mailboxes,
            &clients[0],
            MODEST + 40_000,
            parked_at(minute),
        );
        clients[0]
            .line
            .backlog
            .release(if minute == 0 { 0 } else { 32_768 });
        if minute == 0 {
            say(&mut mailboxes, &clients[1], MODEST / 2, parked_at(minute));
        }
        clients[2].read();
        say(&mut mailboxes, &clients[2], 2 * MODEST, parked_at(minute));
        mailboxes.close_stalled(parked_at(minute));
        let open: Vec<_> = clients.iter().map(Client::is_open).collect();
        assert_eq!(open, [minute < 10, true, true], "minute {minute}");
    }
}

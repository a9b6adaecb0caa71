//! What a socket passes before its handshake.
//!
//! Whoever costs its sender little must not hold what others need. A socket
//! first waits, at the price of its descriptor, until its whole `ClientHello`
//! is there: a client sends it one round trip after it connected. Then it waits
//! for a place among the handshakes, and in its place for its client's last
//! flight. Everywhere the number is bounded, and who waits longest is the least
//! likely to be a client.

use std::collections::VecDeque;
use std::future::Future;
use std::io;
use std::pin::pin;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use rustix::io::ioctl_fionread;
use rustix::net::{RecvFlags, recv};
use tokio::io::Interest;
use tokio::net::TcpStream;
use tokio::sync::{Semaphore, SemaphorePermit, oneshot};
use tokio::time::{Instant, sleep, timeout};

/// A bounded number of sockets that wait, each for a bounded time.
pub(crate) struct Line {
    limit: usize,
    patience: Duration,
    /// Dropping an entry tells its socket to go. Entries whose receiver is
    /// gone wait no more.
    waiting: Mutex<VecDeque<oneshot::Sender<()>>>,
}

impl Line {
    /// At most `limit` sockets, at least one, each for `patience`.
    pub(crate) fn new(limit: usize, patience: Duration) -> Self {
        Self {
            limit: limit.max(1),
            patience,
            waiting: Mutex::default(),
        }
    }

    /// Waits for `arrival`; `None` if the socket is to be closed.
    pub(crate) async fn wait<T>(&self, arrival: impl Future<Output = Option<T>>) -> Option<T> {
        let displaced = self.enter();
        tokio::select! {
            arrived = timeout(self.patience, arrival) => arrived.ok().flatten(),
            _ = displaced => None,
        }
    }

    fn enter(&self) -> oneshot::Receiver<()> {
        let (stay, displaced) = oneshot::channel();
        let mut waiting = lock(&self.waiting);
        if waiting.len() >= self.limit {
            waiting.retain(|entry| !entry.is_closed());
        }
        if waiting.len() >= self.limit {
            waiting.pop_front();
        }
        waiting.push_back(stay);
        displaced
    }
}

/// How long one that waits for a place rests after it had another displaced.
const REST: Duration = Duration::from_millis(100);

/// The places of handshakes. A place is safe for a while; after that its
/// holder is displaced as soon as another socket waits.
pub(crate) struct Places {
    limit: usize,
    safe: Duration,
    free: Semaphore,
    line: Line,
    /// Since when, and as in [`Line`].
    held: Mutex<VecDeque<(Instant, oneshot::Sender<()>)>>,
}

impl Places {
    /// `limit` places, each safe for `safe`, and a line before them.
    pub(crate) fn new(limit: usize, safe: Duration, line: Line) -> Self {
        let limit = limit.min(Semaphore::MAX_PERMITS);
        Self {
            limit,
            safe,
            free: Semaphore::new(limit),
            line,
            held: Mutex::default(),
        }
    }

    /// Runs `handshake` in a place; `None` if the socket is to be closed.
    pub(crate) async fn run<T>(&self, handshake: impl Future<Output = Option<T>>) -> Option<T> {
        let _place = self.line.wait(self.take()).await?;
        let displaced = self.enter();
        tokio::select! {
            done = handshake => done,
            _ = displaced => None,
        }
    }

    async fn take(&self) -> Option<SemaphorePermit<'_>> {
        let mut place = pin!(self.free.acquire());
        loop {
            tokio::select! {
                biased;
                place = &mut place => return place.ok(),
                // Computed only when there is no place at once.
                () = async { sleep(self.displace()).await } => {}
            }
        }
    }

    /// Displaces the oldest holder if it is safe no more; when to try again.
    fn displace(&self) -> Duration {
        let mut held = lock(&self.held);
        while held.front().is_some_and(|(_, entry)| entry.is_closed()) {
            held.pop_front();
        }
        let left = held.front().map_or(self.safe, |(since, _)| {
            self.safe.saturating_sub(since.elapsed())
        });
        if left.is_zero() {
            held.pop_front();
        }
        left.max(REST)
    }

    fn enter(&self) -> oneshot::Receiver<()> {
        let (stay, displaced) = oneshot::channel();
        let mut held = lock(&self.held);
        if held.len() >= self.limit {
            held.retain(|(_, entry)| !entry.is_closed());
        }
        held.push_back((Instant::now(), stay));
        displaced
    }
}

fn lock<T>(entries: &Mutex<T>) -> MutexGuard<'_, T> {
    entries.lock().unwrap_or_else(PoisonError::into_inner)
}

/// Waits until the first record on `tcp`, a whole `ClientHello`, can be read.
/// `None` if what comes is something else, or all that will come.
///
/// A socket with a part of it is readable and stays so; what is waited for
/// is therefore news, which the system tells once.
pub(crate) async fn hello(tcp: &TcpStream) -> Option<()> {
    loop {
        let ready = tcp.ready(Interest::READABLE).await.ok()?;
        match tcp.try_io(Interest::READABLE, || look(tcp)) {
            Ok(true) => return Some(()),
            // After the peer's end there is no news, and no end of readiness.
            Err(error) if error.kind() == io::ErrorKind::WouldBlock && !ready.is_read_closed() => {}
            Ok(false) | Err(_) => return None,
        }
    }
}

/// The largest fragment of a record (RFC 8446, 5.1).
const MOST_FRAGMENT: usize = 16_384;

/// Bytes of the headers of a record and of the handshake message in it.
pub const HEADS: usize = 5 + 4;

/// How long the record is, header and all, that holds a whole `ClientHello` and
/// begins with `heads`; `None` if there is none in it.
///
/// One that spans records is none: no client of ours or of the reference needs
/// that, and its first part may be a single byte.
#[must_use]
pub fn hello_length(heads: &[u8; HEADS]) -> Option<usize> {
    // Content type 22, version 3.x, length; message type 1, length.
    let [22, 3, _, high, low, 1, top, middle, bottom] = *heads else {
        return None;
    };
    let fragment = usize::from(u16::from_be_bytes([high, low]));
    let message = u32::from_be_bytes([0, top, middle, bottom]);
    let fits = usize::try_from(message).is_ok_and(|length| length + 4 == fragment);
    (fits && fragment <= MOST_FRAGMENT).then_some(5 + fragment)
}

/// Whether a whole `ClientHello` is there; `WouldBlock` if it may come, false
/// if it will not.
fn look(tcp: &TcpStream) -> io::Result<bool> {
    let mut heads = [0; HEADS];
    let (_, there) = recv(tcp, &mut heads[..], RecvFlags::PEEK)?;
    if there == 0 {
        return Ok(false);
    }
    if there < HEADS {
        return not_yet();
    }
    let Some(length) = hello_length(&heads) else {
        return Ok(false);
    };
    let whole = usize::try_from(ioctl_fionread(tcp)?).is_ok_and(|bytes| bytes >= length);
    if whole { Ok(true) } else { not_yet() }
}

fn not_yet() -> io::Result<bool> {
    Err(io::ErrorKind::WouldBlock.into())
}

#[cfg(test)]
mod tests {
    use std::future::poll_fn;
    use std::task::Poll;

    use tokio::io::AsyncWriteExt;
    use tokio::net::TcpListener;

    use super::*;

    /// Type and lengths of a hello of 200 bytes.
    const BEGIN: [u8; HEADS] = [22, 3, 1, 0, 204, 1, 0, 0, 200];

    async fn pair() -> (TcpStream, TcpStream) {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let (peer, ours) = tokio::join!(TcpStream::connect(address), listener.accept());
        (peer.unwrap(), ours.unwrap().0)
    }

    #[tokio::test]
    async fn waiting_for_the_rest_of_a_hello_costs_no_turns() {
        let (mut peer, ours) = pair().await;
        peer.write_all(&BEGIN).await.unwrap();
        let mut waiting = pin!(hello(&ours));
        let mut turns = 0;
        let counted = poll_fn(|cx| {
            turns += 1;
            waiting.as_mut().poll(cx)
        });
        assert!(timeout(Duration::from_millis(300), counted).await.is_err());
        assert!(turns <= 5, "{turns}");
        peer.write_all(&[0; 200]).await.unwrap();
        assert_eq!(waiting.await, Some(()));
    }

    #[tokio::test]
    async fn a_hello_cut_short_is_waited_for_no_more() {
        let (mut peer, ours) = pair().await;
        peer.write_all(&BEGIN).await.unwrap();
        let mut waiting = pin!(hello(&ours));
        let first = poll_fn(|cx| Poll::Ready(waiting.as_mut().poll(cx))).await;
        assert!(first.is_pending());
        drop(peer);
        assert_eq!(timeout(Duration::from_secs(5), waiting).await, Ok(None));
    }

    #[tokio::test]
    async fn what_is_no_hello_is_not_waited_for() {
        let others: [&[u8]; 4] = [
            b"GET / HTTP/1.1\r\n",
            // Empty fragment, a hello longer than its record, a huge record.
            &[22, 3, 1, 0, 0, 1, 0, 0, 0],
            &[22, 3, 1, 0, 5, 1, 0, 0, 200],
            &[22, 3, 1, 255, 255, 1, 0, 255, 251],
        ];
        for other in others {
            let (mut peer, ours) = pair().await;
            peer.write_all(other).await.unwrap();
            let refused = timeout(Duration::from_secs(5), hello(&ours)).await;
            assert_eq!(refused, Ok(None), "{other:?}");
        }
    }
}

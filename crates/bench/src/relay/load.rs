//! Many pairs at once: as fast as the server lets them, then at half that
//! rate.

use std::num::NonZero;
use std::path::Path;
use std::thread;
use std::time::Duration;

use hushwing_transport::{Connector, ConnectorConfig};
use tokio::runtime::Runtime;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until};

use super::disk;
use super::limit::Primitives;
use super::pair::Pair;
use super::server::Server;
use crate::clock::{Samples, micros};
use crate::{BenchError, Figure};

/// Pairs that talk at the same time.
const PAIRS: usize = 20;

/// Load and reference take turns so often, so that what else the machine does
/// falls on both.
const ROUNDS: u32 = 25;

/// Before the first measurement: files grow, caches fill.
const WARM_UP: Duration = Duration::from_millis(500);

/// Figures of delivered messages.
pub(super) fn measure(
    runtime: &Runtime,
    budget: Duration,
    program: &Path,
) -> Result<Vec<Figure>, BenchError> {
    let server = Server::start(program)?;
    let connector = Connector::new(ConnectorConfig::default());
    let mut pairs = runtime.block_on(open(&connector, &server))?;
    (pairs, _) = runtime.block_on(run(pairs, Instant::now() + WARM_UP, None))?;

    let (mut cost, mut rate, mut limit) =
        (Samples::default(), Samples::default(), Samples::default());
    let mut primitives = (0..processors())
        .map(|_| Primitives::new())
        .collect::<Result<Vec<_>, _>>()?;
    for _ in 0..ROUNDS {
        limit.push(on_all_processors(&mut primitives)?);
        let (busy, started) = (server.time()?, Instant::now());
        let latencies;
        (pairs, latencies) = runtime.block_on(run(pairs, started + budget / ROUNDS, None))?;
        let (busy, elapsed) = (server.time()?.saturating_sub(busy), started.elapsed());
        let delivered = latencies.len() as f64;
        cost.push(micros(busy) / delivered);
        rate.push(delivered / elapsed.as_secs_f64());
    }

    let pause = Duration::from_secs_f64(2.0 * PAIRS as f64 / rate.median().max(1.0));
    let (_, latencies) = runtime.block_on(run(pairs, Instant::now() + budget, Some(pause)))?;
    let writes = disk::durable_writes(server.folder(), budget / 4)?;
    let milliseconds = |q| (latencies.quantile(q) / 1e3, writes.quantile(q) / 1e3);
    let (half, most) = (milliseconds(0.5), milliseconds(0.99));
    let bound = processors() as f64 * 1e6 / limit.median();
    Ok(vec![
        Figure::new(
            "delivered_message_cpu_vs_crypto",
            "µs/message",
            cost.median(),
            limit.median(),
        ),
        Figure::new("messages_per_second", "messages/s", rate.median(), bound),
        Figure::new("delivery_latency_p50_at_half_rate", "ms", half.0, half.1),
        Figure::new("delivery_latency_p99_at_half_rate", "ms", most.0, most.1),
    ])
}

fn processors() -> usize {
    thread::available_parallelism().map_or(1, NonZero::get)
}

/// Microseconds of a delivered message's primitives with every processor at
/// them, as the load has every processor busy: one that works alone may be
/// faster.
fn on_all_processors(primitives: &mut [Primitives]) -> Result<f64, BenchError> {
    let count = primitives.len() as f64;
    let each = thread::scope(|scope| {
        let threads: Vec<_> = (primitives.iter_mut())
            .map(|one| scope.spawn(|| one.delivered_message()))
            .collect();
        let results = threads.into_iter().map(|thread| thread.join());
        results
            .map(|result| result.unwrap_or(Err(BenchError::Bug("a thread of the limit ended"))))
            .collect::<Result<Vec<f64>, _>>()
    })?;
    Ok(each.iter().sum::<f64>() / count)
}

async fn open(connector: &Connector, server: &Server) -> Result<Vec<Pair>, BenchError> {
    let mut pairs = Vec::with_capacity(PAIRS);
    for _ in 0..PAIRS {
        pairs.push(Pair::open(connector, server.endpoint()).await?);
    }
    Ok(pairs)
}

/// Lets all pairs deliver until `end`. With a `pause`, a message is due that
/// long after the one before, and its latency counts from when it was due:
/// a slow answer must not hide that it made others late.
async fn run(
    pairs: Vec<Pair>,
    end: Instant,
    pause: Option<Duration>,
) -> Result<(Vec<Pair>, Samples), BenchError> {
    let mut tasks = JoinSet::new();
    for (number, pair) in pairs.into_iter().enumerate() {
        let begin = Instant::now() + pause.unwrap_or_default() * number as u32 / PAIRS as u32;
        tasks.spawn(converse(pair, begin, end, pause));
    }
    let (mut pairs, mut all) = (Vec::with_capacity(PAIRS), Samples::default());
    while let Some(done) = tasks.join_next().await {
        let (pair, latencies) = done.map_err(BenchError::bug("a load task ended"))??;
        pairs.push(pair);
        all.extend(latencies.into_iter().map(micros));
    }
    Ok((pairs, all))
}

async fn converse(
    mut pair: Pair,
    begin: Instant,
    end: Instant,
    pause: Option<Duration>,
) -> Result<(Pair, Vec<Duration>), BenchError> {
    let mut latencies = Vec::new();
    let mut due = begin;
    while due < end {
        sleep_until(due).await;
        latencies.push(pair.deliver(due).await?);
        due = match pause {
            Some(pause) => due + pause,
            None => Instant::now(),
        };
    }
    Ok((pair, latencies))
}

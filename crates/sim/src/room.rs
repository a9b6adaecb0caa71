//! What a machine must offer so that the world can run it.

use hushwing_delivery::{Network, NetworkCommand, NetworkEvent, NetworkTag};
use hushwing_sansio::{Channel, Context, Endpoint, Machine, Moment, StorageError};

use crate::{Dice, Netem};

/// A machine and the store it works on.
pub trait Room {
    /// The machine.
    type Machine: Machine;
    /// The store. A clone is a snapshot; what is put back is a rollback.
    type Store: Clone;

    /// Opens the machine on its store, as after a restart.
    ///
    /// # Errors
    ///
    /// When the store holds what the machine cannot read.
    fn open(store: &mut Self::Store) -> Result<Self::Machine, StorageError>;

    /// Lends the store for one call.
    fn lend(store: &mut Self::Store) -> &mut <Self::Machine as Machine>::Storage;
}

/// The room above the networks: something that owns a post office.
pub trait Core: Room {
    /// An empty store.
    fn store() -> Self::Store;

    /// The command that brings a network's event in.
    fn network_event(
        network: NetworkTag,
        event: NetworkEvent,
    ) -> <Self::Machine as Machine>::Command;

    /// Tells commands for networks from events for a face.
    fn routed(event: <Self::Machine as Machine>::Event) -> Routed<Self>;
}

/// Where an event of the core goes.
pub enum Routed<C: Core + ?Sized> {
    /// Down to a network.
    Network(NetworkTag, NetworkCommand),
    /// Up to a face.
    Face(<C::Machine as Machine>::Event),
}

/// A network with everything beyond it.
pub trait NetworkRoom: Room<Machine: Network> {
    /// What the network's streams lead to.
    type Server: Server;
    /// The network's tag.
    const TAG: NetworkTag;

    /// A server with nothing in it.
    fn server(dice: Dice, netem: &Netem) -> Self::Server;

    /// The store of a new profile that knows the server.
    fn store(server: &Self::Server) -> Self::Store;
}

/// One connection, as the server names it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ConnId(pub u64);

/// What a server wants done.
#[derive(Debug)]
pub enum ServerOutput {
    /// Write to a connection.
    Send(ConnId, Vec<u8>),
    /// Close a connection.
    Close(ConnId),
}

/// All servers of a network as one: accepts streams, keeps what it promised
/// to keep across [`crash`](Server::crash).
///
/// Outputs are drained after each call; what a call changed durably counts as
/// committed by then.
pub trait Server {
    /// The certificate chain a client sees at `endpoint` (DER, leaf first), or
    /// `None` if nobody listens there.
    fn chain(&self, endpoint: &Endpoint) -> Option<Vec<Vec<u8>>>;
    /// A client connected; both ends hold the same channel.
    fn opened(&mut self, cx: &mut Context<'_>, conn: ConnId, channel: Channel);
    /// Bytes came, in order.
    fn received(&mut self, cx: &mut Context<'_>, conn: ConnId, bytes: Vec<u8>);
    /// A connection ended.
    fn closed(&mut self, cx: &mut Context<'_>, conn: ConnId);
    /// The time of [`poll_timeout`](Server::poll_timeout) has come.
    fn timeout(&mut self, cx: &mut Context<'_>);
    /// When [`timeout`](Server::timeout) is wanted next.
    fn poll_timeout(&self) -> Option<Moment>;
    /// The next thing to do.
    fn poll_output(&mut self) -> Option<ServerOutput>;
    /// kill -9: all connections and everything not committed are gone.
    fn crash(&mut self);
}

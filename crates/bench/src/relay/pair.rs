//! A recipient and a sender on connections of their own, with one queue
//! between them.

use std::time::Duration;

use hushwing_relay::wire::{Command, SigningKey};
use hushwing_sansio::Endpoint;
use hushwing_transport::Connector;
use tokio::time::Instant;

use super::peer::{Peer, Said, new_key, random_body, unexpected};
use crate::BenchError;

/// The longest body of a message since SMP version 11.
pub(super) const BODY: usize = 16_048;

/// See the module.
pub(super) struct Pair {
    recipient: Peer,
    recipient_key: SigningKey,
    recipient_id: Vec<u8>,
    sender: Peer,
    sender_key: SigningKey,
    sender_id: Vec<u8>,
    body: Vec<u8>,
}

impl Pair {
    /// Connects both, creates the queue, subscribes and secures it.
    pub(super) async fn open(
        connector: &Connector,
        endpoint: &Endpoint,
    ) -> Result<Self, BenchError> {
        let mut recipient = Peer::connect(connector, endpoint).await?;
        let recipient_key = new_key()?;
        let (recipient_id, sender_id) = recipient.create(&recipient_key, true).await?;
        let mut sender = Peer::connect(connector, endpoint).await?;
        let sender_key = new_key()?;
        let secure = Command::SKey(sender_key.public());
        sender.tell(&sender_id, &sender_key, &secure).await?;
        sender.hear_done().await?;
        Ok(Self {
            recipient,
            recipient_key,
            recipient_id,
            sender,
            sender_key,
            sender_id,
            body: random_body(BODY),
        })
    }

    /// Brings one message all the way: `SEND`, `OK`, `MSG`, `ACK`, `OK`, five
    /// blocks. The queue is empty before and after, so no answer stands for
    /// two. Returns how long after `due` the recipient held the message.
    pub(super) async fn deliver(&mut self, due: Instant) -> Result<Duration, BenchError> {
        let Self {
            recipient, sender, ..
        } = self;
        let command = Command::Send {
            notify: false,
            body: &self.body,
        };
        let sending = async {
            sender
                .tell(&self.sender_id, &self.sender_key, &command)
                .await?;
            sender.hear_done().await
        };
        let receiving = async {
            let said = recipient.hear().await?;
            let latency = due.elapsed();
            let Said::Message { id } = said else {
                return Err(unexpected(&said));
            };
            let acknowledge = Command::Ack(&id);
            recipient
                .tell(&self.recipient_id, &self.recipient_key, &acknowledge)
                .await?;
            recipient.hear_done().await?;
            Ok(latency)
        };
        let ((), latency) = tokio::try_join!(sending, receiving)?;
        Ok(latency)
    }
}

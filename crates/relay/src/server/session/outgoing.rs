//! Answers and events on their way into blocks.
//!
//! Blocks are written when the connection can take them, one at a time, and
//! messages are boxed straight into them.

use std::collections::VecDeque;

use super::SessionEnd;
use crate::server::record::Id;
use crate::server::request::{Answer, Delivery, Event};
use crate::server::storage::{MessageBody, StoredLink};
use crate::wire::message::SEALED_LEN;
use crate::wire::{
    BLOCK_LEN, BlockBuilder, ID_LEN, Ids, LinkData, MessageContent, Rejected, Response, Sealer,
    SmpError, Version, Writer, write_message, write_response,
};

/// A message shares its block with at most this many answers before it.
const ANSWERS_BEFORE_MESSAGE: u8 = 4;

/// Length of a `MSG` transmission without correlation and entity id: three
/// length bytes, tag, message id, box.
const MESSAGE_LEN: usize = 3 + 4 + 1 + ID_LEN + SEALED_LEN;

enum Body {
    Pong,
    End,
    Deleted,
    Answer(Answer),
}

/// One transmission to come.
pub(super) struct Item {
    correlation_id: Vec<u8>,
    entity_id: Vec<u8>,
    body: Body,
}

impl Item {
    pub(super) fn pong(correlation_id: &[u8]) -> Self {
        Self {
            correlation_id: correlation_id.to_vec(),
            entity_id: Vec::new(),
            body: Body::Pong,
        }
    }

    pub(super) fn refusal(correlation_id: &[u8], entity_id: &[u8], error: SmpError) -> Self {
        Self {
            correlation_id: correlation_id.to_vec(),
            entity_id: entity_id.to_vec(),
            body: Body::Answer(Answer::Refused(error)),
        }
    }

    pub(super) fn from_answer(correlation_id: Vec<u8>, entity_id: Vec<u8>, answer: Answer) -> Self {
        Self {
            correlation_id,
            entity_id,
            body: Body::Answer(answer),
        }
    }

    pub(super) fn from_event(event: Event) -> Self {
        let (id, body) = match event {
            Event::Message(delivery) => (
                delivery.queue.recipient_id,
                Body::Answer(Answer::Message(delivery)),
            ),
            Event::Ended(id) => (id, Body::End),
            Event::Deleted(id) => (id, Body::Deleted),
        };
        let Id(id) = id;
        Self {
            correlation_id: Vec::new(),
            entity_id: id.to_vec(),
            body,
        }
    }

    pub(super) fn is_message(&self) -> bool {
        matches!(self.body, Body::Answer(Answer::Message(_)))
    }

    /// What is answered instead if the item fits no block. Only a fault of
    /// ours can bring that about.
    fn failed(self) -> Self {
        Self {
            body: Body::Answer(Answer::Refused(SmpError::Internal)),
            ..self
        }
    }

    fn write(&self, w: &mut Writer<'_>, version: Version) {
        let answer = match &self.body {
            Body::Pong => return self.respond(w, version, &Response::Pong),
            Body::End => return self.respond(w, version, &Response::End),
            Body::Deleted => return self.respond(w, version, &Response::Deld),
            Body::Answer(answer) => answer,
        };
        match answer {
            Answer::Created { queue, server_dh } => {
                let ids = Ids {
                    recipient_id: &queue.recipient_id.0,
                    sender_id: &queue.sender_id.0,
                    server_dh: *server_dh,
                    mode: queue.mode,
                    link_id: queue.link_id.as_deref(),
                    service_id: None,
                    notifier: None,
                };
                self.respond(w, version, &Response::Ids(ids));
            }
            Answer::Subscribed => self.respond(w, version, &Response::SOk(None)),
            Answer::Done => self.respond(w, version, &Response::Ok),
            Answer::Message(delivery) => self.deliver(w, delivery),
            Answer::Link { sender_id, link } => {
                let StoredLink { fixed, user } = link;
                let response = Response::Lnk {
                    sender_id: &sender_id.0,
                    data: LinkData { fixed, user },
                };
                self.respond(w, version, &response);
            }
            Answer::Info(json) => self.respond(w, version, &Response::Info(json.as_bytes())),
            Answer::Refused(error) => self.respond(w, version, &Response::Err(error.clone())),
        }
    }

    fn respond(&self, w: &mut Writer<'_>, version: Version, response: &Response<'_>) {
        write_response(w, version, &self.correlation_id, &self.entity_id, response);
    }

    fn deliver(&self, w: &mut Writer<'_>, delivery: &Delivery) {
        let message = &delivery.message;
        let content = match &message.body {
            MessageBody::Message { notify, body } => MessageContent::Message {
                at: message.at,
                notify: *notify,
                body,
            },
            MessageBody::Quota => MessageContent::Quota { at: message.at },
        };
        w.str(&[]).str(&self.correlation_id).str(&self.entity_id);
        write_message(w, &delivery.queue.box_key, &message.id.0, &content);
    }
}

/// What is to be sent.
pub(super) struct Outgoing {
    hello: Option<Vec<u8>>,
    sealer: Sealer,
    items: VecDeque<Item>,
    /// An encoded transmission that did not fit the block before.
    carried: Option<Vec<u8>>,
}

impl Outgoing {
    pub(super) fn with_hello(block: Vec<u8>) -> Self {
        Self {
            hello: Some(block),
            sealer: Sealer::plain(),
            items: VecDeque::new(),
            carried: None,
        }
    }

    pub(super) fn seal_with(&mut self, sealer: Sealer) {
        self.sealer = sealer;
    }

    pub(super) fn push(&mut self, item: Item) {
        self.items.push_back(item);
    }

    /// Writes the next block into `buffer`.
    pub(super) fn poll_block(
        &mut self,
        version: Option<Version>,
        buffer: &mut Vec<u8>,
    ) -> Option<Result<(), SessionEnd>> {
        if let Some(hello) = self.hello.take() {
            *buffer = hello;
            return Some(Ok(()));
        }
        let version = version?;
        if self.carried.is_none() && self.items.is_empty() {
            return None;
        }
        let mut memory = core::mem::take(buffer);
        memory.reserve_exact(BLOCK_LEN.saturating_sub(memory.len()));
        let builder = self.fill(version, BlockBuilder::in_buffer(&self.sealer, memory));
        if self.items.is_empty() {
            // No memory stays with an idle connection.
            self.items = VecDeque::new();
        }
        let finished = builder
            .finish(&mut self.sealer)
            .map_err(|_| SessionEnd::Crypto);
        Some(finished.map(|block| *buffer = block))
    }

    fn fill(&mut self, version: Version, mut builder: BlockBuilder) -> BlockBuilder {
        if let Some(carried) = self.carried.take() {
            // It fits: a block of its own was asked for.
            let _ = builder.push(|w| {
                w.raw(&carried);
            });
        }
        while let Some(item) = self.items.pop_front() {
            if item.is_message() && !fits_message(&builder, &item) {
                self.items.push_front(item);
                break;
            }
            match builder.push(|w| item.write(w, version)) {
                Ok(()) => {}
                Err(Rejected::Full(bytes)) => {
                    self.carried = Some(bytes);
                    break;
                }
                Err(Rejected::TooLong) => self.items.push_front(item.failed()),
            }
        }
        builder
    }
}

/// Whether a message may go into this block rather than start the next.
fn fits_message(builder: &BlockBuilder, item: &Item) -> bool {
    let names = item.correlation_id.len() + item.entity_id.len();
    builder.is_empty()
        || (builder.count() <= ANSWERS_BEFORE_MESSAGE && builder.room() >= MESSAGE_LEN + names)
}

//! SMP queues: wire format, client and server.

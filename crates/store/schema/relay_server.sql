-- user_version 2

CREATE TABLE "links" (
    queue INTEGER PRIMARY KEY NOT NULL,
    link_id BLOB NOT NULL UNIQUE,
    fixed BLOB NOT NULL,
    user BLOB NOT NULL
) STRICT;

CREATE TABLE "messages" (
    queue INTEGER NOT NULL,
    -- Counts from 1 while there are messages in the queue.
    place INTEGER NOT NULL,
    id BLOB NOT NULL,
    -- The hour in which it came, in milliseconds since 1970.
    at INTEGER NOT NULL,
    -- 0 message, 1 message that may be notified, 2 quota mark.
    kind INTEGER NOT NULL,
    -- Where the body lies in the file beside this one, and the key that opens
    -- it and nothing else. A quota mark has no body: -1 and empty.
    slot INTEGER NOT NULL,
    body_key BLOB NOT NULL,
    PRIMARY KEY (queue, place)
) STRICT, WITHOUT ROWID;

CREATE INDEX messages_by_age ON messages (at);

CREATE TABLE "queues" (
    -- Random: it tells nothing of when the queue was made.
    queue INTEGER PRIMARY KEY NOT NULL,
    recipient_id BLOB NOT NULL UNIQUE,
    sender_id BLOB NOT NULL UNIQUE,
    -- Keys are versioned lists, see relay::server::keys_to_bytes.
    recipient_keys BLOB NOT NULL,
    sender_key BLOB,
    box_key BLOB NOT NULL,
    -- 0 unspecified, 1 messaging, 2 contact.
    mode INTEGER NOT NULL,
    -- 0 after OFF.
    active INTEGER NOT NULL
) STRICT;

CREATE TABLE sqlite_sequence(name,seq);

-- Numbers of queues and places of messages told in which order queues were made
-- and messages came, over all queues; and times were exact. Now numbers of queues
-- are random, places count within a queue, and times are whole hours.

CREATE TABLE numbers (
    old INTEGER PRIMARY KEY NOT NULL,
    new INTEGER NOT NULL UNIQUE
) STRICT;

INSERT INTO numbers (old, new)
    SELECT queue, random() & 9223372036854775807 FROM queues;

CREATE TABLE new_queues (
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

INSERT INTO new_queues (queue, recipient_id, sender_id, recipient_keys, sender_key, box_key,
                        mode, active)
    SELECT new, recipient_id, sender_id, recipient_keys, sender_key, box_key, mode, active
    FROM queues JOIN numbers ON old = queue ORDER BY new;

CREATE TABLE new_links (
    queue INTEGER PRIMARY KEY NOT NULL,
    link_id BLOB NOT NULL UNIQUE,
    fixed BLOB NOT NULL,
    user BLOB NOT NULL
) STRICT;

INSERT INTO new_links (queue, link_id, fixed, user)
    SELECT new, link_id, fixed, user FROM links JOIN numbers ON old = queue ORDER BY new;

CREATE TABLE new_messages (
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

INSERT INTO new_messages (queue, place, id, at, kind, slot, body_key)
    SELECT new, row_number() OVER (PARTITION BY queue ORDER BY place), id, at - at % 3600000,
           kind, slot, body_key
    FROM messages JOIN numbers ON old = queue ORDER BY new, place;

DROP TABLE messages;
DROP TABLE links;
DROP TABLE queues;
DROP TABLE numbers;

ALTER TABLE new_queues RENAME TO queues;
ALTER TABLE new_links RENAME TO links;
ALTER TABLE new_messages RENAME TO messages;

CREATE INDEX messages_by_age ON messages (at);

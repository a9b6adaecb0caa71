-- What a face lists, and what tells about a contact, is each found without
-- passing the other: the order begins with the kind. What failed is few among all
-- that was said.
DROP INDEX messages_order;
CREATE INDEX messages_order ON messages (contact, kind, epoch, lamport, leaf, id);
CREATE INDEX messages_failed ON messages (contact, epoch, lamport, leaf, id)
    WHERE mine = 1 AND state = 5;

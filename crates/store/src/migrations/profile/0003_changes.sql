-- The last change of each kind and author is found without passing the others.
DROP INDEX messages_target;
CREATE INDEX messages_target
    ON messages (target, contact, kind, mine, epoch, lamport, leaf, id)
    WHERE target IS NOT NULL;

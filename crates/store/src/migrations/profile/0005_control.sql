-- What tells about a contact is found among all that was said: the last of each
-- kind is kept, and there may be thousands of texts.
CREATE INDEX messages_control ON messages (contact, mine, epoch, lamport, leaf, id)
    WHERE kind = 5;

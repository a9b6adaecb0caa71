-- What is owed is read by contact, so that a damaged row of one hides nothing of
-- another.
DROP INDEX messages_owed;
CREATE INDEX messages_owed ON messages (contact, id) WHERE owed <> 0;

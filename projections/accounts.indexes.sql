CREATE INDEX accounts_last ON accounts (last_event_at DESC, provider, id);
CREATE INDEX accounts_id   ON accounts (id);

CREATE INDEX websites_last ON websites (last_event_at DESC, provider, id);
CREATE INDEX websites_id   ON websites (id);

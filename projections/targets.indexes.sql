CREATE INDEX targets_last ON targets (last_event_at DESC, provider, id);
CREATE INDEX targets_id   ON targets (id);

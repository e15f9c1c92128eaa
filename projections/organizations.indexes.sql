CREATE INDEX organizations_last ON organizations (last_event_at DESC, provider, id);
CREATE INDEX organizations_id   ON organizations (id);

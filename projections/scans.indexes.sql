CREATE INDEX scans_last ON scans (last_event_at DESC, provider, id);
CREATE INDEX scans_id   ON scans (id);
CREATE INDEX scans_target ON scans (target_id);

CREATE INDEX rejections_last ON rejections (last_event_at DESC, provider, id);
CREATE INDEX rejections_id   ON rejections (id);

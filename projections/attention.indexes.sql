CREATE INDEX attention_last ON attention (last_event_at DESC, provider, id);
CREATE INDEX attention_id   ON attention (id);

CREATE INDEX findings_last ON findings (last_event_at DESC, provider, id);
CREATE INDEX findings_id   ON findings (id);
CREATE INDEX findings_name ON findings (name);
CREATE INDEX findings_open ON findings (severity DESC, provider, id, target_id) WHERE tls AND state = 'detected';
CREATE INDEX findings_target ON findings (target_id);

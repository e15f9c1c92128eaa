CREATE INDEX certificates_last   ON certificates (last_event_at DESC, provider, id, phase, not_after, expiring_from);
CREATE INDEX certificates_after  ON certificates (not_after, provider, id, phase, validity_days, expiring_from);
CREATE INDEX certificates_phase  ON certificates (phase, last_event_at DESC, provider, id) WHERE phase <> 'issued';
CREATE INDEX certificates_serial ON certificates (serial_number);
CREATE INDEX certificates_id     ON certificates (id);
CREATE INDEX certificates_order  ON certificates (order_id);
CREATE INDEX certificates_fingerprint ON certificates (fingerprint_sha256) WHERE fingerprint_sha256 <> '';
CREATE INDEX certificates_announced ON certificates (last_event_at DESC, provider, id) WHERE announced;
CREATE INDEX certificates_names ON certificates (name_set, issued_at, first_event_at, phase, serial_number) WHERE name_set <> '';

CREATE TABLE orders (
  provider       TEXT    NOT NULL,
  id             TEXT    NOT NULL,
  phase          TEXT    NOT NULL,
  common_name    TEXT    NOT NULL,
  dns_names      TEXT    NOT NULL, -- JSON array
  certificate_id TEXT    NOT NULL,
  checks         TEXT    NOT NULL, -- JSON object
  checks_since   TEXT    NOT NULL, -- JSON object
  reasons        TEXT    NOT NULL, -- JSON object
  message_at     TEXT    NOT NULL,
  state_since    TEXT    NOT NULL,
  revoked_ids    TEXT    NOT NULL, -- JSON array
  first_event_at TEXT    NOT NULL,
  last_event_at  TEXT    NOT NULL,
  last_event_seq INTEGER NOT NULL,
  event_count    INTEGER NOT NULL,
  unreadable     TEXT    NOT NULL,
  state          TEXT    NOT NULL,
  next_step      TEXT    NOT NULL,
  PRIMARY KEY (provider, id)
) STRICT, WITHOUT ROWID;

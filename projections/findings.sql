CREATE TABLE findings (
  provider       TEXT    NOT NULL,
  id             TEXT    NOT NULL,
  state          TEXT    NOT NULL,
  target_id      TEXT    NOT NULL,
  about          TEXT    NOT NULL, -- JSON
  detected_at    TEXT    NOT NULL,
  fixed_at       TEXT    NOT NULL,
  first_event_at TEXT    NOT NULL,
  last_event_at  TEXT    NOT NULL,
  last_event_seq INTEGER NOT NULL,
  event_count    INTEGER NOT NULL,
  unreadable     TEXT    NOT NULL,
  name           TEXT    NOT NULL,
  severity       INTEGER NOT NULL,
  tls            INTEGER NOT NULL, -- whether it is about TLS or certificates
  PRIMARY KEY (provider, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE scans (
  provider       TEXT    NOT NULL,
  id             TEXT    NOT NULL,
  state          TEXT    NOT NULL,
  target_id      TEXT    NOT NULL,
  host           TEXT    NOT NULL,
  about          TEXT    NOT NULL, -- JSON
  first_event_at TEXT    NOT NULL,
  last_event_at  TEXT    NOT NULL,
  last_event_seq INTEGER NOT NULL,
  event_count    INTEGER NOT NULL,
  unreadable     TEXT    NOT NULL,
  started_at     TEXT    NOT NULL,
  completed_at   TEXT    NOT NULL,
  PRIMARY KEY (provider, id)
) STRICT, WITHOUT ROWID;

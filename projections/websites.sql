CREATE TABLE websites (
  provider       TEXT    NOT NULL,
  id             TEXT    NOT NULL,
  kind           TEXT    NOT NULL,
  state          TEXT    NOT NULL, -- the last event
  first_event_at TEXT    NOT NULL,
  last_event_at  TEXT    NOT NULL,
  last_event_seq INTEGER NOT NULL,
  event_count    INTEGER NOT NULL,
  unreadable     TEXT    NOT NULL,
  PRIMARY KEY (provider, id)
) STRICT, WITHOUT ROWID;

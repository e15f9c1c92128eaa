CREATE TABLE attention (
  provider       TEXT    NOT NULL,
  id             TEXT    NOT NULL, -- of the matter: one occurrence
  matter         TEXT    NOT NULL, -- JSON, with what was decided last
  row_id         TEXT    NOT NULL,
  decision       TEXT    NOT NULL, -- acknowledged, snoozed, taken, reopened
  decided_by     TEXT    NOT NULL,
  first_event_at TEXT    NOT NULL,
  last_event_at  TEXT    NOT NULL,
  last_event_seq INTEGER NOT NULL,
  event_count    INTEGER NOT NULL,
  unreadable     TEXT    NOT NULL,
  PRIMARY KEY (provider, id)
) STRICT, WITHOUT ROWID;

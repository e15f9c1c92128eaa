CREATE TABLE dnssec (
  provider       TEXT    NOT NULL,
  website_id     TEXT    NOT NULL,
  domain         TEXT    NOT NULL,
  phase          TEXT    NOT NULL, -- rotation_started, rotation_completed; overdue is worked out when it is read
  next_step      TEXT    NOT NULL,
  ds             TEXT    NOT NULL, -- JSON object
  previous_ds    TEXT    NOT NULL, -- JSON object
  started_at     TEXT    NOT NULL,
  completed_at   TEXT    NOT NULL,
  first_event_at TEXT    NOT NULL,
  last_event_at  TEXT    NOT NULL,
  last_event_seq INTEGER NOT NULL,
  event_count    INTEGER NOT NULL,
  unreadable     TEXT    NOT NULL,
  overdue_from   TEXT    NOT NULL,
  PRIMARY KEY (provider, website_id)
) STRICT, WITHOUT ROWID;

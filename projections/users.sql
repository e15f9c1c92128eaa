-- The id is a keyed hash of the user's name. What tells of a person is only here and sealed in the log.
CREATE TABLE users (
  provider       TEXT    NOT NULL,
  id             TEXT    NOT NULL,
  state          TEXT    NOT NULL,
  person         TEXT    NOT NULL, -- JSON; '' where the person was forgotten
  keys           TEXT    NOT NULL, -- JSON
  first_event_at TEXT    NOT NULL,
  last_event_at  TEXT    NOT NULL,
  last_event_seq INTEGER NOT NULL,
  event_count    INTEGER NOT NULL,
  unreadable     TEXT    NOT NULL,
  username       TEXT    NOT NULL, -- these three are of the person, or say that they were forgotten
  name           TEXT    NOT NULL,
  email          TEXT    NOT NULL,
  PRIMARY KEY (provider, id)
) STRICT, WITHOUT ROWID;

CREATE TABLE organizations (
  provider        TEXT    NOT NULL,
  id              TEXT    NOT NULL,
  name            TEXT    NOT NULL,
  state           TEXT    NOT NULL,
  validation_type TEXT    NOT NULL,
  validated_at    TEXT    NOT NULL,
  expires_at      TEXT    NOT NULL,
  reason          TEXT    NOT NULL,
  since           TEXT    NOT NULL, -- when it was first heard to stand so
  first_event_at  TEXT    NOT NULL,
  last_event_at   TEXT    NOT NULL,
  last_event_seq  INTEGER NOT NULL,
  event_count     INTEGER NOT NULL,
  unreadable      TEXT    NOT NULL,
  PRIMARY KEY (provider, id)
) STRICT, WITHOUT ROWID;

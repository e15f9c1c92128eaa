-- What every read model shares. Text that is not known is '', so that lists can be ordered and paged by it.

CREATE TABLE cursor (
  one      INTEGER PRIMARY KEY CHECK (one = 1),
  seq      INTEGER NOT NULL, -- the last event that these tables hold
  event_id TEXT    NOT NULL, -- its id: a log that was exchanged has another event there
  as_of    TEXT    NOT NULL  -- of a database that was made of a moment of the past: that moment, which is its clock
) STRICT;

-- Every event in the life of every row, in the log's order, so that a rebuild only ever appends; its index is common.indexes.sql.
CREATE TABLE timeline (
  model    TEXT    NOT NULL,
  provider TEXT    NOT NULL,
  id       TEXT    NOT NULL,
  seq      INTEGER NOT NULL,
  time     TEXT    NOT NULL,
  type     TEXT    NOT NULL,
  facts    TEXT    NOT NULL  -- JSON object: what its sentence is made of, with its type
) STRICT;

-- The domain names of orders, certificates, domains and zones, labels reversed, to search by suffix.
CREATE TABLE names (
  reversed TEXT NOT NULL,
  model    TEXT NOT NULL,
  provider TEXT NOT NULL,
  id       TEXT NOT NULL
) STRICT;

-- Events that changed no row, and why.
CREATE TABLE quarantine (
  seq      INTEGER PRIMARY KEY,
  time     TEXT NOT NULL,
  provider TEXT NOT NULL,
  reason   TEXT NOT NULL,
  original TEXT NOT NULL
) STRICT;

-- Ranges of sequences that are gone from the log.
CREATE TABLE gaps (
  first_seq INTEGER PRIMARY KEY,
  last_seq  INTEGER NOT NULL
) STRICT;

-- Ids that truly identify an event: the same one again is the same event.
CREATE TABLE seen (
  event_id TEXT PRIMARY KEY
) STRICT, WITHOUT ROWID;

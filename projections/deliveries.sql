-- How many deliveries of each provider came in each hour, so that it shows what is usual, and when one has gone silent.
CREATE TABLE deliveries (
  provider    TEXT    NOT NULL,
  hour        TEXT    NOT NULL, -- its beginning
  count       INTEGER NOT NULL,
  quarantined INTEGER NOT NULL, -- of them, those that were not understood
  first_at    TEXT    NOT NULL, -- when the earliest was received
  last_at     TEXT    NOT NULL, -- and the latest
  PRIMARY KEY (provider, hour)
) STRICT, WITHOUT ROWID;

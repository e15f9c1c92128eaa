-- How many certificates, neither revoked nor replaced, end on each day, so that pictures of a year need not read them all. It follows from the table of
-- certificates; what keeps it in step is expiries.indexes.sql.
CREATE TABLE expiries (
  day           TEXT    NOT NULL, -- UTC
  provider      TEXT    NOT NULL,
  validity_days INTEGER NOT NULL,
  certificates  INTEGER NOT NULL, -- more than 0
  PRIMARY KEY (day, provider, validity_days)
) STRICT, WITHOUT ROWID;

CREATE TABLE certificates (
  provider           TEXT    NOT NULL,
  id                 TEXT    NOT NULL,
  order_id           TEXT    NOT NULL,
  phase              TEXT    NOT NULL, -- issued, replaced, revoked; what the clock adds is worked out when it is read
  serial_number      TEXT    NOT NULL,
  common_name        TEXT    NOT NULL,
  dns_names          TEXT    NOT NULL, -- JSON array
  issuer             TEXT    NOT NULL,
  not_before         TEXT    NOT NULL,
  not_after          TEXT    NOT NULL,
  key_algorithm      TEXT    NOT NULL,
  fingerprint_sha256 TEXT    NOT NULL,
  pem                TEXT    NOT NULL,
  announced          INTEGER NOT NULL,
  revokes_at         TEXT    NOT NULL,
  reason             TEXT    NOT NULL,
  announced_at       TEXT    NOT NULL,
  revoked_at         TEXT    NOT NULL,
  first_event_at     TEXT    NOT NULL,
  last_event_at      TEXT    NOT NULL,
  last_event_seq     INTEGER NOT NULL,
  event_count        INTEGER NOT NULL,
  unreadable         TEXT    NOT NULL,
  expiring_from      TEXT    NOT NULL,
  name_set           TEXT    NOT NULL, -- names the set of its names, so that certificates for the same names are found
  issued_at          TEXT    NOT NULL, -- not_before, or first_event_at where that is not known
  validity_days      INTEGER NOT NULL, -- begun days of 86,400 s from not_before through not_after; 0: not known
  PRIMARY KEY (provider, id)
) STRICT, WITHOUT ROWID;

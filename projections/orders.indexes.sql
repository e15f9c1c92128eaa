CREATE INDEX orders_last  ON orders (last_event_at DESC, provider, id);
CREATE INDEX orders_state ON orders (state, last_event_at DESC, provider, id);
CREATE INDEX orders_id    ON orders (id);
CREATE INDEX orders_certificate ON orders (certificate_id) WHERE certificate_id <> '';
CREATE INDEX orders_waiting ON orders (waiting_since, provider, id) WHERE waiting_since <> '';
CREATE INDEX orders_name  ON orders (common_name, provider, id);
CREATE INDEX orders_first ON orders (first_event_at, provider, id);
CREATE INDEX orders_uncollected ON orders (provider) WHERE certificate_id = '' AND state IN ('issued', 'reissue_ready');

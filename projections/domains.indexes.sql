CREATE INDEX domains_last    ON domains (last_event_at DESC, provider, name);
CREATE INDEX domains_state   ON domains (state, last_event_at DESC, provider, name);
CREATE INDEX domains_name    ON domains (name);
CREATE INDEX domains_expires ON domains (expires_at, provider, name, state); -- the state, so that ends are looked through without the rows
CREATE INDEX domains_undated ON domains (validated_at, provider, name, state) WHERE expires_at = '';

CREATE INDEX dnssec_last   ON dnssec (last_event_at DESC, provider, website_id);
CREATE INDEX dnssec_step   ON dnssec (next_step, last_event_at DESC, provider, website_id);
CREATE INDEX dnssec_domain ON dnssec (domain);
CREATE INDEX dnssec_website ON dnssec (website_id);

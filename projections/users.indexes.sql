CREATE INDEX users_last ON users (last_event_at DESC, provider, id);
CREATE INDEX users_id   ON users (id);
CREATE INDEX users_username ON users (username);
CREATE INDEX users_email ON users (email);

CREATE INDEX timeline_row  ON timeline (model, provider, id, seq);
CREATE INDEX names_reversed ON names (reversed, model, provider, id);

-- What tells rows apart stands first, so that most comparisons of a sort end there.
CREATE INDEX timeline_row   ON timeline (id, seq, provider, model);
CREATE INDEX names_reversed ON names (reversed, id, provider, model);

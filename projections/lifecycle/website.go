package lifecycle

import "github.com/certtrail/certtrail/schema"

// DatabasePrefix keeps a database's row apart from the row of a website with the same id.
const DatabasePrefix = "database:"

// Website holds the life of a website, a database or an account, as far as its provider tells: the last thing it said.
type Website struct {
	Life
	Kind  string // website, database or account
	State string // the name of the last event
}

// Fold returns w after the event at seq.
func (w Website) Fold(seq uint64, e *schema.Event) Website {
	if ignored(e) {
		return w
	}
	w.Life = w.Life.next(seq, e)
	w.Kind = e.Kind().Aggregate()
	w.State = e.Kind().Name()
	return w
}

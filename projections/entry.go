package projections

import (
	"slices"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// entry holds an event with what follows from it alone, whatever the rows are: all that can be worked out beforehand,
// and by many goroutines at once.
type entry struct {
	record *schema.Record
	event  *schema.Event // nil when the record is none
	rows   []lifecycle.Row
	time   any   // as the timeline has it, a string
	facts  any   // the same
	parked error // why no row takes it
}

// meaning reads what a record means: one home for all that fold, live, in a rebuild or as of the past.
type meaning func(schema.Record) (*schema.Event, error)

// asLogged reads a record as the log has it.
func asLogged(r schema.Record) (*schema.Event, error) { return schema.DecodeMeaning(r.Data) }

// redecoded reads records by their original deliveries, as redecode decodes them.
func redecoded(redecode func(*schema.Event) *schema.Event) meaning {
	return func(r schema.Record) (*schema.Event, error) {
		e, err := schema.Decode(r.Data)
		if err != nil {
			return nil, err
		}
		return redecode(e), nil
	}
}

// opened reads as mean does, and fills in what is sealed of people. Folds never open anything: they are pure, and the
// keys of people are not.
func opened(mean meaning, open func(*schema.Event)) meaning {
	if open == nil {
		return mean
	}
	return func(r schema.Record) (*schema.Event, error) {
		e, err := mean(r)
		if err == nil {
			open(e)
		}
		return e, err
	}
}

// entries makes the entries of records.
func entries(records []schema.Record, mean meaning) []entry {
	list := make([]entry, len(records))
	for i := range records {
		list[i] = newEntry(&records[i], mean)
	}
	return list
}

func newEntry(r *schema.Record, mean meaning) entry {
	e, err := mean(*r)
	if err != nil {
		return entry{record: r, parked: err}
	}
	n := entry{record: r, event: e}
	if e.Kind() == schema.DeliveryUnrecognized {
		n.parked = reason(e.Data.Reason)
		return n
	}
	if n.rows, n.parked = lifecycle.Rows(e); n.parked == nil && len(n.rows) > 0 {
		n.time, n.facts = e.Time.String(), factsText(lifecycle.FactsOf(e))
	}
	return n
}

// Concerns returns the keys of the rows that the event concerns, none where no row takes it.
func Concerns(e *schema.Event) []Key {
	rows, err := lifecycle.Rows(e)
	if err != nil {
		return nil
	}
	var keys []Key
	for _, row := range rows {
		keys = append(keys, Key{row.Model, e.Data.Provider, row.ID})
	}
	return keys
}

// reason says why, as an error.
type reason string

func (r reason) Error() string { return string(r) }

// partSize limits the records of a backlog, or rows, that are worked on at once beside the writer.
const partSize = 500

// readAhead works out the entries of what follow yields beside the goroutine that takes them, in order.
func readAhead(follow func(yield func([]schema.Record) error) error, mean meaning, take func([]entry) error) error {
	return ahead(func(yield func([]schema.Record) error) error {
		return follow(func(records []schema.Record) error {
			for part := range slices.Chunk(records, partSize) {
				if err := yield(part); err != nil {
					return err
				}
			}
			return nil
		})
	}, func(part []schema.Record) []entry { return entries(part, mean) }, take)
}

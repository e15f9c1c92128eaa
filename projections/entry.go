package projections

import (
	"runtime"
	"sync"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// entry is an event with what follows from it alone, whatever the rows are: all that can be worked out beforehand, and by many goroutines at once.
type entry struct {
	record  *schema.Record
	event   *schema.Event // nil when the record is none
	rows    []lifecycle.Row
	summary string
	parked  error // why no row takes it
}

// meaning reads what a record means: one home for all that fold, live, in a rebuild or as of the past.
type meaning func(schema.Record) (*schema.Event, error)

// asLogged is what the log says.
func asLogged(r schema.Record) (*schema.Event, error) { return schema.DecodeMeaning(r.Data) }

// redecoded is what the original deliveries mean to redecode.
func redecoded(redecode func(*schema.Event) *schema.Event) meaning {
	return func(r schema.Record) (*schema.Event, error) {
		e, err := schema.Decode(r.Data)
		if err != nil {
			return nil, err
		}
		return redecode(e), nil
	}
}

// opened is mean with what is sealed of people filled in. Folds never open anything: they are pure, and the keys of people are not.
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

// entries are the entries of records.
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
		n.summary = lifecycle.Summary(e)
	}
	return n
}

// reason is a text that says why.
type reason string

func (r reason) Error() string { return string(r) }

// errStopped ends a follower whose events nobody takes any more.
var errStopped = reason("nobody takes the events any more")

// ahead bounds how many parts of a backlog are read ahead of the writer, and partSize how many records are in one.
const (
	ahead    = 4
	partSize = 1000
)

// readAhead works out entries beside the goroutine that takes them, in order, and returns when follow or take fails, or follow has ended and all
// has been taken. follow is called on a goroutine of its own, take on the caller's.
func readAhead(follow func(yield func([]schema.Record) error) error, mean meaning, take func([]entry) error) error {
	parts := make(chan chan []entry, ahead)
	workers := make(chan struct{}, max(2, runtime.GOMAXPROCS(0)-1))
	stop := make(chan struct{})
	var followed error
	var running sync.WaitGroup
	running.Go(func() {
		defer close(parts)
		followed = follow(func(records []schema.Record) error {
			for len(records) > 0 {
				n := min(partSize, len(records))
				part, done := records[:n], make(chan []entry, 1)
				records = records[n:]
				select {
				case parts <- done:
				case <-stop:
					return errStopped
				}
				workers <- struct{}{}
				running.Go(func() {
					done <- entries(part, mean)
					<-workers
				})
			}
			return nil
		})
	})
	var err error
	for done := range parts {
		if err == nil {
			if err = take(<-done); err != nil {
				close(stop)
			}
		}
	}
	running.Wait()
	if err != nil {
		return err
	}
	return followed
}

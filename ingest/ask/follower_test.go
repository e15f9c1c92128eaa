package ask

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"strings"
	"testing"
	"time"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

// desk holds all that a follower works with: its queue, its log, the client, and the clock.
type desk struct {
	*world
	tasks    []schema.Task
	seen     []string // what became of each task
	log      []*schema.Event
	answers  []error // of the client, one for each question
	asked    []string
	known    map[string]bool
	fails    error // of the log
	finished context.CancelFunc
}

func (d *desk) Next(ctx context.Context) (schema.Task, error) {
	if len(d.tasks) == 0 {
		d.finished()
		return schema.Task{}, ctx.Err()
	}
	task := d.tasks[0]
	d.tasks = d.tasks[1:]
	return task, nil
}

func (d *desk) Append(_ context.Context, e *schema.Event) (uint64, error) {
	if d.fails != nil {
		return 0, d.fails
	}
	d.log = append(d.log, e)
	return uint64(len(d.log)), nil
}

func (d *desk) Last(context.Context) (uint64, error) { return 100, nil }

func (d *desk) Describe(_ context.Context, orderID string) (provider.Standing, provider.Answer, error) {
	answer, err := d.Collect(context.Background(), orderID, "")
	answer.Kind = schema.OrderDescribed
	return provider.Standing{}, answer, err
}

func (d *desk) Collect(_ context.Context, orderID, certificateID string) (provider.Answer, error) {
	d.asked = append(d.asked, strings.TrimSpace(orderID+" "+certificateID))
	var err error
	if len(d.answers) > 0 {
		err, d.answers = d.answers[0], d.answers[1:]
	}
	return provider.Answer{Kind: schema.CertificateCollected, Data: schema.Data{OrderID: orderID, CertificateID: certificateID}}, err
}

// task puts an event in the queue.
func (d *desk) task(seq uint64, try int, e *schema.Event) {
	data, err := e.Encode()
	if err != nil {
		panic(err)
	}
	name := fmt.Sprint(seq)
	d.tasks = append(d.tasks, schema.Task{
		Record: schema.Record{Seq: seq, Data: data}, Try: try,
		Done:  func() error { d.seen = append(d.seen, name+" done"); return nil },
		Later: func(after time.Duration) error { d.seen = append(d.seen, name+" after "+after.String()); return nil },
	})
}

// run has a follower see to all tasks, and returns what became of them.
func (d *desk) run(t *testing.T) string {
	t.Helper()
	ctx, cancel := context.WithCancel(context.Background())
	d.finished = cancel
	f := &follower{
		source: Source{Name: "p", Client: d}, queue: d, log: d, now: d.Now, wait: d.Wait, logger: slog.New(slog.DiscardHandler),
		known: func(_ context.Context, q Question, _ uint64) (bool, error) { return d.known[q.OrderID], nil },
		newID: func() (string, error) { return "id", nil },
	}
	f.run(ctx)
	return strings.Join(d.seen, ", ")
}

func TestFollower(t *testing.T) {
	updated := func(order, imported string) *schema.Event {
		e := schema.New("id", "/hooks/p", schema.At(newWorld().now), schema.OrderUpdated, schema.Data{Provider: "p", OrderID: order})
		e.Imported = imported
		return e
	}
	away := &Unavailable{reason: "It is away."}
	closed := &Unavailable{Until: newWorld().now.Add(5 * time.Minute), reason: "It is away."}
	far := &Unavailable{Until: newWorld().now.AddDate(1, 0, 0), reason: "It is away."}
	refusal := &provider.Refusal{Status: 404}
	for name, tc := range map[string]struct {
		tasks func(d *desk)
		seen  string
		asked string
		log   int
	}{
		"one":      {func(d *desk) { d.task(1, 1, updated("1", "")) }, "1 done", "[1]", 1},
		"imported": {func(d *desk) { d.task(1, 1, updated("1", "import")) }, "1 done", "[]", 0},
		"known":    {func(d *desk) { d.known["1"] = true; d.task(1, 1, updated("1", "")) }, "1 done", "[]", 0},
		"told meanwhile": {func(d *desk) {
			d.task(1, 1, updated("1", ""))
			d.task(99, 1, updated("1", ""))
			d.task(101, 1, updated("1", ""))
		}, "1 done, 99 done, 101 done", "[1 1]", 2},
		"away": {func(d *desk) {
			d.answers = []error{away}
			d.task(1, 1, updated("1", ""))
			d.task(1, 2, updated("1", ""))
		}, "1 after 30s, 1 done", "[1 1]", 1},
		"left alone": {func(d *desk) { d.answers = []error{closed}; d.task(1, 99, updated("1", "")) }, "1 after 5m0s", "[1]", 0},
		"for a year": {func(d *desk) { d.answers = []error{far}; d.task(1, 1, updated("1", "")) }, "1 after 1h0m0s", "[1]", 0},
		"refused": {func(d *desk) {
			d.answers = []error{refusal, refusal}
			d.task(1, 1, updated("1", ""))
			d.task(1, 3, updated("1", ""))
		}, "1 after 1m0s, 1 after 16m0s", "[1 1]", 0},
		"refused enough": {func(d *desk) {
			d.answers = []error{refusal}
			d.task(1, maxTries, updated("1", ""))
			d.task(2, 1, updated("2", ""))
		}, "1 done, 2 done", "[1 2]", 1},
		"log is away": {func(d *desk) { d.fails = errors.New("full"); d.task(1, 1, updated("1", "")) }, "1 after 30s", "[1]", 0},
		"no event":    {func(d *desk) { d.task(1, 1, updated("1", "")); d.tasks[0].Data = []byte("{") }, "1 done", "[]", 0},
	} {
		d := &desk{world: newWorld(), known: map[string]bool{}}
		tc.tasks(d)
		if seen := d.run(t); seen != tc.seen || fmt.Sprint(d.asked) != tc.asked || len(d.log) != tc.log {
			t.Errorf("%s: %s; asked %v, appended %d; want %s; %s, %d", name, seen, d.asked, len(d.log), tc.seen, tc.asked, tc.log)
		}
		for _, e := range d.log {
			if e.Source != "/ask/p" {
				t.Errorf("%s: the answer's source is %s", name, e.Source)
			}
		}
	}
}

func TestRotationSays(t *testing.T) {
	record := func(tag uint16) schema.DS { return schema.DS{KeyTag: tag, Algorithm: 13, DigestType: 2, Digest: "ab"} }
	one, two, three := record(1), record(2), record(3)
	r := Rotation{DS: &two, PreviousDS: &one}
	has := func(list ...schema.DS) ServerSighting { return ServerSighting{DS: list} }
	for name, tc := range map[string]struct {
		servers            []ServerSighting
		says               string
		started, completed bool // refused
	}{
		"both":    {[]ServerSighting{has(one, two), has(two, one)}, "Of the 2 name servers of test, 2 have the new DS record, 2 have the old one.", false, false},
		"old":     {[]ServerSighting{has(one), {Err: "silent"}}, "Of the 2 name servers of test, 1 has the old one, 1 gave no answer.", false, true},
		"another": {[]ServerSighting{has(three)}, "Of the 1 name server of test, 1 has others only.", true, true},
		"none":    {[]ServerSighting{has(), has()}, "Of the 2 name servers of test, 2 have no DS record.", false, false},
		"silent":  {[]ServerSighting{{Err: "silent"}}, "Of the 1 name server of test, 1 gave no answer.", false, false},
		"mixed":   {[]ServerSighting{has(three), has(two)}, "Of the 2 name servers of test, 1 has the new DS record, 1 has others only.", false, false},
	} {
		s := Sighting{Parent: "test", Servers: tc.servers}
		if says := r.Says(s); says != tc.says || r.Refused(s, false) != tc.started || r.Refused(s, true) != tc.completed {
			t.Errorf("%s: %s, refused %v and %v", name, says, r.Refused(s, false), r.Refused(s, true))
		}
	}
	if (Rotation{DS: &two}).Refused(Sighting{Servers: []ServerSighting{has(three)}}, false) {
		t.Error("without the old record nobody can tell")
	}
}

// Package projectionstest makes histories that the properties of the read models are tested over.
package projectionstest

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// RandomHistory makes n records of a log as a busy year of all providers leaves them: lives of orders, domains,
// organizations, rotations, websites and accounts that run beside each other, with what goes wrong in between:
// deliveries repeated and out of order, not understood, or that no row can take; events of the clock and of unknown
// kinds, ids that say which occurrence it is and come again, imported events, members that nobody knows, sequences that
// are gone, and now and then something that is no event at all.
//
// The same seed always gives the same records, whatever n: those of a smaller n are the first of a larger.
func RandomHistory(seed uint64, n int) []schema.Record {
	h := &historian{Rand: rand.New(rand.NewPCG(seed, 0x63657274)), now: time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC)}
	h.records = make([]schema.Record, 0, n+8)
	for len(h.lives) < livesAtOnce {
		h.lives = append(h.lives, h.life())
	}
	for len(h.records) < n {
		h.step()
	}
	return h.records[:n:n]
}

// livesAtOnce keeps so many rows in the middle of their lives at any time.
const livesAtOnce = 300

// historian writes a history.
type historian struct {
	*rand.Rand
	now     time.Time
	seq     uint64
	gap     uint64 // sequences that are gone before the next record
	number  uint64 // of ids
	events  uint64
	lives   []life
	lately  []*schema.Event // some of the last events, to be repeated
	records []schema.Record
}

// life holds the events still to come of one row, in order.
type life []delivery

// delivery holds what a provider says once.
type delivery struct {
	kind schema.Kind
	data schema.Data
	feed string // "-push"
}

// step appends one record.
func (h *historian) step() {
	h.now = h.now.Add(time.Duration(1+h.IntN(20_000)) * time.Millisecond)
	switch chance := h.IntN(1000); {
	case chance < 8:
		h.write(h.event(h.quarantined()))
	case chance < 12:
		h.write(h.event(h.unfoldable()))
	case chance < 20:
		h.write(h.event(h.unknown()))
	case chance < 35:
		h.write(h.identified())
	case chance < 42 && len(h.lately) > 0:
		h.write(h.decision())
	case chance < 52 && len(h.lately) > 0: // the same occurrence once more, which only the provider can tell from another one
		again := *h.lately[h.IntN(len(h.lately))]
		again.ID, again.Time = h.uuid(), schema.At(h.now)
		h.write(&again)
	case chance < 53:
		h.append("certs.delivery.unrecognized.digicert._", [][]byte{[]byte("no event"), []byte("{}"), []byte(`{"id":7}`), nil}[h.IntN(4)])
	case chance < 54:
		h.gap = uint64(1 + h.IntN(5))
		h.live()
	default:
		h.live()
	}
}

// live takes the next event of some life.
func (h *historian) live() {
	i := h.IntN(len(h.lives))
	if h.IntN(30) == 0 && len(h.lives[i]) > 1 { // two overtake each other on their way
		h.lives[i][0], h.lives[i][1] = h.lives[i][1], h.lives[i][0]
	}
	next := h.lives[i][0]
	if h.lives[i] = h.lives[i][1:]; len(h.lives[i]) == 0 {
		h.lives[i] = h.life()
	}
	e := h.event(next)
	if len(h.lately) < 64 {
		h.lately = append(h.lately, e)
	} else {
		h.lately[h.IntN(len(h.lately))] = e
	}
	h.write(e)
}

func (h *historian) event(d delivery) *schema.Event {
	d.data.Original = original(&d)
	return schema.New(h.uuid(), "/hooks/"+d.data.Provider+d.feed, schema.At(h.now), d.kind, d.data)
}

// original makes a delivery of about the size that providers send; projections pass it over.
func original(d *delivery) *schema.Original {
	headers := map[string]string{"content-type": "application/json", "user-agent": "Webhook/1.0"}
	if d.feed != "" || d.data.Provider == "xolphin" {
		return &schema.Original{Method: "GET", Query: "RequestId=" + d.data.OrderID + "&Status=" + d.data.Event, Headers: headers}
	}
	body := fmt.Appendf(nil, `{"event":%q,"data":{"order_id":%q,"certificate_id":%q}}`, d.data.Event, d.data.OrderID, d.data.CertificateID)
	return &schema.Original{Method: "POST", Headers: headers, Body: body}
}

func (h *historian) write(e *schema.Event) {
	if h.IntN(100) == 0 {
		imported := *e
		imported.Imported = "true"
		e = &imported
	}
	data, err := e.Encode()
	if err != nil {
		panic(err) // it was made here
	}
	if h.IntN(200) == 0 { // a later version of the program wrote more
		data = bytes.Replace(data, []byte(`"data":{`), []byte(`"traceparent":"00-1","data":{"severity":{"level":1},`), 1)
	}
	h.append(e.NATSSubject(), data)
}

func (h *historian) append(subject string, data []byte) {
	h.seq += h.gap + 1
	h.records = append(h.records, schema.Record{Seq: h.seq, Missing: h.gap, Subject: subject, Time: h.now, Data: data})
	h.gap = 0
}

// uuid makes a UUIDv7 that no other event has.
func (h *historian) uuid() string {
	h.events++
	ms := uint64(h.now.UnixMilli())
	return fmt.Sprintf("%08x-%04x-7%03x-8%03x-%012x", ms>>16, ms&0xffff, h.Uint32()&0xfff, h.Uint32()&0xfff, h.events)
}

// id makes an id that no other row of its kind has; a few are of a sort that a subject has to escape.
func (h *historian) id() string {
	h.number++
	if h.IntN(100) == 0 {
		return fmt.Sprintf("A/%d.é *", h.number)
	}
	return fmt.Sprint(100_000 + h.number)
}

// pick draws one of the values.
func pick[T any](h *historian, values ...T) T { return values[h.IntN(len(values))] }

// maybe draws yes in so many of a hundred cases.
func (h *historian) maybe(percent int) bool { return h.IntN(100) < percent }

func (h *historian) domain() string {
	zone := fmt.Sprintf("z%d.%s", h.IntN(5000), pick(h, "example.com", "example.org", "xn--bcher-kva.example"))
	return pick(h, "", "", "www.", "*.", "_acme-challenge.", "a.b.c.") + zone
}

func (h *historian) later(days int) *schema.Time {
	t := schema.At(h.now.AddDate(0, 0, days))
	return &t
}

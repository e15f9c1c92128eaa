package answer

import (
	"net/url"
	"strconv"
	"strings"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
)

// EventsQuery selects a part of the log.
type EventsQuery struct {
	Subject string // a NATS subject with wildcards; "": all
	Limit   int
	After   uint64 // only later events than this
	Before  uint64 // only earlier events than this; 0: no bound
	Forward bool   // after was given, so reading goes upwards from there
}

func ReadEventsQuery(v url.Values) (EventsQuery, error) {
	q := EventsQuery{Subject: strings.TrimSpace(v.Get("subject"))}
	var err error
	if q.Limit, err = readLimit(v); err != nil {
		return q, err
	}
	if q.Limit == 0 {
		q.Limit = projections.DefaultLimit
	}
	if err := checkFilter(q.Subject); err != nil {
		return q, err
	}
	for _, name := range []string{"after_seq", "cursor"} { // a cursor goes on from where after_seq began
		if v.Has(name) {
			q.Forward = q.Forward || v.Get(name) != ""
			if q.After, err = readSeq(v, name); err != nil {
				return q, err
			}
		}
	}
	q.Before, err = readSeq(v, "before_seq")
	return q, err
}

func readSeq(v url.Values, name string) (uint64, error) {
	if !v.Has(name) || name == "cursor" && v.Get(name) == "" { // the first page's cursor
		return 0, nil
	}
	seq, err := strconv.ParseUint(v.Get(name), 10, 64)
	if err != nil {
		return 0, Wrong("%s must be the sequence of an event, not %q", name, v.Get(name))
	}
	return seq, nil
}

// checkFilter refuses what NATS would refuse as a subject filter, or what could match no event of ours.
func checkFilter(subject string) error {
	if subject == "" || subject == ">" {
		return nil
	}
	tokens := strings.Split(subject, ".")
	for i, t := range tokens {
		whole := t == "*" || t == ">" && i == len(tokens)-1
		if t == "" || !whole && strings.ContainsAny(t, "*> \t\r\n") {
			return Wrong("the subject %q is not a NATS filter such as certs.order.issued.>", subject)
		}
	}
	if tokens[0] != "certs" && tokens[0] != "*" {
		return Wrong("the subject %q matches nothing: all events stand below certs", subject)
	}
	return nil
}

func SizeOf(records []schema.Record) (bytes int) {
	for i := range records {
		bytes += len(records[i].Data)
	}
	return bytes
}

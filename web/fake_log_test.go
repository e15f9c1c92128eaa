package web_test

import (
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"strings"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
)

func (s *fakeStore) Live(ctx context.Context, after uint64, yield func(projections.Change) error) error {
	s.mu.Lock()
	s.after = append(s.after, after)
	s.mu.Unlock()
	for {
		select {
		case c := <-s.changes:
			if c.Seq <= after {
				continue
			}
			if err := yield(c); err != nil {
				return err
			}
		case <-ctx.Done():
			return ctx.Err()
		}
	}
}

// fakeLog holds events with the sequences 1, 2, 3 …
type fakeLog struct{ records []schema.Record }

func (l *fakeLog) add(e *schema.Event) uint64 {
	b, err := e.Encode()
	if err != nil {
		panic(err)
	}
	seq := uint64(len(l.records) + 1)
	l.records = append(l.records, schema.Record{Seq: seq, Subject: e.NATSSubject(), Time: e.Time.Time, Data: b})
	return seq
}

// Events matches only whole prefixes, "certs.order.>", which is all the tests need.
func (l *fakeLog) Events(_ context.Context, after uint64, subject string, limit, bytes int) (found []schema.Record, more bool, err error) {
	for _, r := range l.records {
		if r.Seq > after && strings.HasPrefix(r.Subject, strings.TrimSuffix(subject, ">")) && len(found) < limit {
			if bytes -= len(r.Data); bytes < 0 && len(found) > 0 {
				return found, true, nil
			}
			found = append(found, r)
		}
	}
	return found, false, nil
}

func (l *fakeLog) Get(_ context.Context, seq uint64) (schema.Record, error) {
	if seq == 0 || seq > uint64(len(l.records)) {
		return schema.Record{}, fmt.Errorf("event %d: %w", seq, fs.ErrNotExist)
	}
	return l.records[seq-1], nil
}

func (l *fakeLog) Last(context.Context) (uint64, error) { return uint64(len(l.records)), nil }

func original(body string) *schema.Original {
	return &schema.Original{Method: "POST", Headers: map[string]string{"content-type": "application/json", "x-webhook-key": "[redacted]"},
		Body: json.RawMessage(body)}
}

package projections

import (
	"context"
	"fmt"
	"testing"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// came makes the traffic of deliveries at these hours before now.
func came(now time.Time, hoursAgo ...int) *Traffic {
	t := &Traffic{Provider: "digicert"}
	for _, h := range hoursAgo {
		at := schema.At(now.Add(-time.Duration(h) * time.Hour))
		t.Hours = append(t.Hours, HourOfTraffic{Hour: schema.At(at.Truncate(time.Hour)), Count: 1, FirstAt: at, LastAt: at})
		t.LastAt = at
	}
	return t
}

// TestSilenceIsHeldAgainstTheRhythm tells a provider that is quiet as usual from one that has gone silent.
func TestSilenceIsHeldAgainstTheRhythm(t *testing.T) {
	now := time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC)
	every := func(step, last, n int) (hours []int) {
		for i := n; i > 0; i-- {
			hours = append(hours, last+(i-1)*step)
		}
		return hours
	}
	const day, week = 24, 7 * 24
	for name, c := range map[string]struct {
		hours  []int
		usual  time.Duration
		silent bool
	}{
		"too few to tell":                            {every(day, 40*day, 8), 0, false},
		"every five hours, and ten of silence":       {every(5, 10, 40), 5 * time.Hour, false},
		"every five hours, and a day and a half":     {every(5, 36, 40), 5 * time.Hour, true},
		"once a week, and ten days":                  {every(week, 10*day, 10), week * time.Hour, false},
		"once a week, and fifteen days":              {every(week, 15*day, 10), week * time.Hour, true},
		"one failure of twenty days teaches nothing": {append(every(day, 40*day, 10), every(day, 5*day, 15)...), day * time.Hour, true},
		"weekends are usual":                         {append(append(every(day, 14*day, 5), every(day, 7*day, 5)...), every(day, 3*day, 2)...), 3 * day * time.Hour, false},
	} {
		got := came(now, c.hours...).Silence(now)
		if got.Usual != c.usual || got.Silent != c.silent || got.For != time.Duration(c.hours[len(c.hours)-1])*time.Hour {
			t.Errorf("%s: %+v, want a usual pause of %s and silent %v", name, got, c.usual, c.silent)
		}
	}
}

// TestDeliveriesAreCounted counts what came, in whatever batches it is folded, and neither what was asked for nor a
// test of our own.
func TestDeliveriesAreCounted(t *testing.T) {
	hour := time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC)
	var records []schema.Record
	add := func(at time.Duration, source, event string, k schema.Kind) {
		n := len(records) + 1
		e := schema.New(fmt.Sprintf("id-%d", n), source, schema.At(hour.Add(at)), k, schema.Data{Provider: "digicert", Event: event, Decoder: "digicert/1", OrderID: "1"})
		b, err := e.Encode()
		if err != nil {
			t.Fatal(err)
		}
		records = append(records, schema.Record{Seq: uint64(n), Subject: e.NATSSubject(), Time: e.Time.Time, Data: b})
	}
	add(50*time.Minute, "/hooks/digicert", "certificate_issued", schema.OrderIssued)
	add(10*time.Minute, "/hooks/digicert", "what", schema.DeliveryUnrecognized) // a clock that went back
	add(61*time.Minute, "/hooks/digicert", "order_rejected", schema.OrderRejected)
	add(62*time.Minute, "/ask/digicert", "order", schema.OrderDescribed)
	add(63*time.Minute, "/hooks/digicert", schema.OwnTest, schema.AccountTestReceived)
	rows, whole := folded(t, records...)
	for _, k := range rows {
		if k.Model == "accounts" {
			t.Errorf("a test of our own changed %v", k)
		}
	}
	one := foldedOneByOne(t, records)
	if one != whole {
		t.Errorf("the batches matter:\n%s\n%s", whole, one)
	}
}

// foldedOneByOne returns folded's tables with a batch for every record, after what Traffic makes of them was looked at.
func foldedOneByOne(t *testing.T, records []schema.Record) string {
	t.Helper()
	s, w := emptyGeneration(t)
	for _, r := range records {
		if _, err := w.apply(entries([]schema.Record{r}, asLogged)); err != nil {
			t.Fatal(err)
		}
	}
	now := records[0].Time.Add(24 * time.Hour)
	got, err := s.Traffic(context.Background(), now)
	if err != nil || len(got) != 1 || len(got[0].Hours) != 2 {
		t.Fatalf("%+v, %v", got, err)
	}
	first, last := got[0].Hours[0], got[0].Hours[1]
	if first.Count != 2 || first.Quarantined != 1 || last.Count != 1 || last.Quarantined != 0 || got[0].LastAt != last.LastAt || first.FirstAt.Minute() != 10 || first.LastAt.Minute() != 50 {
		t.Errorf("%+v", got)
	}
	if later, err := s.Traffic(context.Background(), now.Add(TrafficSpan)); err != nil || len(later) != 1 || len(later[0].Hours) != 0 || later[0].LastAt != last.LastAt {
		t.Errorf("after the span: %+v, %v", later, err)
	}
	return dump(t, s)
}

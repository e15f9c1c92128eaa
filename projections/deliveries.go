package projections

import (
	"context"
	"database/sql"
	"time"

	"github.com/certtrail/certtrail/projections/rules"
	"github.com/certtrail/certtrail/schema"
)

// TrafficSpan bounds how far back an account of deliveries goes.
const TrafficSpan = 90 * 24 * time.Hour

// Traffic tells when the deliveries of one provider came.
type Traffic struct {
	Provider string
	LastAt   schema.Time     // of the last delivery, however long ago
	Hours    []HourOfTraffic // of the last TrafficSpan, ascending; hours without a delivery are left out
}

// HourOfTraffic counts what came in one hour.
type HourOfTraffic struct {
	Hour        schema.Time // its beginning
	Count       int
	Quarantined int // of them, those that were not understood
	FirstAt     schema.Time
	LastAt      schema.Time
}

// hourKey names an hour of a provider's deliveries, in hours since 1970.
type hourKey struct {
	provider string
	hour     int64
}

// tally counts the deliveries of a batch.
type tally map[hourKey]*HourOfTraffic

func (t tally) add(e *schema.Event) {
	if !e.Delivered() {
		return
	}
	k := hourKey{e.Data.Provider, e.Time.Unix() / 3600}
	h := t[k]
	if h == nil {
		h = &HourOfTraffic{Hour: schema.At(time.Unix(k.hour*3600, 0)), FirstAt: e.Time, LastAt: e.Time}
		t[k] = h
	}
	h.Count++
	if e.Kind() == schema.DeliveryUnrecognized {
		h.Quarantined++
	}
	if e.Time.Before(h.FirstAt.Time) {
		h.FirstAt = e.Time
	}
	if e.Time.After(h.LastAt.Time) {
		h.LastAt = e.Time
	}
}

const addTraffic = `INSERT INTO deliveries (provider, hour, count, quarantined, first_at, last_at) VALUES (?, ?, ?, ?, ?, ?)
	ON CONFLICT DO UPDATE SET count = count + excluded.count, quarantined = quarantined + excluded.quarantined,
	first_at = min(first_at, excluded.first_at), last_at = max(last_at, excluded.last_at)`

// flush adds what was counted to the table.
func (t tally) flush(add *statement) error {
	for k, h := range t {
		if err := add.run(k.provider, h.Hour.String(), h.Count, h.Quarantined, h.FirstAt.String(), h.LastAt.String()); err != nil {
			return err
		}
	}
	return nil
}

// A step per provider, each one look into the index: there are a handful of providers, and thousands of hours.
const findTraffic = `WITH RECURSIVE one (provider) AS (
		SELECT min(provider) FROM deliveries
		UNION ALL SELECT (SELECT min(provider) FROM deliveries d WHERE d.provider > one.provider) FROM one WHERE one.provider IS NOT NULL)
	SELECT provider, (SELECT last_at FROM deliveries d WHERE d.provider = one.provider ORDER BY hour DESC LIMIT 1) FROM one WHERE provider IS NOT NULL`

// Traffic returns the traffic of every provider of whom any delivery came, by name.
func (s *Store) Traffic(ctx context.Context, now time.Time) ([]Traffic, error) {
	return s.traffic(ctx, now, 0)
}

// traffic returns Traffic of the providers whose last delivery came at least so long ago.
func (s *Store) traffic(ctx context.Context, now time.Time, ago time.Duration) (list []Traffic, err error) {
	db, done, err := s.reader()
	if err != nil {
		return nil, err
	}
	defer done(&err)
	found, err := db.QueryContext(ctx, findTraffic)
	if err != nil {
		return nil, err
	}
	defer found.Close()
	for found.Next() {
		var t Traffic
		if err := found.Scan(&t.Provider, timeColumn{&t.LastAt}); err != nil {
			return nil, err
		}
		if now.Sub(t.LastAt.Time) >= ago || ago == 0 {
			list = append(list, t)
		}
	}
	if err := found.Err(); err != nil {
		return nil, err
	}
	for i := range list {
		if err := list[i].readHours(ctx, db, schema.At(now.Add(-TrafficSpan))); err != nil {
			return nil, err
		}
	}
	return list, nil
}

func (t *Traffic) readHours(ctx context.Context, db *sql.DB, from schema.Time) error {
	found, err := db.QueryContext(ctx, "SELECT hour, count, quarantined, first_at, last_at FROM deliveries WHERE provider = ? AND hour >= ? ORDER BY hour", t.Provider, from.String())
	if err != nil {
		return err
	}
	defer found.Close()
	for found.Next() {
		var h HourOfTraffic
		if err := found.Scan(timeColumn{&h.Hour}, &h.Count, &h.Quarantined, timeColumn{&h.FirstAt}, timeColumn{&h.LastAt}); err != nil {
			return err
		}
		t.Hours = append(t.Hours, h)
	}
	return found.Err()
}

// Silence holds the provider's present pause against those before.
func (t *Traffic) Silence(now time.Time) rules.Silence {
	var pauses []time.Duration
	for i := 1; i < len(t.Hours); i++ {
		pauses = append(pauses, t.Hours[i].FirstAt.Sub(t.Hours[i-1].LastAt.Time))
	}
	return rules.SilenceOf(t.LastAt.Time, pauses, now)
}

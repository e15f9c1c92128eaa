package web

import (
	"context"
	"net/http"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/rules"
	"github.com/certtrail/certtrail/projections/words"
	"github.com/certtrail/certtrail/web/answer"
	"github.com/certtrail/certtrail/web/calendar"
	"github.com/certtrail/certtrail/web/picture"
)

// expiryPage holds the data of expiry.html.
type expiryPage struct {
	frame
	Ending   int // certificates that end in the weeks shown
	Valid    int // that are valid now
	Unknown  []unknownEnds
	Columns  picture.ColumnChart
	Limits   []limitRow
	Lapsing  int // validations that end in the weeks shown
	Heat     picture.HeatMap
	Calendar *calendar.FeedAddress // nil: there is no feed
}

// unknownEnds counts the issued orders of a provider that the pictures lack, since nobody knows when their certificates
// end.
type unknownEnds struct {
	Provider, Source string
	Orders           string   // how many, "10,000+"
	One              bool     // it is one
	Collects         bool     // the provider's API hands out certificates
	HowtoEnable      []string // the settings to set for that; empty where it is set up
	ConfigFile       string   // where they stand
}

func (s *Server) unknownEnds(ctx context.Context, f *frame) ([]unknownEnds, error) {
	found, err := s.Store.Uncollected(ctx)
	if err != nil {
		return nil, err
	}
	providers := s.Providers()
	var list []unknownEnds
	for _, u := range found {
		e := unknownEnds{Provider: u.Provider, Source: f.Source(u.Provider), Orders: countText(u.Orders), One: u.Orders == 1, ConfigFile: s.First.ConfigFile}
		for _, p := range providers {
			if p.Name == u.Provider && p.Asked != nil {
				e.Collects, e.HowtoEnable = p.Asked.Collects, p.Asked.HowtoEnable
			}
		}
		list = append(list, e)
	}
	return list, nil
}

// limitRow compares the certificates that are valid now with one limit on validity.
type limitRow struct {
	Days   int
	From   time.Time
	Until  string // "in 110 days", or "now"
	Over   int    // valid for longer than it
	Share  int    // percent of all that are valid
	ToCome bool
}

// expiry shows what expires when: certificates by week and CA, their validity against the limits to come, validations
// by day.
func (s *Server) expiry(w http.ResponseWriter, r *http.Request) error {
	if err := answer.NoMoment(r.URL.Query(), "what expires when"); err != nil {
		return err
	}
	p := expiryPage{frame: s.frame(r.Context(), "Expiry", "expiry")}
	today := answer.Midnight(p.Now)
	spans := make([]projections.Span, picture.Weeks)
	for i := range spans {
		from := today.AddDate(0, 0, 7*i)
		spans[i] = projections.Span{From: from, Until: from.AddDate(0, 0, 7)}
	}
	spans[0].From = p.Now // what ended earlier today has ended
	limits := rules.LimitsFrom(p.Now)
	days := make([]int, len(limits))
	for i, l := range limits {
		days[i] = l.Validity
	}
	found, err := s.Store.Expiring(r.Context(), spans, days, p.Now)
	if err != nil {
		return err
	}
	p.Valid = found.Valid
	if p.Unknown, err = s.unknownEnds(r.Context(), &p.frame); err != nil {
		return err
	}
	p.Columns = picture.ColumnsOf(p.titles, today, &found, limits)
	p.Ending = p.Columns.Total
	for i, l := range limits {
		p.Limits = append(p.Limits, limitRow{l.Validity, l.From, limitUntil(l.From, p.Now), found.Over[i], percent(found.Over[i], found.Valid), l.From.After(p.Now)})
	}
	first := picture.Monday(today)
	spans = spans[:0]
	for i := range picture.Weeks * 7 {
		from := first.AddDate(0, 0, i)
		spans = append(spans, projections.Span{From: from, Until: from.AddDate(0, 0, 1)})
	}
	lapsing, err := s.Store.Lapsing(r.Context(), spans)
	if err != nil {
		return err
	}
	p.Heat = picture.HeatOf(first, today, lapsing)
	p.Lapsing = p.Heat.Total
	p.Calendar = s.feed.Address()
	return s.render(w, http.StatusOK, "expiry", p)
}

func limitUntil(from, now time.Time) string {
	if !from.After(now) {
		return "in force"
	}
	return "in " + words.Days(int((from.Sub(now)+24*time.Hour-1)/(24*time.Hour)))
}

// percent never returns 0 for a few among many, nor 100 for nearly all.
func percent(part, whole int) int {
	if part == 0 || part == whole {
		return 100 * part / max(whole, 1)
	}
	return min(max((100*part+whole/2)/whole, 1), 99)
}

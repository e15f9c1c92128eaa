package web

import (
	"fmt"
	"net/http"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/words"
	"github.com/certtrail/certtrail/schema"
)

func (s *Server) newScans() *list[projections.Scan] {
	return newList(s, projections.Scans, list[projections.Scan]{
		empty: "Every run of a scanner over a target appears here, with how many findings it ended with.",
		finds: "a scan by its number or its target's as a whole, or by its host and all hosts below a domain",
		hint:  "host, number, target",
		columns: []column{{Title: "State", Field: "state", Class: "state"}, {Title: "Host", Field: "host", Class: "name"}, {Title: "ID"}, {Title: "Profile"}, {Title: "Findings"},
			{Title: "Started", Field: "started_at", Down: true, Class: "time"}, {Title: "Ended", Field: "completed_at", Down: true, Class: "time"},
			{Title: "Last event", Field: "last_event_at", Down: true, Class: "time"}},
		row: s.scan,
	})
}

// scanPage holds the data of scan.html.
type scanPage struct {
	*rowPage[projections.Scan]
	Host        hostLink
	TargetKnown bool
	Took        string // "" while it runs, or where that is not known
}

func (s *Server) scan(w http.ResponseWriter, r *http.Request) error {
	p, err := readRow(s, w, r, projections.Scans)
	if p == nil {
		return err
	}
	p.name(schema.DisplayName(p.Row.Host))
	target, err := s.targetOf(r.Context(), &p.frame, p.Row.Provider, p.Row.TargetID)
	if err != nil {
		return err
	}
	known := target != nil && target.Host == p.Row.Host
	return s.render(w, http.StatusOK, "scan", scanPage{p, hostLinkOf(p.Row.Host, known, &p.frame), target != nil, tookText(p.Row.StartedAt, p.Row.CompletedAt)})
}

func tookText(from, to *schema.Time) string {
	if from == nil || to == nil || to.Before(from.Time) {
		return ""
	}
	if d := to.Sub(from.Time); d < time.Minute {
		return "less than a minute"
	} else {
		return words.Duration(d)
	}
}

// tally counts the findings of one severity that a scan ended with.
type tally struct {
	Text string // "2 high"
	Tone string // "" for none of them
}

// talliesOf counts a scan's findings by severity, the worst first; none where it has not said.
func talliesOf(x projections.Scan) []tally {
	var tallies []tally
	for _, part := range []struct {
		n        *int
		severity int
	}{{x.Highs, words.SeverityHigh}, {x.Mediums, words.SeverityMedium}, {x.Lows, words.SeverityLow}} {
		if part.n == nil {
			continue
		}
		s := severityOf(part.severity)
		t := tally{fmt.Sprint(*part.n, " ", s.Word), s.Tone}
		if *part.n == 0 {
			t.Tone = ""
		}
		tallies = append(tallies, t)
	}
	return tallies
}

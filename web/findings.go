package web

import (
	"net/http"
	"strconv"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/words"
	"github.com/certtrail/certtrail/web/api"
)

func (s *Server) newFindings() *list[projections.Finding] {
	return newList(s, projections.Findings, list[projections.Finding]{
		empty: "Every weakness that a scanner detects appears here, and whether it is fixed. Those about TLS and certificates also appear on the page of their domain, and under Attention until they are fixed.",
		finds: "a finding by its number, its target's or its name as a whole, or by its host and all hosts below a domain",
		hint:  "host, number, name",
		columns: []column{{Title: "State", Field: "state", Class: "state"}, {Title: "Finding", Field: "name", Class: "name"}, {Title: "Severity", Field: "severity", Down: true},
			{Title: "Host", Class: "host"}, {Title: "ID"}, {Title: "Detected", Field: "detected_at", Down: true, Class: "time"},
			{Title: "Last event", Field: "last_event_at", Down: true, Class: "time"}},
		List: api.List[projections.Finding]{Cells: map[string]func(*projections.Finding) string{
			"cvss_score": func(x *projections.Finding) string { return scoreText(x.CVSSScore) },
		}},
		row: s.finding,
	})
}

// findingPage holds the data of finding.html.
type findingPage struct {
	*rowPage[projections.Finding]
	Host        hostLink
	TargetKnown bool
}

func (s *Server) finding(w http.ResponseWriter, r *http.Request) error {
	p, err := readRow(s, w, r, projections.Findings)
	if p == nil {
		return err
	}
	p.name(p.Row.Name)
	target, err := s.targetOf(r.Context(), &p.frame, p.Row.Provider, p.Row.TargetID)
	if err != nil {
		return err
	}
	known := p.Row.TLS || target != nil && target.Host == p.Row.Host // the domain's page tells of no other
	return s.render(w, http.StatusOK, "finding", findingPage{p, hostLinkOf(p.Row.Host, known, &p.frame), target != nil})
}

// severity shows a finding's severity to people.
type severity struct{ Word, Tone string }

// severityOf returns an empty severity where the provider has not said.
func severityOf(n int) severity {
	tone := ""
	switch {
	case n >= words.SeverityHigh:
		tone = "bad"
	case n >= words.SeverityMedium:
		tone = "warn"
	case n > 0:
		tone = "wait"
	}
	return severity{words.Severity(n), tone}
}

func scoreText(score float64) string {
	if score == 0 {
		return ""
	}
	return strconv.FormatFloat(score, 'f', 1, 64)
}

package web

import (
	"net/http"
	"strings"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web/answer"
	"github.com/certtrail/certtrail/web/view"
)

func (s *Server) newCertificates() *list[projections.Certificate] {
	return newList(s, projections.Certificates, list[projections.Certificate]{
		empty: "Every certificate that a CA issues, replaces or revokes appears here, with its validity as soon as the certificate itself has arrived.",
		columns: []column{{Title: "State", Class: "state"}, {Title: "Name", Field: "common_name", Class: "name"}, {Title: "Certificate"}, {Title: "Issuer", Field: "issuer"},
			{Title: "Lifetime used, renewal due", Class: "life"}, {Title: "Valid until", Field: "not_after", Class: "time"},
			{Title: "Last event", Field: "last_event_at", Down: true, Class: "time"}},
		row: s.certificate,
	})
}

// certificatePage holds the data of certificate.html.
type certificatePage struct {
	frame
	Certificate *projections.Certificate
	Names       view.NameList
	Renewal     renewal
	Timeline    timelineView
	Past        past
	Outlives    string // that it is valid for longer than it may be, a sentence
}

func (s *Server) certificate(w http.ResponseWriter, r *http.Request) error {
	provider, id, err := answer.PathKey(r, "id")
	if err != nil {
		return err
	}
	f := s.frame(r.Context(), "Certificate "+id, "certificates")
	m, err := answer.ReadMoment(r, s.Now())
	if err != nil {
		return s.missing(err, "certificate", provider, id)
	}
	c, err := projections.One(r.Context(), s.Store, projections.Certificates, provider, id, m)
	if err != nil {
		return s.missing(err, "certificate", provider, id)
	}
	if done, err := jump(w, r, c.Timeline); done || err != nil {
		return err
	}
	s.stand(&f, r, m, c.Timeline, c.Then)
	p := certificatePage{frame: f, Certificate: c, Names: view.NamesOf(c.CommonName, c.DNSNames), Outlives: outlives(c),
		Past: s.pastOf(r, &f, c.FirstEventAt, c.LastEventAt, c.LastEventSeq, c.EventCount)}
	if p.Names.First != "" {
		p.Title = schema.DisplayName(p.Names.First) + ", " + strings.ToLower(p.Title[:1]) + p.Title[1:]
	}
	p.Renewal = s.renewalOf(&p.frame, c)
	p.Timeline = s.timeline(r, &p.frame, c.Timeline)
	return s.render(w, http.StatusOK, "certificate", p)
}

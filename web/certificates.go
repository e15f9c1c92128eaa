package web

import (
	"net/http"
	"strconv"
	"strings"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
)

func (s *Server) newCertificates() *list[projections.Certificate] {
	type certificate = projections.Certificate
	return &list[certificate]{
		s: s, model: "certificates", title: "Certificates", exportSort: "id", find: s.Store.Certificates,
		empty:  "Every certificate that a CA issues, replaces or revokes appears here, with its validity as soon as the certificate itself has arrived.",
		states: []string{"valid", "active", "expiring", "expired", "revoked", "replaced", "issued"},
		columns: []column{{Title: "State", Class: "state"}, {Title: "Name", Field: "common_name", Class: "name"}, {Title: "Certificate"}, {Title: "Issuer", Field: "issuer"},
			{Title: "Lifetime used, renewal due", Class: "life"}, {Title: "Valid until", Field: "not_after", Class: "time"},
			{Title: "Last event", Field: "last_event_at", Down: true, Class: "time"}},
		key: func(c *certificate) projections.Key {
			return projections.Key{Model: "certificates", Provider: c.Provider, ID: c.ID}
		},
		fields: []field[certificate]{
			{"provider", func(c *certificate) string { return c.Provider }}, {"id", func(c *certificate) string { return c.ID }},
			{"order_id", func(c *certificate) string { return c.OrderID }}, {"state", func(c *certificate) string { return c.State }},
			{"serial_number", func(c *certificate) string { return c.SerialNumber }},
			{"common_name", func(c *certificate) string { return c.CommonName }},
			{"dns_names", func(c *certificate) string { return strings.Join(c.DNSNames, " ") }},
			{"issuer", func(c *certificate) string { return c.Issuer }},
			{"not_before", func(c *certificate) string { return timeText(c.NotBefore) }},
			{"not_after", func(c *certificate) string { return timeText(c.NotAfter) }},
			{"days_left", func(c *certificate) string { return intText(c.DaysLeft) }},
			{"renew_from", func(c *certificate) string { return timeText(c.RenewFrom) }},
			{"key_algorithm", func(c *certificate) string { return c.KeyAlgorithm }},
			{"fingerprint_sha256", func(c *certificate) string { return c.FingerprintSHA256 }},
			{"revocation_announced", func(c *certificate) string { return strconv.FormatBool(c.RevocationNotice) }},
			{"revokes_at", func(c *certificate) string { return timeText(c.RevokesAt) }},
			{"reason", func(c *certificate) string { return c.Reason }},
			{"last_event_at", func(c *certificate) string { return c.LastEventAt.String() }},
		},
	}
}

// certificatePage is the data of certificate.html.
type certificatePage struct {
	frame
	Certificate *projections.Certificate
	Names       nameList
	Renewal     renewal
	Timeline    timelineView
	Past        past
	Outlives    string // that it is valid for longer than it may be, a sentence
}

func (s *Server) certificate(w http.ResponseWriter, r *http.Request) error {
	provider, id, err := pathKey(r, "id")
	if err != nil {
		return err
	}
	f := s.frame(r.Context(), "Certificate "+id, "certificates")
	m, err := s.moment(r)
	if err != nil {
		return s.missing(err, "certificate", provider, id)
	}
	c, err := s.Store.CertificateAt(r.Context(), provider, id, m)
	if err != nil {
		return s.missing(err, "certificate", provider, id)
	}
	if done, err := jump(w, r, c.Timeline); done || err != nil {
		return err
	}
	s.stand(&f, r, m, c.Timeline, c.Then)
	p := certificatePage{frame: f, Certificate: c, Names: namesOf(c.CommonName, c.DNSNames), Outlives: outlives(c),
		Past: s.pastOf(r, &f, c.FirstEventAt, c.LastEventAt, c.LastEventSeq, c.EventCount)}
	if p.Names.First != "" {
		p.Title = schema.DisplayName(p.Names.First) + ", " + strings.ToLower(p.Title[:1]) + p.Title[1:]
	}
	p.Renewal = s.renewalOf(&p.frame, c)
	p.Timeline = s.timeline(r, &p.frame, c.Timeline)
	return s.render(w, http.StatusOK, "certificate", p)
}

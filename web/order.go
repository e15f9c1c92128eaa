package web

import (
	"net/http"
	"slices"
	"strings"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web/address"
	"github.com/certtrail/certtrail/web/answer"
	"github.com/certtrail/certtrail/web/view"
)

// orderPage holds the data of order.html.
type orderPage struct {
	frame
	Order        *projections.Order
	Names        view.NameList
	Since        view.Lasting
	Next         view.NextStep
	Steps        []step
	Blockers     []blocker
	Domains      orderDomains
	Certificates []orderCertificate
	Matters      []deciding
	Timeline     timelineView
	Past         past
}

func (s *Server) order(w http.ResponseWriter, r *http.Request) error {
	provider, id, err := answer.PathKey(r, "id")
	if err != nil {
		return err
	}
	f := s.frame(r.Context(), "Order "+id, "orders")
	m, err := answer.ReadMoment(r, s.Now())
	if err != nil {
		return s.missing(err, "order", provider, id)
	}
	o, err := projections.One(r.Context(), s.Store, projections.Orders, provider, id, m)
	if err != nil {
		return s.missing(err, "order", provider, id)
	}
	if done, err := jump(w, r, o.Timeline); done || err != nil {
		return err
	}
	s.stand(&f, r, m, o.Timeline, o.Then)
	p := orderPage{frame: f, Order: o, Names: orderNames(*o), Past: s.pastOf(r, &f, o.FirstEventAt, o.LastEventAt, o.LastEventSeq, o.EventCount)}
	if p.Names.First != "" {
		p.Title = schema.DisplayName(p.Names.First) + ", " + strings.ToLower(p.Title[:1]) + p.Title[1:]
	}
	p.Since = view.Since(o.StateSince, p.Now)
	p.Steps = stepsOf(o, p.Now)
	p.Blockers = blockersOf(o, p.Now)
	p.Domains = domainsOf(o, p.Now)
	p.Certificates = p.certificatesOf(o)
	p.Next = p.nextOf()
	if p.Matters, err = s.orderMatters(r, &p.frame, o, m); err != nil {
		return err
	}
	p.Timeline = s.timeline(r, &p.frame, o.Timeline)
	return s.render(w, http.StatusOK, "order", p)
}

// orderCertificate shows one of an order's certificates in the order's own table.
type orderCertificate struct {
	projections.Certificate
	Key, Href string
	Heir      string // the successor's page; "" where there is none
	HeirName  string
	Last      bool // it is the order's last issued
}

// certificatesOf returns the order's certificates with what took their places.
func (p *orderPage) certificatesOf(o *projections.Order) []orderCertificate {
	var list []orderCertificate
	for _, c := range o.Certificates {
		key := projections.Key{Model: "certificates", Provider: c.Provider, ID: c.ID}
		item := orderCertificate{Certificate: c, Key: address.RowKey(key), Href: address.Row(key) + p.At(), Last: c.ID == o.CertificateID}
		item.Heir, item.HeirName = p.heir(&c)
		list = append(list, item)
	}
	return list
}

// Heirless tells whether a certificate that is over, or soon will be, has none to follow it.
func (c *orderCertificate) Heirless() bool {
	return c.Heir == "" && (c.ToBeRevoked() || slices.Contains([]string{"expiring", "expired", "revoked"}, c.State))
}

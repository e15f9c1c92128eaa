package web

import (
	"context"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/words"
	"github.com/certtrail/certtrail/web/view"
)

// announced describes a revocation that the CA has announced of a certificate in use, and that has not come yet.
type announced struct {
	Due    view.Moment // when the CA revokes it; zero where it did not say
	Reason string      // the CA's; "" where it gave none
}

// announcedOf returns the announced revocation that lists show beside a certificate's state; nil where there is none.
func announcedOf(c projections.Certificate, now time.Time) *announced {
	if !c.ToBeRevoked() {
		return nil
	}
	a := &announced{Reason: c.Reason}
	if c.RevokesAt != nil {
		a.Due = view.When(*c.RevokesAt, now)
	}
	return a
}

// Announced returns the order's certificates that are to be revoked, newest first.
func (p orderPage) Announced() []orderCertificate {
	var list []orderCertificate
	for _, c := range p.Certificates {
		if c.ToBeRevoked() {
			list = append(list, c)
		}
	}
	return list
}

// nextOf returns the next step of the page's order.
func (p *orderPage) nextOf() view.NextStep {
	for _, c := range p.Certificates {
		if !c.Last {
			continue
		}
		p.Order.Fate = c.Fate()
		if c.Heir == "" || p.Order.NextStep != "install" {
			continue
		}
		revoked := p.Order.Fate == projections.ToBeRevoked
		if !revoked && c.State != "expiring" && c.State != "expired" {
			continue
		}
		return view.NextStep{StepText: words.InstallSuccessor(c.HeirName, revoked), Yours: true}
	}
	return orderNext(*p.Order)
}

// orderNext returns the next step of an order. To install a certificate that is about to end would be in vain, which
// the order itself does not know.
func orderNext(o projections.Order) view.NextStep {
	if o.NextStep == "install" {
		if o.Fate == projections.ToBeRevoked || o.Fate == projections.ToBeRenewed {
			return view.NextStep{StepText: words.Replace(o.Fate), Yours: true}
		}
	}
	return view.NextStepOf(o.NextStep)
}

// fated notes on the rows of orders what is about to become of their last certificates.
func (s *Server) fated(ctx context.Context, f *frame, rows []rowView[projections.Order]) ([]rowView[projections.Order], error) {
	var issued []projections.CertificateRef
	for i := range rows {
		if o := &rows[i].Item; o.CertificateID != "" && o.NextStep == "install" {
			issued = append(issued, lastIssued(o))
		}
	}
	if len(issued) == 0 {
		return rows, nil
	}
	found, err := s.Store.Fates(ctx, issued, f.Now)
	for i := range rows {
		rows[i].Item.Fate = found[lastIssued(&rows[i].Item)]
	}
	return rows, err
}

// lastIssued returns the order's last issued certificate.
func lastIssued(o *projections.Order) projections.CertificateRef {
	return projections.CertificateRef{Provider: o.Provider, ID: o.CertificateID}
}

// noteFates notes on the orders of a domain what is about to become of their last certificates, of those that bear the
// name too.
func noteFates(d *projections.DomainDetail) {
	fates := map[projections.CertificateRef]projections.Fate{}
	for i := range d.Certificates {
		c := &d.Certificates[i]
		fates[projections.CertificateRef{Provider: c.Provider, ID: c.ID}] = c.Fate()
	}
	for i := range d.Orders {
		d.Orders[i].Fate = fates[lastIssued(&d.Orders[i])]
	}
}

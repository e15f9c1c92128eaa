package web

import (
	"time"

	"github.com/certtrail/certtrail/projections"
)

// announced is a revocation that the CA has announced of a certificate that is in use, and that has not come yet.
type announced struct {
	Due    moment // when the CA revokes it; zero where it did not say
	Reason string // the CA's; "" where it gave none
}

// announcedOf is what lists show beside the state of a certificate that is to be revoked; nil of every other.
func announcedOf(c projections.Certificate, now time.Time) *announced {
	if !c.ToBeRevoked() {
		return nil
	}
	a := &announced{Reason: c.Reason}
	if c.RevokesAt != nil {
		a.Due = when(*c.RevokesAt, now)
	}
	return a
}

// Announced are the order's certificates that are to be revoked, newest first.
func (p orderPage) Announced() []orderCertificate {
	var list []orderCertificate
	for _, c := range p.Certificates {
		if c.ToBeRevoked() {
			list = append(list, c)
		}
	}
	return list
}

// nextOf is what comes next for the order. Who installs a certificate that is about to be revoked does so in vain, which the order itself does not know.
func (p *orderPage) nextOf() nextStep {
	for _, c := range p.Certificates {
		if !c.Last || !c.ToBeRevoked() || p.Order.NextStep != "install" {
			continue
		}
		if c.Heir != "" {
			return nextStep{"install its successor", "The CA has announced that it will revoke the certificate. Install its successor, certificate " + c.HeirName + ", wherever this one is in use.", true}
		}
		return nextStep{"replace it", "The CA has announced that it will revoke the certificate. Do not install it anywhere: order a replacement, and install that wherever this one is in use.", true}
	}
	return nextStepOf(p.Order.NextStep)
}

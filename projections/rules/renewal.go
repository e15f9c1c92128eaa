package rules

import (
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// RenewalMost bounds how long before a certificate's end its renewal should begin; of one that lives short, that is a
// third of its life.
const RenewalMost = 30 * Day

// Renewal returns when the renewal of a certificate should begin: from then on it expires soon. It is nil where its end
// is not known.
func Renewal(notBefore, notAfter *schema.Time) *schema.Time {
	if notAfter == nil {
		return nil
	}
	before := RenewalMost
	if notBefore != nil {
		before = min(before, notAfter.Sub(notBefore.Time)/3)
	}
	t := schema.At(notAfter.Add(-before))
	return &t
}

// CertificateState returns where the certificate stands at now; lifecycle.Issued where its validity is not known.
func CertificateState(c lifecycle.Certificate, now time.Time) string {
	switch {
	case c.Phase != lifecycle.Issued:
		return c.Phase
	case c.Cert.NotAfter == nil:
		return lifecycle.Issued
	case now.After(c.Cert.NotAfter.Time):
		return lifecycle.Expired
	case !now.Before(Renewal(c.Cert.NotBefore, c.Cert.NotAfter).Time):
		return lifecycle.Expiring
	}
	return lifecycle.Active
}

// InForce reports whether a certificate in that state is used, as far as its CA and its dates say.
func InForce(state string) bool { return state == lifecycle.Active || state == lifecycle.Expiring }

// ToBeRevoked reports whether the CA has announced a revocation that has not come yet, of a certificate that may be in
// use.
func ToBeRevoked(state string, announced bool) bool {
	return announced && (InForce(state) || state == lifecycle.Issued)
}

// ToBeRenewed reports whether a certificate that expires, or has expired, has nothing to take its place.
func ToBeRenewed(state string, succeeded bool) bool {
	return !succeeded && (state == lifecycle.Expiring || state == lifecycle.Expired)
}

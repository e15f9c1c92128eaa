package provider

import (
	"fmt"

	"github.com/certtrail/certtrail/schema"
)

// Answer holds what a provider's API said when certtrail asked it about one thing, and what that means.
type Answer struct {
	Kind     schema.Kind // "" where what was said is no event
	Data     schema.Data // Original stays empty: it is made when the answer is appended
	Delivery *Delivery
}

// Standing gives the state of an order, or of a certificate without one, according to the provider's API.
type Standing struct {
	OrderID       string
	CertificateID string       // "" where the API does not say
	State         string       // one of the Standing constants; "" where the provider's word says nothing of this
	Word          string       // the provider's own: "needs_approval"
	At            *schema.Time // since when, if the API says so
	Certificate   *schema.Certificate
	Checks        schema.Checks
}

// The states of a Standing: those of an order that a provider can tell.
const (
	StandingPending  = "pending"
	StandingIssued   = "issued"
	StandingReissue  = "reissue_ready"
	StandingRejected = "rejected"
	StandingCanceled = "canceled"
	StandingRevoked  = "revoked"
)

// Refusal reports that a provider's API understood what it was asked, and says no. Body is what it says, without the
// credentials it was asked with.
type Refusal struct {
	Status int // of HTTP, 400 to 499
	Body   []byte
}

// Error leaves out the body: the provider's client knows what of it is for people.
func (r *Refusal) Error() string { return fmt.Sprintf("the API refused with status %d", r.Status) }

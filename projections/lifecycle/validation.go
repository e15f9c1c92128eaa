package lifecycle

import "github.com/certtrail/certtrail/schema"

// Where a validation stands, beside Expired.
const (
	Validated       = "validated"
	RevalidationDue = "revalidation_due"
	Failed          = "failed"
)

// Validation holds what the validations of domains and of organizations have in common.
type Validation struct {
	Life
	State       string       // Validated, RevalidationDue, Expired or Failed
	Since       *schema.Time // when it was first heard to stand so
	ValidatedAt *schema.Time
	ExpiresAt   *schema.Time // until when it may be reused, if the provider said so
	Reason      string
}

func (v Validation) fold(seq uint64, e *schema.Event) Validation {
	v.Life = v.Life.next(seq, e)
	d := &e.Data
	before := v.State
	switch e.Kind().Name() {
	case schema.DomainValidated.Name():
		v.State = Validated
		at := e.OccurredAt()
		v.ValidatedAt = &at
		v.ExpiresAt = nil // of the validation before
		v.Reason = ""
	case schema.DomainRevalidationDue.Name():
		v.State = RevalidationDue
	case schema.DomainExpired.Name():
		v.State = Expired
	case schema.DomainValidationFailed.Name():
		v.State = Failed
		v.Reason = d.Reason
	}
	if v.State != before {
		at := e.Time
		v.Since = &at
	}
	if d.ExpiresAt != nil {
		v.ExpiresAt = d.ExpiresAt
	}
	v.Life = v.Life.read("expires_at", d.ExpiresAt != nil, d)
	return v
}

// Domain holds the validation of one domain name.
type Domain struct{ Validation }

// Fold returns d after the event at seq.
func (d Domain) Fold(seq uint64, e *schema.Event) Domain {
	if ignored(e) {
		return d
	}
	if decides(e) {
		d.Life = d.Life.decided(seq, e)
		return d
	}
	return Domain{d.Validation.fold(seq, e)}
}

// Organization holds the validation of one organization.
type Organization struct {
	Validation
	Name           string
	ValidationType string
}

// Fold returns o after the event at seq.
func (o Organization) Fold(seq uint64, e *schema.Event) Organization {
	if ignored(e) {
		return o
	}
	if decides(e) {
		o.Life = o.Life.decided(seq, e)
		return o
	}
	o.Validation = o.Validation.fold(seq, e)
	if e.Data.OrganizationName != "" {
		o.Name = e.Data.OrganizationName
	}
	if e.Data.ValidationType != "" {
		o.ValidationType = e.Data.ValidationType
	}
	return o
}

package projections

import (
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// Domain shows the validation of one domain name at one provider.
type Domain struct {
	Provider    string       `json:"provider"`
	Name        string       `json:"name"`
	State       string       `json:"state"` // validated, revalidation_due, expired, failed
	ValidatedAt *schema.Time `json:"validated_at,omitempty"`
	ExpiresAt   *schema.Time `json:"expires_at,omitempty"`
	Reason      string       `json:"reason,omitempty"`
	NextRenewal *schema.Time `json:"next_renewal,omitempty"` // only of one name: when the next renewal of what it covers should begin
	LapsesFirst bool         `json:"lapses_first,omitempty"` // only of one name: it lapses before that renewal
	Since       *schema.Time `json:"-"`                      // when it was first heard to stand so
	Row
}

// Domains keeps the validations of domains.
var Domains = define(Table[lifecycle.Domain, Domain]{
	Spec: Spec{
		Name: lifecycle.Domains, Title: "Domains", Noun: "domain", Key: "name",
		Sorts:   []string{"last_event_at", "expires_at", "validated_at", "state", "name", "provider"},
		InOrder: []string{"expires_at"},
		States:  equalTo("state", lifecycle.Validated, lifecycle.RevalidationDue, lifecycle.Expired, lifecycle.Failed),
		ByState: true,
		Ends:    "expires_at",
		named:   []namedIn{aloneIn("name")},
		CSV:     []string{"provider", "name", "state", "validated_at", "expires_at", "reason", "last_event_at"},
	},
	columns: func(d *lifecycle.Domain) []Column { return validationColumns(&d.Validation) },
	life:    func(d *lifecycle.Domain) *lifecycle.Life { return &d.Life },
	fold:    lifecycle.Domain.Fold,
	changes: lifecycle.Domain.Changes,
	names:   func(name string, _ *lifecycle.Domain) []string { return []string{name} },
	item: func(k Key, d *lifecycle.Domain, _ time.Time) Domain {
		return Domain{
			Provider: k.Provider, Name: k.ID, State: d.State, ValidatedAt: d.ValidatedAt, ExpiresAt: d.ExpiresAt, Reason: d.Reason, Since: d.Since,
			Row: rowOf(&d.Life),
		}
	},
})

// validationColumns returns the columns that domains and organizations share.
func validationColumns(v *lifecycle.Validation) []Column {
	return []Column{
		{"state", &v.State},
		{"validated_at", optionalTime{&v.ValidatedAt}},
		{"expires_at", optionalTime{&v.ExpiresAt}},
		{"reason", &v.Reason},
		{"since", optionalTime{&v.Since}},
	}
}

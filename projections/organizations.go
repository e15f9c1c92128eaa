package projections

import (
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// Organization shows the validation of one organization at one provider.
type Organization struct {
	Provider       string       `json:"provider"`
	ID             string       `json:"id"`
	Name           string       `json:"name,omitempty"`
	State          string       `json:"state"` // validated, revalidation_due, expired
	ValidationType string       `json:"validation_type,omitempty"`
	ValidatedAt    *schema.Time `json:"validated_at,omitempty"`
	ExpiresAt      *schema.Time `json:"expires_at,omitempty"`
	Since          *schema.Time `json:"-"` // when it was first heard to stand so
	Row
}

// Organizations keeps the validations of organizations.
var Organizations = define(Table[lifecycle.Organization, Organization]{
	Spec: Spec{
		Name: lifecycle.Organizations, Title: "Organizations", Noun: "organization", Key: "id",
		Sorts:  []string{"last_event_at", "expires_at", "state", "name", "id", "provider"},
		States: equalTo("state", lifecycle.Validated, lifecycle.RevalidationDue, lifecycle.Expired),
		Ends:   "expires_at",
		Exact:  []string{"id", "name"},
		CSV:    []string{"provider", "id", "name", "state", "validation_type", "validated_at", "expires_at", "last_event_at"},
	},
	columns: func(o *lifecycle.Organization) []Column {
		shared := validationColumns(&o.Validation)
		return append([]Column{{"name", &o.Name}, shared[0], {"validation_type", &o.ValidationType}}, shared[1:]...)
	},
	life:    func(o *lifecycle.Organization) *lifecycle.Life { return &o.Life },
	fold:    lifecycle.Organization.Fold,
	changes: lifecycle.Organization.Changes,
	item: func(k Key, o *lifecycle.Organization, _ time.Time) Organization {
		return Organization{
			Provider: k.Provider, ID: k.ID, Name: o.Name, State: o.State, ValidationType: o.ValidationType, ValidatedAt: o.ValidatedAt,
			ExpiresAt: o.ExpiresAt, Since: o.Since, Row: rowOf(&o.Life),
		}
	},
})

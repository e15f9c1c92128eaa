package projections

import (
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
)

var organizations = &table[lifecycle.Organization, Organization]{
	name: lifecycle.Organizations, key: "id",
	fields: append([]string{"name", "validation_type"}, validationFields...),
	bind: func(o *lifecycle.Organization) []any {
		return append([]any{&o.Name, &o.ValidationType}, bindValidation(&o.Validation)...)
	},
	life:   func(o *lifecycle.Organization) *lifecycle.Life { return &o.Life },
	fold:   lifecycle.Organization.Fold,
	sorts:  []string{"last_event_at", "expires_at", "state", "name", "id", "provider"},
	ends:   "expires_at",
	states: equalTo("state", lifecycle.Validated, lifecycle.RevalidationDue, lifecycle.Expired),
	exact:  []string{"id", "name"},
	item: func(provider, id string, o *lifecycle.Organization, _ time.Time) Organization {
		return Organization{
			Provider: provider, ID: id, Name: o.Name, State: o.State, ValidationType: o.ValidationType, ValidatedAt: o.ValidatedAt, ExpiresAt: o.ExpiresAt, Since: o.Since, Row: rowOf(&o.Life),
		}
	},
}

package projections

import (
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
)

var domains = &table[lifecycle.Domain, Domain]{
	name: lifecycle.Domains, key: "name",
	fields:  validationFields,
	bind:    func(d *lifecycle.Domain) []any { return bindValidation(&d.Validation) },
	life:    func(d *lifecycle.Domain) *lifecycle.Life { return &d.Life },
	fold:    lifecycle.Domain.Fold,
	names:   func(name string, _ *lifecycle.Domain) []string { return []string{name} },
	named:   []namedIn{aloneIn("name")},
	sorts:   []string{"last_event_at", "expires_at", "validated_at", "state", "name", "provider"},
	inOrder: []string{"expires_at"},
	ends:    "expires_at",
	byState: true,
	states:  equalTo("state", lifecycle.Validated, lifecycle.RevalidationDue, lifecycle.Expired, lifecycle.Failed),
	item: func(provider, name string, d *lifecycle.Domain, _ time.Time) Domain {
		return Domain{
			Provider: provider, Name: name, State: d.State, ValidatedAt: d.ValidatedAt, ExpiresAt: d.ExpiresAt, Reason: d.Reason, Since: d.Since,
			Row: rowOf(&d.Life),
		}
	},
}

// validationFields are the columns that domains and organizations share.
var validationFields = []string{"state", "validated_at", "expires_at", "reason", "since"}

func bindValidation(v *lifecycle.Validation) []any {
	return []any{&v.State, optionalTime{&v.ValidatedAt}, optionalTime{&v.ExpiresAt}, &v.Reason, optionalTime{&v.Since}}
}

package digicert

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

// validation returns the kind of a domain's or organization's event. The page names six and gives the data of none
// ("Create webhook" page).
func validation(event string) (schema.Kind, bool) {
	switch event {
	case "domain_validated":
		return schema.DomainValidated, true
	case "domain_expired":
		return schema.DomainExpired, true
	case "domain_revalidation_notice":
		return schema.DomainRevalidationDue, true
	case "organization_validated":
		return schema.OrganizationValidated, true
	case "organization_expired":
		return schema.OrganizationExpired, true
	case "organization_revalidation_notice":
		return schema.OrganizationRevalidationDue, true
	}
	return "", false
}

// decodeValidation looks for what the same things are called elsewhere in the vendor's API. As nothing is promised,
// nothing can be missing: what is found and makes no sense is told of, and the event stands.
func decodeValidation(event string, kind schema.Kind, raw json.RawMessage) (schema.Kind, schema.Data, error) {
	var f fields
	_ = json.Unmarshal(raw, &f) // data that is no object has no fields
	out := schema.Data{Event: event, Decoder: decoder, ValidationType: provider.Clip(f.first("validation_type", "type"), provider.MaxText)}
	if kind.Aggregate() == schema.AggregateDomain {
		readID(&out, &out.OrganizationID, "organization_id", f.first("organization_id", "organization.id"))
		out.OrganizationName = provider.Clip(f.first("organization_name", "organization.name", "organization"), provider.MaxText)
		readID(&out, &out.DomainID, "domain_id", f.first("domain_id", "domain.id", "id"))
		readDomain(&out, f.first("domain_name", "domain.name", "domain", "dns_name", "name"))
	} else {
		readID(&out, &out.OrganizationID, "organization_id", f.first("organization_id", "organization.id", "id"))
		out.OrganizationName = provider.Clip(f.first("organization_name", "organization.name", "organization", "name"), provider.MaxText)
	}
	if until := f.until(kind.Aggregate()); until != "" {
		if t, err := schema.ParseTime(until); err == nil {
			out.ExpiresAt = &t
		} else {
			out.Unreadable = append(out.Unreadable, schema.Unreadable{Part: "expires_at", Reason: fmt.Sprintf("%.80q is not a time", until)})
		}
	}
	return kind, out, nil
}

func readID(out *schema.Data, to *string, part, s string) {
	id, err := schema.ID(s)
	if err != nil {
		out.Unreadable = append(out.Unreadable, schema.Unreadable{Part: part, Reason: err.Error()})
	}
	*to = id
}

func readDomain(out *schema.Data, s string) {
	if s == "" {
		return
	}
	name, err := schema.DomainName(s)
	if err != nil {
		out.Unreadable = append(out.Unreadable, schema.Unreadable{Part: "domain", Reason: fmt.Sprintf("%.80q is not a domain name", s)})
		return
	}
	out.Domain = name
}

// fields holds data of no documented shape.
type fields map[string]json.RawMessage

// first returns the first of the paths that leads to a string or whole number; "organization.id" leads into an object.
func (f fields) first(paths ...string) string {
	for _, path := range paths {
		outer, inner, nested := strings.Cut(path, ".")
		raw := f[outer]
		if nested {
			var object fields
			_ = json.Unmarshal(raw, &object)
			raw = object[inner]
		}
		var t provider.Text
		if len(raw) > 0 && t.UnmarshalJSON(raw) == nil && t != "" {
			return string(t)
		}
	}
	return ""
}

// until returns the day on which the validation ends, by its likely names or else by names that end like one of them.
func (f fields) until(aggregate string) string {
	names := []string{"validated_until", "valid_until", "expires_at", "expiration_date"}
	for _, name := range names {
		names = append(names, aggregate+"."+name)
	}
	if s := f.first(names...); s != "" {
		return s
	}
	var ends, dates []string
	for key := range f {
		switch {
		case strings.HasSuffix(key, "_until"):
			ends = append(ends, key)
		case strings.HasSuffix(key, "_date") && !began(key):
			dates = append(dates, key)
		}
	}
	slices.Sort(ends) // a map has no order, and the same bytes must mean the same
	slices.Sort(dates)
	return f.first(append(ends, dates...)...)
}

// began tells dates of the past, which would make a fresh validation look expired, from those on which something ends.
func began(key string) bool {
	for _, word := range []string{"creat", "start", "submit", "request", "order", "issue", "update", "modif", "approv", "validated_", "validation_date", "sent_", "event_"} {
		if strings.Contains(key, word) {
			return true
		}
	}
	return false
}

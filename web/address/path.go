// Package address names the pages of certtrail and their parameters.
package address

import (
	"net/url"
	"strings"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
)

// Segment escapes one path segment. An id of only dots is escaped whole, since clients would take it for a step up the
// tree.
func Segment(s string) string {
	if strings.Trim(s, ".") == "" {
		return strings.ReplaceAll(s, ".", "%2E")
	}
	return url.PathEscape(s)
}

// Row returns the address of a row's page.
func Row(k projections.Key) string {
	switch k.Model {
	case "domains":
		return "/domains/" + Segment(k.ID)
	case "quarantine":
		return "/events/" + Segment(k.ID)
	}
	return "/" + k.Model + "/" + Segment(k.Provider) + "/" + Segment(k.ID)
}

// RowPath returns the address of the page of a row that is named by its parts.
func RowPath(model, provider, id string) string {
	return Row(projections.Key{Model: model, Provider: provider, ID: id})
}

// RowKey names a row for /live and for the page's elements alike: plain text, never parsed.
func RowKey(k projections.Key) string { return k.Model + "/" + k.Provider + "/" + k.ID }

// DatabasePrefix stands before a database's number in the websites' read model, for a website may have that number too.
const DatabasePrefix = "database:"

// Event returns the address of the page of the row that an event is about; "" where there is none.
func Event(e *schema.Event) string {
	if e.Kind().Aggregate() == schema.AggregateAttention {
		return "/"
	}
	rows := projections.Concerns(e)
	if len(rows) == 0 || rows[0].ID == "" || projections.ModelNamed(rows[0].Model).About().Title == "" {
		return ""
	}
	return Row(rows[0])
}

// With returns the address of a list with the named parameters changed; an empty value takes one away.
func With(path string, values url.Values, changes ...string) string {
	v := url.Values{}
	for name, all := range values {
		if all[0] != "" {
			v.Set(name, all[0])
		}
	}
	for i := 0; i < len(changes); i += 2 {
		if v.Del(changes[i]); changes[i+1] != "" {
			v.Set(changes[i], changes[i+1])
		}
	}
	if len(v) == 0 {
		return "/" + path
	}
	return "/" + path + "?" + v.Encode()
}

// The parameters that choose what ends in a time: from the one on, and before the other. Each is a date, from its
// beginning in UTC on, or a time.
const (
	ExpiresFrom  = "expires_from"
	ExpiresUntil = "expires_until"
)

// DateParam formats a day as a parameter names it.
func DateParam(t time.Time) string { return t.UTC().Format(time.DateOnly) }

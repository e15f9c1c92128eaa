package web

import (
	"net/http"
	"net/url"
	"strings"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
	"github.com/gorilla/mux"
)

// pathVar is a variable of the route, unescaped. The router matches escaped paths, so that an id may contain a slash.
func pathVar(r *http.Request, name string) (string, error) {
	v, err := url.PathUnescape(mux.Vars(r)[name])
	if err != nil {
		return "", wrong("the address has a broken escape: %v", err)
	}
	return v, nil
}

// pathKey is the provider and the id of the row that the route names.
func pathKey(r *http.Request, idName string) (provider, id string, err error) {
	if provider, err = pathVar(r, "provider"); err != nil {
		return "", "", err
	}
	id, err = pathVar(r, idName)
	return provider, id, err
}

// segment escapes one path segment. An id of only dots is escaped whole, since clients would take it for a step up the tree.
func segment(s string) string {
	if strings.Trim(s, ".") == "" {
		return strings.ReplaceAll(s, ".", "%2E")
	}
	return url.PathEscape(s)
}

// href is the page of a row.
func href(k projections.Key) string {
	switch k.Model {
	case "domains":
		return "/domains/" + segment(k.ID)
	case "quarantine":
		return "/events/" + segment(k.ID)
	}
	return "/" + k.Model + "/" + segment(k.Provider) + "/" + segment(k.ID)
}

// rowPath is href of a row that is named by its parts.
func rowPath(model, provider, id string) string {
	return href(projections.Key{Model: model, Provider: provider, ID: id})
}

// rowKey is how /live's rows and the page's elements name one another: plain text, never parsed.
func rowKey(k projections.Key) string { return k.Model + "/" + k.Provider + "/" + k.ID }

// databasePrefix is what the websites' read model puts before a database's number, which a website may have too.
const databasePrefix = "database:"

// eventHref is the page of the row that an event is about; "" where there is none.
func eventHref(e *schema.Event) string {
	if e.Kind().Aggregate() == schema.AggregateAttention {
		return "/"
	}
	rows := projections.Concerns(e)
	if len(rows) == 0 || rows[0].ID == "" || projections.ModelNamed(rows[0].Model).About().Title == "" {
		return ""
	}
	return href(rows[0])
}

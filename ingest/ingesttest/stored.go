package ingesttest

import (
	"encoding/base64"
	"encoding/json"
	"reflect"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/ingest/redact"
	"github.com/certtrail/certtrail/schema"
)

// Redacted returns what is stored of d, with a body that is not JSON as it reads. It fails t unless that still decodes
// to what d does: a redaction that takes away an id or a state would make a later decoder lose what this one found. A
// delivery about a person is stored sealed; Redacted returns what is in it.
func Redacted(t testing.TB, p provider.Provider, d *provider.Delivery, known ...string) string {
	t.Helper()
	var pointers []string
	if f, ok := p.(provider.SecretFinder); ok {
		pointers = f.Secrets(d)
	}
	o := redact.Redact(d.Request(), pointers, known)
	if _, is := about(p, d); is {
		o = redact.New(known).RedactSecrets(d.Request(), pointers)
	}
	again := redelivery(t, o, d.Feed)
	kind, data, err := p.Decode(d)
	kindAgain, dataAgain, errAgain := p.Decode(again)
	if kind != kindAgain || !reflect.DeepEqual(data, dataAgain) || !reflect.DeepEqual(err, errAgain) {
		t.Errorf("as it is stored it decodes to %s %s %v; want %s %s %v", kindAgain, JSON(t, dataAgain), errAgain, kind, JSON(t, data), err)
	}
	return JSON(t, o) + string(again.Body)
}

// asStored returns d after the log, were there nothing to redact but its credentials. Junk may be redacted to something
// else, so its promise is this.
func asStored(t testing.TB, d *provider.Delivery) *provider.Delivery {
	t.Helper()
	o := schema.Original{Method: d.Method, Query: d.Query, Headers: map[string]string{}}
	for name, values := range d.Header {
		if name == "Authorization" || strings.HasSuffix(name, "-Key") {
			values = []string{redact.Mark}
		}
		o.Headers[strings.ToLower(name)] = strings.Join(values, ", ")
	}
	if json.Valid(d.Body) {
		o.Body = d.Body
	} else {
		o.BodyBase64 = base64.StdEncoding.EncodeToString(d.Body)
	}
	return redelivery(t, &o, d.Feed)
}

func redelivery(t testing.TB, o *schema.Original, feed string) *provider.Delivery {
	t.Helper()
	d, err := provider.Redelivery(o, feed)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// about reports whether p finds a person in d, and who.
func about(p provider.Provider, d *provider.Delivery) (name string, is bool) {
	if f, ok := p.(provider.PersonFinder); ok {
		return f.Person(d)
	}
	return "", false
}

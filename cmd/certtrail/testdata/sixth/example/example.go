// Package example is a sixth provider, for the exercise of docs/adding-a-provider.md: a CA that nobody runs, which
// posts JSON such as
//
//	{"id": 7, "event": "issued", "order": 7001, "certificate": 8001, "pem": "-----BEGIN CERTIFICATE-----…"}
//
// with a bearer token. A test builds the program with this folder as ingest/example, and one more entry in its list of
// systems.
package example

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/json"
	"fmt"
	"strings"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

// System is the example CA as certtrail serves it.
var System = provider.System{
	Kind:     "example",
	Title:    "Example CA",
	Settings: []provider.Setting{{Name: "token", Usage: "the token that the CA sends", Secret: true, Credential: true}},
	Howto:    "Give the example CA the URL and the token.",
	Samples: []provider.Sample{
		sample("issued", map[string]string{"order": "7001", "certificate": "8001", "pem": ""}),
		sample("rejected", map[string]string{"order": "7001", "reason": "no such company"}),
	},
	New: func(get func(string) string) provider.Provider {
		token := strings.TrimSpace(get("token"))
		if token == "" {
			return nil
		}
		return &Provider{token, sha256.Sum256([]byte("Bearer " + token))}
	},
}

type Provider struct {
	token string
	sum   [sha256.Size]byte // of the header's value, so that comparing takes the same time whatever the length
}

// Feeds is the one endpoint.
func (p *Provider) Feeds() []provider.Feed { return []provider.Feed{{Methods: []string{"POST"}}} }

// Authenticate compares the bearer token.
func (p *Provider) Authenticate(d *provider.Delivery) bool {
	sum := sha256.Sum256([]byte(d.Get("Authorization")))
	return subtle.ConstantTimeCompare(sum[:], p.sum[:]) == 1
}

// Sign puts the token on d.
func (p *Provider) Sign(d *provider.Delivery) {
	if d.Header == nil {
		d.Header = map[string][]string{}
	}
	d.Header["Authorization"] = []string{"Bearer " + p.token}
}

const decoder = "example/1"

var kinds = map[string]schema.Kind{"issued": schema.OrderIssued, "rejected": schema.OrderRejected}

// Decode says what d means.
func (p *Provider) Decode(d *provider.Delivery) (schema.Kind, schema.Data, error) {
	var body struct {
		Event, Order, Certificate, PEM, Reason provider.Text
	}
	if err := json.Unmarshal(d.Body, &body); err != nil {
		return unknown("", "The body is not a JSON object.", true)
	}
	event := provider.Clip(string(body.Event), provider.MaxEvent)
	kind, ok := kinds[event]
	if !ok {
		return unknown(event, fmt.Sprintf("The event %.80q is documented nowhere.", event), false)
	}
	out := schema.Data{Event: event, Decoder: decoder, Reason: provider.Clip(string(body.Reason), provider.MaxText)}
	var err error
	if out.OrderID, err = schema.ID(string(body.Order)); err != nil || out.OrderID == "" {
		return unknown(event, "The order has no number that can be used.", true)
	}
	if out.CertificateID, err = schema.ID(string(body.Certificate)); err != nil {
		return unknown(event, "The certificate's number cannot be used.", true)
	}
	if body.PEM != "" {
		if out.Certificate, err = provider.ParseCertificate(string(body.PEM)); err != nil {
			out.Unreadable = []schema.Unreadable{{Part: "certificate", Reason: err.Error()}}
		}
	}
	return kind, out, nil
}

func unknown(event, reason string, unreadable bool) (schema.Kind, schema.Data, error) {
	return "", schema.Data{Event: event, Decoder: decoder}, &provider.Quarantine{Event: event, Reason: reason, Unreadable: unreadable}
}

func sample(event string, params map[string]string) provider.Sample {
	return provider.Sample{Event: event, Params: params, Build: func(p map[string]string) *provider.Delivery {
		object := map[string]string{"event": event}
		for name, value := range p {
			if value != "" {
				object[name] = value
			}
		}
		body, _ := json.Marshal(object) // strings always encode
		return &provider.Delivery{Method: "POST", Header: map[string][]string{"Content-Type": {"application/json"}}, Body: body}
	}}
}

// Package defguard is all there is to know of Defguard's webhooks: their token, what their deliveries mean, and samples
// of them. Facts come from the source of the product itself (DefGuard/defguard on GitHub: the webhook handlers,
// UserInfo and HWKeyUserData) and its documentation page "Webhooks". It has no retries and no ids: a delivery is sent
// once, after the event, and lost if nobody takes it.
package defguard

import (
	"crypto/sha256"
	"crypto/subtle"
	"strings"

	"github.com/certtrail/certtrail/ingest/provider"
)

// System describes Defguard. It is self-hosted, so that it has no addresses that anybody could publish.
var System = provider.System{
	Kind:  "defguard",
	Title: "Defguard",
	Settings: []provider.Setting{
		{Name: settingToken, Usage: "the webhook's secret token: what Defguard sends as Authorization: Bearer", Secret: true, Credential: true},
	},
	Howto:   "In Defguard, under Webhooks, add a webhook with the URL and the token as its secret token, and choose all events.",
	Samples: samples(),
	New:     newProvider,
}

const (
	settingToken = "token"
	headerAuth   = "Authorization"
	headerEvent  = "X-Defguard-Event"
	bearer       = "bearer "
)

type Provider struct {
	token string
	sum   [sha256.Size]byte // of token, so that comparing takes the same time whatever the length
}

func newProvider(get func(setting string) string) provider.Provider {
	token := strings.TrimSpace(get(settingToken)) // a header's value has no space around it
	if token == "" {
		return nil
	}
	return &Provider{token: token, sum: sha256.Sum256([]byte(token))}
}

// Feeds returns the one endpoint. Servers before v0.8.0 send a GET with a body.
func (p *Provider) Feeds() []provider.Feed {
	return []provider.Feed{{Methods: []string{"POST", "GET"}}}
}

// Authenticate compares the token, which comes in clear with every delivery; nothing is signed.
func (p *Provider) Authenticate(d *provider.Delivery) bool {
	header := d.Get(headerAuth)
	if len(header) < len(bearer) || !strings.EqualFold(header[:len(bearer)], bearer) {
		return false
	}
	sum := sha256.Sum256([]byte(strings.TrimSpace(header[len(bearer):])))
	return subtle.ConstantTimeCompare(sum[:], p.sum[:]) == 1
}

// Sign puts the token on d.
func (p *Provider) Sign(d *provider.Delivery) {
	if d.Header == nil {
		d.Header = map[string][]string{}
	}
	d.Header[headerAuth] = []string{"Bearer " + p.token}
}

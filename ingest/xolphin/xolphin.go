// Package xolphin is all there is to know of Xolphin: its webhook's token and addresses, what its deliveries mean, and
// samples of them. Facts come from the vendor's page api.xolphin.com/support/WebHooks. A delivery is one GET without a
// body; what it says stands in the query.
package xolphin

import (
	"crypto/sha256"
	"crypto/subtle"
	"strings"

	"github.com/certtrail/certtrail/ingest/provider"
)

// System describes Xolphin. The addresses are those of the "WebHooks" page.
var System = provider.System{
	Kind:  "xolphin",
	Title: "Xolphin",
	Settings: []provider.Setting{
		{Name: settingToken, Usage: "the last segment of the hook's URL, which is all that tells Xolphin's deliveries from anybody's", Secret: true, Credential: true},
	},
	Addresses: []string{"185.93.12.91/32", "185.93.12.111/32", "2a03:8de0:1:1::91/128", "2a03:8de0:1:1::111/128"},
	Howto:     "Ask Xolphin's support to register the URL, with its token, for the webhooks of your account; there is no page and no API for it.",
	Samples:   samples(),
	API:       api(),
	New:       newProvider,
}

const settingToken = "token"

type Provider struct {
	token string
	sum   [sha256.Size]byte // of token, so that comparing takes the same time whatever the length
}

func newProvider(get func(setting string) string) provider.Provider {
	token := strings.TrimSpace(get(settingToken))
	if token == "" {
		return nil
	}
	return &Provider{token: token, sum: sha256.Sum256([]byte(token))}
}

// Feeds returns the one endpoint. An older copy of the page has a sample that answers OK; the present one does not say
// that it must.
func (p *Provider) Feeds() []provider.Feed {
	return []provider.Feed{{Methods: []string{"GET"}, Token: true, Answer: "OK"}}
}

// Authenticate compares the token of the path: the page documents no other credential.
func (p *Provider) Authenticate(d *provider.Delivery) bool {
	sum := sha256.Sum256([]byte(d.Token))
	return subtle.ConstantTimeCompare(sum[:], p.sum[:]) == 1
}

// Sign puts the token on d.
func (p *Provider) Sign(d *provider.Delivery) { d.Token = p.token }

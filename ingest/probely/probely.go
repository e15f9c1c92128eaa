// Package probely is all there is to know of Probely's webhooks (now sold as Snyk API & Web): their token, what their
// deliveries mean, and samples of them. Facts come from the vendor's pages developers.probely.com/api/reference/events
// and targets-webhooks-create, and the answers of its API in the tests of Probely/probely-python. That the body of a
// delivery is the event object of those pages is inferred: no page shows one.
package probely

import (
	"crypto/sha256"
	"crypto/subtle"
	"strings"

	"github.com/certtrail/certtrail/ingest/provider"
)

// System describes Probely. No page lists the addresses it sends from.
var System = provider.System{
	Kind:  "probely",
	Title: "Probely",
	Settings: []provider.Setting{
		{Name: settingToken, Usage: "the last segment of the webhook's URL, which is all that tells Probely's deliveries from anybody's", Secret: true, Credential: true},
	},
	Howto:   "In Probely, add a webhook with the URL and its token, for the account or for each target; with both, an event comes twice and counts once.",
	Samples: samples(),
	New:     newProvider,
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

// Feeds returns the one endpoint. A failure is retried with growing pauses ("events" page).
func (p *Provider) Feeds() []provider.Feed {
	return []provider.Feed{{Methods: []string{"POST"}, Token: true}}
}

// Authenticate compares the token of the path: a URL that is hard to guess is the only protection that the "events"
// page recommends.
func (p *Provider) Authenticate(d *provider.Delivery) bool {
	sum := sha256.Sum256([]byte(d.Token))
	return subtle.ConstantTimeCompare(sum[:], p.sum[:]) == 1
}

// Sign puts the token on d.
func (p *Provider) Sign(d *provider.Delivery) { d.Token = p.token }

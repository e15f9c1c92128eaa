// Package probely is all there is to know of Probely's webhooks (now sold as Snyk API & Web): their token, what their deliveries mean, and samples of them.
// Facts come from the vendor's pages developers.probely.com/api/reference/events and targets-webhooks-create, and the answers of its API in the tests of
// Probely/probely-python. That the body of a delivery is the event object of those pages is inferred: no page shows one.
package probely

import (
	"crypto/sha256"
	"crypto/subtle"
	"strings"

	"github.com/certtrail/certtrail/schema"
)

// System is Probely as certtrail serves it. No page lists the addresses it sends from.
var System = schema.System{
	Kind:  "probely",
	Title: "Probely",
	Settings: []schema.Setting{
		{Name: settingToken, Usage: "the last segment of the webhook's URL, which is all that tells Probely's deliveries from anybody's", Secret: true, Credential: true},
	},
	Howto:   "In Probely, add a webhook with the URL and its token, for the account or for each target; with both, an event comes twice and counts once.",
	Samples: samples(),
	New:     newProvider,
}

const settingToken = "token"

type provider struct {
	token string
	sum   [sha256.Size]byte // of token, so that comparing takes the same time whatever the length
}

func newProvider(get func(setting string) string) schema.Provider {
	token := strings.TrimSpace(get(settingToken))
	if token == "" {
		return nil
	}
	return &provider{token: token, sum: sha256.Sum256([]byte(token))}
}

// Feeds is the one endpoint. A failure is retried with growing pauses ("events" page).
func (p *provider) Feeds() []schema.Feed {
	return []schema.Feed{{Methods: []string{"POST"}, Token: true}}
}

// Authenticate compares the token of the path: a URL that is hard to guess is the only protection that the "events" page recommends.
func (p *provider) Authenticate(d *schema.Delivery) bool {
	sum := sha256.Sum256([]byte(d.Token))
	return subtle.ConstantTimeCompare(sum[:], p.sum[:]) == 1
}

// Sign puts the token on d.
func (p *provider) Sign(d *schema.Delivery) { d.Token = p.token }

// Package digicert is all there is to know of DigiCert CertCentral: its webhook's credential, its addresses, what its
// deliveries mean, and samples of them. Facts come from the vendor's pages under
// dev.digicert.com/certcentral-apis/webhooks; where those give no body, it says so.
package digicert

import (
	"crypto/sha256"
	"crypto/subtle"
	"strings"

	"github.com/certtrail/certtrail/ingest/provider"
)

// System describes CertCentral. The address range is that of the "Webhooks" overview page.
var System = provider.System{
	Kind:  "digicert",
	Title: "DigiCert CertCentral",
	Settings: []provider.Setting{
		{Name: settingKey, Usage: "the webhook's secret, at least 32 characters: what DigiCert sends as X-WEBHOOK-KEY", Secret: true, Credential: true, AtLeast: 32},
	},
	Addresses: []string{"216.168.240.0/20"},
	Howto:     "In CertCentral, under Settings > Webhooks, enter the URL as the webhook's endpoint and the key as its secret.",
	Samples:   samples(),
	API:       api(),
	New:       newProvider,
}

const (
	settingKey = "webhook-key"
	headerKey  = "X-Webhook-Key" // X-WEBHOOK-KEY as net/http writes it
)

type Provider struct {
	key string
	sum [sha256.Size]byte // of key, so that comparing takes the same time whatever the length
}

func newProvider(get func(setting string) string) provider.Provider {
	key := strings.TrimSpace(get(settingKey)) // a header's value has no space around it
	if key == "" {
		return nil
	}
	return &Provider{key: key, sum: sha256.Sum256([]byte(key))}
}

// Feeds returns the one endpoint that an account may have ("Create webhook" page).
func (p *Provider) Feeds() []provider.Feed {
	return []provider.Feed{{Methods: []string{"POST"}}}
}

// Authenticate compares the key that comes in clear with every delivery; there is no signature ("Create webhook" page).
func (p *Provider) Authenticate(d *provider.Delivery) bool {
	sum := sha256.Sum256([]byte(d.Get(headerKey)))
	return subtle.ConstantTimeCompare(sum[:], p.sum[:]) == 1
}

// Sign puts the key on d.
func (p *Provider) Sign(d *provider.Delivery) {
	if d.Header == nil {
		d.Header = map[string][]string{}
	}
	d.Header[headerKey] = []string{p.key}
}

// Package sectigo is all there is to know of Sectigo's two feeds: the Web Security Platform's webhook, about websites
// and DNSSEC (facts from sectigoweb.dev/reference), and the certificate issuance push, about orders (facts from
// docs.sectigo.com/sps/certificate-issuance-push).
package sectigo

import (
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"strings"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

// System describes Sectigo. The addresses are those of the pages "Webhook Events" and, the last one, "Call
// information".
var System = provider.System{
	Kind:  "sectigo",
	Title: "Sectigo",
	Settings: []provider.Setting{
		{Name: settingUsername, Usage: "the user name of HTTP Basic authentication, for both feeds", Credential: true},
		{Name: settingPassword, Usage: "the password of HTTP Basic authentication, for both feeds", Secret: true, Credential: true},
	},
	Addresses: []string{
		"54.236.233.46/32", "54.236.233.28/32", "54.174.91.34/32", "54.174.153.212/32", "54.174.115.171/32", "54.236.209.91/32", "91.199.212.132/32",
	},
	Howto: "Set webhook_url and webhook_authentication_attributes of your partner account to the URL, user name and password; " +
		"for the certificate issuance push give the second URL and the same two to your account manager.",
	Samples: append(samples(), pushSamples()...),
	API:     api(),
	New:     newProvider,
}

const (
	settingUsername = "username"
	settingPassword = "password"
	feedPush        = "push"
)

type Provider struct {
	userinfo string            // "username:password"
	sum      [sha256.Size]byte // of userinfo, so that comparing takes the same time whatever the length
}

func newProvider(get func(setting string) string) provider.Provider {
	username, password := get(settingUsername), get(settingPassword)
	if username == "" || password == "" {
		return nil
	}
	userinfo := username + ":" + password
	return &Provider{userinfo: userinfo, sum: sha256.Sum256([]byte(userinfo))}
}

// Feeds returns the two endpoints. The push is a GET when it tells a status only, and a POST when it brings a
// certificate ("Call information" page).
func (p *Provider) Feeds() []provider.Feed {
	return []provider.Feed{{Methods: []string{"POST"}}, {Name: feedPush, Methods: []string{"GET", "POST"}}}
}

// Authenticate compares the user name and password of HTTP Basic authentication as one.
func (p *Provider) Authenticate(d *provider.Delivery) bool {
	scheme, credentials, _ := strings.Cut(d.Get("Authorization"), " ")
	userinfo, err := base64.StdEncoding.DecodeString(strings.TrimSpace(credentials))
	sum := sha256.Sum256(userinfo)
	return subtle.ConstantTimeCompare(sum[:], p.sum[:]) == 1 && err == nil && strings.EqualFold(scheme, "Basic")
}

// Sign puts the user name and password on d.
func (p *Provider) Sign(d *provider.Delivery) {
	if d.Header == nil {
		d.Header = map[string][]string{}
	}
	d.Header["Authorization"] = []string{"Basic " + base64.StdEncoding.EncodeToString([]byte(p.userinfo))}
}

// Decode says what d means.
func (p *Provider) Decode(d *provider.Delivery) (schema.Kind, schema.Data, error) {
	if d.Feed == feedPush {
		return decodePush(d)
	}
	return decodeWebhook(d)
}

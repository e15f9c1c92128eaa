package digicert

import (
	"context"
	"strings"

	"github.com/certtrail/certtrail/ingest/provider"
)

const (
	settingAPIKey = "api-key"
	settingAPIURL = "api-url"
)

// api describes how to query CertCentral.
func api() *provider.API {
	return &provider.API{
		Settings: []provider.Setting{
			{Name: settingAPIKey, Usage: "a key of the Services API, so that certtrail can ask what it missed; made in CertCentral under Automation > API keys", Secret: true},
			{Name: settingAPIURL, Usage: "the base URL of the Services API; accounts of the Europe instance have https://certcentral.digicert.eu/services/v2", Default: DefaultAPI},
		},
		At: func(get func(string) string) (provider.Endpoint, bool) {
			key := strings.TrimSpace(get(settingAPIKey))
			base := get(settingAPIURL)
			if base == "" {
				base = DefaultAPI
			}
			authorize := Authorize(key)
			return provider.Endpoint{
				Base: base, Authorize: func(h map[string][]string) { authorize(h) }, Secrets: []string{key}, Rate: APIRate, Burst: APIBurst,
			}, key != ""
		},
		Client:   func(c provider.Caller) any { return NewClient(c) },
		Commands: webhookCommands(),
	}
}

// Handshake returns the token of a challenge, and the webhook that it belongs to.
func (p *Provider) Handshake(d *provider.Delivery) (webhookID, token string) {
	return tokenOf(d.Body)
}

// Prove answers a challenge of the webhook with the token that came to its endpoint, and activates it, in the order of
// the "Send challenge token" page.
func (c *Client) Prove(ctx context.Context, webhookID, token string) error {
	if err := c.CheckWebhookChallenge(ctx, webhookID, token); err != nil {
		return err
	}
	return c.ActivateWebhook(ctx, webhookID)
}

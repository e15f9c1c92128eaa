package sectigo

import (
	"github.com/certtrail/certtrail/ingest/provider"
)

const (
	settingAPIUsername = "api-username"
	settingAPIPassword = "api-password"
	settingAPIURL      = "api-url"
)

// api describes how to query Sectigo.
func api() *provider.API {
	return &provider.API{
		Settings: []provider.Setting{
			{Name: settingAPIUsername, Usage: "the user name of the Web Security Platform's API, to ask for the DS records of websites"},
			{Name: settingAPIPassword, Usage: "the password that goes with it", Secret: true},
			{Name: settingAPIURL, Usage: "the base URL of the API; the host to which /v2/websites is appended; no page gives one"},
		},
		At: func(get func(string) string) (provider.Endpoint, bool) {
			username, password, base := get(settingAPIUsername), get(settingAPIPassword), get(settingAPIURL)
			authorize := Authorize(username, password)
			return provider.Endpoint{
				Base: base, Authorize: func(h map[string][]string) { authorize(h) }, Secrets: []string{password, Basic(username, password)}, Rate: APIRate, Burst: APIBurst,
			}, username != "" && password != "" && base != ""
		},
		Client: func(c provider.Caller) any { return NewClient(c) },
	}
}

package xolphin

import (
	"github.com/certtrail/certtrail/ingest/provider"
)

const (
	settingAPIUsername = "api-username"
	settingAPIPassword = "api-password"
	settingAPIURL      = "api-url"
)

// api describes how to query Xolphin.
func api() *provider.API {
	return &provider.API{
		Settings: []provider.Setting{
			{Name: settingAPIUsername, Usage: "the user name of Xolphin's REST API, so that certtrail can ask what it missed"},
			{Name: settingAPIPassword, Usage: "the password that goes with it", Secret: true},
			{Name: settingAPIURL, Usage: "the base URL of the API; https://test-api.xolphin.com/v1 is that of its test system", Default: DefaultAPI},
		},
		At: func(get func(string) string) (provider.Endpoint, bool) {
			username, password, base := get(settingAPIUsername), get(settingAPIPassword), get(settingAPIURL)
			if base == "" {
				base = DefaultAPI
			}
			authorize := Authorize(username, password)
			return provider.Endpoint{
				Base: base, Authorize: func(h map[string][]string) { authorize(h) }, Secrets: []string{password, Basic(username, password)}, Rate: APIRate, Burst: APIBurst,
			}, username != "" && password != "" && base != ""
		},
		Client: func(c provider.Caller) any { return NewClient(c) },
	}
}

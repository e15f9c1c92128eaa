package settings

import (
	"net/netip"
	"slices"
	"strings"
	"testing"
	"time"

	"golang.org/x/time/rate"

	"github.com/certtrail/certtrail/ingest/digicert"
	"github.com/certtrail/certtrail/ingest/sectigo"
	"github.com/certtrail/certtrail/ingest/xolphin"
)

var systems = Systems{digicert.System, xolphin.System, sectigo.System}

// standard returns every setting with its default, but for those that are given as names and values in turn.
func standard(namesAndValues ...string) *Settings {
	s := &Settings{Systems: systems, Values: map[string]string{}}
	for _, one := range systems.all() {
		s.Values[one.name] = one.standard
	}
	for i := 0; i < len(namesAndValues); i += 2 {
		s.Values[namesAndValues[i]] = namesAndValues[i+1]
	}
	s.addBuiltIn()
	return s
}

func TestDefaultsAreAConfig(t *testing.T) {
	c, err := standard().Config()
	if err != nil {
		t.Fatal(err)
	}
	if c.MaxBody != 1<<20 || c.AppendWait != 10*time.Second || c.Reconcile != 6*time.Hour || c.MaxBytes != 0 ||
		c.SyncAlways || len(c.Proxies) != 0 {
		t.Errorf("got %+v", c)
	}
	if list, err := c.IngestSources(); err != nil || len(list) != len(systems) || list[0].Provider != nil ||
		list[0].Limit != nil {
		t.Errorf("got %+v, %v", list, err)
	}
}

func TestConfigReadsValues(t *testing.T) {
	for name, tc := range map[string]struct {
		value string
		read  func(c *Config) any
		want  any
	}{
		"max-body":        {"4MiB", func(c *Config) any { return c.MaxBody }, int64(4 << 20)},
		"max-bytes":       {"2GB", func(c *Config) any { return c.MaxBytes }, int64(2e9)},
		"append-wait":     {"1m30s", func(c *Config) any { return c.AppendWait }, 90 * time.Second},
		"reconcile-every": {"0", func(c *Config) any { return c.Reconcile }, time.Duration(0)},
		"sync":            {"always", func(c *Config) any { return c.SyncAlways }, true},
		"log-level":       {"WARN", func(c *Config) any { return c.LogLevel.String() }, "WARN"},
		"web-listen":      {"[::1]:8080", func(c *Config) any { return c.WebListen }, "[::1]:8080"},
		"nats-listen":     {"", func(c *Config) any { return c.NatsListen }, ""},
		"web-url": {"https://certtrail.example/", func(c *Config) any { return c.WebURL },
			"https://certtrail.example"},
		"trusted-proxies": {"10.1.2.3/8, ::1\n192.0.2.7", func(c *Config) any { return join(c.Proxies) },
			"10.0.0.0/8 ::1/128 192.0.2.7/32"},
	} {
		c, err := standard(name, tc.value).Config()
		if err != nil {
			t.Errorf("%s %q: %v", name, tc.value, err)
		} else if got := tc.read(c); got != tc.want {
			t.Errorf("%s %q is read as %v, want %v", name, tc.value, got, tc.want)
		}
	}
}

func join(prefixes []netip.Prefix) string {
	var list []string
	for _, p := range prefixes {
		list = append(list, p.String())
	}
	return strings.Join(list, " ")
}

// TestConfigRefuses: each refusal names the setting, so that a person finds the line.
func TestConfigRefuses(t *testing.T) {
	for name, values := range map[string][]string{
		"data-dir": {""},
		"web-listen": {"", "8080", "0.0.0.0:8080", ":8080", "[::]:8080", "192.0.2.1:8080",
			"certtrail.example:8080"},
		"hooks-listen":    {"", "8081"},
		"nats-listen":     {"4222"},
		"web-url":         {"certtrail.example", "ftp://certtrail.example", "https://", "/pages", "http://[::1"},
		"hooks-url":       {"hooks.example:443"},
		"trusted-proxies": {"10.0.0.0/33", "proxy.example", "documented", "10.0.0.1-10.0.0.9"},
		"max-body": {"0", "-1", "1.5MiB", "1 MiB", "MiB", "1MiBB", "1mib", "5MiB", "9223372036854775807TiB",
			"lots"},
		"max-bytes":       {"-1GiB", "4194305TiB"},
		"append-wait":     {"", "0", "-1s", "10", "soon"},
		"reconcile-every": {"", "-1h", "daily"},
		"sync":            {"", "never", "Always"},
		"log-level":       {"", "loud"},
	} {
		for _, value := range values {
			if _, err := standard(name, value).Config(); err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %q: got error %v", name, value, err)
			}
		}
	}
}

func TestIngestSources(t *testing.T) {
	c, err := standard("digicert-webhook-key", " the-webhook-key-0123456789\n", "digicert-api-key", "the-api-key",
		"digicert-allow-from", "documented 192.0.2.1",
		"digicert-rate-limit", "0.5", "xolphin-token", "t0ken", "xolphin-rate-limit", "20").Config()
	if err != nil {
		t.Fatal(err)
	}
	list, err := c.IngestSources()
	if err != nil {
		t.Fatal(err)
	}
	d, x, s := list[0], list[1], list[2]
	if d.Provider == nil || x.Provider == nil || s.Provider != nil {
		t.Errorf("a source is on without its credential, or off with it: %v %v %v", d.Provider, x.Provider,
			s.Provider)
	}
	if want := []string{"the-webhook-key-0123456789", "the-api-key"}; !slices.Equal(d.Secrets, want) {
		t.Errorf("the secrets are %q, want %q", d.Secrets, want)
	}
	if got, want := join(d.AllowFrom), strings.Join(digicert.System.Addresses, " ")+" 192.0.2.1/32"; got != want {
		t.Errorf("deliveries may come from %s, want %s", got, want)
	}
	slow, fast := d.Limit.(*rate.Limiter), x.Limit.(*rate.Limiter)
	if slow.Limit() != 0.5 || slow.Burst() != 1 || fast.Limit() != 20 || fast.Burst() != 20 || s.Limit != nil {
		t.Errorf("the limits are %v %v, %v %v and %v", slow.Limit(), slow.Burst(), fast.Limit(), fast.Burst(),
			s.Limit)
	}
	if len(s.Feeds) == 0 || !strings.Contains(s.Enable, "sectigo-password") {
		t.Errorf("a source that is off has the feeds %v and says %q", s.Feeds, s.Enable)
	}
}

func TestIngestSourcesRefuse(t *testing.T) {
	for name, values := range map[string][]string{
		"digicert-allow-from": {"here", "216.168.240.0/200"},
		"digicert-rate-limit": {"0", "-1", "NaN", "Inf", "many"},
		"xolphin-token":       {"a/b", "a b", "a?b", "a#b", "a%20b", `a\b`, "töken", ".", "..", "a\x7f"},
	} {
		for _, value := range values {
			c, err := standard(name, value).Config()
			if err != nil {
				t.Fatal(err)
			}
			_, err = c.IngestSources()
			if err == nil || !strings.Contains(err.Error(), name) {
				t.Errorf("%s: %q: got error %v", name, value, err)
			}
			if name == "xolphin-token" && len(value) > 2 && err != nil && strings.Contains(err.Error(), value) {
				t.Errorf("the error shows the token: %v", err)
			}
		}
	}
}

func TestEndpoints(t *testing.T) {
	for url, want := range map[string]string{"": "http://127.0.0.1:8081/hooks/xolphin/{token}",
		"https://hooks.example/": "https://hooks.example/hooks/xolphin/{token}"} {
		c, err := standard("hooks-url", url).Config()
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Endpoints(c.Sources[1]); !slices.Equal(got, []string{want}) {
			t.Errorf("with hooks-url %q the endpoints are %q, want %q", url, got, want)
		}
	}
}

func TestSourcesByName(t *testing.T) {
	further := Source{"eu", digicert.System, func(string) string { return "short" }}
	own := Source{"digicert", digicert.System, func(string) string { return strings.Repeat("k", 32) }}
	for _, tc := range []struct {
		source                      Source
		title, setting, api, remark string
	}{
		{own, "DigiCert CertCentral", "digicert-webhook-key", "set digicert-api-key", ""},
		{further, "DigiCert CertCentral · eu", "sources.eu.webhook-key", "set sources.eu.api-key",
			"sources.eu.webhook-key has 5 characters, "},
	} {
		s := tc.source
		if s.Title() != tc.title || s.SettingName("webhook-key") != tc.setting ||
			!strings.HasSuffix(s.NoAPI().Error(), tc.api) {
			t.Errorf("%s has the title %q, the setting %q and no API: %v", s.Name, s.Title(),
				s.SettingName("webhook-key"), s.NoAPI())
		}
		if remarks := strings.Join(s.Remarks(), " "); !strings.HasPrefix(remarks, tc.remark) || tc.remark == "" &&
			remarks != "" {
			t.Errorf("%s: remarks %q", s.Name, remarks)
		}
	}
	if got, err := SourceNamed([]Source{own, further}, "eu"); err != nil || got.Name != "eu" {
		t.Errorf("got %+v, %v", got, err)
	}
	if _, err := SourceNamed([]Source{own, further}, "us"); err == nil ||
		err.Error() != `there is no source "us", only digicert, eu` {
		t.Errorf("got %v", err)
	}
}

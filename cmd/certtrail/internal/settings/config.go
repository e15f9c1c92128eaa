package settings

import (
	"cmp"
	"errors"
	"fmt"
	"log/slog"
	"math"
	"net"
	"net/netip"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"

	"golang.org/x/time/rate"

	"github.com/certtrail/certtrail/ingest"
	"github.com/certtrail/certtrail/ingest/provider"
)

// largestBody bounds a delivery so that it surely fits in an event, in bytes: what is not JSON and about a person is
// stored as base64 of base64, and an event may have 8 MiB.
const largestBody = 4 << 20

// ResolverOff turns off, as dns-resolver, all questions to name servers.
const ResolverOff = "off"

// Config holds what serve runs with: the settings, read and checked.
type Config struct {
	Systems     Systems
	DataDir     string
	WebListen   string
	HooksListen string
	NatsListen  string
	WebURL      string // "" until the listener is open
	HooksURL    string
	Subscriber  string // the password of the NATS user who may read
	Operator    string // and of the one who may do all
	Proxies     []netip.Prefix
	MaxBody     int64
	AppendWait  time.Duration
	MaxBytes    int64
	SyncAlways  bool
	LogLevel    slog.Level
	Resolver    string        // "": the system's
	Reconcile   time.Duration // how often; 0: never
	Sources     []Source
	File        string
}

func (s *Settings) Config() (*Config, error) {
	c := &Config{
		Systems: s.Systems,
		DataDir: s.Get("data-dir"), WebListen: s.Get("web-listen"), HooksListen: s.Get("hooks-listen"), NatsListen: s.Get("nats-listen"),
		WebURL: strings.TrimRight(s.Get("web-url"), "/"), HooksURL: strings.TrimRight(s.Get("hooks-url"), "/"),
		Subscriber: s.Get("nats-subscriber-password"), Operator: s.Get("nats-operator-password"),
		Resolver: s.Get("dns-resolver"), Sources: s.Sources, File: s.File,
	}
	var err error
	if c.Proxies, err = prefixes("trusted-proxies", s.Get("trusted-proxies"), nil); err != nil {
		return nil, err
	}
	if c.MaxBody, err = size("max-body", s.Get("max-body")); err != nil {
		return nil, err
	}
	if c.MaxBody > largestBody {
		return nil, fmt.Errorf("max-body: an event of the log has room for a delivery of at most %d MiB, not for one of %s", largestBody>>20, s.Get("max-body"))
	}
	if c.MaxBytes, err = size("max-bytes", s.Get("max-bytes")); err != nil {
		return nil, err
	}
	if c.AppendWait, err = time.ParseDuration(s.Get("append-wait")); err != nil || c.AppendWait <= 0 {
		return nil, fmt.Errorf("append-wait: %q is not a time such as 10s", s.Get("append-wait"))
	}
	if c.Reconcile, err = time.ParseDuration(s.Get("reconcile-every")); err != nil || c.Reconcile < 0 {
		return nil, fmt.Errorf("reconcile-every: %q is not a time such as 6h, or 0 for never", s.Get("reconcile-every"))
	}
	switch s.Get("sync") {
	case "group":
	case "always":
		c.SyncAlways = true
	default:
		return nil, fmt.Errorf("sync: %q is neither group nor always", s.Get("sync"))
	}
	if err := c.LogLevel.UnmarshalText([]byte(s.Get("log-level"))); err != nil {
		return nil, fmt.Errorf("log-level: %q is not one of debug, info, warn, error", s.Get("log-level"))
	}
	return c, c.check()
}

// check refuses what would be unsafe or could not work.
func (c *Config) check() error {
	if c.DataDir == "" {
		return errors.New("data-dir is empty: name the directory that holds all state")
	}
	if err := onlyLoopback(c.WebListen); err != nil {
		return err
	}
	for _, listener := range []struct{ name, address string }{{"hooks-listen", c.HooksListen}, {"nats-listen", c.NatsListen}} {
		if _, _, err := net.SplitHostPort(listener.address); err != nil && (listener.address != "" || listener.name == "hooks-listen") {
			return fmt.Errorf("%s: %q is not HOST:PORT", listener.name, listener.address)
		}
	}
	for name, u := range map[string]string{"web-url": c.WebURL, "hooks-url": c.HooksURL} {
		if u == "" {
			continue
		}
		if parsed, err := url.Parse(u); err != nil || parsed.Host == "" || parsed.Scheme != "http" && parsed.Scheme != "https" {
			return fmt.Errorf("%s: %q is not an address such as https://certtrail.example", name, u)
		}
	}
	return nil
}

// onlyLoopback refuses a listener of the pages that others could reach: they show everything, and nobody signs in.
func onlyLoopback(listen string) error {
	host, _, err := net.SplitHostPort(listen)
	if err != nil {
		return fmt.Errorf("web-listen: %q is not HOST:PORT", listen)
	}
	if host == "localhost" {
		return nil
	}
	if addr, err := netip.ParseAddr(host); err == nil && addr.IsLoopback() {
		return nil
	}
	return fmt.Errorf("web-listen: %s can be reached from other machines, and sign-in is not configured: listen on 127.0.0.1, and let a proxy that asks who is there pass requests on", listen)
}

// prefixes reads CIDRs or addresses, separated by commas or white space; documented are what that word stands for.
func prefixes(name, list string, documented []string) ([]netip.Prefix, error) {
	var found []netip.Prefix
	for _, item := range strings.FieldsFunc(list, func(r rune) bool { return r == ',' || unicode.IsSpace(r) }) {
		if item == "documented" && len(documented) == 0 && strings.HasSuffix(name, "-allow-from") {
			return nil, fmt.Errorf("%s: the provider publishes no addresses that documented could stand for: name those it sends from", name)
		}
		if item == "documented" && len(documented) > 0 {
			more, err := prefixes(name, strings.Join(documented, ","), nil)
			if err != nil {
				return nil, err
			}
			found = append(found, more...)
			continue
		}
		p, err := netip.ParsePrefix(item)
		if err != nil {
			addr, addrErr := netip.ParseAddr(item)
			if addrErr != nil {
				return nil, fmt.Errorf("%s: %q is not a CIDR such as 192.0.2.0/24", name, item)
			}
			p = netip.PrefixFrom(addr, addr.BitLen())
		}
		found = append(found, p.Masked())
	}
	return found, nil
}

// size reads a number of bytes: "1048576", "1MiB", "2GB".
func size(name, s string) (int64, error) {
	if s == "" {
		return 0, nil
	}
	number := strings.TrimRight(s, "KMGTiB")
	factor, ok := map[string]int64{
		"": 1, "B": 1, "KB": 1e3, "MB": 1e6, "GB": 1e9, "TB": 1e12, "KiB": 1 << 10, "MiB": 1 << 20, "GiB": 1 << 30, "TiB": 1 << 40,
	}[s[len(number):]]
	n, err := strconv.ParseInt(number, 10, 64)
	if err != nil || !ok || n <= 0 || n > (1<<62)/factor {
		return 0, fmt.Errorf("%s: %q is not a size such as 1MiB", name, s)
	}
	return n * factor, nil
}

// IngestSources returns the sources as the edge serves them.
func (c *Config) IngestSources() ([]*ingest.Source, error) {
	var list []*ingest.Source
	for _, s := range c.Sources {
		one := &ingest.Source{Name: s.Name, Provider: s.System.New(s.Setting), Feeds: Feeds(s.System), Enable: s.HowToEnable(c.File)}
		for _, setting := range s.System.Settings {
			if v := strings.TrimSpace(s.Setting(setting.Name)); setting.Secret && v != "" { // as providers compare it
				one.Secrets = append(one.Secrets, v)
			}
		}
		if s.System.API != nil {
			if at, ok := s.System.API.At(s.Setting); ok {
				one.Secrets = append(one.Secrets, at.Secrets...)
			}
		}
		if err := s.checkToken(one.Provider); err != nil {
			return nil, err
		}
		var err error
		if one.AllowFrom, err = prefixes(s.SettingName("allow-from"), s.Setting("allow-from"), s.System.Addresses); err != nil {
			return nil, err
		}
		if limit := s.Setting("rate-limit"); limit != "" {
			perSecond, err := strconv.ParseFloat(limit, 64)
			if err != nil || !(perSecond > 0) || math.IsInf(perSecond, 0) {
				return nil, fmt.Errorf("%s: %q is not a number of deliveries a second", s.SettingName("rate-limit"), limit)
			}
			one.Limit = rate.NewLimiter(rate.Limit(perSecond), max(1, int(perSecond)))
		}
		list = append(list, one)
	}
	return list, nil
}

// checkToken refuses a token that a request for its path would not bear as it is.
func (s Source) checkToken(p provider.Provider) error {
	if p == nil {
		return nil
	}
	d := &provider.Delivery{}
	Sign(p, d)
	if i := strings.IndexFunc(d.Token, func(r rune) bool { return strings.ContainsRune(`/\?#%`, r) || r <= ' ' || r > '~' }); i >= 0 || d.Token == "." || d.Token == ".." {
		return fmt.Errorf("%s stands in the path of a URL, where it cannot have spaces, letters beyond ASCII, or any of / \\ ? # %%: choose another, of letters and digits",
			strings.Join(s.CredentialSettings(), " and "))
	}
	return nil
}

// CredentialSettings returns the full names of the settings without which the source is off.
func (s Source) CredentialSettings() []string {
	var names []string
	for _, setting := range s.System.Settings {
		if setting.Credential {
			names = append(names, s.SettingName(setting.Name))
		}
	}
	return names
}

func (s Source) HowToEnable(file string) string {
	if file == "" {
		file = DefaultFile
	}
	settings := strings.Join(s.CredentialSettings(), " and ")
	if s.further() {
		return fmt.Sprintf("To turn it on, set %s in %s.", settings, file)
	}
	return fmt.Sprintf("To turn it on, set %s in %s (certtrail init writes one) or in the environment.", settings, file)
}

// Kinds maps the names of the sources to their kinds.
func (c *Config) Kinds() map[string]string {
	kinds := make(map[string]string, len(c.Sources))
	for _, s := range c.Sources {
		kinds[s.Name] = s.System.Kind
	}
	return kinds
}

// URL returns the URL of a listener of this process, by its HOST:PORT.
func URL(listen string) string { return "http://" + listen }

// HooksURL returns the URL of the endpoints: the public one, or else the listener's.
func (s *Settings) HooksURL() string {
	return cmp.Or(strings.TrimRight(s.Get("hooks-url"), "/"), URL(s.Get("hooks-listen")))
}

// Endpoints returns the public URLs of the source's feeds, as far as the settings tell them.
func (c *Config) Endpoints(s Source) []string {
	base := cmp.Or(c.HooksURL, URL(c.HooksListen))
	var list []string
	for _, feed := range Feeds(s.System) {
		list = append(list, base+ingest.Path(s.Name, feed, "{token}"))
	}
	return list
}

package main

import (
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
	"github.com/certtrail/certtrail/schema"
)

// largestBody is the largest delivery that surely fits in an event, in bytes: what is not JSON and about a person is stored as base64 of base64, and an
// event may have 8 MiB.
const largestBody = 4 << 20

// resolverOff is the dns-resolver that asks no name servers.
const resolverOff = "off"

// config is what serve runs with: the settings, read and checked.
type config struct {
	systems     catalog
	dataDir     string
	webListen   string
	hooksListen string
	natsListen  string
	webURL      string // "" until the listener is open
	hooksURL    string
	subscriber  string // the password of the NATS user who may read
	operator    string // and of the one who may do all
	proxies     []netip.Prefix
	maxBody     int64
	appendWait  time.Duration
	maxBytes    int64
	syncAlways  bool
	logLevel    slog.Level
	resolver    string        // "": the system's
	reconcile   time.Duration // how often; 0: never
	sources     []source
	file        string
}

func (s *settings) config() (*config, error) {
	c := &config{
		systems: s.systems,
		dataDir: s.get("data-dir"), webListen: s.get("web-listen"), hooksListen: s.get("hooks-listen"), natsListen: s.get("nats-listen"),
		webURL: strings.TrimRight(s.get("web-url"), "/"), hooksURL: strings.TrimRight(s.get("hooks-url"), "/"),
		subscriber: s.get("nats-subscriber-password"), operator: s.get("nats-operator-password"),
		resolver: s.get("dns-resolver"), sources: s.sources, file: s.file,
	}
	var err error
	if c.proxies, err = prefixes("trusted-proxies", s.get("trusted-proxies"), nil); err != nil {
		return nil, err
	}
	if c.maxBody, err = size("max-body", s.get("max-body")); err != nil {
		return nil, err
	}
	if c.maxBody > largestBody {
		return nil, fmt.Errorf("max-body: an event of the log has room for a delivery of at most %d MiB, not for one of %s", largestBody>>20, s.get("max-body"))
	}
	if c.maxBytes, err = size("max-bytes", s.get("max-bytes")); err != nil {
		return nil, err
	}
	if c.appendWait, err = time.ParseDuration(s.get("append-wait")); err != nil || c.appendWait <= 0 {
		return nil, fmt.Errorf("append-wait: %q is not a time such as 10s", s.get("append-wait"))
	}
	if c.reconcile, err = time.ParseDuration(s.get("reconcile-every")); err != nil || c.reconcile < 0 {
		return nil, fmt.Errorf("reconcile-every: %q is not a time such as 6h, or 0 for never", s.get("reconcile-every"))
	}
	switch s.get("sync") {
	case "group":
	case "always":
		c.syncAlways = true
	default:
		return nil, fmt.Errorf("sync: %q is neither group nor always", s.get("sync"))
	}
	if err := c.logLevel.UnmarshalText([]byte(s.get("log-level"))); err != nil {
		return nil, fmt.Errorf("log-level: %q is none of debug, info, warn, error", s.get("log-level"))
	}
	return c, c.check()
}

// check refuses what would be unsafe or could not work.
func (c *config) check() error {
	if c.dataDir == "" {
		return errors.New("data-dir is empty: name the directory that holds all state")
	}
	if err := onlyLoopback(c.webListen); err != nil {
		return err
	}
	for _, listener := range []struct{ name, address string }{{"hooks-listen", c.hooksListen}, {"nats-listen", c.natsListen}} {
		if _, _, err := net.SplitHostPort(listener.address); err != nil && (listener.address != "" || listener.name == "hooks-listen") {
			return fmt.Errorf("%s: %q is not HOST:PORT", listener.name, listener.address)
		}
	}
	for name, u := range map[string]string{"web-url": c.webURL, "hooks-url": c.hooksURL} {
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

// ingestSources are the sources as the edge serves them.
func (c *config) ingestSources() ([]*ingest.Source, error) {
	var list []*ingest.Source
	for _, s := range c.sources {
		one := &ingest.Source{Name: s.name, Provider: s.system.New(s.get), Feeds: feeds(s.system), Enable: s.howToEnable(c.file)}
		for _, setting := range s.system.Settings {
			if v := strings.TrimSpace(s.get(setting.Name)); setting.Secret && v != "" { // as providers compare it
				one.Secrets = append(one.Secrets, v)
			}
		}
		if s.system.API != nil {
			if at, ok := s.system.API.At(s.get); ok {
				one.Secrets = append(one.Secrets, at.Secrets...)
			}
		}
		if err := s.checkToken(one.Provider); err != nil {
			return nil, err
		}
		var err error
		if one.AllowFrom, err = prefixes(s.settingName("allow-from"), s.get("allow-from"), s.system.Addresses); err != nil {
			return nil, err
		}
		if limit := s.get("rate-limit"); limit != "" {
			perSecond, err := strconv.ParseFloat(limit, 64)
			if err != nil || !(perSecond > 0) || math.IsInf(perSecond, 0) {
				return nil, fmt.Errorf("%s: %q is not a number of deliveries a second", s.settingName("rate-limit"), limit)
			}
			one.Limit = rate.NewLimiter(rate.Limit(perSecond), max(1, int(perSecond)))
		}
		list = append(list, one)
	}
	return list, nil
}

// checkToken refuses a token that a request for its path would not bear as it is.
func (s source) checkToken(p schema.Provider) error {
	if p == nil {
		return nil
	}
	d := &schema.Delivery{}
	sign(p, d)
	if i := strings.IndexFunc(d.Token, func(r rune) bool { return strings.ContainsRune(`/\?#%`, r) || r <= ' ' || r > '~' }); i >= 0 || d.Token == "." || d.Token == ".." {
		return fmt.Errorf("%s stands in the path of a URL, where it cannot have spaces, letters beyond ASCII, or any of / \\ ? # %%: choose another, of letters and digits",
			strings.Join(s.credentialSettings(), " and "))
	}
	return nil
}

// credentialSettings are the full names of the settings without which the source is off.
func (s source) credentialSettings() []string {
	var names []string
	for _, setting := range s.system.Settings {
		if setting.Credential {
			names = append(names, s.settingName(setting.Name))
		}
	}
	return names
}

func (s source) howToEnable(file string) string {
	if file == "" {
		file = defaultConfig
	}
	settings := strings.Join(s.credentialSettings(), " and ")
	if s.further() {
		return fmt.Sprintf("To turn it on, set %s in %s.", settings, file)
	}
	return fmt.Sprintf("To turn it on, set %s in %s (certtrail init writes one) or in the environment.", settings, file)
}

// kinds are the kinds of the sources by their names.
func (c *config) kinds() map[string]string {
	kinds := make(map[string]string, len(c.sources))
	for _, s := range c.sources {
		kinds[s.name] = s.system.Kind
	}
	return kinds
}

// endpoints are the public URLs of the source's feeds, as far as the settings tell them.
func (c *config) endpoints(s source) []string {
	base := c.hooksURL
	if base == "" {
		base = "http://" + c.hooksListen
	}
	var list []string
	for _, feed := range feeds(s.system) {
		list = append(list, base+ingest.Path(s.name, feed, "{token}"))
	}
	return list
}

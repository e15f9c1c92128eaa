package settings

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"slices"
	"strings"

	"github.com/spf13/pflag"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/text"
	"github.com/certtrail/certtrail/ingest/provider"
)

// setting describes one thing a person can set: by flag, by environment, in the file, in this order. A secret may be
// given as the path of a file instead, under its name with "-file" behind it.
type setting struct {
	name, usage, standard string
	secret                bool
	given                 bool // by a provider: init makes none up
}

const DefaultFile = "certtrail.yaml"

var programSettings = []setting{
	{name: "data-dir", standard: "./certtrail-data", usage: "the directory that holds all state"},
	{name: "web-listen", standard: "127.0.0.1:8080", usage: "HOST:PORT of the pages and the JSON API; a loopback address"},
	{name: "hooks-listen", standard: "127.0.0.1:8081", usage: "HOST:PORT of the providers' endpoints"},
	{name: "nats-listen", standard: "127.0.0.1:4222", usage: "HOST:PORT for subscribers; empty: none. It opens once nats-subscriber-password is set"},
	{name: "web-url", usage: "the public address of the pages (default: http:// and web-listen)"},
	{name: "hooks-url", usage: "the public address of the endpoints (default: http:// and hooks-listen)"},
	{name: "nats-subscriber-password", secret: true, usage: "password of the NATS user subscriber, who may read"},
	{name: "nats-operator-password", secret: true, usage: "password of the NATS user operator"},
	{name: "trusted-proxies", usage: "CIDRs of the proxies whose Forwarded and X-Forwarded-For are believed"},
	{name: "max-body", standard: "1MiB", usage: "the largest delivery that is taken"},
	{name: "append-wait", standard: "10s", usage: "how long a delivery is held while the log is away"},
	{name: "max-bytes", usage: "the largest the log may grow (default: nine tenths of its disk)"},
	{name: "sync", standard: "group", usage: "how appends become durable: group (one sync for all that wait) or always (the server syncs each)"},
	{name: "dns-resolver", usage: "HOST:PORT of the resolver that finds the servers of parent zones, to ask them for DS records; off: nobody is asked (default: the system's)"},
	{name: "reconcile-every", standard: "6h", usage: "how often providers with an API are asked what certtrail missed, from the start on; 0: never"},
	{name: "log-level", standard: "info", usage: "debug, info, warn or error"},
}

// Source holds one source of deliveries as it is set: its name prefixes its settings, unless it stands under sources in
// the file.
type Source struct {
	Name    string
	System  provider.System
	Setting func(setting string) string
}

// sourceSettings returns the settings of a source, names without prefix.
func sourceSettings(s provider.System) []setting {
	var list []setting
	for _, p := range s.Settings {
		list = append(list, setting{name: p.Name, usage: p.Usage, standard: p.Default, secret: p.Secret})
	}
	if s.API != nil {
		for _, p := range s.API.Settings {
			list = append(list, setting{name: p.Name, usage: p.Usage, standard: p.Default, secret: p.Secret, given: true})
		}
	}
	return append(list,
		setting{name: "allow-from", usage: "CIDRs that deliveries may come from; the word documented stands for those the provider publishes; empty: anywhere"},
		setting{name: "rate-limit", usage: "deliveries a second that are taken; empty: no limit"})
}

// settings returns every setting: the program's, and those of each kind under its prefix.
func (systems Systems) all() []setting {
	list := slices.Clone(programSettings)
	for _, s := range systems {
		for _, p := range sourceSettings(s) {
			p.name = s.Kind + "-" + p.name
			p.usage = s.Title + ": " + p.usage
			list = append(list, p)
		}
	}
	return list
}

// Settings holds the values of all settings, from wherever they were given.
type Settings struct {
	Systems Systems
	Values  map[string]string
	Sources []Source
	File    string // that was read; "" if none was
}

func (s *Settings) Get(name string) string { return s.Values[name] }

// Read resolves every setting from flags, environment, file and default.
func (systems Systems) Read(flags *pflag.FlagSet) (*Settings, error) {
	path, given := ConfigPath(flags)
	return systems.ReadFrom(flags, path, given)
}

// ConfigPath returns the path of the settings' file, and whether a person gave it.
func ConfigPath(flags *pflag.FlagSet) (path string, given bool) {
	path, _, _ = setting{name: "config"}.find(inFlags(flags), inEnvironment)
	if path != "" {
		return path, true
	}
	return DefaultFile, false
}

// ReadFrom reads the settings, with the file at path, which may be missing unless it is explicit.
func (systems Systems) ReadFrom(flags *pflag.FlagSet, path string, explicit bool) (*Settings, error) {
	s := &Settings{Systems: systems, Values: map[string]string{}}
	file, err := systems.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) && !explicit {
		file, err = &settingsFile{}, nil
	} else if err == nil {
		s.File = path
	}
	if err != nil {
		return nil, err
	}
	for _, one := range systems.all() {
		if s.Values[one.name], err = resolve(flags, file.Values, one); err != nil {
			return nil, err
		}
	}
	s.addBuiltIn()
	s.Sources = append(s.Sources, file.sources...)
	return s, nil
}

// addBuiltIn adds the source that bears its kind's name, of every kind.
func (s *Settings) addBuiltIn() {
	for _, system := range s.Systems {
		s.Sources = append(s.Sources, Source{system.Kind, system, func(name string) string { return s.Values[system.Kind+"-"+name] }})
	}
}

// A place is one of those that settings come from. It tells what it says of a name, and whether it says anything.
type place func(name string) (value string, given bool)

func inFlags(flags *pflag.FlagSet) place {
	return func(name string) (string, bool) {
		if f := flags.Lookup(name); f != nil && f.Changed {
			return f.Value.String(), true
		}
		return "", false
	}
}

func inEnvironment(name string) (string, bool) { return os.LookupEnv(environmentName(name)) }

const environmentPrefix = "CERTTRAIL_"

func environmentName(setting string) string {
	return environmentPrefix + strings.ToUpper(strings.ReplaceAll(setting, "-", "_"))
}

// Unknown names a CERTTRAIL_ variable that is not a setting, and the variables that may have been meant.
type Unknown struct {
	Name string
	Near []string
}

// UnknownEnv returns the CERTTRAIL_ variables that are not settings, sorted: a misspelt name would else pass for one
// that was not given. Kubernetes' own variables of a service that is called certtrail are left out.
func (systems Systems) UnknownEnv(environment []string) []Unknown {
	known := []string{environmentName("config")}
	for name := range knownNames(systems.all()) {
		known = append(known, environmentName(name))
	}
	var unknown []Unknown
	for _, pair := range environment {
		name, _, _ := strings.Cut(pair, "=")
		rest, ours := strings.CutPrefix(name, environmentPrefix)
		if ours && !slices.Contains(known, name) && !strings.HasPrefix(rest, "SERVICE_") && rest != "PORT" && !strings.HasPrefix(rest, "PORT_") {
			unknown = append(unknown, Unknown{name, text.Near(name, known)})
		}
	}
	slices.SortFunc(unknown, func(a, b Unknown) int { return strings.Compare(a.Name, b.Name) })
	return unknown
}

// find returns the value of s from the first of the places that gives it, or for a secret the path of the file that
// holds it.
func (s setting) find(places ...place) (value, path string, given bool) {
	for _, place := range places {
		if v, ok := place(s.name); ok && (v != "" || !s.secret) { // an empty secret is none
			return v, "", true
		}
		if s.secret {
			if path, ok := place(s.name + "-file"); ok && path != "" {
				return "", path, true
			}
		}
	}
	return "", "", false
}

func resolve(flags *pflag.FlagSet, file map[string]string, s setting) (string, error) {
	inFile := func(name string) (string, bool) { v, ok := file[name]; return v, ok }
	value, path, given := s.find(inFlags(flags), inEnvironment, inFile)
	switch {
	case path != "":
		return readSecret(s.name, path)
	case given:
		return value, nil
	}
	return s.standard, nil
}

func readSecret(name, path string) (string, error) {
	b, err := os.ReadFile(path)
	if err != nil {
		return "", fmt.Errorf("couldn't read %s from its file: %w", name, err)
	}
	secret := strings.TrimRight(string(b), "\r\n")
	if strings.TrimSpace(secret) == "" {
		return "", fmt.Errorf("%s: its file %s is empty", name, path)
	}
	return secret, nil
}

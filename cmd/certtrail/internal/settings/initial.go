package settings

import (
	"crypto/rand"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"

	"github.com/spf13/pflag"

	"github.com/certtrail/certtrail/ingest"
	"github.com/certtrail/certtrail/ingest/provider"
)

// Initial returns every setting as init would write it: given, or the default, or a fresh credential. A secret that is
// given as a file also has the file's path, under its name with "-file" behind it.
func (systems Systems) Initial(flags *pflag.FlagSet) (*Settings, error) {
	s := &Settings{Systems: systems, Values: map[string]string{}}
	for _, one := range systems.all() {
		value, path, given := one.find(inFlags(flags), inEnvironment)
		switch {
		case path != "":
			secret, err := readSecret(one.name, path)
			if err != nil {
				return nil, err
			}
			s.Values[one.name], s.Values[one.name+"-file"] = secret, path
		case given && (strings.TrimSpace(value) != "" || !one.secret):
			s.Values[one.name] = value
		case one.secret && !one.given:
			s.Values[one.name] = credential()
		default:
			s.Values[one.name] = one.standard
		}
	}
	s.fillNames()
	s.addBuiltIn()
	return s, nil
}

// credential makes 32 random bytes in base64 that may stand in a URL: 43 characters; DigiCert wants at least 32.
func credential() string {
	b := make([]byte, 32)
	rand.Read(b) // never fails
	return base64.RawURLEncoding.EncodeToString(b)
}

// fillNames names the credentials that are no secrets after their provider: Sectigo's user name.
func (s *Settings) fillNames() {
	for _, system := range s.Systems {
		for _, p := range system.Settings {
			if name := system.Kind + "-" + p.Name; p.Credential && !p.Secret && s.Values[name] == "" {
				s.Values[name] = "certtrail"
			}
		}
	}
}

// Write writes every setting, those that have their default as comments, and of a secret that stands in a file its
// path.
func (s *Settings) Write(path string) error {
	var b strings.Builder
	b.WriteString("# certtrail's settings. A flag --a-b or CERTTRAIL_A_B in the environment goes before a-b here.\n")
	b.WriteString("# Any secret may stand in a file of its own instead: a-b-file: /path.\n")
	for _, one := range s.Systems.all() {
		fmt.Fprintf(&b, "\n# %s\n", one.usage)
		name, value := one.name, s.Values[one.name]
		if path := s.Values[name+"-file"]; path != "" {
			name, value = name+"-file", path
		} else if value == one.standard {
			b.WriteString("# ")
		}
		fmt.Fprintf(&b, "%s: %q\n", name, value)
	}
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s is there already and is never overwritten: edit it, or move it away", path)
	}
	if err != nil {
		return fmt.Errorf("couldn't write the settings: %w", err)
	}
	_, err = io.WriteString(f, b.String())
	return errors.Join(err, f.Close())
}

// Explain says, provider by provider, what to enter there.
func (s *Settings) Explain(w io.Writer, path string) {
	base := s.HooksURL()
	fmt.Fprintf(w, "Wrote %s, with a fresh credential for every provider. Keep it to yourself.\n", path)
	if s.Values["hooks-url"] == "" {
		fmt.Fprintf(w, "The URLs below are of this machine: set hooks-url to the public address that leads here.\n")
	}
	for _, system := range s.Systems {
		get := func(name string) string { return s.Values[system.Kind+"-"+name] }
		fmt.Fprintf(w, "\n%s\n  %s\n", system.Title, system.Howto)
		inPath := false
		for _, feed := range system.New(get).Feeds() {
			d := &provider.Delivery{Feed: feed.Name}
			Sign(system.New(get), d)
			inPath = inPath || feed.Token
			fmt.Fprintf(w, "  URL: %s\n", base+ingest.Path(system.Kind, feed, d.Token))
		}
		for _, p := range system.Settings {
			if p.Credential && !inPath {
				fmt.Fprintf(w, "  %s: %s\n", p.Name, get(p.Name))
			}
		}
	}
	if s.Values["nats-listen"] != "" {
		fmt.Fprintf(w, "\nNATS, for programs that subscribe\n  URL: nats://subscriber:%s@%s\n", s.Values["nats-subscriber-password"], s.Values["nats-listen"])
	}
	fmt.Fprintf(w, "\nNext: certtrail serve\n")
}

func Sign(p provider.Provider, d *provider.Delivery) {
	if s, ok := p.(provider.Sender); ok {
		s.Sign(d)
	}
}

package settings

import (
	"bytes"
	"maps"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// initial returns the settings that init makes of these arguments.
func initial(t *testing.T, args ...string) (*Settings, error) {
	t.Helper()
	cmd := &cobra.Command{}
	systems.AddSettings(cmd)
	if err := cmd.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	return systems.Initial(cmd.Flags())
}

func TestInitialCredentials(t *testing.T) {
	s, err := initial(t, "--xolphin-token", "given-t0ken", "--web-url=", "--digicert-webhook-key", " ")
	if err != nil {
		t.Fatal(err)
	}
	seen := map[string]string{}
	for _, name := range []string{"digicert-webhook-key", "sectigo-password", "nats-subscriber-password",
		"nats-operator-password"} {
		value := s.Get(name)
		if len(value) < 43 || strings.ContainsAny(value, "+/=") {
			t.Errorf("%s is made up as %q", name, value)
		}
		if other, twice := seen[value]; twice {
			t.Errorf("%s and %s are the same", name, other)
		}
		seen[value] = name
	}
	for name, want := range map[string]string{
		"xolphin-token": "given-t0ken", "sectigo-username": "certtrail", "digicert-api-key": "",
		"xolphin-api-password": "", "sync": "group", "web-url": "",
	} {
		if got := s.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
}

// TestInitialFileReadsBack: what init writes is what a command reads; a secret in a file stays there.
func TestInitialFileReadsBack(t *testing.T) {
	key := filepath.Join(t.TempDir(), "key")
	write(t, key, "key-from-a-file\n")
	s, err := initial(t, "--digicert-webhook-key-file", key, "--trusted-proxies", "10.0.0.0/8", "--log-level",
		`de"bug`)
	if err != nil {
		t.Fatal(err)
	}
	path := filepath.Join(t.TempDir(), DefaultFile)
	if err := s.Write(path); err != nil {
		t.Fatal(err)
	}
	content, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	if bytes.Contains(content, []byte("key-from-a-file")) || !bytes.Contains(content,
		[]byte("\ndigicert-webhook-key-file: ")) || !bytes.Contains(content, []byte("\n# sync: \"group\"\n")) {
		t.Errorf("got\n%s", content)
	}
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("the file with the credentials has the mode %v (%v)", info.Mode(), err)
	}
	again, err := read(t, "--config", path)
	if err != nil {
		t.Fatal(err)
	}
	want := maps.Clone(s.Values)
	delete(want, "digicert-webhook-key-file")
	if !maps.Equal(again.Values, want) {
		t.Errorf("it reads as %q, want %q", again.Values, want)
	}
	if err := s.Write(path); err == nil || !strings.Contains(err.Error(),
		"is there already and is never overwritten") {
		t.Errorf("written over: %v", err)
	}
	if _, err := initial(t, "--xolphin-token-file", filepath.Join(t.TempDir(), "absent")); err == nil ||
		!strings.Contains(err.Error(), "xolphin-token") {
		t.Errorf("a secret in a file that is absent: %v", err)
	}
}

func TestExplain(t *testing.T) {
	for args, want := range map[string][]string{
		"": {"URL: http://127.0.0.1:8081/hooks/digicert\n", "set hooks-url to the public address",
			"webhook-key: the-key", "/hooks/xolphin/t0ken\n", "username: certtrail", "/hooks/sectigo-push",
			"nats://subscriber:pw@127.0.0.1:4222", "Wrote c.yaml"},
		"--hooks-url=https://hooks.example/ --nats-listen=": {"URL: https://hooks.example/hooks/digicert\n",
			"!set hooks-url", "!nats://"},
	} {
		s, err := initial(t, append(strings.Fields(args), "--digicert-webhook-key=the-key", "--xolphin-token=t0ken",
			"--nats-subscriber-password=pw")...)
		if err != nil {
			t.Fatal(err)
		}
		var out strings.Builder
		s.Explain(&out, "c.yaml")
		for _, part := range want {
			part, absent := strings.CutPrefix(part, "!")
			if strings.Contains(out.String(), part) == absent {
				t.Errorf("with %q it says %q: %v, in\n%s", args, part, absent, out.String())
			}
		}
	}
}

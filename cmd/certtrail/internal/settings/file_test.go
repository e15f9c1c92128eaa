package settings

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spf13/cobra"
)

// inFile writes a file of settings and returns its path; DIR in it stands for its directory.
func inFile(t *testing.T, content string) string {
	t.Helper()
	dir := t.TempDir()
	write(t, filepath.Join(dir, "key"), "key-from-a-file\r\n")
	write(t, filepath.Join(dir, "empty"), " \n")
	path := filepath.Join(dir, DefaultFile)
	write(t, path, strings.ReplaceAll(content, "DIR", dir))
	return path
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
		t.Fatal(err)
	}
}

// read reads the settings as a command with these arguments does.
func read(t *testing.T, args ...string) (*Settings, error) {
	t.Helper()
	cmd := &cobra.Command{}
	systems.AddSettings(cmd)
	if err := cmd.ParseFlags(args); err != nil {
		t.Fatal(err)
	}
	return systems.Read(cmd.Flags())
}

// TestPrecedence: a flag goes before the environment, the environment before the file, the file before the default; an
// empty secret is none.
func TestPrecedence(t *testing.T) {
	file := inFile(t, "log-level: debug\nweb-url: https://file.example\ndigicert-webhook-key-file: DIR/key\n")
	key := filepath.Join(filepath.Dir(file), "key")
	for name, tc := range map[string]struct {
		args        []string
		environment map[string]string
		setting     string
		want        string
	}{
		"default":     {nil, nil, "sync", "group"},
		"file":        {nil, nil, "log-level", "debug"},
		"environment": {nil, map[string]string{"CERTTRAIL_LOG_LEVEL": "warn"}, "log-level", "warn"},
		"flag": {[]string{"--log-level", "error"},
			map[string]string{"CERTTRAIL_LOG_LEVEL": "warn"}, "log-level", "error"},
		"empty in the environment": {nil, map[string]string{"CERTTRAIL_WEB_URL": ""}, "web-url", ""},
		"empty flag":               {[]string{"--web-url="}, nil, "web-url", ""},
		"secret in a file":         {nil, nil, "digicert-webhook-key", "key-from-a-file"},
		"secret in the environment": {nil, map[string]string{"CERTTRAIL_DIGICERT_WEBHOOK_KEY": "k"},
			"digicert-webhook-key", "k"},
		"no secret": {nil, map[string]string{"CERTTRAIL_DIGICERT_WEBHOOK_KEY": ""},
			"digicert-webhook-key", "key-from-a-file"},
		"path in the environment": {nil, map[string]string{"CERTTRAIL_XOLPHIN_TOKEN_FILE": key}, "xolphin-token",
			"key-from-a-file"},
		"path in a flag": {[]string{"--xolphin-token-file", key},
			map[string]string{"CERTTRAIL_XOLPHIN_TOKEN": "k"}, "xolphin-token", "key-from-a-file"},
		"secret and path in one place": {[]string{"--xolphin-token", "k", "--xolphin-token-file", "/nowhere"}, nil,
			"xolphin-token", "k"},
	} {
		t.Run(name, func(t *testing.T) {
			for variable, value := range tc.environment {
				t.Setenv(variable, value)
			}
			s, err := read(t, append(tc.args, "--config", file)...)
			if err != nil {
				t.Fatal(err)
			}
			if got := s.Get(tc.setting); got != tc.want {
				t.Errorf("%s is %q, want %q", tc.setting, got, tc.want)
			}
		})
	}
}

func TestFileMayBeMissingUnlessNamed(t *testing.T) {
	t.Chdir(t.TempDir())
	s, err := read(t)
	if err != nil || s.File != "" || s.Get("sync") != "group" {
		t.Errorf("got %+v, %v", s, err)
	}
	if _, err := read(t, "--config", "absent.yaml"); err == nil || !strings.Contains(err.Error(), "absent.yaml") {
		t.Errorf("got %v", err)
	}
	t.Setenv("CERTTRAIL_CONFIG", "absent-too.yaml")
	if _, err := read(t); err == nil || !strings.Contains(err.Error(), "absent-too.yaml") {
		t.Errorf("got %v", err)
	}
}

// TestFileRefused: a file that does not say clearly what it wants is refused with the line.
func TestFileRefused(t *testing.T) {
	for content, want := range map[string]string{
		"log-level: [":       "is not YAML",
		"- log-level: debug": `line 1: the settings are not a list of "name: value"`,
		"just words":         `line 1: the settings are not a list of "name: value"`,
		"sync: group\nlog-level: info\nsync: always":                    "line 3: sync stands in line 1 already",
		"\nlog-levle: debug":                                            `line 2: there is no setting "log-levle"; did you mean log-level?`,
		"log_level: debug":                                              `there is no setting "log_level"; did you mean log-level?`,
		"data-dir-file: d":                                              `there is no setting "data-dir-file"`,
		"log-level: {a: b}":                                             "line 1: log-level is neither a value nor a list of values",
		"trusted-proxies:\n- 10.0.0.0/8\n- [a]":                         "line 3: an entry of trusted-proxies is not a plain value",
		"digicert-webhook-key-file: DIR/absent":                         "couldn't read digicert-webhook-key from its file",
		"digicert-webhook-key-file: DIR/empty":                          "digicert-webhook-key: its file ",
		"sources: eu":                                                   `line 1: sources is not a list of "name: {kind: …}"`,
		"sources:\n  eu: digicert":                                      "line 2: the source eu has no settings",
		"sources:\n  eu: {webhook-key: k}":                              `line 2: the source eu has the kind ""`,
		"sources:\n  eu: {kind: DigiCert}":                              `the source eu has the kind "DigiCert"`,
		"sources:\n  digicert: {kind: digicert}":                        "line 2: the name digicert is the built-in source's; choose another",
		"sources:\n  xolphin: {kind: digicert}":                         "the name xolphin is the built-in source's",
		"sources:\n  EU: {kind: digicert}":                              `the name of a source is made of a-z, 0-9, - and _; "EU" is not`,
		"sources:\n  a.b: {kind: digicert}":                             `"a.b" is not`,
		"sources:\n  '': {kind: digicert}":                              `"" is not`,
		"sources:\n  '*': {kind: digicert}":                             `"*" is not`,
		"sources:\n  eu: {kind: digicert}\n  eu: {}":                    "line 3: eu stands in line 2 already",
		"sources:\n  sectigo-push: {kind: digicert}":                    "line 2: the endpoint /hooks/sectigo-push of the source sectigo-push is the source sectigo's already",
		"sources:\n  eu: {kind: digicert, sync: group}":                 `there is no setting "sync"`,
		"sources:\n  eu: {kind: digicert, digicert-webhook-key: k}":     `there is no setting "digicert-webhook-key"`,
		"sources:\n  eu: {kind: digicert, webhook-key-file: DIR/empty}": "eu's webhook-key: its file ",
	} {
		if _, err := read(t, "--config", inFile(t, content)); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%q: got %v, want %s", content, err, want)
		}
	}
}

func TestFileReads(t *testing.T) {
	s, err := read(t, "--config", inFile(t, `# a comment
trusted-proxies: [10.0.0.0/8, "::1"]
max-body: 65536
web-url:
log-level: "debug"
sources:
  eu:
    kind: digicert
    webhook-key-file: DIR/key
    api-url: https://certcentral.digicert.eu/services/v2
    allow-from: documented
  nl-2: {kind: xolphin, token: t0ken}
`))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]string{
		"trusted-proxies": "10.0.0.0/8,::1", "max-body": "65536", "web-url": "", "log-level": "debug",
		"sync": "group", "digicert-webhook-key": "",
	} {
		if got := s.Get(name); got != want {
			t.Errorf("%s is %q, want %q", name, got, want)
		}
	}
	var names []string
	for _, source := range s.Sources {
		names = append(names, source.Name+"="+source.System.Kind)
	}
	if got, want := strings.Join(names, " "),
		"digicert=digicert xolphin=xolphin sectigo=sectigo eu=digicert nl-2=xolphin"; got != want {
		t.Fatalf("the sources are %s, want %s", got, want)
	}
	for name, want := range map[string]string{"webhook-key": "key-from-a-file",
		"api-url": "https://certcentral.digicert.eu/services/v2", "allow-from": "documented", "api-key": ""} {
		if got := s.Sources[3].Setting(name); got != want {
			t.Errorf("the source eu has the %s %q, want %q", name, got, want)
		}
	}
	for _, empty := range []string{"", "# only a comment\n", "sources:\n"} {
		if s, err := read(t, "--config", inFile(t, empty)); err != nil || len(s.Sources) != len(systems) {
			t.Errorf("%q: got %v", empty, err)
		}
	}
}

func TestFlagsOfSettings(t *testing.T) {
	all, some, api := &cobra.Command{}, &cobra.Command{}, &cobra.Command{}
	systems.AddSettings(all)
	AddOwnerSettings(some)
	AddAPISettings(api, systems[0])
	for _, tc := range []struct {
		cmd        *cobra.Command
		has, lacks string
	}{
		{all, "config data-dir web-listen digicert-webhook-key digicert-webhook-key-file digicert-api-key sectigo-username xolphin-rate-limit", "sectigo-username-file data-dir-file"},
		{some, "config data-dir max-bytes sync log-level", "web-listen digicert-webhook-key"},
		{api, "config digicert-api-key digicert-api-key-file digicert-api-url", "digicert-webhook-key data-dir"},
	} {
		tc.cmd.Flags().String("own", "", "")
		for name := range strings.FieldsSeq(tc.has) {
			if f := tc.cmd.Flags().Lookup(name); f == nil || !IsFlag(f) {
				t.Errorf("--%s is missing, or is not marked as a setting", name)
			}
		}
		for name := range strings.FieldsSeq(tc.lacks) {
			if tc.cmd.Flags().Lookup(name) != nil {
				t.Errorf("--%s is there", name)
			}
		}
		if IsFlag(tc.cmd.Flags().Lookup("own")) {
			t.Error("a command's own flag is marked as a setting")
		}
	}
}

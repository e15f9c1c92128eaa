package main

import (
	"bytes"
	"context"
	"fmt"
	"io/fs"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/node"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/owner"
	"github.com/certtrail/certtrail/ingest/provider"
)

// personal returns deliveries about users, with something of a person in every place; each place has a canary of its
// own. names are whom to forget.
func personal() (deliveries map[string][]*provider.Delivery, planted []string, names map[string][]string) {
	canary := func() string {
		c := fmt.Sprintf("CANARY%03dP", len(planted)+1)
		planted = append(planted, c)
		return c
	}
	names = map[string][]string{}
	name := func(source string) string {
		n := canary()
		names[source] = append(names[source], n)
		return n
	}
	post := func(event, format string, args ...any) *provider.Delivery {
		d := &provider.Delivery{Method: "POST", Header: map[string][]string{"Content-Type": {"application/json"}}, Body: fmt.Appendf(nil, format, args...)}
		if event != "" {
			d.Header["X-Defguard-Event"] = []string{event}
		}
		return d
	}
	info := func() string {
		return fmt.Sprintf(`{"id":"%s","username":"%s","first_name":"%s","last_name":"%s","name":"%s","email":"%s@example.test","phone":"%s","groups":["%s"],"mfa_method":"%s",`+
			`"devices":[{"name":"%s","description":"%s","wireguard_pubkey":"%s","networks":[{"last_connected_ip":"%s"}]}],"authorized_apps":[{"oauth2client_name":"%s"}],"new_in_the_next_release":{"x":"%s"}}`,
			canary(), name("defguard"), canary(), canary(), canary(), canary(), canary(), canary(), canary(), canary(), canary(), canary(), canary(), canary(), canary())
	}
	elsewhere := post("user_modified", `{"username":"%s"}`, name("defguard"))
	elsewhere.Query = "user=" + canary() + "&x=" + canary()
	elsewhere.Header["X-Remote-User"] = []string{canary()}
	elsewhere.Header["User-Agent"] = []string{"Defguard of " + canary() + "@example.test"}
	planted[len(planted)-1] += "@" // of an address in a header the letters before the @ go
	old := post("user_created", `{"username":"%s","ssh_key":"ssh-rsa AAAA %s","pgp_key":"%s","pgp_cert_id":"%s"}`, name("defguard"), canary(), canary(), canary())
	old.Method = "GET"
	deliveries = map[string][]*provider.Delivery{
		"defguard": {
			post("user_created", "%s", info()), post("user_modified", "%s", info()), elsewhere, old,
			post("user_deleted", `{"username":"%s"}`, name("defguard")),
			post("user_keys", `{"username":"%s","email":"%s@example.test","ssh_key":"ssh-rsa AAAA %s","pgp_key":"%s","serial":"%s"}`, name("defguard"), canary(), canary(), canary(), canary()),
			post("", "%s", info()), post("user_promoted", "%s", info()), // quarantined
			post("user_created", `{"email":"%s@example.test","first_name":"%s"}`, canary(), canary()),
			post("user_created", `{"username":"%s","first_name":"%s"`, canary(), canary()),
			post("user_created", `["%s"]`, canary()), post("user_created", `username=%s&name=%s`, canary(), canary()),
		},
		"probely": {
			post("", `{"id":"e1","event_type":"user_created","object_type":"user","content":{"id":"%s","name":"%s","email":"%s@example.test","title":"%s"}}`, name("probely"), canary(), canary(), canary()),
			post("", `{"id":"e2","event_type":"user_deleted","content":"{\"email\":\"%s\",\"name\":\"%s\"}"}`, name("probely"), canary()),
			post("", `{"id":"e3","event_type":"user_invited","content":{"id":"%s","name":"%s"}}`, name("probely"), canary()),
			post("", `{"id":"e4","event_type":"user_created","content":{"name":"%s"}}`, canary()),
			post("", `{"id":"e5","event_type":"user_created","content":{"name":"%s"`, canary()),
		},
	}
	return deliveries, planted, names
}

// TestPersonsAreSealed plants people and looks for them everywhere but in the read models, then forgets them and looks
// there too.
func TestPersonsAreSealed(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := begin(t, dir, "--log-level", "debug")
	wire := subscribed(t, w)
	deliveries, planted, names := personal()
	var seen bytes.Buffer
	sent := deliverAll(t, w, deliveries, &seen)
	published(t, wire, sent, &seen)
	w.caughtUp(t)
	for _, path := range []string{"/", "/events", "/quarantine", "/system", "/metrics", "/readyz", "/events/1", "/api/v1/events", "/api/v1/quarantine", "/api/v1/attention", "/api/v1/status"} {
		_, body, err := fetch(w.web + path)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(&seen, "%s\n%s\n", path, body)
	}
	data := filepath.Join(dir, "data")
	seen.WriteString(w.log.String())
	seen.Write(contents(t, data, "projections"))
	nobody(t, seen.String(), planted)
	opened := contents(t, filepath.Join(data, "projections"), "")
	if !bytes.Contains(opened, []byte(names["defguard"][0])) || !bytes.Contains(opened, []byte(names["probely"][0])) {
		t.Error("the read models do not show who it is")
	}

	c, _, err := owner.Find(context.Background(), data)
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	for source, list := range names {
		for _, name := range list {
			var b node.Built
			if err := c.Call(context.Background(), http.MethodPost, "/forget", url.Values{"source": {source}, "name": {name}}, nil, nil, &b); err != nil {
				t.Fatalf("%s of %s is not forgotten: %v", name, source, err)
			}
		}
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	nobody(t, w.log.String()+string(contents(t, data, "")), planted)
}

// contents returns the bytes of all files in dir, but for those in its directory without.
func contents(t *testing.T, dir, without string) []byte {
	t.Helper()
	var all []byte
	err := filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
		switch {
		case err != nil:
			return err
		case d.IsDir() && d.Name() == without:
			return filepath.SkipDir
		case !d.Type().IsRegular():
			return nil
		}
		b, err := os.ReadFile(path)
		all = append(all, b...)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

func nobody(t *testing.T, text string, planted []string) {
	t.Helper()
	text += decodedBase64(text)
	for _, c := range planted {
		if at := strings.Index(text, c); at >= 0 {
			t.Errorf("%s is to be found: …%q…", c, text[max(0, at-200):min(len(text), at+60)])
		}
	}
	if !strings.Contains(text, "sealed:v1:") {
		t.Error("what was looked at holds nothing that is sealed: it was not the right thing")
	}
}

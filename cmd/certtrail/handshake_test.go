package main

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/ingest/provider"
)

// serves has c deliver to w.
func (c *certCentral) serves(w *world) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.send = func(body string) int {
		d := &provider.Delivery{Method: "POST", Header: map[string][]string{"Content-Type": {"application/json"}}, Body: []byte(body)}
		status, _, err := w.deliver("digicert", d)
		if err != nil {
			c.t.Error(err)
		}
		return status
	}
}

// TestWebhookHandshake creates the webhook, tests its endpoint, has it challenged, and sees the first event arrive:
// nobody copies a token.
func TestWebhookHandshake(t *testing.T) {
	t.Parallel()
	c := newCertCentral(t)
	dir := t.TempDir()
	w := c.begin(dir, "--reconcile-every", "0")
	c.serves(w)
	says := func(want string, args ...string) {
		t.Helper()
		if out := w.run(t, c, append([]string{"digicert", "webhook"}, args...)...); !regexp.MustCompile(want).MatchString(out) {
			t.Errorf("%v says %q, want %s", args, out, want)
		}
	}
	says(`Webhook 1234 is created for https://hooks\.example\.test/hooks/digicert, with digicert-webhook-key as its secret`, "create", "--endpoint", "https://hooks.example.test/hooks/digicert", "--send-chain", "--notification-days", "30,-7", "--instant-issued=false")
	if c.webhook["secret"] != testKey || fmt.Sprint(c.webhook["events"]) == "[]" {
		t.Errorf("the webhook is %v", c.webhook)
	}
	says("took it", "test")
	w.until(t, "/events?subject=certs.account.test_received.digicert.>", func(page map[string]any) bool { return len(page["items"].([]any)) == 1 })
	says("(?ms)^status +pending$.*^settings +instant-issued=false send-chain=true notification-days=30,-7$", "list")
	says("DigiCert challenges https://hooks.example.test", "challenge")
	w.until(t, "/events?subject=certs.account.challenge_received.digicert.1234", func(page map[string]any) bool { return len(page["items"].([]any)) == 1 })
	c.until(func() bool { return c.webhook["status"] == "active" })
	says("(?m)^status +active$", "list")
	says("test_webhook_endpoint .* success +200", "logs")

	c.set(centralOrder{id: "1", certificate: "2", status: "issued", name: "www.example.test"})
	c.mu.Lock()
	c.deliver(`{"event":"certificate_issued","data":{"order_id":1,"certificate_id":2}}`)
	c.mu.Unlock()
	w.until(t, "/certificates/digicert/2", func(o map[string]any) bool { return o["state"] == "active" })
	says("sends nothing any more", "deactivate")
	says("is active", "activate")
	says("is updated", "update", "--events", "certificate_issued")
	w.hidesTokens(t, dir)
}

// TestChallengeWithoutAPI: the page shows the token, and how long it is good for; nothing else does.
func TestChallengeWithoutAPI(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := begin(t, dir)
	w.hook(t, `{"event":"challenge_webhook_endpoint","data":{"token":"CANARY-TOKEN-1","webhook_id":12345}}`)
	_, body, err := fetch(w.web + "/system")
	if err != nil || !regexp.MustCompile(`(?s)12345.*CANARY-TOKEN-1.*expires .*in (29|30) min`).Match(body) {
		t.Errorf("the page does not show the token (%v):\n%s", err, body)
	}
	w.hidesTokens(t, dir)
}

// until waits for a condition on c.
func (c *certCentral) until(ok func() bool) {
	c.t.Helper()
	w := &world{}
	w.await(c.t, "the API stays", func() bool {
		c.mu.Lock()
		defer c.mu.Unlock()
		return ok()
	})
}

// hidesTokens stops the server and looks for a token in all that it wrote.
func (w *world) hidesTokens(t *testing.T, dir string) {
	t.Helper()
	if _, body, err := fetch(w.web + "/api/v1/events?limit=1000"); err != nil || strings.Contains(string(body), "CANARY") {
		t.Errorf("the log tells a token (%v)", err)
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	if strings.Contains(w.log.String(), "CANARY") {
		t.Errorf("the program's own log tells a token:\n%s", w.log.String())
	}
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err != nil || d.IsDir() || d.Type()&os.ModeSocket != 0 {
			return err
		}
		b, err := os.ReadFile(path)
		if err == nil && strings.Contains(string(b), "CANARY") {
			t.Errorf("%s holds a token", path)
		}
		return err
	})
	if err != nil {
		t.Error(err)
	}
}

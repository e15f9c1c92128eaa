package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"io/fs"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/nats-io/nats.go"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

// canaries returns deliveries with a secret, or a person, in every place that PROVIDERS names; each place has a canary
// of its own.
func canaries() (deliveries map[string][]*provider.Delivery, planted []string) {
	n := 0
	canary := func() string {
		n++
		c := fmt.Sprintf("CANARY%03dX", n)
		planted = append(planted, c)
		return c
	}
	person := func() string { // the first letter of an address stays
		return canary() + "@example.test"
	}
	post := func(contentType, body string) *provider.Delivery {
		return &provider.Delivery{Method: "POST", Header: map[string][]string{"Content-Type": {contentType}}, Body: []byte(body)}
	}
	get := func(query string) *provider.Delivery { return &provider.Delivery{Method: "GET", Query: query} }
	js := func(format string, args ...any) *provider.Delivery {
		return post("application/json", fmt.Sprintf(format, args...))
	}

	headers := js(`{"event":"certificate_issued","data":{"order_id":1,"certificate_id":2}}`)
	for _, name := range []string{"Cookie", "X-Dc-Devkey", "X-Api-Key", "Proxy-Authorization", "X-Session-Token"} {
		headers.Header[name] = []string{canary()}
	}
	inQuery := js(`{"event":"test_webhook_endpoint"}`)
	inQuery.Query = "token=" + canary() + "&password=" + canary() + "&email=" + url.QueryEscape(person())
	wsp := func(event, body string) *provider.Delivery {
		return js(`{"id":1,"event":"%s","target":{"type":"User","id":5},"body":%s,"partner":{"id":1}}`, event, body)
	}
	site := func() string {
		return fmt.Sprintf(`{"id":"s","host":"a.example","basic_auth":{"username":"%s","password":"%s"},"form_login":[{"value":"%s"}],"otp_secret":"%s","headers":[{"name":"X","value":"%s"}],"cookies":[{"value":"%s"}],"verification_token":"%s","url":"https://u:%s@a.example/"}`,
			canary(), canary(), canary(), canary(), canary(), canary(), canary(), canary())
	}
	quoted := func(s string) string {
		b, _ := json.Marshal(s)
		return string(b)
	}
	finding := func() string {
		return fmt.Sprintf(`{"id":12,"target":{"id":"t","site":%s},"requests":[{"request":"%s","response":"%s"}],"evidence":"%s","assignee":{"name":"%s","email":"%s"},"url":"https://a.example/?token=%s"}`,
			site(), canary(), canary(), canary(), canary(), person(), canary())
	}
	deliveries = map[string][]*provider.Delivery{
		"probely": {
			js(`{"id":"p1","event_type":"target_created","content":{"id":"t","site":%s}}`, site()),
			js(`{"id":"p2","event_type":"target_created","content":%s}`, quoted(`{"id":"t","site":`+site()+`}`)),
			js(`{"id":"p3","event_type":"target_created","content":{"id":"t","site":%s}}`, quoted(site())),
			js(`{"id":"p4","event_type":"finding_detected","content":%s}`, finding()),
			js(`{"id":"p5","event_type":"finding_detected","content":%s}`, quoted(finding())),
			js(`{"id":"p6","event_type":"scan_completed","content":{"id":"s","target":{"id":"t","site":%s},"changed_by":{"id":"u","name":"%s","email":"%s"}}}`, site(), canary(), person()),
			js(`{"id":"p7","event_type":"scan_paused","content":%s}`, quoted(`{"id":"s","target":{"site":`+site()+`}}`)),
			js(`{"id":"p8","event_type":"target_verification_failed","content":{"id":"t","site":{"verification_last_error":"password=%s, ask %s"}}}`, canary(), person()),
		},
		"digicert": {
			headers, inQuery,
			js(`{"event":"challenge_webhook_endpoint","data":{"token":"%s","webhook_id":1}}`, canary()),
			js(`{"event":"challenge_webhook_endpoint","data":{"token":"%s"}}`, canary()),
			js(`{"event":"order_approval_email_sent","data":{"order_id":1,"orderApprovalEmailStatus":"sent","orderApprovalEmails":["%s","%s"]}}`, person(), person()),
			js(`{"event":"nobody_knows","data":{"secret":"%s","organization_contact":{"name":"%s","first_name":"%s","email":"%s","phone":"%s 555 12345"}}}`, canary(), canary(), canary(), person(), canary()),
			js(`{"event":"nobody_knows","data":"{\"password\":\"%s\"}"}`, canary()),
			js(`{"event":"certificate_issued","data":{"password":"%s","order_id":`, canary()),
			js(`{"event":"nobody_knows","data":{"note":"Authorization: Bearer %s0123456789","u":"https://x:%s@h.example/?access_token=%s"}}`, canary(), canary(), canary()),
			post("text/plain", "password="+canary()+"\napi-key: "+canary()),
		},
		"sectigo": {
			wsp("user_create", fmt.Sprintf(`{"user":{"id":5,"name":"%s","email":"%s"}}`, canary(), person())),
			wsp("user_login_link", fmt.Sprintf(`{"anything":"https://l.example.test/%s"}`, canary())),
			wsp("user_login_link", fmt.Sprintf(`["https://l.example.test/%s",{"deep":{"er":"%s"}}]`, canary(), canary())),
			wsp("user_reset_password", fmt.Sprintf(`"%s"`, canary())),
			wsp("user_reset_password", fmt.Sprintf(`{"user":{"id":5,"value":"%s"}}`, canary())),
			js(`{"id":1,"event":"website_zip_download_available","target":{"type":"Website","id":5},"body":{"download_url":"https://z.example/x.zip?X-Amz-Signature=%s","u":"%s"}}`, canary(), canary()),
			js(`{"id":1,"event":"database_backup_zip_download_available","target":{"type":"Database","id":5},"body":{"here":"https://z.example/%s"}}`, canary()),
			js(`{"id":1,"event":"user_login_link","body":{"anything":"https://l.example.test/%s"}}`, canary()),                              // without its target: unreadable
			js(`{"id":1,"event":"user_login_link","target":{"id":5},"body":{"anything":"https://l.example.test/%s"} "partner" {`, canary()), // broken
		},
		"sectigo-push": {
			get("orderNumber=1&certificateID=2&eventType=Certificate&status=issued&verificationCode=" + canary() + "&acmeEABKeyID=" + canary()),
			post("application/x-www-form-urlencoded", "orderNumber=1&eventType=Other&verificationCode="+canary()+"&contactEmail="+url.QueryEscape(person())+"&approverFirstName="+canary()),
			post("application/x-www-form-urlencoded", "eventType=Nobody&password="+canary()),
		},
		"xolphin": {
			get("RequestId=1&Status=Issued&approverEmail=" + url.QueryEscape(person()) + "&approverLastName=" + canary() + "&approverPhone=" + canary() + "-0612345678"),
			get("RequestId=1&Status=Updated&State=Other&password=" + canary()),
			get("RequestId=1&Status=Issued&note=" + testToken), // the token of the path, said again
		},
	}
	return deliveries, append(planted, testToken, testKey, testPassword, base64.StdEncoding.EncodeToString([]byte(testUser+":"+testPassword)))
}

// challengeToken matches a challenge's token as the page /system shows it.
var challengeToken = regexp.MustCompile(`challenged webhook <code>[^<]*</code> with the token <code>CANARY[0-9]+X</code>`)

// TestNoSecretLeaves plants canaries and looks for them in the data directory, on the wire, in every page and answer,
// and in the logs.
func TestNoSecretLeaves(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	w := begin(t, dir, "--log-level", "debug")
	wire := subscribed(t, w)
	deliveries, planted := canaries()
	var seen bytes.Buffer
	sent := deliverAll(t, w, deliveries, &seen)
	for _, path := range []string{"/hooks/xolphin/" + testToken + "x?RequestId=1", "/hooks/xolphin/" + testToken + "/more"} {
		_, body, err := fetch(w.hooks + path)
		if err != nil {
			t.Fatal(err)
		}
		seen.Write(body)
	}
	published(t, wire, sent, &seen)
	w.caughtUp(t)
	for _, path := range pagesOf(t, w) {
		_, body, err := fetch(w.web + path)
		if err != nil {
			t.Fatal(err)
		}
		if path == "/system" { // the one place that shows the tokens of the two challenges, which a person may have to answer
			shown := challengeToken.FindAll(body, -1)
			if len(shown) != 2 {
				t.Errorf("the page shows %d tokens of challenges, want 2", len(shown))
			}
			body = challengeToken.ReplaceAll(body, nil)
		}
		fmt.Fprintf(&seen, "%s\n%s\n", path, body)
	}
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	seen.WriteString(w.log.String())
	err := filepath.WalkDir(filepath.Join(dir, "data"), func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		b, err := os.ReadFile(path)
		seen.Write(b)
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	text := seen.String() + decodedBase64(seen.String())
	for _, c := range planted {
		if at := strings.Index(text, c); at >= 0 {
			t.Errorf("%s is to be found: …%q…", c, text[max(0, at-200):min(len(text), at+60)])
		}
	}
	if !strings.Contains(text, "[redacted]") || !strings.Contains(text, "[personal]") || !strings.Contains(text, "C…@example.test") {
		t.Error("what was looked at shows no redaction: it was not the right thing")
	}
}

// subscribed subscribes to all that the log publishes from now on.
func subscribed(t *testing.T, w *world) *nats.Subscription {
	t.Helper()
	nc, err := nats.Connect(strings.Replace(w.nats, "subscriber@", "subscriber:"+testNATS+"@", 1))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(nc.Close)
	wire, err := nc.SubscribeSync("certs.>")
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	return wire
}

// deliverAll delivers to every source, writes what it was answered to seen, and counts the deliveries.
func deliverAll(t *testing.T, w *world, deliveries map[string][]*provider.Delivery, seen *bytes.Buffer) (sent int) {
	t.Helper()
	for source, list := range deliveries {
		for _, d := range list {
			status, body, err := w.deliver(source, d)
			if err != nil || status != 200 && status != 400 {
				t.Fatalf("%s: %d %s %v", source, status, body, err)
			}
			seen.Write(body)
			sent++
		}
	}
	return sent
}

// published writes the next n messages of the subscription to seen.
func published(t *testing.T, wire *nats.Subscription, n int, seen *bytes.Buffer) {
	t.Helper()
	for range n {
		m, err := wire.NextMsg(patience)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintf(seen, "%s %v %s\n", m.Subject, m.Header, m.Data)
	}
}

// pagesOf returns all pages and answers that show the deliveries.
func pagesOf(t *testing.T, w *world) []string {
	paths := []string{
		"/", "/orders", "/certificates", "/domains", "/dnssec", "/organizations", "/websites", "/events", "/quarantine", "/system", "/metrics", "/readyz",
		"/orders/digicert/1", "/orders/sectigo/1", "/orders/xolphin/1", "/certificates/digicert/2", "/orders.csv",
	}
	for _, list := range []string{"orders", "certificates", "domains", "dnssec", "organizations", "websites", "quarantine", "attention", "events", "status"} {
		paths = append(paths, "/api/v1/"+list)
	}
	return paths
}

// decodedBase64 returns what every base64 text in s stands for.
func decodedBase64(s string) string {
	var b strings.Builder
	for _, word := range strings.FieldsFunc(s, func(r rune) bool {
		return !strings.ContainsRune("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/=", r)
	}) {
		if plain, err := base64.StdEncoding.DecodeString(word); err == nil && len(word) > 8 {
			b.Write(plain)
			b.WriteByte('\n')
		}
	}
	return b.String()
}

// TestSubscriber runs a NATS client that is configured with nothing but URL and password.
func TestSubscriber(t *testing.T) {
	t.Parallel()
	w := begin(t, t.TempDir())
	nc, err := nats.Connect(strings.Replace(w.nats, "subscriber@", "subscriber:"+testNATS+"@", 1))
	if err != nil {
		t.Fatal(err)
	}
	defer nc.Close()
	sub, err := nc.SubscribeSync("certs.order.issued.>")
	if err != nil {
		t.Fatal(err)
	}
	if err := nc.Flush(); err != nil {
		t.Fatal(err)
	}
	if status, body, err := w.deliver("digicert", issuedDelivery(12345)); err != nil || status != 200 {
		t.Fatalf("%d %s %v", status, body, err)
	}
	m, err := sub.NextMsg(10 * time.Second)
	if err != nil {
		t.Fatal(err)
	}
	e, err := schema.Decode(m.Data)
	if err != nil || m.Subject != "certs.order.issued.digicert.12345" || e.Data.OrderID != "12345" || m.Header.Get("Content-Type") != schema.ContentType {
		t.Errorf("received %s %v %s (%v)", m.Subject, m.Header, m.Data, err)
	}
	if _, err := nats.Connect(strings.Replace(w.nats, "subscriber@", "subscriber:wrong@", 1)); err == nil {
		t.Error("a wrong password is let in")
	}
}

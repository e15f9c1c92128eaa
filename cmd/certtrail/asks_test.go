package main

import (
	"bytes"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/ingest/ingesttest"
	"github.com/certtrail/certtrail/ingest/provider"
)

// TestAsksAboutEvents: an event leads to one question, whose answer fills the rows; what is known is not asked again,
// neither at once nor after a restart.
func TestAsksAboutEvents(t *testing.T) {
	t.Parallel()
	c := newCertCentral(t)
	c.set(centralOrder{id: "1", status: "needs_approval", name: "www.example.test", validation: "pending"})
	dir := t.TempDir()
	w := c.begin(dir, "--reconcile-every", "0")
	w.hook(t, `{"event":"order_approval_email_sent","data":{"order_id":1,"certificate_id":2}}`)
	w.until(t, "/orders/digicert/1", func(o map[string]any) bool {
		checks, _ := o["checks"].(map[string]any)
		return o["common_name"] == "www.example.test" && checks["organization"] == "pending" && checks["domain:www.example.test"] == "pending" && checks["approval"] == "pending"
	})
	c.set(centralOrder{id: "1", certificate: "2", status: "issued", name: "www.example.test"})
	w.hook(t, `{"event":"certificate_issued","data":{"order_id":1,"certificate_id":2}}`)
	w.until(t, "/certificates/digicert/2", func(o map[string]any) bool { return o["state"] == "active" && o["not_after"] != nil })
	w.until(t, "/orders/digicert/1", func(o map[string]any) bool { return o["state"] == "issued" && o["event_count"] == 4.0 })
	w.hook(t, `{"event":"certificate_issued","data":{"order_id":1,"certificate_id":2}}`)
	w.hook(t, `{"event":"order_approval_email_sent","data":{"order_id":1,"certificate_id":2}}`)
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	w = c.begin(dir, "--reconcile-every", "0")
	c.set(centralOrder{id: "5", certificate: "6", status: "issued", name: "five.example.test"})
	w.hook(t, `{"event":"certificate_issued","data":{"order_id":5,"certificate_id":6}}`)
	w.until(t, "/certificates/digicert/6", func(o map[string]any) bool { return o["state"] == "active" })
	for path, want := range map[string]int{"order/certificate/1": 1, "order/certificate/1/validation": 1, "certificate/2/download/format/pem_all": 1} {
		if got := c.called(path); got != want {
			t.Errorf("%s was called %d times, want %d", path, got, want)
		}
	}
}

// TestAnAPIThatIsAwayCostsNothing: whatever the API does, deliveries and pages go on, and once it is back the answer
// comes.
func TestAnAPIThatIsAwayCostsNothing(t *testing.T) {
	t.Parallel()
	for name, broken := range map[string]func(w http.ResponseWriter) bool{
		"500": func(w http.ResponseWriter) bool { w.WriteHeader(http.StatusInternalServerError); return true },
		"429": func(w http.ResponseWriter) bool {
			w.Header().Set("Retry-After", "1")
			w.WriteHeader(http.StatusTooManyRequests)
			return true
		},
		"HTML": func(w http.ResponseWriter) bool {
			w.Header().Set("Content-Type", "text/html")
			fmt.Fprint(w, "<html>Sign in")
			return true
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			c := newCertCentral(t)
			c.set(centralOrder{id: "1", certificate: "2", status: "issued", name: "www.example.test"})
			w := c.begin(t.TempDir(), "--reconcile-every", "0")
			tried := make(chan bool, 100)
			c.breaks(func(w http.ResponseWriter) bool { tried <- true; return broken(w) })
			w.hook(t, `{"event":"certificate_issued","data":{"order_id":1,"certificate_id":2}}`)
			<-tried
			for i := range 20 {
				w.hook(t, fmt.Sprintf(`{"event":"order_rejected","data":{"order_id":%d,"certificate_id":7}}`, 100+i))
			}
			w.until(t, "/orders/digicert/119", func(o map[string]any) bool { return o["state"] == "rejected" })
			c.breaks(nil)
			w.until(t, "/certificates/digicert/2", func(o map[string]any) bool { return o["state"] == "active" })
		})
	}
}

// TestAnAPIThatHangs: deliveries go on, the server stops in time, and the next one asks again. Meanwhile an open
// circuit is shown.
func TestAnAPIThatHangs(t *testing.T) {
	c := newCertCentral(t)
	c.set(centralOrder{id: "1", certificate: "2", status: "issued", name: "www.example.test"})
	dir := t.TempDir()
	w := c.begin(dir, "--reconcile-every", "0")
	tried, hold := make(chan bool, 10), make(chan struct{})
	c.breaks(func(http.ResponseWriter) bool { tried <- true; <-hold; return true })
	w.hook(t, `{"event":"certificate_issued","data":{"order_id":1,"certificate_id":2}}`)
	<-tried
	w.hook(t, `{"event":"order_rejected","data":{"order_id":3,"certificate_id":4}}`)
	w.until(t, "/orders/digicert/3", func(o map[string]any) bool { return o["state"] == "rejected" })
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	close(hold)
	c.breaks(func(w http.ResponseWriter) bool {
		w.Header().Set("Retry-After", "3600")
		w.WriteHeader(http.StatusTooManyRequests)
		return true
	})
	w = c.begin(dir, "--reconcile-every", "1h")
	w.await(t, "the page does not show the open circuit and the failed reconcile", func() bool {
		_, page, err := fetch(w.web + "/system")
		return err == nil && regexp.MustCompile(`(?s)not answering.*asked too often \(status 429\).*The last one failed`).Match(page)
	})
	_, metrics, err := fetch(w.web + "/metrics")
	if err != nil || !strings.Contains(string(metrics), `certtrail_api_up{source="digicert"} 0`) {
		t.Errorf("the metrics do not tell (%v)", err)
	}
}

// TestNothingIsAskedAboutImports: what is imported, and what the first reconcile finds, is nobody's question; what
// comes then is.
func TestNothingIsAskedAboutImports(t *testing.T) {
	t.Parallel() // the first reconcile waits for the API's rate
	c := newCertCentral(t)
	for _, id := range []string{"1", "2", "3"} {
		c.set(centralOrder{id: id, certificate: "9" + id, status: "issued", name: "n" + id + ".example.test"})
	}
	other := begin(t, t.TempDir())
	other.hook(t, `{"event":"certificate_issued","data":{"order_id":1,"certificate_id":91}}`)
	exported := filepath.Join(t.TempDir(), "events.jsonl")
	other.run(t, c, "export", exported)
	w := c.begin(t.TempDir(), "--reconcile-every", "0")
	w.run(t, c, "import", exported)
	if out := w.run(t, c, "reconcile", "digicert"); !strings.Contains(out, "2 deliveries were missed: 2 order.issued.") || !strings.Contains(out, "first reconcile") ||
		!strings.Contains(out, "3 orders are known by number only; certtrail reconcile digicert --describe asks about each.") {
		t.Errorf("the reconcile says %q", out)
	}
	w.until(t, "/events?subject=certs.order.issued.>", func(page map[string]any) bool {
		imported := 0
		for _, item := range page["items"].([]any) {
			if item.(map[string]any)["certtrailimported"] != nil {
				imported++
			}
		}
		return imported == 3
	})
	c.set(centralOrder{id: "4", certificate: "94", status: "issued", name: "n4.example.test"})
	if out := w.run(t, c, "reconcile", "digicert"); !strings.Contains(out, "1 delivery was missed: 1 order.issued.") || strings.Contains(out, "first reconcile") {
		t.Errorf("the second reconcile says %q", out)
	}
	w.until(t, "/certificates/digicert/94", func(o map[string]any) bool { return o["state"] == "active" })
	for _, id := range []string{"91", "92", "93"} {
		if c.called("certificate/"+id+"/download/format/pem_all") != 0 {
			t.Errorf("certificate %s was asked for", id)
		}
	}
	_, page, err := fetch(w.web + "/system")
	if err != nil || !regexp.MustCompile(`(?s)Last reconcile.*1 delivery was missed: 1 order.issued. 3 orders are known by number only`).Match(page) {
		t.Errorf("the page does not tell of the reconcile (%v):\n%s", err, page)
	}
	if out := w.run(t, c, "reconcile", "digicert", "--describe"); !strings.HasPrefix(out, "No deliveries") || !strings.Contains(out, "digicert was asked about 3 orders, and told of 3.\n") {
		t.Errorf("the description says %q", out)
	}
	for _, id := range []string{"91", "92", "93"} {
		w.until(t, "/certificates/digicert/"+id, func(o map[string]any) bool { return o["state"] == "active" })
		w.until(t, "/orders/digicert/"+id[1:], func(o map[string]any) bool { return o["common_name"] == "n"+id[1:]+".example.test" })
	}
	w.until(t, "/events?subject=certs.certificate.collected.>", func(page map[string]any) bool {
		imported := 0
		for _, item := range page["items"].([]any) {
			if item.(map[string]any)["certtrailimported"] == "reconcile" {
				imported++
			}
		}
		return imported == 3 && len(page["items"].([]any)) == 4
	})
	if out := w.run(t, c, "reconcile", "digicert", "--describe"); !strings.Contains(out, "digicert was asked about 0 orders") || strings.Contains(out, "number only") {
		t.Errorf("then it says %q", out)
	}
}

// TestXolphinIsAsked: a failed check has the request described, by calls that are as the vendor's clients make them.
func TestXolphinIsAsked(t *testing.T) {
	t.Parallel()
	api := ingesttest.API(t, ingesttest.Call{
		Method: "GET", Path: "/v1/requests/960000024", Header: map[string]string{"Authorization": "Basic dXNlcjpwYTU1LXdvcmQtMDEyMzQ1Njc4OQ==", "Accept": "application/json"},
		Answer: `{"id":960000024,"domainName":"www.example.test","subjectAlternativeNames":["example.test"],"company":"Example B.V.","dateOrdered":"2026-11-20T10:00:00+01:00",
			"requiresAction":true,"brandValidation":false,"validations":{"organization":{"status":false,"statusMessage":"no such company"},"phone":{"status":true},
			"dcv":{"status":false,"domains":[{"domain":"example.test","status":true}]}}}`,
	})
	w := begin(t, t.TempDir(), "--reconcile-every", "0", "--xolphin-api-username", "user", "--xolphin-api-password", "pa55-word-0123456789", "--xolphin-api-url", api.URL+"/v1")
	if status, body, err := w.deliver("xolphin", &provider.Delivery{Method: "GET", Query: "RequestId=960000024&Status=Updated&State=Organization"}); err != nil || status != http.StatusOK {
		t.Fatalf("%d %s %v", status, body, err)
	}
	w.until(t, "/orders/xolphin/960000024", func(o map[string]any) bool {
		return fmt.Sprint(o["checks"]) == "map[brand:passed domain:example.test:passed organization:failed phone:passed]" && o["state"] == "action_required" &&
			o["common_name"] == "www.example.test" && fmt.Sprint(o["reasons"]) == "map[organization:no such company]"
	})
}

// TestSectigoIsAsked: a rotation that comes without its DS record and its zone gets both from the API, by one call; one
// that is known is not asked about.
func TestSectigoIsAsked(t *testing.T) {
	t.Parallel()
	digest := func(s string) string { return strings.Repeat(s, 32) }
	record := func(tag, digest string) string {
		return fmt.Sprintf(`{"domain":"example.test","keytag":%q,"algorithm":"13","digest_type":"2","digest":%q}`, tag, digest)
	}
	api := ingesttest.API(t, ingesttest.Call{
		Method: "GET", Path: "/v2/websites/42/dns/ds_records", Header: map[string]string{"Authorization": "Basic dXNlcjpwYTU1LXdvcmQtMDEyMzQ1Njc4OQ==", "Accept": "application/json"},
		Answer: `[` + record("11111", digest("aa")) + `]`,
	}, ingesttest.Call{
		Method: "GET", Path: "/v2/websites/42/dns/ds_records", Header: map[string]string{"Authorization": "Basic dXNlcjpwYTU1LXdvcmQtMDEyMzQ1Njc4OQ==", "Accept": "application/json"},
		Answer: `[` + record("11111", digest("aa")) + `,` + record("22222", digest("bb")) + `]`,
	})
	dir := t.TempDir()
	w := begin(t, dir) // before the API is set up
	rotates := func(event, body string) {
		t.Helper()
		d := &provider.Delivery{Method: "POST", Header: map[string][]string{"Content-Type": {"application/json"}},
			Body: fmt.Appendf(nil, `{"id":1,"event":"website_dnssec_rotation_%s","target":{"type":"Website","id":42},"body":%s,"partner":{"id":1}}`, event, body)}
		if status, answer, err := w.deliver("sectigo", d); err != nil || status != http.StatusOK {
			t.Fatalf("%d %s %v", status, answer, err)
		}
	}
	stands := func(tag float64, previous any, step string) {
		t.Helper()
		w.until(t, "/dnssec/sectigo/42", func(r map[string]any) bool {
			ds, _ := r["ds"].(map[string]any)
			old, _ := r["previous_ds"].(map[string]any)
			return r["domain"] == "example.test" && ds["key_tag"] == tag && old["key_tag"] == previous && r["next_step"] == step && r["unreadable"] == nil
		})
	}
	rotates("start", `{}`)
	if err := w.stop(); err != nil {
		t.Fatal(err)
	}
	w = begin(t, dir, "--sectigo-api-username", "user", "--sectigo-api-password", "pa55-word-0123456789", "--sectigo-api-url", api.URL)
	if out := w.run(t, &certCentral{server: api}, "reconcile", "sectigo", "--describe"); out != "sectigo was asked about 1 rotation, and told of 1.\n" {
		t.Errorf("it says %q", out)
	}
	stands(11111, nil, "ds-submit")
	rotates("complete", `{"ds":`+record("11111", digest("aa"))+`}`)
	rotates("start", `{"note":"it tells no record"}`)
	stands(22222, 11111.0, "ds-submit")
	rotates("complete", `{"ds":`+record("22222", digest("bb"))+`}`)
	stands(22222, 11111.0, "ds-retract")
}

// TestReconcileFindsWhatWasMissed drops half of two hundred deliveries, and sees that a reconcile ends where all of
// them would have.
func TestReconcileFindsWhatWasMissed(t *testing.T) {
	t.Parallel() // it waits for the API's rate: a year is asked for by weeks
	c := newCertCentral(t)
	whole, half := c.begin(t.TempDir(), "--reconcile-every", "0"), c.begin(t.TempDir(), "--reconcile-every", "0")
	states := []string{"issued", "rejected", "issued", "revoked", "issued"}
	const orders = 143
	deliveries, dropped := 0, 0
	deliver := func(body string) {
		whole.hook(t, body)
		if deliveries++; deliveries%2 == 0 {
			half.hook(t, body)
		} else {
			dropped++
		}
	}
	for i := range orders {
		o := centralOrder{id: fmt.Sprint(1000 + i), certificate: fmt.Sprint(5000 + i), status: states[i%len(states)], name: fmt.Sprintf("n%d.example.test", i)}
		c.set(o)
		data := fmt.Sprintf(`"data":{"order_id":%s,"certificate_id":%s}}`, o.id, o.certificate)
		switch o.status {
		case "rejected":
			deliver(`{"event":"order_rejected",` + data)
		case "revoked":
			deliver(`{"event":"certificate_issued",` + data)
			deliver(`{"event":"certificate_revoked",` + data)
		default:
			deliver(`{"event":"certificate_issued",` + data)
			if i%3 == 0 {
				deliver(`{"event":"certificate_issued",` + data) // as after a network failure: a repeat that tells nothing new
			}
		}
	}
	if deliveries < 190 || deliveries > 210 {
		t.Fatalf("the test has %d deliveries, want about 200", deliveries)
	}
	before := orderStates(t, half)
	half.caughtUp(t)
	missing := 0
	for id, state := range orderStates(t, whole) {
		if before[id] != state {
			missing++
		}
	}
	out := half.run(t, c, "reconcile", "digicert")
	if !strings.Contains(out, " deliveries were missed: ") || !strings.Contains(out, fmt.Sprintf("told of %d orders", orders)) {
		t.Errorf("it says %q", out)
	}
	var told int
	if _, err := fmt.Sscan(out, &told); err != nil || told < missing || told > dropped {
		t.Errorf("it says that %d were missed; %d orders stood otherwise, and %d deliveries were dropped", told, missing, dropped)
	}
	want, got := orderStates(t, whole), orderStates(t, half)
	if len(want) != orders {
		t.Errorf("%d orders, want %d", len(want), orders)
	}
	for id, state := range want {
		if got[id] != state {
			t.Errorf("order %s is %s, want %s", id, got[id], state)
		}
	}
	if out := half.run(t, c, "reconcile", "digicert"); !strings.HasPrefix(out, "No deliveries were missed.") {
		t.Errorf("then it says %q", out)
	}
	t.Logf("of %d deliveries %d were dropped; %d missed", deliveries, dropped, told)
}

// orderStates returns the states of all orders.
func orderStates(t *testing.T, w *world) map[string]string {
	t.Helper()
	w.caughtUp(t)
	states := map[string]string{}
	w.until(t, "/orders?limit=1000", func(page map[string]any) bool {
		for _, item := range page["items"].([]any) {
			o := item.(map[string]any)
			states[o["id"].(string)] = o["state"].(string)
		}
		return true
	})
	return states
}

// run runs a command beside the server, which must succeed, and is what it prints.
func (w *world) run(t *testing.T, c *certCentral, args ...string) string {
	t.Helper()
	cmd := exec.Command(w.cmd.Path, args...)
	var stdout, stderr bytes.Buffer
	cmd.Dir, cmd.Stdout, cmd.Stderr = w.cmd.Dir, &stdout, &stderr
	cmd.Env = append(append(os.Environ(), testEnvironment()...), "CERTTRAIL_DATA_DIR="+filepath.Join(w.cmd.Dir, "data"),
		"CERTTRAIL_DIGICERT_API_KEY="+testAPIKey, "CERTTRAIL_DIGICERT_API_URL="+c.server.URL+"/services/v2")
	if err := cmd.Run(); err != nil {
		t.Fatalf("%v: %v\n%s%s\n%s", args, err, stdout.String(), stderr.String(), w.log.String())
	}
	return stdout.String()
}

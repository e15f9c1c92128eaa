package main

import (
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/sample"
	"github.com/certtrail/certtrail/ingest/provider"
)

// TestSourcesOfOneKind: two accounts of one provider have an endpoint, a credential, an API and a reconcile of their
// own, and neither sees the other's.
func TestSourcesOfOneKind(t *testing.T) {
	t.Parallel()
	us, eu := newCertCentral(t), newCertCentral(t)
	us.set(centralOrder{id: "1", certificate: "11", status: "issued", name: "us.example.test"})
	eu.set(centralOrder{id: "1", certificate: "22", status: "issued", name: "eu.example.test"})
	eu.set(centralOrder{id: "2", certificate: "23", status: "rejected", name: "two.example.test"})
	dir := t.TempDir()
	const euKey = "the-webhook-key-of-the-other-account"
	file := filepath.Join(dir, "certtrail.yaml")
	config := fmt.Sprintf("sources:\n  digicert-eu: {kind: digicert, webhook-key: %q, api-key: %q, api-url: %q}\n", euKey, testAPIKey, eu.server.URL+"/services/v2")
	if err := os.WriteFile(file, []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	w := us.begin(dir, "--config", file, "--reconcile-every", "0")
	system, _ := systems.Of("digicert")
	delivers := func(source, key string, want int) {
		t.Helper()
		d := &provider.Delivery{Method: "POST", Header: map[string][]string{"Content-Type": {"application/json"}}, Body: []byte(`{"event":"certificate_issued","data":{"order_id":1,"certificate_id":` + map[string]string{"digicert": "11", "digicert-eu": "22"}[source] + `}}`)}
		status, body, err := sample.Deliver(t.Context(), w.hooks, source, system.New(func(string) string { return key }), d)
		if err != nil || status != want {
			t.Errorf("%s: %d %s (%v), want %d", source, status, body, err, want)
		}
	}
	delivers("digicert-eu", testKey, http.StatusUnauthorized)
	delivers("digicert", euKey, http.StatusUnauthorized)
	delivers("digicert", testKey, http.StatusOK)
	delivers("digicert-eu", euKey, http.StatusOK)
	for source, name := range map[string]string{"digicert": "us.example.test", "digicert-eu": "eu.example.test"} {
		w.until(t, "/orders/"+source+"/1", func(o map[string]any) bool { return o["state"] == "issued" && o["common_name"] == name })
	}
	if out := w.run(t, us, "reconcile", "digicert-eu"); !strings.HasPrefix(out, "1 delivery was missed: 1 order.rejected.\n") {
		t.Errorf("it says %q", out)
	}
	w.until(t, "/orders/digicert-eu/2", func(o map[string]any) bool { return o["state"] == "rejected" })
	if us.called("order/certificate/status-changes") != 0 || us.called("certificate/22/download/format/pem_all") != 0 || eu.called("certificate/11/download/format/pem_all") != 0 {
		t.Error("one account's API was asked about the other's")
	}
}

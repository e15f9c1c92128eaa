package sample

import (
	"net/http"
	"net/http/httptest"
	"testing"

	"github.com/certtrail/certtrail/ingest/digicert"
	"github.com/certtrail/certtrail/ingest/provider"
)

// TestDeliverFollowsNobody: a delivery that is sent elsewhere was not taken, whatever a page there says, and its
// credentials go nowhere else.
func TestDeliverFollowsNobody(t *testing.T) {
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/login" {
			http.Redirect(w, r, "/login", http.StatusMovedPermanently)
			return
		}
		t.Errorf("the delivery went on to %s, with the key %q", r.URL.Path, r.Header.Get("X-Webhook-Key"))
	}))
	defer server.Close()
	d := &provider.Delivery{Method: "POST", Body: []byte(`{"event":"test_webhook_endpoint"}`)}
	status, _, err := Deliver(t.Context(), server.URL, "digicert", digicert.System.New(func(string) string { return "a-webhook-key-0123456789abcdef0123" }), d)
	if status != http.StatusMovedPermanently || err != nil {
		t.Errorf("answered %d, %v; want %d", status, err, http.StatusMovedPermanently)
	}
}

package node

import (
	"net/http"
	"net/http/httptest"
	"testing"
)

// TestAnsweringCountsWhoWaits counts a request as long as it is answered, and never the stream of an open page, which
// would slow every rebuild.
func TestAnsweringCountsWhoWaits(t *testing.T) {
	var a requests
	during := false
	h := a.count(http.HandlerFunc(func(http.ResponseWriter, *http.Request) { during = a.any() }))
	for accept, want := range map[string]bool{"": true, "text/html": true, "text/event-stream": false} {
		r := httptest.NewRequest("GET", "/", nil)
		r.Header.Set("Accept", accept)
		h.ServeHTTP(httptest.NewRecorder(), r)
		if during != want || a.any() {
			t.Errorf("Accept %q: counted %t, want %t; still counted when answered: %t", accept, during, want, a.any())
		}
	}
}

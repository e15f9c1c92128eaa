package ingest

import (
	"encoding/json"
	"net/http"
)

// retryAfterSeconds tells a provider when to try again while the log is away: long enough for a restart.
const retryAfterSeconds = "30"

// problem answers with a problem document of RFC 9457; detail is a sentence for the person who reads the provider's
// log.
func problem(w http.ResponseWriter, status int, detail string) {
	w.Header().Set("Content-Type", "application/problem+json")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.WriteHeader(status)
	json.NewEncoder(w).Encode(struct {
		Type   string `json:"type"`
		Title  string `json:"title"`
		Status int    `json:"status"`
		Detail string `json:"detail"`
	}{"about:blank", http.StatusText(status), status, detail})
}

func unavailable(w http.ResponseWriter, detail string) {
	w.Header().Set("Retry-After", retryAfterSeconds)
	problem(w, http.StatusServiceUnavailable, detail)
}

// noSuchEndpoint answers a path that does not exist and one whose token is wrong alike.
const noSuchEndpoint = "There is no such endpoint."

func noEndpoint(w http.ResponseWriter) { problem(w, http.StatusNotFound, noSuchEndpoint) }

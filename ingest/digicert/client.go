package digicert

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

// DefaultAPI holds the base URL of the Services API. Accounts of the Europe instance have
// https://certcentral.digicert.eu/services/v2.
const DefaultAPI = "https://www.digicert.com/services/v2"

// The API takes 1000 calls in three minutes and 100 in five seconds ("Rate limits" page).
const (
	APIRate  = 5 // calls a second
	APIBurst = 50
)

// API makes the calls of a Client. Paths are relative to the base URL. Its methods may be called at once from many
// goroutines. An answer of status 400 to 499 is a *provider.Refusal.
type API interface {
	// JSON sends in, if it is not nil, and reads the answer into out, if that is not nil.
	JSON(ctx context.Context, method, path string, query url.Values, in, out any) error
	// Bytes gets what is no JSON.
	Bytes(ctx context.Context, path string, query url.Values) ([]byte, error)
}

// Client asks the CertCentral Services API. Its methods may be called at once from many goroutines.
type Client struct{ api API }

// NewClient returns a client that queries through api.
func NewClient(api API) *Client { return &Client{api: api} }

// Authorize puts the API key on a request, and the content type that every example of the reference has, also without a
// body.
func Authorize(key string) func(h http.Header) {
	key = strings.TrimSpace(key)
	return func(h http.Header) {
		h.Set("X-Dc-Devkey", key) // X-DC-DEVKEY as net/http writes it
		h.Set("Content-Type", "application/json")
	}
}

// Error carries a refusal of the API, as a sentence that says what to do.
type Error struct {
	Status   int    // of HTTP
	Code     string // the API's own: "webhook_invalid_token"; "" if it gave none
	sentence string
}

// Error returns the sentence.
func (e *Error) Error() string { return e.sentence }

// advice says what to do about the documented error codes (the "Error cases" of the webhook pages, and "Status change
// list").
var advice = map[string]string{
	"webhook_invalid_endpoint":   "it does not take the endpoint. Give the hook's public URL, which must begin with https://",
	"webhook_configured_already": "the account has a webhook already, and may have only one. Change it with `certtrail digicert webhook update`; `certtrail digicert webhook list` shows it",
	"webhook_endpoint_error": "the endpoint did not answer it, or refused what it sent. See that certtrail runs, that the endpoint leads to its hooks from the internet with a valid " +
		"certificate, and that digicert-allow-from, if it is set, lets the documented addresses in; then try again",
	"webhook_invalid_token":   "the token is not the one that it sent last, or is older than 30 minutes. Ask for another with `certtrail digicert webhook challenge`",
	"webhook_invalid_action":  "the webhook cannot be activated or deactivated as it stands. Complete the challenge first: `certtrail digicert webhook challenge`; `certtrail digicert webhook list` shows where it stands",
	"webhook_invalid_account": "the account has no webhook. Create one with `certtrail digicert webhook create --endpoint URL`",
	"not_found|webhook":       "the account has no webhook of this number. `certtrail digicert webhook list` shows the one it has",
	"time_frame_too_long":     "it tells of the changes of at most seven days at a time. Ask for fewer days",
}

// errorJSON holds one of the errors of a refusal.
type errorJSON struct {
	Code    provider.Text `json:"code"`
	Message provider.Text `json:"message"`
}

// firstError reads the first of a refusal's errors, which stand in a list, and in an older form alone; a refusal
// without a reason is one all the same.
func firstError(body []byte) (first errorJSON) {
	var refusal struct {
		Errors json.RawMessage `json:"errors"`
	}
	_ = json.Unmarshal(body, &refusal)
	var list []errorJSON
	if json.Unmarshal(refusal.Errors, &list) == nil && len(list) > 0 {
		return list[0]
	}
	_ = json.Unmarshal(refusal.Errors, &first)
	return first
}

// refused makes the sentence of a refusal: what was tried, and what the API says. Any other error stays as it is.
func refused(tried string, err error) error {
	var r *provider.Refusal
	if !errors.As(err, &r) {
		return err
	}
	e := &Error{Status: r.Status}
	first := firstError(r.Body)
	e.Code = provider.Clip(string(first.Code), provider.MaxEvent)
	message := string(first.Message)
	why, known := advice[e.Code]
	switch {
	case known:
	case r.Status == http.StatusUnauthorized || r.Status == http.StatusForbidden:
		why = "it does not accept the API key, or the key may not do this. Set digicert-api-key to a key of the account with the rights for it" + brackets(e.Code)
	case strings.HasPrefix(e.Code, "not_found") || r.Status == http.StatusNotFound:
		why = "it does not know of it" + brackets(e.Code) + ". See that the number is right, and that digicert-api-key is of the account that has it"
	default:
		why = fmt.Sprintf("it refused with status %d%s", r.Status, brackets(cmp.Or(strings.TrimRight(provider.Clip(message, provider.MaxText), ". "), e.Code)))
	}
	e.sentence = fmt.Sprintf("DigiCert could not be made to %s: %s.", tried, why)
	return e
}

func brackets(s string) string {
	if s == "" {
		return ""
	}
	return " (" + s + ")"
}

// ask gets path and keeps the answer as it is, beside what it means.
func (c *Client) ask(ctx context.Context, tried, path string, query url.Values, out any) (json.RawMessage, error) {
	var raw json.RawMessage
	if err := c.api.JSON(ctx, http.MethodGet, path, query, nil, &raw); err != nil {
		return nil, refused(tried, err)
	}
	if err := json.Unmarshal(raw, out); err != nil {
		return nil, fmt.Errorf("DigiCert, asked to %s, answered with JSON of another shape than it documents: see that digicert-api-url is the Services API, and else for a newer certtrail", tried)
	}
	return raw, nil
}

// asDelivery wraps an answer as a delivery, to be redacted and stored.
func asDelivery(query url.Values, body []byte) *provider.Delivery {
	return &provider.Delivery{Method: http.MethodGet, Query: query.Encode(), Header: map[string][]string{}, Body: body}
}

// segment escapes id for a path.
func segment(id string) (string, error) {
	id, err := schema.ID(id)
	if err != nil || id == "" || id == "." || id == ".." {
		return "", errors.New("DigiCert cannot be asked without a number: give the order's or the certificate's")
	}
	return url.PathEscape(id), nil
}

package sectigo

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

// How often the Web Security Platform may be called no page says; this is an assumption.
const (
	APIRate  = 1 // calls a second
	APIBurst = 5
)

// API makes the calls of a Client. Paths are relative to the base URL. It may be called at once from many goroutines.
// An answer of status 400 to 499 is a *provider.Refusal.
type API interface {
	// JSON sends in, if it is not nil, and reads the answer into out, if that is not nil.
	JSON(ctx context.Context, method, path string, query url.Values, in, out any) error
}

// Client asks the Web Security Platform's API. The page that names the call ("DNSSEC Workflow") gives neither its host
// nor how it is authenticated: the base URL is therefore a setting without a default, the host to which /v2/websites is
// appended, and HTTP Basic is assumed, as the platform's webhooks have it. Its methods may be called at once from many
// goroutines.
type Client struct{ api API }

// NewClient returns a client that queries through api.
func NewClient(api API) *Client { return &Client{api: api} }

// Authorize puts user name and password on a request, by HTTP Basic.
func Authorize(username, password string) func(h http.Header) {
	basic := Basic(username, password)
	return func(h http.Header) { h.Set("Authorization", "Basic "+basic) }
}

// Basic writes user name and password as they go over the wire, which is as secret as the password.
func Basic(username, password string) string {
	return base64.StdEncoding.EncodeToString([]byte(username + ":" + password))
}

const apiDecoder = "sectigo-api/1"

// DSRecord holds a DS record of a website, as the platform wants it at the registrar.
type DSRecord struct {
	Domain  string // "" where the answer names none
	DS      schema.DS
	Created *schema.Time // nil where the answer does not say
}

// ListDS returns dnssec.described with the DS records that the platform lists of a website: all of them, SHA-256 before
// other digests, and, if their times of creation tell it, the newest by itself. If nothing is listed, there is no
// event. It leaves out records that cannot be read, and says so.
func (c *Client) ListDS(ctx context.Context, websiteID string) (provider.Answer, error) {
	list, raw, err := c.DSRecords(ctx, websiteID)
	var unreadable *unreadableRecord
	if err != nil && !errors.As(err, &unreadable) {
		return provider.Answer{}, err
	}
	if len(list) == 0 && unreadable == nil {
		return provider.Answer{}, nil
	}
	data := schema.Data{Event: "ds_records", Decoder: apiDecoder, WebsiteID: websiteID, DS: newest(list)}
	if unreadable != nil {
		data.Unreadable = []schema.Unreadable{{Part: "ds", Reason: unreadable.err.Error()}}
	}
	for _, r := range list {
		data.DSRecords = append(data.DSRecords, r.DS)
		data.Domain = cmp.Or(data.Domain, r.Domain)
	}
	return provider.Answer{Kind: schema.DNSSECDescribed, Data: data, Delivery: &provider.Delivery{Method: http.MethodGet, Header: map[string][]string{}, Body: raw}}, nil
}

// newest returns the first record of the key whose record was created last; nil unless all say when they were created,
// and those created last are of one key.
func newest(list []DSRecord) *schema.DS {
	var best *DSRecord
	for i := range list {
		r := &list[i]
		switch {
		case r.Created == nil:
			return nil
		case best == nil || r.Created.After(best.Created.Time):
			best = r
		}
	}
	ofOther := func(r DSRecord) bool { return r.DS.KeyTag != best.DS.KeyTag || r.DS.Algorithm != best.DS.Algorithm }
	if best == nil || slices.ContainsFunc(list, func(r DSRecord) bool { return r.Created.Equal(best.Created.Time) && ofOther(r) }) {
		return nil
	}
	return &list[slices.IndexFunc(list, func(r DSRecord) bool { return !ofOther(r) })].DS
}

// unreadableRecord says that a record that is listed cannot be read.
type unreadableRecord struct {
	website string
	err     error
}

func (u *unreadableRecord) Error() string {
	return fmt.Sprintf("a DS record that Sectigo lists of website %s cannot be read: %v", u.website, u.err)
}

func (u *unreadableRecord) Unwrap() error { return u.err }

// DSRecords returns the DS records of a website ("DNSSEC Workflow" page, step 4: domain, keytag, algorithm, digest_type
// and digest). The page does not show the shape of the answer, so they are looked for as in the webhooks' bodies: in a
// list or alone, wrapped or bare, numbers as strings or not. One that cannot be read is an *unreadableRecord, beside
// those that can. raw is the whole answer.
func (c *Client) DSRecords(ctx context.Context, websiteID string) (list []DSRecord, raw json.RawMessage, err error) {
	id, err := schema.ID(websiteID)
	if err != nil || id == "" || id == "." || id == ".." {
		return nil, nil, errors.New("asking Sectigo for DS records needs a website's number")
	}
	if err := c.api.JSON(ctx, http.MethodGet, "v2/websites/"+url.PathEscape(id)+"/dns/ds_records", nil, nil, &raw); err != nil {
		return nil, nil, refused("list the DS records of website "+id, err)
	}
	var s search
	s.walk(untyped(raw), place{}, 0)
	slices.SortStableFunc(s.records, func(a, b record) int { return cmp.Compare(rank(a), rank(b)) })
	var unreadable error
	for _, r := range s.records {
		if r.err != nil {
			unreadable = cmp.Or(unreadable, error(&unreadableRecord{id, r.err}))
			continue
		}
		one := DSRecord{DS: r.ds}
		if !r.created.IsZero() {
			one.Created = &r.created
		}
		if one.Domain, err = schema.DomainName(r.domain); err != nil {
			one.Domain = ""
		}
		list = append(list, one)
	}
	return list, raw, unreadable
}

// refused makes a sentence of a refusal. Any other error stays as it is.
func refused(tried string, err error) error {
	var r *provider.Refusal
	if !errors.As(err, &r) {
		return err
	}
	why := "see that the website's number is right, and that DNSSEC is enabled for it"
	if r.Status == http.StatusUnauthorized || r.Status == http.StatusForbidden {
		why = "it does not accept the credentials. Set sectigo-api-username and sectigo-api-password to those of the partner account"
	}
	return fmt.Errorf("asking Sectigo to %s failed: %s: %w", tried, why, r)
}

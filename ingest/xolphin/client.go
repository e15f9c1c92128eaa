package xolphin

import (
	"cmp"
	"context"
	"encoding/base64"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

// DefaultAPI holds the base URL of the REST API; https://test-api.xolphin.com/v1 is that of its test system. What is
// said here of the API was read in the vendor's own clients (xolphin/xolphin-api-php, -go and -python): no page
// describes it.
const DefaultAPI = "https://api.xolphin.com/v1"

// The API limits how often it is called, which its answers tell in X-RateLimit-Limit, but no page says how often. This
// is an assumption well below what a person at the site would make.
const (
	APIRate  = 1 // calls a second
	APIBurst = 10
)

// maxPages bounds how many pages of a list are read.
const maxPages = 1000

// API makes the calls of a Client. Paths are relative to the base URL. Its methods may be called at once from many
// goroutines. An answer of status 400 to 499 is a *provider.Refusal.
type API interface {
	// JSON sends in, if it is not nil, and reads the answer into out, if that is not nil.
	JSON(ctx context.Context, method, path string, query url.Values, in, out any) error
	// Bytes gets what is no JSON.
	Bytes(ctx context.Context, path string, query url.Values) ([]byte, error)
}

// Client asks Xolphin's REST API. Its methods may be called at once from many goroutines.
type Client struct{ api API }

// NewClient returns a client that queries through api.
func NewClient(api API) *Client { return &Client{api: api} }

// Authorize puts user name and password on a request, by HTTP Basic, and the Accept that the vendor's clients send with
// every one.
func Authorize(username, password string) func(h http.Header) {
	basic := Basic(username, password)
	return func(h http.Header) {
		h.Set("Authorization", "Basic "+basic)
		h.Set("Accept", "application/json")
	}
}

// Basic writes user name and password as they go over the wire, which is as secret as the password.
func Basic(username, password string) string {
	return base64.StdEncoding.EncodeToString([]byte(username + ":" + password))
}

// refused makes a sentence of a refusal: what was tried, and what the API says. Any other error stays as it is.
func refused(tried string, err error) error {
	var r *provider.Refusal
	if !errors.As(err, &r) {
		return err
	}
	switch r.Status {
	case http.StatusUnauthorized, http.StatusForbidden:
		return fmt.Errorf("asking Xolphin to %s failed: it does not accept the credentials. Set xolphin-api-username and xolphin-api-password to those of the account: %w", tried, r)
	case http.StatusNotFound:
		return fmt.Errorf("asking Xolphin to %s failed: it does not know of it. See that the number is right, and that the account is the one that has it: %w", tried, r)
	}
	var body struct {
		Message provider.Text `json:"message"`
	}
	_ = json.Unmarshal(r.Body, &body) // a refusal without a reason is one all the same
	return fmt.Errorf("asking Xolphin to %s failed: it says %q: %w", tried, cmp.Or(provider.Clip(string(body.Message), provider.MaxText), "nothing"), r)
}

// Request holds an order as the API has it. A request has no status: it follows from what the order says of its checks.
type Request struct {
	ID             string
	Names          []string // lower-case A-labels, the common name first
	Company        string
	Ordered        *schema.Time // nil where it cannot be read
	RequiresAction bool         // somebody has to do something
	Checks         schema.Checks
	Reason         string // the API's words on the first check that failed or waits
	raw            json.RawMessage
}

// Certificate holds a certificate as the API has it.
type Certificate struct {
	ID      string
	Names   []string // as a request's
	Issued  *schema.Time
	Expires *schema.Time
}

// Requests returns all orders, of all pages.
func (c *Client) Requests(ctx context.Context) ([]Request, error) {
	raw, err := c.pages(ctx, "requests")
	if err != nil {
		return nil, err
	}
	var list []Request
	for _, one := range raw {
		if r, err := readRequest(one); err == nil {
			list = append(list, r)
		}
	}
	return list, nil
}

// Request returns the order of this number.
func (c *Client) Request(ctx context.Context, id string) (Request, error) {
	raw, err := c.one(ctx, "describe request "+id, "requests", id)
	if err != nil {
		return Request{}, err
	}
	return readRequest(raw)
}

// Certificates returns all certificates, of all pages.
func (c *Client) Certificates(ctx context.Context) ([]Certificate, error) {
	raw, err := c.pages(ctx, "certificates")
	if err != nil {
		return nil, err
	}
	var list []Certificate
	for _, one := range raw {
		if r, err := readCertificate(one); err == nil {
			list = append(list, r)
		}
	}
	return list, nil
}

// Certificate returns the certificate of this number.
func (c *Client) Certificate(ctx context.Context, id string) (Certificate, error) {
	raw, err := c.one(ctx, "describe certificate "+id, "certificates", id)
	if err != nil {
		return Certificate{}, err
	}
	return readCertificate(raw)
}

// The formats of Download that certtrail uses.
const (
	FormatCertificate = "CRT"       // the certificate alone
	FormatChain       = "CA_BUNDLE" // those above it
)

// Download returns the certificate in a format of the API: PEM, as far as the vendor's clients tell.
func (c *Client) Download(ctx context.Context, certificateID, format string) ([]byte, error) {
	path, err := segment(certificateID)
	if err != nil {
		return nil, err
	}
	body, err := c.api.Bytes(ctx, "certificates/"+path+"/download", url.Values{"format": {format}})
	return body, refused("hand out certificate "+certificateID+" as "+format, err)
}

func (c *Client) one(ctx context.Context, tried, list, id string) (json.RawMessage, error) {
	path, err := segment(id)
	if err != nil {
		return nil, err
	}
	var raw json.RawMessage
	if err := c.api.JSON(ctx, http.MethodGet, list+"/"+path, nil, nil, &raw); err != nil {
		return nil, refused(tried, err)
	}
	return raw, nil
}

// pages reads the items of a list, page by page. Items that are new on page one while others are read move some to the
// next page, where they come twice.
func (c *Client) pages(ctx context.Context, list string) ([]json.RawMessage, error) {
	var all []json.RawMessage
	seen := map[string]bool{}
	for page := 1; page <= maxPages; page++ {
		var out struct {
			Pages    provider.Text                `json:"pages"`
			Embedded map[string][]json.RawMessage `json:"_embedded"`
		}
		if err := c.api.JSON(ctx, http.MethodGet, list, url.Values{"page": {strconv.Itoa(page)}}, nil, &out); err != nil {
			return nil, refused("list the "+list, err)
		}
		for _, raw := range out.Embedded[list] {
			var item struct {
				ID provider.Text `json:"id"`
			}
			_ = json.Unmarshal(raw, &item) // without a number it is left out when it is read
			if !seen[string(item.ID)] {
				seen[string(item.ID)] = true
				all = append(all, raw)
			}
		}
		if last, err := strconv.Atoi(string(out.Pages)); err != nil || page >= last || len(out.Embedded[list]) == 0 {
			return all, nil
		}
	}
	return nil, fmt.Errorf("the list of %s at Xolphin has more than %d pages, more than certtrail reads", list, maxPages)
}

// segment escapes id for a path.
func segment(id string) (string, error) {
	id, err := schema.ID(id)
	if err != nil || id == "" || id == "." || id == ".." {
		return "", errors.New("asking Xolphin needs a number: give the request's or the certificate's")
	}
	return url.PathEscape(id), nil
}

// Standings returns the state of all orders: the API cannot be asked for those that changed since a time, so it ignores
// since. A request that a certificate matches is issued; one that is rejected or canceled can no longer be told from
// one that is pending, or is not listed at all.
func (c *Client) Standings(ctx context.Context, _, _ time.Time) ([]provider.Standing, error) {
	requests, err := c.Requests(ctx)
	if err != nil {
		return nil, err
	}
	certificates, err := c.Certificates(ctx)
	if err != nil {
		return nil, err
	}
	var list []provider.Standing
	for _, r := range requests {
		list = append(list, r.standing(certificates))
	}
	return list, nil
}

// Describe returns order.described with an order's names and checks. The state of its standing is "": only a
// certificate tells whether it is issued.
func (c *Client) Describe(ctx context.Context, orderID string) (provider.Standing, provider.Answer, error) {
	r, err := c.Request(ctx, orderID)
	if err != nil {
		return provider.Standing{}, provider.Answer{}, err
	}
	r.ID = orderID
	data := schema.Data{
		Event: "request", Decoder: apiDecoder, OrderID: orderID, OrganizationName: r.Company, Checks: r.Checks, Reason: r.Reason, Certificate: r.certificate(),
	}
	s := r.standing(nil)
	s.State = ""
	return s, provider.Answer{Kind: schema.OrderDescribed, Data: data, Delivery: asDelivery(nil, r.raw)}, nil
}

// Collect returns certificate.collected with the certificate of this number; without one, with the newest certificate
// that matches the order, because an Issued delivery names none. The kept original has the certificate and those above
// it.
func (c *Client) Collect(ctx context.Context, orderID, certificateID string) (provider.Answer, error) {
	if certificateID == "" {
		var err error
		if certificateID, err = c.find(ctx, orderID); err != nil {
			return provider.Answer{}, err
		}
	}
	leaf, err := c.Download(ctx, certificateID, FormatCertificate)
	if err != nil {
		return provider.Answer{}, err
	}
	bundle, err := c.Download(ctx, certificateID, FormatChain)
	if err != nil {
		return provider.Answer{}, err
	}
	data := schema.Data{Event: "certificate", Decoder: apiDecoder, OrderID: orderID, CertificateID: certificateID}
	if data.Certificate, err = provider.ParseCertificate(asText(leaf)); err != nil {
		data.Unreadable = []schema.Unreadable{{Part: "certificate", Reason: err.Error()}}
	}
	answer := provider.Answer{Kind: schema.CertificateCollected, Data: data, Delivery: asDelivery(nil, []byte(strings.TrimSpace(asText(leaf))+"\n"+asText(bundle)))}
	answer.Delivery.Header["Content-Type"] = []string{"application/x-pem-file"}
	return answer, nil
}

// find returns the number of the newest certificate that matches the order.
func (c *Client) find(ctx context.Context, orderID string) (string, error) {
	r, err := c.Request(ctx, orderID)
	if err != nil {
		return "", err
	}
	certificates, err := c.Certificates(ctx)
	if err != nil {
		return "", err
	}
	match, ok := Match(r, certificates)
	if !ok {
		return "", fmt.Errorf("no certificate that Xolphin lists has the names of request %s and was issued since it was ordered: it may not be issued yet, so ask again later", orderID)
	}
	return match.ID, nil
}

// asText writes a certificate as text: one in DER, which begins with a SEQUENCE, as base64.
func asText(b []byte) string {
	if len(b) > 2 && b[0] == 0x30 && b[1] >= 0x80 {
		return base64.StdEncoding.EncodeToString(b)
	}
	return string(b)
}

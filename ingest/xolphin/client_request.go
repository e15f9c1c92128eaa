package xolphin

import (
	"encoding/json"
	"errors"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"time"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

const apiDecoder = "xolphin-api/1"

// truth holds a boolean that the API may write as a number: the Go client says of a domain's status that it does not
// know which. Only true and 1 are true; said is false for what is neither true nor false, such as another number.
type truth struct{ is, said bool }

func (t *truth) UnmarshalJSON(b []byte) error {
	switch strings.ToLower(strings.Trim(string(b), `"`)) {
	case "true", "1":
		*t = truth{is: true, said: true}
	case "false", "0":
		*t = truth{said: true}
	default:
		*t = truth{}
	}
	return nil
}

// requestJSON holds what is read of a request. validations is an open map.
type requestJSON struct {
	ID             provider.Text              `json:"id"`
	Domain         provider.Text              `json:"domainName"`
	Names          names                      `json:"subjectAlternativeNames"`
	Company        provider.Text              `json:"company"`
	Ordered        provider.Text              `json:"dateOrdered"`
	Validations    map[string]json.RawMessage `json:"validations"`
	RequiresAction truth                      `json:"requiresAction"`
	Brand          truth                      `json:"brandValidation"`
}

// names reads a list of names, or one string of them.
type names []string

func (n *names) UnmarshalJSON(b []byte) error {
	*n = nil
	var list []provider.Text
	var text provider.Text
	if json.Unmarshal(b, &list) != nil {
		_ = text.UnmarshalJSON(b) // never fails
		for _, s := range strings.FieldsFunc(string(text), func(r rune) bool { return strings.ContainsRune(" ,;\r\n", r) }) {
			list = append(list, provider.Text(s))
		}
	}
	for _, s := range list {
		if s != "" {
			*n = append(*n, string(s))
		}
	}
	return nil
}

// check holds one of a request's validations.
type check struct {
	Status  truth         `json:"status"`
	Message provider.Text `json:"statusMessage"`
	Domains []struct {
		Domain  provider.Text `json:"domain"`
		Status  truth         `json:"status"`
		Message provider.Text `json:"statusMessage"`
	} `json:"domains"`
}

var errNoNumber = errors.New("the answer is not one of Xolphin's requests or certificates: it has no number")

func readRequest(raw json.RawMessage) (Request, error) {
	var in requestJSON
	if err := json.Unmarshal(raw, &in); err != nil {
		return Request{}, errNoNumber
	}
	id, err := schema.ID(string(in.ID))
	if err != nil || id == "" {
		return Request{}, errNoNumber
	}
	r := Request{
		ID: id, Names: domains(string(in.Domain), in.Names), Company: provider.Clip(string(in.Company), provider.MaxText), Ordered: moment(in.Ordered),
		RequiresAction: in.RequiresAction.is, raw: raw,
	}
	r.read(&in)
	return r, nil
}

// checkNames maps the keys of validations to checks. That docs are an organization's documents, and request the CSR, is
// an assumption: the webhook tells of a CSR that failed, and request is the only key that is left for it. Any other key
// says nothing of a check.
var checkNames = map[string]string{
	"docs": schema.CheckOrganization, "organization": schema.CheckOrganization, "phone": schema.CheckPhone, "whois": schema.CheckWhois,
	"csr": schema.CheckCSR, "request": schema.CheckCSR,
}

// read works out the checks. One whose status is true has passed. One that has not is failed where the request requires
// action: all of those but the domains, which wait for the CA to look again, unless nothing else is left that could
// require it. Otherwise it is pending.
func (r *Request) read(in *requestJSON) {
	r.Checks = schema.Checks{}
	messages := map[string]string{}
	note := func(name string, status truth, message provider.Text) {
		if !status.said || r.Checks[name] == schema.CheckPending && status.is {
			return // of two keys that stand for one check, the worse counts
		}
		if messages[name] = string(message); status.is {
			r.Checks[name] = schema.CheckPassed
		} else {
			r.Checks[name] = schema.CheckPending
		}
	}
	for _, key := range slices.Sorted(maps.Keys(in.Validations)) {
		var c check
		if json.Unmarshal(in.Validations[key], &c) != nil {
			continue
		}
		if name, known := checkNames[strings.ToLower(key)]; known {
			note(name, c.Status, c.Message)
		}
		for _, d := range c.Domains {
			if domain, err := schema.DomainName(string(d.Domain)); err == nil && strings.EqualFold(key, "dcv") {
				note(schema.DomainCheck(domain), d.Status, d.Message)
			}
		}
	}
	if in.RequiresAction.is {
		r.fail()
	}
	if in.Brand.said {
		r.Checks[schema.CheckBrand] = schema.CheckPassed
		if in.Brand.is {
			r.Checks[schema.CheckBrand] = schema.CheckDelayed
		}
	}
	r.reason(messages)
}

func (r *Request) fail() {
	waiting := func(domains bool) []string {
		var list []string
		for name, state := range r.Checks {
			if state == schema.CheckPending && strings.HasPrefix(name, schema.DomainCheck("")) == domains {
				list = append(list, name)
			}
		}
		return list
	}
	list := waiting(false)
	if len(list) == 0 {
		list = waiting(true)
	}
	for _, name := range list {
		r.Checks[name] = schema.CheckFailed
	}
}

// reason returns what the API says of a check that failed, else of one that waits.
func (r *Request) reason(messages map[string]string) {
	for _, state := range []schema.CheckState{schema.CheckFailed, schema.CheckPending} {
		for _, name := range slices.Sorted(maps.Keys(r.Checks)) {
			if r.Checks[name] == state && messages[name] != "" {
				r.Reason = provider.Clip(messages[name], provider.MaxText)
				return
			}
		}
	}
}

// standing returns the state of the order, given all certificates.
func (r *Request) standing(certificates []Certificate) provider.Standing {
	s := provider.Standing{OrderID: r.ID, State: provider.StandingPending, Word: "request", Checks: r.Checks, Certificate: r.certificate()}
	if r.RequiresAction {
		s.Word = "requires action"
	}
	if match, ok := Match(*r, certificates); ok {
		s.State, s.Word, s.CertificateID, s.At = provider.StandingIssued, "certificate", match.ID, match.Issued
	}
	return s
}

// certificate returns the names that the order is for.
func (r *Request) certificate() *schema.Certificate {
	if len(r.Names) == 0 {
		return nil
	}
	return &schema.Certificate{CommonName: r.Names[0], DNSNames: r.Names}
}

func readCertificate(raw json.RawMessage) (Certificate, error) {
	var in struct {
		ID      provider.Text `json:"id"`
		Domain  provider.Text `json:"domainName"`
		Names   names         `json:"subjectAlternativeNames"`
		Issued  provider.Text `json:"dateIssued"`
		Expired provider.Text `json:"dateExpired"`
	}
	if err := json.Unmarshal(raw, &in); err != nil {
		return Certificate{}, errNoNumber
	}
	id, err := schema.ID(string(in.ID))
	if err != nil || id == "" {
		return Certificate{}, errNoNumber
	}
	return Certificate{ID: id, Names: domains(string(in.Domain), in.Names), Issued: moment(in.Issued), Expires: moment(in.Expired)}, nil
}

// Match returns the newest of certificates that has just the names of r and was issued no earlier than the day before
// it was ordered: no field links a request to its certificate, and dateIssued is a day in the vendor's examples, with
// the time of midnight.
func Match(r Request, certificates []Certificate) (Certificate, bool) {
	var best Certificate
	found := false
	for _, c := range certificates {
		if len(r.Names) == 0 || c.Issued == nil || !sameNames(r.Names, c.Names) || r.Ordered != nil && c.Issued.Before(r.Ordered.Add(-24*time.Hour)) {
			continue
		}
		if !found || c.Issued.After(best.Issued.Time) {
			best, found = c, true
		}
	}
	return best, found
}

func sameNames(a, b []string) bool {
	a, b = slices.Clone(a), slices.Clone(b)
	slices.Sort(a)
	slices.Sort(b)
	return slices.Equal(slices.Compact(a), slices.Compact(b))
}

// domains returns all names, each once, the first first. It leaves out what is no domain name, as in a code signing
// request.
func domains(first string, more []string) []string {
	var list []string
	for _, s := range append([]string{first}, more...) {
		if name, err := schema.DomainName(s); err == nil && !slices.Contains(list, name) {
			list = append(list, name)
		}
	}
	return list
}

// moment reads a time of the API; nil if it is absent or cannot be read.
func moment(s provider.Text) *schema.Time {
	if s == "" {
		return nil
	}
	t, err := schema.ParseTime(string(s))
	if err != nil {
		return nil
	}
	return &t
}

// asDelivery wraps an answer as a delivery, to be redacted and stored.
func asDelivery(query url.Values, body []byte) *provider.Delivery {
	return &provider.Delivery{Method: http.MethodGet, Query: query.Encode(), Header: map[string][]string{}, Body: body}
}

package probely

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/netip"
	"net/url"
	"strconv"
	"strings"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

// user holds a User object. Its API names id, email and name; the other names are those that the pages on users use.
type user struct {
	ID        provider.Text `json:"id"`
	Email     provider.Text `json:"email"`
	Name      provider.Text `json:"name"`
	FirstName provider.Text `json:"first_name"`
	LastName  provider.Text `json:"last_name"`
	Phone     provider.Text `json:"phone"`
}

// site holds what of a target.site is not secret.
type site struct {
	Name     provider.Text `json:"name"`
	URL      provider.Text `json:"url"`
	Host     provider.Text `json:"host"`
	Verified provider.Bool `json:"verified"`
	Method   provider.Text `json:"verification_method"`
	Error    provider.Text `json:"verification_last_error"`
}

// target holds a Target object.
type target struct {
	ID   provider.Text   `json:"id"`
	Name provider.Text   `json:"name"`
	Site json.RawMessage `json:"site"`
}

// scan holds a Scan object.
type scan struct {
	ID        provider.Text   `json:"id"`
	Target    json.RawMessage `json:"target"`
	Status    provider.Text   `json:"status"`
	Profile   provider.Text   `json:"scan_profile"`
	Started   provider.Text   `json:"started"`
	Completed provider.Text   `json:"completed"`
	Lows      whole           `json:"lows"`
	Mediums   whole           `json:"mediums"`
	Highs     whole           `json:"highs"`
}

// finding holds a Finding object. Its id is a number that is unique only within its target.
type finding struct {
	ID         provider.Text   `json:"id"`
	Target     json.RawMessage `json:"target"`
	Definition json.RawMessage `json:"definition"`
	URL        provider.Text   `json:"url"`
	Method     provider.Text   `json:"method"`
	Parameter  provider.Text   `json:"parameter"`
	State      provider.Text   `json:"state"`
	Severity   whole           `json:"severity"`
	Score      fraction        `json:"cvss_score"`
	Vector     provider.Text   `json:"cvss_vector"`
	LastFound  provider.Text   `json:"last_found"`
}

// object reads what of a T is there; what is no object has nothing of one.
func object[T any](raw json.RawMessage) (v T) {
	_ = json.Unmarshal(inner(raw), &v)
	return v
}

// id checks one of the content's ids.
func id(name string, t provider.Text) (string, error) {
	if t == "" {
		return "", fmt.Errorf("has no %s", name)
	}
	s, err := schema.ID(string(t))
	if err != nil {
		return "", fmt.Errorf("has a %s that cannot be used: %w", name, err)
	}
	return s, nil
}

func text(t provider.Text) string { return provider.Clip(string(t), provider.MaxText) }

func readUser(raw json.RawMessage) user { return object[user](raw) }

// name returns what tells the user from others.
func (u *user) name() (string, error) {
	if u.ID == "" && u.Email == "" {
		return "", errors.New("has no content.id")
	}
	if u.ID == "" {
		return id("content.email", u.Email)
	}
	return id("content.id", u.ID)
}

func describeUser(out *schema.Data, content json.RawMessage) error {
	u := readUser(content)
	if _, err := u.name(); err != nil {
		return err
	}
	out.User = &schema.User{Person: &schema.Person{
		ID: text(u.ID), Email: text(u.Email), Name: text(u.Name), FirstName: text(u.FirstName), LastName: text(u.LastName), Phone: text(u.Phone),
	}}
	return nil
}

func describeTarget(out *schema.Data, content json.RawMessage) (err error) {
	t := object[target](content)
	if out.TargetID, err = id("content.id", t.ID); err != nil {
		return err
	}
	s := object[site](t.Site)
	out.Target = t.described()
	if events[out.Event] == schema.TargetVerificationFailed {
		out.Reason = text(s.Error)
	}
	return nil
}

// described returns nil if there is nothing to say.
func (t *target) described() *schema.Target {
	s := object[site](t.Site)
	d := &schema.Target{Name: text(t.Name), URL: cleanURL(string(s.URL)), Verified: s.Verified.Value, VerificationMethod: text(s.Method)}
	if d.Name == "" {
		d.Name = text(s.Name)
	}
	if d.Host = host(string(s.Host)); d.Host == "" {
		d.Host = hostOf(string(s.URL))
	}
	if *d == (schema.Target{}) {
		return nil
	}
	return d
}

// describeParent reads the target that a scan or a finding belongs to, as far as it says.
func describeParent(out *schema.Data, raw json.RawMessage) {
	t := object[target](raw)
	if t.ID == "" && !strings.HasPrefix(string(inner(raw)), "{") { // the id alone
		_ = t.ID.UnmarshalJSON(raw)
	}
	out.Target = t.described()
	if t.ID == "" {
		return
	}
	var err error
	if out.TargetID, err = schema.ID(string(t.ID)); err != nil {
		out.TargetID = ""
		unreadable(out, "target_id", err.Error())
	}
}

func describeScan(out *schema.Data, content json.RawMessage) (err error) {
	s := object[scan](content)
	if out.ScanID, err = id("content.id", s.ID); err != nil {
		return err
	}
	describeParent(out, s.Target)
	d := &schema.Scan{Status: text(s.Status), Profile: text(s.Profile), Lows: s.Lows.value, Mediums: s.Mediums.value, Highs: s.Highs.value}
	readTime(out, &d.StartedAt, "started", s.Started)
	readTime(out, &d.CompletedAt, "completed", s.Completed)
	if *d != (schema.Scan{}) {
		out.Scan = d
	}
	return nil
}

func describeFinding(out *schema.Data, content json.RawMessage) error {
	f := object[finding](content)
	number, err := id("content.id", f.ID)
	if err != nil {
		return err
	}
	describeParent(out, f.Target)
	if out.FindingID, err = schema.ID(schema.FindingID(out.TargetID, number)); err != nil {
		return fmt.Errorf("has a content.id that cannot be used: %w", err)
	}
	if out.TargetID == "" && len(out.Unreadable) == 0 {
		unreadable(out, "target_id", "the finding does not say of which target it is, and its number is unique only there")
	}
	definition := object[struct {
		ID   provider.Text `json:"id"`
		Name provider.Text `json:"name"`
	}](f.Definition)
	d := &schema.Finding{
		Name: text(definition.Name), DefinitionID: text(definition.ID), URL: cleanURL(string(f.URL)), Host: hostOf(string(f.URL)), Method: text(f.Method),
		Parameter: text(f.Parameter), State: text(f.State), CVSSScore: f.Score.value, CVSSVector: text(f.Vector),
	}
	if f.Severity.value != nil {
		d.Severity = *f.Severity.value
	}
	readTime(out, &d.LastFoundAt, "last_found", f.LastFound)
	if *d != (schema.Finding{}) {
		out.Finding = d
	}
	return nil
}

// readTime reads a time with or without a zone, which is UTC then.
func readTime(out *schema.Data, to **schema.Time, part string, t provider.Text) {
	if t == "" {
		return
	}
	at, err := schema.ParseTime(string(t))
	if err != nil {
		unreadable(out, part, "it is not a time in RFC 3339")
		return
	}
	*to = &at
}

// cleanURL removes from a URL what may bear a secret; "" if s is no URL.
func cleanURL(s string) string {
	u := parseURL(s)
	if u == nil {
		return ""
	}
	clean := url.URL{Scheme: u.Scheme, Host: u.Host, Path: u.Path, RawPath: u.RawPath}
	return provider.Clip(clean.String(), provider.MaxText)
}

func hostOf(s string) string {
	u := parseURL(s)
	if u == nil {
		return ""
	}
	return host(u.Hostname())
}

// parseURL parses a URL with a host, or returns nil. It cuts off the user first: redaction puts a mark there that no
// parser takes.
func parseURL(s string) *url.URL {
	scheme, rest, ok := strings.Cut(s, "://")
	if !ok {
		return nil
	}
	end := strings.IndexAny(rest, "/?#")
	if end < 0 {
		end = len(rest)
	}
	if at := strings.LastIndexByte(rest[:end], '@'); at >= 0 {
		rest = rest[at+1:]
	}
	u, err := url.Parse(scheme + "://" + rest)
	if err != nil || u.Host == "" {
		return nil
	}
	return u
}

// host writes a host in the one form that is stored: a domain name or an address; "" for anything else.
func host(s string) string {
	if addr, err := netip.ParseAddr(strings.Trim(s, "[]")); err == nil {
		return addr.WithZone("").String()
	}
	name, err := schema.DomainName(s)
	if err != nil || strings.HasPrefix(name, "*") {
		return ""
	}
	return name
}

// whole reads a whole number, or a string of one, that may be absent; anything else is as if it were.
type whole struct{ value *int }

// UnmarshalJSON never fails.
func (w *whole) UnmarshalJSON(b []byte) error {
	w.value = nil
	if n, err := strconv.ParseInt(strings.Trim(string(b), `"`), 10, 32); err == nil {
		is := int(n)
		w.value = &is
	}
	return nil
}

// fraction reads a number, or a string of one; anything else is 0.
type fraction struct{ value float64 }

// UnmarshalJSON never fails.
func (f *fraction) UnmarshalJSON(b []byte) error {
	f.value = 0
	var n float64
	if json.Unmarshal(bytes.Trim(b, `"`), &n) == nil { // which knows neither NaN nor infinity
		f.value = n
	}
	return nil
}

package lifecycle

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/certtrail/certtrail/schema"
)

// Where a target stands, beside Deleted.
const (
	TargetCreated      = "created"
	Verified           = "verified"
	VerificationFailed = "verification_failed"
)

// Where a scan stands, beside Failed and Canceled.
const (
	ScanStarted = "started"
	Completed   = "completed"
)

// The severities of a scan's findings, as the values of changes have them.
const (
	High   = "high"
	Medium = "medium"
	Low    = "low"
)

// Where a finding stands.
const (
	Detected = "detected"
	Fixed    = "fixed"
)

// Target holds the life of something that a scanner watches.
type Target struct {
	Life
	State      string
	Since      *schema.Time // when it was first heard to stand so
	About      schema.Target
	VerifiedAt *schema.Time
	Reason     string // why the verification failed
}

// Fold returns t after the event at seq.
func (t Target) Fold(seq uint64, e *schema.Event) Target {
	if ignored(e) {
		return t
	}
	if decides(e) {
		t.Life = t.Life.decided(seq, e)
		return t
	}
	t.Life = t.Life.next(seq, e)
	if e.Data.Target != nil {
		t.About = t.about(*e.Data.Target)
	}
	t.Life = t.Life.readAll(&e.Data)
	before := t.State
	t = t.stands(e)
	if t.State != before {
		at := e.Time
		t.Since = &at
	}
	return t
}

func (t Target) stands(e *schema.Event) Target {
	switch kind := e.Kind(); {
	case kind == schema.TargetDeleted:
		t.State = Deleted
	case kind == schema.TargetCreated:
		if t.State == "" || t.State == Deleted { // or else it was overtaken
			t.State = TargetCreated
		}
	case t.State == Deleted: // overtaken by its end
	case kind == schema.TargetVerified:
		at := e.OccurredAt()
		t.State, t.VerifiedAt, t.Reason = Verified, &at, ""
	case kind == schema.TargetVerificationFailed:
		t.State, t.Reason = VerificationFailed, e.Data.Reason
	}
	return t
}

// about adds what an event says to what was known: it may say less.
func (t Target) about(now schema.Target) schema.Target {
	about := t.About
	keep(&about.Name, now.Name)
	keep(&about.URL, now.URL)
	keep(&about.Host, now.Host)
	keep(&about.VerificationMethod, now.VerificationMethod)
	return about
}

// keep puts now into known, if it says anything.
func keep(known *string, now string) {
	if now != "" {
		*known = now
	}
}

func keepTime(known **schema.Time, now *schema.Time) {
	if now != nil {
		*known = now
	}
}

func keepNumber(known **int, now *int) {
	if now != nil {
		*known = now
	}
}

// Changes returns what differs in after from t.
func (t Target) Changes(after Target, _ time.Time) []Changed {
	var c changes
	c.text(FieldState, t.State, after.State)
	c.text(FieldReason, t.Reason, after.Reason)
	c.text(FieldName, t.About.Name, after.About.Name)
	c.text(FieldURL, t.About.URL, after.About.URL)
	c.text(FieldHost, t.About.Host, after.About.Host)
	c.time(FieldVerifiedAt, t.VerifiedAt, after.VerifiedAt)
	c.text(FieldUnreadable, t.Unreadable, after.Unreadable)
	return c
}

// Scan holds the life of one run of a scanner. It ends once.
type Scan struct {
	Life
	State    string
	TargetID string
	Host     string
	About    schema.Scan
}

// Fold returns s after the event at seq.
func (s Scan) Fold(seq uint64, e *schema.Event) Scan {
	if ignored(e) {
		return s
	}
	s.Life = s.Life.next(seq, e)
	d := &e.Data
	at := d.OccurredAt
	keep(&s.TargetID, d.TargetID)
	if d.Target != nil {
		keep(&s.Host, d.Target.Host)
	}
	if d.Scan != nil {
		s.About = s.about(d.Scan)
	}
	s.Life = s.Life.readAll(d)
	switch e.Kind() {
	case schema.ScanStarted:
		if s.State == "" { // or else it was overtaken by its end
			s.State = ScanStarted
		}
		if s.About.StartedAt == nil {
			s.About.StartedAt = at
		}
		return s
	case schema.ScanCompleted:
		s.State = Completed
	case schema.ScanCanceled:
		s.State = Canceled
	case schema.ScanFailed:
		s.State = Failed
	default:
		return s
	}
	if s.About.CompletedAt == nil {
		s.About.CompletedAt = at
	}
	return s
}

func (s Scan) about(now *schema.Scan) schema.Scan {
	about := s.About
	keep(&about.Status, now.Status)
	keep(&about.Profile, now.Profile)
	keepTime(&about.StartedAt, now.StartedAt)
	keepTime(&about.CompletedAt, now.CompletedAt)
	keepNumber(&about.Lows, now.Lows)
	keepNumber(&about.Mediums, now.Mediums)
	keepNumber(&about.Highs, now.Highs)
	return about
}

// Changes returns what differs in after from s.
func (s Scan) Changes(after Scan, _ time.Time) []Changed {
	var c changes
	c.text(FieldState, s.State, after.State)
	c.text(FieldTarget, s.TargetID, after.TargetID)
	c.text(FieldHost, s.Host, after.Host)
	c.text(FieldFindings, tally(&s.About), tally(&after.About))
	c.time(FieldStartedAt, s.About.StartedAt, after.About.StartedAt)
	c.time(FieldEndedAt, s.About.CompletedAt, after.About.CompletedAt)
	c.text(FieldUnreadable, s.Unreadable, after.Unreadable)
	return c
}

// tally counts a scan's findings by severity: "high:1, medium:2, low:3"; "" if it does not say.
func tally(s *schema.Scan) string {
	var parts []string
	for _, part := range []struct {
		n    *int
		code string
	}{{s.Highs, High}, {s.Mediums, Medium}, {s.Lows, Low}} {
		if part.n != nil {
			parts = append(parts, part.code+":"+strconv.Itoa(*part.n))
		}
	}
	return strings.Join(parts, ListSeparator)
}

// Finding holds the life of one weakness. One that is detected again after it was fixed is there again.
type Finding struct {
	Life
	State      string
	TargetID   string
	About      schema.Finding
	DetectedAt *schema.Time // first, or first since it was fixed
	FixedAt    *schema.Time
}

// Fold returns f after the event at seq.
func (f Finding) Fold(seq uint64, e *schema.Event) Finding {
	if ignored(e) {
		return f
	}
	if decides(e) {
		f.Life = f.Life.decided(seq, e)
		return f
	}
	f.Life = f.Life.next(seq, e)
	d := &e.Data
	at := e.OccurredAt()
	keep(&f.TargetID, d.TargetID)
	if d.Finding != nil {
		f.About = f.about(d.Finding)
	}
	if d.Target != nil && f.About.Host == "" {
		f.About.Host = d.Target.Host
	}
	f.Life = f.Life.readAll(d)
	switch e.Kind() {
	case schema.FindingDetected:
		if f.State != Detected {
			f.State, f.DetectedAt, f.FixedAt = Detected, &at, nil
		}
	case schema.FindingFixed:
		if f.State != Fixed {
			f.State, f.FixedAt = Fixed, &at
		}
	}
	return f
}

func (f Finding) about(now *schema.Finding) schema.Finding {
	about := f.About
	keep(&about.Name, now.Name)
	keep(&about.DefinitionID, now.DefinitionID)
	keep(&about.URL, now.URL)
	keep(&about.Host, now.Host)
	keep(&about.Method, now.Method)
	keep(&about.Parameter, now.Parameter)
	keep(&about.State, now.State)
	keep(&about.CVSSVector, now.CVSSVector)
	keepTime(&about.LastFoundAt, now.LastFoundAt)
	if now.Severity != 0 {
		about.Severity = now.Severity
	}
	if now.CVSSScore != 0 {
		about.CVSSScore = now.CVSSScore
	}
	return about
}

// tlsWords name what is about TLS, certificates or what makes browsers use them.
var tlsWords = []string{"tls", "ssl", "https", "hsts", "certificate", "certificates", "cipher", "ciphers", "x509", "ocsp", "caa", "heartbleed", "poodle", "freak", "logjam", "drown", "sweet32", "beast", "robot"}

// TLS reports whether the finding is about TLS or certificates, by the name of its definition.
func (f Finding) TLS() bool {
	name := strings.ToLower(strings.ReplaceAll(f.About.Name, "X.509", "x509"))
	for _, word := range strings.FieldsFunc(name, func(r rune) bool { return (r < 'a' || r > 'z') && (r < '0' || r > '9') }) {
		if slices.Contains(tlsWords, word) || strings.HasPrefix(word, "tlsv") || strings.HasPrefix(word, "sslv") {
			return true
		}
	}
	return strings.Contains(name, "strict-transport-security") || strings.Contains(name, "strict transport security")
}

// Changes returns what differs in after from f.
func (f Finding) Changes(after Finding, _ time.Time) []Changed {
	var c changes
	c.text(FieldState, f.State, after.State)
	c.text(FieldName, f.About.Name, after.About.Name)
	c.text(FieldTarget, f.TargetID, after.TargetID)
	c.text(FieldURL, f.About.URL, after.About.URL)
	c.text(FieldSeverity, number(f.About.Severity), number(after.About.Severity))
	c.text(FieldProviderState, f.About.State, after.About.State)
	c.time(FieldDetectedAt, f.DetectedAt, after.DetectedAt)
	c.time(FieldFixedAt, f.FixedAt, after.FixedAt)
	c.text(FieldUnreadable, f.Unreadable, after.Unreadable)
	return c
}

func number(n int) string {
	if n == 0 {
		return ""
	}
	return strconv.Itoa(n)
}

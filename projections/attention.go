package projections

import (
	"cmp"
	"context"
	"fmt"
	"maps"
	"net/url"
	"slices"
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// The severities of a matter, most urgent first.
const (
	Critical = "critical"
	Warning  = "warning"
	Notice   = "notice"
)

// mattersEach bounds how many matters of one kind are listed.
const mattersEach = 200

var severities = []string{Critical, Warning, Notice}

// Attention is what a person should act on now, most urgent first, then longest waiting first.
func (s *Store) Attention(ctx context.Context, now time.Time) ([]Matter, error) {
	matters := []Matter{}
	for _, find := range []func(context.Context, time.Time) ([]Matter, error){s.orderMatters, s.certificateMatters, s.domainMatters, s.dnssecMatters, s.targetMatters, s.findingMatters,
		s.quarantineMatters} {
		found, err := find(ctx, now)
		if err != nil {
			return nil, err
		}
		matters = append(matters, found...)
	}
	slices.SortStableFunc(matters, func(a, b Matter) int {
		return cmp.Or(cmp.Compare(slices.Index(severities, a.Severity), slices.Index(severities, b.Severity)), a.Since.Compare(b.Since.Time))
	})
	return matters, nil
}

func (s *Store) orderMatters(ctx context.Context, now time.Time) ([]Matter, error) {
	var matters []Matter
	for _, state := range []string{lifecycle.ActionRequired, lifecycle.ReissueReady} {
		found, _, err := page(ctx, s, orders, Query{State: state, Limit: mattersEach, Now: now})
		if err != nil {
			return nil, err
		}
		for _, o := range found {
			matters = append(matters, orderMatter(&o))
		}
	}
	return matters, nil
}

func orderMatter(o *Order) Matter {
	m := Matter{Severity: Warning, Kind: "order_" + o.NextStep, Since: o.LastEventAt, Href: href("orders", o.Provider, o.ID)}
	subject := subjectOf(o.CommonName, o.Provider, o.ID)
	switch o.NextStep {
	case lifecycle.StepAnswer:
		m.Title, m.Detail = "Check failed: "+subject, failedChecks(o)
	case lifecycle.StepApprove:
		m.Title, m.Detail = "Approval awaited: "+subject, "The CA sent an e-mail that asks for approval of the order."
	case lifecycle.StepRead:
		m.Title, m.Detail = "Message from the CA: "+subject, "The CA sent a message about the order; read it in the CA's console and answer it."
	case lifecycle.StepReissue:
		m.Severity, m.Title, m.Detail = Notice, "Ready to be reissued: "+subject, "The subscription runs on: reissue the certificate at the CA."
	}
	return m
}

func failedChecks(o *Order) string {
	detail := "The CA could not complete:"
	for _, name := range slices.Sorted(maps.Keys(o.Checks)) {
		if o.Checks[name] != schema.CheckFailed {
			continue
		}
		detail += " " + name
		if reason := o.Reasons[name]; reason != "" {
			detail += " (" + reason + ")"
		}
	}
	return detail + "."
}

func (s *Store) certificateMatters(ctx context.Context, now time.Time) ([]Matter, error) {
	announced, err := s.announced(ctx, now)
	if err != nil {
		return nil, err
	}
	var matters []Matter
	for _, c := range announced {
		detail := "The CA announced that it will revoke the certificate: replace it before then."
		if c.RevokesAt != nil {
			detail = revocation(*c.RevokesAt, now)
		}
		matters = append(matters, Matter{Critical, "revocation_announced", "Revocation announced: " + subjectOf(c.CommonName, c.Provider, c.ID), detail, c.LastEventAt, href("certificates", c.Provider, c.ID)})
	}
	expiring, _, err := page(ctx, s, certificates, Query{State: lifecycle.Expiring, Sort: "not_after", Limit: mattersEach, Now: now})
	if err != nil {
		return nil, err
	}
	for _, c := range expiring {
		m := Matter{Warning, "certificate_expiring", "Expires soon: " + subjectOf(c.CommonName, c.Provider, c.ID),
			fmt.Sprintf("Valid until %s, %d days from now: renew it.", c.NotAfter.Format("2006-01-02"), *c.DaysLeft), c.LastEventAt, href("certificates", c.Provider, c.ID)}
		if *c.DaysLeft < 7 {
			m.Severity = Critical
		}
		matters = append(matters, m)
	}
	return matters, nil
}

func revocation(at schema.Time, now time.Time) string {
	if left := at.Sub(now); left > 0 {
		return fmt.Sprintf("The CA will revoke the certificate at %s, in %d hours: replace it before then.", at.Format("2006-01-02 15:04 UTC"), int(left.Hours()))
	}
	return "The CA was to revoke the certificate at " + at.Format("2006-01-02 15:04 UTC") + ": replace it now."
}

// announced are the certificates that a CA is going to revoke.
func (s *Store) announced(ctx context.Context, now time.Time) ([]Certificate, error) {
	found, _, err := page(ctx, s, announcedCertificates, Query{Limit: mattersEach, Now: now})
	return found, err
}

// announcedCertificates is the certificates as a list of only those.
var announcedCertificates = func() *table[lifecycle.Certificate, Certificate] {
	t := *certificates
	t.only = "announced AND +phase = 'issued'" // the plus keeps SQLite from going through all of the phase
	return &t
}()

func (s *Store) domainMatters(ctx context.Context, now time.Time) ([]Matter, error) {
	var matters []Matter
	for state, text := range map[string][3]string{
		lifecycle.Failed:          {Warning, "Validation failed: ", "The CA could not validate the domain."},
		lifecycle.Expired:         {Warning, "Validation expired: ", "Certificates for it cannot be issued until it is validated again."},
		lifecycle.RevalidationDue: {Notice, "Revalidation due: ", "Validate the domain again before its validation expires."},
	} {
		found, _, err := page(ctx, s, domains, Query{State: state, Limit: mattersEach, Now: now})
		if err != nil {
			return nil, err
		}
		for _, d := range found {
			matters = append(matters, Matter{text[0], "domain_" + state, text[1] + d.Name, text[2], d.LastEventAt, "/domains/" + url.PathEscape(d.Name)})
		}
	}
	return matters, nil
}

func (s *Store) dnssecMatters(ctx context.Context, now time.Time) ([]Matter, error) {
	var matters []Matter
	for _, state := range []string{lifecycle.RotationStarted, lifecycle.RotationOverdue, lifecycle.RotationCompleted} {
		found, _, err := page(ctx, s, dnssecs, Query{State: state, Limit: mattersEach, Now: now})
		if err != nil {
			return nil, err
		}
		for _, d := range found {
			if d.NextStep != "" {
				matters = append(matters, dnssecMatter(&d))
			}
		}
	}
	return matters, nil
}

func dnssecMatter(d *DNSSEC) Matter {
	m := Matter{Severity: Warning, Kind: "dnssec_" + d.NextStep, Since: d.LastEventAt, Href: href("dnssec", d.Provider, d.WebsiteID)}
	zone := cmp.Or(d.Domain, d.Provider+" website "+d.WebsiteID)
	if d.NextStep == lifecycle.StepDSSubmit {
		m.Title, m.Detail = "Publish the new DS: "+zone, "A key rotation is under way: publish the new DS at the registrar, beside the old one."
	} else {
		m.Severity, m.Title, m.Detail = Notice, "Remove the old DS: "+zone, "The key rotation is complete: take the old DS out at the registrar."
	}
	if d.State == lifecycle.RotationOverdue {
		m.Severity = Critical
		m.Detail += " It is overdue, and CAs refuse to issue for a zone whose DS does not match."
	}
	return m
}

func (s *Store) targetMatters(ctx context.Context, now time.Time) ([]Matter, error) {
	found, _, err := page(ctx, s, targets, Query{State: lifecycle.VerificationFailed, Limit: mattersEach, Now: now})
	if err != nil {
		return nil, err
	}
	var matters []Matter
	for _, t := range found {
		detail := "The scanner could not prove that the host is yours, so that it is not scanned."
		if t.Reason != "" {
			detail += " Its words: " + t.Reason
		}
		matters = append(matters, Matter{Warning, "target_verification_failed", "Verification failed: " + subjectOf(cmp.Or(t.Host, t.Name), t.Provider, t.ID), detail,
			t.LastEventAt, href("targets", t.Provider, t.ID)})
	}
	return matters, nil
}

// openFindings is the findings as a list of only those about TLS that are there, on targets that still are.
var openFindings = func() *table[lifecycle.Finding, Finding] {
	t := *findings
	t.only = "tls AND state = 'detected' AND NOT EXISTS (SELECT 1 FROM targets t WHERE t.provider = findings.provider AND t.id = findings.target_id AND t.state = 'deleted')"
	return &t
}()

func (s *Store) findingMatters(ctx context.Context, now time.Time) ([]Matter, error) {
	found, _, err := page(ctx, s, openFindings, Query{Sort: "-severity", Limit: mattersEach, Now: now})
	if err != nil {
		return nil, err
	}
	var matters []Matter
	for _, f := range found {
		if !f.Settled() {
			matters = append(matters, findingMatter(&f))
		}
	}
	return matters, nil
}

func findingMatter(f *Finding) Matter {
	m := Matter{Severity: Warning, Kind: "finding_detected", Title: cmp.Or(f.Name, "TLS finding") + ": " + subjectOf(f.Host, f.Provider, f.ID), Since: f.LastEventAt,
		Detail: "A scanner found this in the TLS of the host, and has not found it fixed: correct it and have it tested again.", Href: href("findings", f.Provider, f.ID)}
	if f.Severity < severityMedium {
		m.Severity = Notice
	}
	if f.DetectedAt != nil {
		m.Since = *f.DetectedAt
	}
	return m
}

// severityMedium is from which number on a finding is more than good to know.
const severityMedium = 20

// Settled tells whether somebody decided at the scanner that the finding is none, or may stay.
func (f *Finding) Settled() bool {
	return f.ProviderState == "accepted" || f.ProviderState == "invalid"
}

func (s *Store) quarantineMatters(ctx context.Context, now time.Time) ([]Matter, error) {
	found, _, err := s.Quarantine(ctx, Query{Limit: mattersEach, Now: now})
	if err != nil {
		return nil, err
	}
	var matters []Matter
	for _, q := range found {
		matters = append(matters, Matter{Notice, "delivery_quarantined", "Not understood: a delivery of " + q.Provider, q.Reason, q.Time, "/quarantine"})
	}
	return matters, nil
}

func subjectOf(name, provider, id string) string {
	if name == "" {
		return provider + " " + id
	}
	return name + " (" + provider + " " + id + ")"
}

func href(model, provider, id string) string {
	return "/" + model + "/" + url.PathEscape(provider) + "/" + url.PathEscape(id)
}

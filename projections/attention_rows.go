package projections

import (
	"cmp"
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// waiting is the orders as a list of those that wait for a person.
var waiting = limited(orders, "waiting_since <> ''", "waiting_since")

func (s *Store) waitingOrders(now time.Time) finder {
	return finding(s, waiting, Query{Sort: "waiting_since", Now: now}, orderMatters)
}

func orderMatters(o *Order) []Matter {
	var matters []Matter
	subject := subjectOf(firstName(o), o.Provider, o.ID)
	for _, w := range o.Waiting {
		m := Matter{Severity: Warning, Kind: w.Kind, Provider: o.Provider, Since: w.Since, Href: href("orders", o.Provider, o.ID)}
		switch w.Kind {
		case schema.MatterMessage:
			m.Title, m.Detail = "Message from the CA: "+subject, MessageText.Happened
			m.Means, m.Do = MessageText.Means, MessageText.Do
		case schema.MatterReissue:
			m.Severity, m.Title, m.Detail = Notice, "Ready to be reissued: "+subject, "The subscription runs on, and its certificate can be issued anew."
			m.Do = "Ask the CA for the next certificate, with a fresh key, and install it before the present one expires."
		default:
			checkMatter(&m, o, w.Check, subject)
		}
		matters = append(matters, m.identified(o.ID, w.Check, w.Since))
	}
	return matters
}

// firstName is the name by which an order is known; "" while the CA has named none.
func firstName(o *Order) string {
	if names := o.Names(); len(names) > 0 {
		return names[0]
	}
	return ""
}

func checkMatter(m *Matter, o *Order, check, subject string) {
	state := o.Checks[check]
	text := CheckTextOf(check, state)
	m.Title = checkTitle(check) + " " + string(state) + ": " + subject
	if m.Kind == schema.MatterApproval {
		m.Title = "Approval awaited: " + subject
	}
	m.Detail, m.Means, m.Do = text.Happened, text.Means, text.Do
	if reason := o.Reasons[check]; reason != "" {
		m.Detail += words(reason)
	}
}

func checkTitle(check string) string {
	if domain, ok := strings.CutPrefix(check, schema.DomainCheck("")); ok {
		return "Validation of " + domain
	}
	if check == schema.CheckCSR {
		return "CSR check"
	}
	return strings.ToUpper(check[:min(1, len(check))]) + check[min(1, len(check)):] + " check"
}

func (s *Store) domains(state string, now time.Time) finder {
	return finding(s, domains, Query{State: state, Now: now}, func(d *Domain) []Matter { return []Matter{domainMatter(d, now)} })
}

func domainMatter(d *Domain, now time.Time) Matter {
	m := Matter{Severity: Warning, Provider: d.Provider, Since: firstOf(d.Since, &d.FirstEventAt), Due: d.ExpiresAt, Href: "/domains/" + url.PathEscape(d.Name)}
	name := d.Name + " (" + d.Provider + ")"
	when := firstOf(d.ExpiresAt, &m.Since)
	switch {
	case d.State == lifecycle.Failed:
		m.Kind, m.Title, m.Detail = schema.MatterDomainFailed, "Validation failed: "+name, "The CA could not validate the domain."
		if d.Reason != "" {
			m.Detail += words(d.Reason)
		}
		m.Means, m.Do = "Nothing is issued for it before it is validated.", "Check that the proof is public: the DNS record, the file or the e-mail. Then let the CA try again."
		when, m.Due = m.Since, nil
	case d.State == lifecycle.Expired || d.ExpiresAt != nil && now.After(d.ExpiresAt.Time):
		m.Kind, m.Title, m.Detail = schema.MatterDomainExpired, "Validation expired: "+name, "The domain’s validation may be used no more."
		m.Means, m.Do = "Certificates for it cannot be issued until it is validated again.", "Validate the domain again at the CA, before the next renewal."
	default:
		m.Severity, m.Kind, m.Title, m.Detail = Notice, schema.MatterDomainLapses, "Revalidation due: "+name, "The domain’s validation comes to its end."
		if d.ExpiresAt != nil {
			m.Detail = "The domain’s validation may be used until " + d.ExpiresAt.UTC().Format(time.DateOnly) + "."
		}
		m.Means, m.Do = "After that nothing is issued for it, also no renewal.", "Validate the domain again at the CA before its validation expires."
	}
	return m.identified(d.Name, "", when)
}

func (s *Store) dnssec(step string, now time.Time) finder {
	t := limited(dnssecs, "next_step = '"+step+"'")
	return finding(s, t, Query{Now: now}, func(d *DNSSEC) []Matter { return []Matter{dnssecMatter(d)} })
}

func dnssecMatter(d *DNSSEC) Matter {
	m := Matter{Severity: Warning, Provider: d.Provider, Href: href("dnssec", d.Provider, d.WebsiteID)}
	zone := cmp.Or(d.Domain, d.Provider+" website "+d.WebsiteID)
	record := d.DS
	if d.NextStep == lifecycle.StepDSSubmit {
		m.Kind, m.Title, m.Detail = schema.MatterDSPublish, "Publish the new DS: "+zone, "A key rotation is under way."
		m.Means, m.Do = "The zone’s new key is trusted only once its parent has this record.", "Add the record at the parent zone, usually in the registrar’s form, beside the old one."
		m.Since = firstOf(d.StartedAt, &d.FirstEventAt)
	} else {
		record = d.PreviousDS
		m.Severity, m.Kind, m.Title, m.Detail = Notice, schema.MatterDSRetract, "Remove the old DS: "+zone, "The key rotation is completed."
		m.Means, m.Do = "The old record names a key that the zone has no more.", "Take the old record out at the parent zone, and leave the new one."
		m.Since = firstOf(d.CompletedAt, &d.FirstEventAt)
	}
	if record != nil {
		m.Copy = fmt.Sprintf("%s. IN DS %d %d %d %s", zone, record.KeyTag, record.Algorithm, record.DigestType, record.Digest)
	}
	if d.State == lifecycle.RotationOverdue {
		m.Severity = Critical
		m.Means += " It is overdue, and CAs refuse to issue for a zone whose DS does not match."
	}
	return m.identified(d.WebsiteID, "", m.Since)
}

func (s *Store) failedTargets(now time.Time) finder {
	return finding(s, targets, Query{State: lifecycle.VerificationFailed, Now: now}, func(t *Target) []Matter {
		m := Matter{Severity: Warning, Kind: schema.MatterTargetFailed, Provider: t.Provider, Title: "Verification failed: " + subjectOf(cmp.Or(t.Host, t.Name), t.Provider, t.ID),
			Detail: "The scanner could not prove that the host is yours.", Means: "It is not scanned.", Do: "Put the proof where the scanner looks for it, and have it verified again.",
			Since: firstOf(t.Since, &t.FirstEventAt), Href: href("targets", t.Provider, t.ID)}
		if t.Reason != "" {
			m.Detail += words(t.Reason)
		}
		return []Matter{m.identified(t.ID, "", m.Since)}
	})
}

// openTLSFindings is the findings as a list of only those about TLS that are there, on targets that still are.
var openTLSFindings = limited(findings, "tls AND state = 'detected' AND NOT EXISTS (SELECT 1 FROM targets t WHERE t.provider = findings.provider AND t.id = findings.target_id AND t.state = 'deleted')", "severity")

func (s *Store) openFindings(now time.Time) finder {
	return finding(s, openTLSFindings, Query{Sort: "-severity", Now: now}, func(f *Finding) []Matter {
		if f.Settled() {
			return nil
		}
		return []Matter{findingMatter(f)}
	})
}

func findingMatter(f *Finding) Matter {
	m := Matter{Severity: Warning, Kind: schema.MatterFinding, Provider: f.Provider, Title: cmp.Or(f.Name, "TLS finding") + ": " + subjectOf(f.Host, f.Provider, f.ID),
		Detail: "A scanner found this in the TLS of the host, and has not found it fixed.", Do: "Correct it, and have it tested again.",
		Since: firstOf(f.DetectedAt, &f.FirstEventAt), Href: href("findings", f.Provider, f.ID)}
	if f.Severity < severityMedium {
		m.Severity = Notice
	}
	return m.identified(f.ID, "", m.Since)
}

// severityMedium is from which number on a finding is more than good to know.
const severityMedium = 20

// Settled tells whether somebody decided at the scanner that the finding is none, or may stay.
func (f *Finding) Settled() bool {
	return f.ProviderState == "accepted" || f.ProviderState == "invalid"
}

func (s *Store) quarantined(now time.Time) finder {
	return func(ctx context.Context, cursor string) ([]Matter, string, error) {
		items, next, err := s.Quarantine(ctx, Query{Limit: mattersEach, Cursor: cursor, Now: now})
		return mattersOf(items, func(q *Quarantined) []Matter {
			m := Matter{Severity: Notice, Kind: schema.MatterQuarantined, Provider: q.Provider, Title: "Not understood: a delivery of " + q.Provider, Detail: q.Reason,
				Means: "It changed nothing here; the log has all of it.", Do: "Read it. If it matters, act on it at the provider; a later version of certtrail may understand it.", Since: q.Time, Href: "/quarantine"}
			return []Matter{m.identified("", strconv.FormatUint(q.Seq, 10), q.Time)}
		}), next, err
	}
}

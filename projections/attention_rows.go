package projections

import (
	"cmp"
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// waiting is the orders as a list of those that wait for a person.
var waiting = limited(Orders, "waiting_since <> ''", "waiting_since")

func (s *Store) waitingOrders(q Query) finder {
	q.Sort = "waiting_since"
	return finding(s, waiting, q, orderMatters)
}

func orderMatters(o *Order) []Matter {
	var matters []Matter
	for _, w := range o.Waiting {
		m := Matter{Severity: Warning, Kind: w.Kind, Provider: o.Provider, Since: w.Since, About: firstName(o), Number: o.ID, Href: href("orders", o.Provider, o.ID)}
		switch w.Kind {
		case schema.MatterMessage:
			m.What, m.Detail = "Message from the CA", MessageText.Happened
			m.Means, m.Do = MessageText.Means, MessageText.Do
		case schema.MatterReissue:
			m.Severity, m.What, m.Detail = Notice, "Ready to reissue", "The subscription goes on, and the CA can issue its next certificate."
			m.Do = "Request the next certificate from the CA, with a new key, and install it before the current one expires."
		default:
			checkMatter(&m, o, w.Check)
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

func checkMatter(m *Matter, o *Order, check string) {
	state := o.Checks[check]
	text := CheckTextOf(check, state)
	m.What = checkTitle(check) + " " + string(state)
	if m.Kind == schema.MatterApproval {
		m.What = "Approval needed"
	}
	m.Detail, m.Means, m.Do = text.Happened, text.Means, text.Do
	if reason := o.Reasons[check]; reason != "" {
		m.Detail += words(reason)
	}
}

func checkTitle(check string) string {
	if domain, ok := strings.CutPrefix(check, schema.DomainCheck("")); ok {
		return "Validation of " + schema.DisplayName(domain)
	}
	if check == schema.CheckCSR {
		return "CSR check"
	}
	return strings.ToUpper(check[:min(1, len(check))]) + check[min(1, len(check)):] + " check"
}

func (s *Store) domains(state string, q Query) finder {
	q.State = state
	return finding(s, Domains, q, func(d *Domain) []Matter { return []Matter{domainMatter(d, q.Now)} })
}

func domainMatter(d *Domain, now time.Time) Matter {
	m := Matter{Severity: Warning, Provider: d.Provider, Since: firstOf(d.Since, &d.FirstEventAt), Due: d.ExpiresAt, About: d.Name, Href: "/domains/" + url.PathEscape(d.Name)}
	when := firstOf(d.ExpiresAt, &m.Since)
	switch {
	case d.State == lifecycle.Failed:
		m.Kind, m.What, m.Detail = schema.MatterDomainFailed, "Validation failed", "The CA could not validate the domain."
		if d.Reason != "" {
			m.Detail += words(d.Reason)
		}
		m.Means, m.Do = "The CA issues nothing for it until it is validated.", "Make sure that the CA can see the proof: the DNS record, the file or the answer to its e-mail. Then have it try again."
		when, m.Due = m.Since, nil
	case d.State == lifecycle.Expired || d.ExpiresAt != nil && now.After(d.ExpiresAt.Time):
		m.Kind, m.What, m.Detail = schema.MatterDomainExpired, "Validation expired", "The CA’s validation of the domain has lapsed."
		m.Means, m.Do = "The CA issues nothing for it, renewals included, until it is validated again.", "Validate the domain again at the CA before the next renewal."
	default:
		m.Severity, m.Kind, m.What, m.Detail = Notice, schema.MatterDomainLapses, "Revalidation due", "The CA’s validation of the domain is about to lapse."
		if d.ExpiresAt != nil {
			m.Detail = "The CA’s validation of the domain lapses on " + d.ExpiresAt.UTC().Format(dayLayout) + "."
		}
		m.Means, m.Do = "After that the CA issues nothing for it, renewals included.", "Validate the domain again at the CA before then."
	}
	return m.identified(d.Name, "", when)
}

func (s *Store) dnssec(step string, q Query) finder {
	t := limited(DNSSECs, "next_step = '"+step+"'")
	return finding(s, t, q, func(d *DNSSEC) []Matter { return []Matter{dnssecMatter(d)} })
}

func dnssecMatter(d *DNSSEC) Matter {
	m := Matter{Severity: Warning, Provider: d.Provider, About: d.Domain, Href: href("dnssec", d.Provider, d.WebsiteID)}
	if d.Domain == "" {
		m.Number = "website " + d.WebsiteID
	}
	record := d.DS
	if d.NextStep == lifecycle.StepDSSubmit {
		m.Kind, m.What, m.Detail = schema.MatterDSPublish, "Publish the new DS record", "A key rotation is under way."
		m.Means, m.Do = "Resolvers trust the zone’s new key only once the parent zone has this record.", "Add this record to the parent zone, usually in the registrar’s form, and keep the old one for now."
		m.Since = firstOf(d.StartedAt, &d.FirstEventAt)
	} else {
		record = d.PreviousDS
		m.Severity, m.Kind, m.What, m.Detail = Notice, schema.MatterDSRetract, "Remove the old DS record", "The key rotation is complete."
		m.Means, m.Do = "The old record refers to a key that the zone no longer uses.", "Remove the old record from the parent zone, and leave the new one in place."
		m.Since = firstOf(d.CompletedAt, &d.FirstEventAt)
	}
	if record != nil {
		m.Copy = record.Record(d.Domain)
		if d.Domain == "" {
			m.Do += " The provider did not say which zone it is for: put the zone’s name before it."
		}
	}
	if d.State == lifecycle.RotationOverdue {
		m.Severity = Critical
		m.Means += " This is overdue: CAs refuse to issue for a zone whose DS records match none of its keys."
	}
	return m.identified(d.WebsiteID, "", m.Since)
}

func (s *Store) failedTargets(q Query) finder {
	q.State = lifecycle.VerificationFailed
	return finding(s, Targets, q, func(t *Target) []Matter {
		m := Matter{Severity: Warning, Kind: schema.MatterTargetFailed, Provider: t.Provider, What: "Verification failed", About: cmp.Or(t.Host, t.Name), Number: t.ID,
			Detail: "The scanner could not verify that the host is yours.", Means: "It scans no host that is not verified.", Do: "Put the proof where the scanner looks for it, and have it try again.",
			Since: firstOf(t.Since, &t.FirstEventAt), Href: href("targets", t.Provider, t.ID)}
		if t.Reason != "" {
			m.Detail += words(t.Reason)
		}
		return []Matter{m.identified(t.ID, "", m.Since)}
	})
}

// openTLSFindings is the findings as a list of only those about TLS that are there, on targets that still are.
var openTLSFindings = limited(Findings, "tls AND state = 'detected' AND NOT EXISTS (SELECT 1 FROM targets t WHERE t.provider = findings.provider AND t.id = findings.target_id AND t.state = 'deleted')", "severity")

func (s *Store) openFindings(q Query) finder {
	q.Sort = "-severity"
	return finding(s, openTLSFindings, q, func(f *Finding) []Matter {
		if f.Settled() {
			return nil
		}
		return []Matter{findingMatter(f)}
	})
}

func findingMatter(f *Finding) Matter {
	m := Matter{Severity: Warning, Kind: schema.MatterFinding, Provider: f.Provider, What: cmp.Or(f.Name, "TLS finding"), About: f.Host, Number: f.ID,
		Detail: "A scanner found this in the host’s TLS settings and has not seen it fixed.", Do: "Fix it, and have the scanner test again.",
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

// sentence is a reason as one: a capital first, a full stop last.
func sentence(reason string) string {
	first, size := utf8.DecodeRuneInString(reason)
	if size == 0 {
		return ""
	}
	return string(unicode.ToUpper(first)) + strings.TrimRight(reason[size:], ".") + "."
}

func (s *Store) quarantined(q Query) finder {
	return func(ctx context.Context, cursor string) ([]Matter, string, error) {
		q.Cursor, q.Limit = cursor, mattersEach
		items, next, err := s.Quarantine(ctx, q)
		return mattersOf(items, func(q *Quarantined) []Matter {
			m := Matter{Severity: Notice, Kind: schema.MatterQuarantined, Provider: q.Provider, What: notUnderstood(q), Number: "event " + strconv.FormatUint(q.Seq, 10), Detail: sentence(q.Reason),
				Means: "It changed nothing here; the log keeps all of it.", Do: "Read it. If it matters, act on it at the provider; a later version of certtrail may understand it.", Since: q.Time, Href: s.eventHref(q.Seq)}
			return []Matter{m.identified("", strconv.FormatUint(q.Seq, 10), q.Time)}
		}), next, err
	}
}

// titleReason is how many characters of the reason why a delivery was not understood its matter's title has: it names the event, if that is known, at its beginning.
const titleReason = 80

// notUnderstood is what the matter of a delivery in quarantine is, told from others.
func notUnderstood(q *Quarantined) string {
	reason := []rune(strings.TrimSuffix(sentence(q.Reason), "."))
	if len(reason) > titleReason {
		reason = append(reason[:titleReason-1:titleReason-1], '…')
	}
	return "Not understood: " + string(reason)
}

// eventHref is the page of an event, or the quarantine where there is no log that has it.
func (s *Store) eventHref(seq uint64) string {
	if s.log == nil {
		return "/quarantine"
	}
	return "/events/" + strconv.FormatUint(seq, 10)
}

package projections

import (
	"cmp"
	"context"
	"strconv"
	"time"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// waiting lists the orders that wait for a person.
var waiting = limited(Orders, "waiting_since <> ''", "waiting_since")

func (s *Store) waitingOrders(q Query) finder {
	q.Sort = "waiting_since"
	return finding(s, waiting, q, orderMatters)
}

func orderMatters(o *Order) []Matter {
	var matters []Matter
	for _, w := range o.Waiting {
		m := Matter{Severity: Warning, Kind: w.Kind, Provider: o.Provider, Since: w.Since, About: firstName(o), Number: o.ID}
		if w.Kind == schema.MatterReissue {
			m.Severity = Notice
		}
		if w.Check != "" {
			m.Facts = MatterFacts{Check: o.Checks[w.Check], Reasons: reasonList(o.Reasons[w.Check])}
		}
		matters = append(matters, m.identified(o.ID, w.Check, w.Since))
	}
	return matters
}

// firstName returns the name by which an order is known; "" while the CA has named none.
func firstName(o *Order) string {
	if names := o.Names(); len(names) > 0 {
		return names[0]
	}
	return ""
}

func (s *Store) domains(state string, q Query) finder {
	q.State = state
	return finding(s, Domains, q, func(d *Domain) []Matter { return []Matter{domainMatter(d, q.Now)} })
}

func domainMatter(d *Domain, now time.Time) Matter {
	m := Matter{Severity: Warning, Provider: d.Provider, Since: firstOf(d.Since, &d.FirstEventAt), Due: d.ExpiresAt, About: d.Name}
	when := firstOf(d.ExpiresAt, &m.Since)
	switch {
	case d.State == lifecycle.Failed:
		m.Kind, m.Facts.Reasons = schema.MatterDomainFailed, reasonList(d.Reason)
		when, m.Due = m.Since, nil
	case d.State == lifecycle.Expired || d.ExpiresAt != nil && now.After(d.ExpiresAt.Time):
		m.Kind = schema.MatterDomainExpired
	default:
		m.Severity, m.Kind = Notice, schema.MatterDomainLapses
	}
	return m.identified(d.Name, "", when)
}

func (s *Store) dnssec(step string, q Query) finder {
	t := limited(DNSSECs, "next_step = '"+step+"'")
	return finding(s, t, q, func(d *DNSSEC) []Matter { return []Matter{dnssecMatter(d)} })
}

func dnssecMatter(d *DNSSEC) Matter {
	m := Matter{Severity: Warning, Provider: d.Provider, About: d.Domain}
	if d.Domain == "" {
		m.Number = d.WebsiteID
	}
	record := d.DS
	if d.NextStep == lifecycle.StepDSSubmit {
		m.Kind, m.Since = schema.MatterDSPublish, firstOf(d.StartedAt, &d.FirstEventAt)
	} else {
		record = d.PreviousDS
		m.Severity, m.Kind, m.Since = Notice, schema.MatterDSRetract, firstOf(d.CompletedAt, &d.FirstEventAt)
	}
	if record != nil {
		m.Copy = record.Record(d.Domain)
	}
	if d.State == lifecycle.RotationOverdue {
		m.Severity, m.Facts.Overdue = Critical, true
	}
	return m.identified(d.WebsiteID, "", m.Since)
}

func (s *Store) failedTargets(q Query) finder {
	q.State = lifecycle.VerificationFailed
	return finding(s, Targets, q, func(t *Target) []Matter {
		m := Matter{Severity: Warning, Kind: schema.MatterTargetFailed, Provider: t.Provider, About: cmp.Or(t.Host, t.Name), Number: t.ID,
			Since: firstOf(t.Since, &t.FirstEventAt), Facts: MatterFacts{Reasons: reasonList(t.Reason)}}
		return []Matter{m.identified(t.ID, "", m.Since)}
	})
}

// openTLSFindings lists only the findings about TLS that are there, on targets that still are.
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
	m := Matter{Severity: Warning, Kind: schema.MatterFinding, Provider: f.Provider, About: f.Host, Number: f.ID, Since: firstOf(f.DetectedAt, &f.FirstEventAt),
		Facts: MatterFacts{Finding: f.Name}}
	if f.Severity < severityMedium {
		m.Severity = Notice
	}
	return m.identified(f.ID, "", m.Since)
}

// severityMedium begins the numbers of findings that are more than good to know.
const severityMedium = 20

// The states of a finding at its scanner, in Probely's words.
const (
	NotFixed = "notfixed"
	Accepted = "accepted" // it may stay
	Invalid  = "invalid"  // it is none
)

// Settled reports whether somebody decided at the scanner that the finding is none, or may stay.
func (f *Finding) Settled() bool {
	return f.ProviderState == Accepted || f.ProviderState == Invalid
}

func (s *Store) quarantined(q Query) finder {
	return func(ctx context.Context, cursor string) ([]Matter, string, error) {
		q.Cursor, q.Limit = cursor, mattersEach
		items, next, err := s.Quarantine(ctx, q)
		return mattersOf(items, func(q *Quarantined) []Matter {
			m := Matter{Severity: Notice, Kind: schema.MatterQuarantined, Provider: q.Provider, Since: q.Time, Facts: MatterFacts{Reasons: reasonList(q.Reason)}}
			return []Matter{m.identified("", strconv.FormatUint(q.Seq, 10), q.Time)}
		}), next, err
	}
}

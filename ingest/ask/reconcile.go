package ask

import (
	"context"
	"time"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

// Lister, a provider's client, tells where orders stand. It may be called at once from many goroutines.
type Lister interface {
	// Standings returns those that may have changed after since, at now; more do no harm.
	Standings(ctx context.Context, since, now time.Time) ([]provider.Standing, error)
}

// Describer, a provider's client, tells all of one order, as order.described.
type Describer interface {
	Describe(ctx context.Context, orderID string) (provider.Standing, provider.Answer, error)
}

// Collector, a provider's client, hands out certificates, as certificate.collected. An empty certificate id means the
// order's present one.
type Collector interface {
	Collect(ctx context.Context, orderID, certificateID string) (provider.Answer, error)
}

// DSLister, a provider's client, lists the DS records of a website's zone, as dnssec.described.
type DSLister interface {
	ListDS(ctx context.Context, websiteID string) (provider.Answer, error)
}

const reconcileDecoder = "reconcile/1"

// Belief holds what certtrail believes of an order, or, without an order's id, of a certificate alone.
type Belief struct {
	OrderID       string
	CertificateID string // the last issued; "" if it was not told
	State         string // as the read model has it: a Standing constant or "action_required"
	LastEventAt   time.Time
}

// Missed holds the event that would have been, had its delivery arrived. Data has no original: there was no delivery.
type Missed struct {
	Kind schema.Kind
	Data schema.Data
}

// Counts sum up what a reconcile found, one each for all that the provider said.
type Counts struct {
	Said     int // by the provider: the sum of those below
	Agreed   int // certtrail knew
	Missed   int // certtrail was told otherwise, or nothing: of these come the events
	Unclear  int // the provider's word says nothing of a state
	Behind   int // certtrail knows of something later, such as an order issued that the provider lists as pending; the next reconcile settles it
	Unheard  int // of Missed: those that certtrail had never heard of
	Unlisted int // not of Said: those that certtrail believes open, and the provider did not list; only of use where it lists all
}

// Reconciliation holds what a reconcile of one provider is to append.
type Reconciliation struct {
	Missed []Missed // in the order of the provider's list
	Counts Counts
}

// Reconcile compares what a provider said, asked at asked, with what certtrail believes since, and gives the events
// that were missed, as they would have been: data.event is the provider's word for the state, data.decoder tells that
// it was found by asking. What certtrail was told of after it asked is newer than the answer, and stays. Applied to the
// beliefs, the events leave nothing to reconcile.
func Reconcile(source string, asked time.Time, said []provider.Standing, believed []Belief) Reconciliation {
	beliefs := make(map[string]Belief, len(believed))
	for _, b := range believed {
		beliefs[matter(b.OrderID, b.CertificateID)] = b
	}
	var r Reconciliation
	listed := map[string]bool{}
	for _, s := range said {
		r.Counts.Said++
		key := matter(s.OrderID, s.CertificateID)
		listed[key] = true
		b, heard := beliefs[key]
		missed, verdict := compare(source, s, b, heard)
		if verdict == differs && b.LastEventAt.After(asked) {
			missed, verdict = nil, behind
		}
		switch verdict {
		case agreed:
			r.Counts.Agreed++
		case unclear:
			r.Counts.Unclear++
		case behind:
			r.Counts.Behind++
		case differs:
			r.Counts.Missed++
			if !heard {
				r.Counts.Unheard++
			}
			r.Missed = append(r.Missed, missed...)
			beliefs[key] = believe(s) // so that the same order, listed twice, is not missed twice
		}
	}
	for key, b := range beliefs {
		if !listed[key] && open(b.State) {
			r.Counts.Unlisted++
		}
	}
	return r
}

// matter names what a standing or a belief is about.
func matter(orderID, certificateID string) string {
	if orderID != "" {
		return "order/" + orderID
	}
	return "certificate/" + certificateID
}

// open tells whether something is still to come of an order without anybody's doing.
func open(state string) bool { return state == provider.StandingPending || state == ActionRequired }

// ActionRequired marks an order that waits for a person. It hides whether the order is pending, issued or ready to be
// reissued.
const ActionRequired = "action_required"

func believe(s provider.Standing) Belief {
	return Belief{OrderID: s.OrderID, CertificateID: s.CertificateID, State: s.State}
}

type verdict int

const (
	agreed verdict = iota
	unclear
	behind
	differs
)

// compare returns what s tells beyond b, which is the zero Belief if certtrail has not heard of it.
func compare(source string, s provider.Standing, b Belief, heard bool) ([]Missed, verdict) {
	event := func(k schema.Kind) Missed { return missed(source, k, s) }
	another := s.CertificateID != "" && b.CertificateID != "" && s.CertificateID != b.CertificateID
	if s.OrderID == "" {
		return compareCertificate(event, s, b)
	}
	switch s.State {
	case provider.StandingPending:
		switch {
		case !heard:
			return []Missed{event(schema.OrderDescribed)}, differs
		case open(b.State):
			return nil, agreed
		}
		return nil, behind
	case provider.StandingIssued:
		switch {
		case b.State == provider.StandingIssued && !another:
			return nil, agreed
		case b.State == ActionRequired && b.CertificateID != "" && !another: // it has a message since it was issued, which another issued would clear
			return nil, agreed
		case b.State == provider.StandingRevoked && !another: // an order may stay issued at the provider when its certificate is revoked
			return nil, behind
		}
		return []Missed{event(schema.OrderIssued)}, differs
	case provider.StandingRevoked:
		return compareRevoked(event, b, another)
	case provider.StandingReissue, provider.StandingRejected, provider.StandingCanceled:
		switch {
		case b.State == s.State:
			return nil, agreed
		case b.State == ActionRequired && s.State == provider.StandingReissue: // it may be ready, and would still be shown as waiting for a person
			return nil, behind
		}
		return []Missed{event(ends[s.State])}, differs
	}
	return nil, unclear
}

var ends = map[string]schema.Kind{
	provider.StandingReissue: schema.OrderReissueReady, provider.StandingRejected: schema.OrderRejected, provider.StandingCanceled: schema.OrderCanceled,
}

// compareRevoked compares an order whose certificate is revoked. One that certtrail does not know as issued was issued
// before, with this certificate.
func compareRevoked(event func(schema.Kind) Missed, b Belief, another bool) ([]Missed, verdict) {
	issued := b.State == provider.StandingIssued
	switch {
	case b.State == provider.StandingRevoked && !another:
		return nil, agreed
	case issued && !another:
		return []Missed{event(schema.CertificateRevoked)}, differs
	}
	return []Missed{event(schema.OrderIssued), event(schema.CertificateRevoked)}, differs
}

// compareCertificate compares a certificate without an order: only its revocation is news.
func compareCertificate(event func(schema.Kind) Missed, s provider.Standing, b Belief) ([]Missed, verdict) {
	switch {
	case s.CertificateID == "" || s.State == "":
		return nil, unclear
	case s.State != provider.StandingRevoked:
		if b.State == provider.StandingRevoked {
			return nil, behind
		}
		return nil, agreed
	case b.State == provider.StandingRevoked:
		return nil, agreed
	}
	return []Missed{event(schema.CertificateRevoked)}, differs
}

func missed(source string, k schema.Kind, s provider.Standing) Missed {
	d := schema.Data{Provider: source, Event: s.Word, Decoder: reconcileDecoder, OccurredAt: s.At, OrderID: s.OrderID, CertificateID: s.CertificateID}
	if k == schema.OrderIssued || k == schema.OrderDescribed {
		d.Certificate = s.Certificate
	}
	if k == schema.OrderDescribed {
		d.Checks = s.Checks
		d.OccurredAt = nil // it tells of now
	}
	return Missed{Kind: k, Data: d}
}

// Event makes the missed event under id, a UUIDv7, found at now. first says that this is the provider's first
// reconcile: then nothing outside acts on it.
func (m Missed) Event(id string, now time.Time, first bool) *schema.Event {
	e := schema.New(id, Path(m.Data.Provider), schema.At(now), m.Kind, m.Data)
	if first {
		e.Imported = FoundFirst
	}
	return e
}

package lifecycle

import (
	"fmt"
	"maps"
	"testing"
	"time"

	"pgregory.net/rapid"

	"github.com/certtrail/certtrail/schema"
)

var began = time.Date(2026, 11, 21, 22, 0, 0, 0, time.UTC)

// history folds events in the log's order, one a minute.
func history[S any](fold func(S, uint64, *schema.Event) S, events []*schema.Event) S {
	var s S
	for i, e := range events {
		e.Time = schema.At(began.Add(time.Duration(i) * time.Minute))
		s = fold(s, uint64(i+1), e)
	}
	return s
}

func made(k schema.Kind, d schema.Data) *schema.Event {
	d.Provider, d.OrderID = "digicert", "12345"
	return schema.New("id", "/hooks/digicert", schema.At(began), k, d)
}

// orderEvent draws any event that can concern an order.
func orderEvent() *rapid.Generator[*schema.Event] {
	return rapid.Custom(func(t *rapid.T) *schema.Event {
		kind := rapid.SampledFrom([]schema.Kind{
			schema.OrderIssued, schema.OrderIssued, schema.OrderRejected, schema.OrderCanceled, schema.OrderReissueReady, schema.OrderMessageReceived, schema.OrderCheckFailed,
			schema.OrderCheckFailed, schema.OrderCheckDelayed, schema.OrderApprovalRequested, schema.OrderUpdated, schema.DomainValidated, schema.CertificateRevoked, schema.CertificateReplaced,
		}).Draw(t, "kind")
		return orderEventOf(t, kind)
	})
}

func orderEventOf(t *rapid.T, kind schema.Kind) *schema.Event {
	d := schema.Data{}
	check := rapid.SampledFrom([]string{schema.CheckCSR, schema.CheckOrganization, schema.CheckPhone}).Draw(t, "check")
	certificate := rapid.SampledFrom([]string{"1", "2", "3"}).Draw(t, "certificate")
	switch kind {
	case schema.OrderIssued, schema.CertificateRevoked, schema.CertificateReplaced:
		d.CertificateID = certificate
	case schema.OrderCheckFailed:
		d.Check, d.CheckState, d.Reason = check, schema.CheckFailed, "why"
	case schema.OrderCheckDelayed:
		d.Check, d.CheckState = check, schema.CheckDelayed
	case schema.OrderApprovalRequested:
		d.Check, d.CheckState = schema.CheckApproval, schema.CheckPending
	case schema.DomainValidated:
		d.Domain = "www.example.com"
		d.Check, d.CheckState = schema.DomainCheck(d.Domain), schema.CheckPassed
	case schema.OrderUpdated:
		if rapid.Bool().Draw(t, "with check") {
			d.Check, d.CheckState = check, rapid.SampledFrom([]schema.CheckState{schema.CheckPassed, schema.CheckPending, schema.CheckFailed}).Draw(t, "state")
		}
	}
	return made(kind, d)
}

// meaning prints the parts of an order that must not depend on when and how often things were said.
func meaning(o Order) string {
	return fmt.Sprint(o.Phase, o.State(), o.NextStep(), o.CertificateID, o.Checks, o.Reasons, o.MessageAt != nil, o.RevokedIDs)
}

func TestRepeatedAtOnceChangesOnlyTheTimeline(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := rapid.SliceOfN(orderEvent(), 1, 12).Draw(t, "events")
		at := rapid.IntRange(0, len(events)-1).Draw(t, "repeated")
		repeated := append(append(append([]*schema.Event{}, events[:at+1]...), events[at]), events[at+1:]...)
		once, twice := history(Order.Fold, events), history(Order.Fold, repeated)
		if meaning(once) != meaning(twice) {
			t.Fatalf("once  %s\ntwice %s", meaning(once), meaning(twice))
		}
		if twice.EventCount != once.EventCount+1 {
			t.Fatalf("%d events counted, want %d", twice.EventCount, once.EventCount+1)
		}
	})
}

func TestChecksCommuteWithIssued(t *testing.T) {
	checks := []schema.Kind{schema.OrderCheckFailed, schema.OrderCheckDelayed, schema.OrderApprovalRequested, schema.DomainValidated, schema.OrderUpdated}
	rapid.Check(t, func(t *rapid.T) {
		before := rapid.SliceOfN(orderEvent(), 0, 8).Draw(t, "before")
		check := orderEventOf(t, rapid.SampledFrom(checks).Draw(t, "check"))
		issued := orderEventOf(t, schema.OrderIssued)
		ab := history(Order.Fold, append(append([]*schema.Event{}, before...), check, issued))
		ba := history(Order.Fold, append(append([]*schema.Event{}, before...), issued, check))
		if meaning(ab) != meaning(ba) {
			t.Fatalf("%s, issued: %s\nissued, %s: %s", check.Kind(), meaning(ab), check.Kind(), meaning(ba))
		}
	})
}

func TestRevokedCommutesWithIssuedOfTheSameCertificate(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		issued := orderEventOf(t, schema.OrderIssued)
		revoked := made(schema.CertificateRevoked, schema.Data{CertificateID: issued.Data.CertificateID})
		between := rapid.SliceOfN(rapid.Custom(func(t *rapid.T) *schema.Event { return orderEventOf(t, schema.OrderCheckFailed) }), 0, 3).Draw(t, "checks")
		ab := history(Order.Fold, append(append([]*schema.Event{issued}, between...), revoked))
		ba := history(Order.Fold, append(append([]*schema.Event{revoked}, between...), issued))
		if meaning(ab) != meaning(ba) || ab.State() != Revoked {
			t.Fatalf("issued, revoked: %s\nrevoked, issued: %s", meaning(ab), meaning(ba))
		}
		ca := history(Certificate.Fold, []*schema.Event{issued, revoked})
		cb := history(Certificate.Fold, []*schema.Event{revoked, issued})
		if ca.Phase != Revoked || cb.Phase != Revoked {
			t.Fatalf("the certificate is %s and %s, want revoked both ways", ca.Phase, cb.Phase)
		}
	})
}

func TestUpdatedNeverTakesBackIssued(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		events := []*schema.Event{orderEventOf(t, schema.OrderIssued)}
		for range rapid.IntRange(1, 5).Draw(t, "updates") {
			events = append(events, orderEventOf(t, schema.OrderUpdated))
		}
		if o := history(Order.Fold, events); o.State() != Issued {
			t.Fatalf("the order is %s", meaning(o))
		}
	})
}

// TestFoldsShareNothing folds two ways on from one state: neither may see the other.
func TestFoldsShareNothing(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		common := history(Order.Fold, rapid.SliceOfN(orderEvent(), 0, 8).Draw(t, "common"))
		kept, checks := meaning(common), maps.Clone(common.Checks)
		left, right := orderEvent().Draw(t, "left"), orderEvent().Draw(t, "right")
		once := meaning(common.Fold(99, left))
		common.Fold(99, right)
		if meaning(common) != kept || !maps.Equal(checks, common.Checks) {
			t.Fatalf("folding on changed the state before: %s, was %s", meaning(common), kept)
		}
		if again := meaning(common.Fold(99, left)); again != once {
			t.Fatalf("the same fold gives %s, then %s", once, again)
		}
	})
}

func TestNewCycles(t *testing.T) {
	failed := func() *schema.Event {
		return made(schema.OrderCheckFailed, schema.Data{Check: schema.CheckPhone, CheckState: schema.CheckFailed})
	}
	described := func(state schema.CheckState) *schema.Event {
		return made(schema.OrderDescribed, schema.Data{Checks: schema.Checks{schema.CheckPhone: state}})
	}
	issued := func(id string) *schema.Event { return made(schema.OrderIssued, schema.Data{CertificateID: id}) }
	revoked := func(id string) *schema.Event { return made(schema.CertificateRevoked, schema.Data{CertificateID: id}) }
	plain := func(k schema.Kind) *schema.Event { return made(k, schema.Data{}) }
	for name, c := range map[string]struct {
		events []*schema.Event
		state  string
		step   string
	}{
		"first failure":                {[]*schema.Event{failed()}, ActionRequired, StepAnswer},
		"failure after issue":          {[]*schema.Event{issued("1"), failed()}, Issued, StepInstall},
		"reissue":                      {[]*schema.Event{issued("1"), plain(schema.OrderReissueReady)}, ReissueReady, StepReissue},
		"failure in the next cycle":    {[]*schema.Event{issued("1"), plain(schema.OrderReissueReady), failed()}, ActionRequired, StepAnswer},
		"failures of the cycle before": {[]*schema.Event{failed(), plain(schema.OrderReissueReady)}, ReissueReady, StepReissue},
		"described as pending":         {[]*schema.Event{failed(), described(schema.CheckPending)}, Pending, StepWait},
		"described as passed":          {[]*schema.Event{failed(), described(schema.CheckPassed)}, Pending, StepWait},
		"described as failed":          {[]*schema.Event{described(schema.CheckFailed)}, ActionRequired, StepAnswer},
		"described without checks":     {[]*schema.Event{failed(), plain(schema.OrderDescribed)}, ActionRequired, StepAnswer},
		"described once issued":        {[]*schema.Event{issued("1"), described(schema.CheckFailed)}, Issued, StepInstall},
		"described beside a message":   {[]*schema.Event{plain(schema.OrderMessageReceived), described(schema.CheckPassed)}, ActionRequired, StepRead},
		"collected":                    {[]*schema.Event{issued("1"), made(schema.CertificateCollected, schema.Data{CertificateID: "1"})}, Issued, StepInstall},
		"collected, known as revoked":  {[]*schema.Event{issued(""), issued("2"), revoked("1"), made(schema.CertificateCollected, schema.Data{CertificateID: "1"})}, Issued, StepInstall},
		"issued in the next cycle":     {[]*schema.Event{issued("1"), plain(schema.OrderReissueReady), failed(), issued("2")}, Issued, StepInstall},
		"old certificate revoked":      {[]*schema.Event{issued("1"), issued("2"), revoked("1")}, Issued, StepInstall},
		"last certificate revoked":     {[]*schema.Event{issued("1"), issued("2"), revoked("2")}, Revoked, StepReplace},
		"issued again after":           {[]*schema.Event{issued("1"), revoked("1"), issued("2")}, Issued, StepInstall},
		"message":                      {[]*schema.Event{plain(schema.OrderMessageReceived)}, ActionRequired, StepRead},
		"message answered by issue":    {[]*schema.Event{plain(schema.OrderMessageReceived), issued("1")}, Issued, StepInstall},
		"message after issue":          {[]*schema.Event{issued("1"), plain(schema.OrderMessageReceived)}, ActionRequired, StepRead},
		"delayed":                      {[]*schema.Event{made(schema.OrderCheckDelayed, schema.Data{Check: schema.CheckPhone, CheckState: schema.CheckDelayed})}, Pending, StepWait},
		"rejected":                     {[]*schema.Event{failed(), plain(schema.OrderRejected)}, Rejected, StepOrderAgain},
		"canceled":                     {[]*schema.Event{plain(schema.OrderCanceled)}, Canceled, ""},
		"revoked without issued":       {[]*schema.Event{revoked("1")}, Revoked, StepReplace},
		"rotation of a kind not known": {[]*schema.Event{plain("order.teleported")}, Pending, StepWait},
	} {
		if o := history(Order.Fold, c.events); o.State() != c.state || o.NextStep() != c.step {
			t.Errorf("%s: %s, next %s; want %s, next %s", name, o.State(), o.NextStep(), c.state, c.step)
		}
	}
}

// TestSince: the age of a state, of a check and of a message counts from the event that brought it, not from one that
// said it again.
func TestSince(t *testing.T) {
	check := func(name string, state schema.CheckState) *schema.Event {
		return made(schema.OrderUpdated, schema.Data{Check: name, CheckState: state})
	}
	plain := func(k schema.Kind) *schema.Event { return made(k, schema.Data{}) }
	failed, passed := schema.CheckFailed, schema.CheckPassed
	for name, c := range map[string]struct {
		events     []*schema.Event
		state, csr int // the events they are since, by their place; csr -1: there is no such check
		messageAt  int // -1: no message is open
	}{
		"first event":             {[]*schema.Event{plain(schema.OrderUpdated)}, 0, -1, -1},
		"failed":                  {[]*schema.Event{plain(schema.OrderUpdated), check("csr", failed)}, 1, 1, -1},
		"failed again":            {[]*schema.Event{check("csr", failed), check("csr", failed)}, 0, 0, -1},
		"another failed as well":  {[]*schema.Event{check("phone", failed), check("csr", failed)}, 0, 1, -1},
		"passed":                  {[]*schema.Event{check("csr", failed), check("csr", passed)}, 1, 1, -1},
		"issued":                  {[]*schema.Event{check("csr", failed), plain(schema.OrderIssued), plain(schema.OrderUpdated)}, 1, 1, -1},
		"issued twice":            {[]*schema.Event{plain(schema.OrderIssued), plain(schema.OrderIssued)}, 0, -1, -1},
		"messages":                {[]*schema.Event{plain(schema.OrderUpdated), plain(schema.OrderMessageReceived), plain(schema.OrderMessageReceived)}, 1, -1, 1},
		"message, then a failure": {[]*schema.Event{plain(schema.OrderMessageReceived), check("csr", failed)}, 0, 1, 0},
		"message, then issued":    {[]*schema.Event{plain(schema.OrderMessageReceived), plain(schema.OrderIssued)}, 1, -1, -1},
	} {
		o := history(Order.Fold, c.events)
		at := func(i int) schema.Time { return schema.At(began.Add(time.Duration(i) * time.Minute)) }
		if o.StateSince != at(c.state) {
			t.Errorf("%s: in its state since %s, want event %d", name, o.StateSince, c.state)
		}
		if since, known := o.ChecksSince[schema.CheckCSR]; known != (c.csr >= 0) || known && since != at(c.csr) {
			t.Errorf("%s: its CSR's check is as it is since %s, want event %d", name, since, c.csr)
		}
		if (o.MessageAt != nil) != (c.messageAt >= 0) || o.MessageAt != nil && *o.MessageAt != at(c.messageAt) {
			t.Errorf("%s: its message is of %v, want event %d", name, o.MessageAt, c.messageAt)
		}
	}
}

// TestCollected: what was fetched fills the row of the certificate and the names of its order, if it is the one issued
// last.
func TestCollected(t *testing.T) {
	whole := &schema.Certificate{CommonName: "www.example.test", DNSNames: []string{"www.example.test"}, FingerprintSHA256: "ab"}
	collected := made(schema.CertificateCollected, schema.Data{CertificateID: "7", OrderID: "1", Certificate: whole})
	issued := func(id string) *schema.Event { return made(schema.OrderIssued, schema.Data{CertificateID: id}) }
	if o := history(Order.Fold, []*schema.Event{issued(""), collected}); o.CertificateID != "7" || o.CommonName != whole.CommonName {
		t.Errorf("the order has certificate %q of %q", o.CertificateID, o.CommonName)
	}
	if o := history(Order.Fold, []*schema.Event{issued("8"), collected}); o.CertificateID != "8" || o.CommonName != "" {
		t.Errorf("an older one changed the order: certificate %q of %q", o.CertificateID, o.CommonName)
	}
	names := made(schema.OrderIssued, schema.Data{CertificateID: "7", Certificate: &schema.Certificate{CommonName: "other.example.test"}})
	if c := history(Certificate.Fold, []*schema.Event{collected, names}); c.Cert.FingerprintSHA256 != "ab" || c.Cert.CommonName != whole.CommonName {
		t.Errorf("names alone replaced what was read: %+v", c.Cert)
	}
	reason := made(schema.OrderDescribed, schema.Data{Reason: "no answer", Checks: schema.Checks{schema.CheckPhone: schema.CheckFailed, schema.CheckCSR: schema.CheckPassed}})
	if o := history(Order.Fold, []*schema.Event{reason}); len(o.Reasons) != 1 || o.Reasons[schema.CheckPhone] != "no answer" {
		t.Errorf("the reasons are %v", o.Reasons)
	}
}

func TestRotations(t *testing.T) {
	ds := func(tag uint16) *schema.DS {
		return &schema.DS{KeyTag: tag, Algorithm: 13, DigestType: 2, Digest: "AB"}
	}
	started := func(d *schema.DS) *schema.Event {
		return made(schema.DNSSECRotationStarted, schema.Data{WebsiteID: "42", DS: d})
	}
	completed := func(d *schema.DS) *schema.Event {
		return made(schema.DNSSECRotationCompleted, schema.Data{WebsiteID: "42", DS: d})
	}
	for name, c := range map[string]struct {
		events        []*schema.Event
		state, step   string
		tag, previous uint16
	}{
		"started":                     {[]*schema.Event{started(ds(1))}, RotationStarted, StepDSSubmit, 1, 0},
		"started twice":               {[]*schema.Event{started(ds(1)), started(ds(1))}, RotationStarted, StepDSSubmit, 1, 0},
		"completed":                   {[]*schema.Event{started(ds(1)), completed(ds(1))}, RotationCompleted, StepDSRetract, 1, 0},
		"overtaken":                   {[]*schema.Event{completed(ds(1)), started(ds(1))}, RotationCompleted, StepDSRetract, 1, 0},
		"next cycle":                  {[]*schema.Event{started(ds(1)), completed(ds(1)), started(ds(2))}, RotationStarted, StepDSSubmit, 2, 1},
		"start lost":                  {[]*schema.Event{started(ds(1)), completed(ds(2))}, RotationCompleted, StepDSRetract, 2, 1},
		"new DS not readable":         {[]*schema.Event{started(ds(1)), completed(ds(1)), started(nil)}, RotationStarted, StepDSSubmit, 0, 1},
		"completed without a DS":      {[]*schema.Event{started(ds(1)), completed(nil)}, RotationCompleted, StepDSRetract, 1, 0},
		"seen at the parent":          {[]*schema.Event{started(ds(1)), made(schema.DNSSECDSSeen, schema.Data{WebsiteID: "42"})}, RotationStarted, "", 1, 0},
		"old one gone at the parent":  {[]*schema.Event{started(ds(1)), completed(ds(1)), made(schema.DNSSECDSGone, schema.Data{WebsiteID: "42"})}, RotationCompleted, "", 1, 0},
		"the new one seen":            {[]*schema.Event{started(ds(1)), made(schema.DNSSECDSSeen, schema.Data{DS: ds(1)})}, RotationStarted, "", 1, 0},
		"one of before seen":          {[]*schema.Event{started(ds(1)), started(ds(2)), made(schema.DNSSECDSSeen, schema.Data{DS: ds(1)})}, RotationStarted, StepDSSubmit, 2, 1},
		"another than the old gone":   {[]*schema.Event{started(ds(1)), completed(ds(2)), made(schema.DNSSECDSGone, schema.Data{DS: ds(2)})}, RotationCompleted, StepDSRetract, 2, 1},
		"seen, when none was awaited": {[]*schema.Event{started(ds(1)), completed(ds(1)), made(schema.DNSSECDSSeen, schema.Data{WebsiteID: "42"})}, RotationCompleted, StepDSRetract, 1, 0},
	} {
		r := history(DNSSEC.Fold, c.events)
		if r.Phase != c.state || r.NextStep != c.step || tag(r.DS) != c.tag || tag(r.PreviousDS) != c.previous {
			t.Errorf("%s: %s, next %s, DS %d, before %d; want %s, next %s, DS %d, before %d",
				name, r.Phase, r.NextStep, tag(r.DS), tag(r.PreviousDS), c.state, c.step, c.tag, c.previous)
		}
	}
}

func tag(ds *schema.DS) uint16 {
	if ds == nil {
		return 0
	}
	return ds.KeyTag
}

func TestValidations(t *testing.T) {
	until := schema.At(began.AddDate(0, 0, 199))
	validated := made(schema.DomainValidated, schema.Data{Domain: "example.com", ExpiresAt: &until})
	expired := made(schema.DomainExpired, schema.Data{Domain: "example.com"})
	again := made(schema.DomainValidated, schema.Data{Domain: "example.com"})
	d := history(Domain.Fold, []*schema.Event{validated, expired})
	if d.State != Expired || d.ExpiresAt == nil {
		t.Errorf("after expired: %+v", d)
	}
	d = history(Domain.Fold, []*schema.Event{validated, expired, again})
	if d.State != Validated || d.ExpiresAt != nil || !d.ValidatedAt.Equal(began.Add(2*time.Minute)) {
		t.Errorf("after validated again: %+v", d)
	}
}

func TestDaysLeft(t *testing.T) {
	for left, want := range map[time.Duration]int{0: 0, 25 * time.Hour: 1, 23 * time.Hour: 0, -time.Hour: -1, -24 * time.Hour: -1, -25 * time.Hour: -2} {
		if got := DaysLeft(schema.At(began.Add(left)), began); got != want {
			t.Errorf("%s left is %d days, want %d", left, got, want)
		}
	}
}

// TestClockChangesNothing: what certtrail's own clock says is worked out when it is read, so it must not be folded.
func TestClockChangesNothing(t *testing.T) {
	issued := made(schema.OrderIssued, schema.Data{CertificateID: "1"})
	expired := made("certificate.expired", schema.Data{CertificateID: "1"})
	expired.Source = schema.ClockSource
	a, b := history(Certificate.Fold, []*schema.Event{issued}), history(Certificate.Fold, []*schema.Event{issued, expired})
	if fmt.Sprint(a) != fmt.Sprint(b) {
		t.Errorf("the clock changed %+v to %+v", a, b)
	}
}

// TestCertificatesWithoutAnEnd: a certificate whose end is not known says so with the last second of the year 9999 (RFC
// 5280 4.1.2.5), which is further away than a time.Duration reaches.
func TestCertificatesWithoutAnEnd(t *testing.T) {
	from, until := schema.At(began), schema.At(time.Date(9999, 12, 31, 23, 59, 59, 0, time.UTC))
	c := Certificate{Phase: Issued, Cert: schema.Certificate{NotBefore: &from, NotAfter: &until}}
	days := int((until.Unix() - from.Unix()) / 86400)
	if got := c.ValidityDays(); got != days+1 {
		t.Errorf("it is valid for %d days, want %d", got, days+1)
	}
	if got := DaysLeft(until, began); got != days {
		t.Errorf("it has %d days left, want %d", got, days)
	}
	if got := DaysLeft(from, until.Time); got != -days-1 {
		t.Errorf("at its end its beginning is %d days away, want %d", got, -days-1)
	}
}

// TestManyChecksAreFoldedAtOnce: an answer about an order of many names must not copy all its checks for each of them.
func TestManyChecksAreFoldedAtOnce(t *testing.T) {
	checks := schema.Checks{}
	for i := range 250 {
		checks[schema.DomainCheck(fmt.Sprintf("host-%d.example.com", i))] = schema.CheckFailed
	}
	described := made(schema.OrderDescribed, schema.Data{OrderID: "1", Checks: checks, Reason: "why"})
	if allocations := testing.AllocsPerRun(10, func() { Order{}.Fold(1, described) }); allocations > 100 {
		t.Errorf("folding %d checks allocates %v times", len(checks), allocations)
	}
	if o := (Order{}).Fold(1, described); len(o.Checks) != 250 || len(o.ChecksSince) != 250 || len(o.Reasons) != 250 {
		t.Errorf("it has %d checks, %d times and %d reasons", len(o.Checks), len(o.ChecksSince), len(o.Reasons))
	}
}

package lifecycle

import (
	"maps"
	"slices"

	"github.com/certtrail/certtrail/schema"
)

// Where an order stands. Phases are what events say; action_required is a phase in which something waits for a person.
const (
	Pending        = "pending"
	ActionRequired = "action_required"
	Issued         = "issued"
	ReissueReady   = "reissue_ready"
	Rejected       = "rejected"
	Canceled       = "canceled"
	Revoked        = "revoked"
)

// What a person should do next about an order.
const (
	StepWait       = "wait-for-ca"
	StepAnswer     = "answer-ca" // a check failed
	StepRead       = "read-message"
	StepApprove    = "approve"
	StepReissue    = "reissue"
	StepInstall    = "install"
	StepReplace    = "replace" // the certificate is revoked
	StepOrderAgain = "order-again"
)

// Order holds the life of one order. A cycle begins with the first event or with reissue_ready, and within it checks
// commute with issued.
type Order struct {
	Life
	Phase         string // Pending, Issued, ReissueReady, Rejected, Canceled or Revoked
	CommonName    string
	DNSNames      []string
	CertificateID string // the last issued
	Checks        map[string]schema.CheckState
	ChecksSince   map[string]schema.Time // when the event was received that brought each check to its present state
	Reasons       map[string]string      // the provider's words on a check that failed or waits
	MessageAt     *schema.Time           // when the CA sent a message that nothing has answered
	StateSince    schema.Time            // when the event was received that brought the present State
	RevokedIDs    []string               // revoked certificates, so that an issued that comes late is known for what it is; sorted
}

// Fold returns o after the event at seq. It changes nothing that o shares with others.
func (o Order) Fold(seq uint64, e *schema.Event) Order {
	if ignored(e) {
		return o
	}
	if decides(e) {
		return o.decided(seq, e).since(o, e.Time)
	}
	return o.next(seq, e).since(o, e.Time)
}

// since notes as of when the order is in its state, and each check in its own.
func (o Order) since(before Order, at schema.Time) Order {
	if o.state() != before.state() {
		o.StateSince = at
	}
	own := false
	for name, state := range o.Checks {
		if state == before.Checks[name] {
			continue
		}
		if !own {
			o.ChecksSince, own = writable(o.ChecksSince), true
		}
		o.ChecksSince[name] = at
	}
	return o
}

func (o Order) next(seq uint64, e *schema.Event) Order {
	if o.Phase == "" {
		o.Phase = Pending
	}
	o.Life = o.Life.next(seq, e)
	d := &e.Data
	switch e.Kind() {
	case schema.OrderIssued:
		o = o.issued(d)
	case schema.OrderRejected:
		o.Phase = Rejected
	case schema.OrderCanceled:
		o.Phase = Canceled
	case schema.OrderReissueReady:
		o.Phase = ReissueReady
		o = o.allPassed() // it was issued, so they had; those of the new cycle are yet to come
	case schema.OrderMessageReceived:
		if o.MessageAt == nil {
			at := e.Time
			o.MessageAt = &at
		}
	case schema.CertificateRevoked:
		o = o.revoked(d.CertificateID)
	case schema.CertificateCollected:
		return o.collected(d)
	}
	if d.Check != "" && d.CheckState != "" {
		o = o.checked(d.Check, d.CheckState, d.Reason)
	}
	return o.described(d).named(d.Certificate)
}

// described notes all the checks that an answer tells of. The reason it gives is on those that failed, or else on those
// that wait.
func (o Order) described(d *schema.Data) Order {
	if len(d.Checks) == 0 {
		return o
	}
	on := schema.CheckDelayed
	for _, state := range d.Checks {
		if state == schema.CheckFailed {
			on = state
		}
	}
	o.Checks, o.Reasons = writable(o.Checks), writable(o.Reasons)
	for name, state := range d.Checks {
		reason := ""
		if state == on {
			reason = d.Reason
		}
		o.check(name, state, reason)
	}
	return o
}

// collected takes in that the order's certificate, or one of its certificates, was fetched. An order that was issued
// without saying with which has this one.
func (o Order) collected(d *schema.Data) Order {
	if o.CertificateID == "" && o.Phase == Issued {
		o = o.issuedWith(d.CertificateID)
	}
	if d.CertificateID != "" && o.CertificateID != d.CertificateID {
		return o // it is not the last issued, whose names the order has
	}
	o.Life = o.Life.read("certificate", d.Certificate != nil, d)
	return o.named(d.Certificate)
}

func (o Order) issued(d *schema.Data) Order {
	o.Phase = Issued
	o.MessageAt = nil
	o = o.allPassed()
	o.Life = o.Life.read("certificate", d.Certificate != nil, d)
	return o.issuedWith(d.CertificateID)
}

// allPassed returns o with its checks passed: the CA does not issue before they have.
func (o Order) allPassed() Order {
	o.Reasons = nil
	o.Checks = maps.Clone(o.Checks)
	for name := range o.Checks {
		o.Checks[name] = schema.CheckPassed
	}
	return o
}

func (o Order) issuedWith(certificateID string) Order {
	if certificateID == "" {
		return o
	}
	o.CertificateID = certificateID
	if _, found := slices.BinarySearch(o.RevokedIDs, certificateID); found {
		o.Phase = Revoked
	}
	return o
}

// revoked notes the certificate, and is the end of the order if it is the one that was issued last, or the only one
// heard of.
func (o Order) revoked(id string) Order {
	if id == "" {
		o.Phase = Revoked
		return o
	}
	if at, found := slices.BinarySearch(o.RevokedIDs, id); !found {
		o.RevokedIDs = slices.Insert(slices.Clone(o.RevokedIDs), at, id)
	}
	if o.CertificateID == "" || o.CertificateID == id {
		o.CertificateID = id
		o.Phase = Revoked
	}
	return o
}

// checked returns o with one check in that state.
func (o Order) checked(name string, state schema.CheckState, reason string) Order {
	o.Checks, o.Reasons = writable(o.Checks), writable(o.Reasons)
	o.check(name, state, reason)
	return o
}

// check notes where a check stands, in maps that are o's alone. One that comes after issued came late: it had passed by
// then.
func (o *Order) check(name string, state schema.CheckState, reason string) {
	if o.Phase == Issued || o.Phase == Revoked {
		state = schema.CheckPassed
	}
	o.Checks[name] = state
	delete(o.Reasons, name)
	if reason != "" && state != schema.CheckPassed {
		o.Reasons[name] = reason
	}
}

func (o Order) named(c *schema.Certificate) Order {
	if c == nil {
		return o
	}
	if c.CommonName != "" {
		o.CommonName = c.CommonName
	}
	if len(c.DNSNames) > 0 {
		o.DNSNames = c.DNSNames
	}
	return o
}

// State returns where the order stands, for a person.
func (o Order) State() string {
	switch o.Phase {
	case Rejected, Canceled, Revoked:
		return o.Phase
	}
	if o.MessageAt != nil || o.Phase != Issued && (o.failed() || o.awaitsApproval()) {
		return ActionRequired
	}
	return o.Phase
}

// NextStep returns what a person should do next; "" when nothing is left to do.
func (o Order) NextStep() string {
	switch o.State() {
	case ActionRequired:
		switch {
		case o.Phase != Issued && o.failed():
			return StepAnswer
		case o.Phase != Issued && o.awaitsApproval():
			return StepApprove
		}
		return StepRead
	case Pending:
		return StepWait
	case Issued:
		return StepInstall
	case ReissueReady:
		return StepReissue
	case Revoked:
		return StepReplace
	case Rejected:
		return StepOrderAgain
	}
	return ""
}

func (o Order) failed() bool {
	for _, state := range o.Checks {
		if state == schema.CheckFailed {
			return true
		}
	}
	return false
}

func (o Order) awaitsApproval() bool { return o.Checks[schema.CheckApproval] == schema.CheckPending }

// writable copies m, so that it may be written to; empty where there is none.
func writable[V any](m map[string]V) map[string]V {
	c := make(map[string]V, len(m)+1)
	maps.Copy(c, m)
	return c
}

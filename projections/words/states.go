package words

import (
	"strings"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// The states of a provider and of its API, which only those who show them know.
const (
	ProviderOn     = "on"
	ProviderOff    = "off"
	ProviderSilent = "silent"
	APIAsked       = "asked"
	APILeftAlone   = "left_alone"
	APINotAsked    = "not_asked"
)

// StateText explains a state to people.
type StateText struct {
	Word string
	Hint string // what it means; "" of a state that this program does not know
}

// State returns the text of a state of an order, a certificate, a validation, a rotation and so on, of a check, a read
// model, a provider or a matter.
func State(code string) StateText {
	for _, text := range []func(string) StateText{orderState, certificateState, checkState, userState, scannerState, rotationState, modelState, providerState, severityState} {
		if t := text(code); t.Word != "" {
			return t
		}
	}
	return StateText{Word: spaced(code)}
}

func orderState(code string) StateText {
	switch code {
	case lifecycle.Pending:
		return StateText{"pending", "The CA is working on it; nothing is asked of you."}
	case lifecycle.ActionRequired:
		return StateText{"action required", "The CA is waiting for you."}
	case lifecycle.Issued:
		return StateText{"issued", "The certificate has been issued."}
	case lifecycle.ReissueReady:
		return StateText{"reissue ready", "The CA is ready to issue the next certificate of this subscription."}
	case lifecycle.Rejected:
		return StateText{"rejected", "The CA rejected the order."}
	case lifecycle.Canceled:
		return StateText{"canceled", "It was withdrawn."}
	case lifecycle.Revoked:
		return StateText{"revoked", "The certificate must no longer be trusted."}
	}
	return StateText{}
}

// certificateState also serves what a CA validates.
func certificateState(code string) StateText {
	switch code {
	case lifecycle.Valid:
		return StateText{"active or expiring", "Valid today, whether or not it expires soon."}
	case lifecycle.Active:
		return StateText{"active", "Valid today."}
	case lifecycle.Expiring:
		return StateText{"expiring", "It is time to renew it."}
	case lifecycle.Expired:
		return StateText{"expired", "It is no longer valid."}
	case lifecycle.Replaced:
		return StateText{"replaced", "Another has taken its place."}
	case lifecycle.Validated:
		return StateText{"validated", "The CA has validated it and may reuse the validation."}
	case lifecycle.RevalidationDue:
		return StateText{"revalidation due", "The validation lapses soon."}
	}
	return StateText{}
}

func checkState(code string) StateText {
	switch schema.CheckState(code) {
	case schema.CheckPassed:
		return StateText{"passed", "The CA is satisfied."}
	case schema.CheckFailed:
		return StateText{"failed", "It did not succeed."}
	case schema.CheckDelayed:
		return StateText{"delayed", "It is taking longer than the CA expected."}
	}
	return StateText{}
}

// userState also serves a user's keys.
func userState(code string) StateText {
	switch code {
	case lifecycle.Disabled:
		return StateText{"disabled", "The account cannot be used for now."}
	case lifecycle.Deleted:
		return StateText{"deleted", "It is no longer there."}
	case lifecycle.KeyProvisioned:
		return StateText{"provisioned", "The key in use, of its kind."}
	}
	return StateText{}
}

func scannerState(code string) StateText {
	switch code {
	case lifecycle.TargetCreated:
		return StateText{"not verified yet", "The scanner knows of it, but has not verified that it is yours."}
	case lifecycle.Verified:
		return StateText{"verified", "The scanner has verified that it is yours."}
	case lifecycle.VerificationFailed:
		return StateText{"verification failed", "The scanner could not verify that it is yours."}
	case lifecycle.ScanStarted:
		return StateText{"under way", "The scanner is working on it."}
	case lifecycle.Completed:
		return StateText{"completed", "The scan has finished."}
	case lifecycle.Detected:
		return StateText{"detected", "The scanner found it and has not seen it fixed."}
	case lifecycle.Fixed:
		return StateText{"fixed", "The scanner no longer finds it."}
	}
	return StateText{}
}

func rotationState(code string) StateText {
	switch code {
	case lifecycle.RotationStarted:
		return StateText{"rotation under way", "The zone has a new key, which the parent zone must learn of."}
	case lifecycle.RotationOverdue:
		return StateText{"rotation overdue", "It should have been complete by now."}
	case lifecycle.RotationCompleted:
		return StateText{"rotation completed", "The zone is signed with the new key alone."}
	}
	return StateText{}
}

func modelState(code string) StateText {
	switch code {
	case projections.StateLive:
		return StateText{"live", "Up to date with the log."}
	case projections.StateCatchingUp:
		return StateText{"catching up", "It is working through events that are already in the log."}
	case projections.StateRebuilding:
		return StateText{"rebuilding", "It is being rebuilt from the log."}
	}
	return StateText{}
}

func providerState(code string) StateText {
	switch code {
	case ProviderOn:
		return StateText{"on", "Its deliveries are accepted."}
	case ProviderSilent:
		return StateText{"silent", "Nothing has arrived for longer than usual."}
	case ProviderOff:
		return StateText{"off", "Its credential is not set, so its endpoint answers 404."}
	case APIAsked:
		return StateText{"in use", "certtrail asks it for what the deliveries leave out."}
	case APILeftAlone:
		return StateText{"not answering", "It did not answer, so certtrail leaves it alone for a while."}
	case APINotAsked:
		return StateText{"not in use", "Its credentials are not set."}
	}
	return StateText{}
}

func severityState(code string) StateText {
	switch code {
	case projections.Critical:
		return StateText{"critical", "Act now."}
	case projections.Warning:
		return StateText{"warning", "Act soon."}
	case projections.Notice:
		return StateText{"notice", "Good to know."}
	}
	return StateText{}
}

// ProviderState words where a finding stands at its scanner, which writes some states in one word.
func ProviderState(code string) string {
	if code == projections.NotFixed {
		return "not fixed"
	}
	return spaced(code)
}

// The severities of a finding, from each number on.
const (
	SeverityLow      = 10
	SeverityMedium   = 20
	SeverityHigh     = 30
	SeverityCritical = 40
)

// Severity words the severity of a finding; "" where its scanner has not said.
func Severity(n int) string {
	switch {
	case n >= SeverityCritical:
		return "critical"
	case n >= SeverityHigh:
		return "high"
	case n >= SeverityMedium:
		return "medium"
	case n > 0:
		return "low"
	}
	return ""
}

// severityCount says so many findings of a severity: "1 high".
func severityCount(n, code string) string {
	word := map[string]int{lifecycle.High: SeverityHigh, lifecycle.Medium: SeverityMedium, lifecycle.Low: SeverityLow}[code]
	return n + " " + Severity(word)
}

// StepText says what comes next for a row, in a few words and in a sentence.
type StepText struct{ Word, Do string }

// Step returns the text of a next step.
func Step(code string) StepText {
	switch code {
	case lifecycle.StepWait:
		return StepText{"wait for the CA", "There is nothing to do. The CA is working on it, and this page shows what it reports."}
	case lifecycle.StepAnswer:
		return StepText{"answer the CA", "A check failed. See below what the CA needs; the order continues once the CA has it."}
	case lifecycle.StepRead:
		return StepText{"read the message", "The CA sent a message about this order. Read it in the CA’s console or mailbox, and answer it there."}
	case lifecycle.StepApprove:
		return StepText{"approve the order", "The CA sent an approval request by e-mail. Whoever received it must follow the link; the CA issues nothing before that."}
	case lifecycle.StepReissue:
		return StepText{"reissue", "The subscription goes on. Request the next certificate from the CA, with a new key, and install it before the current one expires."}
	case lifecycle.StepInstall:
		return StepText{"install it", "The certificate is ready. Download it from the CA and install it wherever it is needed."}
	case lifecycle.StepReplace:
		return StepText{"replace it", "The certificate is revoked. Order a replacement, install it wherever this one is in use, and find out why it was revoked."}
	case lifecycle.StepOrderAgain:
		return StepText{"order again", "The CA rejected this order for good. See why in its console, fix that, and place a new order."}
	case lifecycle.StepDSSubmit:
		return StepText{"publish the new DS", "Add the new DS record to the parent zone, usually in the registrar’s form, and keep the old one until the rotation is complete."}
	case lifecycle.StepDSRetract:
		return StepText{"remove the old DS", "The rotation is complete. Remove the old DS record from the parent zone, and leave the new one in place."}
	}
	return StepText{Word: strings.ReplaceAll(code, "-", " ")}
}

const (
	isAnnounced = "The CA has announced that it will revoke the certificate. "
	isEnding    = "The certificate has come to the end of its life. "
)

// InstallSuccessor returns the step after an order whose certificate has a successor, since it is to be revoked or
// comes to its end.
func InstallSuccessor(successor string, revoked bool) StepText {
	return StepText{"install its successor", either(revoked, isAnnounced, isEnding) + "Install its successor, certificate " + successor + ", wherever this one is in use."}
}

// Replace returns the step after an order whose certificate meets that fate and has no successor. Who installs it does
// so in vain.
func Replace(fate projections.Fate) StepText {
	if fate == projections.ToBeRevoked {
		return StepText{"replace it", isAnnounced + "Do not install it anywhere: order a replacement, and install that wherever this one is in use."}
	}
	return StepText{"renew it", isEnding + "There is no newer one for its names: order it, and install it wherever this one is in use."}
}

// Kind words an event's kind: "Order issued".
func Kind(k schema.Kind) string {
	if k == "" {
		return "Unknown event"
	}
	if k.Aggregate() == schema.AggregateDNSSEC {
		return join("DNSSEC", spaced(k.Name()))
	}
	return Capital(join(spaced(k.Aggregate()), strings.ReplaceAll(spaced(k.Name()), ".", " ")))
}

package web

import (
	"strings"

	"github.com/certtrail/certtrail/schema"
)

// What certtrail calls things when it speaks to people. The tables are data that nothing changes; what they lack is shown as the log says it.

// stateWord is a state as people see it: never by colour alone.
type stateWord struct {
	Word string
	Tone string // ok, warn, bad, wait, off: the colour
	Icon string // a symbol of icons.html
	Hint string // what it means, for the title
}

func stateOf(name string) stateWord {
	switch name {
	// orders
	case "pending":
		return stateWord{"pending", "wait", "wait", "The CA is working on it; nothing is asked of you."}
	case "action_required":
		return stateWord{"action required", "bad", "warn", "The CA is waiting for you."}
	case "issued":
		return stateWord{"issued", "ok", "ok", "The certificate has been issued."}
	case "reissue_ready":
		return stateWord{"reissue ready", "warn", "due", "The CA is ready to issue the next certificate of this subscription."}
	case "rejected":
		return stateWord{"rejected", "bad", "bad", "The CA rejected the order."}
	case "canceled":
		return stateWord{"canceled", "off", "off", "It was withdrawn."}
	case "revoked":
		return stateWord{"revoked", "bad", "bad", "The certificate must no longer be trusted."}
	// certificates, and what is validated
	case "valid":
		return stateWord{"active or expiring", "ok", "ok", "Valid today, whether or not it expires soon."}
	case "active":
		return stateWord{"active", "ok", "ok", "Valid today."}
	case "expiring":
		return stateWord{"expiring", "warn", "due", "It is time to renew it."}
	case "expired":
		return stateWord{"expired", "bad", "bad", "It is no longer valid."}
	case "replaced":
		return stateWord{"replaced", "off", "off", "Another has taken its place."}
	case "validated":
		return stateWord{"validated", "ok", "ok", "The CA has validated it and may reuse the validation."}
	case "revalidation_due":
		return stateWord{"revalidation due", "warn", "due", "The validation lapses soon."}
	// checks, and projections
	case "passed":
		return stateWord{"passed", "ok", "ok", "The CA is satisfied."}
	case "failed":
		return stateWord{"failed", "bad", "bad", "It did not succeed."}
	case "delayed":
		return stateWord{"delayed", "warn", "due", "It is taking longer than the CA expected."}
	// users and their keys
	case "disabled":
		return stateWord{"disabled", "warn", "off", "The account cannot be used for now."}
	case "deleted":
		return stateWord{"deleted", "off", "off", "It is no longer there."}
	case "provisioned":
		return stateWord{"provisioned", "ok", "ok", "The key in use, of its kind."}
	// what scanners watch and find
	case "created":
		return stateWord{"not verified yet", "wait", "wait", "The scanner knows of it, but has not verified that it is yours."}
	case "verified":
		return stateWord{"verified", "ok", "ok", "The scanner has verified that it is yours."}
	case "verification_failed":
		return stateWord{"verification failed", "bad", "warn", "The scanner could not verify that it is yours."}
	case "started":
		return stateWord{"under way", "wait", "wait", "The scanner is working on it."}
	case "completed":
		return stateWord{"completed", "ok", "ok", "The scan has finished."}
	case "detected":
		return stateWord{"detected", "warn", "warn", "The scanner found it and has not seen it fixed."}
	case "fixed":
		return stateWord{"fixed", "ok", "ok", "The scanner no longer finds it."}
	case "live":
		return stateWord{"live", "ok", "ok", "Up to date with the log."}
	case "catching_up":
		return stateWord{"catching up", "warn", "wait", "It is working through events that are already in the log."}
	case "rebuilding":
		return stateWord{"rebuilding", "warn", "wait", "It is being rebuilt from the log."}
	// rotations
	case "rotation_started":
		return stateWord{"rotation under way", "wait", "wait", "The zone has a new key, which the parent zone must learn of."}
	case "rotation_overdue":
		return stateWord{"rotation overdue", "bad", "warn", "It should have been complete by now."}
	case "rotation_completed":
		return stateWord{"rotation completed", "ok", "ok", "The zone is signed with the new key alone."}
	// providers and matters
	case "on":
		return stateWord{"on", "ok", "ok", "Its deliveries are accepted."}
	case "silent":
		return stateWord{"silent", "warn", "warn", "Nothing has arrived for longer than usual."}
	case "off":
		return stateWord{"off", "off", "off", "Its credential is not set, so its endpoint answers 404."}
	case "asked":
		return stateWord{"in use", "ok", "ok", "certtrail asks it for what the deliveries leave out."}
	case "left_alone":
		return stateWord{"not answering", "warn", "warn", "It did not answer, so certtrail leaves it alone for a while."}
	case "not_asked":
		return stateWord{"not in use", "off", "off", "Its credentials are not set."}
	case "critical":
		return stateWord{"critical", "bad", "warn", "Act now."}
	case "warning":
		return stateWord{"warning", "warn", "due", "Act soon."}
	case "notice":
		return stateWord{"notice", "wait", "info", "Good to know."}
	}
	return reportWord(name)
}

// reportWord is a state that a provider named: what a website's last report was.
func reportWord(name string) stateWord {
	w := stateWord{Word: strings.ReplaceAll(name, "_", " "), Tone: "wait", Icon: "info"}
	for _, bad := range []string{"malware", "issue", "fail", "infected", "blacklist", "down"} {
		if strings.Contains(name, bad) {
			w.Tone, w.Icon = "bad", "warn"
		}
	}
	for _, good := range []string{"clean", "resolved", "fixed", "restored"} {
		if strings.Contains(name, good) {
			w.Tone, w.Icon = "ok", "ok"
		}
	}
	return w
}

// nextStep is what comes next for a row, in a few words and in a sentence.
type nextStep struct {
	Word, Do string
	Yours    bool // a person has to do it
}

func nextStepOf(code string) nextStep {
	switch code {
	case "":
		return nextStep{}
	case "wait-for-ca":
		return nextStep{"wait for the CA", "There is nothing to do. The CA is working on it, and this page shows what it reports.", false}
	case "answer-ca":
		return nextStep{"answer the CA", "A check failed. See below what the CA needs; the order continues once the CA has it.", true}
	case "read-message":
		return nextStep{"read the message", "The CA sent a message about this order. Read it in the CA’s console or mailbox, and answer it there.", true}
	case "approve":
		return nextStep{"approve the order", "The CA sent an approval request by e-mail. Whoever received it must follow the link; the CA issues nothing before that.", true}
	case "reissue":
		return nextStep{"reissue", "The subscription goes on. Request the next certificate from the CA, with a new key, and install it before the current one expires.", true}
	case "install":
		return nextStep{"install it", "The certificate is ready. Download it from the CA and install it wherever it is needed.", false}
	case "replace":
		return nextStep{"replace it", "The certificate is revoked. Order a replacement, install it wherever this one is in use, and find out why it was revoked.", true}
	case "order-again":
		return nextStep{"order again", "The CA rejected this order for good. See why in its console, fix that, and place a new order.", true}
	case "ds-submit":
		return nextStep{"publish the new DS", "Add the new DS record to the parent zone, usually in the registrar’s form, and keep the old one until the rotation is complete.", true}
	case "ds-retract":
		return nextStep{"remove the old DS", "The rotation is complete. Remove the old DS record from the parent zone, and leave the new one in place.", true}
	}
	return nextStep{Word: strings.ReplaceAll(code, "-", " "), Yours: true}
}

// kindText is an event's kind as people see it: "Order issued".
func kindText(k schema.Kind) string {
	if k == "" {
		return "Unknown event"
	}
	text := strings.NewReplacer(".", " ", "_", " ").Replace(string(k))
	if rest, ok := strings.CutPrefix(text, "dnssec "); ok {
		return "DNSSEC " + rest
	}
	return strings.ToUpper(text[:1]) + text[1:]
}

// kindTone is the colour of an event's mark.
func kindTone(k schema.Kind) string {
	switch k {
	case schema.OrderIssued, schema.DomainValidated, schema.OrganizationValidated, schema.DNSSECRotationCompleted, schema.CertificateCollected,
		schema.UserKeysProvisioned, schema.TargetVerified, schema.ScanCompleted, schema.FindingFixed, schema.AttentionAcknowledged:
		return "ok"
	case schema.OrderCheckFailed, schema.OrderRejected, schema.CertificateRevoked, schema.CertificateRevocationAnnounced,
		schema.DomainValidationFailed, schema.DomainExpired, schema.OrganizationExpired, schema.TargetVerificationFailed, schema.ScanFailed:
		return "bad"
	case schema.OrderMessageReceived, schema.OrderApprovalRequested, schema.OrderCheckDelayed, schema.OrderReissueReady,
		schema.DomainRevalidationDue, schema.OrganizationRevalidationDue, schema.DNSSECRotationStarted, schema.DeliveryUnrecognized,
		schema.FindingDetected:
		return "warn"
	case schema.OrderCanceled, schema.CertificateReplaced, schema.UserDeleted, schema.TargetDeleted, schema.ScanCanceled, schema.AttentionSnoozed:
		return "off"
	}
	if k.Aggregate() == "website" || k.Aggregate() == "database" {
		return reportWord(k.Name()).Tone
	}
	return "wait"
}

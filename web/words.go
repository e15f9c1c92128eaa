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
		return stateWord{"pending", "wait", "wait", "The CA is at work; nothing is asked of you."}
	case "action_required":
		return stateWord{"action required", "bad", "warn", "The CA waits for you."}
	case "issued":
		return stateWord{"issued", "ok", "ok", "The certificate has been issued."}
	case "reissue_ready":
		return stateWord{"reissue ready", "warn", "due", "The CA is ready to issue the next certificate of this subscription."}
	case "rejected":
		return stateWord{"rejected", "bad", "bad", "The CA has refused the order."}
	case "canceled":
		return stateWord{"canceled", "off", "off", "It was withdrawn."}
	case "revoked":
		return stateWord{"revoked", "bad", "bad", "The certificate is no longer to be trusted."}
	// certificates, and what is validated
	case "valid":
		return stateWord{"active or expiring", "ok", "ok", "In force today, soon over or not."}
	case "active":
		return stateWord{"active", "ok", "ok", "In force today."}
	case "expiring":
		return stateWord{"expiring", "warn", "due", "It is time to renew it."}
	case "expired":
		return stateWord{"expired", "bad", "bad", "Its time is over."}
	case "replaced":
		return stateWord{"replaced", "off", "off", "Another has taken its place."}
	case "validated":
		return stateWord{"validated", "ok", "ok", "The CA has validated it and may reuse that."}
	case "revalidation_due":
		return stateWord{"revalidation due", "warn", "due", "The validation lapses soon."}
	// checks, and projections
	case "passed":
		return stateWord{"passed", "ok", "ok", "The CA is satisfied."}
	case "failed":
		return stateWord{"failed", "bad", "bad", "It did not succeed."}
	case "delayed":
		return stateWord{"delayed", "warn", "due", "It takes longer than the CA expected."}
	// users and their keys
	case "disabled":
		return stateWord{"disabled", "warn", "off", "The account cannot be used for now."}
	case "deleted":
		return stateWord{"deleted", "off", "off", "It is no longer there."}
	case "provisioned":
		return stateWord{"provisioned", "ok", "ok", "The present key of its kind."}
	// what scanners watch and find
	case "created":
		return stateWord{"not verified yet", "wait", "wait", "The scanner knows it, but has not been shown that it is yours."}
	case "verified":
		return stateWord{"verified", "ok", "ok", "The scanner knows that it is yours."}
	case "verification_failed":
		return stateWord{"verification failed", "bad", "warn", "The scanner could not be shown that it is yours."}
	case "started":
		return stateWord{"under way", "wait", "wait", "The scanner is at work."}
	case "completed":
		return stateWord{"completed", "ok", "ok", "The scanner has come to its end."}
	case "detected":
		return stateWord{"detected", "warn", "warn", "The scanner found it, and has not found it fixed."}
	case "fixed":
		return stateWord{"fixed", "ok", "ok", "The scanner no longer finds it."}
	case "live":
		return stateWord{"live", "ok", "ok", "Up to date with the log."}
	case "catching_up":
		return stateWord{"catching up", "warn", "wait", "It works through events that are already in the log."}
	case "rebuilding":
		return stateWord{"rebuilding", "warn", "wait", "It is being made anew from the log."}
	// rotations
	case "rotation_started":
		return stateWord{"rotation under way", "wait", "wait", "The zone has a new key; its parent must learn of it."}
	case "rotation_overdue":
		return stateWord{"rotation overdue", "bad", "warn", "It should have been completed by now."}
	case "rotation_completed":
		return stateWord{"rotation completed", "ok", "ok", "The zone is signed with the new key alone."}
	// providers and matters
	case "on":
		return stateWord{"on", "ok", "ok", "Its deliveries are taken."}
	case "silent":
		return stateWord{"silent", "warn", "warn", "Nothing has come for longer than is usual for it."}
	case "off":
		return stateWord{"off", "off", "off", "Its credential is not set, so its endpoint answers 404."}
	case "asked":
		return stateWord{"asked", "ok", "ok", "What its deliveries do not tell is asked for."}
	case "left_alone":
		return stateWord{"left alone", "warn", "warn", "It did not answer, and is not asked for a while."}
	case "not_asked":
		return stateWord{"not asked", "off", "off", "Its credentials are not set."}
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
		return nextStep{"wait for the CA", "Nothing to do: the CA is at work and certtrail shows what it says.", false}
	case "answer-ca":
		return nextStep{"answer the CA", "A check failed. What the CA needs stands with the check below; the order goes on once it has it.", true}
	case "read-message":
		return nextStep{"read its message", "The CA has written about this order. Read the message in its console or mailbox and answer it there.", true}
	case "approve":
		return nextStep{"approve the order", "The CA has sent an approval request by e-mail. Whoever received it follows the link; nothing is issued before.", true}
	case "reissue":
		return nextStep{"reissue", "The subscription goes on: ask the CA for the next certificate, with a fresh key, and install it before the present one expires.", true}
	case "install":
		return nextStep{"install it", "The certificate is ready: fetch it from the CA and install it where it is used.", false}
	case "replace":
		return nextStep{"replace it", "The certificate is revoked. Order another, install it wherever this one is in use, and find out why it was revoked.", true}
	case "order-again":
		return nextStep{"order again", "The CA refused this order for good. Read why in its console, mend that, and place a new order.", true}
	case "ds-submit":
		return nextStep{"publish the new DS", "Add the new DS record at the parent zone (usually in the registrar’s form) and keep the old one until the rotation is completed.", true}
	case "ds-retract":
		return nextStep{"retract the old DS", "The rotation is completed: remove the old DS record at the parent zone and leave the new one.", true}
	}
	return nextStep{Word: strings.ReplaceAll(code, "-", " "), Yours: true}
}

// kindText is an event's kind as people see it: "order issued".
func kindText(k schema.Kind) string {
	if k == "" {
		return "unknown event"
	}
	return strings.NewReplacer(".", " ", "_", " ").Replace(string(k))
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
	return "wait"
}

package view

import (
	"strings"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/projections/words"
	"github.com/certtrail/certtrail/schema"
)

// StateWord shows a state to people: never by colour alone.
type StateWord struct {
	Word string
	look
	Hint string // what it means, for the title
}

// look sets the colour and the icon of a word on a page.
type look struct {
	Tone string // ok, warn, bad, wait, off: the colour
	Icon string // a symbol of icons.html
}

// looks maps the states of rows, checks, read models and providers to their looks, and what matters weigh.
var looks = map[string]look{
	"pending": {"wait", "wait"}, "action_required": {"bad", "warn"}, "issued": {"ok", "ok"}, "reissue_ready": {"warn", "due"}, "rejected": {"bad", "bad"},
	"canceled": {"off", "off"}, "revoked": {"bad", "bad"}, // orders
	"valid": {"ok", "ok"}, "active": {"ok", "ok"}, "expiring": {"warn", "due"}, "expired": {"bad", "bad"}, "replaced": {"off", "off"}, // certificates
	"validated": {"ok", "ok"}, "revalidation_due": {"warn", "due"}, "passed": {"ok", "ok"}, "failed": {"bad", "bad"}, "delayed": {"warn", "due"},
	"disabled": {"warn", "off"}, "deleted": {"off", "off"}, "provisioned": {"ok", "ok"}, // users and their keys
	"created": {"wait", "wait"}, "verified": {"ok", "ok"}, "verification_failed": {"bad", "warn"}, "started": {"wait", "wait"}, "completed": {"ok", "ok"},
	"detected": {"warn", "warn"}, "fixed": {"ok", "ok"}, // what scanners watch and find
	"live": {"ok", "ok"}, "catching_up": {"warn", "wait"}, "rebuilding": {"warn", "wait"},
	"rotation_started": {"wait", "wait"}, "rotation_overdue": {"bad", "warn"}, "rotation_completed": {"ok", "ok"},
	words.ProviderOn: {"ok", "ok"}, words.ProviderSilent: {"warn", "warn"}, words.ProviderOff: {"off", "off"},
	words.APIAsked: {"ok", "ok"}, words.APILeftAlone: {"warn", "warn"}, words.APINotAsked: {"off", "off"},
	projections.Critical: {"bad", "warn"}, projections.Warning: {"warn", "due"}, projections.Notice: {"wait", "info"},
}

func StateOf(code string) StateWord {
	text := words.State(code)
	l, known := looks[code]
	if !known {
		l = reportLook(code)
	}
	return StateWord{text.Word, l, text.Hint}
}

// reportLook returns the look of a state which a provider named: what a website's last report was.
func reportLook(code string) look {
	l := look{Tone: "wait", Icon: "info"}
	for _, bad := range []string{"malware", "issue", "fail", "infected", "blacklist", "down"} {
		if strings.Contains(code, bad) {
			l = look{"bad", "warn"}
		}
	}
	for _, good := range []string{"clean", "resolved", "fixed", "restored"} {
		if strings.Contains(code, good) {
			l = look{"ok", "ok"}
		}
	}
	return l
}

// NextStep tells what comes next for a row.
type NextStep struct {
	words.StepText
	Yours bool // a person has to do it
}

func NextStepOf(code string) NextStep {
	return NextStep{words.Step(code), code != "" && code != lifecycle.StepWait && code != lifecycle.StepInstall}
}

// KindTone returns the colour of an event's mark.
func KindTone(k schema.Kind) string {
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
		return reportLook(k.Name()).Tone
	}
	return "wait"
}

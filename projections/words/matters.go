package words

import (
	"cmp"
	"fmt"
	"strings"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// MatterText explains a matter to people.
type MatterText struct {
	Title  string // all that tells it from others, in one line
	What   string // "Revocation announced"
	Number string // of what it is about: the provider's own, or what tells it from others; "" where there is none
	Detail string // what happened
	Means  string // "" where that goes without saying
	Do     string
}

// Matter returns the text of m; provider is the name that people call its provider by.
func Matter(m *projections.Matter, provider string) MatterText {
	t := matterText(m)
	t.Number = cmp.Or(t.Number, m.Number)
	source := strings.TrimSpace(provider + " " + t.Number)
	t.Title = t.What + ": " + source
	if m.About != "" {
		t.Title = t.What + ": " + schema.DisplayName(m.About) + " (" + source + ")"
	}
	return t
}

func matterText(m *projections.Matter) MatterText {
	switch m.Kind {
	case schema.MatterMessage, schema.MatterReissue, schema.MatterRejected, schema.MatterCheckFailed, schema.MatterCheckDelayed, schema.MatterApproval:
		return orderMatter(m)
	case schema.MatterRevocationAnnounced:
		return announcedMatter(m)
	case schema.MatterRevoked:
		return MatterText{What: "Revoked", Detail: "The CA has revoked this certificate, and there is no other for its names." + reasonsGiven(m),
			Means: "Browsers and other clients reject it wherever it is in use.",
			Do:    "Order a replacement, install it wherever this one is in use, and find out why it was revoked."}
	case schema.MatterExpires:
		return expiryMatter(m)
	case schema.MatterDomainFailed, schema.MatterDomainExpired, schema.MatterDomainLapses:
		return domainMatter(m)
	case schema.MatterOrganizationExpired, schema.MatterOrganizationLapses:
		return organizationMatter(m)
	case schema.MatterDSPublish, schema.MatterDSRetract:
		return dnssecMatter(m)
	case schema.MatterTargetFailed:
		return MatterText{What: "Verification failed", Detail: "The scanner could not verify that the host is yours." + reasonsGiven(m),
			Means: "It scans no host that is not verified.", Do: "Put the proof where the scanner looks for it, and have it try again."}
	case schema.MatterFinding:
		return MatterText{What: cmp.Or(m.Facts.Finding, "TLS finding"), Detail: "A scanner found this in the host’s TLS settings and has not seen it fixed.",
			Do: "Fix it, and have the scanner test again."}
	case schema.MatterSilent:
		return MatterText{What: "Gone silent",
			Detail: fmt.Sprintf("No delivery has arrived for %s; pauses of more than %s are unusual for it.", Duration(m.Facts.Silence.For), Duration(m.Facts.Silence.Usual)),
			Means:  "What it reports meanwhile may be lost: most providers do not send again.",
			Do:     "Check that its webhook is still enabled, send a test delivery from the system page, and reconcile. If you no longer use it, acknowledge this."}
	case schema.MatterQuarantined:
		return quarantineMatter(m)
	case schema.MatterEventsLost:
		return lossMatter(m)
	}
	return MatterText{What: Capital(spaced(m.Kind))}
}

// reasonsGiven returns the provider's words as sentences that follow another, each with the space before it.
func reasonsGiven(m *projections.Matter) string {
	text := ""
	for _, reason := range m.Facts.Reasons {
		text += " Reason given: “" + reason + "”" + either(strings.HasSuffix(reason, "."), "", ".")
	}
	return text
}

func orderMatter(m *projections.Matter) MatterText {
	switch m.Kind {
	case schema.MatterMessage:
		text := Message()
		return MatterText{What: "Message from the CA", Detail: text.Happened, Means: text.Means, Do: text.Do}
	case schema.MatterReissue:
		return MatterText{What: "Ready to reissue", Detail: "The subscription goes on, and the CA can issue its next certificate.",
			Do: "Request the next certificate from the CA, with a new key, and install it before the current one expires."}
	case schema.MatterRejected:
		return MatterText{What: "Order rejected", Detail: "The CA rejected the order." + reasonsGiven(m), Means: "No certificate will come of it.",
			Do: "See why in the CA’s console, fix that, and order again. If nobody needs the certificate any more, acknowledge this."}
	}
	text := Check(m.Part, m.Facts.Check)
	t := MatterText{What: checkTask(m.Part) + " " + string(m.Facts.Check), Detail: text.Happened + reasonsGiven(m), Means: text.Means, Do: text.Do}
	if m.Kind == schema.MatterApproval {
		t.What = "Approval needed"
	}
	return t
}

func announcedMatter(m *projections.Matter) MatterText {
	t := MatterText{What: "Revocation announced", Detail: "The CA has announced that it will revoke this certificate.",
		Means: "From then on, browsers and other clients reject it wherever it is in use.",
		Do:    "Order a replacement, and install it wherever this one is in use before the CA revokes it."}
	if m.Facts.Successor != "" {
		t.Do = "Its successor, certificate " + m.Facts.Successor + ", has been issued: make sure that it is installed wherever this one is in use."
	}
	if m.Due != nil {
		t.Detail = revocation(m.Due.Time, m.AsOf)
	}
	if m.Due != nil && !m.AsOf.Before(m.Due.Time) { // whether the CA has done so is not known
		t.Means = "Browsers and other clients may reject it by now wherever it is in use."
		if m.Facts.Successor == "" {
			t.Do = "Order a replacement, and install it at once wherever this one is in use."
		}
	}
	t.Detail += reasonsGiven(m)
	return t
}

// revocation says when the CA revokes, and how much time is left until then.
func revocation(at, now time.Time) string {
	switch left := at.Sub(now); {
	case left <= 0:
		return "The CA was due to revoke this certificate on " + Minute(at) + "."
	case left < time.Hour:
		return "The CA will revoke this certificate on " + Minute(at) + ", in " + Count(int(left.Minutes()), "minute") + "."
	default:
		return "The CA will revoke this certificate on " + Minute(at) + ", in " + Count(int(left.Hours()), "hour") + "."
	}
}

func expiryMatter(m *projections.Matter) MatterText {
	t := MatterText{What: "Expires soon", Do: "Renew it, and install the new one. If nobody needs it any more, acknowledge this."}
	switch {
	case m.Due == nil:
		return t
	case m.AsOf.After(m.Due.Time):
		t.What = "Expired"
		t.Detail = "It was valid until " + Minute(m.Due.Time) + ", and there is no newer certificate for its names."
		t.Means = "Browsers and other clients reject it wherever it is in use."
	default:
		t.Detail = "It is valid until " + Day(m.Due.Time) + ", " + Days(lifecycle.DaysLeft(*m.Due, m.AsOf)) +
			" from now, and there is no newer certificate for its names."
		t.Means = "After that, browsers and other clients reject it wherever it is in use."
	}
	return t
}

func domainMatter(m *projections.Matter) (t MatterText) {
	switch m.Kind {
	case schema.MatterDomainFailed:
		t = MatterText{What: "Validation failed", Detail: "The CA could not validate the domain." + reasonsGiven(m), Means: "The CA issues nothing for it until it is validated.",
			Do: "Make sure that the CA can see the proof: the DNS record, the file or the answer to its e-mail. Then have it try again."}
	case schema.MatterDomainExpired:
		t = MatterText{What: "Validation expired", Detail: "The CA’s validation of the domain has lapsed.",
			Means: "The CA issues nothing for it, renewals included, until it is validated again.", Do: "Validate the domain again at the CA before the next renewal."}
	default:
		t = MatterText{What: "Revalidation due", Detail: lapses("domain", m.Due),
			Means: "After that the CA issues nothing for it, renewals included.", Do: "Validate the domain again at the CA before then."}
	}
	if m.Facts.Renewal != nil {
		t.Detail += " The next renewal of a certificate for it should begin on " + Day(m.Facts.Renewal.Time) + "."
	}
	return t
}

// lapses says when the CA's validation of a thing ends.
func lapses(thing string, at *schema.Time) string {
	if at == nil {
		return "The CA’s validation of the " + thing + " is about to lapse."
	}
	return "The CA’s validation of the " + thing + " lapses on " + Day(at.Time) + "."
}

func organizationMatter(m *projections.Matter) MatterText {
	if m.Kind == schema.MatterOrganizationExpired {
		return MatterText{What: "Validation expired", Detail: "The CA’s validation of the organization has lapsed.",
			Means: "The CA issues no OV or EV certificate for it until it is validated again.",
			Do:    "Have the CA validate the organization again before the next order or renewal."}
	}
	return MatterText{What: "Revalidation due", Detail: lapses("organization", m.Due),
		Means: "After that the CA issues no OV or EV certificate for it, renewals included.",
		Do:    "Have the CA validate the organization again before then: it may call, or ask for documents."}
}

func dnssecMatter(m *projections.Matter) MatterText {
	t := MatterText{What: "Publish the new DS record", Detail: "A key rotation is under way.",
		Means: "Resolvers trust the zone’s new key only once the parent zone has this record.",
		Do:    "Add this record to the parent zone, usually in the registrar’s form, and keep the old one for now."}
	if m.Kind == schema.MatterDSRetract {
		t = MatterText{What: "Remove the old DS record", Detail: "The key rotation is complete.",
			Means: "The old record refers to a key that the zone no longer uses.",
			Do:    "Remove the old record from the parent zone, and leave the new one in place."}
	}
	if m.About == "" {
		t.Number = "website " + m.Number
	}
	if m.About == "" && m.Copy != "" {
		t.Do += " The provider did not say which zone it is for: put the zone’s name before it."
	}
	if m.Facts.Overdue {
		t.Means += " This is overdue: CAs refuse to issue for a zone whose DS records match none of its keys."
	}
	return t
}

// titleReason bounds how many characters of the reason a title takes, where a delivery was not understood: a reason
// names the event, if that is known, at its beginning.
const titleReason = 80

func quarantineMatter(m *projections.Matter) MatterText {
	detail := Sentence(strings.Join(m.Facts.Reasons, "; "))
	reason := []rune(strings.TrimSuffix(detail, "."))
	if len(reason) > titleReason {
		reason = append(reason[:titleReason-1:titleReason-1], '…')
	}
	return MatterText{What: "Not understood: " + string(reason), Number: "event " + m.Part, Detail: detail,
		Means: "It changed nothing here; the log keeps all of it.",
		Do:    "Read it. If it matters, act on it at the provider; a later version of certtrail may understand it."}
}

func lossMatter(m *projections.Matter) MatterText {
	l := m.Facts.Loss
	if l == nil {
		return MatterText{What: "Events are gone from the log"}
	}
	t := MatterText{What: "Events are gone from the log", Number: fmt.Sprintf("%d to %d", l.First, l.Last), Detail: lossText(l),
		Means: "What they said is not in the log any more. The pages may still show what came of them, until they are rebuilt.",
		Do:    fmt.Sprintf("Compare with a backup, or reconcile with the providers. Then settle it: certtrail log accept-gap %s.", l.Gap)}
	if l.First == l.Last {
		t.What, t.Number = "An event is gone from the log", fmt.Sprint(l.First)
		t.Means = "What it said is not in the log any more. The pages may still show what came of it, until they are rebuilt."
	}
	return t
}

// lossText says how events were lost.
func lossText(l *schema.Loss) string {
	switch l.Cause {
	case schema.CauseDamaged:
		return fmt.Sprintf("The file %s of the log was damaged; all that could be read of it was put back.", l.File)
	case schema.CauseMissing:
		return fmt.Sprintf("The file %s of the log is gone.", l.File)
	case schema.CauseEnd:
		return "The log ended before events that had been answered."
	}
	return "Nothing tells how they were lost."
}

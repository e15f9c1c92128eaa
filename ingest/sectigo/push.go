package sectigo

import (
	"errors"
	"fmt"
	"strconv"
	"strings"
	"time"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

// decodePush says what a certificate issuance push means ("Call information" and "Status codes" pages).
func decodePush(d *provider.Delivery) (schema.Kind, schema.Data, error) {
	ps, err := parameters(d)
	if err != nil {
		return quarantine("", err.Error(), !errors.Is(err, errNoObject))
	}
	eventType := ps.get("eventType")
	if eventType == "" {
		return undocumented("", "the parameters name no eventType")
	}
	for _, documented := range []string{"Certificate", "CallBack", "PreRevocationNotification"} {
		if strings.EqualFold(eventType, documented) {
			eventType = documented
		}
	}
	out := schema.Data{Event: provider.Clip(eventType, provider.MaxEvent), Decoder: decoder}
	errID := readIDs(&out, ps)
	switch {
	case errID != nil && (eventType == "Certificate" || eventType == "CallBack" || eventType == "PreRevocationNotification"):
		return unreadable(eventType, errID.Error())
	case eventType == "Certificate":
		return decodeStatus(out, ps)
	case eventType == "CallBack":
		return decodeCallBack(out, ps)
	case eventType == "PreRevocationNotification":
		return decodePreRevocation(out, ps)
	case errID == nil && out.OrderID != "": // MasterAccount, SiteLockFreemium, and notices of validation whose names the page does not show
		return schema.OrderUpdated, out, nil
	}
	return undocumented(eventType, fmt.Sprintf("the eventType %.80q is documented nowhere and names no order", eventType))
}

func readIDs(out *schema.Data, ps params) (err error) {
	if out.OrderID, err = schema.ID(ps.get("orderNumber")); err != nil {
		return fmt.Errorf("the orderNumber cannot be used: %w", err)
	}
	if out.CertificateID, err = schema.ID(ps.get("certificateID")); err != nil {
		return fmt.Errorf("the certificateID cannot be used: %w", err)
	}
	return nil
}

// statuses lists what a Certificate event may say, with the codes that mean the same. Verified and click-through come
// with any code.
var statuses = []struct {
	name  string
	codes string
}{
	{"failed", "3 5"}, {"issued", "6 9"}, {"rejected", "7"}, {"revoked", "8"}, {"awaitingbrandvalidation", "12"}, {"replaced", "14"},
	{"verified", ""}, {"click-through", ""},
}

// statusOf returns the status that the word gives, however it is spelt, or else the code; "" for neither.
func statusOf(status, code string) string {
	for _, s := range statuses {
		if squash(status) == squash(s.name) {
			return s.name
		}
	}
	for _, s := range statuses {
		for c := range strings.FieldsSeq(s.codes) {
			if c == code {
				return s.name
			}
		}
	}
	return ""
}

func decodeStatus(out schema.Data, ps params) (schema.Kind, schema.Data, error) {
	given, desc := ps.get("status"), provider.Clip(ps.get("statusDesc"), provider.MaxText)
	status := statusOf(given, ps.get("statusCode"))
	switch {
	case given != "" && statusOf(given, "") == "":
		out.Event = provider.Clip("Certificate/"+given, provider.MaxEvent)
	case status != "":
		out.Event = "Certificate/" + status
	}
	kind := schema.OrderUpdated
	switch status {
	case "issued":
		kind = schema.OrderIssued
		readCertificate(&out, ps.get("certificate"))
	case "rejected":
		kind, out.Reason = schema.OrderRejected, desc
	case "revoked":
		kind, out.Reason = schema.CertificateRevoked, reason(ps)
	case "replaced":
		kind = schema.CertificateReplaced
	case "failed":
		kind, out.Reason, out.Check, out.CheckState = schema.OrderCheckFailed, desc, schema.CheckIssuance, schema.CheckFailed
	case "awaitingbrandvalidation":
		kind, out.Reason, out.Check, out.CheckState = schema.OrderCheckDelayed, desc, schema.CheckBrand, schema.CheckDelayed
	case "verified":
		out.Check, out.CheckState = schema.CheckPhone, schema.CheckPassed
	case "click-through":
		kind, out.Check, out.CheckState = schema.OrderApprovalRequested, schema.CheckApproval, schema.CheckPending
	}
	return withIDs(kind, out)
}

func readCertificate(out *schema.Data, pem string) {
	if pem == "" { // status only, as most accounts have it
		return
	}
	cert, err := provider.ParseCertificate(pem)
	if err != nil {
		out.Unreadable = append(out.Unreadable, schema.Unreadable{Part: "certificate", Reason: err.Error()})
		return
	}
	out.Certificate = cert
}

// decodeCallBack reads what became of the validation call. The page's table of its statuses could not be read, so words
// decide; what denies comes first.
func decodeCallBack(out schema.Data, ps params) (schema.Kind, schema.Data, error) {
	status := strings.ToLower(ps.get("status"))
	says := func(words ...string) bool {
		for _, w := range words {
			if strings.Contains(status, w) {
				return true
			}
		}
		return false
	}
	out.Check, out.CheckState = schema.CheckPhone, schema.CheckPending
	switch {
	case says("fail", "unsuccess"):
		out.CheckState = schema.CheckFailed
	case says("delay", "resched", "missed"):
		out.CheckState = schema.CheckDelayed
	case says("unverified", "not ", "not-", "not_", "incomplete"):
	case says("verified", "success", "complete", "passed"):
		out.CheckState = schema.CheckPassed
	}
	if out.CheckState == schema.CheckFailed || out.CheckState == schema.CheckDelayed {
		out.Reason = provider.Clip(ps.get("statusDesc"), provider.MaxText)
	}
	return withIDs(schema.OrderUpdated, out)
}

// decodePreRevocation reads the announcement of a revocation. The page says that it has parameters of its own, which
// could not be read, so the time is looked for by the likely words in its name, and no id is demanded.
func decodePreRevocation(out schema.Data, ps params) (schema.Kind, schema.Data, error) {
	out.Reason = reason(ps)
	for _, p := range ps {
		if p.value == "" || !isRevocationTime(p.name) {
			continue
		}
		if t, err := parseTime(p.value); err == nil {
			out.RevokesAt, out.Unreadable = &t, nil
			break
		}
		out.Unreadable = []schema.Unreadable{{Part: "revokes_at", Reason: fmt.Sprintf("%.80q is not a time", p.value)}}
	}
	return schema.CertificateRevocationAnnounced, out, nil
}

func isRevocationTime(name string) bool {
	rest, ok := strings.ToLower(name), false
	for _, word := range []string{"revocation", "revoke"} { // cut out, for "revocation" has an "at" of its own
		if strings.Contains(rest, word) {
			rest, ok = strings.Replace(rest, word, "", 1), true
			break
		}
	}
	return ok && !strings.Contains(rest, "notif") && (strings.Contains(rest, "date") || strings.Contains(rest, "time") || strings.HasSuffix(rest, "at"))
}

// parseTime also reads seconds since 1970, in which Sectigo's older APIs give times.
func parseTime(s string) (schema.Time, error) {
	if n, err := strconv.ParseInt(s, 10, 64); err == nil && len(s) == 10 {
		return schema.At(time.Unix(n, 0)), nil
	}
	return schema.ParseTime(s)
}

func reason(ps params) string {
	for _, name := range []string{"revocationReasonName", "revocationReason", "reason", "statusDesc"} {
		if s := ps.get(name); s != "" {
			return provider.Clip(s, provider.MaxText)
		}
	}
	return ""
}

// withIDs returns the event, unless it lacks the order number that all documented events have; one of a certificate may
// name that alone.
func withIDs(kind schema.Kind, out schema.Data) (schema.Kind, schema.Data, error) {
	switch {
	case out.OrderID != "" || kind.Aggregate() == schema.AggregateCertificate && out.CertificateID != "":
		return kind, out, nil
	case kind.Aggregate() == schema.AggregateCertificate:
		return unreadable(out.Event, fmt.Sprintf("the %.80s push has neither certificateID nor orderNumber", out.Event))
	}
	return unreadable(out.Event, fmt.Sprintf("the %.80s push has no orderNumber", out.Event))
}

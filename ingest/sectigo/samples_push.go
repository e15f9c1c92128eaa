package sectigo

import (
	"maps"

	"github.com/certtrail/certtrail/ingest/provider"
)

// pushSamples returns the certificate issuance pushes: one per status of a Certificate event, and the two other event
// types that mean something. "push-" tells them from the platform's events. With a certificate they are a POST, without
// one a GET, as the page has it.
func pushSamples() []provider.Sample {
	ids := map[string]string{"order_id": "991001", "certificate_id": "992001"}
	status := func(status, code, desc string) map[string]string {
		return map[string]string{"status": status, "status_code": code, "reason": desc}
	}
	list := []provider.Sample{
		push("issued", ids, status("issued", "6", "valid"), map[string]string{"certificate": "", "ca_certificate": "", "removed_domains": ""}),
		push("rejected", ids, status("rejected", "7", "rejected: the organization could not be verified")),
		push("revoked", ids, status("revoked", "8", "revoked"), map[string]string{"revocation_reason_code": "5", "revocation_reason": "cessationOfOperation"}),
		push("replaced", ids, status("replaced", "14", "replaced")),
		push("failed", ids, status("failed", "3", "pre-sign failed: CAA does not authorise the CA")),
		push("awaitingbrandvalidation", ids, status("awaitingbrandvalidation", "12", "awaiting validation (brand)")),
		push("verified", ids, status("verified", "6", "phone number verified")),
		push("click-through", ids, status("click-through", "6", "EV click-through e-mail sent")),
		push("CallBack", ids, status("verified", "6", "phone number verified"), map[string]string{"event_type": "CallBack"}),
		push("PreRevocationNotification", ids, map[string]string{
			"event_type": "PreRevocationNotification", "revocation_reason": "keyCompromise", "revocation_date": "2026-11-22T14:00:00Z",
		}),
	}
	return list
}

func push(event string, params ...map[string]string) provider.Sample {
	all := map[string]string{"event_type": "Certificate"}
	for _, p := range params {
		maps.Copy(all, p)
	}
	return provider.Sample{Event: "push-" + event, Params: all, Build: func(p map[string]string) *provider.Delivery {
		form := provider.Form(
			"orderNumber", p["order_id"], "certificateID", p["certificate_id"], "eventType", p["event_type"],
			"certificate", p["certificate"], "caCertificate", p["ca_certificate"],
			"status", p["status"], "statusCode", p["status_code"], "statusDesc", p["reason"], "removedDomains", p["removed_domains"],
			"revocationReasonCode", p["revocation_reason_code"], "revocationReasonName", p["revocation_reason"],
			"revocationDate", p["revocation_date"], // a guess: the page's table of PreRevocationNotification could not be read
		)
		if p["certificate"] == "" && p["event_type"] != "PreRevocationNotification" {
			return &provider.Delivery{Feed: feedPush, Method: "GET", Query: form}
		}
		return &provider.Delivery{
			Feed: feedPush, Method: "POST", Header: map[string][]string{"Content-Type": {"application/x-www-form-urlencoded"}}, Body: []byte(form),
		}
	}}
}

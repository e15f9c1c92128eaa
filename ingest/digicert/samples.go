package digicert

import (
	"bytes"
	"encoding/json"
	"encoding/pem"
	"maps"
	"strings"

	"github.com/certtrail/certtrail/ingest/provider"
)

// samples returns the deliveries that CertCentral sends, one per event. An empty parameter leaves its key out.
func samples() []provider.Sample {
	ids := map[string]string{"order_id": "771001", "certificate_id": "881001"}
	list := []provider.Sample{
		sample("certificate_issued", ids, map[string]string{"certificate": "", "ca_certificate": ""}, issued),
		sample("certificate_revoked", ids, map[string]string{"reason": ""}, order),
		sample("order_rejected", ids, nil, order),
		sample("order_approval_email_sent", ids, map[string]string{"status": "sent", "approvers": "approver1@example.test,approver2@example.test"}, approval),
		sample("order_approval_completed", ids, map[string]string{"status": "complete", "approvers": ""}, approval), // the name is a guess, the data is not
	}
	for _, event := range []struct{ name, until string }{{"validated", "2027-06-03"}, {"revalidation_notice", "2026-12-21"}, {"expired", "2026-11-20"}} {
		about := map[string]string{"organization_id": "551001", "organization_name": "Example Corp.", "validation_type": "ov", "validated_until": event.until}
		list = append(list,
			sample("organization_"+event.name, about, nil, validated),
			sample("domain_"+event.name, about, map[string]string{"domain_id": "661001", "domain_name": "example.test", "validation_type": "dv"}, validated))
	}
	return append(list,
		sample("challenge_webhook_endpoint", map[string]string{"webhook_id": "12345", "token": "sample-challenge-token"}, nil, challenge),
		sample("test_webhook_endpoint", nil, nil, func(map[string]string) any { return nil }))
}

func sample(event string, params, more map[string]string, data func(p map[string]string) any) provider.Sample {
	all := maps.Clone(params)
	if all == nil {
		all = map[string]string{}
	}
	maps.Copy(all, more)
	return provider.Sample{Event: event, Params: all, Build: func(p map[string]string) *provider.Delivery {
		return delivery(event, data(p))
	}}
}

func delivery(event string, data any) *provider.Delivery {
	var body bytes.Buffer
	enc := json.NewEncoder(&body)
	enc.SetEscapeHTML(false)
	// Strings and the numbers that number makes of them always encode.
	_ = enc.Encode(struct {
		Event string `json:"event"`
		Data  any    `json:"data,omitempty"`
	}{event, data})
	return &provider.Delivery{
		Method: "POST", Header: map[string][]string{"Content-Type": {"application/json"}}, Body: bytes.TrimSuffix(body.Bytes(), []byte("\n")),
	}
}

type orderData struct {
	OrderID       json.RawMessage `json:"order_id,omitempty"`
	CertificateID json.RawMessage `json:"certificate_id,omitempty"`
	Chain         []link          `json:"certificate_chain,omitempty"`
	Reason        string          `json:"reason,omitempty"`
	Approval      string          `json:"orderApprovalEmailStatus,omitempty"`
	Approvers     []string        `json:"orderApprovalEmails,omitempty"`
}

type link struct {
	CommonName string `json:"subject_common_name"`
	PEM        string `json:"pem"`
}

func order(p map[string]string) any {
	return orderData{OrderID: number(p["order_id"]), CertificateID: number(p["certificate_id"]), Reason: p["reason"]}
}

func issued(p map[string]string) any {
	return orderData{OrderID: number(p["order_id"]), CertificateID: number(p["certificate_id"]), Chain: links(p["certificate"] + "\n" + p["ca_certificate"])}
}

func approval(p map[string]string) any {
	data := orderData{OrderID: number(p["order_id"]), CertificateID: number(p["certificate_id"]), Approval: p["status"]}
	if p["approvers"] != "" {
		data.Approvers = strings.Split(p["approvers"], ",")
	}
	return data
}

func validated(p map[string]string) any {
	return struct {
		OrganizationID   json.RawMessage `json:"organization_id,omitempty"`
		OrganizationName string          `json:"organization_name,omitempty"`
		DomainID         json.RawMessage `json:"domain_id,omitempty"`
		DomainName       string          `json:"domain_name,omitempty"`
		ValidationType   string          `json:"validation_type,omitempty"`
		ValidatedUntil   string          `json:"validated_until,omitempty"`
	}{number(p["organization_id"]), p["organization_name"], number(p["domain_id"]), p["domain_name"], p["validation_type"], p["validated_until"]}
}

func challenge(p map[string]string) any {
	return struct {
		Token     string          `json:"token,omitempty"`
		WebhookID json.RawMessage `json:"webhook_id,omitempty"`
	}{p["token"], number(p["webhook_id"])}
}

// links splits a PEM chain as CertCentral sends it: each certificate with its common name, and CRLF at the ends of
// lines.
func links(chain string) []link {
	var out []link
	for rest := []byte(chain); ; {
		var block *pem.Block
		if block, rest = pem.Decode(rest); block == nil {
			return out
		}
		text := string(pem.EncodeToMemory(block))
		l := link{PEM: strings.ReplaceAll(text, "\n", "\r\n")}
		if cert, err := provider.ParseCertificate(text); err == nil {
			l.CommonName = cert.CommonName
		}
		out = append(out, l)
	}
}

// number writes s as the JSON number that CertCentral would send, a string if it is not a number, nothing if it is
// empty.
func number(s string) json.RawMessage {
	var n json.Number
	if err := json.Unmarshal([]byte(s), &n); err == nil && strings.Trim(s, "0123456789") == "" {
		return json.RawMessage(s)
	}
	if s == "" {
		return nil
	}
	quoted, _ := json.Marshal(s) // a string always encodes
	return quoted
}

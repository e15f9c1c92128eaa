package sectigo

import (
	"maps"
	"net/url"
	"os"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/ingest/ingesttest"
	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

func push1(query string) *provider.Delivery {
	return &provider.Delivery{Feed: "push", Method: "GET", Query: query}
}

func pushed(contentType, body string) *provider.Delivery {
	return &provider.Delivery{Feed: "push", Method: "POST", Header: map[string][]string{"Content-Type": {contentType}}, Body: []byte(body)}
}

func TestPush(t *testing.T) {
	type D = schema.Data
	for query, tc := range map[string]struct {
		kind schema.Kind
		want D // without ids and decoder
	}{
		"eventType=Certificate&status=issued&statusCode=6&statusDesc=valid":                       {schema.OrderIssued, D{Event: "Certificate/issued"}},
		"eventType=Certificate&statusCode=9":                                                      {schema.OrderIssued, D{Event: "Certificate/issued"}},
		"EVENTTYPE=certificate&STATUS=+Issued+":                                                   {schema.OrderIssued, D{Event: "Certificate/issued"}},
		"eventType=Certificate&status=issued&statusCode=8":                                        {schema.OrderIssued, D{Event: "Certificate/issued"}},
		"eventType=Certificate&status=rejected&statusDesc=rejected:+why":                          {schema.OrderRejected, D{Event: "Certificate/rejected", Reason: "rejected: why"}},
		"eventType=Certificate&statusCode=7":                                                      {schema.OrderRejected, D{Event: "Certificate/rejected"}},
		"eventType=Certificate&status=revoked&statusDesc=revoked&revocationReasonName=superseded": {schema.CertificateRevoked, D{Event: "Certificate/revoked", Reason: "superseded"}},
		"eventType=Certificate&statusCode=8&statusDesc=revoked":                                   {schema.CertificateRevoked, D{Event: "Certificate/revoked", Reason: "revoked"}},
		"eventType=Certificate&status=replaced":                                                   {schema.CertificateReplaced, D{Event: "Certificate/replaced"}},
		"eventType=Certificate&statusCode=14":                                                     {schema.CertificateReplaced, D{Event: "Certificate/replaced"}},
		"eventType=Certificate&status=failed&statusDesc=CAA":                                      {schema.OrderCheckFailed, D{Event: "Certificate/failed", Check: "issuance", CheckState: "failed", Reason: "CAA"}},
		"eventType=Certificate&statusCode=3":                                                      {schema.OrderCheckFailed, D{Event: "Certificate/failed", Check: "issuance", CheckState: "failed"}},
		"eventType=Certificate&status=whatever&statusCode=5":                                      {schema.OrderCheckFailed, D{Event: "Certificate/whatever", Check: "issuance", CheckState: "failed"}},
		"eventType=Certificate&status=awaitingbrandvalidation&statusDesc=b":                       {schema.OrderCheckDelayed, D{Event: "Certificate/awaitingbrandvalidation", Check: "brand", CheckState: "delayed", Reason: "b"}},
		"eventType=Certificate&statusCode=12":                                                     {schema.OrderCheckDelayed, D{Event: "Certificate/awaitingbrandvalidation", Check: "brand", CheckState: "delayed"}},
		"eventType=Certificate&status=verified&statusCode=8":                                      {schema.OrderUpdated, D{Event: "Certificate/verified", Check: "phone", CheckState: "passed"}},
		"eventType=Certificate&status=click-through&statusCode=6":                                 {schema.OrderApprovalRequested, D{Event: "Certificate/click-through", Check: "approval", CheckState: "pending"}},
		"eventType=Certificate&status=Click+Through":                                              {schema.OrderApprovalRequested, D{Event: "Certificate/click-through", Check: "approval", CheckState: "pending"}},
		"eventType=Certificate&status=awaiting_brand_validation":                                  {schema.OrderCheckDelayed, D{Event: "Certificate/awaitingbrandvalidation", Check: "brand", CheckState: "delayed"}},
		"eventType=Certificate&status=ClickThrough":                                               {schema.OrderApprovalRequested, D{Event: "Certificate/click-through", Check: "approval", CheckState: "pending"}},
		"eventType=Certificate&status=polished&statusCode=99":                                     {schema.OrderUpdated, D{Event: "Certificate/polished"}},
		"eventType=Certificate":                                                                   {schema.OrderUpdated, D{Event: "Certificate"}},
		"eventType=CallBack&status=verified":                                                      {schema.OrderUpdated, D{Event: "CallBack", Check: "phone", CheckState: "passed"}},
		"eventType=callback&status=Call+successful":                                               {schema.OrderUpdated, D{Event: "CallBack", Check: "phone", CheckState: "passed"}},
		"eventType=CallBack&status=COMPLETED":                                                     {schema.OrderUpdated, D{Event: "CallBack", Check: "phone", CheckState: "passed"}},
		"eventType=CallBack&status=passed":                                                        {schema.OrderUpdated, D{Event: "CallBack", Check: "phone", CheckState: "passed"}},
		"eventType=CallBack&status=failed&statusDesc=no+answer":                                   {schema.OrderUpdated, D{Event: "CallBack", Check: "phone", CheckState: "failed", Reason: "no answer"}},
		"eventType=CallBack&status=unsuccessful":                                                  {schema.OrderUpdated, D{Event: "CallBack", Check: "phone", CheckState: "failed"}},
		"eventType=CallBack&status=delayed&statusDesc=tomorrow":                                   {schema.OrderUpdated, D{Event: "CallBack", Check: "phone", CheckState: "delayed", Reason: "tomorrow"}},
		"eventType=CallBack&status=rescheduled":                                                   {schema.OrderUpdated, D{Event: "CallBack", Check: "phone", CheckState: "delayed"}},
		"eventType=CallBack&status=missed":                                                        {schema.OrderUpdated, D{Event: "CallBack", Check: "phone", CheckState: "delayed"}},
		"eventType=CallBack&status=not+verified&statusDesc=x":                                     {schema.OrderUpdated, D{Event: "CallBack", Check: "phone", CheckState: "pending"}},
		"eventType=CallBack&status=incomplete":                                                    {schema.OrderUpdated, D{Event: "CallBack", Check: "phone", CheckState: "pending"}},
		"eventType=CallBack":                                                                      {schema.OrderUpdated, D{Event: "CallBack", Check: "phone", CheckState: "pending"}},
		"eventType=PreRevocationNotification":                                                     {schema.CertificateRevocationAnnounced, D{Event: "PreRevocationNotification"}},
		"eventType=prerevocationnotification&revocationReasonName=keyCompromise":                  {schema.CertificateRevocationAnnounced, D{Event: "PreRevocationNotification", Reason: "keyCompromise"}},
		"eventType=MasterAccount":                                                                 {schema.OrderUpdated, D{Event: "MasterAccount"}},
		"eventType=dcv.complete+%3E":                                                              {schema.OrderUpdated, D{Event: "dcv.complete >"}},
	} {
		t.Run(query, func(t *testing.T) {
			p := System.New(setting)
			tc.want.OrderID, tc.want.CertificateID, tc.want.Decoder = "991001", "992001", decoder
			query := "orderNumber=991001&certificateID=992001&" + query
			for _, d := range []*provider.Delivery{push1(query), pushed("application/x-www-form-urlencoded", query), pushed("", query), pushed("application/json", asJSON(t, query))} {
				ingesttest.Check(t, p, d)
				ingesttest.Redacted(t, p, d)
				kind, data, err := p.Decode(d)
				if err != nil {
					t.Fatal(err)
				}
				ingesttest.Equal(t, kind, data, tc.kind, tc.want)
			}
		})
	}
}

func asJSON(t *testing.T, query string) string {
	values, err := url.ParseQuery(query)
	if err != nil {
		t.Fatal(err)
	}
	object := map[string]string{}
	for name := range values {
		object[name] = values.Get(name)
	}
	return ingesttest.JSON(t, object)
}

func TestPushIDs(t *testing.T) {
	p := System.New(setting)
	for query, want := range map[string]string{
		"orderNumber=&orderNumber=1&certificateID=0&eventType=Certificate&status=issued": "1 0",
		"certificateID=2&eventType=Certificate&status=revoked":                           " 2",
		"certificateID=2&eventType=Certificate&status=replaced":                          " 2",
		"certificateID=2&eventType=PreRevocationNotification":                            " 2",
		"orderNumber=1&eventType=PreRevocationNotification":                              "1 ",
	} {
		_, data, err := p.Decode(push1(query))
		if got := data.OrderID + " " + data.CertificateID; err != nil || got != want {
			t.Errorf("%s: got ids %q, error %v; want %q", query, got, err, want)
		}
	}
	_, data, err := p.Decode(pushed("application/json", `{"orderNumber":991001,"certificateID":12345678901234567890,"eventType":"Certificate","statusCode":6,"x":[1]}`))
	if err != nil || data.OrderID != "991001" || data.CertificateID != "12345678901234567890" || data.Event != "Certificate/issued" {
		t.Errorf("numbers in JSON: got %+v, error %v", data, err)
	}
	d := pushed("application/x-www-form-urlencoded", "orderNumber=1&status=issued")
	d.Query = "orderNumber=2&eventType=Certificate"
	if _, data, err = p.Decode(d); err != nil || data.OrderID != "1" || data.Event != "Certificate/issued" {
		t.Errorf("body and query: got %+v, error %v", data, err)
	}
}

func TestPushCertificate(t *testing.T) {
	request, err := os.ReadFile("testdata/push-issued-certificate.http")
	if err != nil {
		t.Fatal(err)
	}
	_, form, _ := strings.Cut(string(request), "\n\n")
	values, err := url.ParseQuery(strings.TrimSpace(form))
	if err != nil {
		t.Fatal(err)
	}
	leaf, ca := values.Get("certificate"), values.Get("caCertificate")
	p := System.New(setting)
	for name, pem := range map[string]string{"LF": leaf, "CRLF": strings.ReplaceAll(leaf, "\n", "\r\n"), "with its chain": ca + leaf} {
		body := url.Values{"orderNumber": {"1"}, "eventType": {"Certificate"}, "status": {"issued"}, "certificate": {pem}, "caCertificate": {ca}}.Encode()
		_, data, err := p.Decode(pushed("application/x-www-form-urlencoded; charset=utf-8", body))
		if err != nil || data.Certificate == nil || data.Certificate.CommonName != "www.example.test" || data.Certificate.PEM != leaf || data.Unreadable != nil {
			t.Errorf("%s: got %+v, error %v", name, data, err)
		}
	}
	_, data, err := p.Decode(push1("orderNumber=1&eventType=Certificate&status=issued&certificate=MII..."))
	if err != nil || data.Certificate != nil || len(data.Unreadable) != 1 || data.Unreadable[0].Part != "certificate" {
		t.Errorf("unreadable: got %+v, error %v", data, err)
	}
	for _, sample := range System.Samples {
		if sample.Event != "push-issued" {
			continue
		}
		params := maps.Clone(sample.Params)
		params["certificate"], params["ca_certificate"] = leaf, ca
		d := sample.Build(params)
		if _, data, err := p.Decode(d); err != nil || d.Method != "POST" || data.Certificate == nil || data.Certificate.PEM != leaf {
			t.Errorf("sample with a certificate: %s gives %+v, error %v", d.Method, data, err)
		}
	}
}

func TestPushRevokesAt(t *testing.T) {
	p := System.New(setting)
	for params, want := range map[string]string{
		"revocationDate=2026-11-22T14:00:00Z":                                 "2026-11-22T14:00:00.000Z",
		"revocation_date=2026-11-22":                                          "2026-11-22T00:00:00.000Z",
		"scheduledRevocationTime=2026-11-22+14:00:00":                         "2026-11-22T14:00:00.000Z",
		"REVOCATIONDATETIME=1795356000":                                       "2026-11-22T14:00:00.000Z",
		"revokeAt=2026-11-22":                                                 "2026-11-22T00:00:00.000Z",
		"revocationNotificationDate=2026-11-01&revocationDate=2026-11-22":     "2026-11-22T00:00:00.000Z",
		"revocationDate=&revocationTimestamp=2026-11-22":                      "2026-11-22T00:00:00.000Z",
		"revocationDate=x&revocationTime=2026-11-22":                          "2026-11-22T00:00:00.000Z",
		"revocationReasonCode=1&revocationReasonName=a&preRevocationStatus=b": "",
		"date=2026-11-22":                                                     "",
		"revocationDate=22/11/2026":                                           `revokes_at: "22/11/2026" is not a time`,
	} {
		d := push1("orderNumber=1&eventType=PreRevocationNotification&" + params)
		ingesttest.Check(t, p, d)
		ingesttest.Redacted(t, p, d)
		_, data, err := p.Decode(d)
		got := ""
		if data.RevokesAt != nil {
			got = data.RevokesAt.String()
		}
		for _, u := range data.Unreadable {
			got += u.Part + ": " + u.Reason
		}
		if err != nil || got != want {
			t.Errorf("%s: got %q, error %v; want %q", params, got, err, want)
		}
	}
}

func TestPushQuarantine(t *testing.T) {
	long := strings.Repeat("1", 257)
	const tooLong = "cannot be used: an id of 257 bytes is longer than the 256 that a subject bears."
	for name, tc := range map[string]struct {
		d             *provider.Delivery
		event, reason string
	}{
		"no order":         {push1("eventType=Certificate&status=issued&certificateID=1"), "Certificate/issued", "! The Certificate/issued push has no orderNumber."},
		"no status either": {push1("eventType=Certificate"), "Certificate", "! The Certificate push has no orderNumber."},
		"call without":     {push1("eventType=CallBack&status=verified"), "CallBack", "! The CallBack push has no orderNumber."},
		"revoked without":  {push1("eventType=Certificate&status=revoked"), "Certificate/revoked", "! The Certificate/revoked push has neither certificateID nor orderNumber."},
		"long order":       {push1("eventType=Certificate&orderNumber=" + long), "Certificate", "! The orderNumber " + tooLong},
		"long certificate": {push1("eventType=CallBack&orderNumber=1&certificateID=" + long), "CallBack", "! The certificateID " + tooLong},
		"other, no order":  {push1("eventType=MasterAccount&status=1"), "MasterAccount", `The eventType "MasterAccount" is documented nowhere and names no order.`},
		"other, long":      {push1("eventType=MasterAccount&orderNumber=" + long), "MasterAccount", `The eventType "MasterAccount" is documented nowhere and names no order.`},
		"no event type":    {push1("orderNumber=1&status=issued"), "", "The parameters name no eventType."},
		"nothing":          {push1(""), "", "The parameters name no eventType."},
		"escape":           {push1("eventType=Certificate&orderNumber=%zz"), "", "! The parameters cannot be read: they have a broken percent escape."},
		"escape in form":   {pushed("application/x-www-form-urlencoded", "%=1"), "", "! The parameters cannot be read: they have a broken percent escape."},
		"too many":         {push1(strings.Repeat("a=1&", 201)), "", "! There are more than 200 parameters."},
		"JSON cut off":     {pushed("application/json", `{"eventType":"Certificate"`), "", "! The body is not JSON: unexpected end of JSON input."},
		"said to be JSON":  {pushed("application/json", `eventType=Certificate`), "", "! The body is not JSON: invalid character 'e' looking for beginning of value."},
		"JSON list":        {pushed("application/json", `["Certificate"]`), "", "The body is JSON, but not an object with parameters."},
		"JSON null":        {pushed("application/json", `null`), "", "The body is JSON, but not an object with parameters."},
		"words":            {pushed("text/plain", `hello`), "", "The parameters name no eventType."},
		"no boundary":      {pushed("multipart/form-data", `hello`), "", "! The parts of the body cannot be read."},
		"parts cut off":    {pushed("multipart/form-data; boundary=x", "--x\r\nContent-Disposition: form-data; name=\"eventType\"\r\n\r\nCert"), "", "! The parts of the body cannot be read."},
	} {
		t.Run(name, func(t *testing.T) { quarantined(t, tc.d, tc.event, tc.reason) })
	}
}

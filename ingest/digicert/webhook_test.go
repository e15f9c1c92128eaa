package digicert

import (
	"errors"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/certtrail/certtrail/ingest/ask"
	"github.com/certtrail/certtrail/ingest/ingesttest"
	"github.com/certtrail/certtrail/schema"
)

const (
	apiKey        = "ABCDEF0123456789-api-key"
	webhookSecret = "0123456789abcdef0123456789abcdef"
)

// headers returns those that the reference's examples have.
func headers(more ...string) map[string]string {
	h := map[string]string{"X-Dc-Devkey": apiKey, "Content-Type": "application/json", "Accept": "application/json"}
	for i := 0; i+1 < len(more); i += 2 {
		h[more[i]] = more[i+1]
	}
	return h
}

// client asks an API that expects just these calls.
func client(t *testing.T, calls ...ingesttest.Call) *Client {
	t.Helper()
	for i := range calls {
		calls[i].Path = "/services/v2/" + calls[i].Path
		if calls[i].Header == nil {
			calls[i].Header = headers()
		}
	}
	caller, err := ask.NewCaller(ask.Options{
		Name: "DigiCert", Base: ingesttest.API(t, calls...).URL + "/services/v2", Authorize: Authorize(" " + apiKey + "\n"), Secrets: []string{apiKey}, Tries: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	return NewClient(caller)
}

func to[T any](v T) *T { return &v }

const listed = `{"webhooks":[{"id":1234,"endpoint":"https://hooks.example.com/hooks/digicert","secret":"` + webhookSecret + `","events":["certificate_issued","order_rejected"],
	"status":"active","webhook_settings":{"webhook_notification_frequency":[90,"30",0,-7],"instant_issue_webhook_notification":"1","webhook_send_certificate_chain":true,"webhook_send_instant_issued_certificate_chain":0}}]}`

func TestCreateWebhook(t *testing.T) {
	all := client(t, ingesttest.Call{Method: "POST", Path: "webhook", Status: 201, Answer: `{"webhook_id":1234}`, Body: `{
		"endpoint":"https://hooks.example.com/hooks/digicert","secret":"` + webhookSecret + `","events":["certificate_issued","order_rejected"],"webhook_settings":{
		"instant_issue_webhook_notification":"1","webhook_notification_frequency":[90,7,0,-7],"webhook_send_certificate_chain":"1","webhook_send_instant_issued_certificate_chain":"0"}}`})
	id, err := all.CreateWebhook(t.Context(), Change{
		Endpoint: "https://hooks.example.com/hooks/digicert", Secret: to(webhookSecret), Events: []string{"certificate_issued", "order_rejected"},
		Settings: &Settings{InstantIssued: to(true), NotificationDays: []int{90, 7, 0, -7}, SendChain: to(true), SendInstantIssued: to(false)},
	})
	if err != nil || id != "1234" {
		t.Errorf("got %q, %v", id, err)
	}
	least := client(t, ingesttest.Call{Method: "POST", Path: "webhook", Status: 201, Answer: `{"webhook_id":"1"}`, Body: `{"endpoint":"https://h"}`})
	if id, err := least.CreateWebhook(t.Context(), Change{Endpoint: "https://h", Secret: to("")}); err != nil || id != "1" {
		t.Errorf("got %q, %v", id, err)
	}
}

func TestWebhookIsCheckedBeforeItIsSent(t *testing.T) {
	for want, change := range map[string]Change{
		"needs an endpoint":                     {},
		"must begin with https://":              {Endpoint: "http://h"},
		"must have at least 32 characters":      {Endpoint: "https://h", Secret: to("short-one")},
		"is not the name of an event":           {Endpoint: "https://h", Events: []string{"certificate_issued,order_rejected"}},
		"does not tell of a validation 14 days": {Endpoint: "https://h", Settings: &Settings{NotificationDays: []int{30, 14}}},
	} {
		if _, err := client(t).CreateWebhook(t.Context(), change); err == nil || !strings.Contains(err.Error(), want) || strings.Contains(err.Error(), "short-one") {
			t.Errorf("got %v, want %s", err, want)
		}
	}
	for _, id := range []string{"", " ", "..", strings.Repeat("1", 300)} {
		if err := client(t).ActivateWebhook(t.Context(), id); err == nil {
			t.Errorf("%.10q is a webhook's number", id)
		}
	}
	if err := client(t).CheckWebhookChallenge(t.Context(), "1", " "); err == nil {
		t.Error("a challenge is checked without its token")
	}
}

func TestUpdateWebhookChangesOnlyWhatIsNamed(t *testing.T) {
	list := ingesttest.Call{Method: "GET", Path: "webhook", Answer: listed}
	for name, tc := range map[string]struct {
		change     Change
		body       string
		unverified bool
	}{
		"nothing":       {Change{}, `{"endpoint":"https://hooks.example.com/hooks/digicert"}`, false},
		"same endpoint": {Change{Endpoint: "https://hooks.example.com/hooks/digicert"}, `{"endpoint":"https://hooks.example.com/hooks/digicert"}`, false},
		"endpoint":      {Change{Endpoint: "https://new.example.com/"}, `{"endpoint":"https://new.example.com/"}`, true},
		"events":        {Change{Events: []string{"domain_validated"}}, `{"endpoint":"https://hooks.example.com/hooks/digicert","events":["domain_validated"]}`, false},
		"secret":        {Change{Secret: to(strings.Repeat("x", 32))}, `{"endpoint":"https://hooks.example.com/hooks/digicert","secret":"xxxxxxxxxxxxxxxxxxxxxxxxxxxxxxxx"}`, false},
		"no secret":     {Change{Secret: to("")}, `{"endpoint":"https://hooks.example.com/hooks/digicert","secret":""}`, false},
		"a setting": {Change{Settings: &Settings{SendInstantIssued: to(true)}}, `{"endpoint":"https://hooks.example.com/hooks/digicert","webhook_settings":{"instant_issue_webhook_notification":"1",
			"webhook_notification_frequency":[90,30,0,-7],"webhook_send_certificate_chain":"1","webhook_send_instant_issued_certificate_chain":"1"}}`, false},
	} {
		t.Run(name, func(t *testing.T) {
			c := client(t, list, ingesttest.Call{Method: "PUT", Path: "webhook/1234", Status: 204, Body: tc.body})
			if unverified, err := c.UpdateWebhook(t.Context(), "1234", tc.change); err != nil || unverified != tc.unverified {
				t.Errorf("got %v, %v", unverified, err)
			}
		})
	}
	var e *Error
	if _, err := client(t, list).UpdateWebhook(t.Context(), "99", Change{}); !errors.As(err, &e) || e.Code != "not_found|webhook" {
		t.Errorf("a webhook that is not listed: %v", err)
	}
}

func TestWebhooksAreListedWithoutTheirSecrets(t *testing.T) {
	want := Webhook{
		ID: "1234", Endpoint: "https://hooks.example.com/hooks/digicert", Events: []string{"certificate_issued", "order_rejected"}, Status: "active", HasSecret: true,
		Settings: Settings{InstantIssued: to(true), NotificationDays: []int{90, 30, 0, -7}, SendChain: to(true), SendInstantIssued: to(false)},
	}
	c := client(t, ingesttest.Call{Method: "GET", Path: "webhook", Answer: listed})
	if w, err := c.TheWebhook(t.Context()); err != nil || !reflect.DeepEqual(w, want) {
		t.Errorf("got %+v, %v", w, err)
	}
	c = client(t, ingesttest.Call{Method: "GET", Path: "webhook", Answer: `{"webhooks":[{"id":"1","endpoint":"https://h","status":"pending","webhook_settings":[]}]}`})
	if w, err := c.TheWebhook(t.Context()); err != nil || !reflect.DeepEqual(w, Webhook{ID: "1", Endpoint: "https://h", Status: "pending"}) {
		t.Errorf("got %+v, %v", w, err)
	}
	c = client(t, ingesttest.Call{Method: "GET", Path: "webhook", Answer: `{"webhooks":[]}`})
	if _, err := c.TheWebhook(t.Context()); err == nil || !strings.Contains(err.Error(), "webhook create --endpoint URL") {
		t.Errorf("got %v", err)
	}
}

func TestWebhookHandshake(t *testing.T) {
	c := client(t,
		ingesttest.Call{Method: "POST", Path: "webhook/test-endpoint", Body: `{"endpoint":"https://h","secret":"` + webhookSecret + `"}`},
		ingesttest.Call{Method: "POST", Path: "webhook/test-endpoint", Body: `{"endpoint":"https://h"}`},
		ingesttest.Call{Method: "PUT", Path: "webhook/1234/send-challenge", Status: 204},
		ingesttest.Call{Method: "PUT", Path: "webhook/1234/check-challenge", Status: 204, Body: `{"token":"t0ken"}`},
		ingesttest.Call{Method: "PUT", Path: "webhook/1234/activate", Status: 204},
		ingesttest.Call{Method: "PUT", Path: "webhook/1234/deactivate", Status: 204},
	)
	for i, err := range []error{
		c.TestWebhook(t.Context(), "https://h", webhookSecret), c.TestWebhook(t.Context(), "https://h", ""), c.ChallengeWebhook(t.Context(), "1234"),
		c.CheckWebhookChallenge(t.Context(), "1234", " t0ken\n"), c.ActivateWebhook(t.Context(), "1234"), c.DeactivateWebhook(t.Context(), "1234"),
	} {
		if err != nil {
			t.Errorf("step %d: %v", i+1, err)
		}
	}
}

func TestWebhookErrorsSayWhatToDo(t *testing.T) {
	for code, tc := range map[string]struct {
		status int
		want   string
	}{
		"webhook_invalid_endpoint":   {400, "Give the hook's public URL, which must begin with https://."},
		"webhook_configured_already": {400, "may have only one. Change it with `certtrail digicert webhook update`"},
		"webhook_endpoint_error":     {400, "See that certtrail runs"},
		"webhook_invalid_token":      {400, "older than 30 minutes. Ask for another with"},
		"webhook_invalid_action":     {400, "Complete the challenge first"},
		"webhook_invalid_account":    {400, "the account has no webhook. Create one with"},
		"not_found|webhook":          {404, "the account has no webhook of this number."},
		"access_denied":              {403, "it does not accept the API key, or the key may not do this. Set digicert-api-key to a key of the account with the rights for it (access_denied)."},
		"not_found|order":            {404, "it does not know of it (not_found|order)."},
		"something_new":              {400, "it refused with status 400 (no luck with [redacted])."},
	} {
		c := client(t, ingesttest.Call{Method: "PUT", Path: "webhook/1/activate", Status: tc.status, Answer: `{"errors":[{"code":"` + code + `","message":"no luck with ` + apiKey + `."}]}`})
		err := c.ActivateWebhook(t.Context(), "1")
		var e *Error
		if !errors.As(err, &e) || e.Code != code || e.Status != tc.status {
			t.Errorf("%s: got %#v", code, err)
			continue
		}
		if s := e.Error(); !strings.HasPrefix(s, "DigiCert could not be made to activate the webhook: ") || !strings.Contains(s, tc.want) || !strings.HasSuffix(s, ".") || strings.Contains(s, apiKey) {
			t.Errorf("%s: got %s", code, s)
		}
	}
	for body, want := range map[string]string{`[]`: "it refused with status 400.", `{"errors":[]}`: "it refused with status 400.", `<html>`: "it refused with status 400."} {
		c := client(t, ingesttest.Call{Method: "PUT", Path: "webhook/1/activate", Status: 400, Answer: body})
		if err := c.ActivateWebhook(t.Context(), "1"); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: got %v", body, err)
		}
	}
}

func TestWebhookLogs(t *testing.T) {
	page := func(offset, answer string) ingesttest.Call {
		return ingesttest.Call{Method: "GET", Path: "webhook/1234/event-logs", Query: "filters[event_name]=order_rejected&limit=1000&offset=" + offset, Answer: answer}
	}
	c := client(t,
		page("0", `{"events":[{"event_name":"challenge_webhook_endpoint","request_status":"success","request_sent_time":"2026-07-10T18:38:35","response_received_time":"2026-07-10T18:38:35","response_code":200}],"page":{"total":3,"limit":1000,"offset":0}}`),
		page("1", `{"events":[{"event_name":"order_rejected","event_info":{"order_id":12345,"certificate_id":23456},"request_status":"success","request_sent_time":"2026-07-14T19:09:19","response_received_time":"2026-07-14T19:09:20","response_code":200},
			{"event_name":"order_rejected","event_info":[],"request_status":"failed","request_sent_time":"soon","response_code":null}],"page":{"total":3,"limit":1000,"offset":1}}`),
	)
	at := func(s string) *schema.Time {
		return to(schema.At(time.Date(2026, 7, 10, 18, 38, 35, 0, time.UTC).Add(mustDuration(t, s))))
	}
	want := []LogEntry{
		{Event: "challenge_webhook_endpoint", Status: "success", Sent: at("0s"), Answered: at("0s"), ResponseCode: 200},
		{Event: "order_rejected", OrderID: "12345", CertificateID: "23456", Status: "success", Sent: at("96h30m44s"), Answered: at("96h30m45s"), ResponseCode: 200},
		{Event: "order_rejected", Status: "failed"},
	}
	if got, err := c.WebhookLogs(t.Context(), "1234", map[string]string{"event_name": "order_rejected"}); err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("got %+v, %v", got, err)
	}
	short := client(t, ingesttest.Call{Method: "GET", Path: "webhook/1/event-logs", Query: "limit=1000&offset=0", Answer: `{"events":[],"page":{"total":9}}`})
	if got, err := short.WebhookLogs(t.Context(), "1", nil); err != nil || len(got) != 0 {
		t.Errorf("a log that ends before its total: %v, %v", got, err)
	}
}

func mustDuration(t *testing.T, s string) time.Duration {
	t.Helper()
	d, err := time.ParseDuration(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

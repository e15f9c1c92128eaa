package digicert

import (
	"context"
	"errors"
	"slices"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/ingest/ask"
	"github.com/certtrail/certtrail/ingest/ingesttest"
	"github.com/certtrail/certtrail/ingest/provider"
)

// run runs a command of the provider's own against an API that expects just these calls; flags are names and values in
// turn.
func run(t *testing.T, name, key string, flags []string, calls ...ingesttest.Call) (string, error) {
	t.Helper()
	i := slices.IndexFunc(webhookCommands(), func(c provider.Command) bool { return c.Name == "webhook "+name })
	if i < 0 {
		t.Fatalf("there is no command %q", name)
	}
	command := webhookCommands()[i]
	for j := 0; j < len(flags); j += 2 {
		if !slices.ContainsFunc(command.Flags, func(f provider.Flag) bool { return f.Name == flags[j] }) {
			t.Fatalf("webhook %s has no flag --%s", name, flags[j])
		}
	}
	var out strings.Builder
	err := command.Run(t.Context(), provider.Invocation{
		Client: client(t, calls...), Out: &out,
		Setting: func(name string) string { return map[string]string{settingKey: key}[name] },
		Flag: func(name string) (string, bool) {
			for j := 0; j < len(flags); j += 2 {
				if flags[j] == name {
					return flags[j+1], true
				}
			}
			return "", false
		},
	})
	return out.String(), err
}

const (
	hook       = "https://hooks.example.com/hooks/digicert"
	nineEvents = `["certificate_issued","certificate_revoked","order_rejected","organization_validated","organization_expired",
		"organization_revalidation_notice","domain_validated","domain_expired","domain_revalidation_notice"]`
)

func TestWebhookCommands(t *testing.T) {
	list := ingesttest.Call{Method: "GET", Path: "webhook", Answer: listed}
	post := func(path, body string) ingesttest.Call {
		return ingesttest.Call{Method: "POST", Path: "webhook" + path, Status: 201, Body: body,
			Answer: `{"webhook_id":77}`}
	}
	put := func(path, body string) ingesttest.Call {
		return ingesttest.Call{Method: "PUT", Path: "webhook/1234" + path, Status: 204, Body: body}
	}
	const log = `{"events":[{"event_name":"order_rejected","event_info":{"order_id":5,"certificate_id":6},"request_status":"success",
		"request_sent_time":"2026-07-14T19:09:19","response_code":200},{"event_name":"challenge_webhook_endpoint","request_status":"failed"}],"page":{"total":2}}`
	for name, tc := range map[string]struct {
		command, key string
		flags        []string
		calls        []ingesttest.Call
		says         []string
	}{
		"create": {"create", webhookSecret + "\n", []string{"endpoint", hook},
			[]ingesttest.Call{post("",
				`{"endpoint":"`+hook+`","secret":"`+webhookSecret+`","events":`+nineEvents+`}`)},
			[]string{"Webhook 77 is created for " + hook + ", with digicert-webhook-key as its secret.",
				"sends nothing yet", "webhook challenge"}},
		"create with all flags": {"create", webhookSecret,
			[]string{"endpoint", hook, "events", "order_rejected, domain_expired", "notification-days", "90,-7",
				"send-chain", "true", "instant-issued", "false"},
			[]ingesttest.Call{post("", `{"endpoint":"`+hook+`","secret":"`+webhookSecret+`","events":["order_rejected","domain_expired"],"webhook_settings":{
				"instant_issue_webhook_notification":"0","webhook_notification_frequency":[90,-7],"webhook_send_certificate_chain":"1"}}`)}, nil},
		"create without a key": {"create", " ", []string{"endpoint", hook},
			[]ingesttest.Call{post("", `{"endpoint":"`+hook+`","events":`+nineEvents+`}`)},
			[]string{"without a secret, because digicert-webhook-key is not set: then certtrail takes no deliveries"}},
		"update nothing": {"update", webhookSecret, nil, []ingesttest.Call{list, list, put("",
			`{"endpoint":"`+hook+`"}`)}, []string{"Webhook 1234 is updated.\n"}},
		"update the secret": {"update", webhookSecret, []string{"secret", "true"},
			[]ingesttest.Call{list, list, put("", `{"endpoint":"`+hook+`","secret":"`+webhookSecret+`"}`)}, nil},
		"update the endpoint": {"update", "", []string{"endpoint", "https://new.example.com/", "secret", "false"},
			[]ingesttest.Call{list, list, put("", `{"endpoint":"https://new.example.com/"}`)},
			[]string{"Its endpoint is another", "webhook challenge"}},
		"list": {"list", "", nil, []ingesttest.Call{list},
			[]string{"webhook   1234\nstatus    active\nendpoint  " + hook +
				"\nsecret    set\nevents    certificate_issued, order_rejected\n" +
				"settings  instant-issued=true send-chain=true send-instant-issued=false notification-days=90,30,0,-7\n"}},
		"list one without settings": {"list", "", nil,
			[]ingesttest.Call{{Method: "GET", Path: "webhook",
				Answer: `{"webhooks":[{"id":"1","endpoint":"https://h","secret":"","events":null,"status":"pending"}]}`}},
			[]string{"status    pending\n", "secret    none\nevents    \nsettings  DigiCert's own\n"}},
		"list none": {"list", "", nil, []ingesttest.Call{{Method: "GET", Path: "webhook", Answer: `{}`}},
			[]string{"The account has no webhook. Create one with"}},
		"test": {"test", webhookSecret, nil, []ingesttest.Call{list, post("/test-endpoint",
			`{"endpoint":"`+hook+`","secret":"`+webhookSecret+`"}`)},
			[]string{"sent a test event to " + hook}},
		"test another": {"test", "", []string{"endpoint", "https://h"}, []ingesttest.Call{post("/test-endpoint",
			`{"endpoint":"https://h"}`)}, []string{"to https://h, which took it"}},
		"challenge": {"challenge", "", nil, []ingesttest.Call{list, put("/send-challenge", "")},
			[]string{"DigiCert challenges " + hook}},
		"challenge with its token": {"challenge", "", []string{"token", "t0ken"},
			[]ingesttest.Call{list, put("/check-challenge", `{"token":"t0ken"}`), put("/activate", "")},
			[]string{"The token is right, and webhook 1234 is active.\n"}},
		"activate": {"activate", "", nil, []ingesttest.Call{list, put("/activate", "")},
			[]string{"Webhook 1234 is active"}},
		"deactivate": {"deactivate", "", nil, []ingesttest.Call{list, put("/deactivate", "")},
			[]string{"Webhook 1234 sends nothing any more"}},
		"logs": {"logs", "", []string{"filter", "event_name=order_rejected,response_code=200"},
			[]ingesttest.Call{list, {Method: "GET", Path: "webhook/1234/event-logs", Answer: log,
				Query: "filters[event_name]=order_rejected&filters[response_code]=200&limit=1000&offset=0"}},
			[]string{"SENT",
				"2026-07-14T19:09:19.000Z  order_rejected              5      6            success  200\n",
				"challenge_webhook_endpoint                      failed   0\n"}},
	} {
		t.Run(name, func(t *testing.T) {
			out, err := run(t, tc.command, tc.key, tc.flags, tc.calls...)
			if err != nil {
				t.Fatal(err)
			}
			for _, part := range tc.says {
				if !strings.Contains(out, part) {
					t.Errorf("it says\n%s, want %q", out, part)
				}
			}
			if strings.Contains(out, webhookSecret) {
				t.Errorf("it says the secret: %s", out)
			}
		})
	}
}

// TestWebhookCommandsFail: what is wrong with the flags is found before anything is asked; what the API says is told,
// and nothing more is asked.
func TestWebhookCommandsFail(t *testing.T) {
	list := ingesttest.Call{Method: "GET", Path: "webhook", Answer: listed}
	none := ingesttest.Call{Method: "GET", Path: "webhook", Answer: `{"webhooks":[]}`}
	refusal := func(method, path string) ingesttest.Call {
		return ingesttest.Call{Method: method, Path: path, Status: 400,
			Answer: `{"errors":[{"code":"webhook_invalid_action"}]}`}
	}
	body := `{"endpoint":"` + hook + `"`
	withBody := func(c ingesttest.Call, body string) ingesttest.Call { c.Body = body; return c }
	for name, tc := range map[string]struct {
		command string
		flags   []string
		calls   []ingesttest.Call
		want    string
	}{
		"create, no endpoint": {"create", nil, nil, "needs an endpoint"},
		"create, odd days": {"create", []string{"endpoint", hook, "notification-days", "30,soon"}, nil,
			`--notification-days: "soon" is not a number of days`},
		"create, refused": {"create", []string{"endpoint", hook}, []ingesttest.Call{withBody(refusal("POST",
			"webhook"), body+`,"events":`+nineEvents+`}`)}, "create the webhook: "},
		"update, odd days": {"update", []string{"notification-days", "1"}, []ingesttest.Call{list},
			"1 days before its end"},
		"update, no key": {"update", []string{"secret", "true"}, nil,
			"there is no secret to send: set digicert-webhook-key"},
		"update, none": {"update", nil, []ingesttest.Call{none}, "the account has no webhook"},
		"update, refused": {"update", nil, []ingesttest.Call{list, list, withBody(refusal("PUT",
			"webhook/1234"), body+`}`)}, "update the webhook: "},
		"list, refused": {"list", nil, []ingesttest.Call{refusal("GET", "webhook")},
			"list the webhooks: "},
		"test, none":       {"test", nil, []ingesttest.Call{none}, "the account has no webhook"},
		"test, plain HTTP": {"test", []string{"endpoint", "http://h"}, nil, "must begin with https://"},
		"challenge, none":  {"challenge", nil, []ingesttest.Call{none}, "the account has no webhook"},
		"challenge, refused": {"challenge", nil, []ingesttest.Call{list, refusal("PUT",
			"webhook/1234/send-challenge")}, "send a challenge: "},
		"challenge, wrong token": {"challenge", []string{"token", "t"}, []ingesttest.Call{list,
			withBody(refusal("PUT", "webhook/1234/check-challenge"), `{"token":"t"}`)},
			"check the challenge's token: "},
		"activate, none": {"activate", nil, []ingesttest.Call{none}, "the account has no webhook"},
		"activate, refused": {"activate", nil, []ingesttest.Call{list, refusal("PUT",
			"webhook/1234/activate")}, "Complete the challenge first"},
		"logs, odd filter": {"logs", []string{"filter", "order_rejected"}, nil,
			`--filter: "order_rejected" is not NAME=VALUE`},
		"logs, none": {"logs", nil, []ingesttest.Call{none}, "the account has no webhook"},
		"logs, answer of no shape": {"logs", nil, []ingesttest.Call{list, {Method: "GET",
			Path: "webhook/1234/event-logs", Query: "limit=1000&offset=0", Answer: `[]`}}, "JSON of another shape"},
	} {
		t.Run(name, func(t *testing.T) {
			if out, err := run(t, tc.command, "", tc.flags, tc.calls...); err == nil ||
				!strings.Contains(err.Error(), tc.want) || out != "" {
				t.Errorf("it says %q and fails with %v, want %s", out, err, tc.want)
			}
		})
	}
}

// TestEveryCallFails: whatever is asked, an answer that is none says what was asked for, and bears no credential.
func TestEveryCallFails(t *testing.T) {
	const page = "<html><title>Sign in</title>" + apiKey
	const described, file, unread = 0, 1, 2 // what is made of the answer: JSON is read, a file is kept, nothing
	for name, one := range map[string]struct {
		method, path, query string
		answer              int
		call                func(c *Client) error
	}{
		"describe order 7": {"GET", "order/certificate/7", "", described, order7((*Client).OrderInfo)},
		"describe domain 7": {"GET", "domain/7", "include_dcv=true&include_validation=true", described,
			only((*Client).DomainInfo)},
		"tell how order 7 is validated": {"GET", "order/certificate/7/validation", "", described,
			only((*Client).ValidationStatus)},
		"list the webhooks": {"GET", "webhook", "", described,
			func(c *Client) error { return errorOf(c.TheWebhook(context.Background())) }},
		"show the webhook's event log": {"GET", "webhook/7/event-logs", "limit=1000&offset=0", described,
			func(c *Client) error { return errorOf(c.WebhookLogs(context.Background(), "7", nil)) }},
		"hand out the certificate of order 7": {"GET", "certificate/download/order/7/format/pem_all", "", file,
			func(c *Client) error { return errorOf(c.Collect(context.Background(), "7", "")) }},
		"activate the webhook": {"PUT", "webhook/7/activate", "", unread,
			func(c *Client) error { return c.ActivateWebhook(context.Background(), "7") }},
	} {
		for _, answer := range []struct {
			status     int
			text, want string
			upTo       int  // the last of described, file and unread for which the answer is none
			later      bool // asking again later may help
		}{
			{401, `{"errors":[{"code":"access_denied","message":"` + apiKey + `"}]}`, "made to " + name +
				": it does not accept the API key", unread, false},
			{403, `{}`, "made to " + name + ": it does not accept the API key, or the key may not do this", unread,
				false},
			{404, ``, "made to " + name + ": it does not know of it. See", unread, false},
			{400, `{"errors":{"code":"old_form","message":"No such."}}`, "made to " + name +
				": it refused with status 400 (No such).", unread, false},
			{422, `{"errors":[{"message":7}]}`, "made to " + name + ": it refused with status 422 (7).", unread,
				false},
			{429, `{"errors":[{"code":"request_limit_exceeded"}]}`, "it was asked too often (status 429)", unread,
				true},
			{503, page, "failed with status 503", unread, true},
			{302, ``, "sent elsewhere (status 302)", unread, false},
			{200, page, "answered with a page instead of", file, true},
			{200, `{"orders"`, "answered with something instead of JSON", described, true},
			{200, `[1]`, "asked to " + name + ", answered with JSON of another shape than it documents", described,
				false},
		} {
			if one.answer > answer.upTo {
				continue
			}
			call := ingesttest.Call{Method: one.method, Path: one.path, Query: one.query, Status: answer.status,
				Answer: answer.text}
			if one.answer == file {
				call.Header = headers("Accept", "*/*")
			}
			err := one.call(client(t, call))
			if err == nil || !strings.Contains(err.Error(), answer.want) || strings.Contains(err.Error(), apiKey) {
				t.Errorf("asked to %s it fails with %v, want %s", name, err, answer.want)
			}
			if _, later := errors.AsType[*ask.Unavailable](err); later != answer.later {
				t.Errorf("asked to %s, that asking later may help is %t, want %t: %v", name, later, answer.later, err)
			}
		}
	}
}

func errorOf[T any](_ T, err error) error { return err }

func only[T any](call func(c *Client, ctx context.Context, id string) (T, error)) func(c *Client) error {
	return func(c *Client) error { return errorOf(call(c, context.Background(), "7")) }
}

func order7[T, U any](call func(c *Client, ctx context.Context, id string) (T, U, error)) func(c *Client) error {
	return func(c *Client) error {
		_, _, err := call(c, context.Background(), "7")
		return err
	}
}

package digicert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"

	"github.com/certtrail/certtrail/ingest/provider"
)

// minSecret bounds a webhook's secret from below, in characters ("Create webhook" page).
const minSecret = 32

// Webhook describes an account's webhook as the API lists it ("List webhooks" page). The API lists its secret in clear,
// and certtrail does not even read it.
type Webhook struct {
	ID        string
	Endpoint  string
	Events    []string
	Status    string // pending, active or inactive
	HasSecret bool
	Settings  Settings
}

// Change says what to set of a webhook. A nil field or an empty endpoint leaves the present value, or the default when
// the webhook is created: the only event is then certificate_issued, and there is no secret.
type Change struct {
	Endpoint string
	Secret   *string // at least 32 characters; "" takes it away
	Events   []string
	Settings *Settings
}

// webhookBody holds the body of create and update alike.
type webhookBody struct {
	Endpoint string    `json:"endpoint"`
	Secret   *string   `json:"secret,omitempty"`
	Events   []string  `json:"events,omitempty"`
	Settings *Settings `json:"webhook_settings,omitempty"`
}

// CreateWebhook creates the account's webhook and answers its number ("Create webhook" page). It sends nothing before
// the challenge is completed and it is activated.
func (c *Client) CreateWebhook(ctx context.Context, w Change) (id string, err error) {
	if err := w.check(); err != nil {
		return "", err
	}
	if w.Endpoint == "" {
		return "", errors.New("a webhook needs an endpoint: give the hook's public URL, which must begin with https://")
	}
	if w.Secret != nil && *w.Secret == "" {
		w.Secret = nil
	}
	var out struct {
		ID provider.Text `json:"webhook_id"`
	}
	if err := c.api.JSON(ctx, http.MethodPost, "webhook", nil, w.body(), &out); err != nil {
		return "", refused("create the webhook", err)
	}
	if out.ID == "" {
		return "", errors.New("DigiCert created the webhook, but did not say its number: `certtrail digicert webhook list` shows it")
	}
	return string(out.ID), nil
}

// UpdateWebhook sets what change names ("Update webhook endpoint" page). The API wants the endpoint every time, so it
// is read first; whether it keeps settings that are not sent it does not say, so the present ones are sent beside the
// named. A new endpoint must be challenged and activated again, which unverified tells.
func (c *Client) UpdateWebhook(ctx context.Context, id string, change Change) (unverified bool, err error) {
	path, err := segment(id)
	if err != nil {
		return false, err
	}
	if err := change.check(); err != nil {
		return false, err
	}
	present, err := c.webhook(ctx, id)
	if err != nil {
		return false, err
	}
	if change.Endpoint == "" {
		change.Endpoint = present.Endpoint
	}
	if change.Settings != nil {
		merged := present.Settings.with(*change.Settings)
		change.Settings = &merged
	}
	if err := c.api.JSON(ctx, http.MethodPut, "webhook/"+path, nil, change.body(), nil); err != nil {
		return false, refused("update the webhook", err)
	}
	return change.Endpoint != present.Endpoint, nil
}

func (c *Client) webhook(ctx context.Context, id string) (Webhook, error) {
	list, err := c.Webhooks(ctx)
	if err != nil {
		return Webhook{}, err
	}
	i := slices.IndexFunc(list, func(w Webhook) bool { return w.ID == strings.TrimSpace(id) })
	if i < 0 {
		return Webhook{}, &Error{Status: http.StatusNotFound, Code: "not_found|webhook", sentence: "DigiCert could not be made to update the webhook: " + advice["not_found|webhook"] + "."}
	}
	return list[i], nil
}

// Webhooks lists the account's: one at most. An account without one is an *Error, webhook_invalid_account.
func (c *Client) Webhooks(ctx context.Context) ([]Webhook, error) {
	var out struct {
		Webhooks []struct {
			ID       provider.Text   `json:"id"`
			Endpoint provider.Text   `json:"endpoint"`
			Secret   presence        `json:"secret"`
			Events   []provider.Text `json:"events"`
			Status   provider.Text   `json:"status"`
			Settings Settings        `json:"webhook_settings"`
		} `json:"webhooks"`
	}
	if _, err := c.ask(ctx, "list the webhooks", "webhook", nil, &out); err != nil {
		return nil, err
	}
	var list []Webhook
	for _, w := range out.Webhooks {
		one := Webhook{ID: string(w.ID), Endpoint: string(w.Endpoint), Status: string(w.Status), HasSecret: bool(w.Secret), Settings: w.Settings}
		for _, event := range w.Events {
			one.Events = append(one.Events, string(event))
		}
		list = append(list, one)
	}
	return list, nil
}

// presence says whether a text is there, without the text.
type presence bool

func (p *presence) UnmarshalJSON(b []byte) error {
	*p = string(b) != "null" && string(b) != `""`
	return nil
}

// TheWebhook returns the account's only webhook; without one, the error says how to create it.
func (c *Client) TheWebhook(ctx context.Context) (Webhook, error) {
	list, err := c.Webhooks(ctx)
	if err != nil {
		return Webhook{}, err
	}
	if len(list) == 0 {
		return Webhook{}, &Error{Code: "webhook_invalid_account", sentence: "DigiCert lists none: " + advice["webhook_invalid_account"] + "."}
	}
	return list[0], nil
}

// TestWebhook makes DigiCert send the test event to endpoint, with secret as X-WEBHOOK-KEY unless it is empty ("Send
// test event" page).
func (c *Client) TestWebhook(ctx context.Context, endpoint, secret string) error {
	in := struct {
		Endpoint string `json:"endpoint"`
		Secret   string `json:"secret,omitempty"`
	}{endpoint, secret}
	if err := (Change{Endpoint: endpoint}).check(); err != nil {
		return err
	}
	return refused("send a test event", c.api.JSON(ctx, http.MethodPost, "webhook/test-endpoint", nil, in, nil))
}

// ChallengeWebhook makes DigiCert send a challenge token to the endpoint, good for 30 minutes ("Send challenge token"
// page). It arrives as account.challenge_received; its token is not stored.
func (c *Client) ChallengeWebhook(ctx context.Context, id string) error {
	return c.act(ctx, id, "send-challenge", "send a challenge", nil)
}

// CheckWebhookChallenge proves with the token that the endpoint is ours ("Verify challenge token" page).
func (c *Client) CheckWebhookChallenge(ctx context.Context, id, token string) error {
	token = strings.TrimSpace(token)
	if token == "" {
		return errors.New("the challenge cannot be checked without its token: it is what DigiCert sent to the endpoint")
	}
	return c.act(ctx, id, "check-challenge", "check the challenge's token", struct {
		Token string `json:"token"`
	}{token})
}

// ActivateWebhook makes DigiCert send events. No page of the reference has it; it is as DeactivateWebhook is.
func (c *Client) ActivateWebhook(ctx context.Context, id string) error {
	return c.act(ctx, id, "activate", "activate the webhook", nil)
}

// DeactivateWebhook makes DigiCert send nothing until the webhook is activated again ("Deactivate webhook" page).
func (c *Client) DeactivateWebhook(ctx context.Context, id string) error {
	return c.act(ctx, id, "deactivate", "deactivate the webhook", nil)
}

// act does one of the actions on a webhook, all of them PUT, answered with 204.
func (c *Client) act(ctx context.Context, id, action, tried string, in any) error {
	path, err := segment(id)
	if err != nil {
		return err
	}
	return refused(tried, c.api.JSON(ctx, http.MethodPut, "webhook/"+path+"/"+action, nil, in, nil))
}

func (w Change) body() webhookBody {
	return webhookBody(w)
}

// check finds before DigiCert does what it would refuse.
func (w Change) check() error {
	if w.Endpoint != "" && !strings.HasPrefix(w.Endpoint, "https://") {
		return fmt.Errorf("DigiCert does not take %.200q as an endpoint: give the hook's public URL, which must begin with https://", w.Endpoint)
	}
	if w.Secret != nil && *w.Secret != "" && len([]rune(*w.Secret)) < minSecret {
		return fmt.Errorf("a webhook's secret must have at least %d characters: take the one that `certtrail init` made", minSecret)
	}
	for _, event := range w.Events {
		if strings.TrimSpace(event) == "" || strings.ContainsAny(event, " ,\t\n") {
			return fmt.Errorf("%.80q is not the name of an event: certificate_issued is one", event)
		}
	}
	if w.Settings == nil {
		return nil
	}
	return w.Settings.check()
}

// Settings customize what a webhook sends and when ("Customize certificate issued events" and "Customize validation
// expired and revalidation notice events" pages). What is nil is not said.
type Settings struct {
	InstantIssued     *bool // certificate_issued also for certificates that are issued as soon as they are ordered
	NotificationDays  []int // how many days before a validation expires it is told of: any of 90, 60, 30, 7, 0 and -7, a week after it
	SendChain         *bool // certificate_issued with the certificate's chain
	SendInstantIssued *bool // also for those that are issued at once
}

// noticeDays lists the documented values of webhook_notification_frequency.
var noticeDays = []int{90, 60, 30, 7, 0, -7}

func (s Settings) check() error {
	for _, day := range s.NotificationDays {
		if !slices.Contains(noticeDays, day) {
			return fmt.Errorf("DigiCert does not tell of a validation %d days before its end: it may be 90, 60, 30, 7, 0 and -7", day)
		}
	}
	return nil
}

// with returns s, changed by what o sets.
func (s Settings) with(o Settings) Settings {
	if o.InstantIssued != nil {
		s.InstantIssued = o.InstantIssued
	}
	if o.NotificationDays != nil {
		s.NotificationDays = o.NotificationDays
	}
	if o.SendChain != nil {
		s.SendChain = o.SendChain
	}
	if o.SendInstantIssued != nil {
		s.SendInstantIssued = o.SendInstantIssued
	}
	return s
}

// settingsJSON holds Settings as the API has them: its reference has flags as "0" and "1", another page as booleans, so
// strings are sent and either is read.
type settingsJSON struct {
	InstantIssued     *flag `json:"instant_issue_webhook_notification,omitempty"`
	NotificationDays  []day `json:"webhook_notification_frequency,omitempty"`
	SendChain         *flag `json:"webhook_send_certificate_chain,omitempty"`
	SendInstantIssued *flag `json:"webhook_send_instant_issued_certificate_chain,omitempty"`
}

// MarshalJSON leaves out what is nil.
func (s Settings) MarshalJSON() ([]byte, error) {
	out := settingsJSON{InstantIssued: (*flag)(s.InstantIssued), SendChain: (*flag)(s.SendChain), SendInstantIssued: (*flag)(s.SendInstantIssued)}
	for _, d := range s.NotificationDays {
		out.NotificationDays = append(out.NotificationDays, day(d))
	}
	return json.Marshal(out)
}

// UnmarshalJSON reads flags as "0" and "1", as booleans and as numbers, and days as numbers and strings.
func (s *Settings) UnmarshalJSON(b []byte) error {
	var in settingsJSON
	if err := json.Unmarshal(b, &in); err != nil {
		return nil // an empty list where there are none
	}
	*s = Settings{InstantIssued: (*bool)(in.InstantIssued), SendChain: (*bool)(in.SendChain), SendInstantIssued: (*bool)(in.SendInstantIssued)}
	for _, d := range in.NotificationDays {
		s.NotificationDays = append(s.NotificationDays, int(d))
	}
	return nil
}

type flag bool

func (f flag) MarshalJSON() ([]byte, error) {
	if f {
		return []byte(`"1"`), nil
	}
	return []byte(`"0"`), nil
}

func (f *flag) UnmarshalJSON(b []byte) error {
	s := strings.Trim(string(b), `"`)
	*f = flag(s == "1" || strings.EqualFold(s, "true"))
	return nil
}

type day int

func (d *day) UnmarshalJSON(b []byte) error {
	return json.Unmarshal([]byte(strings.Trim(string(b), `"`)), (*int)(d))
}

package digicert

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"strconv"
	"strings"
	"text/tabwriter"

	"github.com/certtrail/certtrail/ingest/provider"
)

// allEvents lists what a webhook is created for by default: every event that an endpoint can subscribe to ("Webhooks"
// page).
var allEvents = []string{
	"certificate_issued", "certificate_revoked", "order_rejected", "organization_validated", "organization_expired", "organization_revalidation_notice",
	"domain_validated", "domain_expired", "domain_revalidation_notice",
}

// The flags that several commands have.
var (
	flagEvents       = provider.Flag{Name: "events", Usage: "the events to send, separated by commas (of a new webhook, by default: all of them)"}
	changeFlags      = []provider.Flag{flagEvents, flagInstant, flagDays, flagChain, flagInstantChain}
	flagInstant      = provider.Flag{Name: "instant-issued", Usage: "send certificate_issued also for certificates that are issued as soon as they are ordered", Switch: true}
	flagDays         = provider.Flag{Name: "notification-days", Usage: "how many days before its end a validation is told of, separated by commas: any of 90, 60, 30, 7, 0, -7"}
	flagChain        = provider.Flag{Name: "send-chain", Usage: "send certificate_issued with the certificate's chain", Switch: true}
	flagInstantChain = provider.Flag{Name: "send-instant-issued", Usage: "send the chain also of certificates that are issued at once", Switch: true}
)

// webhookCommands manage the account's one webhook.
func webhookCommands() []provider.Command {
	endpoint := provider.Flag{Name: "endpoint", Usage: "the public `URL` of the hook, which must begin with https://"}
	required := endpoint
	required.Required = true
	return []provider.Command{
		{Name: "webhook create", Short: "Create the account's webhook, with digicert-webhook-key as its secret", Flags: append([]provider.Flag{required}, changeFlags...), Run: create},
		{Name: "webhook update", Short: "Change the webhook: what no flag names stays as it is", Run: update,
			Flags: append([]provider.Flag{endpoint, {Name: "secret", Usage: "send digicert-webhook-key as the secret again, after it was changed", Switch: true}}, changeFlags...)},
		{Name: "webhook list", Short: "Show the webhook: its number, endpoint, events and whether it is active", Run: list},
		{Name: "webhook test", Short: "Have DigiCert send a test event to the endpoint", Flags: []provider.Flag{{Name: "endpoint", Usage: "the `URL` to send it to (default: the webhook's)"}}, Run: test},
		{Name: "webhook challenge", Short: "Have DigiCert challenge the endpoint; a running server answers by itself and activates the webhook", Run: sendChallenge,
			Flags: []provider.Flag{{Name: "token", Usage: "check this `TOKEN` of a challenge that came already, and activate the webhook"}}},
		{Name: "webhook activate", Short: "Have the webhook send events", Run: onWebhook((*Client).ActivateWebhook, "Webhook %s is active: it sends events.\n")},
		{Name: "webhook deactivate", Short: "Have the webhook send nothing until it is activated again", Run: onWebhook((*Client).DeactivateWebhook, "Webhook %s sends nothing any more.\n")},
		{Name: "webhook logs", Short: "Show what DigiCert sent to the endpoint, and how it was answered", Run: logs,
			Flags: []provider.Flag{{Name: "filter", Usage: "only entries whose property has a value: `NAME=VALUE`, separated by commas"}}},
	}
}

func create(ctx context.Context, i provider.Invocation) error {
	change, err := changeOf(i)
	if err != nil {
		return err
	}
	if change.Events == nil {
		change.Events = allEvents
	}
	if key := strings.TrimSpace(i.Setting(settingKey)); key != "" {
		change.Secret = &key
	}
	id, err := i.Client.(*Client).CreateWebhook(ctx, change)
	if err != nil {
		return err
	}
	secret := "with digicert-webhook-key as its secret"
	if change.Secret == nil {
		secret = "without a secret, because digicert-webhook-key is not set: then certtrail takes no deliveries"
	}
	fmt.Fprintf(i.Out, "Webhook %s is created for %s, %s.\nIt sends nothing yet. Next, while certtrail serves the endpoint: certtrail digicert webhook challenge\n", id, change.Endpoint, secret)
	return nil
}

func update(ctx context.Context, i provider.Invocation) error {
	c := i.Client.(*Client)
	change, err := changeOf(i)
	if err != nil {
		return err
	}
	if again, _ := i.Flag("secret"); again == "true" {
		key := strings.TrimSpace(i.Setting(settingKey))
		if key == "" {
			return errors.New("there is no secret to send: set digicert-webhook-key")
		}
		change.Secret = &key
	}
	w, err := c.TheWebhook(ctx)
	if err != nil {
		return err
	}
	unverified, err := c.UpdateWebhook(ctx, w.ID, change)
	if err != nil {
		return err
	}
	fmt.Fprintf(i.Out, "Webhook %s is updated.\n", w.ID)
	if unverified {
		fmt.Fprintln(i.Out, "Its endpoint is another, so it sends nothing before that is proven. Next, while certtrail serves it: certtrail digicert webhook challenge")
	}
	return nil
}

// changeOf makes a Change of the flags.
func changeOf(i provider.Invocation) (Change, error) {
	var change Change
	var settings Settings
	change.Endpoint, _ = i.Flag("endpoint")
	if events, given := i.Flag(flagEvents.Name); given {
		change.Events = words(events)
	}
	if days, given := i.Flag(flagDays.Name); given {
		change.Settings = &settings
		for _, word := range words(days) {
			day, err := strconv.Atoi(word)
			if err != nil {
				return change, fmt.Errorf("--%s: %q is not a number of days", flagDays.Name, word)
			}
			settings.NotificationDays = append(settings.NotificationDays, day)
		}
	}
	for name, to := range map[string]**bool{flagInstant.Name: &settings.InstantIssued, flagChain.Name: &settings.SendChain, flagInstantChain.Name: &settings.SendInstantIssued} {
		if value, given := i.Flag(name); given {
			on := value == "true"
			*to, change.Settings = &on, &settings
		}
	}
	return change, nil
}

func words(list string) []string {
	return strings.FieldsFunc(list, func(r rune) bool { return r == ',' || r == ' ' })
}

func list(ctx context.Context, i provider.Invocation) error {
	all, err := i.Client.(*Client).Webhooks(ctx)
	if err != nil {
		return err
	}
	for _, w := range all {
		secret := "none"
		if w.HasSecret {
			secret = "set"
		}
		fmt.Fprintf(i.Out, "webhook   %s\nstatus    %s\nendpoint  %s\nsecret    %s\nevents    %s\nsettings  %s\n",
			w.ID, w.Status, w.Endpoint, secret, strings.Join(w.Events, ", "), settingsText(w.Settings))
	}
	if len(all) == 0 {
		fmt.Fprintln(i.Out, "The account has no webhook. Create one with: certtrail digicert webhook create --endpoint URL")
	}
	return nil
}

// settingsText writes the settings that are listed, by the flags that set them.
func settingsText(s Settings) string {
	var parts []string
	for _, one := range []struct {
		flag provider.Flag
		on   *bool
	}{{flagInstant, s.InstantIssued}, {flagChain, s.SendChain}, {flagInstantChain, s.SendInstantIssued}} {
		if one.on != nil {
			parts = append(parts, one.flag.Name+"="+strconv.FormatBool(*one.on))
		}
	}
	if len(s.NotificationDays) > 0 {
		parts = append(parts, flagDays.Name+"="+strings.Trim(strings.Join(strings.Fields(fmt.Sprint(s.NotificationDays)), ","), "[]"))
	}
	if len(parts) == 0 {
		return "DigiCert's own"
	}
	return strings.Join(parts, " ")
}

func test(ctx context.Context, i provider.Invocation) error {
	c := i.Client.(*Client)
	endpoint, given := i.Flag("endpoint")
	if !given {
		w, err := c.TheWebhook(ctx)
		if err != nil {
			return err
		}
		endpoint = w.Endpoint
	}
	if err := c.TestWebhook(ctx, endpoint, strings.TrimSpace(i.Setting(settingKey))); err != nil {
		return err
	}
	fmt.Fprintf(i.Out, "DigiCert sent a test event to %s, which took it.\n", endpoint)
	return nil
}

func sendChallenge(ctx context.Context, i provider.Invocation) error {
	c := i.Client.(*Client)
	w, err := c.TheWebhook(ctx)
	if err != nil {
		return err
	}
	if token, given := i.Flag("token"); given {
		if err := c.Prove(ctx, w.ID, token); err != nil {
			return err
		}
		fmt.Fprintf(i.Out, "The token is right, and webhook %s is active.\n", w.ID)
		return nil
	}
	if err := c.ChallengeWebhook(ctx, w.ID); err != nil {
		return err
	}
	fmt.Fprintf(i.Out, "DigiCert challenges %s. A server that has digicert-api-key answers by itself and activates webhook %s, which `certtrail digicert webhook list` then shows as active; "+
		"else its page /system shows the token for 30 minutes.\n", w.Endpoint, w.ID)
	return nil
}

// onWebhook makes a command that does one thing to the account's webhook.
func onWebhook(do func(c *Client, ctx context.Context, id string) error, done string) func(context.Context, provider.Invocation) error {
	return func(ctx context.Context, i provider.Invocation) error {
		c := i.Client.(*Client)
		w, err := c.TheWebhook(ctx)
		if err != nil {
			return err
		}
		if err := do(c, ctx, w.ID); err != nil {
			return err
		}
		fmt.Fprintf(i.Out, done, w.ID)
		return nil
	}
}

func logs(ctx context.Context, i provider.Invocation) error {
	c := i.Client.(*Client)
	filters := map[string]string{}
	given, _ := i.Flag("filter")
	for _, pair := range words(given) {
		name, value, ok := strings.Cut(pair, "=")
		if !ok {
			return fmt.Errorf("--filter: %q is not NAME=VALUE", pair)
		}
		filters[name] = value
	}
	w, err := c.TheWebhook(ctx)
	if err != nil {
		return err
	}
	entries, err := c.WebhookLogs(ctx, w.ID, filters)
	if err != nil {
		return err
	}
	out := tabwriter.NewWriter(i.Out, 0, 0, 2, ' ', 0)
	fmt.Fprintln(out, "SENT\tEVENT\tORDER\tCERTIFICATE\tSTATUS\tCODE")
	for _, e := range entries {
		sent := ""
		if e.Sent != nil {
			sent = e.Sent.String()
		}
		fmt.Fprintf(out, "%s\t%s\t%s\t%s\t%s\t%d\n", sent, e.Event, e.OrderID, e.CertificateID, e.Status, e.ResponseCode)
	}
	return out.Flush()
}

// tokenOf returns the token of a challenge ("Send challenge token" page, which shows it without quotes: it may be a
// number) and its webhook's number.
func tokenOf(body []byte) (webhookID, token string) {
	e, err := readEnvelope(body)
	if err != nil || e.Event != "challenge_webhook_endpoint" {
		return "", ""
	}
	var data struct {
		Token     provider.Text `json:"token"`
		WebhookID provider.Text `json:"webhook_id"`
	}
	_ = json.Unmarshal(e.Data, &data) // one that cannot be read bears none
	return string(data.WebhookID), string(data.Token)
}

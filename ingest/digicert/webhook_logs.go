package digicert

import (
	"context"
	"encoding/json"
	"fmt"
	"net/url"
	"strconv"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

// Limits of what is read of the event log.
const (
	logPage  = 1000 // entries: the most that the API gives at once, and its default
	maxPages = 100
)

// LogEntry describes one request that DigiCert sent to the endpoint, as its own log has it ("Webhook event logs" page).
// Only DigiCert records, and keeps, what was delivered.
type LogEntry struct {
	Event         string
	OrderID       string // "" where the entry has no event_info, as a challenge has none
	CertificateID string
	Status        string       // "success"; the page's list of the others could not be read
	Sent          *schema.Time // nil where it cannot be read; the log writes UTC without saying so
	Answered      *schema.Time
	ResponseCode  int // of HTTP; 0 where there was no answer
}

// WebhookLogs returns the entries of the webhook's event log that the filters let through, in DigiCert's order. A
// filter has a property's name and its value, as under filters[name] in the API.
func (c *Client) WebhookLogs(ctx context.Context, id string, filters map[string]string) ([]LogEntry, error) {
	path, err := segment(id)
	if err != nil {
		return nil, err
	}
	var all []LogEntry
	for range maxPages {
		query := url.Values{"offset": {strconv.Itoa(len(all))}, "limit": {strconv.Itoa(logPage)}}
		for name, value := range filters {
			query.Set("filters["+name+"]", value)
		}
		var out logJSON
		if _, err := c.ask(ctx, "show the webhook's event log", "webhook/"+path+"/event-logs", query, &out); err != nil {
			return nil, err
		}
		for i := range out.Events {
			all = append(all, out.Events[i].entry())
		}
		if len(out.Events) == 0 || len(all) >= out.Page.Total {
			return all, nil
		}
	}
	return nil, fmt.Errorf("DigiCert's event log has more than %d entries: filter them", maxPages*logPage)
}

type logJSON struct {
	Events []logEntryJSON `json:"events"`
	Page   struct {
		Total int `json:"total"`
	} `json:"page"`
}

type logEntryJSON struct {
	Event    provider.Text   `json:"event_name"`
	Info     json.RawMessage `json:"event_info"`
	Status   provider.Text   `json:"request_status"`
	Sent     provider.Text   `json:"request_sent_time"`
	Answered provider.Text   `json:"response_received_time"`
	Code     provider.Text   `json:"response_code"`
}

func (e *logEntryJSON) entry() LogEntry {
	var info struct {
		OrderID       provider.Text `json:"order_id"`
		CertificateID provider.Text `json:"certificate_id"`
	}
	_ = json.Unmarshal(e.Info, &info)       // a challenge has none
	code, _ := strconv.Atoi(string(e.Code)) // without an answer there is none
	return LogEntry{
		Event: string(e.Event), OrderID: string(info.OrderID), CertificateID: string(info.CertificateID), Status: string(e.Status),
		Sent: moment(e.Sent), Answered: moment(e.Answered), ResponseCode: code,
	}
}

// moment reads a time of the API; nil if it is absent or cannot be read.
func moment(s provider.Text) *schema.Time {
	if s == "" {
		return nil
	}
	t, err := schema.ParseTime(string(s))
	if err != nil {
		return nil
	}
	return &t
}

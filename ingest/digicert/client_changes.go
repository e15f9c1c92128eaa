package digicert

import (
	"context"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

const (
	maxSince    = 7 * 24 * time.Hour   // how far back one call reaches
	maxLookBack = 366 * 24 * time.Hour // and all calls together: 53 of them
	pathChanges = "order/certificate/status-changes"
)

// mountain sets the zone of the days in filters[status_last_updated]: MDT, says the page.
var mountain = time.FixedZone("MDT", -6*60*60)

// StatusChanges returns the orders whose status changed after since, each with its present status ("Status change list"
// page). The API covers seven days at a time, so it is asked for longer spans by days; of an order that changed again
// it lists the last change only. Orders without a certificate's number have none yet.
func (c *Client) StatusChanges(ctx context.Context, since, now time.Time) ([]provider.Standing, error) {
	gap := now.Sub(since)
	if gap > maxLookBack {
		return nil, fmt.Errorf("DigiCert's status changes are asked for at most %d days back, not since %s: ask for fewer, and describe older orders one by one",
			int(maxLookBack.Hours()/24), since.UTC().Format(time.DateOnly))
	}
	var queries []url.Values
	if gap > maxSince {
		// An hour more, in case the zone is that of the mountains' winter.
		for day, last := since.Add(-time.Hour).In(mountain), now.Add(-maxSince); !day.After(last); day = day.AddDate(0, 0, 7) {
			queries = append(queries, url.Values{"filters[status_last_updated]": {day.Format(time.DateOnly) + "..." + day.AddDate(0, 0, 6).Format(time.DateOnly)}})
		}
	}
	if gap > 0 {
		minutes := int(min(gap, maxSince)+time.Minute-1) / int(time.Minute)
		queries = append(queries, url.Values{"minutes": {strconv.Itoa(minutes)}})
	}
	var all []provider.Standing
	at := map[string]int{}
	for _, query := range queries {
		some, err := c.changes(ctx, query)
		if err != nil {
			return nil, err
		}
		for _, s := range some {
			if i, known := at[s.OrderID]; known {
				all[i] = s
				continue
			}
			at[s.OrderID] = len(all)
			all = append(all, s)
		}
	}
	return all, nil
}

// Standings calls StatusChanges, under the name that all providers' clients share.
func (c *Client) Standings(ctx context.Context, since, now time.Time) ([]provider.Standing, error) {
	return c.StatusChanges(ctx, since, now)
}

func (c *Client) changes(ctx context.Context, query url.Values) ([]provider.Standing, error) {
	var out struct {
		Orders []struct {
			OrderID       provider.Text `json:"order_id"`
			CertificateID provider.Text `json:"certificate_id"`
			Status        provider.Text `json:"status"`
		} `json:"orders"` // without changes the answer is {}
	}
	if _, err := c.ask(ctx, "list the orders whose status changed", pathChanges, query, &out); err != nil {
		return nil, err
	}
	var list []provider.Standing
	for _, o := range out.Orders {
		if id, err := schema.ID(string(o.OrderID)); err == nil && id != "" {
			list = append(list, standing(id, string(o.CertificateID), string(o.Status)))
		}
	}
	return slices.Clip(list), nil
}

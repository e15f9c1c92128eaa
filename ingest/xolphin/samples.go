package xolphin

import (
	"strings"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

// samples returns the deliveries that Xolphin sends: one per Status, and for Updated one per State. An empty parameter
// is left out.
func samples() []provider.Sample {
	list := []provider.Sample{sample("Issued", nil), sample("Deleted", nil)}
	for _, s := range states {
		var more map[string]string
		if s.kind == schema.DomainValidated {
			more = map[string]string{"domain": "www.example.test"}
		}
		list = append(list, sample("Updated-"+s.name, more))
	}
	return list
}

func sample(event string, params map[string]string) provider.Sample {
	if params == nil {
		params = map[string]string{}
	}
	params["request_id"] = "960770001"
	return provider.Sample{Event: event, Params: params, Build: func(p map[string]string) *provider.Delivery {
		status, state, _ := strings.Cut(event, "-")
		return &provider.Delivery{Method: "GET", Query: provider.Form("RequestId", p["request_id"], "Status", status, "State", state, "Domain", p["domain"])}
	}}
}

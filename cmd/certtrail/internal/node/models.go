package node

import (
	"slices"
	"time"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
)

// modelsFedBy lists the read models that the provider's deliveries can change. Its samples, one of every event that it
// documents, show it.
func modelsFedBy(system provider.System) []string {
	var names []string
	provider := system.New(func(string) string { return "any" })
	for _, sample := range system.Samples {
		kind, data, err := provider.Decode(sample.Build(sample.Params))
		if err != nil {
			continue // what nobody understands fills no list
		}
		if kind.Aggregate() == schema.AggregateUser {
			data.UserID = "any" // it is given with the person's key
		}
		for _, row := range projections.Concerns(schema.New("any", "", schema.At(time.Time{}), kind, data)) {
			if model := projections.ModelNamed(row.Model).About(); model.Title != "" && !slices.Contains(names, model.Name) {
				names = append(names, model.Name)
			}
		}
	}
	return names
}

package node

import (
	"slices"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// modelsOf maps an aggregate to the read model that its events change.
var modelsOf = map[string]string{
	schema.AggregateOrder: lifecycle.Orders, schema.AggregateCertificate: lifecycle.Certificates, schema.AggregateDomain: lifecycle.Domains,
	schema.AggregateOrganization: lifecycle.Organizations, schema.AggregateDNSSEC: lifecycle.DNSSECs,
	schema.AggregateWebsite: lifecycle.Websites, schema.AggregateDatabase: lifecycle.Websites,
	schema.AggregateUser: lifecycle.Users, schema.AggregateTarget: lifecycle.Targets, schema.AggregateScan: lifecycle.Scans, schema.AggregateFinding: lifecycle.Findings,
}

// modelsFedBy lists the read models that the provider's deliveries can change. Its samples, one of every event that it documents, show it.
func modelsFedBy(system provider.System) []string {
	var models []string
	add := func(model string) {
		if model != "" && !slices.Contains(models, model) {
			models = append(models, model)
		}
	}
	provider := system.New(func(string) string { return "any" })
	for _, sample := range system.Samples {
		kind, data, err := provider.Decode(sample.Build(sample.Params))
		if err != nil {
			continue // what nobody understands fills no list
		}
		add(modelsOf[kind.Aggregate()])
		if data.CertificateID != "" {
			add(lifecycle.Certificates)
		}
	}
	return models
}

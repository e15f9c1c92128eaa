package projections

import "slices"

// models lists every read model, in the order in which they are told of: a new one has its line here.
var models = []Model{
	Orders, Certificates, Domains, DNSSECs, Organizations, Websites, Accounts, Users, Targets, Scans, Findings, decisions,
}

// Models lists every read model.
func Models() []Model { return slices.Clone(models) }

// ModelNamed returns the read model of that name; nil if there is none.
func ModelNamed(name string) Model {
	for _, m := range models {
		if m.About().Name == name {
			return m
		}
	}
	return nil
}

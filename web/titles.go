package web

import "cmp"

// titles are what people call the providers, by name.
type titles map[string]string

// of is the title of a provider, or its name where nobody configured it.
func (t titles) of(name string) string {
	return cmp.Or(t[name], name)
}

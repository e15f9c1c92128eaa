package answer

import "cmp"

// Titles are what people call the providers, by name.
type Titles map[string]string

// Of is the title of a provider, or its name where nobody configured it.
func (t Titles) Of(name string) string {
	return cmp.Or(t[name], name)
}

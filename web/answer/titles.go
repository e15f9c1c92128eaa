package answer

import "cmp"

// Titles maps the providers' names to those that people call them.
type Titles map[string]string

// Of returns the title of a provider, or its name where nobody configured it.
func (t Titles) Of(name string) string {
	return cmp.Or(t[name], name)
}

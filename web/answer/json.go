package answer

import (
	"bytes"
	"encoding/json"
	"maps"
	"net/http"
	"slices"
	"strings"
)

// itemsJSON holds the answer of every list. NextCursor is empty on the last page.
type itemsJSON[T any] struct {
	Items      []T    `json:"items"`
	NextCursor string `json:"next_cursor"`
}

func Items[T any](w http.ResponseWriter, items []T, next string) error {
	if items == nil {
		items = []T{} // a list of nothing is [], not null
	}
	return JSON(w, http.StatusOK, itemsJSON[T]{items, next})
}

// JSON leaves < and > as they are: nobody takes application/json with nosniff for HTML.
func JSON(w http.ResponseWriter, status int, v any) error {
	var b bytes.Buffer
	enc := json.NewEncoder(&b)
	enc.SetEscapeHTML(false)
	if err := enc.Encode(v); err != nil {
		return err
	}
	if err := Hold(w, b.Len()); err != nil {
		return err
	}
	w.Header().Set("Content-Type", "application/json")
	w.WriteHeader(status)
	w.Write(b.Bytes())
	return nil
}

// Knowing lets only those requests through to h that have no parameters other than names, each once: one that was
// misspelt, or a second value, would else be overlooked.
func Knowing(h Handler, names ...string) Handler {
	return func(w http.ResponseWriter, r *http.Request) error {
		values := r.URL.Query()
		for _, name := range slices.Sorted(maps.Keys(values)) {
			switch {
			case slices.Contains(names, name) && len(values[name]) > 1:
				return Wrong("%s is given %d times: give it once, or ask once for each value", name, len(values[name]))
			case slices.Contains(names, name):
			case len(names) == 0:
				return Wrong("there is no parameter %q here, nor any other", name)
			default:
				return Wrong("there is no parameter %q here, only %s", name, strings.Join(names, ", "))
			}
		}
		return h(w, r)
	}
}

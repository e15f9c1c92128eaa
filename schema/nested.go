package schema

import (
	"encoding/json"

	"github.com/certtrail/certtrail/schema/jsonscan"
)

// nested reads the next object by encoding/json: objects of its type are rare.
func nested[T any](d *decoder, to **T) {
	raw := d.Raw()
	if d.Odd || json.Unmarshal(raw, to) != nil {
		d.Fail()
	}
}

// nest writes an object of a sort that is rare, if it is there.
func nest[T any](w *writer, name string, v *T) error {
	if v == nil {
		return nil
	}
	w.key(name)
	b, err := jsonscan.Marshal(v)
	w.b = append(w.b, b...)
	return err
}

func (d *decoder) checks() Checks {
	checks := Checks{}
	for name := range d.Members {
		checks[string(name)] = CheckState(d.Text())
	}
	return checks
}

func (d *decoder) dsRecords() []DS {
	list := []DS{}
	for range d.Items {
		list = append(list, *d.ds())
	}
	return list
}

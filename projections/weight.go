package projections

import (
	"encoding/json"

	"github.com/certtrail/certtrail/schema"
)

// PageBytes bounds what the rows of one answer weigh: about the bytes of their text. The row that reaches it is the
// last.
const PageBytes = 8 << 20

// rowWeight counts for a row beside its texts.
const rowWeight = 512

// weigh returns about how many bytes a state takes: a certificate may have ten thousand names.
func (t *Table[S, T]) weigh(state any) int {
	n := rowWeight
	for _, column := range t.columns(state.(*S)) {
		switch field := column.Value.(type) {
		case *string:
			n += len(*field)
		case interface{ weight() int }:
			n += field.weight()
		}
	}
	return n
}

func (c jsonColumn[V]) weight() (n int) {
	switch v := any(*c.p).(type) {
	case []string:
		for _, s := range v {
			n += len(s)
		}
		n += 16 * len(v)
	case map[string]string:
		for key, s := range v {
			n += len(key) + len(s)
		}
		n += 48 * len(v)
	case map[string]schema.CheckState:
		for key, s := range v {
			n += len(key) + len(s)
		}
		n += 48 * len(v)
	case map[string]schema.Time:
		for key := range v {
			n += len(key)
		}
		n += 64 * len(v)
	default:
		b, _ := json.Marshal(v) // short; what cannot be written was never stored
		n = len(b)
	}
	return n
}

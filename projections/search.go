package projections

import (
	"context"
	"net/url"
	"strings"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// search finds rows by an exact number or by a domain name and all names below it.
func (t *table[S, T]) search(w *where, q string) {
	for _, column := range t.exact {
		w.found = append(w.found, "SELECT provider, "+t.key+" FROM "+t.name+" WHERE "+column+" = ? AND "+column+" <> ''")
		w.foundArgs = append(w.foundArgs, exactValue(column, q))
	}
	if name := SearchedName(q); name != "" && t.names != nil {
		reversed := schema.ReverseName(name)
		from, to := belowName(reversed)
		w.found = append(w.found, "SELECT provider, id FROM names WHERE model = ? AND reversed = ?", "SELECT provider, id FROM names WHERE model = ? AND reversed >= ? AND reversed < ?")
		w.foundArgs = append(w.foundArgs, t.name, reversed, t.name, from, to)
	}
	if len(w.found) == 0 {
		w.add("false")
	}
	w.looks, w.looksArgs = t.looks(q)
}

// looks is the condition that search finds a row, told from the row itself: for when so many are found that looking at a list's rows one after the other
// soon finds enough.
func (t *table[S, T]) looks(q string) (term string, args []any) {
	var terms []string
	for _, column := range t.exact {
		if value := exactValue(column, q); value != "" {
			terms = append(terms, column+" = ?")
			args = append(args, value)
		}
	}
	if name := SearchedName(q); name != "" {
		for _, in := range t.named {
			term, values := in(name)
			terms = append(terms, term)
			args = append(args, values...)
		}
	}
	return strings.Join(terms, " OR "), args
}

// namedIn is the condition that a row bears a domain name, or one below it, in one of its columns.
type namedIn func(name string) (term string, args []any)

// aloneIn looks for the name in a column, or in SQL of a text, that is one.
func aloneIn(column string) namedIn {
	return func(name string) (string, []any) {
		return column + " = ? OR substr(" + column + ", ?) = ?", []any{name, -len(name) - 1, "." + name}
	}
}

// listedIn looks for it in a JSON array of names.
func listedIn(column string) namedIn { return quotedIn(column, `"`) }

// checkedIn looks for it in a JSON object that has the checks of names among its keys: domain:NAME.
func checkedIn(column string) namedIn { return quotedIn(column, ":") }

func quotedIn(column, before string) namedIn {
	return func(name string) (string, []any) {
		return "instr(" + column + ", ?) OR instr(" + column + ", ?)", []any{before + name + `"`, "." + name + `"`}
	}
}

// exactValue is what a search for q looks for in a column that is compared whole.
func exactValue(column, q string) string {
	switch column {
	case "serial_number":
		return serialNumber(q)
	case "fingerprint_sha256":
		return hexNumber(q)
	}
	return strings.TrimPrefix(q, "#")
}

// belowName are the bounds of all names below one, labels reversed.
func belowName(reversed string) (from, to string) {
	return reversed + ".", reversed + "/" // "/" is the byte after "."
}

// hexNumber is a fingerprint as it is pasted, also from a program's output ("SHA256 Fingerprint=9F:86:…"), in the form it is stored.
func hexNumber(s string) string {
	if _, value, ok := strings.Cut(s, "="); ok {
		s = value
	}
	s = strings.ToLower(strings.NewReplacer(":", "", " ", "", "-", "").Replace(s))
	return strings.TrimPrefix(s, "0x")
}

// serialNumber is a serial number as it is pasted in the form it is stored: whole bytes, none of them zero in front.
func serialNumber(s string) string {
	s = hexNumber(s)
	if s == "" {
		return ""
	}
	switch s = strings.TrimLeft(s, "0"); {
	case s == "":
		return "00"
	case len(s)%2 == 1:
		return "0" + s
	}
	return s
}

// SearchedName is the domain name that a search for q looks for, the host of an address that was pasted included; "" where q cannot be one.
func SearchedName(q string) string {
	name, err := schema.DomainName(hostOf(strings.TrimSpace(q)))
	if err != nil {
		return ""
	}
	return name
}

// hostOf is the host of an address as it is pasted, with or without its scheme, or s itself.
func hostOf(s string) string {
	if _, rest, ok := strings.Cut(s, "://"); ok {
		s = rest
	} else if strings.Contains(s, "@") { // a person's address, whose domain is not what is looked for
		return s
	}
	if u, err := url.Parse("//" + s); err == nil && u.Hostname() != "" {
		return u.Hostname()
	}
	return s
}

// Named tells whether anything bears the name that has a page of its own, and whether anything bears a name below it.
func (s *Store) Named(ctx context.Context, name string) (known, below bool, err error) {
	db, done, err := s.reader()
	if err != nil {
		return false, false, err
	}
	defer done(&err)
	reversed := schema.ReverseName(name)
	from, to := belowName(reversed)
	err = db.QueryRowContext(ctx, "SELECT EXISTS (SELECT 1 FROM names WHERE reversed = ? AND model IN (?, ?, ?, ?)), EXISTS (SELECT 1 FROM names WHERE reversed >= ? AND reversed < ?)",
		reversed, lifecycle.Orders, lifecycle.Certificates, lifecycle.Domains, lifecycle.DNSSECs, from, to).Scan(&known, &below)
	return known, below, err
}

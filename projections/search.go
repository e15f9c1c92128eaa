package projections

import (
	"context"
	"strings"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// search finds rows by an exact number, by a domain name and all names below it, or by a wildcard that covers the name.
func (m *Spec) search(w *where, q string) {
	sought := SoughtBy(q)
	for _, column := range m.Exact {
		for _, one := range sought.exact(column) {
			w.found = append(w.found, "SELECT provider, "+m.Key+" FROM "+m.Name+" WHERE "+one.term+" AND "+column+" <> ''")
			w.foundArgs = append(w.foundArgs, one.args...)
		}
	}
	if sought.Name != "" && len(m.named) > 0 {
		if cover := sought.cover(); cover != "" {
			w.found = append(w.found, "SELECT provider, id FROM names WHERE model = ? AND reversed IN (?, ?)")
			w.foundArgs = append(w.foundArgs, m.Name, schema.ReverseName(sought.Name), schema.ReverseName(cover))
		}
		from, to := belowName(schema.ReverseName(sought.zone()))
		w.found = append(w.found, "SELECT provider, id FROM names WHERE model = ? AND reversed >= ? AND reversed < ?")
		w.foundArgs = append(w.foundArgs, m.Name, from, to)
	}
	if len(w.found) == 0 {
		w.add("false")
	}
	w.looks, w.looksArgs = m.looks(sought)
}

// looks returns the condition that search finds a row, told from the row itself: for when so many are found that
// looking at a list's rows one after the other soon finds enough.
func (m *Spec) looks(sought Sought) (term string, args []any) {
	var terms []string
	add := func(term string, values ...any) {
		terms = append(terms, term)
		args = append(args, values...)
	}
	for _, column := range m.Exact {
		for _, one := range sought.exact(column) {
			add(one.term, one.args...)
		}
	}
	if sought.Name == "" {
		return strings.Join(terms, " OR "), args
	}
	var names []string
	if cover := sought.cover(); cover != "" {
		names = []string{sought.Name, cover}
	}
	for _, in := range m.named {
		term, values := in(names, sought.zone())
		add(term, values...)
	}
	return strings.Join(terms, " OR "), args
}

// namedIn returns the condition that a row bears, in one of its columns, one of the domain names or one below the zone.
type namedIn func(names []string, zone string) (term string, args []any)

// aloneIn looks for the names in a column, or in SQL of a text, that is one.
func aloneIn(column string) namedIn {
	return func(names []string, zone string) (string, []any) {
		term, args := "substr("+column+", ?) = ?", []any{-len(zone) - 1, "." + zone}
		for _, name := range names {
			term, args = term+" OR "+column+" = ?", append(args, name)
		}
		return term, args
	}
}

// listedIn looks for them in a JSON array of names.
func listedIn(column string) namedIn { return quotedIn(column, `"`) }

// checkedIn looks for them in a JSON object that has the checks of names among its keys: domain:NAME.
func checkedIn(column string) namedIn { return quotedIn(column, ":") }

func quotedIn(column, before string) namedIn {
	return func(names []string, zone string) (string, []any) {
		term, args := "instr("+column+", ?)", []any{"." + zone + `"`}
		for _, name := range names {
			term, args = term+" OR instr("+column+", ?)", append(args, before+name+`"`)
		}
		return term, args
	}
}

// exactValue writes q as a column holds it that is compared whole.
func exactValue(column, q string) string {
	switch column {
	case "serial_number":
		return serialNumber(q)
	case "fingerprint_sha256":
		return hexNumber(q)
	}
	return q
}

// belowName returns the bounds of all names below one, labels reversed.
func belowName(reversed string) (from, to string) {
	return reversed + ".", reversed + "/" // "/" is the byte after "."
}

// hexNumber takes a fingerprint as it is pasted, also from a program's output ("SHA256 Fingerprint=9F:86:…"), to the
// form it is stored in.
func hexNumber(s string) string {
	if _, value, ok := strings.Cut(s, "="); ok {
		s = value
	}
	s = strings.ToLower(strings.NewReplacer(":", "", " ", "", "-", "").Replace(s))
	return strings.TrimPrefix(s, "0x")
}

// serialNumber takes a serial number as it is pasted to the form it is stored in: whole bytes, none of them zero in
// front.
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

// Named reports whether there is anything that bears the name, or a wildcard that covers it, and has a part in the
// name's own page; and whether anything else bears a name below it. Below a wildcard are the names that it stands for.
func (s *Store) Named(ctx context.Context, name string) (known, below bool, err error) {
	db, done, err := s.reader()
	if err != nil {
		return false, false, err
	}
	defer done(&err)
	reversed, wildcard := schema.ReverseName(name), schema.ReverseName(wildcardOf(name))
	after, to := belowName(reversed)
	if strings.HasPrefix(name, "*.") {
		after, to = reversed, schema.ReverseName(name[len("*."):])+"/" // the wildcard comes before the names it stands for
	}
	err = db.QueryRowContext(ctx, `SELECT EXISTS (SELECT 1 FROM names WHERE reversed = ?1 AND model IN (?3, ?4, ?5, ?6)) OR EXISTS (SELECT 1 FROM names WHERE reversed = ?2 AND model IN (?3, ?4)),
		EXISTS (SELECT 1 FROM names WHERE reversed > ?7 AND reversed < ?8)`,
		reversed, wildcard, lifecycle.Orders, lifecycle.Certificates, lifecycle.Domains, lifecycle.DNSSECs, after, to).Scan(&known, &below)
	return known, below, err
}

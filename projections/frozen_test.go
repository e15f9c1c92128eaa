package projections

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"flag"
	"fmt"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/certtrail/certtrail/projections/lifecycle"
	"github.com/certtrail/certtrail/schema"
)

// update writes what the frozen events fold to: go test ./projections -run Frozen -update. New events are added to it
// at any time; that one folds to something else is refused until lifecycle.Version, or the tables, have changed. The
// file carries its own digest, so that no other way leads there.
var update = flag.Bool("update", false, "write what the frozen events fold to")

const frozenRows = "testdata/frozen.txt"

// frozenEvents returns all events that were ever written, in the log's order of their files' names.
func frozenEvents(t *testing.T) (names []string, records []schema.Record) {
	t.Helper()
	files, err := filepath.Glob("../schema/testdata/events/*.json")
	if err != nil || len(files) < 40 {
		t.Fatalf("%d frozen events (%v)", len(files), err)
	}
	for i, file := range files {
		b, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		subject, wire, _ := strings.Cut(strings.TrimSpace(string(b)), "\n")
		names = append(names, filepath.Base(file))
		records = append(records, schema.Record{Seq: uint64(i + 1), Subject: subject, Time: began, Data: []byte(wire)})
	}
	return names, records
}

// folded folds records in an empty generation: the keys of the rows they changed, and the whole tables.
func folded(t *testing.T, records ...schema.Record) (rows []Key, tables string) {
	t.Helper()
	s, w := emptyGeneration(t)
	change, err := w.apply(entries(records, asLogged))
	if err != nil {
		t.Fatal(err)
	}
	return change.Rows, dump(t, s)
}

// emptyGeneration makes a generation without events, what reads it and what writes it, for as long as the test runs.
func emptyGeneration(t *testing.T) (*Store, *writer) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "frozen.db")
	if err := create(context.Background(), path, "_journal_mode=WAL", true); err != nil {
		t.Fatal(err)
	}
	w, err := openWriter(path, false)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { w.close() })
	f, err := openFile(path)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { f.readers.Close() })
	return &Store{current: f}, w
}

// TestFrozenEventsFold folds every event ever written, by itself and all together: each lands in the rows it should,
// none is parked.
func TestFrozenEventsFold(t *testing.T) {
	names, records := frozenEvents(t)
	got := map[string]string{}
	for i, name := range names {
		alone := records[i]
		alone.Seq = 1 // so that another file before it changes nothing
		rows, tables := folded(t, alone)
		checkRows(t, name, alone, rows)
		got[name] = section(rows, tables)
	}
	rows, _ := folded(t, records...)
	for _, k := range rows {
		seq, err := strconv.Atoi(k.ID)
		if k.Model == "quarantine" && (err != nil || eventOf(t, records[seq-1]).Kind() != schema.DeliveryUnrecognized) {
			t.Errorf("all together: %s was parked", names[seq-1])
		}
	}
	compareFrozen(t, got)
}

// checkRows makes sure that the rows are those the event of r, alone in the log, concerns: none but its own in
// quarantine if it was quarantined from the first.
func checkRows(t *testing.T, name string, r schema.Record, rows []Key) {
	t.Helper()
	e := eventOf(t, r)
	want := []Key{{"quarantine", e.Data.Provider, "1"}}
	if e.Kind() != schema.DeliveryUnrecognized {
		concerned, err := lifecycle.Rows(e)
		if err != nil || len(concerned) == 0 && e.Kind().Aggregate() != schema.AggregateLog { // what is said of the log itself is in no row
			t.Errorf("%s: %s concerns no row (%v)", name, e.Type, err)
		}
		want = nil
		for _, row := range concerned {
			want = append(want, Key{row.Model, e.Data.Provider, row.ID})
		}
	}
	if !slices.Equal(rows, want) {
		t.Errorf("%s: changed %v, want %v", name, rows, want)
	}
}

func eventOf(t testing.TB, r schema.Record) *schema.Event {
	t.Helper()
	e, err := schema.Decode(r.Data)
	if err != nil {
		t.Fatal(err)
	}
	return e
}

// block matches a PEM block in a table.
var block = regexp.MustCompile(`-----BEGIN[^|]*`)

// section writes what stands in the file for one event: the rows it changed, then the tables, certificates by their
// digest.
func section(rows []Key, tables string) string {
	var b strings.Builder
	for _, k := range rows {
		fmt.Fprintf(&b, "  %s/%s/%s\n", k.Model, k.Provider, k.ID)
	}
	tables = block.ReplaceAllStringFunc(tables, func(pem string) string {
		sum := sha256.Sum256([]byte(pem))
		return "PEM " + hex.EncodeToString(sum[:8])
	})
	for line := range strings.Lines(tables) {
		b.WriteString("    " + line)
	}
	return b.String()
}

// foldsHash names the tables and the version of the folds. Indexes are not among them: they change no row.
func foldsHash() string {
	sum := sha256.Sum256([]byte(tables() + strconv.Itoa(lifecycle.Version)))
	return hex.EncodeToString(sum[:6])
}

func compareFrozen(t *testing.T, got map[string]string) {
	t.Helper()
	file, err := os.ReadFile(frozenRows)
	if err != nil {
		t.Fatalf("%v: restore it from the history of this repository", err)
	}
	next, problems := nextFrozen(string(file), foldsHash(), got, *update)
	for _, p := range problems {
		t.Error(p)
	}
	if next != "" && !t.Failed() {
		if err := os.WriteFile(frozenRows, []byte(next), 0o644); err != nil {
			t.Fatal(err)
		}
	}
}

// nextFrozen holds what the frozen events fold to against the file, and is what -update writes; "" where there is
// nothing to write.
func nextFrozen(file, hash string, got map[string]string, update bool) (next string, problems []string) {
	problem := func(format string, args ...any) { problems = append(problems, fmt.Sprintf(format, args...)) }
	was, want, err := readFrozen(file)
	if err != nil {
		return "", []string{err.Error()}
	}
	changed := was != hash
	if changed && !update {
		problem("the tables or lifecycle.Version have changed: look at what go test ./projections -run Frozen -update changes in %s", frozenRows)
	}
	write := changed
	for _, name := range slices.Sorted(maps.Keys(got)) {
		switch before, listed := want[name]; {
		case listed && before == got[name]:
		case !listed && update:
			write = true
		case !listed:
			problem("%s is not in %s yet: add it with -update", name, frozenRows)
		case !changed:
			problem("%s folds to\n%swas\n%sIf that is meant, raise lifecycle.Version, so that the read models of the version before are rebuilt", name, got[name], before)
		}
	}
	for name := range want {
		if _, there := got[name]; !there {
			problem("%s is in %s, and no more among the frozen events: an event that was ever written stays", name, frozenRows)
		}
	}
	if len(problems) > 0 || !update || !write {
		return "", problems
	}
	return frozenText(hash, got), nil
}

// frozenText writes the file: what names the folds, the digest of all the rest, and a section for each event.
func frozenText(hash string, sections map[string]string) string {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(sections)) {
		fmt.Fprintf(&b, "%s\n%s", name, sections[name])
	}
	return "folds " + hash + "\ndigest " + frozenDigest(hash, b.String()) + "\n" + b.String()
}

// frozenDigest returns the digest of the sections, and of the folds that made them.
func frozenDigest(hash, sections string) string {
	sum := sha256.Sum256([]byte(hash + "\n" + sections))
	return hex.EncodeToString(sum[:16])
}

// readFrozen reads what frozenText writes, and nothing else.
func readFrozen(file string) (hash string, sections map[string]string, err error) {
	first, rest, _ := strings.Cut(file, "\n")
	second, rest, _ := strings.Cut(rest, "\n")
	hash = strings.TrimPrefix(first, "folds ")
	if second != "digest "+frozenDigest(hash, rest) {
		return "", nil, fmt.Errorf("%s was edited by hand, for its digest is another: restore it, raise lifecycle.Version if events are to fold to something else, "+
			"and let go test ./projections -run Frozen -update write it", frozenRows)
	}
	sections = map[string]string{}
	var name string
	for line := range strings.Lines(rest) {
		if strings.HasPrefix(line, " ") {
			sections[name] += line
		} else {
			name = strings.TrimSpace(line)
			sections[name] = ""
		}
	}
	return hash, sections, nil
}

// TestFrozenRowsHaveAGate: what events fold to changes only with the version or the tables, whoever edits the file, and
// however.
func TestFrozenRowsHaveAGate(t *testing.T) {
	folds := map[string]string{"a.json": "  orders/x/1\n    orders|x|1|issued\n", "b.json": "  orders/x/2\n    orders|x|2|pending\n"}
	others := map[string]string{"a.json": "  orders/x/1\n    orders|x|1|revoked\n", "b.json": folds["b.json"]}
	more := map[string]string{"a.json": folds["a.json"], "b.json": folds["b.json"], "c.json": ""}
	fewer := map[string]string{"a.json": folds["a.json"]}
	file := frozenText("v1", folds)
	section := "a.json\n" + folds["a.json"]
	for name, c := range map[string]struct {
		file, hash string
		got        map[string]string
		update     bool
		problem    string // "": none
		next       string
	}{
		"the same":                            {file, "v1", folds, false, "", ""},
		"the same, updated":                   {file, "v1", folds, true, "", ""},
		"another fold":                        {file, "v1", others, false, "raise lifecycle.Version", ""},
		"another fold, updated":               {file, "v1", others, true, "raise lifecycle.Version", ""},
		"another fold and version":            {file, "v2", others, false, "have changed", ""},
		"another fold and version, updated":   {file, "v2", others, true, "", frozenText("v2", others)},
		"a new event":                         {file, "v1", more, false, "not in", ""},
		"a new event, updated":                {file, "v1", more, true, "", frozenText("v1", more)},
		"an event is gone":                    {file, "v1", fewer, false, "no more among", ""},
		"an event is gone, updated":           {file, "v1", fewer, true, "no more among", ""},
		"edited to suit":                      {strings.Replace(file, "issued", "revoked", 1), "v1", others, false, "edited by hand", ""},
		"edited to suit, updated":             {strings.Replace(file, "issued", "revoked", 1), "v1", others, true, "edited by hand", ""},
		"a section taken out, updated":        {strings.Replace(file, section, "", 1), "v1", others, true, "edited by hand", ""},
		"another hash written in, updated":    {strings.Replace(file, "v1", "v0", 1), "v1", others, true, "edited by hand", ""},
		"emptied, updated":                    {"", "v1", others, true, "edited by hand", ""},
		"the digest taken out, updated":       {strings.Replace(file, "digest ", "", 1), "v1", others, true, "edited by hand", ""},
		"edited, whatever the version is now": {strings.Replace(file, "issued", "revoked", 1), "v2", others, true, "edited by hand", ""},
	} {
		next, problems := nextFrozen(c.file, c.hash, c.got, c.update)
		if said := strings.Join(problems, "\n"); next != c.next || (said == "") != (c.problem == "") || !strings.Contains(said, c.problem) {
			t.Errorf("%s: it says %q, and writes\n%s", name, said, next)
		}
	}
}

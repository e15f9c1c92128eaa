package main

import (
	"os/exec"
	"path"
	"slices"
	"strings"
	"testing"
)

const (
	module   = "github.com/certtrail/certtrail"
	internal = module + "/cmd/certtrail/internal/"
)

// mayImport holds the layout: which packages, beyond the plain standard library, each may import. A package that is not
// listed may not exist. Of the standard library, notPlain is only for those that name it.
var mayImport = map[string][]string{
	"schema":                      {module + "/schema/jsonscan", "golang.org/x/net/idna"},
	"schema/durable":              {},
	"schema/jsonscan":             {},
	"ingest":                      {module + "/schema", module + "/ingest/provider", module + "/ingest/redact", module + "/ingest/people", "github.com/gorilla/mux", "github.com/google/uuid", "net/http"},
	"ingest/provider":             {module + "/schema", module + "/schema/jsonscan", module + "/ingest/redact"},
	"ingest/redact":               {module + "/schema", module + "/schema/jsonscan"},
	"ingest/people":               {module + "/schema", module + "/schema/jsonscan", module + "/ingest/redact"},
	"ingest/people/peopletest":    {},
	"ingest/defguard":             {module + "/schema", module + "/ingest/provider", "net/http"},
	"ingest/digicert":             {module + "/schema", module + "/ingest/provider", "net/http"},
	"ingest/probely":              {module + "/schema", module + "/ingest/provider", "net/http"},
	"ingest/sectigo":              {module + "/schema", module + "/ingest/provider", "net/http"},
	"ingest/xolphin":              {module + "/schema", module + "/ingest/provider", "net/http"},
	"ingest/ask":                  {module + "/schema", module + "/ingest/provider", module + "/ingest/redact", module + "/schema/durable", "github.com/miekg/dns", "golang.org/x/time/rate", "net/http"},
	"ingest/ingesttest":           {module + "/schema", module + "/ingest/provider", module + "/ingest/redact", module + "/ingest/people", module + "/ingest/people/peopletest", "net/http"},
	"streams":                     {module + "/schema", "github.com/nats-io/nats.go"},
	"streams/embedded":            {module + "/schema", module + "/streams", module + "/streams/embedded/blocks", module + "/streams/gate", "github.com/nats-io/nats.go", "github.com/nats-io/nats-server/v2", "github.com/minio/highwayhash", "golang.org/x/sys/unix"},
	"streams/embedded/blocks":     {module + "/schema", module + "/streams", "github.com/minio/highwayhash", "golang.org/x/sys/unix"},
	"streams/gate":                {module + "/schema", module + "/streams", "github.com/nats-io/nats.go", "github.com/nats-io/nats-server/v2"},
	"streams/transfer":            {module + "/schema", module + "/streams", "github.com/google/uuid"},
	"streams/streamstest":         {module + "/schema", module + "/streams", "github.com/google/uuid"},
	"projections/lifecycle":       {module + "/schema"},
	"projections/rules":           {module + "/schema", module + "/projections/lifecycle"},
	"projections/projectionstest": {module + "/schema"},
	"projections":                 {module + "/schema", module + "/schema/durable", module + "/projections/lifecycle", module + "/projections/rules", "database/sql", "github.com/mattn/go-sqlite3"},
	"projections/words":           {module + "/schema", module + "/projections/lifecycle", module + "/projections/rules", module + "/projections"},
	"web/address":                 {module + "/schema", module + "/projections"},
	"web/answer":                  {module + "/schema", module + "/projections", module + "/projections/words", module + "/web/address", "github.com/gorilla/mux", "net/http"},
	"web/api":                     {module + "/schema", module + "/projections", module + "/web/address", module + "/web/answer", "net/http"},
	"web/calendar":                {module + "/schema", module + "/projections", module + "/projections/words", module + "/web/address", module + "/web/answer", module + "/web/view", "github.com/arran4/golang-ical", "net/http"},
	"web/picture":                 {module + "/projections", module + "/projections/rules", module + "/projections/words", module + "/web/address", module + "/web/answer"},
	"web/view":                    {module + "/schema", module + "/projections", module + "/projections/lifecycle", module + "/projections/words"},
	"web": {module + "/web/address", module + "/web/api", module + "/web/answer", module + "/web/calendar", module + "/web/picture", module + "/web/view", module + "/schema", module + "/projections", module + "/projections/lifecycle", module + "/projections/rules", module + "/projections/words",
		module + "/ingest/redact", "github.com/gorilla/mux", "net/http"},
	"cmd/certtrail": {"*"},

	"cmd/certtrail/internal/crash":    {"golang.org/x/sys/unix"},
	"cmd/certtrail/internal/demo":     {internal + "settings", internal + "sample", module + "/schema"},
	"cmd/certtrail/internal/house":    {},
	"cmd/certtrail/internal/listen":   {"net/http"},
	"cmd/certtrail/internal/node":     {"*"},
	"cmd/certtrail/internal/progress": {internal + "text", module + "/projections"},
	"cmd/certtrail/internal/owner":    {internal + "version", module + "/schema", module + "/streams/transfer", "net/http"},
	"cmd/certtrail/internal/sample":   {internal + "settings", module + "/schema", module + "/ingest", module + "/ingest/provider", "net/http"},
	"cmd/certtrail/internal/settings": {internal + "text", module + "/schema", module + "/ingest", module + "/ingest/provider", "github.com/spf13/cobra", "github.com/spf13/pflag", "go.yaml.in/yaml/v3", "golang.org/x/time/rate"},
	"cmd/certtrail/internal/text":     {module + "/schema"},
	"cmd/certtrail/internal/version":  {},
}

// notPlain lists the parts of the standard library that tell what a package is about.
var notPlain = []string{"net/http", "database/sql"}

func TestImports(t *testing.T) {
	out, err := exec.Command("go", "list", "-f", `{{.ImportPath}}{{range .Imports}} {{.}}{{end}}`, module+"/...").Output()
	if err != nil {
		t.Fatalf("go list: %v", err)
	}
	seen := 0
	for line := range strings.Lines(string(out)) {
		fields := strings.Fields(line)
		pkg := strings.TrimPrefix(fields[0], module+"/")
		allowed, ok := mayImport[pkg]
		if !ok {
			t.Errorf("there is no room for package %s in the layout", pkg)
			continue
		}
		seen++
		for _, imported := range fields[1:] {
			if !permitted(imported, allowed) {
				t.Errorf("%s imports %s, which the layout forbids", pkg, imported)
			}
		}
	}
	if seen != len(mayImport) {
		t.Errorf("go list shows %d packages, the layout has %d", seen, len(mayImport))
	}
}

func permitted(imported string, allowed []string) bool {
	if slices.Contains(allowed, "*") {
		return true
	}
	within := func(root string) bool { return imported == root || strings.HasPrefix(imported, root+"/") }
	if standard := !strings.Contains(strings.Split(imported, "/")[0], "."); standard {
		return !slices.ContainsFunc(notPlain, within) || slices.ContainsFunc(allowed, within)
	}
	return slices.ContainsFunc(allowed, func(root string) bool {
		if path.Dir(root) == module || strings.HasPrefix(root, module) {
			return imported == root // a room of ours is not its inner rooms
		}
		return within(root)
	})
}

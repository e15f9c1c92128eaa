package main

import (
	"bytes"
	"database/sql"
	"encoding/json"
	"flag"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/demo"
)

// The credentials of every test server.
const (
	testKey      = "test-webhook-key-0123456789abcdef"
	testUser     = "certtrail"
	testPassword = "test-password-0123456789"
	testToken    = "test-token-0123456789abcdef"
	testNATS     = "test-subscriber-0123456789"
)

// patience bounds every wait on a condition.
const patience = 20 * time.Second

// TestMain makes this binary be certtrail, too. A test here is parallel unless it measures time or memory, sends all it
// can to a server that it stops or kills, needs the port of a server that ended, or opens an owner in this process: a
// rebuild bounds the memory of all of it.
func TestMain(m *testing.M) {
	// Under the race detector each process would wait a second before it ends, for races in what outlives main;
	// hundreds of them end here.
	os.Setenv("GORACE", "atexit_sleep_ms=10 "+os.Getenv("GORACE"))
	testscript.Main(m, map[string]func(){"certtrail": main})
}

// TestScripts drives the whole program by text. Each script is a world of its own:
//
//	start [FLAG…]            a server on $WORK/data; sets $WEB, $HOOKS and $NATS
//	terminate, crash         SIGTERM and a clean end within ten seconds; SIGKILL
//	deliver SOURCE FILE [STATUS [HEADER…]]  FILE as SOURCE would send it: .json and .form by POST, .query by GET, .get by GET with a body; @NAME@ in it is the file NAME
//	http METHOD URL STATUS [HEADER…]  a plain request; its body is that of the file "body", if there is one
//	event SEQ SUBJECT FILE   the event at SEQ is on SUBJECT and contains FILE
//	row PATH FILE            /api/v1PATH contains FILE, as soon as the read models are there
//	page PATH REGEXP…        the page shows text that matches each
//	decide PATTERN DECISION [NAME=VALUE…]  a person decides about the first matter of the start page that matches
//	certificate FILE NAME…   a fresh certificate for the names
//	table FILE               prints the deliveries of the table FILE, each with what it became: see scriptTable
//
// JSON contains other JSON when it has all its members with those values; null stands for a member that must not be
// there.
func TestScripts(t *testing.T) {
	t.Parallel()
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script", UpdateScripts: flag.Lookup("update").Value.String() == "true", // a flag of ingesttest
		Setup: func(e *testscript.Env) error {
			e.Vars = append(e.Vars, testEnvironment()...)
			e.Values[worldKey{}] = &world{}
			e.Defer(func() { e.Values[worldKey{}].(*world).end() })
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"start": scriptStart, "terminate": scriptTerminate, "crash": scriptCrash, "deliver": scriptDeliver, "http": scriptHTTP,
			"event": scriptEvent, "row": scriptRow, "page": scriptPage, "decide": scriptDecide, "certificate": scriptCertificate,
			"table": scriptTable, "sql": scriptSQL, "caughtup": func(ts *testscript.TestScript, _ bool, _ []string) { theWorld(ts).caughtUp(ts) }, "showing": scriptShowing,
		},
	})
}

type worldKey struct{}

func theWorld(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

func scriptStart(ts *testscript.TestScript, neg bool, args []string) {
	var environment []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR", "GORACE"} {
		environment = append(environment, name+"="+ts.Getenv(name))
	}
	for _, pair := range testEnvironment() {
		name, _, _ := strings.Cut(pair, "=")
		environment = append(environment, name+"="+ts.Getenv(name))
	}
	w, err := launch(ts.MkAbs("."), environment, append([]string{"--data-dir", ts.MkAbs("data")}, args...)...)
	if neg {
		if err == nil {
			ts.Fatalf("the server started")
		}
		fmt.Fprint(ts.Stdout(), err.Error())
		return
	}
	ts.Check(err)
	old := theWorld(ts)
	old.cmd, old.web, old.hooks, old.nats, old.exited = w.cmd, w.web, w.hooks, w.nats, w.exited
	ts.Setenv("WEB", w.web)
	ts.Setenv("HOOKS", w.hooks)
	ts.Setenv("NATS", w.nats)
}

// scriptShowing starts a server that shows one database.
func scriptShowing(ts *testscript.TestScript, _ bool, args []string) {
	scriptStart(ts, false, []string{"--read-only", "--db", ts.MkAbs(args[0])})
}

// scriptSQL changes a database by hand, as nothing but a person would.
func scriptSQL(ts *testscript.TestScript, _ bool, args []string) {
	paths, err := filepath.Glob(ts.MkAbs(args[0]))
	ts.Check(err)
	if len(paths) != 1 {
		ts.Fatalf("%s is %d files", args[0], len(paths))
	}
	db, err := sql.Open("sqlite3", "file:"+paths[0]+"?mode=rw&_busy_timeout=5000")
	ts.Check(err)
	defer db.Close()
	_, err = db.Exec(args[1])
	ts.Check(err)
}

func scriptTerminate(ts *testscript.TestScript, _ bool, _ []string) { ts.Check(theWorld(ts).stop()) }
func scriptCrash(ts *testscript.TestScript, _ bool, _ []string)     { theWorld(ts).end() }

func scriptCertificate(ts *testscript.TestScript, _ bool, args []string) {
	now := time.Now()
	ca, err := demo.NewAuthority("Script Sample CA", now)
	ts.Check(err)
	leaf, err := ca.Issue(now.Add(-time.Hour), now.Add(198*demo.Day), args[1:]...)
	ts.Check(err)
	ts.Check(os.WriteFile(ts.MkAbs(args[0]), []byte(leaf), 0o600))
}

func scriptHTTP(ts *testscript.TestScript, _ bool, args []string) {
	method, target, want := args[0], args[1], args[2]
	var body io.Reader = http.NoBody
	if b, err := os.ReadFile(ts.MkAbs("body")); err == nil && method != "GET" {
		body = bytes.NewReader(b)
	}
	req, err := http.NewRequest(method, target, body)
	ts.Check(err)
	for _, header := range args[3:] {
		name, value, _ := strings.Cut(header, ": ")
		if req.Header.Set(name, value); name == "Host" {
			req.Host = value
		}
	}
	resp, err := http.DefaultClient.Do(req)
	ts.Check(err)
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	ts.Check(err)
	for name, values := range resp.Header {
		fmt.Fprintf(ts.Stdout(), "%s: %s\n", name, strings.Join(values, ", "))
	}
	fmt.Fprintf(ts.Stdout(), "\n%s\n", text)
	if fmt.Sprint(resp.StatusCode) != want {
		ts.Fatalf("%s %s answered %d: %s", method, target, resp.StatusCode, text)
	}
}

func scriptEvent(ts *testscript.TestScript, _ bool, args []string) {
	var seq uint64
	_, err := fmt.Sscan(args[0], &seq)
	ts.Check(err)
	_, body, err := fetch(fmt.Sprintf("%s/api/v1/events?after_seq=%d&subject=%s&limit=1", theWorld(ts).web, seq-1, url.QueryEscape(args[1])))
	ts.Check(err)
	var page struct{ Items []json.RawMessage }
	ts.Check(json.Unmarshal(body, &page))
	if len(page.Items) != 1 {
		ts.Fatalf("no event from %d on is on %s", seq, args[1])
	}
	item := decodeJSON(ts, page.Items[0])
	if got := item.(map[string]any)["seq"]; got != float64(seq) {
		ts.Fatalf("the first event from %d on that is on %s has the sequence %v", seq, args[1], got)
	}
	if why := missing(item, decodeJSON(ts, []byte(ts.ReadFile(args[2]))), "event"); why != "" {
		ts.Fatalf("%s\nin %s", why, page.Items[0])
	}
}

func scriptRow(ts *testscript.TestScript, neg bool, args []string) {
	if neg {
		theWorld(ts).caughtUp(ts)
		if status, body, err := fetch(theWorld(ts).web + "/api/v1" + args[0]); err != nil || status != http.StatusNotFound {
			ts.Fatalf("%s answers %d (%v): %s", args[0], status, err, body)
		}
		return
	}
	theWorld(ts).caughtUp(ts)
	status, body, err := fetch(theWorld(ts).web + "/api/v1" + args[0])
	ts.Check(err)
	if status != http.StatusOK {
		ts.Fatalf("%s answers %d: %s", args[0], status, body)
	}
	if why := missing(decodeJSON(ts, body), decodeJSON(ts, []byte(ts.ReadFile(args[1]))), "row"); why != "" {
		ts.Fatalf("%s\nin %s", why, body)
	}
}

func scriptPage(ts *testscript.TestScript, _ bool, args []string) {
	theWorld(ts).caughtUp(ts)
	status, body, err := fetch(theWorld(ts).web + args[0])
	ts.Check(err)
	if status != http.StatusOK {
		ts.Fatalf("%s answers %d: %s", args[0], status, body)
	}
	for _, pattern := range args[1:] {
		if !regexp.MustCompile(pattern).Match(body) {
			ts.Fatalf("%s does not show %s:\n%s", args[0], pattern, body)
		}
	}
}

func decodeJSON(ts *testscript.TestScript, b []byte) (v any) {
	ts.Check(json.Unmarshal(b, &v))
	return v
}

// missing says what of want is not in got; "" when got contains all of it.
func missing(got, want any, at string) string {
	switch want := want.(type) {
	case map[string]any:
		object, ok := got.(map[string]any)
		if !ok {
			return fmt.Sprintf("%s is %v, want an object", at, got)
		}
		for name, value := range want {
			member, there := object[name]
			if value == nil && there && member != nil {
				return fmt.Sprintf("%s.%s is %v, want none", at, name, member)
			}
			if value != nil {
				if why := missing(member, value, at+"."+name); why != "" {
					return why
				}
			}
		}
		return ""
	case []any:
		list, ok := got.([]any)
		if !ok || len(list) != len(want) {
			return fmt.Sprintf("%s is %v, want %v", at, got, want)
		}
		for i := range want {
			if why := missing(list[i], want[i], fmt.Sprintf("%s[%d]", at, i)); why != "" {
				return why
			}
		}
		return ""
	case string:
		if want == "*" && got != nil {
			return ""
		}
	}
	if !reflect.DeepEqual(got, want) {
		return fmt.Sprintf("%s is %v, want %v", at, got, want)
	}
	return ""
}

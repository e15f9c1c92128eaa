package main

import (
	"bufio"
	"bytes"
	"database/sql"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"reflect"
	"regexp"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/rogpeppe/go-internal/testscript"
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

func TestMain(m *testing.M) {
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
//	certificate FILE NAME…   a fresh certificate for the names
//
// JSON contains other JSON when it has all its members with those values; null stands for a member that must not be there.
func TestScripts(t *testing.T) {
	testscript.Run(t, testscript.Params{
		Dir: "testdata/script",
		Setup: func(e *testscript.Env) error {
			e.Vars = append(e.Vars, testEnvironment()...)
			e.Values[worldKey{}] = &world{}
			e.Defer(func() { e.Values[worldKey{}].(*world).end() })
			return nil
		},
		Cmds: map[string]func(*testscript.TestScript, bool, []string){
			"start": scriptStart, "terminate": scriptTerminate, "crash": scriptCrash, "deliver": scriptDeliver, "http": scriptHTTP,
			"event": scriptEvent, "row": scriptRow, "page": scriptPage, "certificate": scriptCertificate,
			"sql": scriptSQL, "caughtup": func(ts *testscript.TestScript, _ bool, _ []string) { theWorld(ts).caughtUp(ts) }, "showing": scriptShowing,
		},
	})
}

func testEnvironment() []string {
	return []string{
		"CERTTRAIL_DIGICERT_WEBHOOK_KEY=" + testKey, "CERTTRAIL_SECTIGO_USERNAME=" + testUser, "CERTTRAIL_SECTIGO_PASSWORD=" + testPassword,
		"CERTTRAIL_XOLPHIN_TOKEN=" + testToken, "CERTTRAIL_DEFGUARD_TOKEN=" + testToken, "CERTTRAIL_PROBELY_TOKEN=" + testToken,
		"CERTTRAIL_NATS_SUBSCRIBER_PASSWORD=" + testNATS, "CERTTRAIL_NATS_OPERATOR_PASSWORD=" + testNATS + "-operator",
		"CERTTRAIL_WEB_LISTEN=127.0.0.1:0", "CERTTRAIL_HOOKS_LISTEN=127.0.0.1:0", "CERTTRAIL_NATS_LISTEN=127.0.0.1:0",
	}
}

type worldKey struct{}

// world is a server process and where it listens.
type world struct {
	cmd              *exec.Cmd
	web, hooks, nats string
	log              lockedBuffer
	exited           chan error
}

// launch starts the program in dir and waits until it says where it is.
func launch(dir string, environment []string, args ...string) (*world, error) {
	self, err := os.Executable()
	if err != nil {
		return nil, err
	}
	w := &world{exited: make(chan error, 1)}
	w.cmd = exec.Command(filepath.Join(filepath.Dir(self), "certtrail"), append([]string{"serve"}, args...)...)
	if path, err := exec.LookPath("certtrail"); err == nil { // testscript.Main puts it there
		w.cmd.Path = path
	}
	w.cmd.Dir, w.cmd.Env, w.cmd.Stderr = dir, environment, &w.log
	stdout, err := w.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := w.cmd.Start(); err != nil {
		return nil, err
	}
	announced := make(chan bool, 1)
	go func() {
		lines := bufio.NewScanner(stdout)
		for lines.Scan() {
			w.log.Write([]byte(lines.Text() + "\n"))
			switch fields := strings.Fields(lines.Text()); {
			case len(fields) < 2:
			case fields[0] == "pages":
				w.web = fields[1]
			case fields[0] == "deliveries":
				w.hooks = fields[1]
			case fields[0] == "subscribers":
				w.nats = fields[1]
			}
			if w.web != "" && lines.Text() == "" {
				select {
				case announced <- true:
				default:
				}
			}
		}
		w.exited <- w.cmd.Wait()
	}()
	select {
	case <-announced:
		return w, nil
	case err := <-w.exited:
		return nil, fmt.Errorf("the server ended: %v\n%s", err, w.log.String())
	case <-time.After(patience):
		w.end()
		return nil, fmt.Errorf("the server did not start\n%s", w.log.String())
	}
}

func (w *world) end() {
	if w.cmd != nil && w.cmd.Process != nil {
		w.cmd.Process.Kill()
		<-w.exited
		w.cmd = nil
	}
}

// stop asks the server to end and waits until it has.
func (w *world) stop() error {
	if err := w.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		return err
	}
	select {
	case err := <-w.exited:
		w.cmd = nil
		return err
	case <-time.After(10 * time.Second):
		return fmt.Errorf("the server did not end within 10 s of SIGTERM\n%s", w.log.String())
	}
}

func theWorld(ts *testscript.TestScript) *world { return ts.Value(worldKey{}).(*world) }

func scriptStart(ts *testscript.TestScript, neg bool, args []string) {
	var environment []string
	for _, name := range []string{"PATH", "HOME", "TMPDIR"} {
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
	ca, err := newAuthority("Script Sample CA", now)
	ts.Check(err)
	leaf, err := ca.issue(now.Add(-time.Hour), now.Add(198*day), args[1:]...)
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

type fataler interface{ Fatalf(string, ...any) }

// caughtUp waits until the read models hold every event of the log.
func (w *world) caughtUp(t fataler) {
	for deadline := time.Now().Add(patience); ; {
		var status struct {
			Stream      struct{ Last_seq uint64 }
			Projections []struct {
				Seq   uint64
				State string
			}
		}
		code, body, err := fetch(w.web + "/api/v1/status")
		if err == nil && code == http.StatusOK && json.Unmarshal(body, &status) == nil && len(status.Projections) > 0 &&
			status.Projections[0].Seq == status.Stream.Last_seq && status.Projections[0].State == "live" {
			return
		}
		if time.Now().After(deadline) {
			t.Fatalf("the read models do not catch up: %v, %d %s\n%s", err, code, body, w.log.String())
		}
		<-time.After(2 * time.Millisecond)
	}
}

func fetch(target string) (int, []byte, error) {
	resp, err := http.Get(target)
	if err != nil {
		return 0, nil, err
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	return resp.StatusCode, body, err
}

func decodeJSON(ts *testscript.TestScript, b []byte) (v any) {
	ts.Check(json.Unmarshal(b, &v))
	return v
}

// missing tells what of want is not in got; "" when got contains all of it.
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

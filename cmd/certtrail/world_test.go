package main

import (
	"bufio"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/sample"
	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/spf13/cobra"
)

func testEnvironment() []string {
	return []string{
		"CERTTRAIL_DIGICERT_WEBHOOK_KEY=" + testKey, "CERTTRAIL_SECTIGO_USERNAME=" + testUser, "CERTTRAIL_SECTIGO_PASSWORD=" + testPassword,
		"CERTTRAIL_XOLPHIN_TOKEN=" + testToken, "CERTTRAIL_DEFGUARD_TOKEN=" + testToken, "CERTTRAIL_PROBELY_TOKEN=" + testToken,
		"CERTTRAIL_NATS_SUBSCRIBER_PASSWORD=" + testNATS, "CERTTRAIL_NATS_OPERATOR_PASSWORD=" + testNATS + "-operator",
		"CERTTRAIL_WEB_LISTEN=127.0.0.1:0", "CERTTRAIL_HOOKS_LISTEN=127.0.0.1:0", "CERTTRAIL_NATS_LISTEN=127.0.0.1:0",
		"CERTTRAIL_DNS_RESOLVER=off", "CERTTRAIL_DIGICERT_API_KEY=", "CERTTRAIL_DIGICERT_API_URL=",
	}
}

// world runs a server process, and knows where it listens.
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
	program := filepath.Join(filepath.Dir(self), "certtrail")
	if path, err := exec.LookPath("certtrail"); err == nil { // testscript.Main puts it there
		program = path
	}
	return launchAs(program, dir, environment, args...)
}

// launchAs launches another program.
func launchAs(program, dir string, environment []string, args ...string) (*world, error) {
	w := &world{exited: make(chan error, 1)}
	w.cmd = exec.Command(program, append([]string{"serve"}, args...)...)
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

// deliver sends d to the endpoint /hooks/source with the test's credentials.
func (w *world) deliver(source string, d *provider.Delivery) (int, []byte, error) {
	kind, feed, _ := strings.Cut(source, "-")
	system, ok := systems.Of(kind)
	if !ok {
		return 0, nil, fmt.Errorf("no system %s", kind)
	}
	d.Feed = feed
	credentials := map[string]string{"webhook-key": testKey, "username": testUser, "password": testPassword, "token": testToken}
	return sample.Deliver(context.Background(), w.hooks, kind, system.New(func(name string) string { return credentials[name] }), d)
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

// settingsWith reads settings in which flags say values.
func settingsWith(t testing.TB, values map[string]string) *settings.Settings {
	t.Helper()
	cmd := &cobra.Command{}
	systems.AddSettings(cmd)
	for name, value := range values {
		if err := cmd.Flags().Set(name, value); err != nil {
			t.Fatal(err)
		}
	}
	s, err := systems.Read(cmd.Flags())
	if err != nil {
		t.Fatal(err)
	}
	return s
}

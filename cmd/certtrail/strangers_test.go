package main

import (
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"sync"
	"testing"
	"time"
)

// beginBelow does what begin does, with at most so many open files.
func beginBelow(t *testing.T, files int) *world {
	t.Helper()
	program, err := exec.LookPath("certtrail") // testscript.Main puts it there
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	limited := filepath.Join(dir, "limited")
	script := fmt.Sprintf("#!/bin/sh\nulimit -n %d\nexec '%s' \"$@\"\n", files, program)
	if err := os.WriteFile(limited, []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	w, err := launchAs(limited, dir, append(os.Environ(), testEnvironment()...), "--data-dir", filepath.Join(dir, "data"))
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.end)
	return w
}

// holdIdle opens n connections to each of the servers and keeps them until the test ends: those that say nothing, and
// those that begin a request.
func holdIdle(t testing.TB, n int, servers ...string) {
	t.Helper()
	var held []net.Conn
	t.Cleanup(func() {
		for _, c := range held {
			c.Close()
		}
	})
	for i := range n {
		for _, server := range servers {
			c, err := net.Dial("tcp", strings.TrimPrefix(server, "http://"))
			if err != nil {
				t.Fatal(err)
			}
			held = append(held, c)
			if i%2 == 0 {
				_, _ = c.Write([]byte("POST /hooks/x HTTP/1.1\r\nHost: x\r\nX-A: ")) // a place may have been given to another already
			}
		}
	}
}

// TestStrangersSpendNoDescriptors holds a thousand idle connections to both listeners of a server with few descriptors:
// deliveries are taken meanwhile, over blocks of the log that begin, and the server says that it is ready.
func TestStrangersSpendNoDescriptors(t *testing.T) {
	for _, files := range []int{64, 128} {
		t.Run(strconv.Itoa(files), func(t *testing.T) {
			t.Parallel()
			w := beginBelow(t, files)
			holdIdle(t, 1000, w.hooks, w.web)
			var took []time.Duration
			for order := range 100 {
				d := issuedDelivery(order)
				d.Body = slices.Concat([]byte(`{"pad":"`+strings.Repeat("x", 200_000)+`",`), d.Body[1:]) // three blocks of them
				began := time.Now()
				status, body, err := w.deliver("digicert", d)
				if err != nil || status != http.StatusOK {
					t.Fatalf("delivery %d: %d %s, %v\n%s", order, status, body, err, w.log.String())
				}
				took = append(took, time.Since(began))
			}
			if code, body, err := fetch(w.web + "/readyz"); err != nil || code != http.StatusOK {
				t.Errorf("/readyz: %d %s, %v", code, body, err)
			}
			w.caughtUp(t)
			if slices.Sort(took); took[98] > patience/4 {
				t.Errorf("a delivery took %s", took[98])
			}
			if log := w.log.String(); strings.Contains(log, "too many open files") {
				t.Errorf("the process has no descriptors left:\n%s", log)
			}
		})
	}
}

// askedAndUnread asks the server for path on n connections that nobody reads, until stop is called.
func askedAndUnread(t testing.TB, n int, server, path string) (stop func()) {
	t.Helper()
	var mu sync.Mutex
	var held []net.Conn
	var group sync.WaitGroup
	address := strings.TrimPrefix(server, "http://")
	for range n {
		group.Go(func() {
			c, err := net.Dial("tcp", address)
			if err != nil {
				t.Error(err)
				return
			}
			_ = c.(*net.TCPConn).SetReadBuffer(4096)
			fmt.Fprintf(c, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", path, address)
			mu.Lock()
			defer mu.Unlock()
			held = append(held, c)
		})
	}
	group.Wait()
	return sync.OnceFunc(func() {
		for _, c := range held {
			c.Close()
		}
	})
}

// TestReadersWhoDoNotRead lets clients ask for the largest page of large events, and read nothing: they cost the server
// little, and deliveries are taken.
func TestReadersWhoDoNotRead(t *testing.T) {
	w := begin(t, t.TempDir())
	for order := range 40 {
		deliverLarge(t, w, order, 900_000)
	}
	w.caughtUp(t)
	before := residentOf(t, w)
	defer askedAndUnread(t, 30, w.web, "/api/v1/events?limit=1000")()
	most := before
	for range 5 {
		deliverFor(t, w, 200*time.Millisecond, 1000)
		most = max(most, residentOf(t, w))
	}
	if code, body, err := fetch(w.web + "/readyz"); err != nil || code != http.StatusOK {
		t.Errorf("/readyz: %d %s, %v", code, body, err)
	}
	if most-before > 600 { // with the race detector; what they ask for is 30 times 40 MB, as text and as it is read
		t.Errorf("the server grew from %.0f MiB by %.0f", before, most-before)
	}
}

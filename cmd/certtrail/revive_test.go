package main

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/certtrail/certtrail/ingest/provider"
)

// comesBack limits the time until the log takes deliveries again, after the end of what stopped it.
const comesBack = 10 * time.Second

// onDisk begins a server whose data directory is a small disk of its own, in memory, which only it sees; at is where
// others reach it.
func onDisk(t *testing.T, options string) (w *world, at string) {
	t.Helper()
	dir := t.TempDir()
	if err := os.Mkdir(filepath.Join(dir, "data"), 0o700); err != nil {
		t.Fatal(err)
	}
	program, err := exec.LookPath("certtrail")
	if err != nil {
		t.Fatal(err)
	}
	wrapped := filepath.Join(dir, "wrapped")
	script := fmt.Sprintf("#!/bin/sh\nexec unshare --user --map-root-user --mount sh -c 'mount -t tmpfs -o %s none data && exec %s \"$@\"' sh \"$@\"\n", options, program)
	writeText(t, wrapped, script)
	if err := os.Chmod(wrapped, 0o700); err != nil {
		t.Fatal(err)
	}
	w, err = launchAs(wrapped, dir, append(os.Environ(), append(testEnvironment(), "CERTTRAIL_APPEND_WAIT=1s")...), "--data-dir", "data")
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.end)
	return w, filepath.Join("/proc", fmt.Sprint(w.cmd.Process.Pid), "cwd", "data")
}

// TestIntakeComesBack takes the room or the inodes of the disk at once, while deliveries arrive, and gives them back:
// /readyz tells the truth all the time, deliveries are taken again soon, without a restart, and nothing that was
// answered is lost.
func TestIntakeComesBack(t *testing.T) {
	t.Parallel()
	for name, take := range map[string]struct {
		options string
		fill    func(dir string) error
	}{
		"room":   {"size=200m", fillRoom},
		"inodes": {"size=200m,nr_inodes=1k", fillInodes},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w, data := onDisk(t, take.options)
			order := 0
			var answered []int
			deliver := func() int {
				order++
				code, _, err := w.deliver("digicert", largeDelivery(order))
				if err != nil {
					t.Fatal(err, w.log.String())
				}
				if code == 200 {
					answered = append(answered, order)
				}
				return code
			}
			for range 20 {
				if code := deliver(); code != 200 {
					t.Fatal(code)
				}
			}
			filler := filepath.Join(data, "filler")
			if err := os.Mkdir(filler, 0o700); err != nil {
				t.Fatal(err)
			}
			if err := take.fill(filler); err != nil {
				t.Fatal(err)
			}
			w.await(t, "deliveries are taken on a full disk", func() bool { return deliver() == 503 })
			if code, body, err := fetch(w.web + "/readyz"); code != 503 || err != nil {
				t.Errorf("while no delivery is taken /readyz is %d %s (%v)", code, body, err)
			}
			if err := os.RemoveAll(filler); err != nil {
				t.Fatal(err)
			}
			freed := time.Now()
			w.await(t, "deliveries are not taken again", func() bool { return deliver() == 200 })
			if took := time.Since(freed); took > comesBack {
				t.Errorf("deliveries were taken again after %s", took)
			}
			if code, body, err := fetch(w.web + "/readyz"); code != 200 || err != nil {
				t.Errorf("when deliveries are taken /readyz is %d %s (%v)", code, body, err)
			}
			w.caughtUp(t)
			for _, n := range answered {
				if code, _, err := fetch(fmt.Sprintf("%s/api/v1/orders/digicert/%d", w.web, n)); code != 200 || err != nil {
					t.Errorf("order %d was answered and is not there: %d, %v", n, code, err)
				}
			}
			if strings.Contains(w.log.String(), "is gone from the log") {
				t.Error(w.log.String())
			}
			if err := w.stop(); err != nil {
				t.Error(err)
			}
		})
	}
}

// fillRoom takes all of the disk's room.
func fillRoom(dir string) error {
	f, err := os.Create(filepath.Join(dir, "large"))
	if err != nil {
		return err
	}
	defer f.Close()
	for chunk := make([]byte, 1<<20); len(chunk) > 0; {
		n, err := f.Write(chunk)
		if errors.Is(err, syscall.ENOSPC) {
			chunk = chunk[:(len(chunk)-n)/2]
		} else if err != nil {
			return err
		}
	}
	return nil
}

// fillInodes takes all of the disk's inodes.
func fillInodes(dir string) error {
	for n := 0; ; n++ {
		f, err := os.Create(filepath.Join(dir, fmt.Sprint(n)))
		if errors.Is(err, syscall.ENOSPC) {
			return nil
		}
		if err != nil {
			return err
		}
		f.Close()
	}
}

// largeDelivery fills a block with some forty of its kind.
func largeDelivery(order int) *provider.Delivery {
	d := issuedDelivery(order)
	d.Body = fmt.Appendf(nil, `{"event":"certificate_issued","data":{"order_id":%d,"note":%q}}`, order, strings.Repeat("x", 200_000))
	return d
}

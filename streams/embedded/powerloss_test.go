package embedded

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/streams"
	"github.com/certtrail/certtrail/streams/streamstest"
)

// crashDir tells the test binary to be the process that loses its power: it appends below that directory until it is
// killed.
const crashDir = "CERTTRAIL_TEST_CRASH_DIR"

func TestMain(m *testing.M) {
	if dir := os.Getenv(crashDir); dir != "" {
		appendUntilKilled(dir, os.Getenv(crashDir+"_UNSYNCED") != "")
	}
	os.Exit(m.Run())
}

// appendUntilKilled appends from many callers and prints the id of each event once it was answered.
func appendUntilKilled(dir string, unsynced bool) {
	d := &disk{root: filepath.Join(dir, "live"), staged: filepath.Join(dir, "staged"), kept: filepath.Join(dir, "kept"), named: map[string]bool{}}
	l, err := Open(context.Background(), Options{Dir: filepath.Join(d.root, "nats"), Sync: d.sync, MaxBytes: 1 << 30})
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	if unsynced { // as if the line of COMMIT A were not there
		l.commits.files.off = true
	}
	var mu sync.Mutex
	for c := range 32 {
		go func() {
			for n := 0; ; n++ {
				e := streamstest.Event(c<<20 + n)
				e.Data.Reason = strings.Repeat("x", 4000) // a new block every two thousand events
				if _, err := l.Append(context.Background(), e); err != nil {
					fmt.Fprintln(os.Stderr, err)
					os.Exit(1)
				}
				mu.Lock()
				fmt.Println(e.ID)
				mu.Unlock()
			}
		}()
	}
	appendBulk(l, &mu)
}

// appendBulk does the same with many events at once. Every third time one of them fails: those before it can be read
// then, and so are as good as answered.
func appendBulk(l *Log, mu *sync.Mutex) {
	tooLarge := make([]byte, streams.MaxMessage+1)
	for n := 0; ; n++ {
		var list []streams.Raw
		for i := range 300 {
			e := streamstest.Event(1<<30 + n<<10 + i)
			e.Data.Reason = strings.Repeat("y", 4000)
			data, err := e.Encode()
			if err != nil {
				panic(err)
			}
			list = append(list, streams.Raw{ID: e.ID, Subject: e.NATSSubject(), Data: data})
		}
		failing := n%3 == 2
		if failing {
			list[200].Data = tooLarge
		}
		if _, err := l.AppendAll(context.Background(), list); (err != nil) != failing {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		if failing {
			list = list[:200]
		}
		mu.Lock()
		for i := range list {
			fmt.Println(list[i].ID)
		}
		mu.Unlock()
	}
}

// disk keeps what a power cut would leave: of a file what was in it when its sync began, and of a directory the names
// that it had when its own did.
type disk struct {
	mu                 sync.Mutex
	root, staged, kept string
	named              map[string]bool // files whose names are durable
}

func (d *disk) sync(f *os.File) error {
	info, err := f.Stat()
	if err != nil {
		return err
	}
	if err := fdatasync(f); err != nil {
		return err
	}
	d.mu.Lock()
	defer d.mu.Unlock()
	path, err := filepath.Rel(d.root, f.Name())
	if err != nil || strings.HasPrefix(path, "..") {
		return err
	}
	if info.IsDir() {
		return d.keepNames(f.Name(), path)
	}
	staged := filepath.Join(d.staged, path)
	if err := copyFile(staged, f.Name(), info.Size()); err != nil {
		return err
	}
	if d.named[path] {
		return replaceFile(filepath.Join(d.kept, path), staged)
	}
	return nil
}

func (d *disk) keepNames(dir, path string) error {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Join(d.kept, path), 0o700); err != nil {
		return err
	}
	for _, e := range entries {
		d.named[filepath.Join(path, e.Name())] = true
		staged := filepath.Join(d.staged, path, e.Name())
		if info, err := os.Stat(staged); err == nil && info.Mode().IsRegular() {
			if err := replaceFile(filepath.Join(d.kept, path, e.Name()), staged); err != nil {
				return err
			}
		}
	}
	return nil
}

// replaceFile exchanges a file whole, so that a kill between two syncs leaves one of them.
func replaceFile(to, from string) error {
	info, err := os.Stat(from)
	if err != nil {
		return err
	}
	if err := copyFile(to+".next", from, info.Size()); err != nil {
		return err
	}
	return os.Rename(to+".next", to)
}

func copyFile(to, from string, size int64) error {
	if err := os.MkdirAll(filepath.Dir(to), 0o700); err != nil {
		return err
	}
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	out, err := os.Create(to)
	if err != nil {
		return err
	}
	defer out.Close()
	_, err = io.CopyN(out, in, size)
	return err
}

// TestPowerLoss kills a process that appends, puts back only what its syncs had made durable, and looks for every event
// that it had answered.
func TestPowerLoss(t *testing.T) {
	for run := range 3 {
		answered, kept := crash(t, 1500+1000*run, false)
		if lost := without(t, answered, kept); lost > 0 {
			t.Errorf("%d of %d answered events are lost", lost, len(answered))
		}
	}
}

// TestPowerLossIsSeen takes the sync out and sees that the test above would fail.
func TestPowerLossIsSeen(t *testing.T) {
	answered, kept := crash(t, 1500, true)
	if lost := without(t, answered, kept); lost == 0 {
		t.Error("without any sync nothing is lost: the power loss is not one")
	}
}

// crash runs the process until it has answered that many events, kills it, and returns their ids and the directory that
// is left.
func crash(t *testing.T, events int, unsynced bool) (answered []string, kept string) {
	t.Helper()
	dir := t.TempDir()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.Command(self)
	cmd.Env = append(os.Environ(), crashDir+"="+dir)
	if unsynced {
		cmd.Env = append(cmd.Env, crashDir+"_UNSYNCED=1")
	}
	cmd.Stderr = os.Stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	overdue := time.AfterFunc(2*time.Minute, func() { cmd.Process.Kill() })
	defer overdue.Stop()
	killed := false
	lines := bufio.NewScanner(out)
	for lines.Scan() {
		if id := lines.Text(); len(id) == 36 { // the last line may be cut off
			answered = append(answered, id)
		}
		if len(answered) >= events && !killed {
			killed = true
			cmd.Process.Kill()
		}
	}
	cmd.Wait()
	if len(answered) < events {
		t.Fatalf("the process ended by itself after %d events", len(answered))
	}
	return answered, filepath.Join(dir, "kept", "nats")
}

// without counts the ids that the log in dir does not have.
func without(t *testing.T, ids []string, dir string) (lost int) {
	t.Helper()
	l := openLog(t, Options{Dir: dir, MaxBytes: 1 << 30})
	defer l.Close()
	found := map[string]bool{}
	if last, _ := l.Last(context.Background()); last > 0 {
		for _, r := range streamstest.Read(t, l, 0, last) {
			e, err := schema.Decode(r.Data)
			if err != nil {
				t.Fatal(err)
			}
			found[e.ID] = true
		}
	}
	for _, id := range ids {
		if !found[id] {
			lost++
		}
	}
	return lost
}

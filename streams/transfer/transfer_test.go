package transfer

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/streams"
	"github.com/certtrail/certtrail/streams/embedded"
	"github.com/certtrail/certtrail/streams/streamstest"
)

func openLog(t *testing.T, dir string) *embedded.Log {
	t.Helper()
	l, err := embedded.Open(t.Context(), embedded.Options{Dir: dir})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(l.Close)
	return l
}

// logSource makes backups of a log of its own.
type logSource struct {
	log      *embedded.Log
	settings []byte // nil: there are none
	changed  bool   // it says that the log holds something else than the copy
}

func (s *logSource) Snapshot(ctx context.Context, w io.Writer) error { return s.log.Snapshot(ctx, w) }

func (s *logSource) Settings(context.Context) ([]byte, bool, error) {
	return s.settings, s.settings != nil, nil
}

func (s *logSource) Summary(ctx context.Context, copied Summary) (Summary, error) {
	live, err := Summarize(ctx, s.log, copied.LastSeq, nil)
	if s.changed {
		live.Digest = strings.Repeat("0", 64)
	}
	return live, err
}

func restore(ctx context.Context, dir string, snapshot io.Reader) (s Summary, err error) {
	err = embedded.Restore(ctx, embedded.Options{Dir: dir}, snapshot, func(l *streams.Log, last uint64) (err error) {
		s, err = Summarize(ctx, l, last, nil)
		return err
	})
	return s, err
}

// exported returns the export of a log.
func exported(t *testing.T, l *embedded.Log) (*Export, []byte) {
	t.Helper()
	var b bytes.Buffer
	x := NewExport(&b)
	last, err := l.Last(t.Context())
	if err != nil {
		t.Fatal(err)
	}
	err = l.Read(t.Context(), 0, last, func(records []schema.Record) error {
		for i := range records {
			if err := x.Add(records[i].Seq, records[i].Data); err != nil {
				return err
			}
		}
		return nil
	})
	if err := errors.Join(err, x.End(last)); err != nil {
		t.Fatal(err)
	}
	return x, b.Bytes()
}

// TestAnExportIsImported exports a log with a gap and imports it into another one, twice: each event is in it once,
// with the mark of an import.
func TestAnExportIsImported(t *testing.T) {
	dir := t.TempDir()
	l := openLog(t, dir)
	streamstest.Append(t, l, 30)
	l.Close()
	streamstest.Damage(t, dir, `"order_id":"7"`, `"order_id":"29"`)
	x, lines := exported(t, openLog(t, dir))
	if gaps := x.Gaps(); x.Events() != 28 || len(gaps) != 2 || gaps[0] != (schema.Gap{First: 8, Last: 8}) || gaps[1] != (schema.Gap{First: 30, Last: 30}) {
		t.Fatalf("%d events were exported, without %v", x.Events(), x.Gaps())
	}
	other := openLog(t, t.TempDir())
	for _, want := range []Imported{{Appended: 28}, {Known: 28}} {
		i := &Import{Log: other, Name: "a file", Interrupt: func() {}, Progress: func(Imported) {}}
		if n, err := i.Run(t.Context(), bytes.NewReader(lines), time.Now()); n != want || err != nil {
			t.Errorf("imported %v, %v; want %v", n, err, want)
		}
	}
	for _, r := range streamstest.Read(t, other, 0, 28) {
		if e, err := schema.Decode(r.Data); err != nil || e.Imported == "" {
			t.Errorf("event %d has no mark of an import, %v", r.Seq, err)
		}
	}
}

// TestABackupIsRestored makes a backup and installs what is restored from it: the log holds the same, and the settings
// are the same file.
func TestABackupIsRestored(t *testing.T) {
	l := openLog(t, t.TempDir())
	streamstest.Append(t, l, 30)
	dir, data := filepath.Join(t.TempDir(), "some", "backup"), t.TempDir()
	made, err := Backup(t.Context(), dir, "v1", &logSource{log: l, settings: []byte("web-listen: x\n")}, restore)
	if err != nil || made.Stream.Events != 30 || made.Version != "v1" {
		t.Fatal(made, err)
	}
	if err := CheckEmpty(dir); err == nil || !strings.Contains(err.Error(), "holds a backup already") {
		t.Error(err)
	}
	m, err := ReadManifest(dir, "v1")
	if err != nil || !m.Stream.Equal(made.Stream) || !m.HasSettings() {
		t.Fatal(m, err)
	}
	snapshot, err := OpenSnapshot(dir)
	if err != nil {
		t.Fatal(err)
	}
	defer snapshot.Close()
	prepared, err := Prepare(t.Context(), data, snapshot, m.Stream, restore)
	if err != nil {
		t.Fatal(err)
	}
	cleared := false
	if err := Install(prepared, filepath.Join(data, "nats"), func() error { cleared = true; return nil }); err != nil || !cleared {
		t.Fatal(cleared, err)
	}
	if entries, err := os.ReadDir(data); err != nil || len(entries) != 1 {
		t.Errorf("%v are in the data directory, %v", entries, err)
	}
	again, err := Summarize(t.Context(), openLog(t, filepath.Join(data, "nats")), 30, nil)
	if err != nil || !again.Equal(made.Stream) {
		t.Errorf("the restored log has %+v, %v", again, err)
	}
	settings := filepath.Join(data, "certtrail.yaml")
	if err := m.RestoreSettings(dir, settings); err != nil {
		t.Fatal(err)
	}
	if b, err := os.ReadFile(settings); string(b) != "web-listen: x\n" || err != nil {
		t.Errorf("the settings are %q, %v", b, err)
	}
}

// TestAWrongCopyIsNoBackup has the log hold something else than its copy, and a restored log something else than the
// manifest says: nothing is left.
func TestAWrongCopyIsNoBackup(t *testing.T) {
	l := openLog(t, t.TempDir())
	streamstest.Append(t, l, 3)
	parent := t.TempDir()
	_, err := Backup(t.Context(), filepath.Join(parent, "backup"), "v1", &logSource{log: l, changed: true}, restore)
	if err == nil || !strings.Contains(err.Error(), "the copy is not what the log holds up to event 3") {
		t.Error(err)
	}
	var snapshot bytes.Buffer
	if err := l.Snapshot(t.Context(), &snapshot); err != nil {
		t.Fatal(err)
	}
	_, err = Prepare(t.Context(), parent, &snapshot, Summary{Events: 1_234, LastSeq: 1_234}, restore)
	if err == nil || !strings.Contains(err.Error(), "the restored log has 3 events up to number 3") || !strings.Contains(err.Error(), "1,234 events") {
		t.Error(err)
	}
	refused := errors.New("it is in use")
	if err := Install(filepath.Join(parent, "x", "nats"), filepath.Join(parent, "nats"), func() error { return refused }); !errors.Is(err, refused) {
		t.Error(err)
	}
	if entries, err := os.ReadDir(parent); len(entries) != 0 || err != nil {
		t.Errorf("%v are left, %v", entries, err)
	}
}

// TestADamagedBackupIsRefused damages each file of a backup, and its manifest in each way that tells of another one.
func TestADamagedBackupIsRefused(t *testing.T) {
	l := openLog(t, t.TempDir())
	streamstest.Append(t, l, 3)
	dir := filepath.Join(t.TempDir(), "backup")
	if _, err := Backup(t.Context(), dir, "v1", &logSource{log: l, settings: []byte("x: y\n")}, restore); err != nil {
		t.Fatal(err)
	}
	manifest := filepath.Join(dir, manifestName)
	for _, c := range []struct{ path, old, new, want string }{
		{SettingsPath(dir), "x: y", "x: z", "certtrail.yaml has 5 bytes"},
		{filepath.Join(dir, snapshotName), "", "more", "the backup " + dir + " is damaged: stream.snapshot has"},
		{manifest, `"format": 1`, `"format": 2`, "has the format 2, of certtrail v1; this certtrail (v9) reads the format 1"},
		{manifest, `"stream.snapshot"`, `"other.snapshot"`, "names no stream.snapshot"},
		{manifest, `"certtrail.yaml"`, `"../certtrail.yaml"`, "names a file outside of it"},
		{manifest, `"certtrail.yaml"`, `"absent.yaml"`, "is not complete"},
		{manifest, `{`, `{{`, "is damaged"},
	} {
		sound, err := os.ReadFile(c.path)
		if err != nil {
			t.Fatal(err)
		}
		writeText(t, c.path, strings.Replace(string(sound), c.old, c.new, 1))
		if _, err := ReadManifest(dir, "v9"); err == nil || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s for %s: %v, want %s", c.new, c.old, err, c.want)
		}
		writeText(t, c.path, string(sound))
	}
	if _, err := ReadManifest(dir, "v9"); err != nil {
		t.Error(err)
	}
	if _, err := ReadManifest(t.TempDir(), "v9"); err == nil || !strings.Contains(err.Error(), "is not a backup") {
		t.Error(err)
	}
}

// TestCheckEmpty allows what is not there and what is empty, and no file.
func TestCheckEmpty(t *testing.T) {
	dir := t.TempDir()
	for _, path := range []string{dir, filepath.Join(dir, "none")} {
		if err := CheckEmpty(path); err != nil {
			t.Error(err)
		}
	}
	writeText(t, filepath.Join(dir, "a"), "")
	if err := CheckEmpty(dir); err == nil || !strings.Contains(err.Error(), "holds something already") {
		t.Error(err)
	}
	if err := CheckEmpty(filepath.Join(dir, "a")); err == nil {
		t.Error("a file is an empty directory")
	}
}

// TestImportSaysWhichLine ends at the first line that is none, after those before it are in the log.
func TestImportSaysWhichLine(t *testing.T) {
	l := openLog(t, t.TempDir())
	sound := string(bytes.Join(smallEvents(2), []byte("\n"))) + "\n"
	for line, want := range map[string]string{
		"rubbish":              "line 3 of a file is not a CloudEvent",
		`{"specversion":"1.0"`: "line 3 of a file is cut off",
		`{"specversion":"0.3","id":"x","type":"certtrail.order.issued.v1","data":{}}`: "line 3 of a file is not an event of certtrail",
		strings.Repeat("x", maxLine+checksumSize+1):                                   "line 3 of a file is longer than the ",
	} {
		i := &Import{Log: l, Name: "a file", Interrupt: func() {}, Progress: func(Imported) {}}
		n, err := i.Run(t.Context(), strings.NewReader(sound+line+"\n"), time.Now())
		if err == nil || !strings.Contains(err.Error(), want) || !strings.Contains(err.Error(), "the 2 events before it were imported") || n.Appended+n.Known != 2 {
			t.Errorf("%.40s: %v, %v; want %s", line, n, err, want)
		}
	}
}

func TestCommas(t *testing.T) {
	for n, want := range map[uint64]string{0: "0 events", 1: "1 event", 999: "999 events", 1000: "1,000 events", 1_234_567: "1,234,567 events", 10_000_070: "10,000,070 events"} {
		if got := count(n, "event"); got != want {
			t.Errorf("%d is written %q, want %q", n, got, want)
		}
	}
}

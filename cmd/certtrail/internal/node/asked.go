package node

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"log/slog"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// askedName is the file in the data directory that says until when what was asked for. It is no truth: without it, the next reconcile is a first one.
const askedName = "asked.json"

// askedState is that file. Its methods may be called at once from many goroutines.
type askedState struct {
	path string

	mu    sync.Mutex
	state struct {
		Reconciled map[string]time.Time `json:"reconciled"`     // when each source was last asked what was missed
		Clock      time.Time            `json:"clock,omitzero"` // until when notices of the clock were told
	}
}

// readAsked reads the file. One that cannot be read, as a power cut may leave it, is as good as none.
func readAsked(dataDir string, logger *slog.Logger) *askedState {
	s := &askedState{path: filepath.Join(dataDir, askedName)}
	b, err := os.ReadFile(s.path)
	if err == nil {
		err = json.Unmarshal(b, &s.state)
	}
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		logger.Warn("what was asked until when is not known, so the next reconcile is a first one", "file", s.path, "error", err)
		s.state.Reconciled, s.state.Clock = nil, time.Time{}
	}
	if s.state.Reconciled == nil {
		s.state.Reconciled = map[string]time.Time{}
	}
	return s
}

// reconciled is when the source was last reconciled; zero if it never was.
func (s *askedState) reconciled(source string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.Reconciled[source]
}

func (s *askedState) setReconciled(source string, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Reconciled[source] = at.UTC()
	return s.write()
}

func (s *askedState) clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.Clock
}

func (s *askedState) setClock(at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Clock = at.UTC()
	return s.write()
}

// write puts the new file in the place of the old one.
func (s *askedState) write() error {
	b, err := json.Marshal(s.state)
	if err == nil {
		err = os.WriteFile(s.path+".new", append(b, '\n'), 0o600)
	}
	if err == nil {
		err = os.Rename(s.path+".new", s.path)
	}
	if err != nil {
		return fmt.Errorf("couldn't write %s: %w", s.path, err)
	}
	return nil
}

// forgetAsked removes the file, for a log that is not the one it tells of.
func forgetAsked(dataDir string) error {
	err := os.Remove(filepath.Join(dataDir, askedName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

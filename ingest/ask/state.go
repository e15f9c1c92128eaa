package ask

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

	"github.com/certtrail/certtrail/schema/durable"
)

// stateName names the file in the data directory that says until when what was asked for. It is no truth: without it,
// the next reconcile is a first one.
const stateName = "asked.json"

// State keeps until when what was asked for, in a file. Its methods may be called at once from many goroutines.
type State struct {
	path string

	mu    sync.Mutex
	state struct {
		Reconciled map[string]time.Time `json:"reconciled"`     // when each source was last asked what was missed
		Clock      time.Time            `json:"clock,omitzero"` // until when notices of the clock were told
	}
}

// ReadState reads the file in the data directory. One that cannot be read, as a power cut may leave it, is as good as
// none.
func ReadState(dataDir string, logger *slog.Logger) *State {
	s := &State{path: filepath.Join(dataDir, stateName)}
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

// Reconciled tells when the source was last reconciled; zero if it never was.
func (s *State) Reconciled(source string) time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.Reconciled[source]
}

// SetReconciled notes that the source was reconciled at at.
func (s *State) SetReconciled(source string, at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Reconciled[source] = at.UTC()
	return s.write()
}

// Clock tells until when notices of the clock were told; zero if none ever was.
func (s *State) Clock() time.Time {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.state.Clock
}

// SetClock notes that they were told until at.
func (s *State) SetClock(at time.Time) error {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.state.Clock = at.UTC()
	return s.write()
}

func (s *State) write() error {
	b, err := json.Marshal(s.state)
	if err == nil {
		err = durable.WriteFile(s.path, append(b, '\n'), 0o600)
	}
	if err != nil {
		return fmt.Errorf("couldn't write %s: %w", s.path, err)
	}
	return nil
}

// ForgetState removes the file, for another log than its own.
func ForgetState(dataDir string) error {
	err := os.Remove(filepath.Join(dataDir, stateName))
	if errors.Is(err, fs.ErrNotExist) {
		return nil
	}
	return err
}

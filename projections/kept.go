package projections

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/schema/durable"
)

// keptSuffix ends the name of read models that know more than the log, and are kept until somebody has settled what the
// log lost.
const keptSuffix = ".kept"

// keptMost bounds how many are kept: the first, which know what was lost first.
const keptMost = 3

// unsettled reports whether the log lost events that nobody has settled yet.
func (s *Store) unsettled() bool { return s.o.Unsettled != nil && s.o.Unsettled() }

// Settle removes the read models that were kept because they know more than the log. Whoever calls it has settled what
// the log lost.
func (s *Store) Settle(context.Context) error {
	s.keeping.Lock()
	defer s.keeping.Unlock()
	kept, err := keptIn(s.o.Dir)
	for _, path := range kept {
		for _, suffix := range besides {
			if e := os.Remove(path + suffix); e != nil && !errors.Is(e, os.ErrNotExist) {
				err = errors.Join(err, e)
			}
		}
		s.logger.Info("read models that were kept are removed", "file", path)
	}
	return err
}

// keptIn lists the read models in the directory that are kept.
func keptIn(dir string) ([]string, error) {
	entries, err := os.ReadDir(dir)
	if err != nil && !errors.Is(err, os.ErrNotExist) { // whoever builds the next ones makes the directory
		return nil, fmt.Errorf("couldn't look for read models that are kept: %w", err)
	}
	var kept []string
	for _, e := range entries {
		if name, is := strings.CutSuffix(e.Name(), keptSuffix); is {
			if _, is := parseGeneration(name); is {
				kept = append(kept, filepath.Join(dir, e.Name()))
			}
		}
	}
	return kept, nil
}

// keep sets the database at path aside, which nobody reads or writes any more, or removes it where nothing must be kept
// of it.
func (s *Store) keep(path string) {
	s.keeping.Lock()
	defer s.keeping.Unlock()
	if !s.unsettled() {
		removeDatabase(path)
		return
	}
	kept, err := keptIn(s.o.Dir)
	if len(kept) >= keptMost {
		removeDatabase(path)
		s.logger.Warn("read models that know more than the log are removed, because others are kept that knew it before", "file", path, "kept", kept)
		return
	}
	err = errors.Join(err, standAlone(path, ""))
	for _, suffix := range besides { // where it cannot be made one file all of it is kept
		if e := os.Rename(path+suffix, path+keptSuffix+suffix); e != nil && (suffix == "" || !errors.Is(e, os.ErrNotExist)) {
			err = errors.Join(err, e)
		}
	}
	err = errors.Join(err, durable.SyncDir(s.o.Dir))
	s.logger.Warn("read models that know more than the log are kept until it is settled what the log lost; look at them with certtrail serve --read-only --db",
		"file", path+keptSuffix)
	if err != nil {
		s.logger.Error("read models that know more than the log could not be kept as they should", "file", path, "error", err)
	}
}

// sortOut removes what an earlier process left in the directory, but for the generation named keep, and keeps what
// knows more than the log.
func (s *Store) sortOut(keep string) error {
	if !s.unsettled() {
		return errors.Join(s.Settle(context.Background()), removeOthers(s.o.Dir, keep))
	}
	entries, err := os.ReadDir(s.o.Dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		path := filepath.Join(s.o.Dir, e.Name())
		if _, is := parseGeneration(e.Name()); is && e.Name() != keep && s.knowsMore(path, filepath.Join(s.o.Dir, keep)) {
			s.keep(path)
		}
	}
	return removeOthers(s.o.Dir, keep)
}

// knowsMore reports whether the database at path holds events that the log lacks, or that those in use lack, as far as
// it can be read.
func (s *Store) knowsMore(path, inUse string) bool {
	ctx := context.Background()
	f, err := openFile(path)
	if err != nil {
		return false
	}
	defer f.readers.Close()
	h, err := readHolding(ctx, f.readers)
	if err != nil {
		return false
	}
	var eventID string
	if err := f.readers.QueryRowContext(ctx, "SELECT event_id FROM cursor").Scan(&eventID); err != nil {
		return false
	}
	if errors.Is(s.checkCursor(ctx, h.seq, eventID), schema.ErrPastEnd) || s.holdsLost(h) {
		return true
	}
	next, err := holdingOf(ctx, inUse)
	return err == nil && next.seq >= h.seq && len(h.gone(next)) > 0
}

// holdsLost reports whether h has events of which the log says that it lost them, and nobody has accepted that.
func (s *Store) holdsLost(h holding) bool {
	if s.o.Gaps == nil {
		return false
	}
	gone, accepted := s.o.Gaps()
	return len(h.lacking(gone.Without(accepted))) > 0
}

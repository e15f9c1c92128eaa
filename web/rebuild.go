package web

import (
	"context"
	"fmt"
	"math"
	"strconv"
	"time"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/words"
)

// The limits of what a client is told to wait, in seconds.
const (
	defaultRetry = 5
	maxRetry     = 30
)

// progress shows how far a rebuild is.
type progress struct {
	Reason   string
	Known    bool   // how far it is; else it has only begun
	Value    string // percent, for <progress>
	Percent  string
	Seq      uint64
	Target   uint64
	Speed    string // events a second; "" where there is none yet
	Left     string // "about 12 s left"; ""
	Replaces bool   // the old read models are read meanwhile
}

func progressOf(st *projections.Status) *progress {
	p := &progress{Replaces: st.State == projections.StateLive || st.State == projections.StateCatchingUp}
	r := st.Rebuild
	if r == nil {
		return p
	}
	percent := min(max(r.Percent, 0), 100)
	p.Reason, p.Known, p.Seq, p.Target = r.Reason, true, r.Seq, r.TargetSeq
	p.Value, p.Percent = strconv.FormatFloat(percent, 'f', 1, 64), strconv.Itoa(int(percent))+" %" // 100 only when it is done
	if r.EventsPerSecond >= 1 {
		p.Speed = words.Number(uint64(r.EventsPerSecond))
	}
	if r.SecondsLeft > 0 {
		p.Left = "about " + secondsText(r.SecondsLeft) + " left"
	}
	return p
}

// secondsText returns "12 s", "3 min", "2 h".
func secondsText(seconds float64) string {
	seconds = math.Ceil(seconds)
	if seconds < 100 {
		return strconv.Itoa(int(seconds)) + " s"
	}
	return words.Duration(time.Duration(seconds) * time.Second)
}

// rebuilding returns the progress of the rebuild that is running or, where the read models cannot be read, has to; nil
// when there is none.
func rebuilding(status []projections.Status) *progress {
	for i := range status {
		if status[i].Rebuild != nil || status[i].State == projections.StateRebuilding {
			return progressOf(&status[i])
		}
	}
	return nil
}

// rebuild returns what to tell those who have to wait for the read models: a sentence, after how many seconds to come
// again, and the progress.
func (s *Server) rebuild(ctx context.Context) (detail string, retry int, p *progress) {
	detail, retry = words.Sentence(projections.ErrRebuilding.Error()), defaultRetry
	status, _, err := s.Store.Status(ctx)
	if err != nil {
		return detail, retry, &progress{}
	}
	if p = rebuilding(status); p == nil {
		return detail, retry, &progress{}
	}
	if p.Known {
		detail = fmt.Sprintf("%s: %s done", projections.ErrRebuilding, p.Percent)
		if p.Left != "" {
			detail += ", " + p.Left
		}
		detail = words.Sentence(detail)
	}
	for i := range status {
		if r := status[i].Rebuild; r != nil && r.SecondsLeft > 0 {
			retry = int(min(max(math.Ceil(r.SecondsLeft), 1), maxRetry))
		}
	}
	return detail, retry, p
}

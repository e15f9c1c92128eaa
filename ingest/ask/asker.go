package ask

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"sync"
	"time"

	"github.com/certtrail/certtrail/ingest/provider"
	"github.com/certtrail/certtrail/schema"
)

// Limits of an Asker.
const (
	appendWait = time.Minute      // for the log to take an answer
	restUnsure = 30 * time.Second // after an API came to nothing that does not say until when
	restMost   = time.Hour        // the longest rest, whatever an API asks for
	maxTries   = 6                // of a question that the API refuses
	maxAsked   = 10_000           // questions that are remembered
	firstDelay = time.Minute      // before a refused question is asked again; each next one takes four times as long
)

// Log takes answers. Its methods may be called at once from many goroutines.
type Log interface {
	Append(ctx context.Context, e *schema.Event) (seq uint64, err error)
	Last(ctx context.Context) (seq uint64, err error)
}

// Queue gives the events of one source, each until it is done. One goroutine asks it.
type Queue interface {
	Next(ctx context.Context) (schema.Task, error)
}

// Asker asks the API of one source what follows from its events, and appends the answers. What the API does costs nobody else anything: it has one goroutine
// of its own, and an event is asked about again until there is an answer, or the API has refused it maxTries times.
type Asker struct {
	Source  string
	Client  any // that Answers
	Secrets []string
	Queue   Queue
	Log     Log

	// Known tells whether what q asks for is known well as of the event seq. An error stands for no.
	Known  func(ctx context.Context, q Question, seq uint64) (bool, error)
	NewID  func() (string, error) // a UUIDv7
	Now    func() time.Time
	Wait   func(ctx context.Context, d time.Duration) error
	Logger *slog.Logger

	asked map[Question]uint64 // how long the log was when each was asked last; only Run uses it

	mu       sync.Mutex
	trouble  string
	answered uint64
}

// Trouble is why the last question has no answer yet, a sentence; "" if it has one.
func (a *Asker) Trouble() string {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.trouble
}

// Answered is how many answers were appended.
func (a *Asker) Answered() uint64 {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.answered
}

// Run asks until ctx ends.
func (a *Asker) Run(ctx context.Context) {
	a.asked = map[Question]uint64{}
	for ctx.Err() == nil {
		task, err := a.Queue.Next(ctx)
		if err == nil {
			err = a.see(ctx, task)
		}
		if err != nil && ctx.Err() == nil {
			a.Logger.Error("asking about events is tried again", "source", a.Source, "error", err)
			_ = a.Wait(ctx, restUnsure) // the loop ends by itself when ctx does
		}
	}
}

// see sees to one event.
func (a *Asker) see(ctx context.Context, task schema.Task) error {
	e, err := schema.Decode(task.Data)
	if err != nil {
		return task.Done() // the read models quarantine it
	}
	q, ok := Next(e)
	if !ok || a.asked[q] >= task.Seq {
		return task.Done()
	}
	if known, err := a.Known(ctx, q, task.Seq); err == nil && known {
		return task.Done()
	}
	last, err := a.Log.Last(ctx)
	if err != nil {
		return err
	}
	answer, able, err := q.Ask(ctx, a.Client)
	if err != nil {
		return a.failed(ctx, task, q, err)
	}
	if able && answer.Kind != "" {
		if err := a.append(ctx, answer); err != nil {
			return errors.Join(err, task.Later(restUnsure))
		}
	}
	a.note("", able && answer.Kind != "")
	if len(a.asked) >= maxAsked {
		clear(a.asked)
	}
	// COMMIT. The answer is durable; a crash before the task is done asks once more, and what is known by then is not asked.
	a.asked[q] = last
	return task.Done()
}

func (a *Asker) append(ctx context.Context, answer provider.Answer) error {
	id, err := a.NewID()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), appendWait)
	defer cancel()
	_, err = a.Log.Append(ctx, Event(id, a.Source, a.Now(), answer, a.Secrets))
	return err
}

// failed puts the task off. While the API is away nothing else is asked either; what it refuses is asked again later, for it may not know it yet.
func (a *Asker) failed(ctx context.Context, task schema.Task, q Question, err error) error {
	if ctx.Err() != nil {
		return task.Later(0)
	}
	a.note(err.Error(), false)
	var away *Unavailable
	if errors.As(err, &away) {
		rest := restUnsure
		if !away.Until.IsZero() {
			rest = min(max(away.Until.Sub(a.Now()), time.Second), restMost)
		}
		a.Logger.Warn("an API is away and is asked again", "source", a.Source, "after", rest, "error", err)
		if err := task.Later(rest); err != nil {
			return err
		}
		_ = a.Wait(ctx, rest) // whose end is Run's too
		return nil
	}
	if task.Try >= maxTries {
		a.Logger.Error("a question stays without an answer: a reconcile may find it", "source", a.Source, "question", q.String(), "error", err)
		return task.Done()
	}
	delay := firstDelay << (2 * (task.Try - 1))
	a.Logger.Warn("a question was refused and is asked again", "source", a.Source, "question", q.String(), "after", delay, "error", err)
	return task.Later(delay)
}

func (a *Asker) note(trouble string, answered bool) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.trouble = trouble
	if answered {
		a.answered++
	}
}

// String is the question for people.
func (q Question) String() string {
	if q.What == Collect && q.CertificateID != "" {
		return fmt.Sprintf("%s certificate %s of order %s", q.What, q.CertificateID, q.OrderID)
	}
	if q.What == ListDS {
		return "list the DS records of website " + q.WebsiteID
	}
	return fmt.Sprintf("%s order %s", q.What, q.OrderID)
}

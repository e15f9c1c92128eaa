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

// Limits of a follower.
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

// follower follows the events of one source: it asks the API what comes of each, and appends the answers. What the API
// does costs nobody else anything: it has one goroutine of its own, and an event is asked about again until there is an
// answer, or the API has refused it maxTries times.
type follower struct {
	source Source // whose client Answers
	queue  Queue
	log    Log

	// known tells whether what q asks for is known well as of the event seq. An error stands for no.
	known  func(ctx context.Context, q Question, seq uint64) (bool, error)
	newID  func() (string, error) // a UUIDv7
	now    func() time.Time
	wait   func(ctx context.Context, d time.Duration) error
	logger *slog.Logger

	questions map[Question]uint64 // how long the log was when each was asked last; only run uses it

	mu       sync.Mutex
	trouble  string
	answered uint64
}

// status returns why the last question has no answer yet, a sentence ("" if it has one), and how many answers were
// appended.
func (f *follower) status() (trouble string, answered uint64) {
	f.mu.Lock()
	defer f.mu.Unlock()
	return f.trouble, f.answered
}

// run asks until ctx ends.
func (f *follower) run(ctx context.Context) {
	f.questions = map[Question]uint64{}
	for ctx.Err() == nil {
		task, err := f.queue.Next(ctx)
		if err == nil {
			err = f.see(ctx, task)
		}
		if err != nil && ctx.Err() == nil {
			f.logger.Error("asking about events is tried again", "source", f.source.Name, "error", err)
			_ = f.wait(ctx, restUnsure) // the loop ends by itself when ctx does
		}
	}
}

// see sees to one event.
func (f *follower) see(ctx context.Context, task schema.Task) error {
	e, err := schema.Decode(task.Data)
	if err != nil {
		return task.Done() // the read models quarantine it
	}
	q, ok := Next(e)
	if !ok || f.questions[q] >= task.Seq {
		return task.Done()
	}
	if known, err := f.known(ctx, q, task.Seq); err == nil && known {
		return task.Done()
	}
	last, err := f.log.Last(ctx)
	if err != nil {
		return err
	}
	answer, able, err := q.Ask(ctx, f.source.Client)
	if err != nil {
		return f.putOff(ctx, task, q, err)
	}
	if able && answer.Kind != "" {
		if err := f.append(ctx, answer); err != nil {
			return errors.Join(err, task.Later(restUnsure))
		}
	}
	f.note("", able && answer.Kind != "")
	if len(f.questions) >= maxAsked {
		clear(f.questions)
	}
	// COMMIT. The answer is durable; a crash before the task is done asks once more, and what is known by then is not
	// asked.
	f.questions[q] = last
	return task.Done()
}

func (f *follower) append(ctx context.Context, answer provider.Answer) error {
	id, err := f.newID()
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), appendWait)
	defer cancel()
	_, err = f.log.Append(ctx, Event(id, f.source.Name, f.now(), answer, f.source.Secrets))
	return err
}

// putOff puts the task off. While the API is away nothing else is asked either; what it refuses is asked again later,
// for it may not know it yet.
func (f *follower) putOff(ctx context.Context, task schema.Task, q Question, err error) error {
	if ctx.Err() != nil {
		return task.Later(0)
	}
	f.note(err.Error(), false)
	var away *Unavailable
	if errors.As(err, &away) {
		rest := restUnsure
		if !away.Until.IsZero() {
			rest = min(max(away.Until.Sub(f.now()), time.Second), restMost)
		}
		f.logger.Warn("an API is away and is asked again", "source", f.source.Name, "after", rest, "error", err)
		if err := task.Later(rest); err != nil {
			return err
		}
		_ = f.wait(ctx, rest) // whose end is run's too
		return nil
	}
	if task.Try >= maxTries {
		f.logger.Error("a question stays without an answer: a reconcile may find it",
			"source", f.source.Name, "question", q.String(), "error", err)
		return task.Done()
	}
	delay := firstDelay << (2 * (task.Try - 1))
	f.logger.Warn("a question was refused and is asked again",
		"source", f.source.Name, "question", q.String(), "after", delay, "error", err)
	return task.Later(delay)
}

func (f *follower) note(trouble string, answered bool) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.trouble = trouble
	if answered {
		f.answered++
	}
}

// String words the question for people.
func (q Question) String() string {
	if q.What == Collect && q.CertificateID != "" {
		return fmt.Sprintf("%s certificate %s of order %s", q.What, q.CertificateID, q.OrderID)
	}
	if q.What == ListDS {
		return "list the DS records of website " + q.WebsiteID
	}
	return fmt.Sprintf("%s order %s", q.What, q.OrderID)
}

package schema

import (
	"errors"
	"time"
)

// Record holds one message of the log.
type Record struct {
	Seq     uint64    // its stream sequence
	Missing uint64    // how many sequence numbers directly before it are gone from the log; more than none is news
	Subject string    // the NATS subject
	Time    time.Time // when the log took it; whoever follows its end may be told when it was published instead, some microseconds before
	Data    []byte    // an Event on the wire
}

// Task hands a record to somebody who is to act on it. It is given again until Done or, when acting on it has failed,
// Later says otherwise.
type Task struct {
	Record
	Try   int                         // from 1
	Done  func() error                // it has been seen to
	Later func(d time.Duration) error // give it again, no sooner than after d
}

// ErrPastEnd says that a reader's cursor lies beyond the log's end, or on an event that is not the one it had read: the
// log was shortened or exchanged, so what the reader built from it must be rebuilt.
var ErrPastEnd = errors.New("the log is not the one the reader had read")

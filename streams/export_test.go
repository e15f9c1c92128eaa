package streams

import (
	"context"

	"github.com/certtrail/certtrail/schema"
)

// What tests from outside need to see.
const (
	MaxServed    = maxServed
	TailRun      = tailRun
	RecordsBytes = recordsBytes
	AskTimeout   = askTimeout
)

// Watermark returns the log's watermark.
func (l *Log) Watermark() *Watermark { return l.durable }

// ReadFiles reads out of the server's files only.
func (l *Log) ReadFiles(ctx context.Context, after, until uint64, yield func([]schema.Record) error) error {
	return l.readFiles(ctx, after, until, yield)
}

// ReadServed reads what the server delivers only.
func (l *Log) ReadServed(ctx context.Context, after, until uint64, yield func([]schema.Record) error) error {
	return l.readServed(ctx, after, until, yield)
}

// AddToTail adds events before the watermark has advanced to them.
func (w *Watermark) AddToTail(records ...schema.Record) { w.tail.add(records) }

// Consumer returns the name of the reader's consumer.
func (r *Reader) Consumer() string { return r.name }

package main

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"

	"github.com/spf13/cobra"

	"github.com/certtrail/certtrail/ingest/keys"
	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/words"
)

func forgetCommand() *cobra.Command {
	cmd := &cobra.Command{
		Use:   "forget",
		Short: "Forget a person whom the log tells of",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	user := &cobra.Command{
		Use:   "user SOURCE NAME",
		Short: "Destroy the key of a user, so that nobody can read what the log holds of them",
		Long: `Destroy the key of a user of Defguard or Probely, and build the read models anew without what it sealed. NAME is their username (Defguard), their id or
else their e-mail address (Probely), or the id that certtrail shows; of who decided about a matter, the name they gave, with SOURCE web. This cannot be undone.

The log stays as it is, and so do its backups and exports: what they hold of the person cannot be read any more, anywhere. What the source said without
saying whom of goes with it. Copies of the directory keys, and databases made with replay --out, are yours to remove.`,
		Args: wants(2, "a source and a name, for example: certtrail forget user defguard jdoe"),
		RunE: func(cmd *cobra.Command, args []string) error {
			c, err := reachOwner(cmd, false)
			if err != nil {
				return err
			}
			defer c.close()
			bar := newBar(cmd.ErrOrStderr())
			var b built
			err = c.call(cmd.Context(), http.MethodPost, "/forget", url.Values{"source": {args[0]}, "name": {args[1]}}, nil, bar.line, &b)
			bar.clear()
			if err != nil {
				return err
			}
			fmt.Fprintf(cmd.OutOrStdout(), "The user's key is destroyed. The read models were rebuilt from %s events without them.\n", words.Number(b.Seq))
			return nil
		},
	}
	addOwnerSettings(user)
	cmd.AddCommand(user)
	return cmd
}

// forget is POST /forget: it forgets the person of that name at that source. Once their key is destroyed it goes on, also when nobody waits for it any more.
func (o *owner) forget(ctx context.Context, a *answer, r *http.Request) (any, error) {
	query := r.URL.Query()
	store, err := o.readModels()
	if err != nil {
		return nil, err
	}
	forgotten := o.keys.Forget(query.Get("source"), query.Get("name"))
	round, pending := o.keys.Pending()
	if forgotten != nil && !(errors.Is(forgotten, keys.ErrUnknown) && pending) { // of a crash, read models may still show them
		return nil, forgotten
	}
	ctx, cancel := context.WithCancel(context.WithoutCancel(ctx))
	defer cancel()
	defer context.AfterFunc(o.ending, cancel)()
	seq, err := store.Forget(ctx, func(p projections.Progress) {
		a.progress(p) // who hears nothing any more changes nothing
	})
	if err != nil {
		return nil, fmt.Errorf("the user's key is destroyed, but the read models still show them until the next start: %w", err)
	}
	return built{Seq: seq}, errors.Join(forgotten, o.keys.Settled(round))
}

// settle ends what a crash left of a forget: read models that still show somebody whose key is destroyed.
func (o *owner) settle(ctx context.Context) {
	round, pending := o.keys.Pending()
	if !pending {
		return
	}
	_, err := o.store.Forget(ctx, nil)
	if err == nil {
		err = o.keys.Settled(round)
	}
	if err != nil && ctx.Err() == nil {
		o.logger.Error("the read models may still show somebody who was forgotten; certtrail replay builds them anew", "error", err)
	}
}

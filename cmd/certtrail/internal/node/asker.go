package node

import (
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/settings"
	"github.com/certtrail/certtrail/ingest/ask"
	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/web"
)

// asker returns the owner's asker, creating it on first use.
func (o *Node) asker() (*ask.Asker, error) {
	o.mu.Lock()
	defer o.mu.Unlock()
	if o.loop != nil {
		return o.loop, nil
	}
	apis, err := apisOf(o.Config)
	if err != nil {
		return nil, err
	}
	dns, err := o.nameServers()
	if err != nil {
		return nil, err
	}
	o.apis, o.loop = apis, ask.NewAsker(o.askerOptions(apis, dns))
	return o.loop, nil
}

// askerOptions returns what the owner's asker works with.
func (o *Node) askerOptions(apis map[string]*api, dns *ask.DNS) ask.AskerOptions {
	known := knowledge{o}
	options := ask.AskerOptions{
		Known: known, Changes: known, Log: o.log, State: ask.ReadState(o.Config.DataDir, o.logger), DNS: dns,
		Every: o.Config.Reconcile, Lost: o.lostOf, NewID: newID, Now: time.Now, Logger: o.logger,
	}
	for name, a := range apis {
		source := ask.Source{Name: name, Title: a.source.Title(), Client: a.Client, Secrets: a.secrets}
		options.Sources = append(options.Sources, source)
	}
	return options
}

// nameServers returns what asks for DS records through the resolver that is set; nil where none is to be asked.
func (o *Node) nameServers() (*ask.DNS, error) {
	resolver := o.Config.Resolver
	if resolver == settings.ResolverOff {
		return nil, nil
	}
	dns, err := ask.NewDNS(resolver)
	if err != nil && resolver == "" {
		o.logger.Info("name servers are not asked for DS records", "reason", err)
		return nil, nil
	}
	return dns, err
}

// lostOf counts the deliveries of the source that the log could not take.
func (o *Node) lostOf(source string) uint64 {
	if o.lost == nil {
		return 0
	}
	return o.lost(source)
}

func newID() (string, error) {
	id, err := uuid.NewV7()
	return id.String(), err
}

// apiStatus reports a source's API for its page; nil if it has none.
func (o *Node) apiStatus(s settings.Source) *web.Asked {
	if s.System.API == nil {
		return nil
	}
	client := s.System.API.Client(nil) // which calls nobody
	if _, lists := client.(ask.Lister); !lists && !ask.Answers(client) {
		return nil // there is no question for it yet
	}
	_, collects := client.(ask.Collector)
	a := o.apis[s.Name]
	if a == nil {
		return &web.Asked{HowtoEnable: s.APISettings(), Collects: collects}
	}
	breaker := a.caller.Breaker()
	v := &web.Asked{
		Collects: collects, Circuit: breaker.State, Until: schema.At(breaker.RetryAt), Trouble: breaker.LastError,
	}
	if breaker.RetryAt.IsZero() {
		v.Until = schema.Time{}
	}
	status := o.loop.StatusOf(s.Name)
	v.Answered = status.Answered
	if v.Trouble == "" {
		v.Trouble = status.Trouble
	}
	if f := status.Found; f.Source != "" {
		v.Unreconciled = f.Error
		if !f.At.IsZero() {
			v.ReconciledAt, v.Reconciled = schema.At(f.At), f.Sentence()
			if !f.First {
				v.Missed = f.Events()
			}
			if f.Incomplete > 0 {
				v.Reconciled += ". " + strings.TrimSuffix(f.Advice(), ".")
			}
		}
	} else if at := status.ReconciledAt; !at.IsZero() {
		v.ReconciledAt, v.Reconciled = schema.At(at), "before this start"
	}
	return v
}

// tokensOf returns the source's challenges that a person may have to answer, for the page.
func (o *Node) tokensOf(source string) []web.Token {
	var list []web.Token
	for _, t := range o.tokens.of(source, time.Now()) {
		list = append(list, web.Token{Webhook: t.Webhook, Token: t.Token, Until: schema.At(t.Until), Trouble: t.Trouble})
	}
	return list
}

// delegation returns what the parent said last of the zone of r, for its page.
func (o *Node) delegation(r *projections.DNSSEC) (web.Delegation, bool) {
	d, ok := o.loop.DelegationOf(rotationRow(r))
	if !ok {
		return web.Delegation{}, false
	}
	return web.Delegation{At: schema.At(d.At), Said: d.Said, Refused: d.Refused, Trouble: d.Trouble}, true
}

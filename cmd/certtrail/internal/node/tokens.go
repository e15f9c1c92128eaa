package node

import (
	"context"
	"sync"
	"time"
)

const (
	tokenLife  = 30 * time.Minute // a challenge's token is good for so long
	proveWait  = 5 * time.Minute  // for a provider to take a token
	tokensKept = 16
)

// token holds the token of a challenge, as long as it is good and nobody has answered with it. It is in memory only.
type token struct {
	Source, Webhook, Token string
	Until                  time.Time
	Trouble                string // why certtrail did not answer by itself, a sentence; "" while it does
}

// tokens holds those that are good. Its methods may be called at once from many goroutines.
type tokens struct {
	mu   sync.Mutex
	list []token
}

// keep keeps t in the place of any other of its webhook: only the newest is good.
func (t *tokens) keep(one token) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.list = append(t.without(one.Source, one.Webhook), one)
	if len(t.list) > tokensKept {
		t.list = t.list[1:]
	}
}

func (t *tokens) forget(source, webhook string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.list = t.without(source, webhook)
}

func (t *tokens) without(source, webhook string) []token {
	var rest []token
	for _, one := range t.list {
		if one.Source != source || one.Webhook != webhook {
			rest = append(rest, one)
		}
	}
	return rest
}

// of returns the source's that are good at now.
func (t *tokens) of(source string, now time.Time) []token {
	t.mu.Lock()
	defer t.mu.Unlock()
	var good []token
	for _, one := range t.list {
		if one.Source == source && now.Before(one.Until) {
			good = append(good, one)
		}
	}
	return good
}

// prover answers a challenge with its token, as a provider's client.
type prover interface {
	Prove(ctx context.Context, webhookID, token string) error
}

// challenged answers a challenge that came to an endpoint, or keeps its token for a person to. It does not wait.
func (o *Node) challenged(source, webhook, secret string) {
	kept := token{Source: source, Webhook: webhook, Token: secret, Until: time.Now().Add(tokenLife)}
	a := o.apis[source]
	var p prover
	if a != nil {
		p, _ = a.Client.(prover)
	}
	if p == nil {
		kept.Trouble = "The API is not set up, so certtrail cannot answer by itself."
	}
	o.tokens.keep(kept)
	if p == nil {
		return
	}
	o.background(func(ctx context.Context) {
		ctx, cancel := context.WithTimeout(ctx, proveWait)
		defer cancel()
		if err := p.Prove(ctx, webhook, secret); err != nil {
			o.logger.Warn("a challenge could not be answered; the page /system shows its token", "source", source, "webhook", webhook, "error", err)
			kept.Trouble = err.Error()
			o.tokens.keep(kept)
			return
		}
		o.logger.Info("a challenge was answered, and the webhook is active", "source", source, "webhook", webhook)
		o.tokens.forget(source, webhook)
	})
}

package web

import (
	"context"
	"net/http"

	"github.com/certtrail/certtrail/projections"
)

// attentionPage is the data of attention.html, the start page.
type attentionPage struct {
	frame
	Matters []projections.Matter
	Waiting string // orders that wait on a CA
	Issued  string // orders that need nothing
	Quiet   bool   // no event has ever come
	First   *firstSteps
	On      []Provider
}

// firstSteps is what a person does who starts without any provider configured.
type firstSteps struct {
	FirstSteps
	Providers []Provider
}

func (s *Server) attention(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if err := noMoment(r.URL.Query(), "what needs a person"); err != nil {
		return err
	}
	p := attentionPage{frame: s.frame(ctx, "Attention", "attention")}
	p.Model = anyModel
	var err error
	if p.Matters, err = s.Store.Attention(ctx, p.Now); err != nil {
		return err
	}
	for state, text := range map[string]*string{"pending": &p.Waiting, "issued": &p.Issued} {
		n, err := s.Store.Count(ctx, "orders", projections.Query{State: state, Now: p.Now})
		if err != nil {
			return err
		}
		*text = countText(n)
	}
	if s.ReadOnly == nil {
		if err := s.begin(ctx, &p); err != nil {
			return err
		}
	}
	return s.render(w, http.StatusOK, "attention", p)
}

// begin adds what helps a person to the first delivery.
func (s *Server) begin(ctx context.Context, p *attentionPage) error {
	last, err := s.Log.Last(ctx)
	if err != nil {
		return err
	}
	p.Quiet = last == 0
	all := s.Providers()
	for _, provider := range all {
		if provider.On {
			p.On = append(p.On, provider)
		}
	}
	if len(p.On) == 0 {
		p.First = &firstSteps{s.First, all}
	}
	return nil
}

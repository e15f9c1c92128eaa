package web

import (
	"context"
	"net/http"

	"github.com/certtrail/certtrail/projections"
	"github.com/certtrail/certtrail/projections/words"
	"github.com/certtrail/certtrail/web/answer"
)

// attentionPage holds the data of attention.html, the start page.
type attentionPage struct {
	frame
	Matters []deciding
	Decided []deciding // snoozed or taken
	Count   string     // how many need a person: "3", "214+"
	Waiting string     // orders that wait on a CA
	Fine    string     // orders that need nothing
	Quiet   bool       // no event has ever come
	First   *firstSteps
	On      []Provider
}

// firstSteps guides a person who starts without any provider configured.
type firstSteps struct {
	FirstSteps
	Providers []Provider
}

func (s *Server) attention(w http.ResponseWriter, r *http.Request) error {
	ctx := r.Context()
	if err := answer.NoMoment(r.URL.Query(), "what needs a person"); err != nil {
		return err
	}
	p := attentionPage{frame: s.frame(ctx, "Attention", "attention")}
	p.Model = anyModel
	found, err := s.pressing.list(ctx, s.Store, &p.frame)
	if err != nil {
		return err
	}
	p.Matters, p.Decided = s.deciding(found.Matters, &p.frame, "/"), s.deciding(found.Decided, &p.frame, "/")
	p.Attention, p.AttentionMore = len(found.Matters), found.More // newer than what the frame counted
	if p.Count = words.Number(len(found.Matters)); found.More {
		p.Count += "+"
	}
	for state, text := range map[string]*string{"pending": &p.Waiting, "issued": &p.Fine} {
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

package web

import "slices"

// fillers lists the providers whose deliveries fill a list: those that do, and those that would once they are turned
// on.
type fillers struct {
	On, Off    []Provider
	ConfigFile string
}

func (s *Server) fillers(model string) fillers {
	f := fillers{ConfigFile: s.First.ConfigFile}
	for _, p := range s.Providers() {
		switch {
		case len(p.Fills) > 0 && !slices.Contains(p.Fills, model):
		case p.On:
			f.On = append(f.On, p)
		default:
			f.Off = append(f.Off, p)
		}
	}
	return f
}

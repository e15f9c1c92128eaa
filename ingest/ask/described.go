package ask

import (
	"fmt"
	"io"
)

// Described reports what became of asking about orders and rotations that are known by number only.
type Described struct {
	What    string `json:"what"`    // they are: "order" or "rotation"
	Of      int    `json:"of"`      // questions
	Asked   int    `json:"asked"`   // so far
	Filled  int    `json:"filled"`  // answers that were appended
	Refusal string `json:"refusal"` // the first answer that was none, a sentence; "" if there was none
}

func (d Described) String() string {
	return fmt.Sprintf("%d of %s", d.Asked, plural(d.Of, d.What))
}

func (d Described) Tell(w io.Writer, source string) {
	fmt.Fprintf(w, "%s was asked about %s, and told of %d.\n", source, plural(d.Of, d.What), d.Filled)
	if d.Refusal != "" {
		fmt.Fprintf(w, "Of %d it told nothing, such as: %s.\n", d.Asked-d.Filled, d.Refusal)
	}
}

package node

import (
	"context"
	"fmt"

	"github.com/certtrail/certtrail/cmd/certtrail/internal/text"
	"github.com/certtrail/certtrail/streams/embedded"
	"github.com/certtrail/certtrail/web"
)

// From when on little room is worth a word, in bytes: time enough to make room, at any pace that deliveries come at.
const (
	littleFree = 5 << 30 // on the disk, if that is also less than a twentieth of it
	scarceFree = 1 << 30 // on the disk, however small that is
)

// warnings lists what a person who runs the server should know of the machine and the log.
func (sv *Server) warnings(ctx context.Context) []web.Warning {
	var list []web.Warning
	if err := sv.log.Err(); err != nil {
		list = append(list, web.Warning{Title: "The log takes no events", Text: text.Sentence(err) + " Every delivery is answered 503 until the server is started again."})
	} else if err := sv.log.Frozen(); err != nil {
		list = append(list, web.Warning{Title: "The log takes no events", Text: text.Sentence(err) + " Deliveries are answered 503 until that is over; certtrail then goes on by itself."})
	}
	for _, err := range sv.keys.Damaged() {
		list = append(list, web.Warning{Title: "The keys of people need attention", Text: text.Sentence(err)})
	}
	room, err := sv.log.Room(ctx)
	if err != nil {
		return append(list, web.Warning{Title: "The log's room is not known", Text: text.Sentence(err)})
	}
	return append(list, roomWarnings(room, sv.Config.DataDir)...)
}

func roomWarnings(r embedded.Room, dir string) []web.Warning {
	var list []web.Warning
	if r.Free < scarceFree || r.Free < littleFree && r.Free < r.Disk/20 {
		list = append(list, web.Warning{Title: "The disk is nearly full", Text: fmt.Sprintf(
			"The disk of %s has %d MiB of %d MiB left. When it is full no delivery can be taken: make room on it, or move the data directory to a larger one.", dir, r.Free>>20, r.Disk>>20)})
	}
	if r.Limit > 0 && r.Used > r.Limit/10*9 {
		list = append(list, web.Warning{Title: "The log is nearly full", Text: fmt.Sprintf(
			"It holds %d MiB and may grow to %d MiB, after which no delivery is taken: raise max-bytes and start the server again.", r.Used>>20, r.Limit>>20)})
	}
	return list
}

package gate

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/certtrail/certtrail/streams"
)

// Gate puts the readers' requests to the log. It lives as long as its server.
type Gate struct{ doors []*door }

// Open serves the users of the listener, once the stream exists.
func Open(ns *server.Server, a Access, service ServiceUser) (*Gate, error) {
	g := &Gate{}
	for _, d := range a.doors() {
		g.doors = append(g.doors, d)
		if err := d.open(ns, service); err != nil {
			g.Close()
			return nil, fmt.Errorf("couldn't serve the NATS user %s: %w", d.user, err)
		}
	}
	return g, nil
}

// Close leaves the readers without answers. It may be called once.
func (g *Gate) Close() {
	for _, d := range g.doors {
		d.close()
	}
}

// Listen opens the listener of a server that was started with DontListen, so that no reader finds the gate missing.
func Listen(ns *server.Server) error {
	ns.AcceptLoop(make(chan struct{}))
	if ns.Addr() == nil {
		return errors.New("couldn't listen for NATS subscribers: look for the server's error in the log, and whether the port is free")
	}
	return nil
}

func (d *door) open(ns *server.Server, service ServiceUser) (err error) {
	d.questions, d.closed = make(chan *nats.Msg, maxReaderQuestions), make(chan struct{})
	connect := func(user string) (*nats.Conn, error) {
		return nats.Connect("", nats.InProcessServer(ns), nats.Name("certtrail gate for "+d.user), nats.UserInfo(user, service.Password),
			nats.CustomInboxPrefix(service.InboxPrefix), nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond),
			nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {})) // a flood is dropped
	}
	if d.log, err = connect(service.Name); err != nil {
		return err
	}
	if d.outside, err = connect(d.listener(service)); err != nil {
		return err
	}
	go d.answer()
	// One subscription for all: an acknowledgement and the request for more that follows it stay in order.
	if _, err = d.outside.Subscribe("$JS.>", d.receive); err != nil {
		return err
	}
	return d.outside.Flush()
}

func (d *door) close() {
	close(d.closed)
	for _, nc := range []*nats.Conn{d.outside, d.log} {
		if nc != nil {
			nc.Close()
		}
	}
}

// receive passes on what belongs to reading, at once, and keeps questions for answer.
func (d *door) receive(m *nats.Msg) {
	if m.Reply != "" && d.innerInbox(m.Reply) == "" {
		return // it wants the answer where it may not publish
	}
	consumer, manage := "", false
	switch {
	case strings.HasPrefix(m.Subject, jsAck):
		consumer, _, _ = strings.Cut(m.Subject[len(jsAck):], ".")
	case strings.HasPrefix(m.Subject, jsFlow):
		consumer, _, _ = strings.Cut(m.Subject[len(jsFlow):], ".")
	case strings.HasPrefix(m.Subject, jsNext):
		consumer = m.Subject[len(jsNext):]
	case strings.HasPrefix(m.Subject, jsReset):
		consumer, manage = m.Subject[len(jsReset):], true
	case m.Subject == jsDirect, strings.HasPrefix(m.Subject, jsDirect+"."):
	default:
		select {
		case d.questions <- m:
		default: // too many: it is asked again
		}
		return
	}
	if !d.reserved(consumer) || manage && d.operator {
		d.publish(&nats.Msg{Subject: m.Subject, Reply: d.innerInbox(m.Reply), Header: apiLevel(m), Data: m.Data})
	}
}

// answer puts the questions to the log, one by one: a reader who asks too much keeps only readers waiting, and
// consumers are counted right.
func (d *door) answer() {
	questions := questions()
	for {
		select {
		case <-d.closed:
			return
		case m := <-d.questions:
			for _, q := range questions {
				if server.SubjectsCollide(q.subject, m.Subject) && m.Reply != "" {
					d.reply(m, d.ask(q, m))
					break
				}
			}
		}
	}
}

func (d *door) ask(q question, m *nats.Msg) []byte {
	body := m.Data
	if q.check != nil {
		var err error
		if body, err = q.check(d, m); err != nil {
			return refusal(403, err)
		}
	}
	response, err := d.log.RequestMsg(&nats.Msg{Subject: m.Subject, Header: apiLevel(m), Data: body}, gateTimeout)
	if err != nil {
		return refusal(503, fmt.Errorf("the log gives no answer: %w", err))
	}
	// The reader's own name for where its push consumer delivers. Inside a string of the answer the quotes would be
	// escaped.
	const key = `"deliver_subject":"`
	return bytes.ReplaceAll(response.Data, []byte(key+d.inbox), []byte(key+clientInbox))
}

// reply answers m. An event as JSON is a third longer than the event, and so may be longer than any message: a consumer
// brings such a one.
func (d *door) reply(m *nats.Msg, answer []byte) {
	if limit := d.log.MaxPayload(); int64(len(answer)) > limit {
		answer = refusal(413, fmt.Errorf("the answer has %d bytes, more than the %d of a message", len(answer), limit))
	}
	d.publish(&nats.Msg{Subject: d.innerInbox(m.Reply), Data: answer})
}

// publish publishes in the log's account; there is nobody to tell when it fails, and readers ask again.
func (d *door) publish(m *nats.Msg) { _ = d.log.PublishMsg(m) }

// checkCreate reads a request for a consumer as the server will, and writes it again, so that nothing stands in it that
// was not looked at.
func (d *door) checkCreate(m *nats.Msg) ([]byte, error) {
	var request server.CreateConsumerRequest
	decoder := json.NewDecoder(bytes.NewReader(m.Data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&request); err != nil {
		return nil, fmt.Errorf("the request for a consumer cannot be read: %w", err)
	}
	c := &request.Config
	if name, _, _ := strings.Cut(afterStream(m.Subject), "."); d.reserved(name) || d.reserved(c.Name) || d.reserved(c.Durable) {
		return nil, errReserved
	}
	if c.Direct || c.Sourcing {
		return nil, errors.New("consumers for mirrors and sources are not given")
	}
	if len(c.FilterSubjects) > maxReaderFilters {
		return nil, fmt.Errorf("a consumer may have %d filter subjects at most", maxReaderFilters)
	}
	if c.DeliverSubject != "" {
		if c.DeliverSubject = d.innerInbox(c.DeliverSubject); c.DeliverSubject == "" {
			return nil, fmt.Errorf("a consumer may deliver below %s only", clientInbox)
		}
	}
	if err := d.roomForConsumer(); err != nil {
		return nil, err
	}
	return json.Marshal(&request)
}

func (d *door) roomForConsumer() error {
	response, err := d.log.Request(jsAPI+"STREAM.INFO."+streams.StreamName, nil, gateTimeout)
	if err != nil {
		return fmt.Errorf("the log gives no answer: %w", err)
	}
	var info struct {
		State struct {
			Consumers int `json:"consumer_count"`
		} `json:"state"`
	}
	if err := json.Unmarshal(response.Data, &info); err != nil {
		return fmt.Errorf("the log's answer cannot be read: %w", err)
	}
	if info.State.Consumers >= maxReaderConsumers {
		return fmt.Errorf("the stream has %d consumers: delete some that are no longer used", info.State.Consumers)
	}
	return nil
}

func (d *door) checkManage(m *nats.Msg) ([]byte, error) {
	if d.reserved(afterStream(m.Subject)) && !d.operator {
		return nil, errReserved
	}
	return m.Data, nil
}

var errReserved = errors.New("this consumer is certtrail's own")

// afterStream returns what follows the stream's name in an API subject: "mine.certs.>" of
// "$JS.API.CONSUMER.CREATE.CERTTRAIL.mine.certs.>".
func afterStream(subject string) string {
	_, rest, _ := strings.Cut(subject, "."+streams.StreamName+".")
	return rest
}

// reserved reports whether a consumer is certtrail's. Case is ignored, as some file systems do with the folders that
// consumers are kept in.
func (d *door) reserved(consumer string) bool {
	return strings.HasPrefix(strings.ToLower(consumer), streams.ConsumerPrefix)
}

// innerInbox returns what a reader's inbox is in the log's account, or "" for a subject that is none.
func (d *door) innerInbox(inbox string) string {
	rest, ok := strings.CutPrefix(inbox, clientInbox)
	if !ok || !server.IsValidPublishSubject(inbox) {
		return ""
	}
	return d.inbox + rest
}

// apiLevel returns the one header of a request that goes on.
func apiLevel(m *nats.Msg) nats.Header {
	if level := m.Header.Get(server.JSRequiredApiLevel); level != "" {
		return nats.Header{server.JSRequiredApiLevel: []string{level}}
	}
	return nil
}

// refusal returns an answer in the form of JetStream's own errors.
func refusal(code int, reason error) []byte {
	response, _ := json.Marshal(map[string]any{"error": map[string]any{"code": code, "description": reason.Error()}})
	return response
}

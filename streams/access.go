package streams

import (
	"bytes"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/certtrail/certtrail/schema"
)

// Who may do what on the embedded server.
//
// NATS checks the subject that a client publishes on, but not the reply subject it asks answers on, nor the subject it has a push consumer
// deliver on: the server itself publishes there, and may publish anywhere. So a reader who shares the stream's account, whatever its permissions,
// can have the server forge an event (MSG.NEXT with a reply of certs.order.issued.x) or delete the stream (an acknowledged acknowledgement with a
// reply of $JS.API.STREAM.DELETE.CERTTRAIL). Therefore nobody from outside is in that account:
//
//	SUBSCRIBER, OPERATOR          the accounts of the listener's users, without JetStream
//	    |  requests                    ^  certs.>, as published
//	    v                              |  _INBOX.>, which is _reader.<user>.> in the log's account
//	  gate: our connections in both    |
//	    |  checked requests            |
//	    v                              |
//	CERTTRAIL                     the log's account: the stream, its consumers, and nobody but us
//
// The permissions say which requests a user may make at all. The gate makes them in the log's account, with every reply and delivery subject moved
// under _reader.<user>., which nothing listens to but that user's inboxes; it refuses what would touch our consumers. Deliveries do not pass the gate.

// Access are the passwords of the embedded server's listener. An empty Subscriber keeps the listener closed.
// A password that is a bcrypt hash is compared as one; any other is compared as it stands, in constant time.
type Access struct{ Subscriber, Operator string }

// The accounts. The name of the log's is part of its files' paths.
const (
	streamAccount     = "CERTTRAIL"
	subscriberAccount = "SUBSCRIBER"
	operatorAccount   = "OPERATOR"
)

// Bounds on what readers may ask for.
const (
	maxReaderPayload   = 64 << 10 // bytes of one request
	maxReaderConsumers = 500      // on the stream, with ours
	maxReaderFilters   = 100      // of one consumer: the server compares each with each
	maxReaderQuestions = 256      // waiting at the gate; they are put to the log one by one
	gateTimeout        = 5 * time.Second
)

// Subjects of JetStream that carry a reader's traffic once it has a consumer.
const (
	clientInbox = "_INBOX." // of every NATS client that is not told otherwise
	jsAPI       = "$JS.API."
	jsAck       = "$JS.ACK." + StreamName + "."
	jsFlow      = "$JS.FC." + StreamName + "."
	jsNext      = jsAPI + "CONSUMER.MSG.NEXT." + StreamName + "."
	jsDirect    = jsAPI + "DIRECT.GET." + StreamName
)

// ourConsumerPrefix begins the names of certtrail's own consumers. Nobody else may make, read, acknowledge or change one of such a name.
const ourConsumerPrefix = "certtrail-"

// internalUser is certtrail itself: in-process only, with a new password at each start and inboxes of its own.
type internalUser struct{ name, password, inboxPrefix string }

func newInternalUser() internalUser {
	return internalUser{name: "certtrail", password: rand.Text() + rand.Text(), inboxPrefix: "_certtrail." + rand.Text()}
}

// applyAccess sets the accounts and users of a server that is yet to be made. The users of the listener get no answers before startGate.
func applyAccess(opts *server.Options, a Access, internal internalUser) {
	if err := opts.ProcessConfigString(accountsConfig()); err != nil {
		panic(fmt.Sprintf("streams: the accounts' configuration is wrong: %v", err)) // it is constant
	}
	accounts := map[string]*server.Account{}
	for _, account := range opts.Accounts {
		accounts[account.Name] = account
	}
	add := func(name, password, account string, permissions *server.Permissions, connections ...string) {
		u := &server.User{Username: name, Password: password, Account: accounts[account], Permissions: permissions}
		if len(connections) > 0 {
			u.AllowedConnectionTypes = map[string]struct{}{}
			for _, c := range connections {
				u.AllowedConnectionTypes[c] = struct{}{}
			}
		}
		opts.Users = append(opts.Users, u)
	}
	add(internal.name, internal.password, streamAccount, nil, "IN_PROCESS")
	for _, d := range a.doors() {
		add(d.listener(internal), internal.password, d.account, nil, "IN_PROCESS")
		add(d.user, d.password, d.account, readerPermissions())
	}
	if a.Subscriber == "" {
		opts.DontListen = true
	}
}

// accountsConfig is text because the server has no other way to give an account JetStream before it starts. Each reader's account imports a
// service that nobody serves as $JS.API.INFO: else the server would give the account a JetStream API that answers beside the gate.
func accountsConfig() string {
	return fmt.Sprintf(`accounts {
		%[1]s: {
			jetstream: enabled
			exports: [
				{stream: "%[4]s", accounts: [%[2]s, %[3]s]}
				{stream: "_reader.subscriber.>", accounts: [%[2]s]}
				{stream: "_reader.operator.>", accounts: [%[3]s]}
				{service: "_reader.nobody", accounts: [%[2]s, %[3]s]}
			]
		}
		%[2]s: {
			limits: {max_payload: %[5]d}
			imports: [
				{stream: {account: %[1]s, subject: "%[4]s"}}
				{stream: {account: %[1]s, subject: "_reader.subscriber.>"}, to: "_INBOX.>"}
				{service: {account: %[1]s, subject: "_reader.nobody"}, to: "$JS.API.INFO"}
			]
		}
		%[3]s: {
			limits: {max_payload: %[5]d}
			imports: [
				{stream: {account: %[1]s, subject: "%[4]s"}}
				{stream: {account: %[1]s, subject: "_reader.operator.>"}, to: "_INBOX.>"}
				{service: {account: %[1]s, subject: "_reader.nobody"}, to: "$JS.API.INFO"}
			]
		}
	}`, streamAccount, subscriberAccount, operatorAccount, schema.Subjects, maxReaderPayload)
}

// readerPermissions are those of both users: to hear the events and their own inboxes, and to say nothing but requests to the gate.
func readerPermissions() *server.Permissions {
	publish := []string{jsAck + "*.>", jsFlow + "*.>", jsNext + "*", jsDirect, jsDirect + ".>"}
	for _, q := range questions() {
		publish = append(publish, q.subject)
	}
	return &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: publish},
		Subscribe: &server.SubjectPermission{Allow: []string{schema.Subjects, clientInbox + ">"}},
	}
}

// question is a request to JetStream that is answered once. Its check, if it has one, returns the request as it may be put to the log.
type question struct {
	subject string
	check   func(*door, *nats.Msg) ([]byte, error)
}

func questions() []question {
	return []question{
		{jsAPI + "INFO", nil},
		{jsAPI + "STREAM.NAMES", nil},
		{jsAPI + "STREAM.LIST", nil},
		{jsAPI + "STREAM.INFO." + StreamName, nil},
		{jsAPI + "STREAM.MSG.GET." + StreamName, nil},
		{jsAPI + "CONSUMER.NAMES." + StreamName, nil},
		{jsAPI + "CONSUMER.LIST." + StreamName, nil},
		{jsAPI + "CONSUMER.INFO." + StreamName + ".*", nil},
		{jsAPI + "CONSUMER.CREATE." + StreamName, (*door).checkCreate},
		{jsAPI + "CONSUMER.CREATE." + StreamName + ".>", (*door).checkCreate},
		{jsAPI + "CONSUMER.DURABLE.CREATE." + StreamName + ".*", (*door).checkCreate},
		{jsAPI + "CONSUMER.DELETE." + StreamName + ".*", (*door).checkManage},
		{jsAPI + "CONSUMER.PAUSE." + StreamName + ".*", (*door).checkManage},
		{jsAPI + "CONSUMER.UNPIN." + StreamName + ".*", (*door).checkManage},
		{jsAPI + "CONSUMER.RESET." + StreamName + ".*", (*door).checkManage},
	}
}

// door is the gate for one user of the listener.
type door struct {
	user, password, account string
	inbox                   string   // what clientInbox is in the log's account
	operator                bool     // may manage our consumers too: delete, pause, reset
	webhooks                []string // further consumers of ours, in lower case

	outside, log *nats.Conn // the gate's: it only listens outside, and only speaks in the log's account
	asked        chan *nats.Msg
	closed       chan struct{}
}

func (a Access) doors() []*door {
	if a.Subscriber == "" {
		return nil
	}
	doors := []*door{{user: "subscriber", password: a.Subscriber, account: subscriberAccount, inbox: "_reader.subscriber."}}
	if a.Operator != "" {
		doors = append(doors, &door{user: "operator", password: a.Operator, account: operatorAccount, inbox: "_reader.operator.", operator: true})
	}
	return doors
}

// listener is the name of our own user in the door's account.
func (d *door) listener(internal internalUser) string { return internal.name + "-" + d.user }

// gate puts the readers' requests to the log. It lives as long as its server.
type gate struct{ doors []*door }

// startGate serves the users of the listener, once the stream exists. The consumers of webhooks are ours as well; their names are theirs.
func startGate(ns *server.Server, a Access, internal internalUser, webhooks ...string) (*gate, error) {
	g := &gate{}
	for _, d := range a.doors() {
		for _, name := range webhooks {
			d.webhooks = append(d.webhooks, strings.ToLower(name))
		}
		g.doors = append(g.doors, d)
		if err := d.open(ns, internal); err != nil {
			g.close()
			return nil, fmt.Errorf("couldn't serve the NATS user %s: %w", d.user, err)
		}
	}
	return g, nil
}

// close leaves the readers without answers. It may be called once.
func (g *gate) close() {
	for _, d := range g.doors {
		d.close()
	}
}

// openListener opens the listener of a server that was started with DontListen, so that no reader finds the gate missing.
func openListener(ns *server.Server) error {
	ns.AcceptLoop(make(chan struct{}))
	if ns.Addr() == nil {
		return errors.New("couldn't listen for NATS subscribers: look for the server's error in the log, and whether the port is free")
	}
	return nil
}

func (d *door) open(ns *server.Server, internal internalUser) (err error) {
	d.asked, d.closed = make(chan *nats.Msg, maxReaderQuestions), make(chan struct{})
	connect := func(user string) (*nats.Conn, error) {
		return nats.Connect("", nats.InProcessServer(ns), nats.Name("certtrail gate for "+d.user), nats.UserInfo(user, internal.password),
			nats.CustomInboxPrefix(internal.inboxPrefix), nats.MaxReconnects(-1), nats.ReconnectWait(100*time.Millisecond),
			nats.ErrorHandler(func(*nats.Conn, *nats.Subscription, error) {})) // a flood is dropped
	}
	if d.log, err = connect(internal.name); err != nil {
		return err
	}
	if d.outside, err = connect(d.listener(internal)); err != nil {
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
	if m.Reply != "" && d.inside(m.Reply) == "" {
		return // it wants the answer where it may not publish
	}
	consumer := ""
	switch {
	case strings.HasPrefix(m.Subject, jsAck):
		consumer, _, _ = strings.Cut(m.Subject[len(jsAck):], ".")
	case strings.HasPrefix(m.Subject, jsFlow):
		consumer, _, _ = strings.Cut(m.Subject[len(jsFlow):], ".")
	case strings.HasPrefix(m.Subject, jsNext):
		consumer = m.Subject[len(jsNext):]
	case m.Subject == jsDirect, strings.HasPrefix(m.Subject, jsDirect+"."):
	default:
		select {
		case d.asked <- m:
		default: // too many: it is asked again
		}
		return
	}
	if !d.ours(consumer) {
		d.say(&nats.Msg{Subject: m.Subject, Reply: d.inside(m.Reply), Header: apiLevel(m), Data: m.Data})
	}
}

// answer puts the questions to the log, one by one: a reader who asks too much keeps only readers waiting, and consumers are counted right.
func (d *door) answer() {
	questions := questions()
	for {
		select {
		case <-d.closed:
			return
		case m := <-d.asked:
			for _, q := range questions {
				if server.SubjectsCollide(q.subject, m.Subject) && m.Reply != "" {
					d.say(&nats.Msg{Subject: d.inside(m.Reply), Data: d.ask(q, m)})
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
	// The reader's own name for where its push consumer delivers. Inside a string of the answer the quotes would be escaped.
	const key = `"deliver_subject":"`
	return bytes.ReplaceAll(response.Data, []byte(key+d.inbox), []byte(key+clientInbox))
}

// say publishes in the log's account; there is nobody to tell when it fails, and readers ask again.
func (d *door) say(m *nats.Msg) { _ = d.log.PublishMsg(m) }

// checkCreate reads a request for a consumer as the server will, and writes it anew, so that nothing stands in it that was not looked at.
func (d *door) checkCreate(m *nats.Msg) ([]byte, error) {
	var request server.CreateConsumerRequest
	decoder := json.NewDecoder(bytes.NewReader(m.Data))
	decoder.DisallowUnknownFields()
	if err := decoder.Decode(&request); err != nil {
		return nil, fmt.Errorf("the request for a consumer cannot be read: %w", err)
	}
	c := &request.Config
	if name, _, _ := strings.Cut(afterStream(m.Subject), "."); d.ours(name) || d.ours(c.Name) || d.ours(c.Durable) {
		return nil, errOurs
	}
	if c.Direct || c.Sourcing {
		return nil, errors.New("consumers for mirrors and sources are not given")
	}
	if len(c.FilterSubjects) > maxReaderFilters {
		return nil, fmt.Errorf("a consumer may have %d filter subjects at most", maxReaderFilters)
	}
	if c.DeliverSubject != "" {
		if c.DeliverSubject = d.inside(c.DeliverSubject); c.DeliverSubject == "" {
			return nil, fmt.Errorf("a consumer may deliver below %s only", clientInbox)
		}
	}
	if err := d.roomForConsumer(); err != nil {
		return nil, err
	}
	return m.Data, nil
}

func (d *door) roomForConsumer() error {
	response, err := d.log.Request(jsAPI+"STREAM.INFO."+StreamName, nil, gateTimeout)
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
	if d.ours(afterStream(m.Subject)) && !d.operator {
		return nil, errOurs
	}
	return m.Data, nil
}

var errOurs = errors.New("this consumer is certtrail's own")

// afterStream is what follows the stream's name in an API subject: "mine.certs.>" of "$JS.API.CONSUMER.CREATE.CERTTRAIL.mine.certs.>".
func afterStream(subject string) string {
	_, rest, _ := strings.Cut(subject, "."+StreamName+".")
	return rest
}

// ours tells whether a consumer is certtrail's. Case is ignored, as some file systems do with the folders that consumers are kept in.
func (d *door) ours(consumer string) bool {
	consumer = strings.ToLower(consumer)
	return strings.HasPrefix(consumer, ourConsumerPrefix) || slices.Contains(d.webhooks, consumer)
}

// inside is what a reader's inbox is in the log's account, or "" for a subject that is none.
func (d *door) inside(inbox string) string {
	rest, ok := strings.CutPrefix(inbox, clientInbox)
	if !ok || !server.IsValidPublishSubject(inbox) {
		return ""
	}
	return d.inbox + rest
}

// apiLevel is the one header of a request that goes on.
func apiLevel(m *nats.Msg) nats.Header {
	if level := m.Header.Get(server.JSRequiredApiLevel); level != "" {
		return nats.Header{server.JSRequiredApiLevel: []string{level}}
	}
	return nil
}

// refusal is an answer in the form of JetStream's own errors.
func refusal(code int, reason error) []byte {
	response, _ := json.Marshal(map[string]any{"error": map[string]any{"code": code, "description": reason.Error()}})
	return response
}

// Package gate lets programs outside read the log of a NATS server inside this process, and nothing else.
//
// NATS checks the subject that a client publishes on, but not the reply subject it asks answers on, nor the subject it
// has a push consumer deliver on: the server itself publishes there, and may publish anywhere. So a reader who shares
// the stream's account, whatever its permissions, can have the server forge an event (MSG.NEXT with a reply of
// certs.order.issued.x) or delete the stream (an acknowledged acknowledgement with a reply of
// $JS.API.STREAM.DELETE.CERTTRAIL). Therefore nobody from outside is in that account:
//
//	SUBSCRIBER, OPERATOR          the accounts of the listener's users, without JetStream
//	    |  requests                    ^  certs.>, as published
//	    v                              |  _INBOX.>, which is _reader.<user>.> in the log's account
//	  gate: our connections in both    |
//	    |  checked requests            |
//	    v                              |
//	CERTTRAIL                     the log's account: the stream, its consumers, and nobody but us
//
// The permissions say which requests a user may make at all. The gate makes them in the log's account, with every reply
// and delivery subject moved under _reader.<user>., which nothing listens to but that user's inboxes; it refuses what
// would touch our consumers. Deliveries do not pass the gate.
package gate

import (
	"crypto/rand"
	"fmt"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/nats-io/nats.go"

	"github.com/certtrail/certtrail/schema"
	"github.com/certtrail/certtrail/streams"
)

// Access holds the passwords of the embedded server's listener. An empty Subscriber keeps the listener closed.
// A password that is a bcrypt hash is compared as one; any other is compared as it stands, in constant time.
type Access struct{ Subscriber, Operator string }

// The accounts. The name of the log's is part of its files' paths.
const (
	StreamAccount     = "CERTTRAIL"
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

// Subjects of JetStream that a stream or a consumer listens to by itself: nobody answers there when it is gone.
const (
	clientInbox = "_INBOX." // of every NATS client that is not told otherwise
	jsAPI       = "$JS.API."
	jsAck       = "$JS.ACK." + streams.StreamName + "."
	jsFlow      = "$JS.FC." + streams.StreamName + "."
	jsNext      = jsAPI + "CONSUMER.MSG.NEXT." + streams.StreamName + "."
	jsReset     = jsAPI + "CONSUMER.RESET." + streams.StreamName + "."
	jsDirect    = jsAPI + "DIRECT.GET." + streams.StreamName
)

// ServiceUser signs certtrail itself in: in-process only, with a new password at each start and inboxes of its own.
type ServiceUser struct{ Name, Password, InboxPrefix string }

// NewServiceUser returns one for the next server.
func NewServiceUser() ServiceUser {
	return ServiceUser{Name: "certtrail", Password: rand.Text() + rand.Text(), InboxPrefix: "_certtrail." + rand.Text()}
}

// Configure sets the accounts and users of a server that is yet to be made. The users of the listener get no answers
// before Open.
func (a Access) Configure(opts *server.Options, service ServiceUser) {
	if err := opts.ProcessConfigString(accountsConfig()); err != nil {
		panic(fmt.Sprintf("gate: the accounts' configuration is wrong: %v", err)) // it is constant
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
	add(service.Name, service.Password, StreamAccount, nil, "IN_PROCESS")
	for _, d := range a.doors() {
		add(d.listener(service), service.Password, d.account, nil, "IN_PROCESS")
		add(d.user, d.password, d.account, readerPermissions())
	}
	if a.Subscriber == "" {
		opts.DontListen = true
	}
}

// accountsConfig returns text because the server has no other way to give an account JetStream before it starts. Each
// reader's account imports a service that nobody serves as $JS.API.INFO: else the server would give the account a
// JetStream API that answers beside the gate.
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
	}`, StreamAccount, subscriberAccount, operatorAccount, schema.Subjects, maxReaderPayload)
}

// readerPermissions returns those of both users: to hear the events and their own inboxes, and to say nothing but
// requests to the gate.
func readerPermissions() *server.Permissions {
	publish := []string{jsAck + "*.>", jsFlow + "*.>", jsNext + "*", jsReset + "*", jsDirect, jsDirect + ".>"}
	for _, q := range questions() {
		publish = append(publish, q.subject)
	}
	return &server.Permissions{
		Publish:   &server.SubjectPermission{Allow: publish},
		Subscribe: &server.SubjectPermission{Allow: []string{schema.Subjects, clientInbox + ">"}},
	}
}

// question describes a request to JetStream that is always answered, and once. Its check, if it has one, returns the
// request as it may be put to the log.
type question struct {
	subject string
	check   func(*door, *nats.Msg) ([]byte, error)
}

func questions() []question {
	return []question{
		{jsAPI + "INFO", nil},
		{jsAPI + "STREAM.NAMES", nil},
		{jsAPI + "STREAM.LIST", nil},
		{jsAPI + "STREAM.INFO." + streams.StreamName, nil},
		{jsAPI + "STREAM.MSG.GET." + streams.StreamName, nil},
		{jsAPI + "CONSUMER.NAMES." + streams.StreamName, nil},
		{jsAPI + "CONSUMER.LIST." + streams.StreamName, nil},
		{jsAPI + "CONSUMER.INFO." + streams.StreamName + ".*", nil},
		{jsAPI + "CONSUMER.CREATE." + streams.StreamName, (*door).checkCreate},
		{jsAPI + "CONSUMER.CREATE." + streams.StreamName + ".>", (*door).checkCreate},
		{jsAPI + "CONSUMER.DURABLE.CREATE." + streams.StreamName + ".*", (*door).checkCreate},
		{jsAPI + "CONSUMER.DELETE." + streams.StreamName + ".*", (*door).checkManage},
		{jsAPI + "CONSUMER.PAUSE." + streams.StreamName + ".*", (*door).checkManage},
		{jsAPI + "CONSUMER.UNPIN." + streams.StreamName + ".*", (*door).checkManage},
	}
}

// door opens the gate to one user of the listener.
type door struct {
	user, password, account string
	inbox                   string // what clientInbox is in the log's account
	operator                bool   // may manage our consumers too: delete, pause, reset

	outside, log *nats.Conn // the gate's: it only listens outside, and only speaks in the log's account
	questions    chan *nats.Msg
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

// listener returns the name of our own user in the door's account.
func (d *door) listener(service ServiceUser) string { return service.Name + "-" + d.user }

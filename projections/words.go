package projections

import (
	"strings"

	"github.com/certtrail/certtrail/schema"
)

// CheckText is what a check of an order is to a person, in sentences; the order's page and the list of attention say the same.
type CheckText struct {
	Happened string
	Means    string // "" of a check that this program does not know
	Do       string // what a person should do; "" where nothing is to be done
	Next     string // what comes once it has passed, or once that is done; "" of a check that this program does not know
}

// byState is a text for each state of a check.
type byState struct{ Failed, Delayed, Pending, Passed string }

func (b byState) of(state schema.CheckState) string {
	switch state {
	case schema.CheckFailed:
		return b.Failed
	case schema.CheckDelayed:
		return b.Delayed
	case schema.CheckPassed:
		return b.Passed
	}
	return b.Pending
}

// checkWords is all that is said of one check.
type checkWords struct {
	Happened, Do byState
	Means        string
	Next         string
}

// nothingUnlessAsked is what there is to do while a CA works by itself.
const nothingUnlessAsked = "Nothing, unless the CA asks for something."

var checkWordsOf = map[string]checkWords{
	schema.CheckCSR: {
		Happened: byState{"The CA refused the certificate signing request (CSR).", "The CA has put off the certificate signing request (CSR).",
			"The CA has not accepted the certificate signing request (CSR) yet.", "The CA accepted the certificate signing request (CSR)."},
		Means: "Without it the CA knows neither the key nor the names to certify. Usual causes of a refusal: a key that is too short or was used before, names that differ from the order’s, a CSR damaged in copying.",
		Do: byState{"Make a new CSR with a fresh key (RSA 2048 bits or more, or ECDSA P-256) for the names of the order, and submit it with the order at the CA.",
			"See in the CA’s console whether it wants another CSR.", "Submit the CSR at the CA if you have not done so yet.", ""},
		Next: "The CA validates the domains, and the organization if the product asks for it.",
	},
	schema.CheckOrganization: {
		Happened: byState{"The CA could not verify the organization.", "Verifying the organization takes longer than the CA expected.",
			"The CA is verifying the organization.", "The CA verified the organization."},
		Means: "Name and address of the order must be those in a public register (chamber of commerce, Dun & Bradstreet and the like).",
		Do: byState{"Compare the order with the register, letter by letter. Correct the one that is wrong, or send the CA an extract of the register.",
			"Ask the CA what it still lacks; an extract of the register often settles it.", nothingUnlessAsked, ""},
		Next: "The CA looks again, as a rule within a working day, and then calls the organization.",
	},
	schema.CheckPhone: {
		Happened: byState{"The validation call failed.", "The validation call was put off.", "The validation call has not taken place yet.", "The validation call was answered."},
		Means:    "The CA calls the organization at a number from a public register, never at one from the order. A call fails where nobody answers, or where the number is not listed.",
		Do: byState{"Tell whoever answers that number to expect the CA’s call, then ask the CA to call again or to use another listed number.",
			"Tell whoever answers that number to expect the CA’s call, or agree on a time with the CA.",
			"Tell whoever answers that number to expect the CA’s call.", ""},
		Next: "It is as a rule the last check: the CA issues once the call is answered and the domains are validated.",
	},
	schema.CheckWhois: {
		Happened: byState{"The domain’s registration does not match the order.", "Comparing the domain’s registration with the order takes longer than the CA expected.",
			"The CA is comparing the domain’s registration with the order.", "The domain’s registration matches the order."},
		Means: "The registrant in WHOIS or RDAP must be the organization of the order; often it is hidden, or another company of the same group.",
		Do: byState{"Have the registrar correct or show the registrant, or ask the CA for another way to prove control of the domain.",
			"See that the registrar shows the registrant in WHOIS or RDAP.", nothingUnlessAsked, ""},
		Next: "The CA looks the registration up again; a change at the registrar may take a day to be seen.",
	},
	schema.CheckBrand: {
		Happened: byState{"The CA refused the name on account of a brand.", "A person at the CA looks at the name, which takes its time.",
			"The CA is looking at the name by hand.", "The CA has nothing against the name."},
		Means: "A name that contains a known brand, or resembles one, is examined by a person before anything is issued.",
		Do: byState{"Prove to the CA that the brand is yours, or order without the name it names.", "Nothing, unless the CA asks; this takes a working day or two.",
			"Nothing, unless the CA asks; this takes a working day or two.", ""},
		Next: "The order goes on by itself once the name is cleared.",
	},
	schema.CheckApproval: {
		Happened: byState{"The order was not approved.", "The approval of the order was put off.", "The CA waits for the order to be approved.", "The order was approved."},
		Means:    "The CA sent an e-mail with a link to the approvers of the order. Nothing is issued before one of them has agreed.",
		Do: byState{"Find out from the approvers why. If they were wrong, have the CA send the request again; else cancel the order.",
			"Ask the approvers to decide, or have the CA send the request to another.",
			"Find the e-mail (also among the spam) and approve, or have the CA send it again, to another approver if need be.", ""},
		Next: "The CA issues once it is approved, as soon as its other checks have passed.",
	},
	schema.CheckIssuance: {
		Happened: byState{"All was ready, and then the CA failed to issue.", "The CA has put off issuing.", "The CA is about to issue.", "The CA was able to issue."},
		Means:    "The last checks before signing come here. They often fail because a CAA record forbids this CA to issue for one of the names.",
		Do: byState{"Look at the CAA records of every name and of those above it, mend what the CA’s words name, and ask it to try again.",
			"Look at the CAA records of every name and of those above it, and ask the CA what it waits for.", nothingUnlessAsked, ""},
		Next: "The CA tries again, by itself or when it is asked to, and issues.",
	},
	"domain": {
		Happened: byState{"Control of the domain could not be proved.", "Proving control of the domain takes longer than the CA expected.",
			"Control of the domain is not proved yet.", "Control of the domain is proved."},
		Means: "The CA looks for the proof that was agreed on: the DNS record, the file on the web server or the answer to its e-mail.",
		Do: byState{"Check that the proof is public: ask the DNS record of a public resolver, fetch the file from outside over plain HTTP, look for the e-mail. Then have the CA try again.",
			"Check that the proof is public, and that no CAA record or firewall is in the CA’s way.",
			"Put the proof in place if that is not done yet, and leave it there until the CA has seen it.", ""},
		Next: "The CA may reuse the proof for other certificates of the domain until it lapses.",
	},
}

// CheckTextOf is the text of a check in that state; name is as in Order.Checks.
func CheckTextOf(name string, state schema.CheckState) CheckText {
	if strings.HasPrefix(name, schema.DomainCheck("")) {
		name = "domain"
	}
	words, known := checkWordsOf[name]
	if !known {
		happened := byState{"The check failed.", "The check takes longer than the CA expected.", "The check has not passed yet.", "The check passed."}
		return CheckText{Happened: happened.of(state), Do: either(state == schema.CheckPassed, "", "See what the CA says of the order in its console.")}
	}
	return CheckText{words.Happened.of(state), words.Means, words.Do.of(state), words.Next}
}

// MessageText is what a message of the CA that nothing has answered is to a person.
var MessageText = CheckText{
	"The CA sent a message about the order.",
	"What it says is not part of the delivery. Until it is answered the order may stand still.",
	"Read it in the CA’s console or mailbox, and answer it there.",
	"The CA goes on once it has the answer; here the message is settled once the order is issued, or acknowledged.",
}

func either(condition bool, yes, no string) string {
	if condition {
		return yes
	}
	return no
}

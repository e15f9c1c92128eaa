package words

import (
	"strings"

	"github.com/certtrail/certtrail/schema"
)

// CheckText explains a check of an order, in sentences; the order's page and the list of attention say the same.
type CheckText struct {
	Happened string
	Means    string // "" of a check that this program does not know
	Do       string // what a person should do; "" where nothing is to be done
	Next     string // what comes once it has passed, or once that is done; "" of a check that this program does not know
}

// byState holds a text for each state of a check.
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

// checkWords holds all that is said of one check.
type checkWords struct {
	Happened, Do byState
	Means        string
	Next         string
}

// nothingUnlessAsked says what to do while a CA works by itself.
const nothingUnlessAsked = "Nothing, unless the CA asks for something."

var checksKnown = map[string]checkWords{
	schema.CheckCSR: {
		Happened: byState{"The CA rejected the certificate signing request (CSR).", "The CA has not got to the certificate signing request (CSR) yet.",
			"The CA has not accepted the certificate signing request (CSR) yet.", "The CA accepted the certificate signing request (CSR)."},
		Means: "The CSR tells the CA which key and which names to certify. It is usually rejected because the key is too short or was used before, its names differ from the order’s, or it was damaged in copying.",
		Do: byState{"Create a new CSR with a new key (RSA of 2048 bits or more, or ECDSA P-256) for the names of the order, and submit it to the CA.",
			"Check in the CA’s console whether it wants another CSR.", "Submit the CSR to the CA if you have not done so yet.", ""},
		Next: "The CA validates the domains and, if the product calls for it, the organization.",
	},
	schema.CheckOrganization: {
		Happened: byState{"The CA could not verify the organization.", "Verifying the organization is taking longer than the CA expected.",
			"The CA is verifying the organization.", "The CA verified the organization."},
		Means: "The name and address in the order must match a public register, such as the chamber of commerce or Dun & Bradstreet.",
		Do: byState{"Compare the order with the register, letter by letter. Correct whichever is wrong, or send the CA an extract from the register.",
			"Ask the CA what it still needs; an extract from the register often settles it.", nothingUnlessAsked, ""},
		Next: "The CA checks again, usually within a working day, and then calls the organization.",
	},
	schema.CheckPhone: {
		Happened: byState{"The validation call failed.", "The validation call was postponed.", "The validation call has not taken place yet.", "The validation call was answered."},
		Means:    "The CA calls the organization at a number from a public register, never at one from the order. The call fails if nobody answers or the number is not listed.",
		Do: byState{"Tell whoever answers that number to expect the CA’s call, then ask the CA to call again or to use another listed number.",
			"Tell whoever answers that number to expect the CA’s call, or agree on a time with the CA.",
			"Tell whoever answers that number to expect the CA’s call.", ""},
		Next: "This is usually the last check: the CA issues once the call is answered and the domains are validated.",
	},
	schema.CheckWhois: {
		Happened: byState{"The domain’s registration does not match the order.", "Comparing the domain’s registration with the order is taking longer than the CA expected.",
			"The CA is comparing the domain’s registration with the order.", "The domain’s registration matches the order."},
		Means: "The registrant in WHOIS or RDAP must be the organization in the order. Often it is hidden, or is another company of the same group.",
		Do: byState{"Have the registrar correct or disclose the registrant, or ask the CA for another way to prove control of the domain.",
			"Make sure that the registrar shows the registrant in WHOIS or RDAP.", nothingUnlessAsked, ""},
		Next: "The CA looks up the registration again; a change at the registrar may take a day to show.",
	},
	schema.CheckBrand: {
		Happened: byState{"The CA rejected the name because of a brand in it.", "Somebody at the CA is reviewing the name, which takes a while.",
			"Somebody at the CA is reviewing the name.", "The CA cleared the name."},
		Means: "A name that contains or resembles a known brand is reviewed by a person before anything is issued.",
		Do: byState{"Show the CA that the brand is yours, or order again without that name.", "Nothing, unless the CA asks; this takes a working day or two.",
			"Nothing, unless the CA asks; this takes a working day or two.", ""},
		Next: "The order goes on by itself once the name is cleared.",
	},
	schema.CheckApproval: {
		Happened: byState{"The order was not approved.", "The approval of the order was postponed.", "The order is waiting for approval.", "The order was approved."},
		Means:    "The CA e-mailed a link to the approvers of the order, and issues nothing until one of them approves.",
		Do: byState{"Ask the approvers why. If it was a mistake, have the CA send the request again; otherwise cancel the order.",
			"Ask the approvers to decide, or have the CA send the request to somebody else.",
			"Find the e-mail (look in the spam folder too) and approve, or have the CA send it again, to another approver if need be.", ""},
		Next: "Once it is approved and the other checks have passed, the CA issues.",
	},
	schema.CheckIssuance: {
		Happened: byState{"Everything was ready, but the CA failed to issue.", "The CA has postponed issuing.", "The CA is about to issue.", "The CA was able to issue."},
		Means:    "The CA makes its last checks just before it signs. They often fail because a CAA record does not allow this CA to issue for one of the names.",
		Do: byState{"Check the CAA records of every name and of the domains above it, fix what the CA complains about, and ask it to try again.",
			"Check the CAA records of every name and of the domains above it, and ask the CA what it is waiting for.", nothingUnlessAsked, ""},
		Next: "The CA tries again, on its own or when asked to, and issues.",
	},
	domainCheck: {
		Happened: byState{"Control of the domain could not be proved.", "Proving control of the domain is taking longer than the CA expected.",
			"Control of the domain has not been proved yet.", "Control of the domain has been proved."},
		Means: "The CA looks for the agreed proof: a DNS record, a file on the web server or an answer to its e-mail.",
		Do: byState{"Make sure that the proof is public: query the DNS record at a public resolver, fetch the file from outside over plain HTTP, look for the e-mail. Then have the CA try again.",
			"Make sure that the proof is public, and that no CAA record or firewall is in the CA’s way.",
			"Put the proof in place if you have not done so yet, and leave it there until the CA has seen it.", ""},
		Next: "The CA may reuse the validation for other certificates of the domain until it lapses.",
	},
}

// domainCheck stands for the checks of all domains.
var domainCheck = schema.DomainCheck("")

// Check returns the text of a check in that state; name is as in lifecycle.Order's Checks.
func Check(name string, state schema.CheckState) CheckText {
	if strings.HasPrefix(name, domainCheck) {
		name = domainCheck
	}
	c, known := checksKnown[name]
	if !known {
		happened := byState{"The check failed.", "The check is taking longer than the CA expected.", "The check has not passed yet.", "The check passed."}
		do := either(state == schema.CheckPassed, "", "See what the CA says about the order in its console.")
		return CheckText{Happened: happened.of(state), Do: do}
	}
	return CheckText{c.Happened.of(state), c.Means, c.Do.of(state), c.Next}
}

// Message returns the text of a message of the CA that nothing has answered.
func Message() CheckText {
	return CheckText{
		"The CA sent a message about the order.",
		"The delivery does not include it. Until it is answered, the order may stand still.",
		"Read it in the CA’s console or mailbox, and answer it there.",
		"The CA continues once it has your answer. Here the message counts as settled once the order is issued or you acknowledge it.",
	}
}

// checkInside names a check within a sentence: "organization", "CSR", "domain www.example.com".
func checkInside(name string, s Style) string {
	if domain, ok := strings.CutPrefix(name, domainCheck); ok {
		return "domain " + s.name(domain)
	}
	if name == schema.CheckCSR {
		return "CSR"
	}
	return spaced(name)
}

// checkFirst names a check at the beginning of a sentence.
func checkFirst(name string, s Style) string {
	if name == "" {
		return "Unnamed"
	}
	return Capital(checkInside(name, s))
}

// checkShort names a check as checkInside does, a domain's only by its name.
func checkShort(name string) string {
	if domain, ok := strings.CutPrefix(name, domainCheck); ok {
		return schema.DisplayName(domain)
	}
	return checkInside(name, ForPeople)
}

// CheckName names a check as a heading: "Organization", or the domain's own name.
func CheckName(name string) string {
	if domain, ok := strings.CutPrefix(name, domainCheck); ok {
		return schema.DisplayName(domain)
	}
	return Capital(checkInside(name, ForPeople))
}

// checkTask names a check as a task: "Organization check", "Validation of www.example.com".
func checkTask(name string) string {
	if strings.HasPrefix(name, domainCheck) {
		return "Validation of " + CheckName(name)
	}
	return CheckName(name) + " check"
}

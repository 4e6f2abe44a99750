package pack

import (
	"path"
	"strings"

	"yagona/kernel/fault"
	"yagona/kernel/ident"
)

// New returns the files of a new pack that passes the checker and its own examples, by their path in the pack's folder:
// one register and one service that is granted at once by its rule. Language is the tag in which the author writes. The
// agency is the one that the pack speaks for; "" : one that is called after the pack.
func New(name, language, agency string) (map[string][]byte, error) {
	if !ident.IsName(name) {
		return nil, fault.New(fault.Invalid, "pack.name",
			"A pack's name is lower-case Latin words joined by hyphens, like youth-affairs.").At("name")
	}
	if agency == "" {
		agency = name + "-agency"
	}
	words := strings.NewReplacer("AGENCY", agency, "NAME", name, "LANGUAGE", language)
	files := make(map[string][]byte, len(scaffold))
	for name, content := range scaffold {
		files[name] = []byte(words.Replace(content))
	}
	return files, nil
}

// NewFile returns what a new file of a pack begins with: a service, a register that pass the checker, an indicator whose
// service is still to be named, or a language without translations. Path is services/NAME.yaml, registers/NAME.yaml,
// indicators/NAME.yaml or locale/LANGUAGE.yaml.
func NewFile(file, agency string) []byte {
	folder, base := path.Split(file)
	words := strings.NewReplacer("AGENCY", agency, "NAME", strings.TrimSuffix(base, ".yaml"))
	return []byte(words.Replace(beginnings[folder]))
}

// beginnings are what files begin with, by their folder; the words in capitals are replaced.
var beginnings = map[string]string{
	"services/": `service: NAME
version: 1
from: 2026-01-01                 # the first day on which it takes applications
agency: AGENCY
title: A new service
summary: What it gives to whom, in a sentence or two.
for: person
legal:
  - {act: Write the act that the service stands on, status: illustrative}

ask:                             # only what no register knows
  wish: {type: long-text, label: What do you need?, max: 1000, only-applicant: It is your wish.}

output:
  document:
    type: NAME
    title: A new document
    valid: 3 months
    lines:
      wish: {label: Wish, is: ask.wish}

examples:
  - name: Everybody gets it
    submitted: 2026-02-02
    ask: {wish: A tree}
    expect: {outcome: granted, document: {wish: A tree}}
`,
	"registers/": `register: NAME
agency: AGENCY
held: here
title: A new register
subject: person                  # whose data a record is
fields:
  person: {type: person, required: true, label: Person}
  since:  {type: date, required: true, label: Since}
`,
	"indicators/": `indicator: NAME
agency: AGENCY
title: A new indicator
summary: What is counted, and why, in a sentence or two.
unit: number
since: 2026-01-01                # the first day of the first month
numerator: {services: [PACK/SERVICE], count: received}
source:
  - {act: Write the programme that asks for it, status: illustrative}
`,
	"locale/": `language: NAME
texts: {}
`,
}

// scaffold are the files of a new pack; the words in capitals are replaced.
var scaffold = map[string]string{
	"pack.yaml": `pack: NAME
title: A new pack                # what people read; write it in the language below
language: LANGUAGE
agencies:
  AGENCY:
    title: The agency of this pack
    roles:
      clerk: Clerk
`,
	"registers/members.yaml": `register: members
agency: AGENCY
held: here
title: Members
subject: person                  # whose data a record is
fields:
  person:   {type: person, required: true, label: Person}
  joinedOn: {type: date, required: true, label: Member since}
  leftOn:   {type: date, label: Member until}
evidence:                        # the only questions that others may ask
  membership:
    of: person
    title: Membership
    answer:
      member: {type: bool, is: "!has(record.leftOn)", label: Is a member}
      since:  {type: date, is: record.joinedOn, label: Member since}
    for: [NAME/membership-certificate]
`,
	"services/membership-certificate.yaml": `service: membership-certificate
version: 1
from: 2026-01-01
agency: AGENCY
title: Certificate of membership
summary: A document for members, which says since when they are members.
for: person
legal:
  - {act: Write the act that the service stands on, status: illustrative}

evidence:
  membership: {of: applicant, from: NAME/membership, fresh: 1 day, none: refuse}

require:
  - id: member
    that: membership.member
    otherwise: You are not a member any more. Join again first.

output:
  document:
    type: membership-certificate
    valid: 3 months
    lines:
      since: {label: Member since, is: membership.since}

examples:
  - name: A member gets the certificate
    submitted: 2026-02-02
    evidence: {membership: {member: true, since: 2020-05-01}}
    expect: {outcome: granted, document: {since: 2020-05-01}}
  - name: Who has left gets none
    like: A member gets the certificate
    evidence: {membership: {member: false}}
    expect: {outcome: refused, because: [member]}
  - name: Who never was a member gets none
    like: A member gets the certificate
    evidence: {membership: none}
    expect: {outcome: refused, because: [membership]}
`,
}

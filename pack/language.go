package pack

import (
	"yagona/kernel/field"
	"yagona/kernel/indicator"
)

// The structs of this file are the language: a field with a key is a key of the YAML, its doc is what an editor shows.
// A type's lone key is what a single value in its place means.

// packFile is pack.yaml.
type packFile struct {
	mark
	Pack     name            `key:"pack" need:"true" doc:"The pack's name, the first word of everything in it: youth."`
	Title    text            `key:"title" need:"true" doc:"What the pack is called, for people."`
	Language word            `key:"language" need:"true" doc:"The tag of the language in which the texts of this pack are written: en, uz-Latn. The other languages stand in locale/."`
	Agencies entries[agency] `key:"agencies" doc:"The agencies that this pack speaks for, with the roles of their officials."`
	Funds    entries[fund]   `key:"funds" doc:"The funds from which its services pay."`
	Params   entries[param]  `key:"params" doc:"Legal amounts, numbers and dates with their history. A decision uses the value in force on its day."`
}

type agency struct {
	mark
	Title text          `key:"title" need:"true" doc:"The agency's name, for people."`
	Roles entries[role] `key:"roles" doc:"What its officials are: the word that steps use, and its name for people."`
}

func (agency) lone() string { return "title" }

type role struct {
	mark
	Title text `key:"title" need:"true" doc:"The role's name, for people."`
}

func (role) lone() string { return "title" }

type fund struct {
	mark
	Title text `key:"title" need:"true" doc:"The fund's name, for people."`
}

func (fund) lone() string { return "title" }

type param struct {
	mark
	From    name                `key:"from" doc:"The pack that declares it, under the same name: what the law sets once is written once. Nothing else is said then."`
	Title   text                `key:"title" doc:"What it is, for people."`
	Type    choice[paramKind]   `key:"type" doc:"The type of its values."`
	Source  word                `key:"source" doc:"The act that sets it, or: illustrative. Each value can name its own."`
	History entries[paramValue] `key:"history" doc:"The value in force from each day on."`
}

func (param) lone() string { return "from" }

type paramValue struct {
	mark
	Is     word `key:"is" need:"true" doc:"The value from this day on."`
	Source word `key:"source" doc:"The act that sets this value, or: illustrative."`
}

func (paramValue) lone() string { return "is" }

type paramKind string

func (paramKind) options() []string { return []string{"money", "int", "date", "bool"} }

// serviceFile is services/NAME.yaml.
type serviceFile struct {
	mark
	Service      name                    `key:"service" need:"true" doc:"The service's name in its pack: tools-subsidy."`
	Version      number                  `key:"version" need:"true" doc:"The version as its authors count it."`
	From         date                    `key:"from" need:"true" doc:"The first day on which this version takes applications."`
	Agency       name                    `key:"agency" need:"true" doc:"The competent authority."`
	Title        text                    `key:"title" need:"true" doc:"What the service is called."`
	Summary      text                    `key:"summary" need:"true" doc:"What it gives to whom, in a sentence or two."`
	For          some[choice[applicant]] `key:"for" need:"true" doc:"Who may apply."`
	Receives     choice[receivesWord]    `key:"receives" doc:"notification: nobody decides. What is said is recorded, officials take note of it, and the receipt is the end."`
	Confidential flag                    `key:"confidential" doc:"true: who asks for it must fear those around them. Nobody represents them, and nothing is published but the country's figures."`
	Events       []name                  `key:"events" doc:"The life and business events in which people look for it."`
	Legal        []legal                 `key:"legal" need:"true" doc:"The acts that it stands on."`
	Ask          entries[question]       `key:"ask" doc:"What only the applicant knows."`
	Evidence     entries[evidence]       `key:"evidence" doc:"What the platform asks registers for, by the name that rules use."`
	Require      []requirement           `key:"require" doc:"The rules that must be met."`
	Process      []stage                 `key:"process" doc:"The steps of officials, one after another. None: it is granted at once by rule."`
	Output       output                  `key:"output" need:"true" doc:"What comes out when it is granted."`
	Together     together                `key:"together" doc:"A household asks together: the adults of it who are declared each confirm by themselves before it goes on."`
	Fee          fee                     `key:"fee" doc:"What the applicant pays before officials begin, and when it is given back."`
	Start        start                   `key:"start" doc:"What sets it off by itself: people are then offered it, and only confirm."`
	Licence      licence                 `key:"licence" doc:"The document is a licence: it can be renewed, suspended, restored and revoked, and stands in an open list."`
	Places       places                  `key:"places" doc:"There are only so many: who meets the rules waits in a queue whose order everybody in it sees."`
	Every        every                   `key:"every" doc:"The payment is made again in every period, as long as the rules are met: a benefit."`
	Appeal       appeal                  `key:"appeal" doc:"How a refusal is contested."`
	Keep         retention               `key:"keep" doc:"How long a closed case and its evidence stay at hand before they may be moved into an archive; otherwise 3 years."`
	Examples     []example               `key:"examples" need:"true" doc:"Cases with what is expected of them. They are run as tests."`
}

type receivesWord string

func (receivesWord) options() []string { return []string{"notification"} }

// start is what sets a service off.
type start struct {
	mark
	Changes qualified `key:"changes" need:"true" doc:"The evidence type whose change makes the platform look whether whom it is about is entitled: civil/motherhood."`
}

func (start) lone() string { return "changes" }

type applicant string

func (applicant) options() []string { return []string{"person", "organisation", "household"} }

type legal struct {
	mark
	Act     text              `key:"act" need:"true" doc:"The act, with its number and its day."`
	Article text              `key:"article" doc:"Its article."`
	URL     word              `key:"url" doc:"Where it can be read."`
	Status  choice[lawStatus] `key:"status" need:"true" doc:"in force, or illustrative: made up for a demonstration."`
}

type lawStatus string

func (lawStatus) options() []string { return []string{"in force", "illustrative"} }

// formField is what a question, a field of a register and a field of an official's form have in common.
type formField struct {
	Type      choice[fieldKind] `key:"type" doc:"The kind of value."`
	Label     text              `key:"label" doc:"What people read beside it."`
	Hint      text              `key:"hint" doc:"What helps to fill it in."`
	Options   entries[option]   `key:"options" doc:"Of a choice: each option and its words."`
	Min       word              `key:"min" doc:"The least number or amount, characters of a text, or groups of a repeated question."`
	Max       word              `key:"max" doc:"The greatest number or amount, characters of a text, or groups of a repeated question."`
	Earliest  date              `key:"earliest" doc:"Of a date: the earliest."`
	Latest    date              `key:"latest" doc:"Of a date: the latest."`
	NotBefore word              `key:"not-before" doc:"Of a date that is asked for: the one before it in the list whose day it may not precede."`
	Pattern   word              `key:"pattern" doc:"Of a text: the regular expression (RE2) that all of it matches."`
	Level     word              `key:"level" doc:"Of a territory: its level in the country profile."`
}

type option struct {
	mark
	Label text `key:"label" need:"true" doc:"What people read."`
}

func (option) lone() string { return "label" }

type fieldKind string

func (fieldKind) options() []string {
	var words []string
	for _, kind := range field.Kinds {
		if kind != field.List {
			words = append(words, string(kind))
		}
	}
	return words
}

type question struct {
	mark
	formField
	Optional      flag              `key:"optional" doc:"true: it may be left empty."`
	When          expression        `key:"when" doc:"It is asked only if this rule over the answers before it is met."`
	Repeat        repeat            `key:"repeat" doc:"It is a group of questions that is answered several times: how often at most."`
	Ask           entries[subfield] `key:"ask" doc:"Of a repeated question: the questions of each group."`
	Term          term              `key:"term" doc:"The information concept that the answer is. No register may already answer it."`
	OnlyApplicant text              `key:"only-applicant" doc:"Why no register can know it."`
	Owner         choice[owner]     `key:"owner" doc:"Of a bank account: its owner is confirmed before anything is paid to it."`
}

type owner string

func (owner) options() []string { return []string{"applicant"} }

type repeat struct {
	mark
	Min number `key:"min" doc:"At least so many groups."`
	Max number `key:"max" need:"true" doc:"At most so many groups."`
}

func (repeat) lone() string { return "max" }

type subfield struct {
	mark
	formField
	Optional flag `key:"optional" doc:"true: it may be left empty."`
}

type evidence struct {
	mark
	Of    about            `key:"of" need:"true" doc:"Whom it is about: applicant, applicant.spouse, each applicant.children."`
	From  qualified        `key:"from" need:"true" doc:"The evidence type of a register: employment/unemployment."`
	Title text             `key:"title" doc:"What the applicant reads about it; otherwise the register's own words."`
	Fresh span             `key:"fresh" doc:"How old an answer may be when the decision falls; an older one is asked for again."`
	None  choice[noneWord] `key:"none" doc:"What no record means. refuse: the application is refused. attest: an official checks and signs the values. allow: the rules ask has(name). Without it: refuse."`
}

type noneWord string

func (noneWord) options() []string { return []string{"refuse", "attest", "allow"} }

type requirement struct {
	mark
	ID        name       `key:"id" need:"true" doc:"The rule's name: it stands in decisions and examples."`
	That      expression `key:"that" need:"true" doc:"The rule: a CEL expression that is true or false."`
	Otherwise text       `key:"otherwise" doc:"What a person reads who is refused by it: what is missing, and what to do."`
}

// stage is a step, or several that run at the same time.
type stage struct {
	step
	Parallel []step `key:"parallel" doc:"Steps that run at the same time; the longest deadline counts."`
}

type step struct {
	mark
	Step      name                  `key:"step" doc:"The step's name."`
	Title     text                  `key:"title" doc:"What the official has to do, for people."`
	Agency    name                  `key:"agency" doc:"Whose official; otherwise the service's agency."`
	Role      name                  `key:"role" doc:"The official's role."`
	Territory expression            `key:"territory" doc:"Where the official is responsible: an expression that gives a territory, or: country."`
	Within    workingDays           `key:"within" doc:"The deadline: 3 working days."`
	Late      choice[lateWord]      `key:"late" doc:"What it means when nobody decides in time. escalate: the level above takes over. refuse: it is refused and can be contested. grant: silence is consent; never where money follows."`
	Actions   []choice[actionWord]  `key:"actions" doc:"What the official may do; otherwise approve, ask, refuse; of a notification note, and nothing else."`
	Form      entries[formQuestion] `key:"form" doc:"What the official records: an inspection."`
	Photos    photos                `key:"photos" doc:"The photos that the official takes."`
}

type photos struct {
	mark
	Min      number `key:"min" doc:"How many at least; otherwise 1."`
	Max      number `key:"max" doc:"How many at most, 10 or fewer; otherwise 5."`
	Position flag   `key:"position" doc:"true: each with the position where it was taken, which the device reads first."`
}

type formQuestion struct {
	mark
	formField
	Optional flag `key:"optional" doc:"true: it may be left empty."`
}

type lateWord string

func (lateWord) options() []string { return []string{"escalate", "refuse", "grant"} }

type actionWord string

func (actionWord) options() []string {
	return []string{"recommend", "approve", "ask", "refuse", "note"}
}

type output struct {
	mark
	Document document `key:"document" doc:"The document that is issued."`
	Payment  payment  `key:"payment" doc:"The money that is paid."`
	Record   record   `key:"record" doc:"What is written into a register."`
}

type document struct {
	mark
	Type  name          `key:"type" need:"true" doc:"The kind of document."`
	Title text          `key:"title" doc:"Its title; otherwise the service's."`
	Valid span          `key:"valid" doc:"How long it is valid; otherwise without end."`
	Lines entries[line] `key:"lines" doc:"The facts that it states."`
}

type line struct {
	mark
	Label text       `key:"label" need:"true" doc:"What stands beside the fact."`
	Is    expression `key:"is" need:"true" doc:"The fact: an expression."`
}

type payment struct {
	mark
	Amount expression `key:"amount" need:"true" doc:"How much: an expression that gives money and cannot be negative."`
	To     word       `key:"to" need:"true" doc:"The question that asks for the account: ask.account."`
	Fund   name       `key:"fund" need:"true" doc:"The fund that pays."`
}

type record struct {
	mark
	Register qualified           `key:"register" need:"true" doc:"The register: youth/notebook."`
	Set      entries[expression] `key:"set" need:"true" doc:"Its fields: expressions; for a choice also the bare option."`
}

// licence makes of what is granted a right that can be taken away.
type licence struct {
	mark
	Renew    span        `key:"renew" need:"true" doc:"So long before its end its holder is reminded and can apply for a new one."`
	Proposes name        `key:"proposes" need:"true" doc:"The role that proposes to suspend, restore or revoke it, with reasons."`
	Decides  name        `key:"decides" need:"true" doc:"The role that decides on it: another one."`
	Within   workingDays `key:"within" need:"true" doc:"How long for the decision; then the level above decides."`
	Publish  []word      `key:"publish" need:"true" doc:"The lines of the document that stand in the open list, beside its number, state and time."`
}

// places limits what is granted.
type places struct {
	mark
	Of     expression  `key:"of" doc:"A queue for each value: an expression that gives a choice or a territory. Without it there is one queue."`
	Count  expression  `key:"count" need:"true" doc:"How many places the queue has: an expression over ask and param that gives a number."`
	Order  []criterion `key:"order" doc:"Who comes before whom, one criterion after another; who is alike in all is ordered by the moment of receipt."`
	Accept workingDays `key:"accept" need:"true" doc:"How long a place is kept for who is offered it; then it goes to the next."`
}

type criterion struct {
	mark
	Title text       `key:"title" need:"true" doc:"What puts people first here, in words that those who wait read."`
	By    expression `key:"by" need:"true" doc:"true comes first, more comes first, the earlier day comes first."`
}

// together lets a household ask for something together.
type together struct {
	mark
	Members expression  `key:"members" need:"true" doc:"How many other adults of the household confirm: an expression over ask and param that gives a number."`
	Within  workingDays `key:"within" need:"true" doc:"How long they can confirm; then it goes on with those who did."`
}

// fee is what an applicant pays.
type fee struct {
	mark
	Amount expression         `key:"amount" need:"true" doc:"How much: an expression over ask and param that gives money and cannot be negative. Where it gives 0, nothing is asked for."`
	Fund   name               `key:"fund" need:"true" doc:"The fund in whose book it is kept."`
	Within workingDays        `key:"within" need:"true" doc:"How long it can be paid; then the application is closed."`
	Back   []choice[backWord] `key:"back" doc:"When it is given back, besides a withdrawal before an official began: late, when a step is late; refused, when the application is refused."`
}

type backWord string

func (backWord) options() []string { return []string{"late", "refused"} }

// every makes a payment a benefit.
type every struct {
	mark
	Period span       `key:"period" need:"true" doc:"How often it is paid: 1 month, 3 months. Periods begin with the calendar year."`
	Until  expression `key:"until" doc:"The day from which it is not paid any more: an expression that gives a date. Without it, as long as the rules are met."`
	Review []name     `key:"review" need:"true" doc:"The evidence that is asked for again before each payment."`
}

type appeal struct {
	mark
	Within workingDays `key:"within" need:"true" doc:"How long after a refusal it can be contested."`
	Role   name        `key:"role" doc:"Who decides the appeal; otherwise the role of the last step, at the level above."`
	Decide workingDays `key:"decide" need:"true" doc:"The deadline of that decision."`
}

// example is a case with what is expected.
type example struct {
	mark
	Name      text                        `key:"name" need:"true" doc:"What the case shows, in a sentence."`
	Like      text                        `key:"like" doc:"The name of an earlier example from which everything is taken that is not said here."`
	Submitted date                        `key:"submitted" doc:"The day of the application."`
	Decided   date                        `key:"decided" doc:"The day of the decision; otherwise that of the application."`
	Ask       entries[anything]           `key:"ask" doc:"The answers."`
	Evidence  entries[anything]           `key:"evidence" doc:"What the registers answer; none: there is no record; unknown: the register does not answer."`
	Decide    entries[choice[actionWord]] `key:"decide" doc:"What the officials do, by step."`
	Review    review                      `key:"review" doc:"Of a benefit: a later period, for which the evidence is asked again."`
	Expect    expect                      `key:"expect" need:"true" doc:"What comes out."`
}

// review is a later period of a benefit.
type review struct {
	mark
	On       date              `key:"on" need:"true" doc:"A day of the period."`
	Evidence entries[anything] `key:"evidence" doc:"What the registers answer by then; otherwise what they answered before."`
}

type expect struct {
	mark
	Outcome  choice[outcomeWord] `key:"outcome" need:"true" doc:"granted, refused, received: of a notification; waiting: something is not known yet or a step is still open; of a benefit at a review also: ended."`
	Because  []name              `key:"because" doc:"The requirements or evidences that refused it, or the step whose official did."`
	Payment  word                `key:"payment" doc:"The amount that is paid."`
	Fee      word                `key:"fee" doc:"The fee that the applicant pays."`
	Offered  flag                `key:"offered" doc:"Of a service that starts by itself: whether its person would be offered it, before they answered anything."`
	Before   text                `key:"before" doc:"Of limited places: the name of an earlier example, which it comes before in the queue."`
	Document entries[anything]   `key:"document" doc:"Facts that the document states, by line."`
	Record   entries[anything]   `key:"record" doc:"Fields that are written, by name."`
}

type outcomeWord string

func (outcomeWord) options() []string {
	return []string{"granted", "refused", "received", "waiting", "ended"}
}

// registerFile is registers/NAME.yaml.
type registerFile struct {
	mark
	Register   name                   `key:"register" need:"true" doc:"The register's name in its pack: unemployed."`
	Agency     name                   `key:"agency" need:"true" doc:"Who keeps it and answers for it."`
	Held       choice[heldWord]       `key:"held" need:"true" doc:"here: in this installation. node: in another agency's. adapter: in an existing system, behind HTTP."`
	Title      text                   `key:"title" need:"true" doc:"What the register is called."`
	Subject    word                   `key:"subject" doc:"The field that names whose data a record is: the key of the access log."`
	Fields     entries[registerField] `key:"fields" need:"true" doc:"The fields of a record."`
	Unique     []some[word]           `key:"unique" doc:"Fields, or lists of fields, whose values are unique in the register."`
	Index      []some[word]           `key:"index" doc:"Fields, or lists of fields, by which records are found."`
	Evidence   entries[evidenceType]  `key:"evidence" doc:"The only questions that others may ask: an answer, not the record."`
	Relations  entries[relation]      `key:"relations" doc:"How a record relates its subject to others: spouse, children, household."`
	Writers    []qualified            `key:"writers" doc:"Services of other agencies that may write records: youth/tools-subsidy."`
	Adapter    adapter                `key:"adapter" doc:"Of a register behind an adapter: how the system is asked."`
	Indicators []qualified            `key:"indicators" doc:"Indicators of other agencies that may count its records: youth/residents."`
	Delay      delay                  `key:"delay" doc:"Where a law says that people learn of disclosures later: for how long."`
}

type delay struct {
	mark
	Days  number `key:"days" need:"true" doc:"Calendar days after the disclosure: 30."`
	Legal word   `key:"legal" need:"true" doc:"The law that says so: people read it afterwards."`
}

type heldWord string

func (heldWord) options() []string { return []string{"here", "node", "adapter"} }

type registerField struct {
	mark
	formField
	Required flag `key:"required" doc:"true: every record has it."`
}

type evidenceType struct {
	mark
	Of     word            `key:"of" need:"true" doc:"The field that names whom it is about."`
	Title  text            `key:"title" doc:"What it says, for people."`
	Where  expression      `key:"where" doc:"Which records count: a rule over record. Of several, the newest counts."`
	Answer entries[answer] `key:"answer" need:"true" doc:"The values of the answer."`
	For    []grant         `key:"for" doc:"The services that may ask; everything else is refused and journaled."`
}

type answer struct {
	mark
	Type     choice[fieldKind] `key:"type" need:"true" doc:"The type of the value."`
	Is       expression        `key:"is" doc:"How it follows from the record: an expression; otherwise the field of the same name."`
	Label    text              `key:"label" doc:"What people read beside it."`
	Term     term              `key:"term" doc:"The information concept that it answers. No service may ask people for it."`
	Options  entries[option]   `key:"options" doc:"Of a choice: each option and its words."`
	Optional flag              `key:"optional" doc:"true: it may be absent."`
}

type grant struct {
	mark
	Service  qualified             `key:"service" need:"true" doc:"The service: youth/tools-subsidy."`
	Purposes []choice[purposeWord] `key:"purposes" doc:"For what it may ask; otherwise preview and apply."`
}

func (grant) lone() string { return "service" }

type purposeWord string

func (purposeWord) options() []string {
	return []string{"preview", "apply", "review", "proactive", "simulate"}
}

type relation struct {
	mark
	Where expression `key:"where" doc:"Which records count: a rule over record."`
	To    word       `key:"to" doc:"The field that names the related person."`
	Same  word       `key:"same" doc:"The field whose value the related share."`
	Many  flag       `key:"many" doc:"true: several may be related."`
	For   []grant    `key:"for" doc:"The services that may be told; everything else is refused and journaled."`

	Represents choice[representsWord] `key:"represents" doc:"Whom the subject may act for by it. minor: the related person, until they come of age. organisation: the related organisation."`
}

type representsWord string

func (representsWord) options() []string { return []string{"minor", "organisation"} }

type adapter struct {
	mark
	Method  choice[httpMethod]     `key:"method" doc:"GET, if nothing is said."`
	URL     word                   `key:"url" need:"true" doc:"The address, with {number} or {person} for whom it is asked about."`
	Header  entries[word]          `key:"header" doc:"Header fields; {secret.NAME} is taken from the node's configuration."`
	Body    word                   `key:"body" doc:"The body of a POST, with the same variables."`
	Timeout word                   `key:"timeout" need:"true" doc:"How long an answer is waited for: 2s, 500ms."`
	None    []number               `key:"none" doc:"HTTP statuses that mean that there is no record."`
	Fields  entries[word]          `key:"fields" need:"true" doc:"Where the register's fields stand in the answer: JSON pointers (RFC 6901)."`
	Values  entries[entries[word]] `key:"values" doc:"For a field: what the system says, and what the register says for it."`
	Double  []double               `key:"double" doc:"The answers of the test double."`
}

type httpMethod string

func (httpMethod) options() []string { return []string{"GET", "POST"} }

type double struct {
	mark
	Number word     `key:"number" doc:"Whom it is about; otherwise everybody else."`
	Status number   `key:"status" doc:"The HTTP status; otherwise 200."`
	After  word     `key:"after" doc:"How long it takes: 300ms."`
	Fail   number   `key:"fail" doc:"How many times it fails first."`
	Answer anything `key:"answer" doc:"The JSON body."`
}

// indicatorFile is indicators/NAME.yaml.
type indicatorFile struct {
	mark
	Indicator   name               `key:"indicator" need:"true" doc:"The indicator's name in its pack: unemployed-share."`
	Agency      name               `key:"agency" need:"true" doc:"Who answers for it."`
	Title       text               `key:"title" need:"true" doc:"What the indicator is called."`
	Summary     text               `key:"summary" need:"true" doc:"What is counted, and why, in a sentence or two."`
	Unit        choice[unitWord]   `key:"unit" need:"true" doc:"number: the numerator. percent, per-thousand: of the denominator. average: the numerator for each one of the denominator."`
	Period      choice[periodWord] `key:"period" doc:"Over how long what happens is added up: month, or year (the twelve months up to the figure's). Otherwise month."`
	Since       date               `key:"since" need:"true" doc:"The first day of the first month of which figures are kept."`
	Numerator   measure            `key:"numerator" need:"true" doc:"What is counted."`
	Denominator measure            `key:"denominator" doc:"Of how many, or for how many."`
	Target      target             `key:"target" doc:"What was promised."`
	Source      []legal            `key:"source" need:"true" doc:"The acts or programmes that ask for it."`
}

type unitWord string

func (unitWord) options() []string { return []string{"number", "percent", "per-thousand", "average"} }

type periodWord string

func (periodWord) options() []string { return []string{"month", "year"} }

type measure struct {
	mark
	Register  qualified         `key:"register" doc:"The register whose records are counted: employment/unemployed."`
	Where     expression        `key:"where" doc:"Which records count: a rule over record."`
	Value     expression        `key:"value" doc:"What each record counts: a whole number over record; otherwise 1."`
	On        expression        `key:"on" doc:"The day over record on which it happened. Otherwise what holds at a month's end is counted."`
	Territory word              `key:"territory" doc:"Where a record counts: its field, or an evidence type about its subject with the answer: interior/residence.place. Otherwise in the country alone."`
	Services  some[qualified]   `key:"services" doc:"The services whose applications are counted."`
	Count     choice[countWord] `key:"count" doc:"What of applications is counted: received, waiting, decided, granted, refused, or days from receipt to decision."`
}

type countWord string

func (countWord) options() []string {
	var words []string
	for _, one := range indicator.Counts {
		words = append(words, string(one))
	}
	return words
}

type target struct {
	mark
	Least number `key:"at-least" doc:"The least value that was promised, in the unit."`
	Most  number `key:"at-most" doc:"The greatest value that was promised, in the unit."`
	By    date   `key:"by" need:"true" doc:"By which day."`
}

// localeFile is locale/TAG.yaml.
type localeFile struct {
	mark
	Language word                 `key:"language" need:"true" doc:"The tag of the language."`
	Texts    entries[translation] `key:"texts" need:"true" doc:"The texts by their path in the pack."`
}

type translation struct {
	mark
	Source word `key:"source" need:"true" doc:"The hash of the text that was translated: when the text changes, the translation is stale."`
	Text   text `key:"text" need:"true" doc:"The translation."`
}

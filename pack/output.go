package pack

import (
	"slices"
	"strings"

	"yagona/kernel/field"
	"yagona/kernel/ident"
	"yagona/kernel/register"
	"yagona/kernel/rules"
	"yagona/kernel/service"
)

// outputs compiles what comes out.
func (sc *serviceCompiler) outputs() {
	o := &sc.doc.Output
	if o.given() && !o.Document.given() && !o.Payment.given() && !o.Record.given() {
		sc.fail(o.place(), "add document, payment or record", "nothing comes out of the service")
	}
	if doc := &o.Document; doc.given() {
		out := &service.Document{
			Type: doc.Type.text, Valid: doc.Valid.period,
			Title: sc.s.texts.say(sc.key+".document.title", doc.Title),
		}
		if !doc.Title.given() {
			out.Title = sc.d.Title
		}
		for _, l := range doc.Lines.list {
			sc.checkName(l.key, l.at)
			program := sc.compile(sc.environment, l.value.Is, printable...)
			if program == nil {
				continue
			}
			out.Lines = append(out.Lines, service.Line{Name: l.key, Label: sc.s.texts.say(sc.key+".document.lines."+l.key,
				l.value.Label), Is: program})
			if sc.readsOthers(program) {
				sc.fail(l.value.Is.place(), "state only what registers say of the applicant",
					"the document would show what a register says of somebody else")
			}
		}
		sc.d.Output.Document = out
		sc.documentPrints()
	}
	if o.Payment.given() {
		sc.payment(&o.Payment)
	}
	if o.Record.given() {
		sc.record(&o.Record)
	}
}

// printable are the kinds that a document can state.
var printable = []rules.Kind{
	rules.KindBool, rules.KindInt, rules.KindText, rules.KindDate, rules.KindMoney,
	rules.KindChoice, rules.KindTerritory, rules.KindSubject,
}

func (sc *serviceCompiler) payment(p *payment) {
	to, isAnswer := strings.CutPrefix(p.To.text, "ask.")
	account, ok := field.Find(sc.d.Fields(), to)
	switch {
	case !p.To.given():
	case !isAnswer || !ok || account.Kind != field.BankAccount:
		sc.fail(p.To.place(), "write ask. and the name of a question of the type bank-account", "%s is no account",
			p.To.node.describe())
	default:
		asked, _ := sc.doc.Ask.get(to)
		if !asked.Owner.given() {
			sc.refuse(p.To.place(), phrase("write owner: applicant at the question %s", to), "the owner of the account is not confirmed")
		}
		if asked.When.given() || asked.Optional.value {
			sc.fail(p.To.place(), "ask for it always", "the account may be missing")
		}
	}
	sc.checkFund(p.Fund)
	amount := sc.compile(sc.environment, p.Amount, rules.KindMoney)
	if amount == nil {
		return
	}
	if amount.Interval().Low < 0 {
		sc.fail(p.Amount.place(), "write positive(…) around what may fall below zero", "the amount can be negative")
	}
	sc.d.Output.Payment = &service.Payment{Amount: amount, To: to, Fund: p.Fund.text}
}

func (sc *serviceCompiler) checkFund(fund name) {
	if _, ok := sc.s.file.Funds.get(fund.text); !ok && fund.text != "" {
		sc.refuse(fund.place(), phrase("%s (funds are declared in pack.yaml)", oneOf(fund.text, sc.s.file.Funds.keys())), "there is no fund %s", fund.text)
	}
}

func (sc *serviceCompiler) record(r *record) {
	to := sc.registers[ident.Register(r.Register.text)]
	if to == nil {
		if r.Register.text != "" {
			var known []string
			for path := range sc.registers {
				known = append(known, string(path))
			}
			slices.Sort(known)
			sc.refuse(r.Register.place(), oneOf(r.Register.text, known), "there is no register %s", r.Register.text)
		}
		return
	}
	if to.Held != register.HeldHere {
		sc.fail(r.Register.place(), "write into a register that is held here", "%s is not held here", to.Path)
	}
	if !to.Takes(sc.d.Path, sc.d.Agency) {
		sc.refuse(r.Register.place(), phrase("ask %s to add %s to writers: of the register", to.Agency, sc.d.Path),
			"%s belongs to %s, which does not let this service write into it", to.Path, to.Agency)
	}
	out := &service.Record{Register: to.Path}
	for _, one := range r.Set.list {
		f, ok := field.Find(to.Fields, one.key)
		if !ok {
			sc.refuse(one.at, oneOf(one.key, namesOf(to.Fields)), "%s has no field %s", to.Path, shorten(one.key))
			continue
		}
		if program := sc.assign(one.value, f); program != nil {
			out.Set = append(out.Set, service.Set{Field: f.Name, Is: program})
		}
	}
	for _, f := range to.Fields {
		if _, ok := r.Set.get(f.Name); !ok && !f.Optional {
			sc.refuse(r.Set.place(), phrase("add %s: an expression", f.Name), "the field %s of %s is required", f.Name, to.Path)
		}
	}
	sc.d.Output.Record = out
}

// assign compiles the expression that gives a field its value. A choice takes a bare option, too.
func (sc *serviceCompiler) assign(is expression, f field.Definition) *rules.Program {
	if f.Kind == field.Choice && slices.ContainsFunc(f.Options, func(o field.Option) bool { return o.Value == is.text }) {
		program, err := sc.environment.Compile(`"`+is.text+`"`, rules.KindText)
		if err == nil {
			return program
		}
	}
	if !is.given() || is.text == "" {
		return nil
	}
	compile := sc.environment.Compile
	if f.Optional {
		compile = sc.environment.CompileOptional
	}
	program, err := compile(is.text, f.Type().Kind)
	if err != nil {
		sc.explain(is.node, err)
		return nil
	}
	sc.total(is.node, program)
	if strings.TrimSpace(is.text) != "applicant" {
		sc.fits(is.node, program, f, sc.sourceOfService)
	}
	for _, kind := range sc.d.For {
		if strings.TrimSpace(is.text) == "applicant" && kind != string(f.Kind) {
			sc.refuse(is.place(), phrase("write into a field of the type %s", kind),
				"the field %s holds a %s, and the applicant can be another", f.Name, f.Kind)
		}
	}
	return program
}

package walk

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"time"

	"yagona/kernel/ident"
	"yagona/web/opendata"
)

// Accounts of the demonstration's people: it numbers them in the order of its story.
const (
	accountNewcomer = "00000000000000000004"
	accountMother   = "00000000000000000006"
	accountWife     = "00000000000000000008"
	accountBrother  = "00000000000000000012"
)

// unchanged is the header that holds a request to a revision.
func unchanged(revision int64) []string { return []string{"If-Match", fmt.Sprintf(`"%d"`, revision)} }

func (d *day) residence(ctx context.Context) (string, error) {
	shown, err := d.apply(ctx, "residence", "pensioner", "interior/residence-certificate", map[string]any{})
	if err != nil {
		return "", err
	}
	told, err := granted(shown)
	if err != nil {
		return "", err
	}
	got, err := d.cast["pensioner"].Send(ctx, http.MethodGet, "/api/v1/documents/"+shown.Granted.Document+"/file", nil)
	if err != nil {
		return "", err
	}
	worth, err := d.verified(ctx, got.Body)
	return told + "\n" + worth, err
}

func (d *day) dictate(ctx context.Context) (string, error) {
	resident, err := d.persona(ctx, "too-old")
	if err != nil {
		return "", err
	}
	made := time.Now().Add(-40 * time.Minute)
	d.applications["self-employment"], d.written, err = writeDown(ctx, d.cast["tax-inspector"], made, map[string]any{
		"service": "tax/self-employment", "language": "uz-Latn",
		"form": map[string][]string{"number": {resident.Number}, "ask.trade": {"crafts"}},
	})
	if err != nil {
		return "", err
	}
	got, err := send(ctx, d.cast["tax-inspector"], d.written)
	return fmt.Sprintf("application %s, written down at %s, sent at %s", got.Act, made.UTC().Format("15:04:05"), time.Now().UTC().Format("15:04:05")), err
}

func (d *day) dictateAgain(ctx context.Context) (string, error) {
	if _, err := send(ctx, d.cast["tax-inspector"], d.written); err != nil {
		return "", err
	}
	var own page[struct{ ID, Service, State string }]
	if err := d.cast["too-old"].Get(ctx, "/api/v1/applications?limit=100", &own); err != nil {
		return "", err
	}
	drafts := 0
	for _, one := range own.Items {
		if one.Service == "tax/self-employment" && one.State == "draft" {
			drafts++
		}
	}
	if drafts != 1 {
		return "", fmt.Errorf("there are %d drafts of it", drafts)
	}
	return "", nil
}

// submit sends a draft of one's own.
func (d *day) submit(ctx context.Context, name, persona string) (application, error) {
	draft, err := d.shown(ctx, name, persona)
	if err != nil {
		return application{}, err
	}
	path := "/api/v1/applications/" + draft.ID + "/submit"
	if err := d.cast[persona].Post(ctx, path, nil, nil, unchanged(draft.Revision)...); err != nil {
		return application{}, err
	}
	return d.shown(ctx, name, persona)
}

func (d *day) confirm(ctx context.Context) (string, error) {
	shown, err := d.submit(ctx, "self-employment", "too-old")
	if err != nil {
		return "", err
	}
	return granted(shown)
}

func (d *day) askStall(ctx context.Context) (told string, err error) {
	// That he is self-employed is written by a job of its own, under its register's key: until then the register has no
	// record of him, and says so.
	return told, wait(ctx, func() (bool, error) {
		shown, err := d.apply(ctx, "stall", "too-old", "mahalla/stall-licence", map[string]any{"goods": "crafts"})
		if err != nil || shown.State == "refused" && shown.Because[0].Requirement == "employment" {
			return false, err
		}
		told, err = asked(shown, "deciding")
		return true, err
	})
}

// standing returns what the open list says of the licence.
func (d *day) standing(ctx context.Context) (string, error) {
	got, err := NewClient(d.Site).Send(ctx, http.MethodGet, opendata.LicencesPath("mahalla/stall-licence"), nil)
	if err != nil {
		return "", err
	}
	holder := d.cast["too-old"]
	if strings.Contains(string(got.Body), holder.Name) || strings.Contains(string(got.Body), holder.Number) {
		return "", errors.New("the open list names the holder")
	}
	var list struct {
		Licences []struct{ Number, State string }
	}
	if err := json.Unmarshal(got.Body, &list); err != nil {
		return "", err
	}
	for _, one := range list.Licences {
		if one.Number == d.licence {
			return one.State, nil
		}
	}
	return "", errors.New("the open list does not have the licence")
}

// stands holds the licence to what the open list says of it.
func (d *day) stands(ctx context.Context, told, state string) (string, error) {
	now, err := d.standing(ctx)
	if err == nil && now != state {
		err = fmt.Errorf("the open list says that the licence is %s", now)
	}
	return told + "\nthe open list says of licence " + d.licence + ": " + state, err
}

func (d *day) grantStall(ctx context.Context) (string, error) {
	told, err := d.decides("stall", "district deputy", "approve")(ctx)
	if err != nil {
		return "", err
	}
	shown, err := d.shown(ctx, "stall", "too-old")
	if err == nil {
		err = is(shown, "granted")
	}
	if err != nil {
		return "", err
	}
	d.licence = shown.Granted.Document
	return d.stands(ctx, told, "in-force")
}

func (d *day) proposeSuspension(ctx context.Context) (string, error) {
	assistant := d.cast["hokim-assistant"]
	err := assistant.Post(ctx, "/api/v1/documents/"+d.licence+"/measures", map[string]any{
		"measure": "suspend", "reason": "The stall stands on the way to the school until the road works end.",
	}, nil)
	if err != nil {
		return "", err
	}
	waits, err := d.task(ctx, d.cast["district deputy"], d.applications["stall"])
	if err != nil {
		return "", err
	}
	err = assistant.Post(ctx, "/api/v1/tasks/"+waits.Task.ID+"/decide", map[string]any{"action": "approve"}, nil, unchanged(waits.Application.Revision)...)
	return "task " + waits.Task.ID + " waits for the deputy", forbidden(err, "access.forbidden", "task.unknown")
}

func (d *day) suspend(ctx context.Context) (string, error) {
	told, err := d.decides("stall", "district deputy", "approve")(ctx)
	if err != nil {
		return "", err
	}
	return d.stands(ctx, told, "suspended")
}

func (d *day) askEquipment(ctx context.Context) (string, error) {
	shown, err := d.apply(ctx, "equipment", "wife", "women/home-equipment", map[string]any{
		"equipment": "sewing-machine", "price": 250_000_000, "account": accountWife,
	})
	if err != nil {
		return "", err
	}
	return asked(shown, "deciding")
}

func (d *day) question(ctx context.Context) (string, error) {
	told, err := d.decide(ctx, d.cast["women-activist"], d.applications["equipment"], map[string]any{
		"action": "ask", "question": "Is there a dry room in which the machine can stand?",
	})
	if err != nil {
		return "", err
	}
	shown, err := d.shown(ctx, "equipment", "wife")
	if err != nil {
		return "", err
	}
	for _, one := range shown.Tasks {
		if one.State == "waiting" && !one.Due.IsZero() {
			return "", fmt.Errorf("the clock runs while she is asked: it is due %s", one.Due)
		}
	}
	return told, is(shown, "asked")
}

func (d *day) answer(ctx context.Context) (string, error) {
	shown, err := d.shown(ctx, "equipment", "wife")
	if err != nil {
		return "", err
	}
	path := "/api/v1/applications/" + shown.ID + "/answer"
	err = d.cast["wife"].Post(ctx, path, map[string]any{"answer": "Yes, beside the kitchen."}, nil, unchanged(shown.Revision)...)
	if err != nil {
		return "", err
	}
	if shown, err = d.shown(ctx, "equipment", "wife"); err != nil {
		return "", err
	}
	for _, one := range shown.Tasks {
		if one.State != "waiting" && one.Due.After(time.Now()) {
			return "due " + one.Due.UTC().Format(time.RFC3339), is(shown, "deciding")
		}
	}
	return "", errors.New("no open step has a deadline")
}

func (d *day) approveEquipment(ctx context.Context) (string, error) {
	told, err := d.decides("equipment", "chair", "approve")(ctx)
	if err != nil {
		return "", err
	}
	shown, err := d.shown(ctx, "equipment", "wife")
	if err != nil {
		return "", err
	}
	outcome, err := granted(shown)
	if err != nil {
		return "", err
	}
	told += "\n" + outcome
	for _, one := range shown.Rules {
		told += fmt.Sprintf("\nrule %s: %s", one.ID, one.Outcome)
	}
	var service struct {
		Legal []struct{ Act, Status string }
	}
	if err := NewClient(d.Site).Get(ctx, "/api/v1/services/women/home-equipment", &service); err != nil {
		return "", err
	}
	for _, one := range service.Legal {
		told += fmt.Sprintf("\nlaw: %s (%s)", one.Act, one.Status)
	}
	if len(shown.Rules) == 0 || len(shown.Evidence) == 0 || len(service.Legal) == 0 {
		return "", errors.New("the decision does not say its rules, its evidence or its law")
	}
	return told, nil
}

// order returns the payment order of an application that was granted.
func (d *day) order(ctx context.Context, name, persona string) (string, error) {
	shown, err := d.shown(ctx, name, persona)
	if err != nil {
		return "", err
	}
	if shown.Granted == nil || shown.Granted.Order == "" {
		return "", fmt.Errorf("the application %s, %s, has no payment order", shown.ID, shown.State)
	}
	return shown.Granted.Order, nil
}

func (d *day) refuseRelease(ctx context.Context) (string, error) {
	order, err := d.order(ctx, "equipment", "wife")
	if err != nil {
		return "", err
	}
	for _, one := range []string{"women-activist", "chair", "wife"} {
		err := d.cast[one].Post(ctx, "/api/v1/orders/"+order+"/release", nil, nil)
		if err := forbidden(err, "access."); err != nil {
			return "", fmt.Errorf("%s: %w", one, err)
		}
	}
	return "", nil
}

// pay lets a treasurer release what was granted, and waits until the bank has paid it.
func (d *day) pay(ctx context.Context, name, persona, agency string) (string, error) {
	order, err := d.order(ctx, name, persona)
	if err != nil {
		return "", err
	}
	treasurer, err := d.releaseBy(ctx, "treasurer · "+agency, order)
	if err != nil {
		return "", err
	}
	told, err := d.paidTo(ctx, d.cast[persona], d.applications[name])
	return treasurer + "\n" + told, err
}

func (d *day) payEquipment(ctx context.Context) (string, error) {
	return d.pay(ctx, "equipment", "wife", "women-committee")
}

func (d *day) askAllowance(ctx context.Context) (string, error) {
	shown, err := d.apply(ctx, "allowance", "mother", "social/child-allowance", map[string]any{"account": accountMother})
	if err != nil {
		return "", err
	}
	return asked(shown, "deciding")
}

// readings are entries of who read what of somebody.
type reading struct {
	Event, Type, Purpose string
	By                   struct{ Agency, Role string }
}

func readings(ctx context.Context, of *Client) ([]reading, error) {
	var entries page[reading]
	err := of.Get(ctx, "/api/v1/access-log?limit=100", &entries)
	return entries.Items, err
}

func (d *day) takeAlong(ctx context.Context) (told string, err error) {
	if d.taken, err = takeAlong(ctx, d.cast["social-worker"]); err != nil {
		return "", err
	}
	entries, err := readings(ctx, d.cast["mother"])
	if err != nil {
		return "", err
	}
	for _, one := range entries {
		if one.Type == "tasks.taken-along" && one.By.Role == "social-worker" {
			return fmt.Sprintf("%d tasks; the mother sees event %s", len(d.taken), one.Event), nil
		}
	}
	return "", errors.New("that they were taken along does not stand in the mother's log")
}

func (d *day) recommendOffline(ctx context.Context) (string, error) {
	waits, err := d.task(ctx, d.cast["social-worker"], d.applications["allowance"])
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(d.taken, func(one takenTask) bool { return one.Task == waits.Task.ID })
	if i < 0 {
		return "", errors.New("the task is not among those that were taken along")
	}
	made := time.Now().Add(-25 * time.Minute)
	_, written, err := writeDown(ctx, d.cast["social-worker"], made, map[string]any{
		"task": d.taken[i].Task, "revision": d.taken[i].Revision, "form": map[string][]string{"action": {"recommend"}},
	})
	if err != nil {
		return "", err
	}
	for range 2 {
		got, err := send(ctx, d.cast["social-worker"], written)
		if err != nil || got.Late {
			return "", errors.Join(err, fmt.Errorf("it arrived too late: %t", got.Late))
		}
	}
	shown, err := d.shown(ctx, "allowance", "mother")
	if err != nil {
		return "", err
	}
	if len(shown.Decisions) != 1 {
		return "", fmt.Errorf("there are %d decisions", len(shown.Decisions))
	}
	return fmt.Sprintf("task %s, decided on the tablet at %s, taken up once at %s",
		waits.Task.ID, made.UTC().Format("15:04:05"), shown.Decisions[0].At.UTC().Format("15:04:05")), nil
}

func (d *day) payAllowance(ctx context.Context) (string, error) {
	told, err := d.decides("allowance", "district centre-head", "approve")(ctx)
	if err != nil {
		return "", err
	}
	paid, err := d.pay(ctx, "allowance", "mother", "social-agency")
	return told + "\n" + paid, err
}

func (d *day) askNursery(ctx context.Context) (told string, err error) {
	asked, _, err := d.askFor(ctx, "Amir", "education/nursery-place", map[string]any{"nursery": "sun"})
	if err != nil {
		return "", err
	}
	d.applications["nursery"] = asked.ID
	return told, wait(ctx, func() (bool, error) {
		shown, err := d.shown(ctx, "nursery", "mother")
		switch {
		case err != nil:
			return false, err
		case shown.State == "offered": // before anybody could look
			told = fmt.Sprintf("application %s, %s: a place is free, and nobody waits before her", shown.ID, shown.State)
			return true, nil
		case shown.Queue == nil:
			return false, nil
		}
		told = fmt.Sprintf("application %s, %s: %d places, %d wait", shown.ID, shown.State, shown.Queue.Places, shown.Queue.Waiting)
		for _, one := range shown.Queue.Ahead {
			told += fmt.Sprintf("\nahead of her by %s: %d", cmp.Or(one.By, "the moment of receipt"), one.Count)
		}
		return true, nil
	})
}

func (d *day) acceptNursery(ctx context.Context) (told string, err error) {
	var shown application
	err = wait(ctx, func() (bool, error) {
		shown, err = d.shown(ctx, "nursery", "mother")
		return shown.State == "offered", err
	})
	if err != nil {
		return "", fmt.Errorf("the application is %s: %w", shown.State, err)
	}
	until := shown.Expires
	if !until.After(time.Now()) {
		return "", errors.New("it is not said until when the place is kept")
	}
	path := "/api/v1/applications/" + shown.ID + "/accept"
	if err := d.cast["mother"].Post(ctx, path, nil, nil, unchanged(shown.Revision)...); err != nil {
		return "", err
	}
	if shown, err = d.shown(ctx, "nursery", "mother"); err != nil {
		return "", err
	}
	told, err = granted(shown)
	return "it was kept for her until " + until.UTC().Format(time.RFC3339) + "\n" + told, err
}

func (d *day) forDaughter(ctx context.Context) (string, error) {
	shown, name, err := d.askFor(ctx, "Sevara", "interior/residence-certificate", map[string]any{})
	if err != nil {
		return "", err
	}
	told, err := granted(shown)
	return "for " + name + "\n" + told, err
}

// askFor sends an application of the mother for the child of a given name, and returns the child's whole name.
func (d *day) askFor(ctx context.Context, given, service string, answers map[string]any) (application, string, error) {
	type authority struct{ Subject, Name, Ground string }
	mother, err := d.persona(ctx, "mother")
	if err != nil {
		return application{}, "", err
	}
	var whom page[authority]
	if err := mother.Get(ctx, "/api/v1/me/authorities", &whom); err != nil {
		return application{}, "", err
	}
	i := slices.IndexFunc(whom.Items, func(one authority) bool { return one.Ground == "parent" && strings.Contains(one.Name, given) })
	if i < 0 {
		return application{}, "", fmt.Errorf("the civil registry does not say that she is the mother of %s", given)
	}
	shown, err := d.ask(ctx, mother, map[string]any{
		"service": service, "for": whom.Items[i].Subject, "answers": answers, "send": true, "language": "en",
	})
	return shown, whom.Items[i].Name, err
}

func (d *day) askPlot(ctx context.Context) (string, error) {
	shown, err := d.apply(ctx, "plot", "husband", "land/plot-lease", map[string]any{"crop": "vegetables", "area": 600})
	if err != nil {
		return "", err
	}
	if open := len(shown.Tasks); open != 2 {
		return "", fmt.Errorf("%d tasks are open", open)
	}
	return asked(shown, "deciding")
}

// measured is what the surveyor found.
func measured() map[string]any {
	return map[string]any{"measuredOn": time.Now().UTC().Format(time.DateOnly), "water": true}
}

func (d *day) surveyWithoutPhoto(ctx context.Context) (string, error) {
	_, err := d.decide(ctx, d.cast["district surveyor"], d.applications["plot"], map[string]any{"action": "recommend", "form": measured()})
	if err := forbidden(err, "photo.missing"); err != nil {
		return "", err
	}
	return "refused: " + err.Error(), nil
}

func (d *day) survey(ctx context.Context) (string, error) {
	surveyor := d.cast["district surveyor"]
	waits, err := d.task(ctx, surveyor, d.applications["plot"])
	if err != nil {
		return "", err
	}
	file, err := photograph()
	if err != nil {
		return "", err
	}
	photo, pieces, err := sendPhoto(ctx, surveyor, waits.Task.ID, file)
	if err != nil {
		return "", err
	}
	told, err := d.decide(ctx, surveyor, d.applications["plot"], map[string]any{
		"action": "recommend", "form": measured(), "photos": []string{photo},
	})
	return fmt.Sprintf("photo %s of %d bytes in %d pieces, with its place\n%s", photo, len(file), pieces, told), err
}

func (d *day) grantPlot(ctx context.Context) (string, error) {
	told, err := d.decides("plot", "district registrar-of-land", "approve")(ctx)
	if err != nil {
		return "", err
	}
	shown, err := d.shown(ctx, "plot", "husband")
	if err != nil {
		return "", err
	}
	outcome, err := granted(shown)
	return told + "\n" + outcome, err
}

func (d *day) protect(ctx context.Context) (string, error) {
	shown, err := d.apply(ctx, "order", "worker", "interior/protection-order", map[string]any{"safe": true, "what": "A synthetic text of a demonstration."})
	if err != nil {
		return "", err
	}
	if len(shown.Tasks) != 1 || shown.Tasks[0].Due.IsZero() {
		return "", errors.New("the step has no deadline")
	}
	read, err := d.task(ctx, d.cast["prevention-inspector"], shown.ID)
	if err != nil {
		return "", err
	}
	d.applications["order's task"] = read.Task.ID
	told, err := d.decides("order", "prevention-inspector", "approve")(ctx)
	return told + "\nit was due " + shown.Tasks[0].Due.UTC().Format(time.RFC3339), err
}

func (d *day) protectedReading(ctx context.Context) (string, error) {
	var told strings.Builder
	for _, one := range theSeven {
		if one.role == "prevention-inspector" {
			continue
		}
		err := d.cast[one.role].Get(ctx, "/api/v1/tasks/"+d.applications["order's task"], &task{})
		if err := forbidden(err, "access.forbidden", "task.unknown"); err != nil {
			return "", fmt.Errorf("%s: %w", one.role, err)
		}
		fmt.Fprintf(&told, "%s: %v\n", one.role, err)
	}
	return told.String(), nil
}

// help is what somebody answers who asks for one-time help.
func help(account string) map[string]any {
	return map[string]any{"reason": "illness", "price": 100_000_000, "account": account}
}

func (d *day) ownInterest(ctx context.Context) (string, error) {
	shown, err := d.apply(ctx, "brother's", "brother", "youth/one-time-help", help(accountBrother))
	if err != nil {
		return "", err
	}
	told, err := d.kept(ctx, d.cast["youth-leader"], shown)
	if err != nil {
		return "", err
	}
	path := "/api/v1/applications/" + shown.ID + "/withdraw"
	return told, d.cast["brother"].Post(ctx, path, nil, nil, unchanged(shown.Revision)...)
}

func (d *day) refuse(ctx context.Context) (string, error) {
	if _, err := d.apply(ctx, "help", "newcomer", "youth/one-time-help", help(accountNewcomer)); err != nil {
		return "", err
	}
	_, err := d.decide(ctx, d.cast["youth-leader"], d.applications["help"], map[string]any{
		"action": "refuse", "reasons": []map[string]any{{"text": "The illness that is spoken of was last year."}},
	})
	if err != nil {
		return "", err
	}
	shown, err := d.shown(ctx, "help", "newcomer")
	if err != nil {
		return "", err
	}
	if err := is(shown, "refused"); err != nil {
		return "", err
	}
	if len(shown.Because) == 0 || shown.Because[0].Text == "" || !shown.AppealUntil.After(time.Now()) {
		return "", errors.New("the refusal does not say why, or until when it can be contested")
	}
	return "refused: " + shown.Because[0].Text + "\nit can be contested until " + shown.AppealUntil.UTC().Format(time.RFC3339), nil
}

func (d *day) contest(ctx context.Context) (string, error) {
	shown, err := d.shown(ctx, "help", "newcomer")
	if err != nil {
		return "", err
	}
	path := "/api/v1/applications/" + shown.ID + "/appeal"
	err = d.cast["newcomer"].Post(ctx, path, map[string]any{"grounds": "It lasts until today."}, nil, unchanged(shown.Revision)...)
	if err != nil {
		return "", err
	}
	told, err := d.decides("help", "district youth-leader", "approve")(ctx)
	if err != nil {
		return "", err
	}
	if shown, err = d.shown(ctx, "help", "newcomer"); err != nil {
		return "", err
	}
	outcome, err := granted(shown)
	return told + "\n" + outcome, err
}

func (d *day) offered(ctx context.Context) (told string, err error) {
	registrar, err := d.as(ctx, "registrar · civil-registry")
	if err != nil {
		return "", err
	}
	var wife struct{ ID string }
	if err := d.cast["wife"].Get(ctx, "/api/v1/me", &wife); err != nil {
		return "", err
	}
	err = registrar.Post(ctx, "/api/v1/registers/civil/births/records", map[string]any{
		"reason": "a birth was told", "values": map[string]any{
			"person": ident.Random[ident.Person]().Subject(), "mother": "person:" + wife.ID, "order": 1, "sex": "female",
			"date": time.Now().UTC().AddDate(0, 0, -1).Format(time.DateOnly),
		},
	}, nil)
	if err != nil {
		return "", err
	}
	const allowance = "social/newborn-allowance"
	err = wait(ctx, func() (bool, error) {
		var offers page[struct{ Service, Application string }]
		if err := d.cast["wife"].Get(ctx, "/api/v1/me/offers", &offers); err != nil {
			return false, err
		}
		for _, one := range offers.Items {
			if one.Service == allowance {
				d.applications["newborn"] = one.Application
			}
		}
		return d.applications["newborn"] != "", nil
	})
	if err != nil {
		return "", err
	}
	draft, err := d.shown(ctx, "newborn", "wife")
	if err != nil {
		return "", err
	}
	_, err = d.cast["wife"].Send(ctx, http.MethodPatch, "/api/v1/applications/"+draft.ID,
		map[string]any{"answers": map[string]any{"account": accountWife}}, unchanged(draft.Revision)...)
	if err != nil {
		return "", err
	}
	shown, err := d.submit(ctx, "newborn", "wife")
	if err != nil {
		return "", err
	}
	return asked(shown, "deciding")
}

func (d *day) slowRegister(ctx context.Context) (told string, err error) {
	shown, err := d.apply(ctx, "care", "patient", "social/home-care", map[string]any{})
	if err != nil {
		return "", err
	}
	if shown.State == "refused" {
		return "", errors.New("a register that does not answer was taken for a no")
	}
	began, first := time.Now(), disability(shown)
	if first != "unknown" {
		return "", fmt.Errorf("the register has answered at once: %s", first)
	}
	err = wait(ctx, func() (bool, error) {
		shown, err = d.shown(ctx, "care", "patient")
		return disability(shown) == "answered", err
	})
	if err != nil {
		return "", err
	}
	told, err = asked(shown, "deciding")
	return fmt.Sprintf("at first %s, %.1f s later:\n%s", first, time.Since(began).Seconds(), told), err
}

// disability returns what is known of the answer of the register of disabilities.
func disability(of application) string {
	for _, one := range of.Evidence {
		if one.Name == "disability" {
			return one.Status
		}
	}
	return ""
}

func (d *day) accessLog(ctx context.Context) (string, error) {
	entries, err := readings(ctx, d.cast["mother"])
	if err != nil {
		return "", err
	}
	var told strings.Builder
	for _, role := range []string{"social-worker", "centre-head"} {
		i := slices.IndexFunc(entries, func(one reading) bool { return one.By.Role == role })
		if i < 0 {
			return "", fmt.Errorf("that the %s read her case does not stand in the log", role)
		}
		fmt.Fprintf(&told, "%s %s %s, for %s\n", entries[i].Type, entries[i].By.Agency, role, entries[i].Purpose)
	}
	fmt.Fprintf(&told, "%d entries", len(entries))
	return told.String(), nil
}

func (d *day) inclusion(ctx context.Context) (string, error) {
	entries, err := readings(ctx, d.cast["mother"])
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(entries, func(one reading) bool { return one.Type == "tasks.taken-along" })
	if i < 0 {
		return "", errors.New("that her case was taken along does not stand in the log any more")
	}
	return d.proven(ctx, d.cast["mother"], entries[i].Event)
}

func (d *day) export(ctx context.Context) (told string, err error) {
	registrar, err := d.as(ctx, "registrar · women-committee")
	if err != nil {
		return "", err
	}
	wife := d.cast["wife"]
	// What was granted is written into the notebook by a job of its own.
	err = wait(ctx, func() (bool, error) {
		got, err := registrar.Send(ctx, http.MethodGet, "/api/v1/registers/women/notebook/records.csv", nil)
		told = fmt.Sprintf("%d bytes of %s", len(got.Body), got.Header.Get("Content-Type"))
		return strings.Contains(string(got.Body), wife.Number), err
	})
	if err != nil {
		return "", err
	}
	entries, err := readings(ctx, wife)
	if err != nil {
		return "", err
	}
	i := slices.IndexFunc(entries, func(one reading) bool { return one.By.Role == "registrar" && one.By.Agency == "women-committee" })
	if i < 0 {
		return "", errors.New("that the notebook was written out does not stand in the wife's log")
	}
	return told + "\nshe sees event " + entries[i].Event, nil
}

package walk

import (
	"context"
	"errors"
	"fmt"
	"io"
	"net/url"
	"slices"
	"strings"
	"time"
)

// promises are what the platform promises, by number from 1.
var promises = [...]string{
	"once only", "no reading in secret", "nothing is lost, nothing is silently changed", "every decision explains itself",
	"nobody decides out of role, territory or turn", "every deadline is kept or escalates", "it works where the internet does not",
	"it degrades; it does not stop", "nobody is locked in, nobody is left out",
}

// act is something that somebody does in the day, and the promises, by number, that it shows.
type act struct {
	what  string
	shows []int
	do    func(context.Context) (told string, err error)
}

// day is a day in one mahalla: who takes part, and what they hand to each other.
type day struct {
	*walker
	home, district place
	cast           map[string]*Client // residents by what the demonstration calls them, officials by role: those of the district after "district "
	applications   map[string]string  // by what the day calls them
	written        sentAct            // what the tax inspector's device wrote down
	taken          []takenTask        // what the social worker's device took along
	licence        string             // the document of the stall's licence
}

// place is a territory.
type place struct{ code, name string }

// theSeven are the officials of a mahalla, by agency and role.
var theSeven = []post{
	{"mahalla-association", "chair"},
	{"local-administration", "hokim-assistant"},
	{"youth-agency", "youth-leader"},
	{"women-committee", "women-activist"},
	{"social-agency", "social-worker"},
	{"tax-committee", "tax-inspector"},
	{"interior-ministry", "prevention-inspector"},
}

// theDistrict are those of the district who take part in the day.
var theDistrict = []post{
	{"local-administration", "deputy"},
	{"social-agency", "centre-head"},
	{"cadastre-agency", "surveyor"},
	{"cadastre-agency", "registrar-of-land"},
	{"youth-agency", "youth-leader"},
}

// post is a role in an agency.
type post struct{ agency, role string }

// Mahalla walks through a day in one mahalla of a demonstration in which nobody has walked through it before: its seven
// officials, those of the district above them, and residents, in forty acts. Each act is printed with its ids, how long
// it took and the promises that it shows; at the end stands by which acts each promise was seen. The first act that
// fails, and a promise that no act shows, is an error.
func Mahalla(ctx context.Context, through Demonstration, out io.Writer) error {
	d := &day{
		walker: &walker{Demonstration: through, out: out, started: time.Now()},
		cast:   map[string]*Client{}, applications: map[string]string{},
	}
	shown := make([][]string, len(promises))
	var steps []step
	for i, one := range d.acts() {
		var names []string
		for _, promise := range one.shows {
			names = append(names, fmt.Sprintf("promise %d", promise))
			shown[promise-1] = append(shown[promise-1], fmt.Sprint(i+1))
		}
		steps = append(steps, step{one.what, func(ctx context.Context) (string, error) {
			told, err := one.do(ctx)
			return strings.TrimSpace(strings.TrimSpace(told) + "\n" + strings.Join(names, ", ")), err
		}})
	}
	if i := slices.IndexFunc(shown, func(by []string) bool { return len(by) == 0 }); i >= 0 {
		return fmt.Errorf("no act of the day shows promise %d", i+1)
	}
	if err := d.take(ctx, steps); err != nil {
		return err
	}
	for i, one := range promises {
		fmt.Fprintf(out, "Promise %d, %s: acts %s\n", i+1, one, strings.Join(shown[i], ", "))
	}
	fmt.Fprintf(out, "The day works: %d acts, %d officials of the mahalla, in %.1f s.\n", d.number, len(theSeven), time.Since(d.started).Seconds())
	return nil
}

// acts are the day's, in their order.
func (d *day) acts() []act {
	return []act{
		{"the Seven sign in, and the records say who they are", []int{5}, d.seven},
		{"a widow gets a certificate of residence at once and is asked nothing", []int{1}, d.residence},

		{"the tax inspector, without a connection, writes an application down for a man without a telephone", []int{7, 9}, d.dictate},
		{"the device sends it again: it is there once", []int{7}, d.dictateAgain},
		{"he confirms it himself, and is registered as self-employed at once", []int{9}, d.confirm},
		{"he asks for the licence of a stall and brings no certificate of his registration", []int{1}, d.askStall},
		{"the assistant to the hokim sees that there is room and recommends", nil, d.decides("stall", "hokim-assistant", "recommend")},
		{"the deputy of the district decides: the licence is in force", nil, d.grantStall},
		{"the assistant proposes to suspend the licence, and may not decide on it", []int{5}, d.proposeSuspension},
		{"the deputy suspends it, and the open list of licences says so", nil, d.suspend},

		{"a wife without work asks for equipment for work at home", []int{1}, d.askEquipment},
		{"the women's activist asks her a question: the clock of the step stands still", []int{6}, d.question},
		{"she answers: the clock runs again", []int{6}, d.answer},
		{"the women's activist visits her and recommends", nil, d.decides("equipment", "women-activist", "recommend")},
		{"the chair approves, and the decision says its rules, its evidence and its law", []int{4}, d.approveEquipment},
		{"neither the activist nor the chair nor the wife can release the payment", []int{5}, d.refuseRelease},
		{"a treasurer releases it once the bank has said whose account it is, and it is paid", []int{5}, d.payEquipment},

		{"a mother alone with two children asks for the monthly allowance", []int{1}, d.askAllowance},
		{"the social worker takes the day's tasks along: that is recorded before the tablet has them", []int{2, 7}, d.takeAlong},
		{"the social worker recommends at the family's home, without a connection; sent twice, it counts once", []int{7}, d.recommendOffline},
		{"the head of the centre approves: the first month is paid", nil, d.payAllowance},
		{"the mother asks for a place in a nursery for her son and sees where he stands and why", []int{4}, d.askNursery},
		{"she accepts the place", []int{6}, d.acceptNursery},
		{"she gets a certificate for her daughter: the civil registry says that she is her mother", []int{1, 9}, d.forDaughter},

		{"a resident asks for a farm plot, and two agencies work on it at the same time", []int{1}, d.askPlot},
		{"the assistant to the hokim recommends", nil, d.decides("plot", "hokim-assistant", "recommend")},
		{"a survey without a photo of the place is not taken", nil, d.surveyWithoutPhoto},
		{"the surveyor sends the photo in pieces, the second twice, and recommends", []int{7}, d.survey},
		{"the registrar of land grants the lease", nil, d.grantPlot},

		{"somebody in danger asks for a protection order, and the prevention inspector gives it", []int{6}, d.protect},
		{"nobody else of the Seven can read that case", []int{5}, d.protectedReading},
		{"the youth leader cannot read her own brother's case", []int{5}, d.ownInterest},
		{"the youth leader refuses somebody else, and the refusal says why and how to contest it", []int{4}, d.refuse},
		{"he contests it; the youth leader of the district, not the same one, grants it", []int{4, 5}, d.contest},

		{"a birth is registered, and the platform offers the mother the allowance: she only says where to pay", []int{1}, d.offered},
		{"the social worker approves it", nil, d.decides("newborn", "social-worker", "approve")},
		{"a register is slow and fails: the application is kept, nobody is refused, and the answer comes later", []int{8}, d.slowRegister},

		{"the mother sees who read what of hers, when and for what", []int{2}, d.accessLog},
		{"an entry of it is in the log that witnesses outside have cosigned", []int{3}, d.inclusion},
		{"the women's notebook leaves in an open format, and whoever stands in it sees that", []int{2, 9}, d.export},
	}
}

// persona signs in somebody of the demonstration's story, once.
func (d *day) persona(ctx context.Context, name string) (*Client, error) {
	if known := d.cast[name]; known != nil {
		return known, nil
	}
	found, err := d.as(ctx, name)
	if err == nil {
		d.cast[name] = found
	}
	return found, err
}

// appointment is a post that somebody holds.
type appointment struct{ ID, Agency, Role, Territory string }

// held returns the posts that somebody holds by the server's records.
func held(ctx context.Context, who *Client) ([]appointment, error) {
	var page page[appointment]
	err := who.Get(ctx, "/api/v1/me/appointments", &page)
	return page.Items, err
}

// officials signs in those who hold the posts in a territory, and calls each by this and their role.
func (d *day) officials(ctx context.Context, called string, at place, posts []post) error {
	for _, wanted := range posts {
		about := wanted.role + " · " + wanted.agency + " · " + at.code // a list shows some thirty people
		_, err := SignInWhere(ctx, d.Site, d.SignInPath, d.Client, about, func(c *Client) (bool, error) {
			posts, err := held(ctx, c)
			is := slices.ContainsFunc(posts, func(one appointment) bool {
				return one.Agency == wanted.agency && one.Role == wanted.role && one.Territory == at.code
			})
			if is {
				d.cast[called+wanted.role] = c
			}
			return is, err
		})
		if err != nil {
			return fmt.Errorf("%s of %s in %s: %w", wanted.role, wanted.agency, at.name, err)
		}
	}
	return nil
}

// territory returns a territory by its code.
func (d *day) territory(ctx context.Context, code string) (place, error) {
	var found struct{ Code, Name string }
	err := NewClient(d.Site).Get(ctx, "/api/v1/territories?code="+url.QueryEscape(code), &found)
	return place{found.Code, found.Name}, err
}

func (d *day) seven(ctx context.Context) (string, error) {
	chair, err := d.as(ctx, "· chair ·")
	if err != nil {
		return "", err
	}
	posts, err := held(ctx, chair)
	if err != nil {
		return "", err
	}
	if len(posts) != 1 || posts[0].Role != "chair" {
		return "", errors.New("the chair of the story holds another post: is this a demonstration?")
	}
	if d.home, err = d.territory(ctx, posts[0].Territory); err != nil {
		return "", err
	}
	above, _, _ := strings.Cut(d.home.code, "-")
	if d.district, err = d.territory(ctx, above); err != nil {
		return "", err
	}
	if err := d.officials(ctx, "", d.home, theSeven); err != nil {
		return "", err
	}
	if err := d.officials(ctx, "district ", d.district, theDistrict); err != nil {
		return "", err
	}
	told := d.home.name + ", " + d.district.name
	for _, one := range theSeven {
		told += fmt.Sprintf("\n%s: %s", one.role, d.cast[one.role].Name)
	}
	return told, nil
}

// apply sends an application of a persona and keeps it under a name.
func (d *day) apply(ctx context.Context, name, persona, service string, answers map[string]any) (application, error) {
	who, err := d.persona(ctx, persona)
	if err != nil {
		return application{}, err
	}
	shown, err := d.immediate(ctx, who, service, answers)
	d.applications[name] = shown.ID
	return shown, err
}

// shown returns an application as its applicant sees it now.
func (d *day) shown(ctx context.Context, name, persona string) (found application, err error) {
	return found, d.cast[persona].Get(ctx, "/api/v1/applications/"+d.applications[name], &found)
}

// decides is the act in which an official reads the task of an application and decides it.
func (d *day) decides(name, role, action string) func(context.Context) (string, error) {
	return func(ctx context.Context) (string, error) {
		return d.decide(ctx, d.cast[role], d.applications[name], map[string]any{"action": action})
	}
}

// is holds an application to a state.
func is(shown application, state string) error {
	if shown.State != state {
		return fmt.Errorf("the application %s is %s because of %v, not %s: has the day been walked through here before?", shown.ID, shown.State, shown.Because, state)
	}
	return nil
}

// asked tells of an application that was sent: what its registers answered.
func asked(shown application, state string) (string, error) {
	told := fmt.Sprintf("application %s, %s", shown.ID, shown.State)
	for _, one := range shown.Evidence {
		told += fmt.Sprintf("\n%s: %s, answered by %s", one.Title, one.Status, one.Agency)
	}
	return told, is(shown, state)
}

// granted tells of an application that was granted: its document and its payment order.
func granted(shown application) (string, error) {
	if err := is(shown, "granted"); err != nil {
		return "", err
	}
	told := "application " + shown.ID + ", granted"
	if shown.Granted.Document != "" {
		told += "\ndocument " + shown.Granted.Document
	}
	if shown.Granted.Order != "" {
		told += fmt.Sprintf("\npayment order %s of %d.%02d", shown.Granted.Order, shown.Granted.Payment/100, shown.Granted.Payment%100)
	}
	return told, nil
}

package script

import (
	"context"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/rogpeppe/go-internal/testscript"

	"yagona/node"
	"yagona/packs"
	"yagona/packs/uz"
	"yagona/store/query"
)

// live lets an installation of synthetic people begin so many months ago, publish its log, and rest since: live FOLDER
// MONTHS. It sets MONTH to the month of that day, and THIS to the month of today.
func live(ts *testscript.TestScript, negated bool, args []string) {
	if negated || len(args) != 2 {
		ts.Fatalf("usage: live FOLDER MONTHS")
	}
	ctx := context.Background()
	months, err := strconv.Atoi(args[1])
	ts.Check(err)
	site, err := url.Parse("http://127.0.0.1:8080")
	ts.Check(err)
	opened, err := node.OpenDemonstration(ctx, node.Config{
		Folder: ts.MkAbs(args[0]), Site: site, Country: uz.Files, Packs: packs.All(), Volatile: true,
		Clock: func() time.Time { return time.Now().AddDate(0, -months, 0) },
	}, 40)
	ts.Check(err)
	opened.Start(ctx)
	for deadline := time.Now().Add(2 * time.Minute); ; time.Sleep(50 * time.Millisecond) {
		done := false
		ts.Check(opened.DB.View(ctx, func(tx *query.Tx) error {
			waiting, _, err := tx.WaitingEvents()
			if err != nil {
				return err
			}
			head, err := tx.LogHead()
			done = waiting == 0 && strings.Contains(string(head.Published), "\n"+strconv.FormatInt(head.Size, 10)+"\n")
			return err
		}))
		if done {
			break
		}
		if time.Now().After(deadline) {
			ts.Fatalf("the log was not published")
		}
	}
	location := opened.Profile.Location
	ts.Check(opened.Close())
	ts.Setenv("MONTH", time.Now().AddDate(0, -months, 0).In(location).Format("2006-01"))
	ts.Setenv("THIS", time.Now().In(location).Format("2006-01"))
}

// Command pocketbase is PocketBase as a framework, with the collections and the one route that the comparison needs. It
// writes a file of tokens at its first start. PEERS_SYNCHRONOUS=FULL opens its database with that durability instead of
// its own, which is NORMAL.
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"time"

	"github.com/pocketbase/dbx"
	"github.com/pocketbase/pocketbase"
	"github.com/pocketbase/pocketbase/core"
	"github.com/pocketbase/pocketbase/tools/types"
)

const (
	people = 64
	owner  = "@request.auth.id != '' && applicant = @request.auth.id"
)

func main() {
	config := pocketbase.Config{}
	if level := os.Getenv("PEERS_SYNCHRONOUS"); level != "" {
		config.DBConnect = func(path string) (*dbx.DB, error) {
			return dbx.Open("sqlite", path+"?_pragma=busy_timeout(10000)&_pragma=journal_mode(WAL)&_pragma=journal_size_limit(200000000)"+
				"&_pragma=synchronous("+level+")&_pragma=foreign_keys(ON)&_pragma=temp_store(MEMORY)&_pragma=cache_size(-32000)")
		}
	}
	app := pocketbase.NewWithConfig(config)
	app.OnServe().BindFunc(func(event *core.ServeEvent) error {
		if err := lay(app); err != nil {
			return err
		}
		event.Router.POST("/submit", submit)
		return event.Next()
	})
	if err := app.Start(); err != nil {
		log.Fatal(err)
	}
}

// lay makes the collections and the people at the first start.
func lay(app core.App) error {
	path := filepath.Join(app.DataDir(), "tokens.json")
	if _, err := os.Stat(path); err == nil {
		return nil
	}
	users, err := app.FindCollectionByNameOrId("users")
	if err != nil {
		return err
	}
	users.Fields.Add(&core.TextField{Name: "birth"})
	users.AuthToken.Duration = 7 * 24 * 3600
	if err := app.Save(users); err != nil {
		return err
	}
	applicant := &core.RelationField{Name: "applicant", CollectionId: users.Id, MaxSelect: 1, Required: true}
	for name, fields := range map[string][]core.Field{
		"cases": {
			&core.TextField{Name: "trade", Required: true, Max: 200}, &core.TextField{Name: "text", Max: 2000},
			&core.SelectField{Name: "state", Values: []string{"open", "granted", "refused"}, MaxSelect: 1, Required: true},
		},
		"register": {&core.TextField{Name: "trade", Required: true}, &core.DateField{Name: "since", Required: true}},
		"journal":  {&core.TextField{Name: "type", Required: true}, &core.TextField{Name: "object", Required: true}},
	} {
		collection := core.NewBaseCollection(name)
		relation := *applicant
		collection.Fields.Add(&relation)
		collection.Fields.Add(fields...)
		collection.Fields.Add(&core.AutodateField{Name: "created", OnCreate: true})
		collection.AddIndex("idx_"+name+"_applicant", false, "applicant", "")
		collection.ViewRule = types.Pointer(owner)
		if name == "cases" {
			collection.CreateRule = types.Pointer(owner)
		}
		if err := app.Save(collection); err != nil {
			return err
		}
	}
	var tokens []map[string]string
	for i := range people {
		user := core.NewRecord(users)
		user.SetEmail(fmt.Sprintf("synthetic%d@example.org", i))
		user.SetRandomPassword()
		user.Set("birth", "1990-05-01")
		user.SetVerified(true)
		if err := app.Save(user); err != nil {
			return err
		}
		token, err := user.NewAuthToken()
		if err != nil {
			return err
		}
		tokens = append(tokens, map[string]string{"id": user.Id, "token": token})
	}
	encoded, err := json.Marshal(tokens)
	if err != nil {
		return err
	}
	return os.WriteFile(path, encoded, 0o600)
}

// submit validates, evaluates, and writes case, register and journal in one transaction.
func submit(e *core.RequestEvent) error {
	if e.Auth == nil {
		return e.UnauthorizedError("Sign in.", nil)
	}
	var sent struct {
		Trade string `json:"trade"`
		Text  string `json:"text"`
	}
	if err := e.BindBody(&sent); err != nil || strings.TrimSpace(sent.Trade) == "" {
		return e.BadRequestError("Say which trade.", err)
	}
	var id, state string
	err := e.App.RunInTransaction(func(tx core.App) error {
		user, err := tx.FindRecordById("users", e.Auth.Id) // the evidence
		if err != nil {
			return err
		}
		if _, err := tx.FindRecordsByFilter("register", "applicant = {:who}", "-created", 1, 0, dbx.Params{"who": user.Id}); err != nil {
			return err
		}
		birth, err := time.Parse(time.DateOnly, user.GetString("birth"))
		if err != nil {
			return err
		}
		if state = "granted"; birth.AddDate(16, 0, 0).After(time.Now()) {
			state = "refused"
		}
		write := func(into string, values map[string]any) (string, error) {
			collection, err := tx.FindCachedCollectionByNameOrId(into)
			if err != nil {
				return "", err
			}
			record := core.NewRecord(collection)
			record.Set("applicant", user.Id)
			for name, value := range values {
				record.Set(name, value)
			}
			if err := tx.Save(record); err != nil {
				return "", err
			}
			return record.Id, nil
		}
		if id, err = write("cases", map[string]any{"trade": sent.Trade, "text": sent.Text, "state": state}); err != nil {
			return err
		}
		if state == "granted" {
			if _, err := write("register", map[string]any{"trade": sent.Trade, "since": types.NowDateTime()}); err != nil {
				return err
			}
		}
		_, err = write("journal", map[string]any{"type": "application.submitted", "object": id})
		return err
	})
	if err != nil {
		return err
	}
	return e.JSON(http.StatusOK, map[string]string{"id": id, "state": state})
}

// Package node owns one installation: it opens the stores and the keys, loads the country and its packs, wires the
// kernel's packages to each other and to the pages, and runs what works in the background.
//
// It holds no rule of its own. What a package needs of another stands in that package's interfaces; here they meet.
package node

import (
	"io/fs"
	"log/slog"
	"net/netip"
	"net/url"

	"go.opentelemetry.io/otel/trace"

	"yagona/kernel/act"
	"yagona/kernel/journal"
	"yagona/kernel/ledger"
	"yagona/kernel/notice"
	"yagona/kernel/practice"
	"yagona/pack"
	"yagona/web/provider"
	"yagona/web/route"
)

// Config is what an installation is made of.
type Config struct {
	// Folder holds everything that is kept: the signing keys, and unless they are on a server the database and the
	// subjects' keys. Required.
	Folder string
	// Database and SubjectKeys are the addresses of two PostgreSQL databases (postgres://…), which several processes may
	// share; they must then share the keys in the folder, too. Empty: files in the folder.
	Database, SubjectKeys string
	// Archive is the folder of the months that were moved out of the database; empty: "archive" in Folder.
	Archive string
	// KeepJournal is for how many months the journal stays at hand after the end of each; zero: archive.DefaultKeep.
	KeepJournal int
	// Site is the address by which people reach the installation, without a path: "https://services.example". Required.
	Site *url.URL
	// Country is the country profile's folder. Required.
	Country fs.FS
	// Boundaries are the outlines of its territories as GeoJSON, for maps; empty: maps are made of tiles.
	Boundaries []byte
	// Packs come with the installation.
	Packs []pack.Source
	// Witnesses cosign the log; Quorum of them must. Without any the log is unwitnessed, and says so.
	Witnesses []Witness
	Quorum    int
	// LogNumber counts the logs that the installation has had under its host: 1 or zero, the first; more, once a new one had
	// to begin because what witnesses had cosigned was lost.
	LogNumber int
	// Provider proves who people are; with Demonstration set and Provider zero, the demonstration's own.
	Provider Provider
	// Demonstration makes this an installation of synthetic people: the built-in sign-in, the gallery, a simulated
	// bank, the adapters' test doubles. It must never hold real people's data.
	Demonstration bool
	// Practice makes a demonstration a practice ground: its pages say so, and officials learn on it. Nil: it is none.
	Practice *Practice
	// People are those whom the demonstration's sign-in offers.
	People provider.People
	// Bank carries payments out. Required outside a demonstration if a service pays.
	Bank ledger.Bank
	// Till is the payment system by which people pay fees; nil: none, except in a demonstration, which has its own.
	Till ledger.Collector
	// Limits are how many costly requests one visitor may make in a minute; zero: as package route says.
	Limits route.Limits
	// Proxies are the networks of the proxies before the installation, which are believed whom they speak for.
	Proxies []netip.Prefix
	// Messages are the ways by which notices leave the house: "email", "sms", "telegram". Without any nothing is sent; a
	// demonstration without any writes what it would have sent into messages.log in its folder.
	Messages map[string]notice.Carrier
	// Secrets are what adapters send as {secret.NAME}.
	Secrets map[string]string
	// DiskReserve is how many bytes must be free on the folder's disk for the node to be ready.
	DiskReserve int64
	// Traces makes spans of requests, acts and jobs; nil: none are made.
	Traces trace.TracerProvider
	Clock  act.Clock    // required
	Log    *slog.Logger // nil: none
	// Durable false lets a commit be lost when the machine loses power: for tests only.
	Volatile bool
}

// Practice is what a practice ground has beside a demonstration.
type Practice struct {
	Residents practice.Residents  // whom officials practise with
	Again     func(journal.Actor) // lays the ground out anew, as package practice says
}

// Witness is someone outside the operator's hands who cosigns the log.
type Witness struct {
	URL string // of its tlog-witness interface
	Key string // its verifier key, as it prints it: "name+hash+key"
}

// Provider is an OpenID Connect provider.
type Provider struct {
	Issuer string // its address, as its ID tokens name it
	Client string // the installation's client id there
	Secret string
	Number string // the claim that carries the national number
}

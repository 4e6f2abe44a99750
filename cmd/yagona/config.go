package main

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"maps"
	"net/netip"
	"net/url"
	"os"
	"reflect"
	"regexp"
	"slices"
	"strings"

	"github.com/caarlos0/env/v11"
	"github.com/goccy/go-yaml"

	"yagona/kernel/archive"
	"yagona/node"
	"yagona/packs"
	"yagona/packs/uz"
	"yagona/std/c2sp"
	"yagona/store"
	"yagona/web/route"
)

// Config is the configuration of yagona serve. It is read from the file that --config names, then from the environment,
// then from flags: what comes later counts. A key that is not listed here is an error.
//
//	folder: /var/lib/yagona            # YAGONA_FOLDER    everything that is kept. Required.
//	database: postgres://…             # YAGONA_DATABASE  a PostgreSQL database, which several processes may serve; without it a file in the folder
//	subject-keys: postgres://…         # YAGONA_SUBJECT_KEYS   another one, for the subjects' keys. Required with database.
//	site: https://services.example     # YAGONA_SITE      the address by which people reach it. Required.
//	listen: 127.0.0.1:8080             # YAGONA_LISTEN    where to listen; put a proxy with TLS before it
//	proxies: [192.0.2.10, 10.0.0.0/8]  # YAGONA_PROXIES   addresses or networks of the proxies before it: they are believed whom they speak for (X-Forwarded-For), nobody else is
//	limits:                            # how many costly requests one visitor may make in a minute: all that changes something, searches, asks or draws
//	  person: 120                      # YAGONA_LIMITS_PERSON    who is signed in, with a browser
//	  program: 3000                    # YAGONA_LIMITS_PROGRAM   who is signed in, with a program
//	  address: 300                     # YAGONA_LIMITS_ADDRESS   all who are not signed in and come from one address, which many may share
//	country: /etc/yagona/country       # YAGONA_COUNTRY   the country profile's folder; without it the shipped one
//	boundaries: /etc/yagona/map.json   # YAGONA_BOUNDARIES   the territories' outlines for maps: GeoJSON, each feature with the property "code"; without it, tiles
//	packs: [/etc/yagona/packs/civil]   # YAGONA_PACKS     folders of packs, separated by commas
//	shipped-packs: true                # YAGONA_SHIPPED_PACKS   whether the shipped packs are loaded, too
//	witnesses:                         # who cosigns the log; YAGONA_WITNESSES_0_URL, YAGONA_WITNESSES_0_KEY, …_1_…
//	  - url: https://witness.example
//	    key: witness.example/1+0a1b2c3d+BJ…
//	quorum: 1                          # YAGONA_QUORUM    how many of them must; without it, all
//	log-number: 1                      # YAGONA_LOG_NUMBER   which log of this host it is: more than 1 once a restoration had to begin a new one
//	sign-in:                           # the OpenID Connect provider that proves who people are
//	  issuer: https://id.example       # YAGONA_SIGN_IN_ISSUER
//	  client: yagona                   # YAGONA_SIGN_IN_CLIENT
//	  secret: "…"                      # YAGONA_SIGN_IN_SECRET   better in the environment than in the file
//	  number: national_id              # YAGONA_SIGN_IN_NUMBER   the claim that carries the national number
//	bank: simulated                    # YAGONA_BANK      for a rehearsal: no money moves. Without it payments wait
//	bank-accounts: accounts.csv        # YAGONA_BANK_ACCOUNTS   what the simulated bank knows: account,number,name
//	secrets:                           # YAGONA_SECRETS=NAME:value,…   what adapters send as {secret.NAME}
//	  CIVIL_TOKEN: "…"
//	messages:                          # by which notices leave the house; without any of them nothing is sent
//	  email:
//	    server: mail.example:587       # YAGONA_MESSAGES_EMAIL_SERVER    SMTP, with STARTTLS
//	    tls: false                     # YAGONA_MESSAGES_EMAIL_TLS       true: TLS from the first byte (port 465)
//	    user: yagona                   # YAGONA_MESSAGES_EMAIL_USER
//	    password: "…"                  # YAGONA_MESSAGES_EMAIL_PASSWORD  better in the environment than in the file
//	    from: noreply@services.example # YAGONA_MESSAGES_EMAIL_FROM
//	  sms:                             # an operator's HTTP gateway
//	    url: https://gateway.example/messages           # YAGONA_MESSAGES_SMS_URL
//	    method: POST                                    # YAGONA_MESSAGES_SMS_METHOD
//	    type: application/json                          # YAGONA_MESSAGES_SMS_TYPE, or application/x-www-form-urlencoded
//	    body: '{"phone": "{to}", "message": "{text}"}'  # YAGONA_MESSAGES_SMS_BODY; also {id}
//	    header: {Authorization: "Bearer …"}             # YAGONA_MESSAGES_SMS_HEADER=NAME:value,…
//	    receipt: message_id                             # YAGONA_MESSAGES_SMS_RECEIPT   where the answer has the gateway's id
//	    status:                                         # where the gateway tells what became of a message
//	      url: https://gateway.example/messages/{receipt}   # YAGONA_MESSAGES_SMS_STATUS_URL
//	      member: status                                # YAGONA_MESSAGES_SMS_STATUS_MEMBER
//	      delivered: DELIVERED                          # YAGONA_MESSAGES_SMS_STATUS_DELIVERED
//	      failed: FAILED                                # YAGONA_MESSAGES_SMS_STATUS_FAILED
//	  telegram:
//	    bot: yagona_bot                # YAGONA_MESSAGES_TELEGRAM_BOT    its name, without the @
//	    token: "…"                     # YAGONA_MESSAGES_TELEGRAM_TOKEN  better in the environment than in the file
//	archive: /srv/archive              # YAGONA_ARCHIVE          folder of the months that were moved out of the database; without it "archive" in the folder
//	keep-journal: 36                   # YAGONA_KEEP_JOURNAL     for how many months after its end a month of the journal stays in the database; 2 or more
//	log: info                          # YAGONA_LOG       debug, info, warn or error; lines of JSON on standard error
//	operator-listen: 127.0.0.1:9090    # YAGONA_OPERATOR_LISTEN   where /metrics, /healthz and /readyz answer the operator; without it, nowhere
//	disk-reserve: 256                  # YAGONA_DISK_RESERVE      MiB that must be free on the folder's disk for the node to be ready
//	traces:                            # OpenTelemetry; off unless "to" is given
//	  to: http://127.0.0.1:4318        # YAGONA_TRACES_TO         the collector's address for OTLP over HTTP
//	  share: 0.01                      # YAGONA_TRACES_SHARE      the share of requests and jobs that are traced, 0 to 1
type Config struct {
	Folder       string            `yaml:"folder" env:"FOLDER"`
	Database     string            `yaml:"database" env:"DATABASE" secret:"true"`
	SubjectKeys  string            `yaml:"subject-keys" env:"SUBJECT_KEYS" secret:"true"`
	Site         string            `yaml:"site" env:"SITE"`
	Listen       string            `yaml:"listen" env:"LISTEN"`
	Proxies      []string          `yaml:"proxies" env:"PROXIES"`
	Limits       LimitsConfig      `yaml:"limits" envPrefix:"LIMITS_"`
	Country      string            `yaml:"country" env:"COUNTRY"`
	Boundaries   string            `yaml:"boundaries" env:"BOUNDARIES"`
	Packs        []string          `yaml:"packs" env:"PACKS"`
	ShippedPacks bool              `yaml:"shipped-packs" env:"SHIPPED_PACKS"`
	Witnesses    []WitnessConfig   `yaml:"witnesses" envPrefix:"WITNESSES_"`
	Quorum       *int              `yaml:"quorum" env:"QUORUM" example:"1"`
	LogNumber    int               `yaml:"log-number" env:"LOG_NUMBER" example:"1"`
	SignIn       SignInConfig      `yaml:"sign-in" envPrefix:"SIGN_IN_"`
	Bank         string            `yaml:"bank" env:"BANK"`
	BankAccounts string            `yaml:"bank-accounts" env:"BANK_ACCOUNTS"`
	Secrets      map[string]string `yaml:"secrets" env:"SECRETS" secret:"true"`
	Archive      string            `yaml:"archive" env:"ARCHIVE"`
	KeepJournal  int               `yaml:"keep-journal" env:"KEEP_JOURNAL" example:"36"`
	Messages     MessagesConfig    `yaml:"messages" envPrefix:"MESSAGES_"`
	Log          slog.Level        `yaml:"log" env:"LOG" example:"info"`

	OperatorListen string       `yaml:"operator-listen" env:"OPERATOR_LISTEN"`
	DiskReserve    int64        `yaml:"disk-reserve" env:"DISK_RESERVE" example:"256"`
	Traces         TracesConfig `yaml:"traces" envPrefix:"TRACES_"`
}

// LimitsConfig is how many costly requests one visitor may make in a minute, at each process.
type LimitsConfig struct {
	Person  int `yaml:"person" env:"PERSON" example:"120"`
	Program int `yaml:"program" env:"PROGRAM" example:"3000"`
	Address int `yaml:"address" env:"ADDRESS" example:"300"`
}

// TracesConfig says where spans go.
type TracesConfig struct {
	To    string  `yaml:"to" env:"TO"`
	Share float64 `yaml:"share" env:"SHARE" example:"0.01"`
}

// MessagesConfig says by what messages leave the house.
type MessagesConfig struct {
	Email    EmailConfig    `yaml:"email" envPrefix:"EMAIL_"`
	SMS      SMSConfig      `yaml:"sms" envPrefix:"SMS_"`
	Telegram TelegramConfig `yaml:"telegram" envPrefix:"TELEGRAM_"`
}

// EmailConfig is an SMTP server.
type EmailConfig struct {
	Server   string `yaml:"server" env:"SERVER"`
	TLS      bool   `yaml:"tls" env:"TLS"`
	User     string `yaml:"user" env:"USER"`
	Password string `yaml:"password" env:"PASSWORD" secret:"true"`
	From     string `yaml:"from" env:"FROM"`
}

// SMSConfig is an operator's HTTP gateway.
type SMSConfig struct {
	URL     string            `yaml:"url" env:"URL"`
	Method  string            `yaml:"method" env:"METHOD"`
	Type    string            `yaml:"type" env:"TYPE"`
	Body    string            `yaml:"body" env:"BODY"`
	Header  map[string]string `yaml:"header" env:"HEADER" secret:"true"`
	Receipt string            `yaml:"receipt" env:"RECEIPT"`
	Status  SMSStatusConfig   `yaml:"status" envPrefix:"STATUS_"`
}

// SMSStatusConfig is where the gateway tells what became of a message.
type SMSStatusConfig struct {
	URL       string `yaml:"url" env:"URL"`
	Member    string `yaml:"member" env:"MEMBER"`
	Delivered string `yaml:"delivered" env:"DELIVERED"`
	Failed    string `yaml:"failed" env:"FAILED"`
}

// TelegramConfig is a bot.
type TelegramConfig struct {
	Bot   string `yaml:"bot" env:"BOT"`
	Token string `yaml:"token" env:"TOKEN" secret:"true"`
}

// WitnessConfig is a witness of the log.
type WitnessConfig struct {
	URL string `yaml:"url" env:"URL"`
	Key string `yaml:"key" env:"KEY"`
}

// SignInConfig is the OpenID Connect provider.
type SignInConfig struct {
	Issuer string `yaml:"issuer" env:"ISSUER"`
	Client string `yaml:"client" env:"CLIENT"`
	Secret string `yaml:"secret" env:"SECRET" secret:"true"`
	Number string `yaml:"number" env:"NUMBER"`
}

// readConfig reads the file ("": none) and the environment.
func readConfig(path string) (Config, error) {
	config := Config{Listen: "127.0.0.1:8080", ShippedPacks: true, DiskReserve: 256, KeepJournal: archive.DefaultKeep, Traces: TracesConfig{Share: 0.01}, Limits: LimitsConfig{Person: 120, Program: 3000, Address: 300}}
	if path != "" {
		content, err := os.ReadFile(path)
		if err != nil {
			return Config{}, err
		}
		if err := decodeConfig(path, content, &config); err != nil {
			return Config{}, err
		}
	}
	if err := checkEnvironment(os.Environ()); err != nil {
		return Config{}, err
	}
	err := env.ParseWithOptions(&config, env.Options{Prefix: environmentPrefix})
	return config, err
}

const environmentPrefix = "YAGONA_"

// checkEnvironment refuses variables that begin like the configuration's and are none of it, for a mistyped one would be
// missed in silence, and values of another kind than theirs. Tests have their own, YAGONA_TEST_… and YAGONA_FAULT_….
func checkEnvironment(environment []string) error {
	known := map[string]setting{}
	for _, one := range settings(reflect.TypeFor[Config](), "", environmentPrefix) {
		known[one.Variable] = one
	}
	var unknown []string
	for _, one := range environment {
		name, value, _ := strings.Cut(one, "=")
		if !strings.HasPrefix(name, environmentPrefix) || strings.HasPrefix(name, "YAGONA_TEST_") || strings.HasPrefix(name, "YAGONA_FAULT_") {
			continue
		}
		of, ok := known[numbers.ReplaceAllString(name, "_0_")]
		if !ok {
			unknown = append(unknown, name)
		} else if value != "" { // an empty one is as if it were not set
			if err := of.check(value); err != nil {
				return fmt.Errorf("%s: %w", name, err)
			}
		}
	}
	if len(unknown) == 0 {
		return nil
	}
	slices.Sort(unknown)
	return fmt.Errorf("the environment has %s, which the configuration does not know: correct or unset it; the known ones are %s",
		strings.Join(unknown, ", "), strings.Join(slices.Sorted(maps.Keys(known)), ", "))
}

var numbers = regexp.MustCompile(`_[0-9]+_`)

// effective returns the configuration in force as YAML, without its secrets: that one is set shows, its value does not.
func (c Config) effective() (string, error) {
	hide(reflect.ValueOf(&c).Elem())
	encoded, err := yaml.Marshal(c)
	return string(encoded), err
}

const hidden = "(set)"

// hide replaces the values of the fields that are tagged as secret.
func hide(in reflect.Value) {
	for field, value := range in.Fields() {
		switch secret := field.Tag.Get("secret") != ""; {
		case secret && value.Kind() == reflect.Map:
			shown := map[string]string{}
			for _, name := range value.MapKeys() {
				shown[name.String()] = hidden
			}
			value.Set(reflect.ValueOf(shown))
		case secret && value.Len() > 0:
			value.SetString(hidden)
		case value.Kind() == reflect.Struct:
			hide(value)
		case value.Kind() == reflect.Slice && value.Type().Elem().Kind() == reflect.Struct:
			copied := reflect.MakeSlice(value.Type(), value.Len(), value.Len())
			reflect.Copy(copied, value)
			value.Set(copied)
			for i := range copied.Len() {
				hide(copied.Index(i))
			}
		}
	}
}

// decodeConfig reads a configuration file strictly. An error is file:line:column: what is wrong: what to do. It does not
// show the file's values, which may be secret, but numbers and the like.
func decodeConfig(path string, content []byte, into *Config) error {
	if err := checkFile(path, content); err != nil {
		return err
	}
	decoder := yaml.NewDecoder(bytes.NewReader(content), yaml.Strict(), yaml.DisallowUnknownField())
	err := decoder.Decode(into)
	if err == nil || errors.Is(err, io.EOF) {
		return nil
	}
	located, ok := errors.AsType[yaml.Error](err)
	if !ok || located.GetToken() == nil {
		return fmt.Errorf("%s:1:1: it cannot be read: %w", path, err)
	}
	what, hint := "this is not YAML as a configuration has it", "look at the reference of the configuration"
	if _, ok := errors.AsType[*yaml.UnknownFieldError](err); ok {
		what, hint = fmt.Sprintf("there is no key %q", located.GetToken().Value), "correct it, or remove it"
	} else if _, ok := errors.AsType[*yaml.DuplicateKeyError](err); ok {
		what, hint = fmt.Sprintf("the key %q stands here twice", located.GetToken().Value), "remove one"
	} else if _, ok := errors.AsType[*yaml.TypeError](err); ok {
		what, hint = "the value is of another kind than this key takes", "look at the reference of the configuration"
	}
	at := located.GetToken().Position
	return fmt.Errorf("%s:%d:%d: %s: %s", path, at.Line, at.Column, what, hint)
}

// node returns the configuration as an installation takes it, but for its clock and its log.
func (c Config) node() (node.Config, error) {
	var missing []string
	for name, value := range map[string]string{
		"folder": c.Folder, "site": c.Site, "sign-in.issuer": c.SignIn.Issuer, "sign-in.client": c.SignIn.Client, "sign-in.number": c.SignIn.Number,
	} {
		if value == "" {
			missing = append(missing, name)
		}
	}
	if len(missing) > 0 {
		slices.Sort(missing)
		return node.Config{}, fmt.Errorf("the configuration lacks %s: give them in the file, in the environment or as flags", strings.Join(missing, ", "))
	}
	site, err := url.Parse(c.Site)
	if err != nil || site.Scheme != "https" && site.Scheme != "http" || site.Host == "" || strings.Trim(site.Path, "/") != "" {
		return node.Config{}, fmt.Errorf("site: %q is not an address like https://services.example, without a path", c.Site)
	}
	site.Path = ""
	if err := store.Check(c.Database, c.SubjectKeys); err != nil {
		return node.Config{}, err
	}
	if c.DiskReserve < 0 {
		return node.Config{}, fmt.Errorf("disk-reserve: %d MiB cannot be kept free: give a number from 0 on", c.DiskReserve)
	}
	config := node.Config{
		DiskReserve: c.DiskReserve << 20, Folder: c.Folder, Database: c.Database, SubjectKeys: c.SubjectKeys, Site: site, Country: uz.Files, Secrets: c.Secrets,
		Provider: node.Provider{Issuer: c.SignIn.Issuer, Client: c.SignIn.Client, Secret: c.SignIn.Secret, Number: c.SignIn.Number},
	}
	if c.Country != "" {
		config.Country = os.DirFS(c.Country)
	}
	if c.Boundaries != "" {
		if config.Boundaries, err = os.ReadFile(c.Boundaries); err != nil {
			return node.Config{}, fmt.Errorf("boundaries: %w", err)
		}
	}
	for _, text := range c.Proxies {
		network, err := networkOf(text)
		if err != nil {
			return node.Config{}, fmt.Errorf("proxies: %q is neither an address nor a network like 10.0.0.0/8", text)
		}
		config.Proxies = append(config.Proxies, network)
	}
	if c.Limits.Person < 0 || c.Limits.Program < 0 || c.Limits.Address < 0 {
		return node.Config{}, fmt.Errorf("limits: a number is negative: give how many requests a visitor may make in a minute")
	}
	config.Limits = route.Limits(c.Limits)
	named := map[string]bool{}
	for _, folder := range c.Packs {
		source, err := packSource(folder)
		if err != nil {
			return node.Config{}, err
		}
		config.Packs = append(config.Packs, source)
		named[packName(source)] = true
	}
	for _, shipped := range packs.All() {
		if c.ShippedPacks && !named[packName(shipped)] {
			config.Packs = append(config.Packs, shipped)
		}
	}
	for i, one := range c.Witnesses {
		if _, err := c2sp.NewCosignatureVerifier(one.Key); err != nil {
			return node.Config{}, fmt.Errorf("witnesses[%d].key: %w", i, err)
		}
		config.Witnesses = append(config.Witnesses, node.Witness{URL: one.URL, Key: one.Key})
	}
	if c.Traces.To != "" {
		if to, err := url.Parse(c.Traces.To); err != nil || to.Host == "" || to.Scheme != "http" && to.Scheme != "https" {
			return node.Config{}, fmt.Errorf("traces.to: %q is not an address like http://127.0.0.1:4318", c.Traces.To)
		}
	}
	if c.Traces.Share < 0 || c.Traces.Share > 1 {
		return node.Config{}, fmt.Errorf("traces.share: %v is not between 0 and 1", c.Traces.Share)
	}
	config.Quorum = len(c.Witnesses)
	if c.Quorum != nil {
		config.Quorum = *c.Quorum
	}
	if config.Messages, err = c.Messages.carriers(); err != nil {
		return node.Config{}, err
	}
	if config.Archive, config.KeepJournal = c.Archive, c.KeepJournal; c.KeepJournal < archive.LeastKeep {
		return node.Config{}, fmt.Errorf("keep-journal: %d months are too few: give %d or more", c.KeepJournal, archive.LeastKeep)
	}
	if config.LogNumber = c.LogNumber; c.LogNumber < 0 {
		return node.Config{}, fmt.Errorf("log-number: %d is no number of a log: give a number from 1 on", c.LogNumber)
	}
	if config.Quorum < 0 || config.Quorum > len(c.Witnesses) {
		return node.Config{}, fmt.Errorf("quorum: %d of %d witnesses cannot cosign: give a number between 0 and %d", config.Quorum, len(c.Witnesses), len(c.Witnesses))
	}
	return config, nil
}

// networkOf reads a network, or an address as the network of it alone.
func networkOf(text string) (netip.Prefix, error) {
	if address, err := netip.ParseAddr(text); err == nil {
		return netip.PrefixFrom(address, address.BitLen()), nil
	}
	network, err := netip.ParsePrefix(text)
	return network.Masked(), err
}

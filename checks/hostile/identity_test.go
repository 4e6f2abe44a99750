package hostile

import (
	"bytes"
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"yagona/kernel/access"
	"yagona/kernel/calendar"
	"yagona/kernel/correction"
	"yagona/kernel/ident"
	"yagona/kernel/representation"
	"yagona/packs/demo"
	"yagona/web/route"
)

// kind says what a route may give to whom.
type kind int

// The kinds of route.
const (
	open4All kind = iota // everyone may call it, and it tells nothing of any person
	nobodys              // it proves who somebody is: everyone may call it
	own                  // whoever is signed in gets what is their own, and only that
	work                 // an official gets what their own appointment is for
	thing                // one thing of one person: nobody else gets it
)

// row is what the suite knows of a route.
type row struct {
	kind kind
	body any // one that is right, so that it is the visitor who is refused
	// codes are the only ones with which this route may refuse, where the answer must tell more than its status.
	codes map[string]string // by identity
	// may is an identity that may after all: the reason stands beside it.
	may string
}

// writtenDown is an act that was done offline in an appointment that is nobody's; package casework tests those of others.
func writtenDown() map[string]any {
	const statement = `{"act":"0199d3a0-0000-7000-8000-000000000001","by":"0199d3a0-0000-7000-8000-000000000002","made":"2026-01-05T09:00:00Z",` +
		`"task":"0199d3a0-0000-7000-8000-000000000003","revision":1,"form":{"action":["recommend"]},"salt":"00000000000000000000000000000000"}`
	digest := sha256.Sum256([]byte(statement))
	return map[string]any{"statement": statement, "digest": hex.EncodeToString(digest[:])}
}

// rows has every route of the installation. A route that is not here fails the test: add it, and say what it may give.
var rows = map[string]row{
	"GET /api/v1/access-log":               {kind: own},
	"GET /api/v1/access-log/{event}/proof": {kind: thing},
	"GET /api/v1/applications":             {kind: own},
	"POST /api/v1/applications":            {kind: own, body: map[string]any{"service": "youth/tools-subsidy"}},
	"GET /api/v1/applications/{application}": {
		kind: thing, codes: map[string]string{"another resident": "application.unknown", "of the household": "application.unknown"},
	},
	"PATCH /api/v1/applications/{application}":         {kind: thing, body: map[string]any{"answers": map[string]any{"trade": "repair"}}},
	"POST /api/v1/applications/{application}/answer":   {kind: thing, body: map[string]any{"answer": "yes"}},
	"POST /api/v1/applications/{application}/appeal":   {kind: thing, body: map[string]any{"grounds": "none"}},
	"GET /api/v1/applications/{application}/payment":   {kind: thing},
	"POST /api/v1/applications/{application}/account":  {kind: thing, body: map[string]any{"account": "00000000000000000002"}},
	"POST /api/v1/applications/{application}/preview":  {kind: thing},
	"POST /api/v1/applications/{application}/submit":   {kind: thing},
	"POST /api/v1/applications/{application}/withdraw": {kind: thing},
	"POST /api/v1/applications/{application}/accept":   {kind: thing},
	"POST /api/v1/applications/{application}/confirm":  {kind: thing},
	"POST /api/v1/applications/{application}/fee":      {kind: thing},
	// Whoever calls it learns nothing: the payment system is asked, and the answer is always the same.
	"POST /api/v1/fees/{application}":            {kind: open4All},
	"POST /api/v1/documents/{document}/measures": {kind: thing, body: map[string]any{"measure": "suspend", "reason": "none"}},
	"GET /api/v1/documents":                      {kind: own},
	"GET /api/v1/documents/{document}":           {kind: thing},
	"GET /api/v1/documents/{document}/file":      {kind: thing},
	"POST /api/v1/documents/{document}/revoke":   {kind: thing, body: map[string]any{"reason": "none"}},
	"GET /api/v1/appointments":                   {kind: work},
	// A registrar of another agency may appoint for their own.
	"POST /api/v1/appointments":                              {kind: thing, body: map[string]any{"role": "youth-leader"}, may: "registrar of another agency"},
	"POST /api/v1/appointments/{appointment}/approve":        {kind: thing},
	"POST /api/v1/appointments/{appointment}/end":            {kind: thing},
	"GET /api/v1/registers/{pack}/{register}/records.csv":    {kind: thing},
	"GET /api/v1/registers/{pack}/{register}/records.ndjson": {kind: thing},
	"GET /api/v1/erasures":                                   {kind: work},
	"POST /api/v1/erasures":                                  {kind: thing, body: map[string]any{"subject": "{subject}", "reason": "none"}},
	"POST /api/v1/erasures/{erasure}/confirm":                {kind: thing},
	"GET /api/v1/me":                                         {kind: own},
	"GET /api/v1/me/appointments":                            {kind: own},
	"GET /api/v1/notices":                                    {kind: own},
	"GET /api/v1/me/contact":                                 {kind: own},
	"PUT /api/v1/me/contact":                                 {kind: own, body: map[string]any{"chosen": []string{}, "language": "en"}},
	"GET /api/v1/me/deliveries":                              {kind: own},
	"POST /api/v1/me/contact/addresses": {kind: own, body: map[string]any{
		"channel": "email", "address": "{visitor}@mail.example", "language": "en",
	}},
	"POST /api/v1/me/contact/addresses/{address}/confirm": {kind: thing, body: map[string]any{"code": "000000"}},
	"DELETE /api/v1/me/contact/addresses/{address}":       {kind: thing},

	"GET /api/v1/me/records": {kind: own},
	"GET /api/v1/me/records/{pack}/{register}/{record}": {kind: thing, codes: map[string]string{
		"another resident": "register.no-record", "of the household": "register.no-record", "registrar of another agency": "register.no-record",
	}},
	"GET /api/v1/corrections":  {kind: own},
	"POST /api/v1/corrections": {kind: own, body: map[string]any{"register": "{contested register}", "statement": "none"}},
	"GET /api/v1/corrections/{correction}": {kind: thing, codes: map[string]string{
		"another resident": "correction.unknown", "of the household": "correction.unknown",
	}},
	"POST /api/v1/corrections/{correction}/withdraw": {kind: thing},
	"GET /api/v1/correction-tasks":                   {kind: work},
	"GET /api/v1/correction-tasks/{correction}": {kind: thing, codes: map[string]string{
		"another resident": "access.officials-only", "registrar of another agency": "correction.unknown",
	}},
	"POST /api/v1/correction-tasks/{correction}/answer": {kind: thing, body: map[string]any{"state": "refused", "reason": "none"}},

	"GET /api/v1/me/authorities":   {kind: own},
	"GET /api/v1/me/mandates":      {kind: own},
	"GET /api/v1/me/offers":        {kind: own},
	"GET /api/v1/me/participation": {kind: own},
	"PUT /api/v1/me/participation": {kind: own, body: map[string]any{"changes": true, "visits": false}},
	"POST /api/v1/me/mandates": {kind: own, body: map[string]any{
		"mandate": "{visitor}", "number": "{third}", "called": "none", "reads": true, "until": "2026-12-31",
	}},
	"GET /api/v1/me/authorities/{authority}/applications": {kind: thing, codes: map[string]string{
		"another resident": "representation.none", "of the household": "representation.none",
	}},
	"POST /api/v1/me/mandates/{mandate}/accept": {kind: thing, body: map[string]any{"revision": 1}},
	"POST /api/v1/me/mandates/{mandate}/end":    {kind: thing, body: map[string]any{"revision": 1}},

	"GET /api/v1/tasks": {kind: work},
	"GET /api/v1/tasks/{task}": {kind: thing, codes: map[string]string{
		"another resident": "access.officials-only", "with an ended appointment": "access.officials-only",
		"youth leader of another mahalla": "access.forbidden", "official of another agency": "access.forbidden",
		"chair out of turn": "access.forbidden", "of the household": "task.own-interest",
	}},
	"POST /api/v1/tasks/{task}/claim":     {kind: thing, codes: map[string]string{"of the household": "task.own-interest"}},
	"POST /api/v1/tasks/{task}/hand-over": {kind: thing, body: map[string]any{}, codes: map[string]string{"of the household": "task.own-interest"}},
	"POST /api/v1/tasks/{task}/decide": {kind: thing, body: map[string]any{"action": "recommend"}, codes: map[string]string{
		"chair out of turn": "access.forbidden", "of the household": "task.own-interest", "youth leader of another mahalla": "access.forbidden",
	}},

	"GET /api/v1/funds": {kind: work},
	"POST /api/v1/funds/{fund}/appropriations": {
		kind: thing, body: map[string]any{"id": "019b0000-0000-7000-8000-000000000001", "amount": 100},
		may: "treasurer who decided", // of the fund's agency: an appropriation pays nobody
	},
	"GET /api/v1/orders": {kind: work},
	"POST /api/v1/orders/{order}/release": {kind: thing, codes: map[string]string{
		"treasurer of another agency": "order.unknown", "treasurer who decided": "order.four-eyes",
		"another resident": "access.officials-only", "chair out of turn": "access.other-role",
	}},
	"POST /api/v1/orders/{order}/refuse": {
		kind: thing, body: map[string]any{"reason": "wrong-amount"},
		may: "treasurer who decided", // ending a payment unpaid gives nobody money: four eyes are for releasing
	},

	"GET /api/v1/jobs/dead":         {kind: work},
	"POST /api/v1/jobs/{job}/retry": {kind: thing},
	"GET /api/v1/outages":           {kind: open4All},
	"POST /api/v1/outages": {kind: thing, body: map[string]any{
		"from": "2026-01-05T09:00:00Z", "until": "2026-01-05T10:00:00Z", "reason": "none",
	}},

	"GET /api/v1/registers": {kind: open4All},
	"POST /api/v1/registers/{pack}/{register}/import": {kind: thing, body: map[string]any{
		"format": "ndjson", "content": "{}", "reason": "none",
	}, codes: map[string]string{"registrar of another agency": "access.forbidden"}},
	"POST /api/v1/registers/{pack}/{register}/records": {kind: thing, body: map[string]any{
		"values": map[string]any{}, "from": "2026-01-05", "reason": "none",
	}},
	"GET /api/v1/registers/{pack}/{register}/records/{record}": {kind: thing, codes: map[string]string{
		"registrar of another agency": "access.forbidden",
	}},
	"PATCH /api/v1/registers/{pack}/{register}/records/{record}": {kind: thing, body: map[string]any{
		"values": map[string]any{}, "from": "2026-01-05", "reason": "none",
	}},
	"POST /api/v1/registers/{pack}/{register}/records/{record}/close": {kind: thing, body: map[string]any{"from": "2026-01-05", "reason": "none"}},
	"POST /api/v1/registers/{pack}/{register}/search": {kind: thing, body: map[string]any{"subject": "{subject}"}, codes: map[string]string{
		"registrar of another agency": "access.forbidden",
	}},

	// Who publishes is proven by signatures, with or without a session.
	"GET /api/v1/publications":                        {kind: open4All},
	"POST /api/v1/publications":                       {kind: open4All, body: map[string]any{}},
	"POST /api/v1/publications/{publication}/approve": {kind: open4All, body: map[string]any{}},
	"POST /api/v1/publications/{publication}/reject":  {kind: open4All, body: map[string]any{}},
	"POST /api/v1/closures":                           {kind: open4All, body: map[string]any{}},

	"GET /api/v1/keys":                                 {kind: open4All},
	"GET /api/v1/openapi.json":                         {kind: open4All},
	"GET /api/v1/revocations":                          {kind: open4All},
	"GET /api/v1/services":                             {kind: open4All},
	"GET /api/v1/services/{pack}/{service}":            {kind: open4All},
	"GET /api/v1/services/{pack}/{service}/statistics": {kind: open4All},
	"GET /api/v1/indicators":                           {kind: open4All},
	"GET /api/v1/indicators/{pack}/{indicator}":        {kind: open4All},
	"GET /api/v1/territories":                          {kind: open4All},
	"POST /api/v1/verify":                              {kind: open4All, body: map[string]any{"payload": "none"}},

	"POST /api/v1/sessions":           {kind: nobodys, body: map[string]any{"id_token": "none"}},
	"GET /api/v1/sessions/current":    {kind: own},
	"PUT /api/v1/sessions/current":    {kind: thing, body: map[string]any{"appointment": "{appointment}"}},
	"DELETE /api/v1/sessions/current": {kind: own},
	"GET /sign-in":                    {kind: nobodys},
	"GET /sign-in/return":             {kind: nobodys},
	"POST /sign-out":                  {kind: nobodys},
	"POST /sign-in/appointment":       {kind: thing, body: "appointment={appointment}"},

	// Pages for everyone.
	"GET /{$}":                        {kind: open4All},
	"GET /services":                   {kind: open4All},
	"GET /catalogue":                  {kind: open4All},
	"GET /catalogue/{pack}/{service}": {kind: open4All},
	"GET /catalogue/{pack}/{service}/licences":   {kind: open4All},
	"GET /services/{pack}/{service}/licences":    {kind: open4All},
	"GET /services/{pack}/{service}/eligibility": {kind: own},
	"GET /services/suggest":                      {kind: open4All},
	"GET /services/{pack}/{service}":             {kind: open4All},
	"GET /services/{pack}/{service}/statistics":  {kind: open4All},
	"GET /places":                                {kind: open4All},
	"GET /places/{territory}":                    {kind: open4All},
	"GET /places/{territory}/indicators.csv":     {kind: open4All},
	"GET /places/{territory}/{pack}/{indicator}": {kind: open4All},
	"GET /transparency":                          {kind: open4All},
	"GET /verify":                                {kind: open4All},
	"POST /verify":                               {kind: open4All, body: "payload=none"},
	"GET /verify/{document}":                     {kind: open4All},

	// Pages of residents.
	"GET /me":                                               {kind: own},
	"GET /me/data":                                          {kind: own},
	"GET /me/corrections/new":                               {kind: own},
	"POST /me/corrections":                                  {kind: own, body: "register=interior/residences&field={contested}&statement=none"},
	"GET /me/corrections/{correction}":                      {kind: thing},
	"POST /me/corrections/{correction}/withdraw":            {kind: thing, body: "revision=1"},
	"GET /me/documents/{document}":                          {kind: thing},
	"GET /me/events/{event}":                                {kind: thing},
	"GET /me/events/{event}/proof":                          {kind: thing},
	"GET /me/readings":                                      {kind: own},
	"GET /me/contact":                                       {kind: own},
	"POST /me/contact":                                      {kind: own, body: ""},
	"POST /me/contact/addresses":                            {kind: own, body: "channel=email&address={visitor}@mail.example"},
	"POST /me/contact/addresses/{address}":                  {kind: thing, body: "do=remove"},
	"GET /sign-in/appointment":                              {kind: own},
	"GET /applications/{application}":                       {kind: thing},
	"GET /applications/{application}/answer":                {kind: thing},
	"POST /applications/{application}/answer":               {kind: thing, body: "revision=1&answer=yes"},
	"GET /applications/{application}/appeal":                {kind: thing},
	"POST /applications/{application}/appeal":               {kind: thing, body: "revision=1&grounds=none"},
	"GET /applications/{application}/account":               {kind: thing},
	"POST /applications/{application}/account":              {kind: thing, body: "revision=1&account=00000000000000000002"},
	"GET /applications/{application}/check":                 {kind: thing},
	"GET /applications/{application}/questions/{question}":  {kind: thing},
	"POST /applications/{application}/questions/{question}": {kind: thing, body: "revision=1&trade=repair"},
	"GET /applications/{application}/receipt":               {kind: thing},
	"GET /applications/{application}/photos/{photo}":        {kind: thing},
	"POST /applications/{application}/submit":               {kind: thing, body: "revision=1"},
	"GET /applications/{application}/withdraw":              {kind: thing},
	"GET /applications/{application}/join":                  {kind: thing},
	"POST /applications/{application}/join":                 {kind: thing, body: ""},
	"GET /applications/{application}/pay":                   {kind: thing},
	"GET /applications/{application}/paid":                  {kind: thing},
	"POST /applications/{application}/accept":               {kind: thing, body: "revision=1"},
	"POST /applications/{application}/withdraw":             {kind: thing, body: "revision=1"},
	"POST /services/{pack}/{service}/apply":                 {kind: own, body: ""},

	// Pages of representatives and of offers.
	"GET /me/representatives":                   {kind: own},
	"GET /me/representatives/new":               {kind: own},
	"POST /me/representatives":                  {kind: own, body: "mandate={visitor}&number={third}&called=none&actions=read&until-day=31&until-month=12&until-year=2026"},
	"POST /me/representatives/{mandate}/accept": {kind: thing, body: "revision=1"},
	"POST /me/representatives/{mandate}/end":    {kind: thing, body: "revision=1"},
	"GET /me/represented/{authority}":           {kind: thing},
	"GET /me/offers":                            {kind: own},
	"POST /me/offers":                           {kind: own, body: "chosen=changes"},

	// Pages of officials.
	"GET /desk":                                      {kind: work},
	"GET /desk/assist":                               {kind: work},
	"GET /desk/assist/{pack}/{service}":              {kind: work},
	"POST /desk/assist/{pack}/{service}":             {kind: work, body: "number=1"},
	"GET /desk/assist/drafts/{application}":          {kind: thing},
	"POST /desk/assist/drafts/{application}/code":    {kind: thing, body: ""},
	"POST /desk/assist/drafts/{application}/confirm": {kind: thing, body: "code=000000"},
	"POST /desk/assist/drafts/{application}/passkey": {kind: thing, body: "passkey={}"},
	"POST /desk/assist/drafts/{application}/sheet":   {kind: thing, body: "revision=1"},
	"GET /desk/assist/receipts/{application}":        {kind: work}, // the number and a code that leads to:
	"GET /status/{application}":                      {kind: open4All},
	"GET /desk/tasks/{task}/summary":                 {kind: thing},
	"POST /desk/tasks/{task}/summary":                {kind: thing, body: ""},
	"GET /desk/tasks/{task}/photos/{photo}":          {kind: thing},
	"POST /desk/tasks/{task}/photos":                 {kind: thing, body: "latitude=41"},
	"POST /desk/tasks/{task}/photos/{photo}/remove":  {kind: thing, body: ""},
	"PUT /desk/offline/photos/{appointment}/{task}/{photo}": {kind: thing, body: map[string]any{
		"size": 3, "digest": strings.Repeat("00", 32), "made": "2026-01-05T09:00:00Z", "position": map[string]any{"latitude": 41, "longitude": 69, "accuracy": 5},
	}},
	"PATCH /desk/offline/photos/{appointment}/{task}/{photo}": {kind: thing, body: map[string]any{}},
	"GET /desk/offline/forms":                                 {kind: work}, // the forms of services: nothing of anybody
	"GET /me/passkeys":                                        {kind: own},
	"POST /me/passkeys":                                       {kind: own, body: "passkey={}"},
	"POST /me/passkeys/{passkey}/remove":                      {kind: thing, body: ""},
	"GET /ui/passkey.js":                                      {kind: open4All},
	"GET /ui/album.js":                                        {kind: open4All},
	"GET /ui/form.js":                                         {kind: open4All},
	"GET /ui/photo.js":                                        {kind: open4All},
	"GET /ui/pieces.js":                                       {kind: open4All},
	"GET /desk/offline":                                       {kind: work},
	"POST /desk/offline/tasks":                                {kind: work}, // their own tasks; that they hold nothing of the victim is checked
	"POST /desk/offline/acts":                                 {kind: thing, body: writtenDown()},
	"GET /desk/worker.js":                                     {kind: open4All},
	"GET /desk/manifest.webmanifest":                          {kind: open4All},
	"GET /ui/acts.js":                                         {kind: open4All},
	"GET /ui/db.js":                                           {kind: open4All},
	"GET /ui/icon-192.png":                                    {kind: open4All},
	"GET /ui/icon-512.png":                                    {kind: open4All},
	"GET /ui/offline.js":                                      {kind: open4All},
	"GET /ui/sign-out.js":                                     {kind: open4All},
	"GET /ui/vault.js":                                        {kind: open4All},
	"GET /desk/team":                                          {kind: work},
	"GET /desk/leave":                                         {kind: work},
	"POST /desk/leave":                                        {kind: work, body: "substitute={appointment}"},
	"POST /desk/leave/{appointment}/end":                      {kind: thing, body: ""},
	"GET /desk/tasks/{task}":                                  {kind: thing},
	"POST /desk/tasks/{task}/claim":                           {kind: thing, body: "revision=1"},
	"POST /desk/tasks/{task}/decide":                          {kind: thing, body: "revision=1&action=recommend"},
	"POST /desk/tasks/{task}/hand-over":                       {kind: thing, body: "to={appointment}"},
	"GET /desk/payments":                                      {kind: work},
	"GET /desk/payments/{fund}/{order}":                       {kind: thing, may: "treasurer who decided"}, // of their own fund: to refuse it
	"POST /desk/payments/{fund}/{order}/refuse":               {kind: thing, body: "reason=wrong-amount", may: "treasurer who decided"},
	"POST /desk/payments/{fund}/{order}/release":              {kind: thing, body: ""},

	// The studio, for publishers: none of the identities is one. Drafts and proposals of other agencies: package node.
	"GET /studio":                                  {kind: thing},
	"POST /studio/packs":                           {kind: thing, body: "pack=youth"},
	"GET /studio/packs/{pack}":                     {kind: thing},
	"POST /studio/packs/{pack}/begin-anew":         {kind: thing, body: "revision=1"},
	"POST /studio/packs/{pack}/rebase":             {kind: thing, body: "base={publication}"},
	"POST /studio/packs/{pack}/add":                {kind: thing, body: "folder=services&file=x"},
	"POST /studio/packs/{pack}/remove":             {kind: thing, body: "path=pack.yaml&revision=1"},
	"GET /studio/packs/{pack}/files/{path...}":     {kind: thing},
	"POST /studio/packs/{pack}/files/{path...}":    {kind: thing, body: "content=pack:+x&revision=1"},
	"POST /studio/packs/{pack}/check/{path...}":    {kind: thing, body: "content=pack:+x&revision=1"},
	"GET /studio/packs/{pack}/form":                {kind: thing},
	"POST /studio/packs/{pack}/form":               {kind: thing, body: "service=youth/tools-subsidy"},
	"GET /studio/packs/{pack}/examples":            {kind: thing},
	"GET /studio/packs/{pack}/difference":          {kind: thing},
	"GET /studio/packs/{pack}/publish":             {kind: thing},
	"POST /studio/packs/{pack}/publish":            {kind: thing, body: "revision=1"},
	"GET /studio/proposals/{publication}":          {kind: thing},
	"POST /studio/proposals/{publication}/approve": {kind: thing, body: "digest=none"},
	"POST /studio/proposals/{publication}/reject":  {kind: thing, body: "digest=none"},
	"GET /ui/studio.js":                            {kind: open4All},

	// Its forms for who writes no YAML.
	"GET /studio/packs/{pack}/guide":                                        {kind: thing},
	"GET /studio/packs/{pack}/guide/{service}/questions/{question}":         {kind: thing},
	"POST /studio/packs/{pack}/guide/{service}/questions/{question}":        {kind: thing, body: "label-en=x"},
	"POST /studio/packs/{pack}/guide/{service}/questions/{question}/move":   {kind: thing, body: "do=up"},
	"POST /studio/packs/{pack}/guide/{service}/questions/{question}/remove": {kind: thing},
	"GET /studio/packs/{pack}/guide/{service}/new-question":                 {kind: thing},
	"POST /studio/packs/{pack}/guide/{service}/new-question":                {kind: thing, body: "name=x&label-en=x"},
	"GET /studio/packs/{pack}/guide/{service}/refusals/{rule}":              {kind: thing},
	"POST /studio/packs/{pack}/guide/{service}/refusals/{rule}":             {kind: thing, body: "text-en=x"},
	"GET /studio/packs/{pack}/translations":                                 {kind: thing},
	"GET /studio/packs/{pack}/translations/{key}":                           {kind: thing},
	"POST /studio/packs/{pack}/translations/{key}":                          {kind: thing, body: "text-ru=x"},

	"GET /desk/licences":             {kind: work},
	"POST /desk/licences":            {kind: work, body: "number=none"},
	"GET /desk/licences/{document}":  {kind: thing},
	"POST /desk/licences/{document}": {kind: thing, body: "measure=suspend&reason=none"},

	// Simulations, which only an analyst of the service's agency makes and sees.
	"GET /desk/simulations":                          {kind: work},
	"GET /desk/simulations/new/{pack}/{service}":     {kind: thing},
	"POST /desk/simulations/new/{pack}/{service}":    {kind: thing, body: ""},
	"GET /desk/simulations/{simulation}":             {kind: thing},
	"GET /desk/simulations/{simulation}/figures.csv": {kind: thing},
	"GET /api/v1/simulations":                        {kind: work},
	"POST /api/v1/simulations":                       {kind: thing, body: map[string]any{"service": "youth/tools-subsidy"}},
	"GET /api/v1/simulations/{simulation}":           {kind: thing},

	// Corrections, which wait for whoever keeps the register.
	"GET /desk/corrections":                                {kind: work},
	"GET /desk/corrections/{correction}":                   {kind: thing},
	"POST /desk/corrections/{correction}/answer":           {kind: thing, body: "revision=1&reason=none"},
	"POST /desk/corrections/{correction}/records/{record}": {kind: thing, body: "revision=1&why=none"},

	// Notebooks that a registrar takes over, which nobody else sees.
	"GET /desk/notebooks":                  {kind: work},
	"POST /desk/notebooks":                 {kind: work, body: "register=none&mapping=none&reason=none"},
	"POST /desk/notebooks/undo":            {kind: work, body: "undo-register=none&import=none&undo-reason=none"},
	"GET /desk/notebooks/{import}":         {kind: thing},
	"POST /desk/notebooks/{import}/settle": {kind: thing, body: "revision=1"},
	"POST /desk/notebooks/{import}/finish": {kind: thing, body: ""},
	"POST /desk/notebooks/{import}/drop":   {kind: thing, body: ""},

	// The demonstration's sign-in lets everyone be anyone: it shows synthetic people with their numbers.
	"GET /demo-sign-in/.well-known/openid-configuration": {kind: open4All},
	"GET /demo-sign-in/jwks":                             {kind: open4All},
	"GET /demo-sign-in/authorize":                        {kind: nobodys},
	"POST /demo-sign-in/authorize":                       {kind: nobodys, body: ""},
	"POST /demo-sign-in/token":                           {kind: nobodys, body: ""},
	"GET /demo-sign-in/userinfo":                         {kind: nobodys},

	// The demonstration's payment system knows amounts, and no payer.
	"GET /demo-payment/{fee}":  {kind: open4All},
	"POST /demo-payment/{fee}": {kind: open4All, body: ""},

	"GET /ui":           {kind: open4All},
	"GET /ui/desk":      {kind: open4All},
	"GET /ui/figures":   {kind: open4All},
	"GET /ui/first":     {kind: open4All},
	"GET /ui/entries":   {kind: open4All},
	"GET /ui/form":      {kind: open4All},
	"GET /ui/question":  {kind: open4All},
	"GET /ui/house.css": {kind: open4All},
	"GET /ui/mark.svg":  {kind: open4All},
	"GET /ui/search.js": {kind: open4All},
	"GET /ui/proof.js":  {kind: open4All},
	"GET /ui/camera.js": {kind: open4All},
	"GET /ui/keep.js":   {kind: open4All},

	"GET /ui/noto-sans-cyrillic-400.woff2": {kind: open4All},
	"GET /ui/noto-sans-cyrillic-700.woff2": {kind: open4All},
	"GET /ui/noto-sans-latin-400.woff2":    {kind: open4All},
	"GET /ui/noto-sans-latin-700.woff2":    {kind: open4All},
}

// asset is the part of an asset's path that changes with its content.
var asset = regexp.MustCompile(`/ui/[0-9a-f]{12}/`)

// rowOf returns the route's row.
func rowOf(info route.Info) (row, bool) {
	found, ok := rows[asset.ReplaceAllString(info.Name(), "/ui/")]
	return found, ok
}

// TestWhatStandsBesideTheRouterKnowsNobody holds what is served without the router to what everybody may see: it has no
// person to ask for, and answers each as it answers a stranger.
func TestWhatStandsBesideTheRouterKnowsNobody(t *testing.T) {
	w := open(t)
	paths := map[string][]string{"/log/": {"/log/checkpoint", "/log/tile/0/000", "/log/none"}, "GET /healthz": {"/healthz"}, "GET /readyz": {"/readyz"}}
	for _, pattern := range w.node.Beside {
		if len(paths[pattern]) == 0 {
			t.Errorf("%s stands beside the router and is tried nowhere: give it a route, or add it here", pattern)
		}
		for _, path := range paths[pattern] {
			stranger, resident := w.nobody().send("GET", path, nil), w.persona(demo.Jobless).send("GET", path, nil)
			if stranger.Status != resident.Status || len(resident.Header["Set-Cookie"]) > 0 || pattern != "/log/" && !bytes.Equal(stranger.Body, resident.Body) {
				t.Errorf("%s answers a stranger %d and a resident %d, %s", path, stranger.Status, resident.Status, resident.Body)
			}
		}
		delete(paths, pattern)
	}
	if len(paths) > 0 {
		t.Errorf("beside the router there is none of %v any more", paths)
	}
}

// TestEveryRouteHasARow holds the table to the router: a route that nobody has thought about is found here.
func TestEveryRouteHasARow(t *testing.T) {
	w := open(t)
	used := map[string]bool{}
	for _, info := range w.node.Router.Routes() {
		used[asset.ReplaceAllString(info.Name(), "/ui/")] = true
		found, ok := rowOf(info)
		if !ok {
			t.Errorf("%s (%s) has no row in identity_test.go: add one that says who may not call it", info.Name(), info.Access)
			continue
		}
		if public := info.Access == "public"; public != (found.kind == open4All || found.kind == nobodys) {
			t.Errorf("%s: its access is %q, and its row says otherwise", info.Name(), info.Access)
		}
	}
	for name := range rows {
		if !used[name] {
			t.Errorf("%s has a row, and there is no such route any more", name)
		}
	}
}

// victim is a person with everything that others might want to get at.
type victim struct {
	demo.Person
	values map[string]string // of the path and of bodies, by name
	secret []string          // what nobody else may read
}

// identity is a visitor who may not.
type identity struct {
	name string
	visitor
	victim *victim
}

// TestEveryRouteRefusesEveryWrongIdentity calls every route as everyone who may not, with the ids of a real victim's
// things.
func TestEveryRouteRefusesEveryWrongIdentity(t *testing.T) {
	w := open(t)
	identities := w.identities()
	for _, info := range w.node.Router.Routes() {
		found, ok := rowOf(info)
		if !ok {
			continue // TestEveryRouteHasARow names it
		}
		t.Run(info.Name(), func(t *testing.T) {
			w.t = t
			w.clock.pass(61 * time.Second) // the refusals of the route before are forgiven
			for _, who := range identities {
				who.attack(t, info, found)
			}
		})
	}
	w.t = t
}

// attack sends the route's request as the identity and checks what comes of it.
func (who identity) attack(t *testing.T, info route.Info, row row) {
	t.Helper()
	if (info.Name() == "DELETE /api/v1/sessions/current" || info.Name() == "POST /sign-out") && who.token != "" && who.person != "" {
		who.visitor = who.as(who.person) // it ends: not the one that the other routes are called with
	}
	path, body := who.victim.fill(info.Pattern), row.body
	switch given := body.(type) {
	case map[string]any:
		filled := map[string]any{}
		for name, value := range given {
			if text, ok := value.(string); ok {
				value = strings.ReplaceAll(who.victim.fill(text), "{visitor}", string(who.person))
			}
			filled[name] = value
		}
		body = filled
	case string:
		body = strings.ReplaceAll(who.victim.fill(given), "{visitor}", string(who.person))
	}
	header := []string{"If-Match", `"1"`}
	if info.Face == "page" && info.Method == http.MethodPost {
		header = append(header, "Content-Type", "application/x-www-form-urlencoded")
	}
	before := 0
	signedIn := who.person != ""
	if signedIn {
		before = len(who.refusals(who.person))
	}
	got := who.send(info.Method, path, body, header...)
	complain := func(format string, arguments ...any) {
		t.Helper()
		t.Errorf("as %s: %s: %v", who.name, fmt.Sprintf(format, arguments...), got)
	}
	if got.Status >= 500 {
		complain("the installation failed")
	}
	if row.kind != nobodys {
		for _, secret := range who.victim.secret {
			if got.tells(secret) {
				complain("it tells %q of the victim", secret)
			}
		}
	}
	refused := got.Status == http.StatusForbidden || got.Status == http.StatusNotFound || got.Status == http.StatusConflict
	switch {
	case row.kind == open4All || row.kind == nobodys:
		return
	case !signedIn:
		if info.Face == "page" && got.Status == http.StatusSeeOther && strings.HasPrefix(got.Header.Get("Location"), "/sign-in") {
			return
		}
		if got.Status != http.StatusUnauthorized {
			complain("it should ask to sign in")
		}
		return
	case row.kind == own:
		if got.Status >= 400 {
			complain("what is one's own should be there")
		}
		return
	case row.kind == work && (got.Status == http.StatusOK || info.Method == http.MethodPost && got.Status == http.StatusUnprocessableEntity):
		return // the inbox of their own work, or something wrong in it; that it tells nothing of the victim was checked
	case row.may == who.name && (got.Status < 400 || got.Status == http.StatusUnprocessableEntity): // they may, and may do it wrong
		return
	case !refused:
		complain("it should be refused")
	}
	if code, ok := row.codes[who.name]; ok && got.code() != code {
		complain("it should be refused with %s", code)
	}
	if got.Status == http.StatusConflict {
		return // not a refusal of the visitor
	}
	who.journaled(t, info, path, got, before)
}

// journaled checks that the refusal stands in the journal: who, what and why.
func (who identity) journaled(t *testing.T, info route.Info, path string, got answer, before int) {
	t.Helper()
	found := who.refusals(who.person)
	if got.Status == http.StatusNotFound && len(found) == before && (!strings.Contains(info.Pattern, "{") || strings.HasPrefix(info.Pattern, "/me/passkeys/")) {
		return // nothing was named that could be another's: a passkey is looked for among one's own
	}
	if len(found) != before+1 {
		t.Errorf("as %s: %d refusals were journaled instead of 1 (%v)", who.name, len(found)-before, got)
		return
	}
	last := found[len(found)-1]
	if last.Facts["route"] != info.Name() || got.code() != "" && last.Facts["reason"] != got.code() {
		t.Errorf("as %s: the journal says %v", who.name, last.Facts)
	}
	if _, id, named := strings.Cut(last.Object, ":"); named && !strings.Contains(path, id) {
		t.Errorf("as %s: the journal names %s instead of what was asked for", who.name, last.Object)
	} else if !named && strings.ContainsAny(info.Pattern, "{") && !strings.HasPrefix(info.Pattern, "/api/v1/registers/{pack}/{register}/") &&
		!strings.HasSuffix(info.Pattern, "/{pack}/{service}") && info.Pattern != "/api/v1/funds/{fund}/appropriations" &&
		!strings.HasPrefix(info.Pattern, "/studio/packs/{pack}") { // a service, a fund and a pack are nobody's
		t.Errorf("as %s: the journal does not name what was asked for", who.name)
	}
}

// fill puts the victim's ids in.
func (v *victim) fill(text string) string {
	text = strings.ReplaceAll(text, "{pack}/{service}", "youth/tools-subsidy")
	for name, value := range v.values {
		text = strings.ReplaceAll(text, "{"+name+"}", value)
	}
	return text
}

// identities makes the victims and everyone who may not.
func (w *world) identities() []identity {
	leader, chair := w.persona(demo.YouthLeader), w.persona(demo.Chair)
	posts, err := w.node.Office.Appointments(w.t.Context(), leader.person, w.clock.now())
	if err != nil || len(posts) != 1 {
		w.t.Fatalf("the youth leader has the appointments %v: %v", posts, err)
	}
	jobless := w.victim(demo.Jobless, leader, chair)
	// A colleague may decide on the youth leader's brother: else his task went to the level above at once.
	w.appoint(ident.Random[ident.Person](), "youth-agency", "youth-leader", w.pop.Home)
	brother := w.victim(demo.Brother, visitor{}, visitor{})

	ended := w.persona(demo.Husband)
	over := w.appoint(ended.person, "youth-agency", "youth-leader", w.pop.Home)
	if _, err := w.node.Office.End(w.t.Context(), access.Actor{}, over.ID); err != nil {
		w.t.Fatal(err)
	}
	// The youth leader decided on the victim's application, and holds the purse in a second appointment.
	purse := w.appoint(leader.person, "youth-agency", access.Treasurer, w.node.Profile.Territories.Root())
	leader.work(posts[0])
	decided := w.as(leader.person).work(purse)

	expired := w.persona(demo.Worker)
	w.clock.pass(31 * time.Minute)
	root := w.node.Profile.Territories.Root()
	again := w.persona(demo.YouthLeader).work(posts[0])
	forged := w.nobody()
	forged.token = "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"
	decided.token = w.as(leader.person).work(purse).token
	return []identity{
		{"nobody", w.nobody(), jobless},
		{"nobody with a made-up token", forged, jobless},
		{"one whose session has ended", visitor{w, "", expired.token}, jobless},
		{"another resident", w.persona(demo.Worker), jobless},
		{"with an ended appointment", w.as(ended.person), jobless},
		{"youth leader of another mahalla", w.official("youth-leader", "youth-agency", w.pop.Other), jobless},
		{"official of another agency", w.official("social-worker", "social-agency", w.pop.Home), jobless},
		{"registrar of another agency", w.official("registrar", "civil-registry", root), jobless},
		{"treasurer of another agency", w.official("treasurer", "housing-agency", root), jobless},
		{"chair out of turn", w.persona(demo.Chair), jobless},
		{"treasurer who decided", decided, jobless},
		{"of the household", again, brother},
	}
}

// victim lets a person apply: the application waits for the youth leader. If there are a leader and a chair, the order and
// the document are those of a second person, whose application they granted.
func (w *world) victim(name demo.Persona, leader, chair visitor) *victim {
	w.t.Helper()
	v := w.persona(name)
	person := w.pop.Persona(name)
	waiting := v.apply()
	unknown := ident.New[string](w.clock.now())
	// The family name is the youth leader's, too. The first synthetic account is also the example of the documentation.
	secret := []string{person.Number, person.Name(), person.GivenName, person.Account, person.Phone, person.Birth.String(), string(person.ID)}
	values := map[string]string{
		"application": waiting.ID, "task": waiting.task(w.t), "event": waiting.Event, "order": unknown, "document": unknown,
		"job": unknown, "erasure": unknown, "simulation": unknown, "import": unknown, "publication": unknown, "pack": "interior", "path...": "pack.yaml", "register": "residences", "service": "tools-subsidy",
		"fund": "youth-fund", "question": "trade", "$": "", "subject": string(v.person.Subject()), "appointment": w.operator(),
	}
	wrong, err := w.node.Corrections.Ask(w.t.Context(), access.Actor{Person: v.person}, correction.Wanted{
		ID: ident.New[ident.Correction](w.clock.now()), Register: "interior/residences", Statement: "I moved: " + person.Number,
	})
	if err != nil {
		w.t.Fatal(err)
	}
	values["correction"] = string(wrong.ID)
	third := w.pop.Persona(demo.TooOld) // whom everybody may ask to act for them
	values["third"] = third.Number
	given, err := w.node.Representatives.Give(w.t.Context(), access.Actor{Person: v.person}, representation.Wanted{
		ID: ident.New[ident.Mandate](w.clock.now()), Number: third.Number, Called: "neighbour", Reads: true, Applies: true,
		Until: calendar.DateOf(w.clock.now(), w.node.Profile.Location).AddDays(30),
	})
	if err != nil {
		w.t.Fatal(err)
	}
	values["mandate"] = string(given.ID)
	values["authority"] = representation.Authority{Representative: third.ID, Subject: v.person.Subject()}.ID()
	values["contested"], values["contested register"] = "since", "land/dwellings" // one of the identities is there twice, with another victim
	if leader.world != nil {
		values["contested"], values["contested register"] = "mahalla", "employment/jobs"
	}
	if leader.world != nil {
		v, second := w.persona(demo.Newcomer), w.pop.Persona(demo.Newcomer)
		secret = append(secret, second.Number, second.Name(), second.GivenName, second.Phone, string(second.ID))
		granted := v.apply()
		leader.decide(granted, "recommend")
		granted = v.own(granted.ID)
		chair.decide(granted, "approve")
		granted = v.own(granted.ID)
		values["order"], values["document"] = granted.Granted.Order, granted.Granted.Document
		w.wait("the payment may be released", func() bool {
			var payment struct{ State string }
			v.send("GET", "/api/v1/applications/"+granted.ID+"/payment", nil).into(w.t, http.StatusOK, &payment)
			return payment.State == "verified"
		})
	}
	var record string
	if err := w.db.QueryRow(`SELECT record FROM register_version WHERE register = 'interior/residences' AND key = $1`,
		values["subject"]).Scan(&record); err != nil {
		w.t.Fatal(err)
	}
	values["record"] = record
	added, err := w.node.Courier.AddAddress(w.t.Context(), ident.Subject(values["subject"]), "email", "victim@mail.example", "en")
	if err != nil {
		w.t.Fatal(err)
	}
	values["address"] = added.ID
	example := w.node.Profile.Account.Example
	return &victim{Person: person, values: values, secret: slices.DeleteFunc(secret, func(s string) bool { return s == example })}
}

// operator returns the appointment of the platform's operator, which none of the identities holds.
func (w *world) operator() string {
	w.t.Helper()
	operator := w.official("operator", "platform-operator", w.node.Profile.Territories.Root())
	held, err := w.node.Office.Appointments(w.t.Context(), operator.person, w.clock.now())
	if err != nil || len(held) != 1 {
		w.t.Fatalf("the operator has the appointments %v: %v", held, err)
	}
	return string(held[0].ID)
}

package schema

import (
	"fmt"
	"maps"
	"slices"
	"strings"
)

// Table says how the rows of a table are spread over machines.
type Table struct {
	Name string
	// Column is the one that rows are distributed by: the first of the primary key. Empty: the table stays on the
	// coordinator.
	Column string
	// Why a table stays on the coordinator.
	Why string
}

// anchor is the table beside which all others with a key lie. It never changes: a table that comes later has to name what
// lies there already.
const anchor = "answer"

// Tables are all tables. Those that are distributed by a key lie together: what one key has is on one machine.
var Tables = []Table{
	{Name: "allowance", Column: "key"},
	{Name: "answer", Column: "key"},
	{Name: "application", Column: "key"},
	{Name: "appointment", Column: "key"},
	{Name: "archive_volume", Column: "key"},
	{Name: "attachment", Column: "key"},
	{Name: "closure", Column: "key"},
	{Name: "contact", Column: "key"},
	{Name: "contact_link", Column: "key"},
	{Name: "correction", Column: "key"},
	{Name: "delivery", Column: "key"},
	{Name: "document", Column: "key"},
	{Name: "document_revocation", Column: "key"},
	{Name: "draft", Column: "key"},
	{Name: "entitlement", Column: "key"},
	{Name: "erasure", Column: "key"},
	{Name: "event", Column: "key"},
	{Name: "event_part", Column: "key"},
	{Name: "event_population", Column: "key"},
	{Name: "exchange", Column: "key"},
	{Name: "found_payment", Column: "key"},
	{Name: "indicator_count", Column: "key"},
	{Name: "indicator_part", Column: "key"},
	{Name: "indicator_place", Column: "key"},
	{Name: "indicator_source", Column: "key"},
	{Name: "job", Column: "key"},
	{Name: "kept_revocation", Column: "key"},
	{Name: "ledger_account", Column: "key"},
	{Name: "ledger_entry", Column: "key"},
	{Name: "ledger_transfer", Column: "key"},
	{Name: "log_head", Column: "key"},
	{Name: "log_lead", Column: "key"},
	{Name: "log_tile", Column: "key"},
	{Name: "mandate", Column: "key"},
	{Name: "notebook", Column: "key"},
	{Name: "notice", Column: "key"},
	{Name: "offer", Column: "key"},
	{Name: "outage", Column: "key"},
	{Name: "participation", Column: "key"},
	{Name: "passkey", Column: "key"},
	{Name: "payment_order", Column: "key"},
	{Name: "person", Column: "key"},
	{Name: "person_index", Column: "number_index"},
	{Name: "probe", Column: "key"},
	{Name: "publication", Column: "key"},
	{Name: "queue_entry", Column: "key"},
	{Name: "refusal", Column: "key"},
	{Name: "register_claim", Column: "hash"},
	{Name: "register_index", Column: "key"},
	{Name: "register_version", Column: "key"},
	{Name: "session", Column: "key"},
	{Name: "simulation", Column: "key"},
	{Name: "spent_proof", Column: "key"},
	{Name: "task", Column: "key"},
	{Name: "upload", Column: "key"},
	{Name: "upload_piece", Column: "key"},
	{Name: "act_mark", Why: "one row for each connection to the coordinator"},
	{Name: "goose_db_version", Why: "which migrations were applied"},
}

// Unsharded are unique indexes that do not begin with their table's column, and who keeps them unique once the rows are
// spread: the plan makes them plain indexes.
var Unsharded = map[string]string{
	"event_log_index": "only the log's leader gives indexes, one after another, in acts under the platform's key that check its term",
}

// CrossShard are the statements of package query, by their function, that ask every machine, and why they may.
var CrossShard = map[string]string{
	"Application":              "by the id alone, from a link: each machine answers from an index (application_id)",
	"RevisionOf":               "as Application: an id that a client made must be nobody else's, either",
	"AssistedDrafts":           "an official's drafts for residents, few: each machine by index (application_helper)",
	"Task":                     "by the id alone, from a link: each machine answers from an index (task_id)",
	"Document":                 "whoever checks a document has its number only (document_id)",
	"DocumentRevocation":       "whoever checks a document has its number only (document_revocation_document)",
	"Erasure":                  "by the id alone, from a link (erasure_id)",
	"RecordVersions":           "a correction names the record only (register_version_record)",
	"IndexedRecords":           "looking a record up by a value: a keyed hash of it (register_index_hash)",
	"IndexedVersions":          "as IndexedRecords, with what these records say: each machine its own",
	"Inbox":                    "an official's tasks are of many subjects: each machine gives one page by index (task_inbox), merged",
	"InboxCount":               "as Inbox, counted up to a limit",
	"Loads":                    "a leader's overview: each machine counts by index (task_place)",
	"Spans":                    "a leader's overview: each machine counts by index (task_done)",
	"OpenTasks":                "an operator's overview, page by page",
	"RefusalCounts":            "public figures of a service: each machine counts by index (refusal_service)",
	"Applicants":               "public figures of a confidential service: each machine counts its own applicants by index (application_service)",
	"ClosedApplications":       "what may leave for an archive, month by month: each machine by index (application_closed)",
	"Counts":                   "public figures of a service: each machine counts by index (application_service)",
	"PartsOf":                  "who read my data: an event about several people lies under the key of its act; by index (event_part_others)",
	"PopulationEvents":         "who read my data: an event about a population lies under the key of its act; few, by index (event_population_id)",
	"PeopleBetween":            "a simulation reads all, page by page",
	"StoredPeople":             "everybody, page by page: names in a notebook are compared with those of all",
	"CountPeople":              "a simulation looks for what is new, page by page",
	"CountVersions":            "as CountPeople, by index alone (register_version_register)",
	"CountsOfVersions":         "as CountVersions, where something is new",
	"VersionsBetween":          "a simulation reads all, page by page (register_version_register)",
	"SessionsOf":               "a person's sessions, when they look or end them all (session_person)",
	"RemoveEnded":              "forgetting what has ended, once an hour",
	"AppointmentsOf":           "an official's appointments, few (appointment_person)",
	"Appointment":              "by the id alone (appointment_id)",
	"AppointmentsIn":           "who holds an office at a place (appointment_place)",
	"Funds":                    "the funds, few (ledger_account_fund)",
	"DueJobs":                  "what is due anywhere, by index (job_turn)",
	"NextJob":                  "when something is due anywhere, by index (job_due, job_claimed)",
	"ClaimJobs":                "what is due anywhere, by index (job_turn)",
	"DeadJobs":                 "an operator's list",
	"JobBacklog":               "an operator's figures: what is due, by index (job_due), and what was given up",
	"WaitingEvents":            "an operator's figures: the few events without an index (event_pending)",
	"PendingEntries":           "the log's leader collects from everywhere (event_pending)",
	"EventsByIndex":            "the auditor reads in the log's order (event_log_index)",
	"LastActTime":              "once at a start",
	"StoredExchanges":          "the auditor reads all",
	"StoredVersions":           "an export reads all, page by page",
	"DocumentsAfter":           "an export reads all, page by page",
	"DocumentRevocationsAfter": "an export reads all, page by page",
	"Erasures":                 "an agency's list (erasure_agency)",
	"Licences":                 "the open list of a service's licences: each machine by index (entitlement_published)",
	"Outages":                  "declared outages, few",
	"OrdersTo":                 "a person's payments are in the books of several funds",
	"ApplicationsTo":           "counting a new indicator, page by page (application_service)",
	"AwaitedJobs":              "the auditor reads all",
	"HeldJobs":                 "the auditor reads all, page by page",
	"PersonIndexRows":          "the auditor reads all",
	"RegisterClaimRows":        "the auditor reads all",
	"RegisterIndexRows":        "the auditor reads all",
	"SessionRows":              "the auditor reads all",
	"AttachmentRows":           "the auditor reads all",
	"VolumeRows":               "the auditor reads all",
	"PasskeyRows":              "the auditor reads all",
	"Performance":              "public figures of a service: each machine counts",
	"ClaimedNumbers":           "some at a start: whether the keys fit; all, page by page, after the index key was rotated",
	"IndexEntries":             "all, page by page, after the index key was rotated",
	"RegisterClaims":           "all, page by page, after the index key was rotated",
	"Correction":               "by the id alone, from a link",
	"Mandate":                  "by the id alone, from a link (mandate_id)",
	"MandatesTo":               "the few mandates that a person was given, by whoever gave them (mandate_representative)",
	"OpenCorrections":          "an agency's list",
	"CorrectionRows":           "the auditor reads all",
	"TakeUp":                   "public figures of a service: each machine counts by index (offer_service), offers beside their applications",
	"OfferRows":                "the auditor reads all",
	"MandateRows":              "the auditor reads all",
	"SimulationRows":           "the auditor reads all",
	"AppointmentRows":          "the auditor reads all",
	"CaseworkRows":             "the auditor reads all",
	"DraftRows":                "the auditor reads all",
	"ErasureRows":              "the auditor reads all",
	"LedgerRows":               "the auditor reads all",
	"NoticeRows":               "the auditor reads all",
	"ContactRows":              "the auditor reads all",
	"DeliveryRows":             "the auditor reads all",
	"OutageRows":               "the auditor reads all",
	"EntitlementRows":          "the auditor reads all",
	"QueueRows":                "the auditor reads all",
	"PersonRows":               "the auditor reads all",
	"PublicationRows":          "the auditor reads all",
}

// CitusPlan returns the statements that spread the tables over the machines of a Citus cluster, once, on its coordinator,
// after the migrations.
func CitusPlan() string {
	var plan strings.Builder
	plan.WriteString("-- Run on the coordinator, in the migrated database, while nothing serves.\nCREATE EXTENSION IF NOT EXISTS citus;\n")
	for _, name := range sorted(Unsharded) {
		fmt.Fprintf(&plan, "\n-- %s: %s.\nDROP INDEX %s;\nCREATE INDEX %s ON event (log_index) WHERE log_index IS NOT NULL;\n", name, Unsharded[name], name, name)
	}
	plan.WriteString("\n-- Rows of one key lie on one machine: an act stays there.\n")
	fmt.Fprintf(&plan, "SELECT create_distributed_table('%s', 'key', colocate_with => 'none');\n", anchor)
	for _, table := range Tables {
		switch {
		case table.Column == "" || table.Name == anchor:
			continue
		case table.Column == "key":
			fmt.Fprintf(&plan, "SELECT create_distributed_table('%s', '%s', colocate_with => '%s');\n", table.Name, table.Column, anchor)
		default:
			fmt.Fprintf(&plan, "SELECT create_distributed_table('%s', '%s', colocate_with => 'none'); -- a key of its own\n", table.Name, table.Column)
		}
	}
	plan.WriteString("\n-- Code lists (territories, agencies, services) are in the packs, not in tables: there are no reference tables.\n")
	for _, table := range Tables {
		if table.Column == "" {
			fmt.Fprintf(&plan, "-- %s stays on the coordinator: %s.\n", table.Name, table.Why)
		}
	}
	plan.WriteString("\n-- These statements ask every machine:\n")
	for _, name := range sorted(CrossShard) {
		fmt.Fprintf(&plan, "--   %s: %s\n", name, CrossShard[name])
	}
	return plan.String()
}

func sorted(of map[string]string) []string { return slices.Sorted(maps.Keys(of)) }

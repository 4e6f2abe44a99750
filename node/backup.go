package node

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/fault"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/store"
	"yagona/store/keyfile"
	"yagona/store/query"
	"yagona/store/sqlite"
)

// The files of a backup besides the stores' own.
const (
	manifestFile = "backup.json"
	erasedFile   = "erased-subjects.json"
)

// stampFormat names a backup by its time, so that names sort as times do.
const stampFormat = "20060102T150405Z"

// Backup says what to copy and to where.
type Backup struct {
	Folder string    // the installation's; it may be served meanwhile
	On     Databases // where its databases are, if they are on a server
	To     string    // the database goes here, below a folder named by the time; keep it long
	Keys   string    // the subjects' keys go here, below a folder of the same name; keep it short
	// KeepKeys is how long copies of the subjects' keys live: older ones are removed. An erasure is final only when the
	// last copy from before it is gone.
	KeepKeys time.Duration
	Clock    act.Clock
}

// Manifest says what a copy of the database holds.
type Manifest struct {
	Made       time.Time `json:"made"`
	LastAct    time.Time `json:"lastAct"`
	Sequenced  int64     `json:"sequenced"`  // entries of the log that have an index
	Checkpoint string    `json:"checkpoint"` // the newest published one, "" if there is none
}

// Make makes a backup, and returns the folder of the database's copy and that of the keys' copy.
func (b Backup) Make(ctx context.Context) (database, keys string, err error) {
	if same, err := samePlace(b.To, b.Keys); err != nil || same {
		return "", "", errors.Join(err, errors.New("the subjects' keys need another place than the database: who has both reads everything, and the keys must be removed early"))
	}
	if err := store.Check(b.On.Database, b.On.SubjectKeys); err != nil {
		return "", "", err
	}
	from, keysFrom := b.On.Database, b.On.SubjectKeys
	if from == "" {
		from, keysFrom = filepath.Join(b.Folder, databaseFile), filepath.Join(b.Folder, subjectKeysFile)
		if !exists(from) {
			return "", "", fmt.Errorf("%s has no %s: give the addresses of the databases if they are on a server", b.Folder, databaseFile)
		}
	}
	made := b.Clock().UTC().Truncate(time.Second)
	database, keys = filepath.Join(b.To, made.Format(stampFormat)), filepath.Join(b.Keys, made.Format(stampFormat))
	for _, folder := range []string{database, keys} {
		if err := os.MkdirAll(folder, 0o700); err != nil {
			return "", "", err
		}
	}
	// The keys come after the database: then every subject in the copy of the database has its key in that of the keys.
	if err := store.CopyDatabase(ctx, from, filepath.Join(database, databaseFile)); err != nil {
		return "", "", err
	}
	if err := store.CopySubjectKeys(ctx, keysFrom, filepath.Join(keys, subjectKeysFile)); err != nil {
		return "", "", err
	}
	manifest, err := describe(ctx, filepath.Join(database, databaseFile), made)
	if err != nil {
		return "", "", err
	}
	if err := writeJSON(filepath.Join(database, manifestFile), manifest); err != nil {
		return "", "", err
	}
	erased, err := erasedIn(ctx, filepath.Join(keys, subjectKeysFile))
	if err != nil {
		return "", "", err
	}
	if err := addErased(filepath.Join(b.To, erasedFile), erased); err != nil {
		return "", "", err
	}
	return database, keys, b.forget(made)
}

func samePlace(a, b string) (bool, error) {
	first, err := filepath.Abs(a)
	if err != nil {
		return false, err
	}
	second, err := filepath.Abs(b)
	return first == second, err
}

// forget removes the copies of keys that have lived long enough, but never the newest.
func (b Backup) forget(made time.Time) error {
	copies, err := os.ReadDir(b.Keys)
	if err != nil {
		return err
	}
	for _, one := range copies {
		at, err := time.Parse(stampFormat, one.Name())
		if err != nil || !one.IsDir() || made.Sub(at) <= b.KeepKeys {
			continue
		}
		if err := os.RemoveAll(filepath.Join(b.Keys, one.Name())); err != nil {
			return err
		}
	}
	return nil
}

// describe reads what a copy of the database holds.
func describe(ctx context.Context, path string, made time.Time) (manifest Manifest, err error) {
	db, err := sqlite.Open(ctx, sqlite.Config{Path: path, Clock: time.Now, Readers: 1, Durable: true})
	if err != nil {
		return Manifest{}, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	manifest.Made, manifest.LastAct = made, db.LastAct()
	return manifest, db.View(ctx, func(tx *query.Tx) error {
		head, err := tx.LogHead()
		manifest.Sequenced, manifest.Checkpoint = head.Size, string(head.Published)
		return err
	})
}

// erasedIn returns the subjects whose keys are destroyed in a copy of the keys.
func erasedIn(ctx context.Context, path string) (erased []ident.Subject, err error) {
	keys, err := sqlite.OpenSubjectKeys(ctx, path, true)
	if err != nil {
		return nil, err
	}
	defer func() { err = errors.Join(err, keys.Close()) }()
	return keys.Erased(ctx)
}

// addErased adds subjects to the list of the erased, which only grows: their random ids and nothing else.
func addErased(path string, erased []ident.Subject) error {
	known, err := readErased(path)
	if err != nil {
		return err
	}
	all := append(known, erased...)
	slices.Sort(all)
	return writeJSON(path, slices.Compact(all))
}

// readErased reads the list of the erased; none where there is no list yet.
func readErased(path string) (erased []ident.Subject, err error) {
	encoded, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(encoded, &erased); err != nil {
		return nil, fmt.Errorf("%s is no list of the erased: %w", path, err)
	}
	return erased, nil
}

func writeJSON(path string, value any) error {
	encoded, err := json.MarshalIndent(value, "", "\t")
	if err != nil {
		return err
	}
	return keyfile.WriteWhole(path, append(encoded, '\n'))
}

// Restoration puts a backup into a new folder.
type Restoration struct {
	Database    string // the folder of the database's copy
	SubjectKeys string // the folder of the subjects' keys' copy
	Keys        string // the folder of the signing keys and secrets
	Erased      string // the newest list of the erased, beside the copies of the database
	Folder      string // where to put it: empty, or not there
	// Into are two empty databases of a server that the copies go into; of the installation, the folder has only the keys
	// then. Zero: they go into the folder.
	Into  Databases
	Clock act.Clock
}

// restoredFile marks a folder that was restored and that nobody has accepted yet.
const restoredFile = "restored.json"

// Put puts the copies together. What was erased since the copy of the keys was made is erased again before anything can
// be read. The node that opens the folder starts read-only until somebody accepts it (Accept).
func (r Restoration) Put(ctx context.Context) (erasedAgain int, err error) {
	if present, err := os.ReadDir(r.Folder); err == nil && len(present) > 0 {
		return 0, fmt.Errorf("the folder %s is not empty: restore into a new one", r.Folder)
	}
	if err := store.Check(r.Into.Database, r.Into.SubjectKeys); err != nil {
		return 0, err
	}
	if r.Into.Database != "" {
		if err := store.CheckEmpty(ctx, r.Into.Database, r.Into.SubjectKeys); err != nil {
			return 0, err
		}
	}
	var manifest Manifest
	encoded, err := os.ReadFile(filepath.Join(r.Database, manifestFile))
	if err != nil {
		return 0, err
	}
	if err := json.Unmarshal(encoded, &manifest); err != nil {
		return 0, fmt.Errorf("%s: %w", filepath.Join(r.Database, manifestFile), err)
	}
	erased, err := readErased(r.Erased)
	if err != nil {
		return 0, err
	}
	if err := os.MkdirAll(filepath.Join(r.Folder, keysFolder), 0o700); err != nil {
		return 0, err
	}
	// The mark comes first: a folder that was half restored never looks like one that was served.
	if err := writeJSON(filepath.Join(r.Folder, restoredFile), manifest); err != nil {
		return 0, err
	}
	files := map[string]string{
		filepath.Join(r.Database, databaseFile):       filepath.Join(r.Folder, databaseFile),
		filepath.Join(r.SubjectKeys, subjectKeysFile): filepath.Join(r.Folder, subjectKeysFile),
	}
	signing, err := os.ReadDir(r.Keys)
	if err != nil {
		return 0, err
	}
	for _, one := range signing {
		if !one.IsDir() {
			files[filepath.Join(r.Keys, one.Name())] = filepath.Join(r.Folder, keysFolder, one.Name())
		}
	}
	for from, to := range files {
		if err := copyFile(from, to); err != nil {
			return 0, err
		}
	}
	if err := sqlite.CheckFile(ctx, filepath.Join(r.Folder, databaseFile)); err != nil {
		return 0, err
	}
	if erasedAgain, err = eraseAgain(ctx, filepath.Join(r.Folder, subjectKeysFile), erased); err != nil || r.Into.Database == "" {
		return erasedAgain, err
	}
	return erasedAgain, r.fill(ctx, manifest)
}

// fill moves the files that were put into the folder into the databases. The note in the database takes the place of the
// mark in the folder: every process of every machine sees it.
func (r Restoration) fill(ctx context.Context, manifest Manifest) error {
	note, err := json.Marshal(manifest)
	if err != nil {
		return err
	}
	database, keys := filepath.Join(r.Folder, databaseFile), filepath.Join(r.Folder, subjectKeysFile)
	if err := store.FillDatabase(ctx, database, r.Into.Database, string(note), r.Clock); err != nil {
		return err
	}
	if err := store.FillSubjectKeys(ctx, keys, r.Into.SubjectKeys); err != nil {
		return err
	}
	for _, name := range []string{database, database + "-wal", database + "-shm", keys, filepath.Join(r.Folder, restoredFile)} {
		if err := os.Remove(name); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

// eraseAgain erases in a copy of the subjects' keys who was erased since it was made, and returns how many those are.
func eraseAgain(ctx context.Context, path string, erased []ident.Subject) (again int, err error) {
	keys, err := sqlite.OpenSubjectKeys(ctx, path, true)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, keys.Close()) }()
	known, err := keys.Erased(ctx)
	if err != nil {
		return 0, err
	}
	for _, one := range erased {
		if slices.Contains(known, one) {
			continue
		}
		if err := keys.EraseSubjectKey(ctx, one); err != nil {
			return again, err
		}
		again++
	}
	return again, nil
}

func copyFile(from, to string) error {
	source, err := os.Open(from)
	if err != nil {
		return err
	}
	defer source.Close()
	target, err := os.OpenFile(to, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if err != nil {
		return err
	}
	_, err = io.Copy(target, source)
	return errors.Join(err, target.Sync(), target.Close())
}

// Lost is an act, or a stretch of the log, that others know of and the restored folder does not.
type Lost struct {
	Kind  string `json:"kind"`  // "log", "erasure" or "unknown"
	What  string `json:"what"`  // its name, as far as it is known
	Known string `json:"known"` // who knows of it
}

// Lost asks those outside what the folder does not know: the witnesses how far the log went, and the subjects' keys whom
// two people had erased. What cannot be asked is named as unknown, never as nothing.
func (n *Node) Lost(ctx context.Context) (lost []Lost, err error) {
	status, err := n.Sequencer.Status(ctx)
	if err != nil {
		return nil, err
	}
	sizes, failures, err := n.Sequencer.WitnessedSizes(ctx)
	if err != nil {
		return nil, err
	}
	if len(n.config.Witnesses) == 0 {
		lost = append(lost, Lost{"unknown", "how far the log went", "no witness is configured"})
	}
	for name, failure := range failures {
		lost = append(lost, Lost{"unknown", "how far the log went", fmt.Sprintf("witness %s does not say: %v", name, failure)})
	}
	for name, size := range sizes {
		if size > status.Indexed {
			lost = append(lost, Lost{"log", fmt.Sprintf("the events at the log's indexes %d to %d", status.Indexed, size-1), "witness " + name})
		}
	}
	erased, err := n.subjectKeys.Erased(ctx)
	if err != nil {
		return nil, err
	}
	err = n.DB.View(ctx, func(tx *query.Tx) error {
		for _, one := range erased {
			lawful, err := tx.ErasedByLaw(one)
			if err != nil {
				return err
			}
			if !lawful {
				lost = append(lost, Lost{"erasure", "the erasure of " + string(one), "the subjects' keys"})
			}
		}
		return nil
	})
	slices.SortFunc(lost, func(a, b Lost) int {
		return slices.Compare([]string{a.Kind, a.What, a.Known}, []string{b.Kind, b.What, b.Known})
	})
	return lost, err
}

// noted is a database that carries the mark of a restoration itself: one on a server.
type noted interface {
	Note(ctx context.Context) (string, error)
	SetNote(ctx context.Context, note string) error
}

// Restored returns what the installation was restored from and false if it was not, or was accepted since. One that may
// have been restored, because its note of that cannot be read, counts as restored, from something unknown.
func (n *Node) Restored() (Manifest, bool) {
	var manifest Manifest
	encoded, err := os.ReadFile(filepath.Join(n.config.Folder, restoredFile))
	if note := n.note.Load(); errors.Is(err, fs.ErrNotExist) && note != nil {
		encoded, err = []byte(*note), nil
	}
	if errors.Is(err, fs.ErrNotExist) {
		return manifest, false
	}
	if err == nil {
		err = json.Unmarshal(encoded, &manifest)
	}
	if err != nil {
		return Manifest{}, true
	}
	return manifest, true
}

// errRestored is what every act gets until somebody accepts what was restored.
var errRestored = fault.New(fault.CannotStore, "store.restored",
	"The platform was restored from a backup and takes nothing until the operator has accepted that. Nothing of this was done; try again later.")

// Accept lets a restored folder serve again, in the name of whoever holds the machine: with a reason, and only if the log
// can go on where the witnesses saw it last. What is lost and cannot be known is accepted by name, in the journal. The
// next start serves.
func (n *Node) Accept(ctx context.Context, reason string, despiteUnknown bool) ([]Lost, error) {
	manifest, restored := n.Restored()
	if !restored {
		return nil, errors.New("this folder is not waiting to be accepted")
	}
	if strings.TrimSpace(reason) == "" {
		return nil, errors.New("say why it is accepted, and by whom: it is kept in the journal")
	}
	if manifest.Made.IsZero() {
		return nil, fmt.Errorf("%s in the folder cannot be read, so that nobody can say what is lost: restore the backup once more", restoredFile)
	}
	lost, err := n.Lost(ctx)
	if err != nil {
		return nil, err
	}
	facts := map[string]string{"reason": reason, "made": manifest.Made.Format(time.RFC3339), "last-act": manifest.LastAct.Format(time.RFC3339)}
	for i, one := range lost {
		switch {
		case one.Kind == "log":
			return lost, fmt.Errorf("%s has cosigned %s, which this copy does not have: the log cannot go on without them; restore a newer copy", one.Known, one.What)
		case one.Kind == "unknown" && !despiteUnknown:
			return lost, fmt.Errorf("it is not known %s (%s): let it be known, or accept that it is not", one.What, one.Known)
		}
		facts[fmt.Sprintf("lost-%d", i+1)] = one.What + " (" + one.Known + ")"
	}
	sealer, err := n.Vault.Open(ctx)
	if err != nil {
		return lost, err
	}
	n.DB.Allow()
	err = query.For[journal.Reader, journal.Tx](n.DB).Update(ctx, act.Platform, func(tx journal.Tx) error {
		_, err := journal.Append(tx, sealer, journal.Event{Type: "installation.restored", Actor: journal.Actor{Component: "operator"}, Facts: facts})
		return err
	})
	if err != nil {
		return lost, err
	}
	if server, ok := n.DB.(noted); ok {
		if err := server.SetNote(ctx, ""); err != nil {
			return lost, err
		}
		n.note.Store(nil)
	}
	if err := os.Remove(filepath.Join(n.config.Folder, restoredFile)); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return lost, err
	}
	return lost, nil
}

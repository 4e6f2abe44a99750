package node

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"time"

	"yagona/kernel/act"
	"yagona/kernel/document"
	"yagona/kernel/ident"
	"yagona/kernel/person"
	"yagona/std/wholefile"
	"yagona/store"
	"yagona/store/query"
	"yagona/store/sqlite"
)

// The files of a backup besides the stores' own.
const (
	manifestFile = "backup.json"
	erasedFile   = "erased-subjects.json"
	revokedFile  = "revoked-documents.json"
)

// stampFormat names a backup by its time, so that names sort as times do.
const stampFormat = "20060102T150405Z"

// Backup says what to copy and to where.
type Backup struct {
	Folder string    // the installation's; it may be served meanwhile
	On     Databases // where its databases are, if they are on a server
	To     string    // the database goes here, below a folder named by the time; keep it long. "": only the keys are copied
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
	// Keyless is, once it is restored, how many people have no key in the copy of the subjects' keys, which was older.
	Keyless int `json:"keyless,omitempty"`
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
	keys = filepath.Join(b.Keys, made.Format(stampFormat))
	if b.To == "" {
		if err := os.MkdirAll(keys, 0o700); err != nil {
			return "", "", err
		}
		if err := store.CopySubjectKeys(ctx, keysFrom, filepath.Join(keys, subjectKeysFile)); err != nil {
			return "", "", err
		}
		return "", keys, b.forget(made)
	}
	database = filepath.Join(b.To, made.Format(stampFormat))
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
	manifest, revoked, err := describe(ctx, filepath.Join(database, databaseFile), made)
	if err != nil {
		return "", "", err
	}
	if err := addRevoked(filepath.Join(b.To, revokedFile), revoked); err != nil {
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

// describe reads what a copy of the database holds, and which documents are revoked in it.
func describe(ctx context.Context, path string, made time.Time) (manifest Manifest, revoked []document.Revocation, err error) {
	db, err := sqlite.Open(ctx, sqlite.Config{Path: path, Clock: time.Now, Readers: 1, Durable: true})
	if err != nil {
		return Manifest{}, nil, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	manifest.Made, manifest.LastAct = made, db.LastAct()
	err = db.View(ctx, func(tx *query.Tx) error {
		head, err := tx.LogHead()
		manifest.Sequenced, manifest.Checkpoint = head.Size, string(head.Published)
		return err
	})
	if err != nil {
		return manifest, nil, err
	}
	issuer := document.Issuer{Store: query.For[document.Reader, document.Tx](db)}
	list, err := issuer.Revocations(ctx, made, made)
	return manifest, list.Revoked, err
}

// revokedDocument is a member of the list of the revoked: what everybody may know of it.
type revokedDocument struct {
	Document  ident.Document `json:"document"`
	Revoked   time.Time      `json:"revoked"`
	Suspended bool           `json:"suspended,omitempty"`
}

// addRevoked adds documents to the list of the revoked. One that is on it stays there: a licence that came back has another
// document.
func addRevoked(path string, revoked []document.Revocation) error {
	known, err := readRevoked(path)
	if err != nil {
		return err
	}
	var all []revokedDocument
	for _, one := range append(revoked, known...) { // the newest word counts
		all = append(all, revokedDocument{one.ID, one.At.UTC(), one.Suspended})
	}
	slices.SortStableFunc(all, func(a, b revokedDocument) int { return cmp.Compare(a.Document, b.Document) })
	return writeJSON(path, slices.CompactFunc(all, func(a, b revokedDocument) bool { return a.Document == b.Document }))
}

// readRevoked reads the list of the revoked; none where there is no list yet.
func readRevoked(path string) (revoked []document.Revocation, err error) {
	encoded, err := os.ReadFile(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, nil
	}
	if err != nil {
		return nil, err
	}
	var listed []revokedDocument
	if err := json.Unmarshal(encoded, &listed); err != nil {
		return nil, fmt.Errorf("%s is no list of the revoked: %w", path, err)
	}
	for _, one := range listed {
		revoked = append(revoked, document.Revocation{ID: one.Document, At: one.Revoked, Suspended: one.Suspended})
	}
	return revoked, nil
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
	return wholefile.Write(path, append(encoded, '\n'))
}

// Restoration puts a backup into a new folder.
type Restoration struct {
	Database    string // the folder of the database's copy
	SubjectKeys string // the folder of the subjects' keys' copy
	Keys        string // the folder of the signing keys and secrets
	Erased      string // the newest list of the erased, beside the copies of the database
	Revoked     string // the newest list of the revoked, beside them, too
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
	manifest, err := r.manifest(ctx)
	if err != nil {
		return 0, err
	}
	erased, err := readErased(r.Erased)
	if err != nil {
		return 0, err
	}
	if err := os.MkdirAll(filepath.Join(r.Folder, keysFolder), 0o700); err != nil {
		return 0, err
	}
	revoked, err := readRevoked(r.Revoked)
	if err != nil {
		return 0, err
	}
	// The mark comes first: a folder that was half restored never looks like one that was served.
	if err := writeJSON(filepath.Join(r.Folder, restoredFile), manifest); err != nil {
		return 0, err
	}
	if len(revoked) > 0 { // they are revoked again when it is accepted
		if err := addRevoked(filepath.Join(r.Folder, revokedFile), revoked); err != nil {
			return 0, err
		}
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
	if erasedAgain, err = eraseAgain(ctx, filepath.Join(r.Folder, subjectKeysFile), erased); err != nil {
		return erasedAgain, err
	}
	if manifest.Keyless, err = keyless(ctx, r.Folder); err != nil {
		return erasedAgain, err
	}
	if r.Into.Database != "" {
		return erasedAgain, r.fill(ctx, manifest)
	}
	if manifest.Keyless > 0 {
		err = writeJSON(filepath.Join(r.Folder, restoredFile), manifest)
	}
	return erasedAgain, err
}

// keyless counts the people in the folder's database whose key is not among those of the subjects. It is asked before
// anything is served: who has no key is given one, and what was sealed before does not open with it.
func keyless(ctx context.Context, folder string) (count int, err error) {
	keys, err := sqlite.OpenSubjectKeys(ctx, filepath.Join(folder, subjectKeysFile), true)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, keys.Close()) }()
	db, err := sqlite.Open(ctx, sqlite.Config{Path: filepath.Join(folder, databaseFile), Clock: time.Now, Readers: 1, Durable: true})
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, db.Close()) }()
	const page = 500
	for last := ident.Person(""); ; {
		var people []person.Stored
		err := db.View(ctx, func(tx *query.Tx) (err error) {
			people, err = tx.StoredPeople(last, page)
			return err
		})
		if err != nil || len(people) == 0 {
			return count, err
		}
		var subjects []ident.Subject
		for _, one := range people {
			subjects, last = append(subjects, one.Person.Subject()), one.Person
		}
		known, err := keys.SubjectKeys(ctx, subjects)
		if err != nil {
			return count, err
		}
		count += len(subjects) - len(known)
	}
}

// manifest returns what the copy of the database holds: as its backup says, or, of a file that something else has copied, as
// the file itself says.
func (r Restoration) manifest(ctx context.Context) (manifest Manifest, err error) {
	path := filepath.Join(r.Database, manifestFile)
	encoded, err := os.ReadFile(path)
	if file := filepath.Join(r.Database, databaseFile); errors.Is(err, fs.ErrNotExist) && exists(file) {
		manifest, _, err = describe(ctx, file, r.Clock().UTC().Truncate(time.Second))
		return manifest, err
	}
	if err != nil {
		return manifest, err
	}
	if err := json.Unmarshal(encoded, &manifest); err != nil {
		return manifest, fmt.Errorf("%s: %w", path, err)
	}
	return manifest, nil
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

package query

import (
	"encoding/json"
	"strings"

	"yagona/kernel/act"
	"yagona/kernel/ident"
	"yagona/kernel/journal"
	"yagona/kernel/publication"
)

// Publications implements publication.Reader.
func (t *Tx) Publications(files bool) ([]publication.Publication, error) {
	text := `SELECT row, '{}' FROM publication WHERE key = $1 ORDER BY id`
	if files {
		text = `SELECT row, files FROM publication WHERE key = $1 ORDER BY id`
	}
	return list(t, text, args(act.Platform), scanPublication)
}

func scanPublication(scan func(into ...any) error) (p publication.Publication, err error) {
	var row, files []byte
	if err := scan(&row, &files); err != nil {
		return p, err
	}
	if err := json.Unmarshal(row, &p); err != nil {
		return p, err
	}
	return p, json.Unmarshal(files, &p.Files)
}

// Publication implements publication.Reader.
func (t *Tx) Publication(id ident.Publication) (publication.Publication, error) {
	found, err := list(t, `SELECT row, files FROM publication WHERE key = $1 AND id = $2`, args(act.Platform, id), scanPublication)
	if err == nil && len(found) == 0 {
		err = notFound("publication.unknown", "publication")
	}
	if err != nil {
		return publication.Publication{}, err
	}
	return found[0], nil
}

// SavePublication implements publication.Tx.
func (t *Tx) SavePublication(p publication.Publication) error {
	files, err := json.Marshal(p.Files)
	if err != nil {
		return err
	}
	p.Files = nil
	row, err := json.Marshal(p)
	if err != nil {
		return err
	}
	t.Woken.Publications = true
	return t.send(`INSERT INTO publication (key, id, pack, digest, state, row, files) VALUES ($1, $2, $3, $4, $5, $6, $7)
		ON CONFLICT (key, id) DO UPDATE SET state = excluded.state, row = excluded.row`,
		t.key, p.ID, p.Pack, p.Digest, p.State, string(row), files)
}

// Closures implements publication.Reader.
func (t *Tx) Closures() ([]publication.Closure, error) {
	return list(t, `SELECT row FROM closure WHERE key = $1 ORDER BY version`, args(act.Platform),
		func(scan func(into ...any) error) (c publication.Closure, err error) {
			var row []byte
			if err := scan(&row); err != nil {
				return c, err
			}
			return c, json.Unmarshal(row, &c)
		})
}

// SaveClosure implements publication.Tx.
func (t *Tx) SaveClosure(c publication.Closure) error {
	row, err := json.Marshal(c)
	if err != nil {
		return err
	}
	t.Woken.Publications = true
	return t.send(`INSERT INTO closure (key, version, row) VALUES ($1, $2, $3) ON CONFLICT (key, version) DO NOTHING`,
		t.key, c.Version, string(row))
}

// PublicationRows calls visit for every publication and closure; for the auditor. What cannot be read, and a publication
// whose files do not give its digest or whose columns are not those of its row, comes with an empty digest.
func (t *Tx) PublicationRows(visit func(journal.Row) error) error {
	err := t.rows(`SELECT key, id, pack, digest, state, row, files FROM publication ORDER BY key, id`, nil, func(scan func(into ...any) error) error {
		var key string
		var columns publication.Publication
		var row, files []byte
		if err := scan(&key, &columns.ID, &columns.Pack, &columns.Digest, &columns.State, &row, &files); err != nil {
			return err
		}
		p, err := scanPublication(func(into ...any) error {
			*into[0].(*[]byte), *into[1].(*[]byte) = row, files
			return nil
		})
		cover := p.Cover()
		if err != nil || p.ID != columns.ID || p.Pack != columns.Pack || p.Digest != columns.Digest || p.State != columns.State ||
			p.Files.Digest() != p.Digest {
			cover = journal.Cover{Row: "publication/" + string(columns.ID)}
		}
		return visit(rowOf(cover, key, p.Event))
	})
	if err != nil {
		return err
	}
	return t.rows(`SELECT key, version, row FROM closure ORDER BY key, version`, nil, func(scan func(into ...any) error) error {
		var key, version string
		var row []byte
		if err := scan(&key, &version, &row); err != nil {
			return err
		}
		var c publication.Closure
		err := json.Unmarshal(row, &c)
		cover := c.Cover()
		if err != nil || c.Version != version {
			cover = journal.Cover{Row: "closure/" + version}
		}
		return visit(rowOf(cover, key, c.Event))
	})
}

// Drafts implements publication.Reader.
func (t *Tx) Drafts(agency ident.Agency) ([]publication.Draft, error) {
	return list(t, `SELECT row, '{}' FROM draft WHERE key = $1 ORDER BY pack`, args(act.OfAgency(agency)), scanDraft)
}

// Draft implements publication.Reader.
func (t *Tx) Draft(agency ident.Agency, pack string) (publication.Draft, bool, error) {
	found, err := list(t, `SELECT row, files FROM draft WHERE key = $1 AND pack = $2`, args(act.OfAgency(agency), pack), scanDraft)
	if err != nil || len(found) == 0 {
		return publication.Draft{}, false, err
	}
	return found[0], true, nil
}

func scanDraft(scan func(into ...any) error) (d publication.Draft, err error) {
	var row, files []byte
	if err := scan(&row, &files); err != nil {
		return d, err
	}
	if err := json.Unmarshal(row, &d); err != nil {
		return d, err
	}
	return d, json.Unmarshal(files, &d.Files)
}

// SaveDraft implements publication.Tx.
func (t *Tx) SaveDraft(d publication.Draft) error {
	files, err := json.Marshal(d.Files)
	if err != nil {
		return err
	}
	d.Files = nil
	row, err := json.Marshal(d)
	if err != nil {
		return err
	}
	return t.send(`INSERT INTO draft (key, pack, row, files) VALUES ($1, $2, $3, $4)
		ON CONFLICT (key, pack) DO UPDATE SET row = excluded.row, files = excluded.files`, t.key, d.Pack, string(row), files)
}

// DraftRows calls visit for every draft; for the auditor. What cannot be read or is not what its columns say comes with an
// empty digest.
func (t *Tx) DraftRows(visit func(journal.Row) error) error {
	return t.rows(`SELECT key, pack, row, files FROM draft ORDER BY key, pack`, nil, func(scan func(into ...any) error) error {
		var key, pack string
		var row, files []byte
		if err := scan(&key, &pack, &row, &files); err != nil {
			return err
		}
		d, err := scanDraft(func(into ...any) error {
			*into[0].(*[]byte), *into[1].(*[]byte) = row, files
			return nil
		})
		cover := d.Cover()
		if agency, _ := strings.CutPrefix(key, "agency:"); err != nil || d.Pack != pack || string(d.Agency) != agency {
			cover = journal.Cover{Row: "draft/" + agency + "/" + pack}
		}
		return visit(rowOf(cover, key, d.Event))
	})
}

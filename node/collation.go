package node

import (
	"bufio"
	"encoding/gob"
	"errors"
	"hash/maphash"
	"io"
	"os"
	"slices"
	"strconv"

	"yagona/kernel/act"
	"yagona/kernel/ident"
)

// voucher is what an event vouched for of a row, or what is stored of it.
type voucher struct {
	Row    string
	Key    act.Key
	Event  ident.Event
	Index  int64 // the event's place in the log
	At     int64 // the event's time
	Digest []byte
	Stored bool
}

// bucketCount is among how many files a collation spreads rows: one file's rows are in memory at a time, some MB of a
// million events.
const bucketCount = 64

// collation brings together what is said of each row, in any order and of any number of rows: it spreads the vouchers
// over files by a hash of the row's name, then reads file by file.
type collation struct {
	folder  string
	seed    maphash.Seed
	buckets [bucketCount]*bucket
}

type bucket struct {
	file   *os.File
	writer *bufio.Writer
	gob    *gob.Encoder
}

func newCollation(folder string) (*collation, error) {
	folder, err := os.MkdirTemp(folder, "yagona-audit-")
	if err != nil {
		return nil, err
	}
	c := &collation{folder: folder, seed: maphash.MakeSeed()}
	for i := range c.buckets {
		file, err := os.Create(folder + "/" + strconv.Itoa(i))
		if err != nil {
			c.remove()
			return nil, err
		}
		writer := bufio.NewWriterSize(file, 1<<15)
		c.buckets[i] = &bucket{file, writer, gob.NewEncoder(writer)}
	}
	return c, nil
}

// add takes a voucher.
func (c *collation) add(one voucher) error {
	return c.buckets[maphash.String(c.seed, one.Row)%bucketCount].gob.Encode(one)
}

// each calls visit for each row with what events vouched for and what is stored, each in the order in which they were
// added; the rows of a file in the order of their names.
func (c *collation) each(visit func(row string, vouched, stored []voucher)) error {
	for _, bucket := range c.buckets {
		if err := bucket.each(visit); err != nil {
			return err
		}
	}
	return nil
}

func (b *bucket) each(visit func(row string, vouched, stored []voucher)) error {
	if err := b.writer.Flush(); err != nil {
		return err
	}
	if _, err := b.file.Seek(0, io.SeekStart); err != nil {
		return err
	}
	var all []voucher
	decoder := gob.NewDecoder(bufio.NewReader(b.file))
	for {
		var one voucher
		err := decoder.Decode(&one)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			return err
		}
		all = append(all, one)
	}
	slices.SortStableFunc(all, func(x, y voucher) int {
		switch {
		case x.Row < y.Row:
			return -1
		case x.Row > y.Row:
			return 1
		case x.Stored == y.Stored:
			return 0
		case y.Stored:
			return -1
		}
		return 1
	})
	for len(all) > 0 {
		same := slices.IndexFunc(all, func(one voucher) bool { return one.Row != all[0].Row })
		if same < 0 {
			same = len(all)
		}
		of := all[:same]
		vouched := slices.IndexFunc(of, func(one voucher) bool { return one.Stored })
		if vouched < 0 {
			vouched = same
		}
		visit(of[0].Row, of[:vouched], of[vouched:])
		all = all[same:]
	}
	return nil
}

// remove removes the files.
func (c *collation) remove() {
	for _, bucket := range c.buckets {
		if bucket != nil {
			bucket.file.Close()
		}
	}
	os.RemoveAll(c.folder)
}

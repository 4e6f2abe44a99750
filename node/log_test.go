package node_test

import (
	"bytes"
	"encoding/json"
	"log/slog"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/synctest"
	"time"

	"yagona/node"
)

// seen remembers each writing by itself.
type seen struct {
	mu     sync.Mutex
	writes []string
}

func (s *seen) Write(content []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if len(content) > 0 {
		s.writes = append(s.writes, string(content))
	}
	return len(content), nil
}

func (s *seen) lines() []int {
	s.mu.Lock()
	defer s.mu.Unlock()
	var counts []int
	for _, one := range s.writes {
		counts = append(counts, strings.Count(one, "\n"))
	}
	return counts
}

func TestLinesOfTheLogGoTogetherAndWarningsAtOnce(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		var out seen
		log, flush := node.Log(&out, slog.LevelInfo)
		check := func(when string, want ...int) {
			t.Helper()
			if got := out.lines(); !slices.Equal(got, want) {
				t.Errorf("%s: lines of the writings are %v, want %v", when, got, want)
			}
		}
		log.Debug("not wanted")
		log.Info("one")
		log.With("a", 1).WithGroup("g").Info("two", "b", 2)
		check("before its time")
		time.Sleep(101 * time.Millisecond)
		synctest.Wait()
		check("in its time", 2)
		log.Info("three")
		log.With("a", 1).Warn("four")
		check("a warning", 2, 2)
		time.Sleep(time.Second)
		synctest.Wait()
		check("nothing waits", 2, 2)
		log.Info("five")
		flush()
		check("at the end", 2, 2, 1)
		log.Info(strings.Repeat("x", 64<<10))
		check("much at a time", 2, 2, 1, 1)
	})
}

func TestNoLineOfTheLogIsLostOrTorn(t *testing.T) {
	var out bytes.Buffer
	log, flush := node.Log(&out, slog.LevelInfo)
	var writers sync.WaitGroup
	for who := range 8 {
		writers.Go(func() {
			for i := range 500 {
				if i%100 == 0 {
					log.Warn("warning", "who", who)
					continue
				}
				log.Info("line", "who", who, "text", strings.Repeat("ў", i))
			}
		})
	}
	writers.Wait()
	flush()
	count := 0
	for line := range bytes.Lines(out.Bytes()) {
		if !json.Valid(line) {
			t.Fatalf("a line is torn: %.100s", line)
		}
		count++
	}
	if count != 4000 {
		t.Errorf("%d lines were written", count)
	}
}

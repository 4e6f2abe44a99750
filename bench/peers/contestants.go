package main

import (
	"path/filepath"
	"time"
)

// contestants are all programs, ours first, each with what its durability is.
func contestants(folder string, wanted options) []*contestant {
	var all []*contestant
	add := func(name, slug, setting string, limit time.Duration, of func(folder string, port, second int) program) {
		port, err := free()
		second, wrong := free()
		if err != nil || wrong != nil {
			port, second = 0, 0 // it will say so when it starts
		}
		at := filepath.Join(folder, slug)
		all = append(all, &contestant{
			program: of(at, port, second), name: name, setting: setting, folder: at, limit: limit, made: map[string][]string{}, measured: map[string][]turn{},
		})
	}
	add("Yagona", "yagona", "SQLite, WAL, synchronous FULL: as shipped, and no other", 5*time.Minute, func(at string, port, _ int) program {
		return &yagona{client: newClient(port), folder: at, port: port, people: wanted.people}
	})
	add("PocketBase", "pocketbase", "SQLite, WAL, synchronous NORMAL: as shipped", time.Minute, func(at string, port, _ int) program {
		return &pocketbase{client: newClient(port), folder: at, port: port}
	})
	add("PocketBase, FULL", "pocketbase-full", "SQLite, WAL, synchronous FULL: like for like", time.Minute, func(at string, port, _ int) program {
		return &pocketbase{client: newClient(port), folder: at, port: port, synchronous: "FULL"}
	})
	add("Temporal", "temporal", "server for development, in memory: as shipped", time.Minute, func(at string, port, second int) program {
		return &temporal{client: newClient(port), folder: at, port: port, grpc: second}
	})
	add("Temporal, FULL", "temporal-full", "server for development, SQLite file, WAL, synchronous FULL: like for like", time.Minute, func(at string, port, second int) program {
		return &temporal{client: newClient(port), folder: at, port: port, grpc: second, file: true}
	})
	add("Request Tracker", "tracker", "PostgreSQL, synchronous_commit on: as shipped, like for like", 4*time.Minute, func(at string, port, second int) program {
		return &requestTracker{client: newClient(port), cluster: cluster{folder: at, port: second}, folder: at, port: port}
	})
	add("PostgreSQL", "postgres", "synchronous_commit on: as shipped, like for like; no HTTP, nothing before it", time.Minute, func(at string, port, _ int) program {
		return &postgres{cluster: cluster{folder: at, port: port}, clients: wanted.clients}
	})
	all[0].records = true
	return all
}

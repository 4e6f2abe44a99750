package main

import (
	"bytes"
	"os"
	"path/filepath"
	"testing"
)

const root = "../.."

func TestNoticesAreCurrent(t *testing.T) {
	want, err := Notices(root)
	if err != nil {
		t.Fatal(err)
	}
	got, err := os.ReadFile(filepath.Join(root, "THIRD_PARTY_NOTICES.md"))
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(got, want) {
		t.Error("THIRD_PARTY_NOTICES.md does not list what the binary links: run `go -C tools run ./notices ..`")
	}
}

func TestClassify(t *testing.T) {
	own, err := os.ReadFile(filepath.Join(root, "LICENSE"))
	if err != nil {
		t.Fatal(err)
	}
	for name, test := range map[string]struct{ text, want string }{
		"this project":  {string(own), "Apache-2.0"},
		"MIT":           {"Permission is hereby granted, free of\ncharge, to any person", "MIT"},
		"two clauses":   {"Redistribution and use in source and binary forms, with or without", "BSD-2-Clause"},
		"three clauses": {"Redistribution and use in source and binary forms … Neither the name of", "BSD-3-Clause"},
		"copyleft":      {"GNU Affero General Public License … Permission is hereby granted, free of charge", ""},
		"file copyleft": {"Mozilla Public License Version 2.0 … GNU General Public License", "MPL-2.0"},
		"unknown":       {"All rights reserved.", ""},
	} {
		t.Run(name, func(t *testing.T) {
			if got := Classify(test.text); got != test.want {
				t.Errorf("Classify = %q, want %q", got, test.want)
			}
		})
	}
}

func TestModuleWithoutLicenceIsRefused(t *testing.T) {
	dir := t.TempDir()
	if _, _, err := licences(dir); err == nil {
		t.Error("a folder without a licence file was accepted")
	}
	if err := os.WriteFile(filepath.Join(dir, "LICENSE"), []byte("All rights reserved."), 0o600); err != nil {
		t.Fatal(err)
	}
	if _, _, err := licences(dir); err == nil {
		t.Error("a licence that nobody read was accepted")
	}
}

func TestWhatTheRepositoryCarriesIsListed(t *testing.T) {
	dir := t.TempDir()
	font := filepath.Join(dir, "web", "font")
	if err := os.MkdirAll(font, 0o755); err != nil {
		t.Fatal(err)
	}
	text := "SIL Open Font License Version 1.1"
	if err := os.WriteFile(filepath.Join(font, "OFL.txt"), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
	parts, err := carried(dir)
	if err != nil {
		t.Fatal(err)
	}
	if len(parts) != 1 || parts[0].name != "web/font" || parts[0].licence != "OFL-1.1" {
		t.Errorf("carried = %+v, want the font under OFL-1.1", parts)
	}
}

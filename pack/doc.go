// Package pack owns the pack language: it reads the YAML files of packs, checks them together, and compiles them into
// the definitions of kernel/service and kernel/register.
//
// A pack is a folder with pack.yaml, services/*.yaml, registers/*.yaml and locale/*.yaml; a national catalogue is
// several of them, loaded together, because what one pack may ask depends on what the registers of all answer. The
// keys of the language are the Go structs of language.go: the strict reader and the JSON Schema for editors are both
// made from them.
//
// Every problem says file, line, column, what is wrong and what to do; all of them are collected, not just the first.
// They are English where they are written and on the command line; Said says them in the languages of messages.
// What has an error is not compiled, and a catalogue with errors is never handed out.
//
// Invariants: a key that the language does not know is an error, never ignored; reading ends, and needs memory in
// proportion to the size of the files, whatever they contain; no value of a person is in a pack.
package pack

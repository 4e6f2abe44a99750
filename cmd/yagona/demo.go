package main

import "errors"

// demoCommand serves a demonstration.
type demoCommand struct{}

// Run carries the command out.
func (demoCommand) Run() error { return errors.New("this build has no demonstration") }

// Command yagona is the whole platform in one binary: flags, configuration and wiring; no logic.
package main

func main() {}

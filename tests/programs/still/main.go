// A Go program with next to nothing in it: for tests that look at the runtime's own variables.
package main

func main() { select {} }

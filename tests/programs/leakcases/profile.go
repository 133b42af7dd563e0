package main

import (
	"flag"
	"os"
	"runtime/pprof"
)

// With -profile the program ends, once there is something to read on standard input, by writing Go's own
// goroutineleak profile, if it has one.
var profile = flag.Bool("profile", false, "write the goroutineleak profile at the end")

func atEnd() {
	if leaks := pprof.Lookup("goroutineleak"); *profile && leaks != nil {
		leaks.WriteTo(os.Stdout, 2)
	}
}

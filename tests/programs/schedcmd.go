// Runs a while with more work than Ps, writes to standard error meanwhile, and exits with 3.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sync/atomic"
	"time"
)

func main() {
	runtime.GOMAXPROCS(2)
	var n int64
	for i := 0; i < 50; i++ {
		go func() {
			for {
				atomic.AddInt64(&n, 1)
			}
		}()
	}
	// Between two lines of the runtime, which come every 20 ms and in pieces: nobody can tell those apart from a line
	// that falls in the middle of one.
	time.Sleep(10 * time.Millisecond)
	for i := 0; i < 3; i++ {
		fmt.Fprintln(os.Stderr, "own line")
	}
	time.Sleep(400 * time.Millisecond)
	os.Exit(3)
}

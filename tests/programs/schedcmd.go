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
	for end := time.Now().Add(400 * time.Millisecond); time.Now().Before(end); {
		fmt.Fprintln(os.Stderr, "own line")
		time.Sleep(20 * time.Millisecond)
	}
	os.Exit(3)
}

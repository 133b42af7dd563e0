// Leaked prints the goroutine leak profile as debug=2 text: Go ≥ 1.26, built with
// GOEXPERIMENT=goroutineleakprofile where that is not the default.
package main

import (
	"os"
	"runtime"
	"runtime/pprof"
	"sync"
	"time"
)

func main() {
	for i := 0; i < 2; i++ {
		go func() { c := make(chan int); <-c }()
		go func() { m := new(sync.Mutex); m.Lock(); m.Lock() }()
	}
	live := make(chan int)
	go func() { <-live }()
	time.Sleep(50 * time.Millisecond)
	runtime.GC()
	pprof.Lookup("goroutineleak").WriteTo(os.Stdout, 2)
	live <- 1
}

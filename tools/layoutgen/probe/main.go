// A program whose DWARF describes every type that weir reads: it refers to each of them, or to something
// that does. Built by layoutgen, never run. Must compile with Go 1.19.
package main

import (
	"context"
	"os"
	"runtime"
	"runtime/pprof"
	"sync"
	"testing"
	"time"
)

var (
	cond      = sync.NewCond(&sync.Mutex{})
	rwMutex   sync.RWMutex
	waitGroup sync.WaitGroup
)

func main() {
	pprof.Do(context.Background(), pprof.Labels("key", "value"), func(context.Context) {})
	runtime.SetFinalizer(new(*int), func(**int) {})
	rwMutex.Lock()
	waitGroup.Add(1)
	go func() {
		cond.L.Lock()
		cond.Wait()
		waitGroup.Done()
	}()
	time.AfterFunc(time.Second, func() {})
	if _, err := os.Open("."); err != nil {
		os.Exit(1)
	}
	test := testing.InternalTest{Name: "t", F: func(t *testing.T) { t.Parallel() }}
	testing.Main(func(string, string) (bool, error) { return true, nil }, []testing.InternalTest{test}, nil, nil)
}

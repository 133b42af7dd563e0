// Counts writes the legacy text of a profile (debug=1) for tests/golden/dump: goroutines with and
// without labels, generic and closure names, inlined calls.
package main

import (
	"context"
	"os"
	"runtime"
	"runtime/pprof"
)

type box[T any] struct{ c chan T }

//go:noinline
func (b *box[T]) wait() { <-b.c }

func inlined(c chan int) { <-c }

func main() {
	labels := pprof.Labels("tenant", "a \"b\": {c},\n", "zone", "é")
	pprof.Do(context.Background(), labels, func(context.Context) {
		for i := 0; i < 3; i++ {
			go (&box[string]{}).wait()
		}
	})
	for i := 0; i < 2; i++ {
		go func() { inlined(make(chan int)) }()
	}
	for i := 0; i < 100; i++ {
		runtime.Gosched()
	}
	_ = pprof.Lookup(os.Args[1]).WriteTo(os.Stdout, 1)
}

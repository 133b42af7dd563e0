//go:build go1.25

package main

import (
	"runtime"
	"sync"
)

func init() {
	register("waitgroup-go", func(name string) {
		c := waitFor(name)
		group := new(sync.WaitGroup)
		keep = append(keep, group)
		group.Go(func() { enter(name); <-c })
	})
	// Go 1.24 runs cleanups on the finalizer goroutine, which the case "finalizer" holds.
	register("cleanup", func(name string) {
		c := waitFor(name)
		func() { runtime.AddCleanup(&node{new(node)}, func(int) { enter(name); <-c }, 0) }()
		runtime.GC()
		runtime.GC()
	})
}

//go:build go1.23

package main

import "iter"

func init() {
	// Suspended in yield: nobody is in next.
	register("coroutine-idle", func(name string) {
		next, stop := iter.Pull(func(yield func(int) bool) {
			enter(name)
			yield(1)
		})
		expect(name, "kind=other")
		keep = append(keep, next, stop)
		next()
	})
	// In next, while the sequence's own goroutine waits for a channel.
	register("coroutine-caller", func(name string) {
		c := make(chan int)
		next, stop := iter.Pull(func(yield func(int) bool) { yield(<-c) })
		expect(name, "kind=other")
		keep = append(keep, next, stop, c)
		go func() { enter(name); next() }()
	})
}

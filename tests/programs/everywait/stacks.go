package main

import (
	"fmt"
	"runtime"
)

// waitFor gives a channel nobody sends on, registered as what the case waits on.
func waitFor(name string) chan int {
	c := make(chan int)
	expect(name, "kind=channel_receive", channel(c))
	keep = append(keep, c)
	return c
}

func init() {
	register("labels", func(name string) {
		c := waitFor(name)
		go func() { enter(name, "tenant", "a b", "quote", "say \"hi\"]: {x}"); <-c }()
	})
	register("locked", func(name string) {
		c := waitFor(name)
		go func() { runtime.LockOSThread(); enter(name); <-c }()
	})
	register("deep", func(name string) {
		c := waitFor(name)
		go func() { enter(name); deep(300, c) }()
	})
	register("deep-90", func(name string) {
		c := waitFor(name)
		go func() { enter(name); deep(90, c) }()
	})
	register("inlined", func(name string) {
		c := waitFor(name)
		go func() { enter(name); sink = inlineA(c) }()
	})
	register("inlined-mid", func(name string) {
		c := waitFor(name)
		go func() { enter(name); callsThrough(func() { <-c }) }()
	})
	register("generic-method", func(name string) {
		c := waitFor(name)
		h := &holder[int]{c}
		go func() { enter(name); h.wait() }()
	})
	register("generic-value", func(name string) {
		c := waitFor(name)
		go func() { enter(name); genericWait[int, string](c, "x") }()
	})
	register("generic-closure", func(name string) {
		c := waitFor(name)
		go func() { enter(name); genericClosure(c)() }()
	})
	register("closure-nested", closureNested)
	register("method-value", func(name string) {
		w := &waiter{name, waitFor(name)}
		f := w.wait
		go f()
	})
	register("method-direct", func(name string) { go (&waiter{name, waitFor(name)}).wait() })
	register("method-interface", func(name string) {
		var i interface{ wait() } = outer{&middle{waiter{name, waitFor(name)}}}
		go i.wait()
	})
	register("method-expression", func(name string) { go (*waiter).wait(&waiter{name, waitFor(name)}) })
	register("defer-return", func(name string) { go deferReturn(name, waitFor(name)) })
	register("defer-loop", func(name string) { go deferLoop(name, waitFor(name)) })
	register("defer-panic", func(name string) { go deferPanic(name, waitFor(name)) })
	register("defer-recovered", func(name string) { go deferRecovered(name, waitFor(name)) })
	register("defer-recover-again", func(name string) { go recoverAgain(name, waitFor(name)) })
	register("defer-nil-pointer", func(name string) { go deferNilPointer(name, waitFor(name), nil) })
	register("defer-divide", func(name string) { go deferDivide(name, waitFor(name), 0) })
	register("defer-index", func(name string) { go deferIndex(name, waitFor(name), []int{1}, 5) })
	register("defer-goexit", func(name string) { go deferGoexit(name, waitFor(name)) })
	register("created-inlined", func(name string) { spawnInlined(name, waitFor(name)) })
	register("created-closure", func(name string) { func() { spawn(name, waitFor(name)) }() })
	register("created-generic", func(name string) { spawnGeneric(name, waitFor(name)) })
	register("created-method", func(name string) { (&waiter{name, waitFor(name)}).spawn() })
	register("finalizer", finalizer)
	register("large-frame", func(name string) { go largeFrame(name, waitFor(name)) })
	register("arguments", func(name string) {
		go arguments(name, waitFor(name), pair{1, 2}, []string{"a"}, 1.5, true, map[string]int{}, nil, 7, 8, 9)
	})
	register("growing", func(name string) { go growing(name, 2000, waitFor(name)) })
}

//go:noinline
func deep(n int, c chan int) int {
	if n > 0 {
		return deep(n-1, c) + 1
	}
	return <-c
}

func inlineA(c chan int) int { return inlineB(c) + 1 }
func inlineB(c chan int) int { return inlineC(c) + 1 }
func inlineC(c chan int) int { return inlineD(c) + 1 }
func inlineD(c chan int) int {
	return <-c
}

// callsThrough is inlined and calls a function that is not: an inlined frame below a physical one.
func callsThrough(f func()) { callsFurther(f) }
func callsFurther(f func()) { notInlined(f) }

//go:noinline
func notInlined(f func()) { f() }

type holder[T any] struct{ c chan T }

//go:noinline
func (h *holder[T]) wait() T { return <-h.c }

//go:noinline
func genericWait[A, B any](c chan A, b B) (A, B) { return <-c, b }

//go:noinline
func genericClosure[T any](c chan T) func() {
	return func() {
		func() { <-c }()
	}
}

func closureNested(name string) {
	c := waitFor(name)
	go func() {
		enter(name)
		one := func() {
			two := func() {
				defer func() {}()
				<-c
			}
			two()
		}
		one()
	}()
}

// sink keeps results alive.
var sink interface{}

type waiter struct {
	name string
	c    chan int
}

func (w *waiter) wait() { enter(w.name); <-w.c }

func (w *waiter) spawn() { go w.wait() }

// middle and outer promote wait, so that calls through an interface pass compiler-made wrappers.
type middle struct{ waiter }
type outer struct{ *middle }

func deferReturn(name string, c chan int) {
	enter(name)
	defer func() { <-c }()
}

func deferLoop(name string, c chan int) {
	enter(name)
	for i := 0; i < 3; i++ {
		defer func(i int) { <-c }(i)
	}
}

func deferPanic(name string, c chan int) {
	enter(name)
	defer func() { <-c }()
	panics("on purpose")
}

//go:noinline
func panics(why string) { panic(why) }

func deferRecovered(name string, c chan int) {
	enter(name)
	defer func() {
		recover()
		<-c
	}()
	panics("recovered")
}

func recoverAgain(name string, c chan int) {
	enter(name)
	defer func() { recover() }()
	defer func() {
		defer func() {
			recover()
			<-c
		}()
		panics("second")
	}()
	panics("first")
}

func deferNilPointer(name string, c chan int, p *pair) {
	enter(name)
	defer func() { <-c }()
	p.b = 1
}

func deferDivide(name string, c chan int, zero int) {
	enter(name)
	defer func() { <-c }()
	sink = fmt.Sprint(7 / zero)
}

func deferIndex(name string, c chan int, list []int, i int) {
	enter(name)
	defer func() { <-c }()
	sink = fmt.Sprint(list[i])
}

func deferGoexit(name string, c chan int) {
	enter(name)
	defer func() { <-c }()
	runtime.Goexit()
}

func spawnInlined(name string, c chan int) { go waitPlain(name, c) }

//go:noinline
func spawn(name string, c chan int) { go waitPlain(name, c) }

//go:noinline
func spawnGeneric[T any](name string, c chan T) {
	go func() { enter(name); <-c }()
}

func waitPlain(name string, c chan int) { enter(name); <-c }

// finalizer blocks the runtime's finalizer goroutine in user code.
func finalizer(name string) {
	c := waitFor(name)
	func() {
		object := &node{new(node)}
		runtime.SetFinalizer(object, func(*node) { enter(name); <-c })
	}()
	runtime.GC()
	runtime.GC()
}

//go:noinline
func largeFrame(name string, c chan int) {
	var buffer [16384]byte
	enter(name)
	buffer[<-c&1] = 1
	sink = fmt.Sprint(buffer)
}

//go:noinline
func arguments(name string, c chan int, p pair, s []string, f float64, b bool, m map[string]int,
	e error, x, y, z int) {
	enter(name)
	<-c
	sink = fmt.Sprint(p, s, f, b, m, e, x, y, z)
}

// growing makes its stack move several times before it parks.
//
//go:noinline
func growing(name string, n int, c chan int) {
	touch(n)
	enter(name)
	<-c
}

//go:noinline
func touch(n int) int {
	var pad [64]int
	if n == 0 {
		return pad[0]
	}
	return touch(n-1) + pad[n%64]
}

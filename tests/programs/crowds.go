// Crowds has many goroutines in one queue: of channels and Conds that are leaked, and of ones that are not. The
// function that a goroutine was created by tells which, as in leakcases. "ready" is printed once all of them wait.
// Those of Element have an element of a list at hand, which to weir looks like a Cond's queue: what would be its
// notify number is the upper half of a pointer into the heap, 0xc0, and there are more goroutines than that. Its queue
// goes round.
package main

import (
	"container/list"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"
)

const crowd = 300

type (
	leaked struct{}
	live   struct{}
)

var (
	channel = make(chan int)
	cond    = sync.NewCond(new(sync.Mutex))
	working = sync.NewCond(new(sync.Mutex))
)

//go:noinline
func (leaked) Channel() {
	for i, c := 0, make(chan int); i < crowd; i++ {
		go func() { c <- 1 }()
	}
}

//go:noinline
func (live) Channel() {
	for i := 0; i < crowd; i++ {
		go func() { <-channel }()
	}
}

//go:noinline
func (leaked) Cond() {
	for i, c := 0, sync.NewCond(new(sync.Mutex)); i < crowd; i++ {
		go wait(c)
	}
}

//go:noinline
func (live) Cond() {
	for i := 0; i < crowd; i++ {
		go wait(cond)
	}
}

func wait(c *sync.Cond) { c.L.Lock(); c.Wait() }

//go:noinline
func (leaked) Element() {
	for i, c, l := 0, sync.NewCond(new(sync.Mutex)), jobs(); i < crowd; i++ {
		go waitWith(c, l.Front())
	}
}

//go:noinline
func (live) Element() {
	for i, l := 0, jobs(); i < crowd; i++ {
		go waitWith(working, l.Front())
	}
}

func waitWith(c *sync.Cond, job *list.Element) { c.L.Lock(); c.Wait(); runtime.KeepAlive(job) }

func jobs() *list.List {
	l := list.New()
	for i := 0; i < 30; i++ {
		l.PushBack(i)
	}
	return l
}

// clear leaves nothing of what main has called on its stack.
//
//go:noinline
func clear() {
	var room [4096]uintptr
	for i := range room {
		room[i] = uintptr(i)
	}
	runtime.KeepAlive(room)
}

func main() {
	done := make(chan bool)
	go func() {
		leaked{}.Channel()
		live{}.Channel()
		leaked{}.Cond()
		live{}.Cond()
		leaked{}.Element()
		live{}.Element()
		done <- true
	}()
	<-done
	time.Sleep(100 * time.Millisecond)
	runtime.GC()
	clear()
	fmt.Println("ready")
	var b [1]byte
	os.Stdin.Read(b[:])
}

// Crowds has many goroutines in one queue: of channels and Conds that are leaked, and of ones that are not. The
// function that a goroutine was created by tells which, as in leakcases. "ready" is printed once all of them wait.
package main

import (
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"
)

const crowd = 100

type (
	leaked struct{}
	live   struct{}
)

var (
	channel = make(chan int)
	cond    = sync.NewCond(new(sync.Mutex))
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

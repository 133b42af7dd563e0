// Leakcases has a goroutine for every shape of leak, and one for everything that looks like a leak and is
// none. The function that a goroutine was created by tells: (leaked).NAME, (live).NAME. "ready" is
// printed once all of them wait.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"runtime"
	"sync"
	"time"
)

type leaked struct{}
type live struct{}

// Started in a loop from tables, each from a frame of its own, so that what remains on main's stack are
// not the cases' channels.
var leaks = []func(leaked){
	leaked.Send, leaked.Receive, leaked.Range, leaked.PointerChannel, leaked.Context, leaked.NilReceive,
	leaked.NilSend, leaked.SelectNone, leaked.SelectTwo, leaked.WaitGroup, leaked.Upgrade, leaked.Downgrade,
	leaked.Cond, leaked.Cycle, leaked.StoppedTimer, leaked.Interface, leaked.DoubleLock, leaked.Defers,
	leaked.Buffered, leaked.Chain,
}

var lives = []func(live){
	live.Timer, live.Ticker, live.After, live.AfterFunc, live.Timeout, live.GlobalContext, live.GlobalChannel,
	live.GlobalMap, live.GlobalInterface, live.GlobalClosure, live.GlobalMutex, live.GlobalWaitGroup,
	live.GlobalCond, live.Worker, live.Sleeper, live.InBuffer, live.Finalizer, live.MutexOfSleeper,
	live.Sleep, live.Input, live.Slice, live.Linked, live.DeepObject, live.Array,
}

// clear overwrites what the calls before left on the stack.
//
//go:noinline
func clear() byte {
	var room [32 << 10]byte
	for i := range room {
		room[i] = byte(i)
	}
	return room[len(os.Args)]
}

//go:noinline
func start() {
	for _, f := range leaks {
		f(leaked{})
	}
	for _, f := range lives {
		f(live{})
	}
	for _, f := range more {
		f()
	}
}

var more []func()

func main() {
	flag.Parse()
	done := make(chan bool)
	go func() { start(); clear(); done <- true }()
	<-done
	for i := 0; i < 3; i++ {
		time.Sleep(50 * time.Millisecond)
		if i == 0 {
			runtime.GC()
		}
	}
	clear()
	fmt.Println("ready")
	var b [1]byte
	os.Stdin.Read(b[:])
	runtime.KeepAlive(globals)
	atEnd()
}

var globals []interface{}

func (leaked) Send()    { c := make(chan int); go func() { c <- 1 }() }
func (leaked) Receive() { c := make(chan *int); go func() { <-c }() }
func (leaked) Range() {
	c := make(chan string, 2)
	go func() {
		for range c {
		}
	}()
	c <- "one"
}

type node struct {
	c    chan *node
	next *node
	mu   sync.Mutex
	pad  [4]uintptr
}

func (leaked) PointerChannel() {
	n := &node{c: make(chan *node)}
	n.next = n
	go func() { n.c <- n }()
}
func (leaked) Context() {
	ctx, cancel := context.WithCancel(context.Background())
	_ = cancel
	go func() { <-ctx.Done() }()
}
func (leaked) NilReceive() { var c chan int; go func() { <-c }() }
func (leaked) NilSend()    { var c chan int; go func() { c <- 1 }() }
func (leaked) SelectNone() { go func() { select {} }() }
func (leaked) SelectTwo() {
	a, b := make(chan int), make(chan *int)
	go func() {
		select {
		case <-a:
		case b <- nil:
		}
	}()
}

type group struct {
	wg  sync.WaitGroup
	rw  sync.RWMutex
	pad [4]*int
}

func (leaked) WaitGroup() { g := &group{}; g.wg.Add(1); go func() { g.wg.Wait() }() }
func (leaked) Upgrade()   { g := &group{}; go func() { g.rw.RLock(); g.rw.Lock() }() }
func (leaked) Downgrade() { g := &group{}; go func() { g.rw.Lock(); g.rw.RLock() }() }
func (leaked) Cond() {
	c := sync.NewCond(&sync.Mutex{})
	go func() { c.L.Lock(); c.Wait() }()
}
func (leaked) Cycle() {
	a, b := make(chan int), make(chan int)
	go func() { a <- <-b }()
	go func() { b <- <-a }()
}
func (leaked) StoppedTimer() {
	t := time.NewTimer(time.Hour)
	t.Stop()
	go func() { <-t.C }()
}
func (leaked) Interface() {
	var x interface{} = &node{c: make(chan *node)}
	go func() { <-x.(*node).c }()
}
func (leaked) DoubleLock() { n := &node{}; n.next = n; go func() { n.mu.Lock(); n.mu.Lock() }() }
func (leaked) Defers() {
	c := make(chan *int)
	go func() {
		for i := 0; i < 2; i++ { // in a loop: on the heap
			defer func() { c <- nil }()
		}
		<-c
	}()
}
func (leaked) Buffered() {
	c := make(chan *int, 1)
	c <- new(int)
	go func() { c <- nil }()
}

// The channel that the first one waits on is known to the second only, which waits for ever, too.
func (leaked) Chain() {
	a, b := make(chan int), make(chan *int)
	go func() { <-a }()
	go func() { <-b; close(a) }()
}

func (live) Timer()  { t := time.NewTimer(time.Hour); go func() { <-t.C }() }
func (live) Ticker() { t := time.NewTicker(time.Hour); go func() { <-t.C; t.Stop() }() }
func (live) After() {
	go func() {
		select {
		case <-time.After(time.Hour):
		}
	}()
}
func (live) AfterFunc() {
	c := make(chan *int)
	time.AfterFunc(time.Hour, func() { close(c) })
	go func() { <-c }()
}
func (live) Timeout() {
	ctx, cancel := context.WithTimeout(context.Background(), time.Hour)
	_ = cancel
	go func() { <-ctx.Done() }()
}

var (
	globalContext   context.Context
	globalCancel    context.CancelFunc
	globalChannel   chan int
	globalMap       = map[string]chan int{}
	globalInterface interface{}
	globalClosure   func()
	globalMutex     *node
	globalGroup     *group
	globalCond      *sync.Cond
	globalBuffer    = make(chan chan int, 4)
	globalSlice     []chan int
	globalList      *node
	globalDeep      **node
	globalArray     [4]struct{ c chan *int }
)

func (live) GlobalContext() {
	globalContext, globalCancel = context.WithCancel(context.Background())
	ctx, _ := context.WithCancel(globalContext)
	go func() { <-ctx.Done() }()
}
func (live) GlobalChannel() {
	c := make(chan int)
	globalChannel = c
	go func() { c <- 1 }()
}
func (live) GlobalMap() {
	c := make(chan int)
	globalMap["x"] = c
	go func() { <-c }()
}
func (live) GlobalInterface() {
	n := &node{c: make(chan *node)}
	globalInterface = n
	go func() { <-n.c }()
}
func (live) GlobalClosure() {
	c := make(chan int)
	globalClosure = func() { close(c) }
	go func() { <-c }()
}
func (live) GlobalMutex() {
	n := &node{}
	globalMutex = n
	n.mu.Lock()
	go func() { n.mu.Lock() }()
}
func (live) GlobalWaitGroup() {
	g := &group{}
	globalGroup = g
	g.wg.Add(1)
	go func() { g.wg.Wait() }()
}
func (live) GlobalCond() {
	c := sync.NewCond(&sync.Mutex{})
	globalCond = c
	go func() { c.L.Lock(); c.Wait() }()
}

var jobs = make(chan func())

func (live) Worker() {
	for i := 0; i < 2; i++ {
		go func() {
			for f := range jobs {
				f()
			}
		}()
	}
}
func (live) Sleeper() {
	c := make(chan int)
	go func() { time.Sleep(time.Hour); c <- 1 }()
	go func() { <-c }()
}
func (live) InBuffer() {
	c := make(chan int)
	globalBuffer <- c
	go func() { <-c }()
}
func (live) Finalizer() {
	c := make(chan int)
	n := &holder{c: c}
	runtime.SetFinalizer(n, func(h *holder) { close(h.c) })
	globals = append(globals, n)
	go func() { <-c }()
}

type holder struct {
	c   chan int
	pad [4]*int
}

func (live) MutexOfSleeper() {
	n := &node{}
	go func() { n.mu.Lock(); time.Sleep(time.Hour); n.mu.Unlock() }()
	go func() { time.Sleep(10 * time.Millisecond); n.mu.Lock() }()
}
func (live) Sleep() { go func() { time.Sleep(time.Hour) }() }
func (live) Input() {
	r, w, _ := os.Pipe()
	globals = append(globals, r, w)
	go func() { var b [1]byte; r.Read(b[:]) }()
}
func (live) Slice() {
	c := make(chan int)
	globalSlice = append(globalSlice, make(chan int), c)
	go func() { <-c }()
}
func (live) Linked() {
	n := &node{c: make(chan *node)}
	globalList = &node{next: &node{next: n}}
	go func() { <-n.c }()
}
func (live) DeepObject() {
	big := make([]node, 1000)
	big[777].c = make(chan *node)
	at := &big[500]
	globalDeep = &at
	c := big[777].c
	go func() { <-c }()
}
func (live) Array() {
	c := make(chan *int)
	globalArray[3].c = c
	go func() { <-c }()
}

// Parked holds N parked goroutines and some that keep changing, for benchmarks.
//
//	parked -n 10000 [-churn 4] [-depth 5] [-kinds] [-http 127.0.0.1:0 [-pulse]]
//
// With -http it serves net/http/pprof and prints "http ADDRESS". At the end of the start it prints
// "ready". Churners end and start goroutines and pass messages all the time; SIGTERM ends it.
// With -pulse a goroutine looks at the clock all the time, and GET /pulse gives the longest time in
// nanoseconds between two looks since the GET before: how long the program stood still.
package main

import (
	"flag"
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

var (
	count   = flag.Int("n", 1000, "parked goroutines")
	churn   = flag.Int("churn", 0, "goroutines that ping-pong, each with a partner, and start others")
	depth   = flag.Int("depth", 5, "calls on each parked goroutine's stack")
	kinds   = flag.Bool("kinds", false, "several kinds of wait and call sites instead of one")
	pulse   = flag.Bool("pulse", false, "measure how long the program stands still")
	address = flag.String("http", "", "serve net/http/pprof here")
)

type request struct{ id int }

//go:noinline
func descend(n int, wait func()) int {
	if n > 1 {
		return descend(n-1, wait) + 1
	}
	wait()
	return 0
}

var (
	parked  = make(chan *request)
	results = make(chan request, 1)
	stop    = make(chan struct{})
	lock    sync.Mutex
	group   sync.WaitGroup
)

// waits are the ways to park; without -kinds only the first is used.
var waits = []func(){
	func() { <-parked },
	func() { results <- request{} },
	func() {
		select {
		case <-parked:
		case <-stop:
		}
	},
	func() { lock.Lock() },
	func() { group.Wait() },
}

func pingPong(in <-chan int, out chan<- int) {
	for n := range in {
		if n%64 == 0 {
			done := make(chan int)
			go func() { done <- descend(n%8+1, func() {}) }()
			<-done
		}
		out <- n + 1
	}
}

var longestGap atomic.Int64

func beat() {
	runtime.LockOSThread()
	last := time.Now()
	for {
		now := time.Now()
		if gap := int64(now.Sub(last)); gap > longestGap.Load() {
			longestGap.Store(gap)
		}
		last = now
	}
}

func serve() {
	if *pulse {
		go beat()
		http.HandleFunc("/pulse", func(w http.ResponseWriter, _ *http.Request) {
			fmt.Fprintln(w, longestGap.Swap(0))
		})
	}
	listener, err := net.Listen("tcp", *address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	fmt.Println("http", listener.Addr())
	go http.Serve(listener, nil)
}

func main() {
	flag.Parse()
	lock.Lock()
	group.Add(1)
	results <- request{}
	var started sync.WaitGroup
	started.Add(*count)
	for i := 0; i < *count; i++ {
		wait := waits[0]
		if *kinds {
			wait = waits[i%len(waits)]
		}
		go func() {
			started.Done()
			descend(*depth, wait)
		}()
	}
	started.Wait()
	for i := 0; i < *churn; i++ {
		a, b := make(chan int), make(chan int)
		go pingPong(a, b)
		go pingPong(b, a)
		a <- 0
	}
	if *address != "" {
		serve()
	}
	runtime.GC()
	// The runtime would otherwise find all goroutines asleep.
	terminate := make(chan os.Signal, 1)
	signal.Notify(terminate, syscall.SIGTERM)
	fmt.Println("ready")
	<-terminate
}

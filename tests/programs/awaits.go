// Awaits holds waits that look like a deadlock and are none; the argument says which one.
//
//	signal   main waits for a goroutine, and that one for a signal
//	started  two wait for each other, and for goroutines that have been started but had no processor yet. For these
//	         there is one processor, and a goroutine that keeps it: GODEBUG=asyncpreemptoff=1 is needed
//	server   two wait for each other, and for whoever uses a variable; one more sleeps
//	far      two wait for each other, and for one that sleeps for moments; a list leads from its stack to their channel
//
// "ready" is printed once they wait.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

var (
	results = make(chan int)
	never   uint32
)

func untilSignalled() {
	signals, done := make(chan os.Signal, 1), make(chan bool, 1)
	signal.Notify(signals, syscall.SIGUSR1)
	go func() {
		<-signals
		done <- true
	}()
	go say(100 * time.Millisecond)
	<-done
}

//go:noinline
func ask(workers *sync.WaitGroup) {
	answer := make(chan int)
	go func() {
		workers.Wait()
		answer <- 1
	}()
	<-answer
	workers.Wait() // so it stays on this stack
}

// start has both wait, and then starts those that are waited for.
//
//go:noinline
func start() {
	workers := new(sync.WaitGroup)
	workers.Add(2)
	go ask(workers)
	for i := 0; i < 100; i++ {
		runtime.Gosched()
	}
	for i := 0; i < 2; i++ {
		go workers.Done()
	}
}

func untilStarted() {
	runtime.GOMAXPROCS(1)
	start()
	clear()
	fmt.Println("ready")
	for atomic.LoadUint32(&never) == 0 {
	}
}

// clear leaves nothing on this stack of what has been called.
//
//go:noinline
func clear() {
	var room [4096]uintptr
	for i := range room {
		room[i] = uintptr(i)
	}
	runtime.KeepAlive(room)
}

func untilServed() {
	done, ours := make(chan int), results
	go func() {
		<-results
		done <- 1
	}()
	go say(100 * time.Millisecond)
	go time.Sleep(time.Hour)
	<-done
	close(ours)
}

type link struct {
	next    *link
	channel chan int
}

func untilFarOneSends() {
	far := &link{channel: make(chan int)}
	asked, answer := far.channel, make(chan int)
	for i := 0; i < 6; i++ {
		far = &link{next: far}
	}
	go func() {
		for i := range asked {
			answer <- i
		}
	}()
	go func() {
		for {
			time.Sleep(20 * time.Millisecond)
			send(far)
		}
	}()
	go say(100 * time.Millisecond)
	for range answer {
		runtime.KeepAlive(asked)
	}
	close(asked)
}

//go:noinline
func send(l *link) {
	for l.next != nil {
		l = l.next
	}
	l.channel <- 1
}

func say(after time.Duration) {
	time.Sleep(after)
	fmt.Println("ready")
}

func main() {
	switch os.Args[1] {
	case "signal":
		untilSignalled()
	case "started":
		untilStarted()
	case "server":
		untilServed()
	case "far":
		untilFarOneSends()
	}
}

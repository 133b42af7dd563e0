// Busy does everything that a stop from outside could break, counts it, and at SIGTERM checks that
// nothing was lost:
//
//	report WORK started=N finished=N
//	consistent            (exit 0)   or   lost WORK …   (exit 4)
//
// Work: signals to itself, timers, network ping-pong with checksums, garbage with known content,
// channels, mutex counters, and calls into C when built with cgo.
package main

import (
	"encoding/binary"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"time"
)

// work counts what was begun and what came to its end.
type work struct{ started, finished int64 }

func (w *work) begin()  { atomic.AddInt64(&w.started, 1) }
func (w *work) finish() { atomic.AddInt64(&w.finished, 1) }

var (
	stopping int32
	workers  sync.WaitGroup
	all      = map[string]*work{}
	extra    []func() // work of files with build constraints; registers itself in init
)

// repeat runs step until the end, on its own goroutine.
func repeat(name string, step func(w *work)) {
	w := new(work)
	all[name] = w
	workers.Add(1)
	go func() {
		defer workers.Done()
		for atomic.LoadInt32(&stopping) == 0 {
			step(w)
		}
	}()
}

func lost(what string, args ...interface{}) {
	fmt.Println("lost", fmt.Sprintf(what, args...))
	os.Exit(4)
}

// signals sends one signal at a time and waits for it: one that is not delivered stops the count.
func signals() {
	incoming := make(chan os.Signal, 16)
	signal.Notify(incoming, syscall.SIGUSR1, syscall.SIGUSR2)
	next := syscall.SIGUSR1
	repeat("signals", func(w *work) {
		w.begin()
		syscall.Kill(os.Getpid(), next)
		select {
		case got := <-incoming:
			if got != next {
				lost("signal: sent %v, got %v", next, got)
			}
		case <-time.After(20 * time.Second):
			lost("signal %v never arrived", next)
		}
		next = syscall.SIGUSR1 + syscall.SIGUSR2 - next
		w.finish()
	})
}

func timers() {
	repeat("timers", func(w *work) {
		w.begin()
		fired := make(chan time.Time, 1)
		time.AfterFunc(time.Millisecond, func() { fired <- time.Now() })
		select {
		case <-fired:
		case <-time.After(20 * time.Second):
			lost("timer never fired")
		}
		w.finish()
	})
	ticker := time.NewTicker(time.Millisecond)
	repeat("ticks", func(w *work) { w.begin(); <-ticker.C; w.finish() })
}

// network sends numbers through an echo server and checks that they come back in order.
func network() {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		lost("listen: %v", err)
	}
	go func() {
		for {
			c, err := listener.Accept()
			if err != nil {
				return
			}
			go io.Copy(c, c)
		}
	}()
	conn, err := net.Dial("tcp", listener.Addr().String())
	if err != nil {
		lost("dial: %v", err)
	}
	var sent uint64
	repeat("network", func(w *work) {
		w.begin()
		var message [8]byte
		sent++
		binary.LittleEndian.PutUint64(message[:], sent)
		conn.SetDeadline(time.Now().Add(20 * time.Second))
		if _, err := conn.Write(message[:]); err != nil {
			lost("write %d: %v", sent, err)
		}
		if _, err := io.ReadFull(conn, message[:]); err != nil {
			lost("read %d: %v", sent, err)
		}
		if got := binary.LittleEndian.Uint64(message[:]); got != sent {
			lost("echo: sent %d, got %d", sent, got)
		}
		w.finish()
	})
}

// garbage keeps a ring of linked, checkable objects while most of what it makes is collected.
func garbage() {
	type object struct {
		value int
		check *int
		pad   [40]byte
	}
	var ring [512]*object
	n := 0
	repeat("garbage", func(w *work) {
		w.begin()
		for i := 0; i < 1000; i++ {
			n++
			old := ring[n%len(ring)]
			if old != nil && (*old.check != old.value || old.value != n-len(ring)) {
				lost("object %d holds %d/%d", n-len(ring), old.value, *old.check)
			}
			check := n
			ring[n%len(ring)] = &object{value: n, check: &check}
		}
		w.finish()
	})
	repeat("collections", func(w *work) { w.begin(); runtime.GC(); time.Sleep(time.Millisecond); w.finish() })
}

// channels passes tokens around a ring of short-lived goroutines.
func channels() {
	repeat("channels", func(w *work) {
		w.begin()
		const length = 20
		first := make(chan int)
		in := first
		for i := 0; i < length; i++ {
			out := make(chan int)
			go func(in, out chan int) { out <- <-in + 1 }(in, out)
			in = out
		}
		first <- 0
		if got := <-in; got != length {
			lost("ring of %d counted %d", length, got)
		}
		w.finish()
	})
}

func locks() {
	var mutex sync.RWMutex
	var guarded int64
	for _, name := range []string{"locks-a", "locks-b"} {
		repeat(name, func(w *work) {
			w.begin()
			mutex.Lock()
			before := guarded
			runtime.Gosched()
			guarded = before + 1
			if guarded != before+1 {
				lost("mutex let two in")
			}
			mutex.Unlock()
			mutex.RLock()
			mutex.RUnlock()
			w.finish()
		})
	}
}

// arithmetic runs floating point in registers across preemptions and stops.
func arithmetic() {
	repeat("arithmetic", func(w *work) {
		w.begin()
		sum := 0.0
		for i := 1; i <= 200000; i++ {
			sum += 1 / float64(i)
		}
		if sum < 12.7832 || sum > 12.7833 {
			lost("sum is %v", sum)
		}
		w.finish()
	})
}

func main() {
	terminate := make(chan os.Signal, 1)
	signal.Notify(terminate, syscall.SIGTERM)
	signals()
	timers()
	network()
	garbage()
	channels()
	locks()
	arithmetic()
	for _, start := range extra {
		start()
	}
	fmt.Println("ready")
	<-terminate
	atomic.StoreInt32(&stopping, 1)
	time.AfterFunc(60*time.Second, func() { lost("workers did not end") })
	workers.Wait()
	for name, w := range all {
		fmt.Printf("report %s started=%d finished=%d\n", name, w.started, w.finished)
		if w.started == 0 || w.started != w.finished {
			lost("%s: started %d, finished %d", name, w.started, w.finished)
		}
	}
	fmt.Println("consistent")
}

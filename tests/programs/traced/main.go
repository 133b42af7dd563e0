// Waits in every way that a trace tells apart, and writes the trace. At its end two goroutines wait
// for ever.
package main

import (
	"context"
	"flag"
	"io"
	"net"
	"os"
	"runtime"
	"runtime/trace"
	"strings"
	"sync"
	"time"
)

var (
	rounds  = flag.Int("n", 20, "how often each wait happens")
	pings   = flag.Int("pings", 100, "how often two goroutines hand a value to and fro")
	a, b    = make(chan int), make(chan int)
	nobody  = make(chan int)
	never   = make(chan int)
	mu      sync.Mutex
	rw      sync.RWMutex
	turn    = sync.NewCond(new(sync.Mutex))
	present int
)

func ping(n int) {
	for i := 0; i < n; i++ {
		a <- i
		<-b
	}
}

func pong(n int) {
	for i := 0; i < n; i++ {
		b <- <-a
	}
}

func locked() {
	for i := 0; i < *rounds; i++ {
		mu.Lock()
		time.Sleep(10 * time.Microsecond)
		mu.Unlock()
		rw.Lock()
		time.Sleep(10 * time.Microsecond)
		rw.Unlock()
	}
}

func waitTurn(me int) {
	turn.L.Lock()
	for i := 0; i < *rounds; i++ {
		for present%2 != me {
			turn.Wait()
		}
		present++
		turn.Broadcast()
	}
	turn.L.Unlock()
}

func choose(done chan bool) {
	for {
		select {
		case <-a:
		case <-done:
			return
		}
	}
}

func echo(l net.Listener) {
	c, err := l.Accept()
	if err != nil {
		return
	}
	buf := make([]byte, 10)
	for {
		if _, err := io.ReadFull(c, buf); err != nil {
			return
		}
		c.Write(buf)
	}
}

func together(fs ...func()) {
	var wg sync.WaitGroup
	for _, f := range fs {
		f := f
		wg.Add(1)
		go func() { defer wg.Done(); f() }()
	}
	wg.Wait()
}

func network() {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go echo(l)
	c, err := net.Dial("tcp", l.Addr().String())
	if err != nil {
		panic(err)
	}
	buf := make([]byte, 10)
	for i := 0; i < *rounds; i++ {
		c.Write(buf)
		io.ReadFull(c, buf)
	}
	c.Close()
	l.Close()
}

func leakSend() { nobody <- 1 }
func leakSelect() {
	select {
	case <-never:
	case <-context.Background().Done():
	}
}

// untilParked returns when all that leak are blocked.
func untilParked() {
	buf := make([]byte, 1<<20)
	for {
		text := string(buf[:runtime.Stack(buf, true)])
		if strings.Count(text, " [chan send") >= 3 && strings.Contains(text, " [select") {
			return
		}
		time.Sleep(time.Millisecond)
	}
}

func main() {
	out := flag.String("o", "trace.out", "where the trace goes")
	flag.Parse()
	f, err := os.Create(*out)
	if err != nil {
		panic(err)
	}
	if err := trace.Start(f); err != nil {
		panic(err)
	}
	together(func() { ping(*pings) }, func() { pong(*pings) })
	ctx, task := trace.NewTask(context.Background(), "job")
	trace.WithRegion(ctx, "locks", func() { together(locked, locked, locked) })
	together(func() { trace.WithRegion(ctx, "turns", func() { waitTurn(0) }) }, func() { waitTurn(1) })
	task.End()
	done := make(chan bool)
	together(func() { choose(done) }, func() {
		for i := 0; i < *rounds; i++ {
			a <- i
			time.Sleep(time.Microsecond)
		}
		close(done)
	})
	network()
	runtime.GC()
	go leakSelect()
	for i := 0; i < 3; i++ {
		go leakSend()
	}
	untilParked()
	trace.Stop()
	f.Close()
}

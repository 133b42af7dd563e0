// Package orders has small programs of each kind of operation, for which all schedules can be
// tried: what partial-order reduction leaves out must be nothing.
package orders

import (
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

func together(bodies ...func()) {
	var wg sync.WaitGroup
	wg.Add(len(bodies))
	for _, body := range bodies {
		body := body
		go func() {
			defer wg.Done()
			body()
		}()
	}
	wg.Wait()
}

// Two locks in two orders: a deadlock in some of them.
func TestCross(t *testing.T) {
	var a, b sync.Mutex
	together(func() {
		a.Lock()
		b.Lock()
		b.Unlock()
		a.Unlock()
	}, func() {
		b.Lock()
		a.Lock()
		a.Unlock()
		b.Unlock()
	})
}

// Locks that have nothing to do with each other: one order.
func TestApart(t *testing.T) {
	var a, b sync.Mutex
	done := make(chan bool, 1)
	go func() {
		a.Lock()
		a.Unlock()
		a.Lock()
		a.Unlock()
		done <- true
	}()
	b.Lock()
	b.Unlock()
	b.Lock()
	b.Unlock()
	<-done
}

// Who comes first decides what is seen.
func TestLastWriter(t *testing.T) {
	var mu sync.Mutex
	last := 0
	write := func(n int) func() {
		return func() {
			mu.Lock()
			last = n
			mu.Unlock()
		}
	}
	together(write(1), write(2))
	if last == 1 {
		t.Fatal("the first one was the last")
	}
}

// Buffered sends against a close: a panic in some orders.
func TestSendAndClose(t *testing.T) {
	c := make(chan int, 2)
	done := make(chan bool, 1)
	go func() {
		c <- 1
		c <- 2
		done <- true
	}()
	<-c
	close(c)
	<-done
}

// A rendezvous that the receiver may give up.
func TestGivesUp(t *testing.T) {
	c, stop := make(chan int), make(chan bool)
	go func() { c <- 1 }()
	go close(stop)
	select {
	case <-c:
	case <-stop:
	}
}

// Two ready cases, and what is taken decides.
func TestTwoReady(t *testing.T) {
	a, b := make(chan int, 1), make(chan int, 1)
	go func() { a <- 1 }()
	b <- 2
	select {
	case <-a:
		t.Fatal("a was taken")
	case <-b:
	}
}

// A signal that may come before the wait.
func TestSignals(t *testing.T) {
	var mu sync.Mutex
	cond := sync.NewCond(&mu)
	go cond.Signal()
	mu.Lock()
	cond.Wait()
	mu.Unlock()
}

// A writer between two reads of one reader.
func TestReadsTwice(t *testing.T) {
	var mu sync.RWMutex
	done := make(chan bool, 1)
	go func() {
		mu.Lock()
		mu.Unlock()
		done <- true
	}()
	mu.RLock()
	mu.RLock()
	mu.RUnlock()
	mu.RUnlock()
	<-done
}

// An atomic flag that is only loaded: the load is no point.
func TestFlag(t *testing.T) {
	var flag atomic.Int32
	c, done := make(chan int, 2), make(chan bool)
	go func() {
		flag.Store(1)
		close(done)
	}()
	c <- 1
	seen := flag.Load() == 1
	c <- 2
	<-done
	if seen {
		t.Fatal("the flag was seen")
	}
}

// A goroutine that starts another one, and one that is left when the test ends.
func TestNested(t *testing.T) {
	var mu sync.Mutex
	done := make(chan bool)
	n := 0
	go func() {
		go func() {
			mu.Lock()
			n++
			mu.Unlock()
		}()
		close(done)
	}()
	<-done
	mu.Lock()
	if n == 1 {
		t.Error("it was there already")
	}
	mu.Unlock()
}

// Once: who comes second waits for, or sees, what the first one does.
func TestOnce(t *testing.T) {
	var once sync.Once
	c := make(chan int, 1)
	go once.Do(func() { c <- 1 })
	once.Do(func() { c <- 2 })
	if <-c == 1 {
		t.Fatal("the other one did it")
	}
}

// Subtests wait for each other in package testing, where weir has no points.
func TestSubtests(t *testing.T) {
	var mu sync.Mutex
	last := ""
	t.Run("both", func(t *testing.T) {
		for _, name := range []string{"a", "b"} {
			name := name
			t.Run(name, func(t *testing.T) {
				t.Parallel()
				mu.Lock()
				last = name
				mu.Unlock()
			})
		}
	})
	if last == "a" {
		t.Fatal("a was the last")
	}
}

// Timers have no order that weir sees.
func TestTimer(t *testing.T) {
	c := make(chan int, 1)
	go func() { c <- 1 }()
	select {
	case <-c:
	case <-time.After(20 * time.Microsecond):
		t.Fatal("too late")
	}
}

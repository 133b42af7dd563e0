// Package schedule has tests whose output says what was decided.
package schedule

import (
	"fmt"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// All four cases are ready.
func TestSelectTells(t *testing.T) {
	a, b, c, d := make(chan int, 1), make(chan int, 1), make(chan int, 1), make(chan int)
	a <- 1
	b <- 1
	close(d)
	select {
	case <-a:
		fmt.Println("case 0")
	case <-b:
		fmt.Println("case 1")
	case c <- 1:
		fmt.Println("case 2")
	case <-d:
		fmt.Println("case 3")
	}
}

// Cancelled while work is there: which of both is seen is a matter of luck.
func TestSelectPrefers(t *testing.T) {
	work, quit := make(chan int, 3), make(chan bool)
	for i := 0; i < 3; i++ {
		work <- i
	}
	close(quit)
	done := 0
	for running := true; running; {
		select {
		case <-work:
			if done++; done == 3 {
				running = false
			}
		case <-quit:
			running = false
		}
	}
	if done == 3 {
		t.Error("all the work was done although it was to end")
	}
}

// The answer is nearly always there before the time is over.
func TestTimerRaces(t *testing.T) {
	answer := make(chan int)
	go func() { answer <- 1 }()
	select {
	case <-answer:
	case <-time.After(20 * time.Microsecond):
		t.Error("timed out")
	}
}

// The same with a second to answer in.
func TestTimerRacesFixed(t *testing.T) {
	answer := make(chan int, 1)
	go func() { answer <- 1 }()
	select {
	case <-answer:
	case <-time.After(time.Second):
		t.Error("timed out")
	}
}

type counter struct {
	mu sync.Mutex
	n  atomic.Int64
}

// A nil pointer at an atomic instruction is a panic like any other.
func TestNilMutex(t *testing.T) {
	defer func() { fmt.Println("recovered:", recover()) }()
	var nothing *counter
	nothing.mu.Lock()
}

func TestNilAtomic(t *testing.T) {
	defer func() { fmt.Println("recovered:", recover()) }()
	var nothing *atomic.Int64
	nothing.Add(1)
}

// It goes round until the other goroutine has done something: to go on with it for ever is nothing
// that Go would do.
func spin(wait func(), act func()) {
	var state int32
	go func() {
		act()
		atomic.StoreInt32(&state, 1)
	}()
	for !atomic.CompareAndSwapInt32(&state, 1, 2) {
		wait()
	}
}

func TestSpins(t *testing.T)         { spin(func() {}, func() {}) }
func TestSpinsPolitely(t *testing.T) { spin(runtime.Gosched, func() {}) }

// The first of these goroutines may come to its end before the second.
func TestSpinsAndFails(t *testing.T) {
	var n int32
	var wg sync.WaitGroup
	wg.Add(2)
	go func() {
		defer wg.Done()
		spin(func() {}, func() {})
		if atomic.AddInt32(&n, 1) != 2 {
			t.Error("came first")
		}
	}()
	go func() {
		defer wg.Done()
		atomic.AddInt32(&n, 1)
	}()
	wg.Wait()
}

// What a schedule costs apart from its points.
func TestNothing(t *testing.T) {}

// Many points: goroutines that take turns, locks, a select, a Cond and atomics.
func TestBusy(t *testing.T) {
	var mu sync.Mutex
	var total atomic.Int64
	cond := sync.NewCond(&mu)
	items, results := make(chan int), make(chan int, 4)
	var wg sync.WaitGroup
	for w := 0; w < 4; w++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			for i := range items {
				mu.Lock()
				total.Add(int64(i))
				cond.Broadcast()
				mu.Unlock()
				select {
				case results <- i:
				default:
				}
				select {
				case <-results:
				case <-time.After(time.Millisecond):
				}
			}
		}()
	}
	for i := 1; i <= 48; i++ {
		items <- i
	}
	close(items)
	mu.Lock()
	for total.Load() != 1176 {
		cond.Wait()
	}
	mu.Unlock()
	wg.Wait()
}

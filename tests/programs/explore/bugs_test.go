// Package explore has one test for each classic bug of concurrent Go programs: it passes nearly
// always, and fails in some order of events. TestXFixed is the same without the bug.
package explore

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"
)

// Two locks, taken in two orders.
func abba(second func(a, b *sync.Mutex)) {
	var a, b sync.Mutex
	var wg sync.WaitGroup
	wg.Add(2)
	go func() {
		defer wg.Done()
		a.Lock()
		b.Lock()
		b.Unlock()
		a.Unlock()
	}()
	go func() {
		defer wg.Done()
		second(&a, &b)
	}()
	wg.Wait()
}

func TestABBA(t *testing.T) {
	abba(func(a, b *sync.Mutex) {
		b.Lock()
		a.Lock()
		a.Unlock()
		b.Unlock()
	})
}

func TestABBAFixed(t *testing.T) {
	abba(func(a, b *sync.Mutex) {
		a.Lock()
		b.Lock()
		b.Unlock()
		a.Unlock()
	})
}

// A lock is held across a send whose receiver needs the lock.
func lockAndSend(t *testing.T, unlockFirst bool) {
	var mu sync.Mutex
	events := make(chan int)
	done := make(chan bool)
	n := 0
	go func() {
		mu.Lock()
		n++
		if unlockFirst {
			mu.Unlock()
		}
		events <- 1
		if !unlockFirst {
			mu.Unlock()
		}
		close(done)
	}()
	mu.Lock()
	n++
	mu.Unlock()
	<-events
	<-done
}

func TestLockAndSend(t *testing.T)      { lockAndSend(t, false) }
func TestLockAndSendFixed(t *testing.T) { lockAndSend(t, true) }

// WaitGroup.Add inside the goroutine: Wait may come first.
func addInside(t *testing.T, fixed bool) {
	var wg sync.WaitGroup
	var n int32
	started := make(chan bool, 1)
	if fixed {
		wg.Add(1)
	}
	go func() {
		started <- true
		if !fixed {
			wg.Add(1)
		}
		atomic.AddInt32(&n, 1)
		wg.Done()
	}()
	<-started
	wg.Wait()
	if atomic.LoadInt32(&n) != 1 {
		t.Error("Wait returned before the work was done")
	}
}

func TestAddInside(t *testing.T)      { addInside(t, false) }
func TestAddInsideFixed(t *testing.T) { addInside(t, true) }

// The worker sends its result on an unbuffered channel, and the caller may have given up.
func giveUp(size int) {
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan int, size)
	go func() { result <- 1 }()
	go cancel()
	select {
	case <-ctx.Done():
	case <-result:
	}
}

func TestGiveUp(t *testing.T)      { giveUp(0) }
func TestGiveUpFixed(t *testing.T) { giveUp(1) }

// Close against send.
type queue struct {
	mu     sync.Mutex
	closed bool
	items  chan int
}

func (q *queue) isClosed() bool {
	q.mu.Lock()
	defer q.mu.Unlock()
	return q.closed
}

func (q *queue) put(n int, fixed bool) {
	if fixed {
		q.mu.Lock()
		defer q.mu.Unlock()
		if !q.closed {
			q.items <- n
		}
		return
	}
	if !q.isClosed() {
		q.items <- n
	}
}

func (q *queue) close() {
	q.mu.Lock()
	q.closed = true
	close(q.items)
	q.mu.Unlock()
}

func closeAndSend(fixed bool) {
	q := &queue{items: make(chan int, 4)}
	var wg sync.WaitGroup
	wg.Add(2)
	go func() {
		defer wg.Done()
		q.put(1, fixed)
	}()
	go func() {
		defer wg.Done()
		q.close()
	}()
	wg.Wait()
}

func TestCloseAndSend(t *testing.T)      { closeAndSend(false) }
func TestCloseAndSendFixed(t *testing.T) { closeAndSend(true) }

// A lost wake-up: looks, then waits; the signal comes in between.
func lostWakeUp(fixed bool) {
	var ready int32
	wake := make(chan bool)
	if fixed {
		wake = make(chan bool, 1)
	}
	done := make(chan bool)
	go func() {
		if atomic.AddInt32(&ready, 0) == 0 {
			<-wake
		}
		close(done)
	}()
	go func() {
		atomic.StoreInt32(&ready, 1)
		select {
		case wake <- true:
		default:
		}
	}()
	<-done
}

func TestLostWakeUp(t *testing.T)      { lostWakeUp(false) }
func TestLostWakeUpFixed(t *testing.T) { lostWakeUp(true) }

// Cond.Signal before Wait.
func condEarly(fixed bool) {
	var mu sync.Mutex
	cond := sync.NewCond(&mu)
	ready := false
	done := make(chan bool)
	go func() {
		mu.Lock()
		ready = true
		mu.Unlock()
		cond.Signal()
	}()
	go func() {
		mu.Lock()
		if fixed {
			for !ready {
				cond.Wait()
			}
		} else {
			cond.Wait()
		}
		mu.Unlock()
		close(done)
	}()
	<-done
}

func TestCondEarly(t *testing.T)      { condEarly(false) }
func TestCondEarlyFixed(t *testing.T) { condEarly(true) }

// Three steps of one goroutine must fall between four of another.
func depthThree(t *testing.T, fixed bool) {
	var mu sync.Mutex
	stage := 0
	step := func(from, to int) {
		mu.Lock()
		if stage == from {
			stage = to
		}
		mu.Unlock()
	}
	var wg sync.WaitGroup
	wg.Add(2)
	go func() {
		defer wg.Done()
		step(0, 1)
		step(2, 3)
		step(4, 5)
	}()
	go func() {
		defer wg.Done()
		step(1, 2)
		step(3, 4)
		if !fixed {
			step(5, 6)
		}
	}()
	wg.Wait()
	if stage == 6 {
		t.Error("the door is open")
	}
}

func TestDepthThree(t *testing.T)      { depthThree(t, false) }
func TestDepthThreeFixed(t *testing.T) { depthThree(t, true) }

// Many workers read and write a counter in two steps.
func workers(t *testing.T, fixed bool) {
	var mu sync.Mutex
	total := 0
	var wg sync.WaitGroup
	for i := 0; i < 4; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			mu.Lock()
			seen := total
			if !fixed {
				mu.Unlock()
				mu.Lock()
			}
			total = seen + 1
			mu.Unlock()
		}()
	}
	wg.Wait()
	if total != 4 {
		t.Errorf("%d of 4 were counted", total)
	}
}

func TestWorkers(t *testing.T)      { workers(t, false) }
func TestWorkersFixed(t *testing.T) { workers(t, true) }

// The first error ends the collector, while others still send.
func firstError(size int) error {
	results := make(chan error, size)
	for i := 0; i < 3; i++ {
		i := i
		go func() {
			if i == 1 {
				results <- errors.New("no")
				return
			}
			results <- nil
		}()
	}
	for i := 0; i < 3; i++ {
		if err := <-results; err != nil {
			return err
		}
	}
	return nil
}

func TestFirstError(t *testing.T)      { _ = firstError(0) }
func TestFirstErrorFixed(t *testing.T) { _ = firstError(3) }

// A reader takes the lock twice, and a writer comes in between.
func readTwice(fixed bool) {
	var mu sync.RWMutex
	var wg sync.WaitGroup
	wg.Add(2)
	go func() {
		defer wg.Done()
		mu.RLock()
		if !fixed {
			mu.RLock()
			mu.RUnlock()
		}
		mu.RUnlock()
	}()
	go func() {
		defer wg.Done()
		mu.Lock()
		mu.Unlock()
	}()
	wg.Wait()
}

func TestReadTwice(t *testing.T)      { readTwice(false) }
func TestReadTwiceFixed(t *testing.T) { readTwice(true) }

// Nothing wrong at all, with time in it.
func TestSleepsLong(t *testing.T) {
	start := time.Now()
	time.Sleep(time.Hour)
	if time.Since(start) < time.Hour {
		t.Error("slept too short")
	}
}

// What weir does not control: a loop that nothing interrupts, and a thread held in the kernel. Only
// for weir: they are skipped under plain go test.
func underWeir() bool {
	a := time.Now()
	return time.Since(a) == 50*time.Nanosecond
}

func TestSpins(t *testing.T) {
	if !underWeir() {
		t.Skip("spins for ever with one P and no preemption")
	}
	stop := false
	go func() { stop = true }()
	for i := 0; !stop; i++ {
		if i < 0 {
			stop = true
		}
	}
}

func TestBlocksInSystemCall(t *testing.T) {
	if !underWeir() {
		t.Skip("waits for somebody who needs its P")
	}
	var ends [2]int
	if err := syscall.Pipe(ends[:]); err != nil {
		t.Fatal(err)
	}
	go func() { _, _ = syscall.Write(ends[1], []byte{1}) }()
	var one [1]byte
	if _, err := syscall.Read(ends[0], one[:]); err != nil {
		t.Fatal(err)
	}
}

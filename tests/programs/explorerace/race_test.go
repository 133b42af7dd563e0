// Data races that `go test -race` does not see in most runs, since the usual order of events puts
// the two accesses into an order: weir explore has to find another one. Each with its repair.
package explorerace

import (
	"sync"
	"sync/atomic"
	"testing"
)

var sink int

// headStart lets those run who were started before, in the usual order of events. It orders nothing
// of what they do.
func headStart() {
	for i := 0; i < 20; i++ {
		done := make(chan bool)
		go func() { done <- true }()
		<-done
	}
}

// The lock that both take later, or took before, puts the writes in an order, if the first one came first.
func lateLock(guarded bool) {
	var mu sync.Mutex
	value := 0
	var both sync.WaitGroup
	both.Add(2)
	go func() {
		defer both.Done()
		if !guarded {
			value = 1
		}
		mu.Lock()
		if guarded {
			value = 1
		}
		mu.Unlock()
	}()
	headStart()
	go func() {
		defer both.Done()
		mu.Lock()
		if guarded {
			value = 2
		}
		mu.Unlock()
		if !guarded {
			value = 2
		}
	}()
	both.Wait()
	sink = value
}

func TestLateLock(t *testing.T)      { lateLock(false) }
func TestLateLockFixed(t *testing.T) { lateLock(true) }

// Likewise, with a counter that is only there for statistics.
func lateAtomic(value *int, write func(int)) {
	var calls atomic.Int32
	var both sync.WaitGroup
	both.Add(2)
	go func() {
		defer both.Done()
		write(1)
		calls.Add(1)
	}()
	headStart()
	go func() {
		defer both.Done()
		calls.Add(1)
		write(2)
	}()
	both.Wait()
	sink = *value
}

func TestLateAtomic(t *testing.T) {
	value := 0
	lateAtomic(&value, func(n int) { value = n })
}

func TestLateAtomicFixed(t *testing.T) {
	value := 0
	var mu sync.Mutex
	lateAtomic(&value, func(n int) {
		mu.Lock()
		defer mu.Unlock()
		value = n
	})
}

// Who is told to give up looks at what may still be worked on.
func giveUp(answer func(value *int, late bool) int) {
	value := 0
	done, quit := make(chan bool, 1), make(chan bool)
	finished := make(chan bool)
	go func() {
		value = 1
		done <- true
		close(finished)
	}()
	headStart()
	go close(quit)
	select {
	case <-done:
		sink = answer(&value, false)
	case <-quit:
		sink = answer(&value, true)
	}
	<-finished
}

func TestGiveUp(t *testing.T) {
	giveUp(func(value *int, late bool) int { return *value })
}

func TestGiveUpFixed(t *testing.T) {
	giveUp(func(value *int, late bool) int {
		if late {
			return -1
		}
		return *value
	})
}

// Add comes too late: Wait may not wait for it.
func addInside(inside bool) {
	var all sync.WaitGroup
	sum := 0
	begun := make(chan bool, 1)
	if !inside {
		all.Add(1)
	}
	go func() {
		begun <- true
		if inside {
			all.Add(1)
		}
		sum = 1
		all.Done()
	}()
	<-begun
	headStart()
	all.Wait()
	sink = sum
}

func TestAddInside(t *testing.T)      { addInside(true) }
func TestAddInsideFixed(t *testing.T) { addInside(false) }

// The one who is told to stop reports how far the other one has come.
func stopReport(read func(*int) int, write func(*int)) {
	count := 0
	items, stop := make(chan int, 1), make(chan bool, 1)
	finished := make(chan bool)
	go func() {
		write(&count)
		items <- 1
		close(finished)
	}()
	headStart()
	stop <- true
	select {
	case <-items:
		sink = read(&count)
	default:
		<-stop
		sink = read(&count)
	}
	<-finished
}

func TestStopReport(t *testing.T) {
	stopReport(func(n *int) int { return *n }, func(n *int) { *n++ })
}

func TestStopReportFixed(t *testing.T) {
	var mu sync.Mutex
	stopReport(func(n *int) int {
		mu.Lock()
		defer mu.Unlock()
		return *n
	}, func(n *int) {
		mu.Lock()
		defer mu.Unlock()
		*n++
	})
}

// Whoever comes first makes the table; the other one believes that it is there.
func makeTable(wait bool) {
	var claimed int32
	ready := make(chan bool)
	table := map[string]int{}
	use := func() {
		if atomic.CompareAndSwapInt32(&claimed, 0, 1) {
			table["a"] = 1
			atomic.StoreInt32(&claimed, 2)
			close(ready)
			return
		}
		if wait {
			<-ready
		}
		sink += table["a"]
	}
	var both sync.WaitGroup
	both.Add(2)
	go func() { defer both.Done(); use() }()
	headStart()
	go func() { defer both.Done(); use() }()
	both.Wait()
}

func TestMakeTable(t *testing.T)      { makeTable(false) }
func TestMakeTableFixed(t *testing.T) { makeTable(true) }

package explore

// More bugs of the kinds that studies of concurrent Go programs list: locks, channels with locks,
// missed signals, wait groups, cancellation, closing, time, pipelines and pools.

import (
	"context"
	"errors"
	"sync"
	"sync/atomic"
	"testing"
	"time"
)

// A method that has the lock calls another one that takes it, but only if there is something to do.
type buffer struct {
	mu    sync.Mutex
	lines []string
}

func (b *buffer) add(line string) {
	b.mu.Lock()
	b.lines = append(b.lines, line)
	b.mu.Unlock()
}

func (b *buffer) size() int {
	b.mu.Lock()
	defer b.mu.Unlock()
	return len(b.lines)
}

func (b *buffer) flush(fixed bool) int {
	b.mu.Lock()
	if len(b.lines) == 0 {
		b.mu.Unlock()
		return 0
	}
	b.lines = b.lines[:0]
	if fixed {
		b.mu.Unlock()
		return b.size()
	}
	defer b.mu.Unlock()
	return b.size()
}

func doubleLock(fixed bool) {
	var b buffer
	flushed := make(chan bool)
	started := make(chan bool)
	go func() {
		b.flush(fixed)
		close(flushed)
	}()
	go func() {
		close(started)
		b.add("a")
	}()
	<-started
	<-flushed
}

func TestDoubleLock(t *testing.T)      { doubleLock(false) }
func TestDoubleLockFixed(t *testing.T) { doubleLock(true) }

// A ring of unbuffered channels. Each takes what is there, and else sends first: all may send.
func ring(size int) {
	const nodes = 3
	var links [nodes]chan int
	for i := range links {
		links[i] = make(chan int, size)
	}
	var wg sync.WaitGroup
	for i := 0; i < nodes; i++ {
		wg.Add(1)
		go func(in, out chan int) {
			defer wg.Done()
			select {
			case n := <-in:
				out <- n + 1
			default:
				out <- 1
				<-in
			}
		}(links[i], links[(i+1)%nodes])
	}
	wg.Wait()
}

func TestRing(t *testing.T)      { ring(0) }
func TestRingFixed(t *testing.T) { ring(1) }

// A hub asks whether the client is there, and then sends without a default: the client may have
// gone in between.
func goneClient(fixed bool) {
	var here int32 = 1
	events := make(chan int)
	left := make(chan bool)
	go func() {
		if atomic.LoadInt32(&here) == 0 {
			return
		}
		if fixed {
			select {
			case events <- 1:
			case <-left:
			}
			return
		}
		events <- 1
	}()
	go func() {
		select {
		case <-events:
		default:
		}
		atomic.StoreInt32(&here, 0)
		close(left)
	}()
	<-left
}

func TestGoneClient(t *testing.T)      { goneClient(false) }
func TestGoneClientFixed(t *testing.T) { goneClient(true) }

// The flag is set and the signal given without the lock: between a look at the flag and Wait.
func missedStop(fixed bool) {
	var mu sync.Mutex
	var stop int32
	cond := sync.NewCond(&mu)
	done := make(chan bool)
	go func() {
		mu.Lock()
		for atomic.LoadInt32(&stop) == 0 {
			cond.Wait()
		}
		mu.Unlock()
		close(done)
	}()
	if fixed {
		mu.Lock()
	}
	atomic.StoreInt32(&stop, 1)
	cond.Broadcast()
	if fixed {
		mu.Unlock()
	}
	<-done
}

func TestMissedStop(t *testing.T)      { missedStop(false) }
func TestMissedStopFixed(t *testing.T) { missedStop(true) }

// A WaitGroup is used again before everybody who waited for it has left.
func reuse(fixed bool) {
	var first, other sync.WaitGroup
	second := &first
	if fixed {
		second = &other
	}
	seen := make(chan bool)
	first.Add(1)
	go func() {
		first.Wait()
		close(seen)
	}()
	go first.Done()
	first.Wait()
	second.Add(1)
	go second.Done()
	second.Wait()
	<-seen
}

func TestReuse(t *testing.T)      { reuse(false) }
func TestReuseFixed(t *testing.T) { reuse(true) }

// Who cancels waits for a result that a cancelled worker never sends.
func resultAfterCancel(fixed bool) {
	ctx, cancel := context.WithCancel(context.Background())
	result := make(chan error)
	go func() {
		select {
		case <-ctx.Done():
			if fixed {
				result <- ctx.Err()
			}
		case result <- nil:
		}
	}()
	go cancel()
	<-result
}

func TestResultAfterCancel(t *testing.T)      { resultAfterCancel(false) }
func TestResultAfterCancelFixed(t *testing.T) { resultAfterCancel(true) }

// Two look whether the channel is closed, and both close it.
func closeTwice(fixed bool) {
	closed := make(chan bool)
	var once sync.Once
	stop := func() {
		if fixed {
			once.Do(func() { close(closed) })
			return
		}
		select {
		case <-closed:
		default:
			close(closed)
		}
	}
	var wg sync.WaitGroup
	wg.Add(2)
	for i := 0; i < 2; i++ {
		go func() {
			defer wg.Done()
			stop()
		}()
	}
	wg.Wait()
}

func TestCloseTwice(t *testing.T)      { closeTwice(false) }
func TestCloseTwiceFixed(t *testing.T) { closeTwice(true) }

// A time-out as long as the work. When it wins, nobody takes the result.
func timeout(size int) {
	result := make(chan int, size)
	go func() {
		time.Sleep(time.Millisecond)
		result <- 1
	}()
	select {
	case <-result:
	case <-time.After(time.Millisecond):
	}
}

func TestTimeout(t *testing.T)      { timeout(0) }
func TestTimeoutFixed(t *testing.T) { timeout(1) }

// A pipeline whose end gives up at the first error, while its stages still send.
func pipeline(fixed bool) error {
	quit := make(chan bool)
	if fixed {
		defer close(quit)
	}
	send := func(to chan int, n int) bool {
		if !fixed {
			to <- n
			return true
		}
		select {
		case to <- n:
			return true
		case <-quit:
			return false
		}
	}
	numbers, doubled := make(chan int), make(chan int)
	var bad int32
	go func() {
		defer close(numbers)
		for i := 0; i < 3; i++ {
			if !send(numbers, i) {
				return
			}
		}
	}()
	go func() {
		defer close(doubled)
		for n := range numbers {
			if !send(doubled, 2*n) {
				return
			}
		}
	}()
	go atomic.StoreInt32(&bad, 1)
	for range doubled {
		if atomic.LoadInt32(&bad) == 1 {
			return errors.New("no")
		}
	}
	return nil
}

func TestPipeline(t *testing.T)      { _ = pipeline(false) }
func TestPipelineFixed(t *testing.T) { _ = pipeline(true) }

// The last worker closes the results, but workers count themselves: one may be last too early.
func pool(fixed bool) {
	var working int32
	results := make(chan int, 2)
	var wg sync.WaitGroup
	if fixed {
		working = 2
	}
	for i := 0; i < 2; i++ {
		wg.Add(1)
		go func() {
			defer wg.Done()
			if !fixed {
				atomic.AddInt32(&working, 1)
			}
			results <- 1
			if atomic.AddInt32(&working, -1) == 0 {
				close(results)
			}
		}()
	}
	wg.Wait()
}

func TestPool(t *testing.T)      { pool(false) }
func TestPoolFixed(t *testing.T) { pool(true) }

// The way out on an error does not give the slot back.
func slots(fixed bool) {
	free := make(chan bool, 1)
	var broken int32
	work := func() {
		free <- true
		if atomic.LoadInt32(&broken) == 1 {
			if fixed {
				<-free
			}
			return
		}
		<-free
	}
	var wg sync.WaitGroup
	wg.Add(3)
	go func() { defer wg.Done(); work() }()
	go func() { defer wg.Done(); work() }()
	go func() { defer wg.Done(); atomic.AddInt32(&broken, 1); atomic.AddInt32(&broken, -1) }()
	wg.Wait()
}

func TestSlots(t *testing.T)      { slots(false) }
func TestSlotsFixed(t *testing.T) { slots(true) }

// Two things that are made once, and each wants the other.
func onceCross(fixed bool) {
	var a, b sync.Once
	var wg sync.WaitGroup
	wg.Add(2)
	go func() {
		defer wg.Done()
		a.Do(func() { b.Do(func() {}) })
	}()
	go func() {
		defer wg.Done()
		if fixed {
			a.Do(func() { b.Do(func() {}) })
			return
		}
		b.Do(func() { a.Do(func() {}) })
	}()
	wg.Wait()
}

func TestOnceCross(t *testing.T)      { onceCross(false) }
func TestOnceCrossFixed(t *testing.T) { onceCross(true) }

// Three philosophers.
func philosophers(fixed bool) {
	var forks [3]sync.Mutex
	var wg sync.WaitGroup
	for i := range forks {
		left, right := i, (i+1)%len(forks)
		if fixed && left > right {
			left, right = right, left
		}
		wg.Add(1)
		go func() {
			defer wg.Done()
			forks[left].Lock()
			forks[right].Lock()
			forks[right].Unlock()
			forks[left].Unlock()
		}()
	}
	wg.Wait()
}

func TestPhilosophers(t *testing.T)      { philosophers(false) }
func TestPhilosophersFixed(t *testing.T) { philosophers(true) }

// Tasks that start tasks under the same limit, and wait for them.
func nestedLimit(limit int) {
	slots := make(chan bool, limit)
	run := func(task func()) {
		slots <- true
		task()
		<-slots
	}
	var wg sync.WaitGroup
	wg.Add(2)
	for i := 0; i < 2; i++ {
		go func() {
			defer wg.Done()
			run(func() {
				inner := make(chan bool)
				go run(func() { close(inner) })
				<-inner
			})
		}()
	}
	wg.Wait()
}

func TestNestedLimit(t *testing.T)      { nestedLimit(2) }
func TestNestedLimitFixed(t *testing.T) { nestedLimit(3) }

// Shutdown before Serve has put its channel there: Serve then never ends.
type server struct {
	mu   sync.Mutex
	quit chan bool
	shut bool
}

func (s *server) serve(fixed bool) {
	s.mu.Lock()
	if fixed && s.shut {
		s.mu.Unlock()
		return
	}
	quit := make(chan bool)
	s.quit = quit
	s.mu.Unlock()
	<-quit
}

func (s *server) shutdown() {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.shut = true
	if s.quit != nil {
		close(s.quit)
	}
}

func shutdown(fixed bool) {
	var s server
	running := make(chan bool, 1)
	go func() {
		running <- true
		s.serve(fixed)
	}()
	<-running
	s.shutdown()
}

func TestShutdown(t *testing.T)      { shutdown(false) }
func TestShutdownFixed(t *testing.T) { shutdown(true) }

// Looks, makes, stores: two may make.
func makeTwice(t *testing.T, fixed bool) {
	var mu sync.Mutex
	var made *int
	count := 0
	get := func() *int {
		mu.Lock()
		defer mu.Unlock()
		if made != nil {
			return made
		}
		if !fixed {
			mu.Unlock()
			mu.Lock()
		}
		count++
		made = new(int)
		return made
	}
	var wg sync.WaitGroup
	wg.Add(2)
	for i := 0; i < 2; i++ {
		go func() {
			defer wg.Done()
			get()
		}()
	}
	wg.Wait()
	if count != 1 {
		t.Errorf("made %d times", count)
	}
}

func TestMakeTwice(t *testing.T)      { makeTwice(t, false) }
func TestMakeTwiceFixed(t *testing.T) { makeTwice(t, true) }

// A barrier that is used twice: who comes round first may take a place of the first round.
func barrier(fixed bool) {
	const parties = 2
	var mu sync.Mutex
	cond := sync.NewCond(&mu)
	waiting, round := 0, 0
	await := func() {
		mu.Lock()
		defer mu.Unlock()
		mine := round
		waiting++
		if waiting == parties {
			waiting = 0
			round++
			cond.Broadcast()
			return
		}
		if fixed {
			for mine == round {
				cond.Wait()
			}
			return
		}
		for waiting != 0 {
			cond.Wait()
		}
	}
	var wg sync.WaitGroup
	wg.Add(parties)
	for i := 0; i < parties; i++ {
		go func() {
			defer wg.Done()
			await()
			await()
		}()
	}
	wg.Wait()
}

func TestBarrier(t *testing.T)      { barrier(false) }
func TestBarrierFixed(t *testing.T) { barrier(true) }

// Batons pass tokens round in every way that goroutines wait for each other, without end and under a
// busy garbage collector. Nothing here leaks: whoever waits will be woken, so a proof of a leak in this
// program is a false one. "ready" is printed at the start, and then, when told so by a line on standard
// input, how many batons were passed by each way since the last time: none may stand still.
package main

import (
	"bufio"
	"fmt"
	"io"
	"os"
	"runtime"
	"runtime/debug"
	"sync"
	"sync/atomic"
	"time"
)

var garbage [][]byte

var ways = []struct {
	name string
	run  func(count *atomic64)
}{
	{"ring", ring}, {"buffered", buffered}, {"mutex", mutexes}, {"rwmutex", rwmutexes}, {"cond", conds},
	{"broadcast", broadcast}, {"waitgroup", waitGroups}, {"afterfunc", afterFunc}, {"ticker", ticker},
	{"pipe", pipe}, {"finalizer", finalizers}, {"select", selects}, {"deep", deep}, {"fresh", fresh},
}

// go1.19 has atomic.Uint64, go1.18 had not; one name for both the field and its use.
type atomic64 = atomic.Uint64

func main() {
	debug.SetGCPercent(20)
	counts := make([]atomic64, len(ways))
	for i := range ways {
		go ways[i].run(&counts[i])
	}
	go func() {
		for i := 0; ; i++ {
			garbage = append(garbage, make([]byte, 1000+i%5000))
			if len(garbage) > 200 {
				garbage = nil
			}
			if i%1000 == 0 {
				runtime.GC()
			}
			time.Sleep(100 * time.Microsecond)
		}
	}()
	fmt.Println("ready")
	in := bufio.NewReader(os.Stdin)
	last := make([]uint64, len(ways))
	for {
		if _, err := in.ReadString('\n'); err != nil {
			return
		}
		fmt.Print("passed")
		for i := range ways {
			now := counts[i].Load()
			fmt.Printf(" %s=%d", ways[i].name, now-last[i])
			last[i] = now
		}
		fmt.Println()
	}
}

func pause() { time.Sleep(20 * time.Microsecond) }

func ring(count *atomic64) {
	const size = 8
	first := make(chan int)
	from := first
	for i := 1; i < size; i++ {
		to := make(chan int)
		go func(from, to chan int) {
			for v := range from {
				to <- v
			}
		}(from, to)
		from = to
	}
	for v := 0; ; v++ {
		first <- v
		<-from
		count.Add(1)
		pause()
	}
}

func buffered(count *atomic64) {
	requests := make(chan chan *int, 2)
	for i := 0; i < 3; i++ {
		go func() {
			for answer := range requests {
				answer <- new(int)
			}
		}()
	}
	for {
		answer := make(chan *int)
		requests <- answer
		<-answer
		count.Add(1)
		pause()
	}
}

type guarded struct {
	mu   sync.Mutex
	rw   sync.RWMutex
	next *guarded
	n    int
}

func mutexes(count *atomic64) {
	a := &guarded{next: &guarded{}}
	for i := 0; i < 4; i++ {
		go func() {
			for {
				a.mu.Lock()
				a.next.mu.Lock()
				a.n++
				pause()
				a.next.mu.Unlock()
				a.mu.Unlock()
				count.Add(1)
			}
		}()
	}
}

func rwmutexes(count *atomic64) {
	a := &guarded{}
	for i := 0; i < 4; i++ {
		writer := i == 0
		go func() {
			for {
				if writer {
					a.rw.Lock()
					a.n++
					pause()
					a.rw.Unlock()
				} else {
					a.rw.RLock()
					_ = a.n
					pause()
					a.rw.RUnlock()
				}
				count.Add(1)
			}
		}()
	}
}

func conds(count *atomic64) {
	var mu sync.Mutex
	cond := sync.NewCond(&mu)
	turn := 0
	const players = 4
	for i := 0; i < players; i++ {
		me := i
		go func() {
			for {
				mu.Lock()
				for turn%players != me {
					cond.Wait()
				}
				turn++
				count.Add(1)
				mu.Unlock()
				if me%2 == 0 {
					cond.Broadcast()
				} else {
					pause()
					cond.Broadcast()
				}
			}
		}()
	}
}

func broadcast(count *atomic64) {
	for {
		done := make(chan struct{})
		var all sync.WaitGroup
		for i := 0; i < 10; i++ {
			all.Add(1)
			go func() {
				defer all.Done()
				<-done
			}()
		}
		pause()
		close(done)
		all.Wait()
		count.Add(1)
	}
}

func waitGroups(count *atomic64) {
	for {
		all := new(sync.WaitGroup)
		all.Add(3)
		for i := 0; i < 3; i++ {
			go func() { pause(); all.Done() }()
		}
		waiter := make(chan bool)
		go func() { all.Wait(); waiter <- true }()
		<-waiter
		count.Add(1)
	}
}

// Nobody but the timer has the channel while the only receiver waits.
func afterFunc(count *atomic64) {
	for {
		c := make(chan int)
		time.AfterFunc(50*time.Microsecond, func() { close(c) })
		<-c
		count.Add(1)
	}
}

func ticker(count *atomic64) {
	for {
		t := time.NewTicker(100 * time.Microsecond)
		for i := 0; i < 5; i++ {
			<-t.C
		}
		t.Stop()
		select {
		case <-time.After(50 * time.Microsecond):
		}
		count.Add(1)
	}
}

func pipe(count *atomic64) {
	r, w, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	got := make(chan byte)
	go func() {
		b := make([]byte, 1)
		for {
			if _, err := io.ReadFull(r, b); err != nil {
				panic(err)
			}
			got <- b[0]
		}
	}()
	for {
		if _, err := w.Write([]byte{1}); err != nil {
			panic(err)
		}
		<-got
		count.Add(1)
		pause()
	}
}

type holder struct {
	c    chan int
	more [4]*int
}

// The channel is known to the receiver and to a finalizer only.
func finalizers(count *atomic64) {
	for {
		c := make(chan int)
		func() {
			h := &holder{c: c}
			runtime.SetFinalizer(h, func(h *holder) { close(h.c) })
		}()
		go func() { time.Sleep(time.Millisecond); runtime.GC() }()
		<-c
		count.Add(1)
	}
}

func selects(count *atomic64) {
	a, b, quit := make(chan int), make(chan int), make(chan bool)
	for i := 0; i < 3; i++ {
		go func() {
			for {
				select {
				case v := <-a:
					select {
					case b <- v:
					case <-quit:
						return
					}
				case <-quit:
					return
				}
			}
		}()
	}
	for {
		select {
		case a <- 1:
		case v := <-b:
			_ = v
			count.Add(1)
			pause()
		}
	}
}

func dig(n int, c chan int) int {
	var room [64]byte
	if n == 0 {
		return <-c
	}
	return dig(n-1, c) + int(room[n%64])
}

// Stacks grow and shrink while their goroutines wait.
func deep(count *atomic64) {
	for {
		c := make(chan int)
		for i := 0; i < 2; i++ {
			go dig(200, c)
		}
		pause()
		c <- 1
		c <- 2
		count.Add(1)
	}
}

// Every round has new channels, which only the two ends know.
func fresh(count *atomic64) {
	next := make(chan chan chan int)
	go func() {
		for reply := range next {
			c := make(chan int, 1)
			reply <- c
			c <- <-c
		}
	}()
	for {
		reply := make(chan chan int)
		next <- reply
		c := <-reply
		c <- 1
		count.Add(1)
		pause()
	}
}

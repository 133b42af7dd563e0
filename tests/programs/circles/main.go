// Circles holds the deadlocks that people make, and their look-alikes that can go on.
//
//	circles [-only CASE] [-alive] [-listen]
//
// For each case it prints "case NAME goid goid …", the goroutines of the circle in order (each waits
// for the next, the last for the first), or "free NAME goid …" for a look-alike; then "ready". With
// -alive the main goroutine sleeps at the end; without, it waits as well.
package main

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"runtime"
	"sort"
	"strings"
	"sync"
	"syscall"
	"time"
)

var (
	only  = flag.String("only", "", "one case; empty: all")
	alive = flag.Bool("alive", false, "the main goroutine sleeps")
	hear  = flag.Bool("listen", false, "listen for a signal, which silences Go's own deadlock check")
)

// A team starts goroutines that report their numbers and then wait for each other to be there.
type team struct {
	ids    []string
	ready  sync.WaitGroup
	mu     sync.Mutex
	parked sync.WaitGroup
}

func goid() string {
	buf := make([]byte, 64)
	return strings.Fields(string(buf[:runtime.Stack(buf, false)]))[1]
}

// member runs body as number i of the team.
func (t *team) member(i int, body func()) {
	t.mu.Lock()
	for len(t.ids) <= i {
		t.ids = append(t.ids, "")
	}
	t.mu.Unlock()
	t.parked.Add(1)
	go func() {
		t.mu.Lock()
		t.ids[i] = goid()
		t.mu.Unlock()
		t.parked.Done()
		body()
	}()
}

// Each of three goroutines sends to the next before it receives from the one before.
//
//go:noinline
func passOn(in <-chan int, out chan<- int) {
	out <- 1
	<-in
	runtime.KeepAlive(in)
	runtime.KeepAlive(out)
}

func ring(t *team) {
	channels := []chan int{make(chan int), make(chan int), make(chan int)}
	for i := range channels {
		in, out := channels[i], channels[(i+1)%3]
		t.member(i, func() { passOn(in, out) })
	}
}

type account struct {
	name    string
	mu      sync.Mutex
	balance int
}

// Both lock their own account, and then the other's.
//
//go:noinline
func transfer(from, to *account, both *sync.WaitGroup) {
	from.mu.Lock()
	both.Done()
	both.Wait()
	to.mu.Lock()
	from.balance--
	to.balance++
	to.mu.Unlock()
	from.mu.Unlock()
}

func locks(t *team) {
	a, b := &account{name: "a"}, &account{name: "b"}
	var both sync.WaitGroup
	both.Add(2)
	t.member(0, func() { transfer(a, b, &both) })
	t.member(1, func() { transfer(b, a, &both) })
}

type queue struct {
	mu    sync.Mutex
	items chan int
}

// The producer sends while it holds the lock that the consumer needs before it receives.
//
//go:noinline
func (q *queue) produce(locked chan<- bool) {
	q.mu.Lock()
	close(locked)
	q.items <- 1
	q.mu.Unlock()
}

//go:noinline
func (q *queue) consume(locked <-chan bool) {
	<-locked
	q.mu.Lock()
	<-q.items
	q.mu.Unlock()
}

func mixed(t *team) {
	q := &queue{items: make(chan int)}
	locked := make(chan bool)
	t.member(0, func() { q.produce(locked) })
	t.member(1, func() { q.consume(locked) })
}

// The reader reads again while the writer waits for its first read lock.
type table struct {
	mu   sync.RWMutex
	rows int
}

//go:noinline
func (t *table) readTwice(reading chan<- bool) {
	t.mu.RLock()
	close(reading)
	for t.mu.TryRLock() { // until the writer waits
		t.mu.RUnlock()
		runtime.Gosched()
	}
	t.mu.RLock()
	t.rows++
	t.mu.RUnlock()
	t.mu.RUnlock()
}

//go:noinline
func (t *table) write(reading <-chan bool) {
	<-reading
	t.mu.Lock()
	t.rows++
	t.mu.Unlock()
}

func readers(t *team) {
	rows := &table{}
	reading := make(chan bool)
	t.member(0, func() { rows.readTwice(reading) })
	t.member(1, func() { rows.write(reading) })
}

// A look-alike: the third goroutine, asleep, holds the channel that the two wait for.
//
//go:noinline
func sleepThenSend(c chan int) {
	time.Sleep(time.Hour)
	c <- 1
}

//go:noinline
func receive(c chan int) { <-c }

func sleeper(t *team) {
	c := make(chan int)
	t.member(0, func() { receive(c) })
	t.member(1, func() { receive(c) })
	t.member(2, func() { sleepThenSend(c) })
}

// Two locks that are variables of the package: no stack has their addresses.
var left, right sync.Mutex

//go:noinline
func leftThenRight(both *sync.WaitGroup) {
	left.Lock()
	both.Done()
	both.Wait()
	right.Lock()
	right.Unlock()
	left.Unlock()
}

//go:noinline
func rightThenLeft(both *sync.WaitGroup) {
	right.Lock()
	defer right.Unlock()
	both.Done()
	both.Wait()
	left.Lock()
	left.Unlock()
}

func variables(t *team) {
	var both sync.WaitGroup
	both.Add(2)
	t.member(0, func() { leftThenRight(&both) })
	t.member(1, func() { rightThenLeft(&both) })
}

// It locks what it holds.
var own sync.Mutex

//go:noinline
func lockTwice() {
	own.Lock()
	own.Lock()
	own.Unlock()
	own.Unlock()
}

func again(t *team) { t.member(0, lockTwice) }

// A method that locks calls one that locks, and the lock isn't the first thing in its struct.
//
//go:noinline
func (a *account) rename(name string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.sum() == 0 {
		a.name = name
	}
}

//go:noinline
func (a *account) sum() int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.balance
}

func method(t *team) {
	a := &account{name: "a"}
	t.member(0, func() { a.rename("b") })
}

// A look-alike: the second goroutine holds what the first waits for; the third sleeps with another lock
// held, and has the address of that one as well.
//
//go:noinline
func sleepIn(holds, uses *account) {
	holds.mu.Lock()
	time.Sleep(time.Hour)
	uses.balance++
	holds.mu.Unlock()
}

func bystander(t *team) {
	a, b := &account{name: "a"}, &account{name: "b"}
	t.member(0, func() { lockLater(&a.mu) })
	t.member(1, func() { sleepIn(a, b) })
	t.member(2, func() { sleepIn(b, a) })
}

// A look-alike: a timer closes the channel that the lock's holder waits for.
//
//go:noinline
func holdUntil(mu *sync.Mutex, c chan int) {
	mu.Lock()
	<-c
	mu.Unlock()
}

//go:noinline
func lockLater(mu *sync.Mutex) {
	time.Sleep(10 * time.Millisecond)
	mu.Lock()
	mu.Unlock()
}

func timed(t *team) {
	mu, c := new(sync.Mutex), make(chan int)
	time.AfterFunc(time.Hour, func() { close(c) })
	t.member(0, func() { lockLater(mu) })
	t.member(1, func() { holdUntil(mu, c) })
}

// A look-alike: the reader waits for a file descriptor, and a variable has what the other waits for.
var wanted chan int

//go:noinline
func read(r *os.File) {
	var b [1]byte
	r.Read(b[:])
}

func open(t *team) {
	r, w, err := os.Pipe()
	if err != nil {
		panic(err)
	}
	ends = append(ends, w)
	wanted = make(chan int)
	t.member(0, func() { read(r) })
	t.member(1, func() { receive(wanted) })
}

var ends []*os.File

var cases = map[string]struct {
	start func(*team)
	free  bool
}{
	"ring":      {ring, false},
	"locks":     {locks, false},
	"mixed":     {mixed, false},
	"readers":   {readers, false},
	"sleeper":   {sleeper, true},
	"globals":   {variables, false},
	"again":     {again, false},
	"method":    {method, false},
	"timed":     {timed, true},
	"open":      {open, true},
	"bystander": {bystander, true},
}

func main() {
	flag.Parse()
	var names []string
	for name := range cases {
		if *only == "" || name == *only {
			names = append(names, name)
		}
	}
	sort.Strings(names)
	for _, name := range names {
		name := name
		t := &team{}
		started := make(chan bool)
		// Not on this stack, where words would stay behind that lead to what the team waits for.
		go func() {
			cases[name].start(t)
			close(started)
		}()
		<-started
		t.parked.Wait()
		word := "case"
		if cases[name].free {
			word = "free"
		}
		fmt.Fprintln(os.Stdout, word, name, strings.Join(t.ids, " "))
	}
	time.Sleep(100 * time.Millisecond) // the last steps of the goroutines to where they stay
	fmt.Fprintln(os.Stdout, "ready")
	if *hear {
		signal.Notify(make(chan os.Signal, 1), syscall.SIGUSR1)
	}
	if *alive {
		time.Sleep(time.Hour)
	}
	select {}
}

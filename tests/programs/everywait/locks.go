package main

import (
	"fmt"
	"sync"
	"time"
)

func wakeField(d time.Duration) string { return fmt.Sprintf("wake=%d", time.Now().Add(d).UnixNano()) }

func init() {
	register("mutex", mutexWait)
	register("mutex-second", func(name string) { mutexWait(name) })
	register("mutex-in-struct", mutexInStruct)
	register("once", onceWait)
	// One RWMutex that a reader holds: a writer waits for the reader, a second writer queues on the
	// inner mutex, and a reader waits for the writer before it.
	register("rwmutex-a-writer", rwmutexHeldByReader)
	register("rwmutex-b-second-writer", rwmutexSecondWriter)
	register("rwmutex-c-late-reader", rwmutexLateReader)
	register("rwmutex-held-by-writer", rwmutexHeldByWriter)
	register("waitgroup", waitGroup)
	register("waitgroup-second", func(name string) { waitGroup(name) })
	register("cond-first", condWait)
	register("cond-second", condWait)
	register("cond-rwmutex", condOnRWMutex)
	register("nest", nest)
}

func mutexWait(name string) {
	m := new(sync.Mutex)
	m.Lock()
	expect(name, "kind=mutex", addr(m))
	keep = append(keep, m)
	go func() { enter(name); m.Lock() }()
}

type account struct {
	balance int
	sync.Mutex
}

func mutexInStruct(name string) {
	a := new(account)
	a.Lock()
	expect(name, "kind=mutex", addr(&a.Mutex))
	keep = append(keep, a)
	go lockAccount(name, a)
}

func lockAccount(name string, a *account) {
	enter(name)
	a.Lock()
	defer a.Unlock()
	a.balance++
}

func onceWait(name string) {
	once, entered := new(sync.Once), make(chan bool)
	never := make(chan int)
	expect(name, "kind=mutex", field(once, "m"))
	keep = append(keep, once, never)
	go once.Do(func() { close(entered); <-never })
	<-entered
	go func() { enter(name); once.Do(func() {}) }()
}

var shared = new(sync.RWMutex)

func rwmutexHeldByReader(name string) {
	shared.RLock()
	expect(name, "kind=rwmutex_lock", addr(shared))
	go func() { enter(name); shared.Lock() }()
	for shared.TryRLock() { // until the writer has announced itself
		shared.RUnlock()
		time.Sleep(time.Millisecond)
	}
}

func rwmutexSecondWriter(name string) {
	expect(name, "kind=rwmutex_lock", addr(shared))
	go func() { enter(name); shared.Lock() }()
}

func rwmutexLateReader(name string) {
	expect(name, "kind=rwmutex_rlock", addr(shared))
	go func() { enter(name); shared.RLock() }()
}

func rwmutexHeldByWriter(name string) {
	m := new(sync.RWMutex)
	m.Lock()
	expect(name, "kind=rwmutex_rlock", addr(m))
	keep = append(keep, m)
	go func() { enter(name); m.RLock() }()
}

func waitGroup(name string) {
	wg := new(sync.WaitGroup)
	wg.Add(3)
	expect(name, "kind=wait_group", addr(wg))
	keep = append(keep, wg)
	go func() { enter(name); wg.Wait() }()
}

var condition = sync.NewCond(new(sync.Mutex))

func condWait(name string) {
	expect(name, "kind=cond", addr(condition))
	go func() {
		enter(name)
		condition.L.Lock()
		condition.Wait()
	}()
}

func condOnRWMutex(name string) {
	m := new(sync.RWMutex)
	c := sync.NewCond(m.RLocker())
	expect(name, "kind=cond", addr(c))
	keep = append(keep, c)
	go func() {
		enter(name)
		c.L.Lock()
		c.Wait()
	}()
}

// nest is a group of groups: each level waits for the level below, the last for a channel.
func nest(name string) {
	c := make(chan error, 1)
	expect(name, "kind=channel_receive", channel(c))
	keep = append(keep, c)
	go nestLevel(name, 3, c)
}

func nestLevel(name string, depth int, c chan error) {
	if depth == 0 {
		enter(name)
		<-c
		return
	}
	var group sync.WaitGroup
	group.Add(1)
	go func() {
		defer group.Done()
		nestLevel(name, depth-1, c)
	}()
	group.Wait()
}

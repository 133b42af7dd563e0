// Dies in the way its argument names, for the texts of tests/golden/dump.
package main

import (
	"errors"
	"fmt"
	"os"
	"runtime"
	"runtime/debug"
	"strings"
	"sync"
	"time"
)

type thing struct{ next *thing }

//go:noinline
func (t *thing) follow() *thing { return t.next.next }

//go:noinline
func overflow(n int) int { return overflow(n+1) + 1 }

func background() {
	for i := 0; i < 2; i++ {
		go func() { select {} }()
	}
	time.Sleep(10 * time.Millisecond)
}

func asleep() {
	var group sync.WaitGroup
	group.Add(1)
	go func() { var c chan int; <-c }()
	group.Wait()
}

func repanic() {
	defer func() {
		if r := recover(); r != nil {
			panic(r)
		}
	}()
	panic("first")
}

func nested() {
	defer func() { panic(fmt.Errorf("second: %w", errors.New("cause"))) }()
	panic("first")
}

func maps() {
	m := map[int]int{}
	for i := 0; i < 8; i++ {
		go func() {
			for {
				m[1]++
			}
		}()
	}
	time.Sleep(time.Minute)
}

var ways = map[string]func(){
	"asleep":   asleep,
	"panic":    func() { background(); panic("boom") },
	"lines":    func() { panic("first line\ngoroutine 7 [running]:\n\nlast line") },
	"error":    func() { panic(errors.New("broken")) },
	"repanic":  repanic,
	"nested":   nested,
	"pointer":  func() { (&thing{}).follow() },
	"divide":   func() { zero := len(os.Args) - len(os.Args); fmt.Println(1 / zero) },
	"overflow": func() { debug.SetMaxStack(1 << 20); overflow(0) },
	"maps":     maps,
	"unlock":   func() { new(sync.Mutex).Unlock() },
	"goexit":   func() { runtime.Goexit() },
	"stacks":   func() { debug.PrintStack(); debug.PrintStack() },
	"all": func() {
		background()
		buf := make([]byte, 1<<20)
		os.Stderr.Write(buf[:runtime.Stack(buf, true)])
	},
}

func main() {
	way, known := ways[strings.Join(os.Args[1:], " ")]
	if !known {
		fmt.Fprintln(os.Stderr, "usage: dies WAY")
		os.Exit(3)
	}
	way()
}

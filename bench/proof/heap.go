package main

import (
	"bufio"
	"fmt"
	"io"
	"math/rand"
	"os"
	"runtime"
	"runtime/debug"
	"runtime/pprof"
	"sync"
	"time"
)

// A node has the size that the bars were set with; half of the heap is nodes, the other half what they
// point to that has no pointers. A tree holds all of them together, and two links go anywhere: few
// neighbours in memory are neighbours in the graph, which is the worst case for caches.
type node struct {
	left, right, one, other *node
	payload                 *[12]uint64
	rest                    [7]uint64
}

const pairBytes = 2 * 96

var (
	root   *node
	held   []chan int // those that wait for these are not leaked
	starts sync.WaitGroup
)

func grow(bytes int) {
	nodes := make([]*node, bytes/pairBytes)
	for i := range nodes {
		nodes[i] = &node{payload: new([12]uint64)}
	}
	random := rand.New(rand.NewSource(1))
	for i, n := range nodes {
		if 2*i+2 < len(nodes) {
			n.left, n.right = nodes[2*i+1], nodes[2*i+2]
		}
		n.one, n.other = nodes[random.Intn(len(nodes))], nodes[random.Intn(len(nodes))]
	}
	root = nodes[0]
}

//go:noinline
func wait(c chan int) { <-c }

// Half of the goroutines wait for a channel that a variable leads to, the other half are leaked.
func park(count int) {
	starts.Add(count)
	for i := 0; i < count; i++ {
		c := make(chan int)
		if i%2 == 0 {
			held = append(held, c)
		}
		go func() {
			starts.Done()
			wait(c)
		}()
	}
	starts.Wait()
}

// Has the runtime look for leaks itself (Go 1.27): how long that took, and the longest pause in it.
func leakProfile() {
	profile := pprof.Lookup("goroutineleak")
	if profile == nil {
		fmt.Println("none")
		return
	}
	var before, after debug.GCStats
	debug.ReadGCStats(&before)
	start := time.Now()
	if err := profile.WriteTo(io.Discard, 0); err != nil {
		fmt.Println("none")
		return
	}
	took := time.Since(start)
	debug.ReadGCStats(&after)
	longest := time.Duration(0)
	for i := int64(0); i < after.NumGC-before.NumGC && i < int64(len(after.Pause)); i++ {
		if after.Pause[i] > longest {
			longest = after.Pause[i]
		}
	}
	fmt.Println(took.Nanoseconds(), longest.Nanoseconds(), profile.Count())
}

// hold is the program that is looked at. A line on its input has it write its leak profile.
func hold(bytes, goroutines int) {
	debug.SetGCPercent(-1)
	grow(bytes)
	park(goroutines)
	runtime.GC()
	debug.SetGCPercent(100)
	fmt.Println("ready")
	for in := bufio.NewScanner(os.Stdin); in.Scan(); {
		leakProfile()
	}
	runtime.KeepAlive(root)
	runtime.KeepAlive(held)
}

// Profiled works, allocates, waits and parks in ways that every profile of runtime/pprof has
// something to say about, and writes them all into the folder that is its argument: NAME.pb.gz. With
// another folder behind it, it writes their text into that, as NAME.
package main

import (
	"bytes"
	"compress/flate"
	"context"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"sort"
	"strings"
	"sync"
	"time"
)

var (
	kept    [][]byte
	parked  = make(chan int)
	handles = pprof.NewProfile("example.handles")
)

func inlined(n int) int { return n*31 + n>>3 }

//go:noinline
func hash(n int) int {
	sum := 0
	for i := 0; i < n; i++ {
		sum += inlined(i)
	}
	return sum
}

//go:noinline
func compress(n int) int {
	var out bytes.Buffer
	w, _ := flate.NewWriter(&out, 5)
	for i := 0; i < n; i++ {
		fmt.Fprintf(w, "line %d of %d\n", i, n)
	}
	w.Close()
	return out.Len()
}

func order(n int) int {
	words := make([]string, n)
	for i := range words {
		words[i] = strings.Repeat(string(rune('a'+i%26)), 1+i%7)
	}
	sort.Slice(words, func(i, j int) bool { return words[i] < words[j] })
	return len(words)
}

func work() {
	for i := 0; i < 3; i++ {
		for _, handler := range []string{"/orders", "/search"} {
			labels := pprof.Labels("handler", handler, "shard", fmt.Sprint(i))
			pprof.Do(context.Background(), labels, func(context.Context) {
				hash(20e6)
				compress(40e3)
				order(50e3)
			})
		}
	}
}

//go:noinline
func allocate() {
	for i := 0; i < 200; i++ {
		kept = append(kept, make([]byte, 1+i*97))
		kept = append(kept, bytes.Repeat([]byte("x"), 64<<10))
	}
}

func contend() {
	var lock sync.Mutex
	var group sync.WaitGroup
	for i := 0; i < 4; i++ {
		group.Add(1)
		go func() {
			defer group.Done()
			for n := 0; n < 20; n++ {
				lock.Lock()
				time.Sleep(100 * time.Microsecond)
				lock.Unlock()
			}
		}()
	}
	group.Wait()
	numbers := make(chan int)
	go func() {
		for n := 0; n < 50; n++ {
			numbers <- n
		}
		close(numbers)
	}()
	for range numbers {
	}
}

//go:noinline
func leave() { <-make(chan int) }

func park() {
	for i := 0; i < 5; i++ {
		labels := pprof.Labels("tenant", fmt.Sprint("t", i%2))
		pprof.Do(context.Background(), labels, func(context.Context) {
			go func() { parked <- 1 }()
			go func() {
				select {
				case <-make(chan int):
				case <-time.After(time.Hour):
				}
			}()
			go leave()
		})
		handles.Add(new(int), 1)
	}
	text := make([]byte, 1<<20)
	for _, state := range []string{"[chan send", "[select", "[chan receive"} {
		for strings.Count(string(text[:runtime.Stack(text, true)]), state) < 5 {
			time.Sleep(time.Millisecond)
		}
	}
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func main() {
	folder := os.Args[1]
	create := func(name string) *os.File {
		file, err := os.Create(filepath.Join(folder, name+".pb.gz"))
		check(err)
		return file
	}
	runtime.MemProfileRate = 512
	runtime.SetBlockProfileRate(1)
	runtime.SetMutexProfileFraction(1)
	cpu := create("cpu")
	check(pprof.StartCPUProfile(cpu))
	work()
	pprof.StopCPUProfile()
	check(cpu.Close())
	allocate()
	contend()
	park()
	runtime.GC()
	for _, profile := range pprof.Profiles() {
		file := create(profile.Name())
		check(profile.WriteTo(file, 0))
		check(file.Close())
		if len(os.Args) > 2 {
			text, err := os.Create(filepath.Join(os.Args[2], profile.Name()))
			check(err)
			check(profile.WriteTo(text, 1))
			check(text.Close())
		}
	}
	fmt.Println("ready", len(kept))
}

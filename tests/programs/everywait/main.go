// Everywait holds every kind of wait of the Go runtime at once, prints what each goroutine waits on,
// and then "ready". Tests compare a view from outside with these lines and with the program's own
// traceback.
//
//	expect CASE goid=N kind=K [addr=0x…] [len=N cap=N closed=B elem="T"] [cases=recv:0x…:LEN:CAP,…]
//	            [fd=N dir=read|write] [wake=UNIXNANOS] [label.KEY="VALUE"]
//
// The goroutine of a case has the pprof label case=CASE. Cases register themselves in init
// functions; those that need a newer Go or cgo stand in files with build constraints.
package main

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"reflect"
	"runtime"
	"runtime/pprof"
	"sort"
	"strconv"
	"strings"
	"sync"
	"syscall"
	"time"
	"unsafe"
)

var (
	spinners  = flag.Int("spin", 1, "goroutines in a busy loop")
	collect   = flag.Bool("gc", false, "collect garbage all the time")
	panicOn   = flag.Bool("panic", false, "panic on SIGUSR2")
	only      = flag.String("only", "", "comma-separated cases to start; empty starts all")
	registry  = map[string]func(name string){}
	mu        sync.Mutex
	expected  = map[string][]string{}
	waitingOn sync.WaitGroup // every case's goroutine has called enter
	keep      []interface{}  // what must stay reachable
)

// register adds a case. start runs on the main goroutine and starts one goroutine that calls enter.
func register(name string, start func(name string)) { registry[name] = start }

// expect says what the goroutine of a case waits on.
func expect(name string, fields ...string) {
	mu.Lock()
	defer mu.Unlock()
	expected[name] = append(expected[name], fields...)
}

// enter labels the calling goroutine as the one of its case.
func enter(name string, labels ...string) {
	all := append([]string{"case", name}, labels...)
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels(all...)))
	for i := 0; i < len(labels); i += 2 {
		expect(name, fmt.Sprintf("label.%s=%q", labels[i], labels[i+1]))
	}
	expect(name, "goid="+goid())
	waitingOn.Done()
}

// goid is the calling goroutine's number, from the head of its own traceback.
func goid() string {
	buf := make([]byte, 64)
	return strings.Fields(string(buf[:runtime.Stack(buf, false)]))[1]
}

func addr(p interface{}) string { return fmt.Sprintf("addr=%#x", reflect.ValueOf(p).Pointer()) }

// field gives the address of an unexported field.
func field(p interface{}, name string) string {
	return fmt.Sprintf("addr=%#x", reflect.ValueOf(p).Elem().FieldByName(name).UnsafeAddr())
}

// channel describes a channel as it will be once its goroutine is parked.
func channel(c interface{}) string {
	v := reflect.ValueOf(c)
	return fmt.Sprintf("addr=%#x len=%d cap=%d closed=false elem=%s",
		v.Pointer(), v.Len(), v.Cap(), strconv.Quote(v.Type().Elem().String()))
}

// chanCase is one case of a select: direction "send" or "recv".
func chanCase(direction string, c interface{}) string {
	v := reflect.ValueOf(c)
	return fmt.Sprintf("%s:%#x:%d:%d", direction, v.Pointer(), v.Len(), v.Cap())
}

func cases(list ...string) string { return "cases=" + strings.Join(list, ",") }

var spinSink uint64

//go:noinline
func spin() {
	for i := uint64(0); ; i++ {
		*(*uint64)(unsafe.Pointer(&spinSink)) = i
	}
}

// settled reports whether every goroutine but the caller and the spinners is parked.
func settled() bool {
	buf := make([]byte, 8<<20)
	text := string(buf[:runtime.Stack(buf, true)])
	for _, g := range strings.Split(text, "\n\n")[1:] {
		head := strings.SplitN(g, "\n", 2)[0]
		busy := strings.Contains(head, "[run")
		if busy && !strings.Contains(g, "main.spin") && !strings.Contains(g, "main.collectForever") {
			return false
		}
	}
	return true
}

func collectForever() {
	for {
		runtime.GC()
		time.Sleep(time.Millisecond)
	}
}

// panicOnSignal gives what SIGQUIT can't: a traceback of all goroutines at the default level, which
// hides the runtime's own frames.
func panicOnSignal() {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGUSR2)
	go func() {
		<-signals
		panic("told to")
	}()
}

func startCases() []string {
	var names []string
	for name := range registry {
		names = append(names, name)
	}
	sort.Strings(names)
	if *only != "" {
		names = strings.Split(*only, ",")
	}
	for _, name := range names {
		waitingOn.Add(1)
		registry[name](name)
	}
	waitingOn.Wait()
	return names
}

func main() {
	flag.Parse()
	forever := make(chan struct{})
	expected["main"] = []string{"kind=channel_receive", channel(forever), "goid=" + goid()}
	names := append(startCases(), "main")
	for i := 0; i < *spinners; i++ {
		go spin()
	}
	if *collect {
		go collectForever()
	}
	if *panicOn {
		panicOnSignal()
	}
	// A collection starts the runtime's own workers and notes when goroutines parked.
	runtime.GC()
	for !settled() {
		time.Sleep(5 * time.Millisecond)
	}
	// Last, because goroutines inherit labels.
	pprof.SetGoroutineLabels(pprof.WithLabels(context.Background(), pprof.Labels("case", "main")))
	for _, name := range names {
		fmt.Fprintln(os.Stdout, "expect", name, strings.Join(expected[name], " "))
	}
	fmt.Fprintln(os.Stdout, "ready")
	<-forever
	runtime.KeepAlive(keep)
}

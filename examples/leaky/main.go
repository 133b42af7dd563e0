// Leaky is a service whose requests get stuck: what `weir dump PID` is for.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"
	"runtime/pprof"
	"sync"
)

var (
	orders  = make(chan int, 2) // the consumer has gone home
	started sync.WaitGroup
)

func handle(ctx context.Context, request int) {
	pprof.SetGoroutineLabels(ctx)
	started.Done()
	for { // two orders fit, the third blocks
		orders <- request
	}
}

func main() {
	started.Add(3)
	for request := 0; request < 3; request++ {
		ctx := pprof.WithLabels(context.Background(), pprof.Labels("request", fmt.Sprint(request)))
		go handle(ctx, request)
	}
	started.Wait()
	fmt.Println("ready", os.Getpid())
	stop := make(chan os.Signal, 1)
	signal.Notify(stop, os.Interrupt)
	<-stop
}

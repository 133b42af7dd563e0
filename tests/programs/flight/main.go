// Keeps the last moments of itself in a flight recorder (Go 1.25 and later) while two goroutines hand a value to and
// fro, and writes them down once the recorder has let go of its first generation.
package main

import (
	"bytes"
	"flag"
	"os"
	"runtime/trace"
	"time"
)

var out = flag.String("o", "flight.out", "where to")

func ping(to, from chan int) {
	for i := 0; ; i++ {
		to <- i
		<-from
		time.Sleep(time.Millisecond)
	}
}

func pong(to, from chan int) {
	for i := range to {
		from <- i
	}
}

// The header, a batch's byte, and the number of the first generation.
const firstGeneration = 17

func main() {
	flag.Parse()
	recorder := trace.NewFlightRecorder(trace.FlightRecorderConfig{MinAge: 100 * time.Millisecond})
	if err := recorder.Start(); err != nil {
		panic(err)
	}
	to, from := make(chan int), make(chan int)
	go ping(to, from)
	go pong(to, from)
	for {
		time.Sleep(100 * time.Millisecond)
		var recording bytes.Buffer
		if _, err := recorder.WriteTo(&recording); err != nil {
			panic(err)
		}
		if recording.Bytes()[firstGeneration] > 1 {
			if err := os.WriteFile(*out, recording.Bytes(), 0o644); err != nil {
				panic(err)
			}
			return
		}
	}
}

// Spinner has one goroutine that runs all the time and makes no system call.
package main

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
)

var turns uint64

//go:noinline
func spin() {
	for {
		turns++
	}
}

func main() {
	go spin()
	end := make(chan os.Signal, 1)
	signal.Notify(end, syscall.SIGTERM)
	fmt.Println("ready")
	<-end
}

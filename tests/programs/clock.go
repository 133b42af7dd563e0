// Clock asks for the time again and again: most of its time is spent in the kernel's vDSO, which Go
// calls on the thread's system stack.
package main

import (
	"fmt"
	"time"
)

var last time.Time

//go:noinline
func askForever() {
	for {
		last = time.Now()
	}
}

func main() {
	fmt.Println("ready")
	askForever()
}

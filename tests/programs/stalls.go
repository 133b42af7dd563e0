// More and more goroutines wait for ever while the program has nothing to do.
package main

import (
	"fmt"
	"os"
	"time"
)

var never = make(chan int)

func waitForEver() { <-never }

func main() {
	fmt.Println("to standard output")
	fmt.Fprintln(os.Stderr, "to standard error")
	for i := 0; i < 400; i++ {
		go waitForEver()
		time.Sleep(5 * time.Millisecond)
	}
}

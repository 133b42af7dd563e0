// Asleep ends with the runtime's own "all goroutines are asleep - deadlock!".
package main

import "sync"

func main() {
	var group sync.WaitGroup
	results := make(chan int)
	group.Add(1)
	go func() {
		defer group.Done()
		results <- 1
	}()
	group.Wait() // before anybody takes the result
	<-results
}

// Package rangenoclose: workers range over a channel that is never closed.
package rangenoclose

import "sync"

// Sum adds up the squares of the numbers with a pool of workers. `close(jobs)` is missing, so each
// worker waits for the next job for ever.
func Sum(numbers []int, workers int) int {
	jobs := make(chan int)
	var mu sync.Mutex
	var done sync.WaitGroup
	sum := 0
	for i := 0; i < workers; i++ {
		go func() {
			for n := range jobs {
				mu.Lock()
				sum += n * n
				mu.Unlock()
				done.Done()
			}
		}()
	}
	done.Add(len(numbers))
	for _, n := range numbers {
		jobs <- n
	}
	done.Wait()
	return sum
}

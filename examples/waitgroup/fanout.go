// Package waitgroup: one path out of a task forgets Done, so Wait never returns.
package waitgroup

import "sync"

// Each runs task for every name and calls finished after the last one. A task that fails returns
// before Done; `defer wg.Done()` would not.
func Each(names []string, task func(string) error, finished func()) {
	var wg sync.WaitGroup
	wg.Add(len(names))
	for _, name := range names {
		name := name
		go func() {
			if task(name) != nil {
				return
			}
			wg.Done()
		}()
	}
	go func() {
		wg.Wait()
		finished()
	}()
}

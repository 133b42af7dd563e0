// Package ticker: a goroutine ranges over a ticker that nobody stops; Stop would not end it either,
// since it does not close the channel.
package ticker

import "time"

// Beat calls beat every interval. There is no way to end it.
func Beat(interval time.Duration, beat func()) {
	ticks := time.NewTicker(interval)
	go func() {
		for range ticks.C {
			beat()
		}
	}()
}

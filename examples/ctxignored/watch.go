// Package ctxignored: a goroutine takes a context and never looks at it.
package ctxignored

import "context"

// Watch reports events until ctx ends, it says. The select has no ctx.Done() case, so cancelling
// stops nothing.
func Watch(ctx context.Context, events, alarms <-chan string, report func(string)) {
	go func() {
		for ctx.Err() == nil {
			select {
			case e := <-events:
				report(e)
			case a := <-alarms:
				report("alarm: " + a)
			}
		}
	}()
}

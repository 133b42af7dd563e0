package cleanup

import "testing"

// Stopped by Cleanup, after the test's own function has returned.
func TestStopsInCleanup(t *testing.T) {
	stop, stopped := make(chan bool), make(chan bool)
	go func() {
		<-stop
		close(stopped)
	}()
	t.Cleanup(func() {
		close(stop)
		<-stopped
	})
}

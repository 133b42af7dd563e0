package ossignal

import (
	"os"
	"os/signal"
	"syscall"
	"testing"
)

// The goroutines of os/signal stay for good once somebody asked for signals.
func TestNotifies(t *testing.T) {
	incoming := make(chan os.Signal, 1)
	signal.Notify(incoming, syscall.SIGUSR1)
	defer signal.Stop(incoming)
	if err := syscall.Kill(os.Getpid(), syscall.SIGUSR1); err != nil {
		t.Fatal(err)
	}
	<-incoming
}

package ticker

import (
	"testing"
	"time"
)

func TestBeat(t *testing.T) {
	beats := make(chan bool, 1)
	Beat(time.Millisecond, func() {
		select {
		case beats <- true:
		default:
		}
	})
	<-beats
}

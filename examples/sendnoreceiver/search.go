// Package sendnoreceiver: whoever comes second sends to a channel that nobody reads any more.
package sendnoreceiver

// First returns the answer of the fastest backend. The channel is unbuffered, so the slower ones
// block in their send for ever; `make(chan string, len(backends))` would let them go.
func First(backends []func() string) string {
	answers := make(chan string)
	for _, ask := range backends {
		ask := ask
		go func() { answers <- ask() }()
	}
	return <-answers
}

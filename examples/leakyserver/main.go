// Leakyserver is an HTTP service for `weir watch`: each request to /search asks three backends and
// answers with the first result; the two others are never received, so their goroutines stay. /ping
// leaves nothing behind. The goroutine profile is at /debug/pprof/, as in any Go service.
package main

import (
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
)

func ask(backend string, results chan<- string) {
	results <- "found by " + backend
}

func search() string {
	results := make(chan string) // room for two more would be the fix
	for _, backend := range []string{"red", "green", "blue"} {
		go ask(backend, results)
	}
	return <-results
}

func main() {
	address := "127.0.0.1:0"
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	http.HandleFunc("/search", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, search()) })
	http.HandleFunc("/ping", func(w http.ResponseWriter, r *http.Request) { fmt.Fprintln(w, "pong") })
	listener, err := net.Listen("tcp", address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("ready", listener.Addr())
	_ = http.Serve(listener, nil)
}

// Endpoint serves net/http/pprof in the ways that a reader of it must cope with: behind
// credentials, redirects, errors, and answers that are slow or do not end. Parked goroutines of
// several kinds are what its profiles show.
//
// It prints "http ADDRESS", "https ADDRESS", "elsewhere ADDRESS" and "ready".
package main

import (
	"fmt"
	"net/http"
	"net/http/httptest"
	"net/http/pprof"
	"os"
	"strings"
	"sync"
)

var (
	parked  = make(chan int)
	results = make(chan int, 1)
	lock    sync.Mutex
	group   sync.WaitGroup
)

//go:noinline
func receive() { <-parked }

//go:noinline
func send() { results <- 1 }

//go:noinline
func acquire() { lock.Lock() }

//go:noinline
func await() { group.Wait() }

//go:noinline
func choose() {
	select {
	case <-parked:
	case results <- 1:
	}
}

func park() {
	results <- 0
	lock.Lock()
	group.Add(1)
	for i, wait := range []func(){receive, send, acquire, await, choose} {
		for n := 0; n < i+3; n++ {
			go wait()
		}
	}
}

func guarded(w http.ResponseWriter, r *http.Request) {
	user, password, _ := r.BasicAuth()
	if user == "me" && password == "secret" || r.Header.Get("Authorization") == "Bearer token" {
		pprof.Handler("goroutine").ServeHTTP(w, r)
		return
	}
	http.Error(w, "who are you?", http.StatusUnauthorized)
}

func endless(w http.ResponseWriter, r *http.Request) {
	line := []byte(strings.Repeat("no goroutine here\n", 4096))
	for {
		if _, err := w.Write(line); err != nil {
			return
		}
	}
}

func main() {
	park()
	elsewhere := httptest.NewServer(http.DefaultServeMux) // net/http/pprof has registered itself
	mux := http.NewServeMux()
	mux.Handle("/debug/pprof/", http.HandlerFunc(pprof.Index))
	mux.HandleFunc("/guarded", guarded)
	mux.HandleFunc("/endless", endless)
	mux.HandleFunc("/slow", func(w http.ResponseWriter, r *http.Request) { <-r.Context().Done() })
	mux.Handle("/inside", http.RedirectHandler("/debug/pprof/goroutine", http.StatusFound))
	mux.Handle("/outside", http.RedirectHandler(elsewhere.URL+"/debug/pprof/goroutine", http.StatusFound))
	mux.Handle("/circle", http.RedirectHandler("/circle", http.StatusFound))
	plain, secure := httptest.NewServer(mux), httptest.NewTLSServer(mux)
	fmt.Fprintln(os.Stdout, "http", plain.Listener.Addr())
	fmt.Fprintln(os.Stdout, "https", secure.Listener.Addr())
	fmt.Fprintln(os.Stdout, "elsewhere", elsewhere.Listener.Addr())
	fmt.Fprintln(os.Stdout, "ready")
	select {}
}

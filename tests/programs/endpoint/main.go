// Endpoint serves net/http/pprof in the ways that a reader of it must cope with: behind
// credentials, redirects, errors, and answers that are slow or do not end. Parked goroutines of
// several kinds are what its profiles show.
//
// It prints "http ADDRESS", "https ADDRESS", "mutual ADDRESS" (TLS with a client's certificate),
// "elsewhere ADDRESS" and "ready". Into the folder that is its argument it writes ca.pem, client.pem
// and client-key.pem.
package main

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"math/big"
	"net/http"
	"net/http/httptest"
	"net/http/pprof"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"time"
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

func check(err error) {
	if err != nil {
		panic(err)
	}
}

func write(name, kind string, bytes []byte) {
	if len(os.Args) < 2 {
		return
	}
	content := pem.EncodeToMemory(&pem.Block{Type: kind, Bytes: bytes})
	check(os.WriteFile(filepath.Join(os.Args[1], name), content, 0o600))
}

// client makes a certificate for a client, which is its own authority.
func client() *x509.CertPool {
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	check(err)
	form := &x509.Certificate{SerialNumber: big.NewInt(1), NotAfter: time.Now().Add(time.Hour),
		ExtKeyUsage: []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}, IsCA: true, BasicConstraintsValid: true}
	raw, err := x509.CreateCertificate(rand.Reader, form, form, &key.PublicKey, key)
	check(err)
	secret, err := x509.MarshalECPrivateKey(key)
	check(err)
	write("client.pem", "CERTIFICATE", raw)
	write("client-key.pem", "EC PRIVATE KEY", secret)
	made, err := x509.ParseCertificate(raw)
	check(err)
	pool := x509.NewCertPool()
	pool.AddCert(made)
	return pool
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
	mutual := httptest.NewUnstartedServer(mux)
	mutual.TLS = &tls.Config{ClientAuth: tls.RequireAndVerifyClientCert, ClientCAs: client()}
	mutual.StartTLS()
	write("ca.pem", "CERTIFICATE", secure.Certificate().Raw)
	fmt.Fprintln(os.Stdout, "mutual", mutual.Listener.Addr())
	fmt.Fprintln(os.Stdout, "http", plain.Listener.Addr())
	fmt.Fprintln(os.Stdout, "https", secure.Listener.Addr())
	fmt.Fprintln(os.Stdout, "elsewhere", elsewhere.Listener.Addr())
	fmt.Fprintln(os.Stdout, "ready")
	select {}
}

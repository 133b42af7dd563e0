// Grower serves its goroutine profile, and a request to /leak leaves goroutines behind whose sender
// returned early. Its first argument is the address to listen on.
package main

import (
	"errors"
	"fmt"
	"net"
	"net/http"
	_ "net/http/pprof"
	"os"
	"strconv"
)

func work(results chan<- int) { results <- 1 }

// handle returns before it receives: work is stuck for ever.
func handle(fail bool) error {
	results := make(chan int)
	go work(results)
	if fail {
		return errors.New("early")
	}
	<-results
	return nil
}

func main() {
	address := "127.0.0.1:0"
	if len(os.Args) > 1 {
		address = os.Args[1]
	}
	http.HandleFunc("/leak", func(w http.ResponseWriter, r *http.Request) {
		count, _ := strconv.Atoi(r.FormValue("n"))
		for i := 0; i < count; i++ {
			_ = handle(r.FormValue("ok") == "")
		}
		fmt.Fprintln(w, "done")
	})
	listener, err := net.Listen("tcp", address)
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	fmt.Println("ready", listener.Addr())
	_ = http.Serve(listener, nil)
}

// The peer of weir/gosym/table_bench.cc: debug/gosym on the same executable.
//
//	gosym FILE open    seconds to read the function table
//	gosym FILE find    seconds of one lookup of function, file and line of a pc
package main

import (
	"debug/elf"
	"debug/gosym"
	"fmt"
	"os"
	"time"
)

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func open(content []byte, text uint64) *gosym.Table {
	table, err := gosym.NewTable(nil, gosym.NewLineTable(content, text))
	check(err)
	return table
}

func main() {
	file, err := elf.Open(os.Args[1])
	check(err)
	content, err := file.Section(".gopclntab").Data()
	check(err)
	text := file.Section(".text")
	least := time.Hour
	for i := 0; i < 5; i++ {
		begun := time.Now()
		open(content, text.Addr)
		least = min(least, time.Since(begun))
	}
	if os.Args[2] == "open" {
		fmt.Println(least.Seconds())
		return
	}
	table := open(content, text.Addr)
	const lookups = 20000
	least = time.Hour
	found := 0
	for round := 0; round < 5; round++ {
		random := uint64(1)
		begun := time.Now()
		for i := 0; i < lookups; i++ { // the same sequence as in table_bench.cc
			random = random*6364136223846793005 + 1442695040888963407
			if _, _, function := table.PCToLine(text.Addr + (random>>20)%text.Size); function != nil {
				found++
			}
		}
		least = min(least, time.Since(begun))
	}
	if found == 0 {
		check(fmt.Errorf("no pc found"))
	}
	fmt.Println(least.Seconds() / lookups)
}

// Package blocks reads the files that nats-server keeps a stream in: blocks of records, each with a checksum. It
// changes none of them.
package blocks

import (
	"os"
	"slices"
	"strconv"
	"strings"
)

// Dir names the directory of a stream's block files. It reads events out of them, as streams.Files does.
type Dir string

// Suffix ends the name of a block file.
const Suffix = ".blk"

// Name returns the name of the block file with that number.
func Name(number int) string { return strconv.Itoa(number) + Suffix }

// Number returns the number of the block file with that name; false for a file that is none.
func Number(name string) (n int, ok bool) {
	name, ok = strings.CutSuffix(name, Suffix)
	if !ok {
		return 0, false
	}
	n, err := strconv.Atoi(name)
	return n, err == nil && n > 0 && strconv.Itoa(n) == name
}

// Numbers returns those of all block files in dir, in ascending order.
func Numbers(dir string) ([]int, error) {
	entries, err := os.ReadDir(dir)
	if err != nil {
		return nil, err
	}
	var numbers []int
	for _, e := range entries {
		if n, ok := Number(e.Name()); ok {
			numbers = append(numbers, n)
		}
	}
	slices.Sort(numbers)
	return numbers, nil
}

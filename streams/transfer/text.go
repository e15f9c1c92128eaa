package transfer

import (
	"fmt"
	"strconv"
)

// count returns a number of things, with commas: "1,234 events".
func count(n uint64, thing string) string {
	if n != 1 {
		thing += "s"
	}
	return commas(n) + " " + thing
}

func commas(n uint64) string {
	if n < 1000 {
		return strconv.FormatUint(n, 10)
	}
	return fmt.Sprintf("%s,%03d", commas(n/1000), n%1000)
}

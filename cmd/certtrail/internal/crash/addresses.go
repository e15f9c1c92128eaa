package crash

import "C" // addresses.c

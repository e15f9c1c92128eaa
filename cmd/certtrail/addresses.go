package main

import "C" // addresses.c

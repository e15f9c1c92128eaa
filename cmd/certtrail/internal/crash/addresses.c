// A limit of the address space that a Go program with C in it would hit, with its threads' stacks and arenas, which it reserves and hardly uses: nothing
// survives that, and the runtime, which may hit it before main, ends with all it knows of its threads. So this is asked before there is a runtime.

#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

static const unsigned long long least = 2ULL << 30;

__attribute__((constructor)) static void require_addresses(void) {
	struct rlimit limit;
	if (getrlimit(RLIMIT_AS, &limit) != 0 || limit.rlim_cur == RLIM_INFINITY || limit.rlim_cur >= least)
		return;
	fprintf(stderr, "certtrail: the address space is limited to %llu MiB, and certtrail needs %llu: raise the limit (ulimit -v unlimited), and limit memory by a control group\n",
		(unsigned long long)limit.rlim_cur >> 20, least >> 20);
	_exit(1);
}

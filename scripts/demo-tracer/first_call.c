/* first_call [PREFIX]: loads first_call.bpf.c over Roster's pins and prints what it reports, until
 * SIGINT or SIGTERM. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <bpf/libbpf.h>

#include "first_call.h"
#include "first_call.skel.h"

static volatile sig_atomic_t stopped;

static void on_signal(int signal)
{
	(void)signal;
	stopped = 1;
}

static const char *call_name(unsigned int number, char *buffer, size_t size)
{
	switch (number) { /* what a C library begins with, on x86-64 */
	case 12:
		return "brk";
	case 13:
		return "rt_sigaction";
	case 14:
		return "rt_sigprocmask";
	case 158:
		return "arch_prctl";
	case 218:
		return "set_tid_address";
	}
	snprintf(buffer, size, "call %u", number);
	return buffer;
}

static int print_call(void *context, void *data, size_t size)
{
	const struct first_call *call = data;
	char buffer[16];

	(void)context;
	(void)size;
	printf("%-10s %-20s first system call: %-15s by %s (pid %u)\n", call->engine,
	       call->container, call_name(call->number, buffer, sizeof(buffer)), call->command,
	       call->pid);
	return 0;
}

int main(int argc, char **argv)
{
	LIBBPF_OPTS(bpf_object_open_opts, options, .pin_root_path = "/sys/fs/bpf/roster/v1");
	struct first_call_bpf *tracer = first_call_bpf__open_opts(&options);
	struct ring_buffer *calls = NULL;
	int failed = 1;

	setvbuf(stdout, NULL, _IOLBF, 0);
	signal(SIGINT, on_signal);
	signal(SIGTERM, on_signal);
	if (!tracer)
		goto out;
	if (argc > 1)
		strncpy((char *)tracer->rodata->prefix, argv[1],
			sizeof(tracer->rodata->prefix) - 1);
	if (first_call_bpf__load(tracer) || first_call_bpf__attach(tracer))
		goto out;
	calls = ring_buffer__new(bpf_map__fd(tracer->maps.calls), print_call, NULL, NULL);
	if (!calls)
		goto out;
	printf("tracing\n");
	while (!stopped) {
		int n = ring_buffer__poll(calls, -1);

		if (n < 0 && n != -EINTR)
			goto out;
	}
	failed = 0;
out:
	if (failed)
		fprintf(stderr, "first_call: %s\n", strerror(errno));
	ring_buffer__free(calls);
	first_call_bpf__destroy(tracer);
	return failed;
}

/* What the tracer's two halves tell each other. */
#ifndef FIRST_CALL_H
#define FIRST_CALL_H

struct first_call {
	unsigned int pid;
	unsigned int number; /* of the system call */
	char command[16];
	char engine[16];
	char container[64];
	char image[128];
};

#endif

/* What XS asks of the platform that it runs on, answered as the SDK answers for the ESP32: one block of memory for everything (the pool
 * of creation.static, xs/platforms/mc/xsHosts.c), 16-bit ids, timers of its own. Compiled for 32 bits a slot has the chip's 16 bytes. */
#ifndef GRIDSEAL_CHIP_H
#define GRIDSEAL_CHIP_H

#ifndef __riscv
#undef mxLinux
#define mxLinux 1
#endif

/* Without its declaration `pthread_self` gives half of a pointer of 64 bits. */
#ifndef _GNU_SOURCE
#define _GNU_SOURCE 1
#endif

#include <ctype.h>
#include <errno.h>
#include <float.h>
#include <math.h>
#ifndef __riscv
#include <pthread.h>
#endif
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

#define mxUseDefaultSharedChunks 1

#ifdef __riscv
/* Without an operating system (counted/): no threads, and as the SDK has it for the ESP32-C3 no access that is not aligned. */
#define mxUnalignedAccess 0
#define mxMisalignedSettersCrash 1
#endif

#define mxMachinePlatform \
	uint8_t *heap; \
	uint8_t *heap_ptr; \
	uint8_t *heap_pend; \
	void *host;

/* One thread runs everything: there is nothing to keep out. */
#define modCriticalSectionDeclare
#define modCriticalSectionBegin()
#define modCriticalSectionEnd()

#undef modDelayMilliseconds
#ifdef __riscv
/* Nobody waits here: nothing else would happen meanwhile. */
#define modDelayMilliseconds(ms) ((void)(ms))
#define modMilliseconds chipMilliseconds
uint32_t chipMilliseconds(void);
#else
#define modDelayMilliseconds(ms) usleep(1000 * (ms))
#endif

/* The one clock of the machine, so that a test can let it run faster than the world's. */
typedef struct timeval c_timeval;
#define c_gettimeofday chipTimeOfDay
int chipTimeOfDay(struct timeval *time, void *zone);

#endif

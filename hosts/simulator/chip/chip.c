/* Runs the firmware without a window, with the memory that a chip gives it: the start, the pool and the timers are those of the SDK for
 * chips. A line on stdin is a command to the program; what the program prints is on stdout. See chip.h. */
#include "xsAll.h"
#include "xs.h"
#include "xsHosts.h"

#include <poll.h>
#include <signal.h>

enum { LINE_BYTES_MAX = 4096, ABORTED = 70, SPEED_MAX = 1000, SLOWNESS_MAX = 1000, CHIP_SLOT_BYTES = 16 };

_Static_assert(sizeof(txSlot) == (INTPTR_MAX == INT32_MAX ? 1 : 2) * CHIP_SLOT_BYTES, "slots as large as on a chip, or twice");

extern void modTimersExecute(void);
extern int modTimersNext(void);

static int gSpeed = 1;
/* How many times as long as here a turn takes on the chip that is meant. */
static int gSlowness = 1;
static struct timeval gStart;
static bool gHasJobs;

/* The world's time until the start, then gSpeed times as fast. */
int chipTimeOfDay(struct timeval *time, void *zone)
{
	struct timeval now;
	(void)zone;
	gettimeofday(&now, NULL);
	if (gStart.tv_sec == 0) gStart = now;
	int64_t passed_us = (int64_t)(now.tv_sec - gStart.tv_sec) * 1000000 + (now.tv_usec - gStart.tv_usec);
	int64_t shown_us = gStart.tv_usec + passed_us * gSpeed;
	time->tv_sec = gStart.tv_sec + (time_t)(shown_us / 1000000);
	time->tv_usec = (suseconds_t)(shown_us % 1000000);
	return 0;
}

void fxCreateMachinePlatform(txMachine *the) { (void)the; }
void fxDeleteMachinePlatform(txMachine *the) { (void)the; }

void fxQueuePromiseJobs(txMachine *the)
{
	(void)the;
	gHasJobs = true;
}

/* Tells the program's own hook, `abort` of the global object, and ends. The hook itself may run out of what has run out. */
static void tellHook(txMachine *the, const char *what)
{
	fxBeginHost(the);
	mxPush(mxException);
	txSlot *exception = the->stack;
	mxException = mxUndefined;
	mxTry(the)
	{
		txID hook = fxFindName(the, "abort");
		mxOverflow(-8);
		mxPush(mxGlobal);
		if (fxHasID(the, hook)) {
			mxPush(mxGlobal);
			fxCallID(the, hook);
			mxPushStringC((txString)what);
			mxPushSlot(exception);
			fxRunCount(the, 2);
			mxPop();
		}
	}
	mxCatch(the) {}
	fxEndHost(the);
}

void fxAbort(txMachine *the, int status)
{
	static bool aborting = false;
	const char *what = fxAbortString(status);
	bool hasStack = status != XS_JAVASCRIPT_STACK_OVERFLOW_EXIT && status != XS_NATIVE_STACK_OVERFLOW_EXIT;
	if (!aborting && hasStack) {
		aborting = true;
		tellHook(the, what);
	}
	fflush(stdout);
	fprintf(stderr, "aborted: %s\n", what);
	_exit(ABORTED);
}

/* Hands a line to the program's `command`. */
static void handOver(xsMachine *the, char *line)
{
	xsBeginHost(the);
	{
		xsVars(1);
		xsVar(0) = xsString(line);
		xsCall1(xsGlobal, xsID("command"), xsVar(0));
	}
	xsEndHost(the);
}

/* Takes what stdin has; false at its end. */
static bool readLines(xsMachine *the)
{
	static char line[LINE_BYTES_MAX];
	static size_t length;
	ssize_t more = read(STDIN_FILENO, line + length, sizeof line - 1 - length);
	if (more == 0) return false;
	if (more < 0) return errno == EINTR || errno == EAGAIN;
	length += (size_t)more;
	line[length] = 0;
	for (char *end; (end = strchr(line, '\n')) != NULL;) {
		*end = 0;
		handOver(the, line);
		length -= (size_t)(end + 1 - line);
		memmove(line, end + 1, length + 1);
	}
	if (length == sizeof line - 1) length = 0; /* no command is as long */
	return true;
}

static int64_t worked_us(void)
{
	struct timespec worked;
	clock_gettime(CLOCK_THREAD_CPUTIME_ID, &worked);
	return (int64_t)worked.tv_sec * 1000000 + worked.tv_nsec / 1000;
}

/* Where a slower chip would still be working, nothing happens until it has done: what comes meanwhile waits in its drivers. */
static void lag(int64_t began_us)
{
	int64_t more_us = (worked_us() - began_us) * (gSlowness - 1) / gSpeed;
	if (more_us > 0) usleep((useconds_t)more_us);
}

static void run(xsMachine *the)
{
	struct pollfd input = {.fd = STDIN_FILENO, .events = POLLIN};
	for (;;) {
		int64_t began_us = worked_us();
		modTimersExecute();
		while (gHasJobs) {
			gHasJobs = false;
			fxRunPromiseJobs(the);
		}
		lag(began_us);
		int ready = poll(&input, 1, modTimersNext() / gSpeed);
		if (ready > 0 && !readLines(the)) return;
	}
}

int main(int count, char **arguments)
{
	if (count < 2 || count > 5 || chdir(arguments[1]) != 0) {
		fprintf(stderr, "usage: %s FOLDER [SPEED [POOL_BYTES_AT_32_BITS [STACK_SLOTS]]]\n", arguments[0]);
		return 2;
	}
	if (count > 2) gSpeed = atoi(arguments[2]);
	if (gSpeed < 1 || gSpeed > SPEED_MAX) {
		fprintf(stderr, "%s: the clock may run 1 to %d times as fast\n", arguments[2], SPEED_MAX);
		return 2;
	}
	const char *slowness = getenv("GRIDSEAL_SLOWNESS");
	if (slowness != NULL) gSlowness = atoi(slowness);
	if (gSlowness < 1 || gSlowness > SLOWNESS_MAX) {
		fprintf(stderr, "%s: a chip may be 1 to %d times as slow\n", slowness, SLOWNESS_MAX);
		return 2;
	}
	signal(SIGPIPE, SIG_IGN);
	xsCreation *prepared;
	xsPreparationAndCreation(&prepared);
	xsCreation creation = *prepared;
	if (count > 3 && atoi(arguments[3]) > 0) creation.staticSize = atoi(arguments[3]);
	if (count > 4 && atoi(arguments[4]) > 0) creation.stackCount = atoi(arguments[4]);
	creation.staticSize *= sizeof(txSlot) / CHIP_SLOT_BYTES;
	xsMachine *the = modCloneMachine(&creation, NULL);
	if (the == NULL) {
		fprintf(stderr, "the machine does not start within its memory\n");
		return 1;
	}
	modRunMachineSetup(the);
	run(the);
	return 0;
}

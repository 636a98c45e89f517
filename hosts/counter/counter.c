/* Runs the firmware on an emulated RV32 that has nothing but memory, and counts its instructions. QEMU's semihosting (RISC-V Semihosting
 * 0.2) brings lines, `WORD TEXT HEX`, and takes what is said. The clock stands but where a line sets it: so every run is the same. */
#include "xsAll.h"
#include "xsmc.h"
#include "xsHosts.h"
#include "mc.xs.h"

enum { LINE_BYTES = 65536, WORD_BYTES = 16, TEXT_BYTES = 256, GIVEN_MAX = 8, FLASH_BYTES = 1 << 20, WRITE0 = 4, READC = 7, EXIT = 24, STOPPED = 0x20026 };

extern void modTimersExecute(void);
extern int modTimersNext(void);
extern void modRunMachineSetup(xsMachine *the);

typedef struct {
	char word[WORD_BYTES], text[TEXT_BYTES];
	uint8_t *bytes;
	int length;
} Line;

static char gLine[LINE_BYTES];
static uint8_t gBytes[LINE_BYTES / 2], gFlash[FLASH_BYTES];
static Line gGiven[GIVEN_MAX];
static int gGivenCount;
static bool gHasJobs;
static int64_t gClock_us = 1790000000000000;
/* what was spent on saying things, which a chip's drivers do */
static uint64_t gUncounted;

static int semihost(int operation, const void *argument)
{
	register int a0 __asm__("a0") = operation;
	register const void *a1 __asm__("a1") = argument;
	__asm__ volatile(".balign 16\n.option push\n.option norvc\nslli zero, zero, 0x1f\nebreak\nsrai zero, zero, 7\n.option pop" : "+r"(a0) : "r"(a1) : "memory");
	return a0;
}

static uint64_t instructions(void)
{
	uint32_t high, low, again;
	do __asm__ volatile(".option push\n.option arch, +zicsr\ncsrr %0, minstreth\ncsrr %1, minstret\ncsrr %2, minstreth\n.option pop" : "=r"(high), "=r"(low), "=r"(again));
	while (high != again);
	return (uint64_t)high << 32 | low;
}

static void tell(const char *text) { semihost(WRITE0, text); }

static void leave(int status)
{
	(void)status;
	semihost(EXIT, (void *)STOPPED);
	for (;;);
}

int chipTimeOfDay(struct timeval *time, void *zone)
{
	(void)zone;
	time->tv_sec = (time_t)(gClock_us / 1000000);
	time->tv_usec = (suseconds_t)(gClock_us % 1000000);
	return 0;
}

uint32_t modMilliseconds(void) { return (uint32_t)(gClock_us / 1000); }

/* What is called and not there, or reads where nothing is. */
static void __attribute__((interrupt, aligned(4))) trapped(void)
{
	tell("aborted by a trap\n");
	leave(1);
}

void fxCreateMachinePlatform(txMachine *the) { (void)the; }
void fxDeleteMachinePlatform(txMachine *the) { (void)the; }

void fxQueuePromiseJobs(txMachine *the)
{
	(void)the;
	gHasJobs = true;
}

void fxAbort(txMachine *the, int status)
{
	txSlot *exception = &mxException;
	tell("aborted ");
	tell(fxAbortString(status));
	if (exception->kind == XS_REFERENCE_KIND) {
		txSlot *internal = exception->value.reference->next;
		if (internal != NULL && internal->kind == XS_ERROR_KIND && internal->value.error.info != NULL) tell(": of an exception");
	}
	tell("\n");
	leave(1);
}

static int digit(char character) { return character <= '9' ? character - '0' : character - 'a' + 10; }

/* The next line; false at the end. */
static bool readLine(Line *line)
{
	int length = 0, character;
	while ((character = semihost(READC, NULL)) != '\n') {
		if (character < 0 || length == LINE_BYTES - 1) return false;
		gLine[length++] = (char)character;
	}
	gLine[length] = 0;
	char *text = strchr(gLine, ' '), *hex = text == NULL ? NULL : strchr(text + 1, ' ');
	if (hex == NULL) return false;
	*text++ = *hex++ = 0;
	snprintf(line->word, sizeof line->word, "%s", gLine);
	snprintf(line->text, sizeof line->text, "%s", text);
	line->bytes = gBytes;
	line->length = (int)strlen(hex) / 2;
	for (int index = 0; index < line->length; index += 1)
		gBytes[index] = (uint8_t)(digit(hex[2 * index]) << 4 | digit(hex[2 * index + 1]));
	return true;
}

void counter_given(xsMachine *the)
{
	const char *name = xsmcToString(xsArg(0));
	for (int index = 0; index < gGivenCount; index += 1)
		if (strcmp(gGiven[index].text, name) == 0) xsmcSetArrayBuffer(xsResult, gGiven[index].bytes, gGiven[index].length);
}

void counter_say(xsMachine *the)
{
	static char said[LINE_BYTES];
	uint64_t began = instructions();
	void *bytes;
	xsUnsignedValue length;
	xsmcGetBufferReadable(xsArg(2), &bytes, &length);
	tell(xsmcToString(xsArg(0)));
	tell(" ");
	tell(xsmcToString(xsArg(1)));
	tell(" ");
	for (xsUnsignedValue index = 0; index < length && index < LINE_BYTES / 2 - 1; index += 1)
		snprintf(said + 2 * index, 3, "%02x", ((uint8_t *)bytes)[index]);
	said[2 * length] = 0;
	tell(said);
	tell("\n");
	gUncounted += instructions() - began;
}

void counter_flashRead(xsMachine *the)
{
	xsmcSetArrayBuffer(xsResult, gFlash + xsmcToInteger(xsArg(0)), xsmcToInteger(xsArg(1)));
}

void counter_flashWrite(xsMachine *the)
{
	uint8_t *to = gFlash + xsmcToInteger(xsArg(0));
	void *bytes;
	xsUnsignedValue length;
	xsmcGetBufferReadable(xsArg(1), &bytes, &length);
	for (xsUnsignedValue index = 0; index < length; index += 1) to[index] &= ((uint8_t *)bytes)[index];
}

void counter_flashErase(xsMachine *the)
{
	memset(gFlash + xsmcToInteger(xsArg(0)), 0xff, (size_t)xsmcToInteger(xsArg(1)));
}

/* One turn of a chip's loop, which is a step: told with its instructions. */
static void count(uint64_t began)
{
	char told[48];
	uint64_t spent = instructions() - began - gUncounted;
	gUncounted = 0;
	snprintf(told, sizeof told, "step %lu%06lu -\n", (unsigned long)(spent / 1000000), (unsigned long)(spent % 1000000));
	tell(told);
}

static void runJobs(xsMachine *the)
{
	while (gHasJobs) {
		gHasJobs = false;
		fxRunPromiseJobs(the);
	}
}

/* Runs the timers that are due until the clock is at `end_us`, each at its time. */
static void passUntil(xsMachine *the, int64_t end_us)
{
	for (;;) {
		int next_ms = modTimersNext();
		if (next_ms > 0 && gClock_us + 1000LL * next_ms > end_us) break;
		if (next_ms > 0) gClock_us += 1000LL * next_ms;
		uint64_t began = instructions();
		modTimersExecute();
		runJobs(the);
		count(began);
		if (modTimersNext() == 0 && gClock_us >= end_us) continue;
	}
	gClock_us = end_us;
}

static void handOver(xsMachine *the, Line *line)
{
	xsBeginHost(the);
	{
		xsmcVars(3);
		xsmcSetString(xsVar(0), line->word);
		xsmcSetString(xsVar(1), line->text);
		xsmcSetArrayBuffer(xsVar(2), line->bytes, line->length);
		xsCall3(xsGlobal, xsID_command, xsVar(0), xsVar(1), xsVar(2));
	}
	xsEndHost(the);
}

int main(void)
{
	static Line line;
	__asm__ volatile(".option push\n.option arch, +zicsr\ncsrw mtvec, %0\n.option pop" : : "r"(trapped));
	memset(gFlash, 0xff, sizeof gFlash);
	while (readLine(&line) && strcmp(line.word, "given") == 0 && gGivenCount < GIVEN_MAX) {
		Line *given = &gGiven[gGivenCount++];
		*given = line;
		given->bytes = malloc((size_t)line.length + 1);
		memcpy(given->bytes, line.bytes, (size_t)line.length);
	}
	uint64_t began = instructions();
	xsCreation *prepared;
	xsPreparationAndCreation(&prepared);
	xsCreation creation = *prepared;
	xsMachine *the = modCloneMachine(&creation, NULL);
	if (the == NULL) leave(1);
	modRunMachineSetup(the);
	runJobs(the);
	count(began);
	passUntil(the, gClock_us);
	tell("ready - \n");
	while (readLine(&line)) {
		if (strcmp(line.word, "time") != 0) {
			began = instructions();
			handOver(the, &line);
			runJobs(the);
			count(began);
		}
		passUntil(the, gClock_us + (strcmp(line.word, "time") == 0 ? 1000LL * atoi(line.text) : 0));
		tell("ready - \n");
	}
	leave(0);
}

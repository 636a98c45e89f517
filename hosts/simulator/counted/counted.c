/* Runs the firmware on an emulated RISC-V processor without an operating system (QEMU's machine virt), and counts the instructions of what
 * it is asked to do. It is asked by lines on semihosting's console, `WORD NUMBER TEXT HEX`, `-` standing for nothing, and answers each with
 * `done`, behind lines of what the program published. Time stands still but where a line says otherwise. */
#include "xsAll.h"
#include "xs.h"
#include "xsHosts.h"

#include <semihost.h>

#include "processor.h"

/* Status of a run that the engine has ended. */
enum { ABORTED = 70 };
enum { LINE_BYTES_MAX = 65536, WORDS = 4, SEMIHOSTING_READS = 0, SEMIHOSTING_WRITES = 4, EXITS = 0x20026 };

extern void *xsPreparationAndCreation(xsCreation **creation);
extern void modTimersExecute(void);
extern int modTimersNext(void);

static int64_t gTime_ms;
static uint64_t gAside;
static int gInput = -1, gOutput = -1;
static bool gHasJobs;
static char gLine[LINE_BYTES_MAX];

uint64_t instructionsRetired(void)
{
	uint32_t high, low, again;
	do {
		__asm__ volatile(".option push\n\t.option arch, +zicsr\n\t"
			"csrr %0, minstreth\n\tcsrr %1, minstret\n\tcsrr %2, minstreth\n\t.option pop"
			: "=&r"(high), "=&r"(low), "=&r"(again));
	} while (high != again);
	return (uint64_t)high << 32 | low;
}

void setAside(uint64_t began) { gAside += instructionsRetired() - began; }

/* What was counted since `began`, where so many had been set aside. */
static uint64_t countedSince(uint64_t began, uint64_t aside) { return instructionsRetired() - began - (gAside - aside); }

int chipTimeOfDay(struct timeval *time, void *zone)
{
	(void)zone;
	time->tv_sec = (time_t)(gTime_ms / 1000);
	time->tv_usec = (suseconds_t)(gTime_ms % 1000 * 1000);
	return 0;
}

uint32_t chipMilliseconds(void) { return (uint32_t)gTime_ms; }

static void leave(int status)
{
	sys_semihost_exit((uintptr_t)EXITS, (uintptr_t)status);
}

static void put(const char *bytes, size_t length)
{
	sys_semihost_write(gOutput, bytes, length);
}

void say(const char *word, uint32_t number, const char *text, const uint8_t *bytes, size_t length)
{
	static const char digits[] = "0123456789abcdef";
	static char line[LINE_BYTES_MAX];
	int at = snprintf(line, sizeof line, "%s %lu %s ", word, (unsigned long)number, *text == 0 ? "-" : text);
	if (at < 0 || (size_t)at + 2 * length + 2 > sizeof line) at = snprintf(line, sizeof line, "toolong 0 - "), length = 0;
	for (size_t index = 0; index < length; index++) {
		line[at++] = digits[bytes[index] >> 4];
		line[at++] = digits[bytes[index] & 15];
	}
	if (length == 0) line[at++] = '-';
	line[at++] = '\n';
	put(line, (size_t)at);
}

static void sayDone(uint64_t counted)
{
	char text[24];
	snprintf(text, sizeof text, "%lu%09lu", (unsigned long)(counted / 1000000000u), (unsigned long)(counted % 1000000000u));
	say("done", 0, text, NULL, 0);
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
	(void)the;
	char *what = fxAbortString(status);
	for (char *at = what; (at = strchr(at, ' ')) != NULL;) *at = '_';
	say("aborted", (uint32_t)status, what, NULL, 0);
	leave(ABORTED);
	for (;;) {}
}

/* The next line, without its end; NULL where there are no more. */
static char *readLine(void)
{
	static char input[LINE_BYTES_MAX];
	static size_t held, passed;
	for (;;) {
		char *end = memchr(input + passed, '\n', held - passed);
		if (end != NULL) {
			size_t length = (size_t)(end - (input + passed));
			memcpy(gLine, input + passed, length);
			gLine[length] = 0;
			passed += length + 1;
			return gLine;
		}
		memmove(input, input + passed, held - passed);
		held -= passed;
		passed = 0;
		if (held == sizeof input) return NULL;
		/* what semihosting could not fill of the room */
		size_t room = sizeof input - held, more = room - (size_t)sys_semihost_read(gInput, input + held, room);
		if (more == 0) return NULL;
		held += more;
	}
}

static int digitOf(char character)
{
	if (character >= '0' && character <= '9') return character - '0';
	return character >= 'a' && character <= 'f' ? character - 'a' + 10 : -1;
}

/* Turns hex into bytes where it stands; how many. */
static size_t bytesIn(char *hex)
{
	size_t length = 0;
	for (char *at = hex; digitOf(at[0]) >= 0 && digitOf(at[1]) >= 0; at += 2)
		hex[length++] = (char)(digitOf(at[0]) << 4 | digitOf(at[1]));
	return length;
}

static void runJobs(xsMachine *the)
{
	while (gHasJobs) {
		gHasJobs = false;
		fxRunPromiseJobs(the);
	}
}

/* Hands a line to the program's `command`. */
static void handOver(xsMachine *the, char *words[WORDS], size_t length)
{
	xsBeginHost(the);
	{
		xsVars(4);
		xsVar(0) = xsString(words[0]);
		xsVar(1) = xsInteger(atoi(words[1]));
		xsVar(2) = xsString(words[2]);
		xsVar(3) = xsArrayBuffer(words[3], (xsIntegerValue)length);
		xsCall4(xsGlobal, xsID("command"), xsVar(0), xsVar(1), xsVar(2), xsVar(3));
	}
	xsEndHost(the);
	runJobs(the);
}

/* Lets time pass, and what is due then happen. */
static void waitUntil(xsMachine *the, int64_t until_ms)
{
	for (;;) {
		int next_ms = modTimersNext();
		if (next_ms > until_ms - gTime_ms) break;
		gTime_ms += next_ms;
		modTimersExecute();
		runJobs(the);
	}
	gTime_ms = until_ms;
}

static xsMachine *boot(void)
{
	xsCreation *creation;
	xsPreparationAndCreation(&creation);
	xsMachine *the = modCloneMachine(creation, NULL);
	if (the == NULL) return NULL;
	modRunMachineSetup(the);
	runJobs(the);
	return the;
}

/* Does what the line asks for; false where it is none. */
static bool perform(xsMachine **the, char *words[WORDS])
{
	const char *word = words[0];
	size_t length = bytesIn(words[3]);
	const uint8_t *bytes = (const uint8_t *)words[3];
	uint64_t began = instructionsRetired(), aside = gAside;
	if (strcmp(word, "value") == 0) {
		if (putValue(words[2], bytes, length) != 0) return false;
	} else if (strcmp(word, "port") == 0) portTakes(bytes, length);
	else if (strcmp(word, "clock") == 0) gTime_ms = atoll(words[2]);
	else if (strcmp(word, "boot") == 0) {
		*the = boot();
		if (*the == NULL) return false;
	} else if (*the == NULL) return false;
	else if (strcmp(word, "until") == 0) waitUntil(*the, atoll(words[2]));
	else handOver(*the, words, length);
	sayDone(countedSince(began, aside));
	return true;
}

int main(void)
{
	xsMachine *the = NULL;
	gInput = sys_semihost_open(":tt", SEMIHOSTING_READS);
	gOutput = sys_semihost_open(":tt", SEMIHOSTING_WRITES);
	memset(gFlash, 0xff, sizeof gFlash);
	for (char *line; (line = readLine()) != NULL;) {
		char *words[WORDS];
		int count = 0;
		for (char *word = strtok(line, " "); word != NULL && count < WORDS; word = strtok(NULL, " ")) words[count++] = word;
		if (count < WORDS || !perform(&the, words)) say("refused", 0, count > 0 ? words[0] : "", NULL, 0);
	}
	leave(0);
}

/* What a meter on a desk has of a machine: randomness, files for its keys and configuration, a NOR flash over a file, and how much
 * memory the engine has taken. The flash behaves as a chip's: writing clears bits, erasing sets them, a power cut leaves a prefix. */
#include "xsAll.h"
#include "xsmc.h"
#include "mc.xs.h"

#include <arpa/inet.h>
#include <fcntl.h>
#include <netdb.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <unistd.h>

/* Status of a process whose power was cut where it was told; machine.ts and the tests name it too. */
enum { POWER_CUT = 86 };
enum { FILE_BYTES_MAX = 1 << 20, FLASH_BYTES_MAX = 1 << 24, RANDOM_BYTES_MAX = 4096, STACK_PATTERN = 0x5a, UNTOUCHED_SLOTS = 16 };
enum { SECTOR_BYTES = 4096, COMMITTED = 0xfe };

typedef struct {
	int file;
	uint32_t size;
	uint32_t erases, writes;
} Flash;

static Flash gFlash = {-1, 0, 0, 0};
/* values that were replaced in the key-value store */
static uint32_t gValues = 0;
/* The power goes in the so-manieth write of a kind, after so many bytes of it. `kind` is empty where it stays. */
static struct {
	char kind[16];
	int until;
	uint32_t bytes;
} gCut;

static void fail(xsMachine *the, const char *what)
{
	xsUnknownError("%s: %s", (char *)what, strerror(errno));
}

static void bufferOf(xsMachine *the, xsSlot *slot, uint8_t **bytes, uint32_t *length)
{
	void *address = NULL;
	xsUnsignedValue size = 0;
	_xsmcGetBuffer(the, slot, &address, &size, 0);
	*bytes = address;
	*length = size;
}

static int writeWhole(int file, const uint8_t *bytes, size_t length)
{
	while (length > 0) {
		ssize_t written = write(file, bytes, length);
		if (written < 0) return -1;
		bytes += written;
		length -= (size_t)written;
	}
	return 0;
}

/* A rename is durable once its folder is. */
static int syncFolderOf(const char *path)
{
	char folder[C_PATH_MAX];
	snprintf(folder, sizeof folder, "%s", path);
	char *slash = strrchr(folder, '/');
	if (slash == NULL) snprintf(folder, sizeof folder, ".");
	else *slash = 0;
	int file = open(folder, O_RDONLY | O_DIRECTORY);
	if (file < 0) return -1;
	int result = fsync(file);
	close(file);
	return result;
}

static void readCut(const char *text)
{
	if (text != NULL && sscanf(text, "%15s %d %u", gCut.kind, &gCut.until, &gCut.bytes) != 3) gCut.kind[0] = 0;
}

/* The folder of this meter becomes the one that paths are relative to. */
void machine_enter(xsMachine *the)
{
	readCut(getenv("GRIDSEAL_CUT"));
	const char *folder = getenv("GRIDSEAL_METER");
	if (folder != NULL && chdir(folder) != 0) fail(the, folder);
	if (mkdir("keyvalue", 0700) != 0 && errno != EEXIST) fail(the, "keyvalue");
}

void machine_variable(xsMachine *the)
{
	const char *text = getenv(xsmcToString(xsArg(0)));
	if (text != NULL) xsmcSetString(xsResult, text);
}

void machine_random(xsMachine *the)
{
	xsIntegerValue length = xsmcToInteger(xsArg(0));
	uint8_t bytes[RANDOM_BYTES_MAX];
	if (length < 0 || length > RANDOM_BYTES_MAX) xsRangeError("at most %d random bytes at once", RANDOM_BYTES_MAX);
	for (ssize_t have = 0; have < length;) {
		ssize_t more = getrandom(bytes + have, (size_t)(length - have), 0);
		if (more < 0 && errno != EINTR) fail(the, "getrandom");
		if (more > 0) have += more;
	}
	xsmcSetArrayBuffer(xsResult, bytes, length);
}

/* The IPv4 address of a name; undefined where it has none. Waits for the answer, which a chip would not do. */
void machine_resolve(xsMachine *the)
{
	struct addrinfo wanted = {.ai_family = AF_INET, .ai_socktype = SOCK_STREAM}, *found = NULL;
	char address[INET_ADDRSTRLEN];
	if (getaddrinfo(xsmcToString(xsArg(0)), NULL, &wanted, &found) != 0) return;
	inet_ntop(AF_INET, &((struct sockaddr_in *)found->ai_addr)->sin_addr, address, sizeof address);
	freeaddrinfo(found);
	xsmcSetString(xsResult, address);
}

void machine_print(xsMachine *the)
{
	printf("%s\n", xsmcToString(xsArg(0)));
	fflush(stdout);
}

void machine_exit(xsMachine *the)
{
	fflush(stdout);
	_exit(xsmcToInteger(xsArg(0)));
}

void machine_readFile(xsMachine *the)
{
	struct stat status;
	int file = open(xsmcToString(xsArg(0)), O_RDONLY);
	if (file < 0 && errno == ENOENT) return;
	if (file < 0 || fstat(file, &status) != 0) fail(the, xsmcToString(xsArg(0)));
	if (status.st_size > FILE_BYTES_MAX) {
		close(file);
		xsRangeError("%s is longer than %d bytes", xsmcToString(xsArg(0)), FILE_BYTES_MAX);
	}
	xsmcSetArrayBuffer(xsResult, NULL, (xsIntegerValue)status.st_size);
	ssize_t length = read(file, xsmcToArrayBuffer(xsResult), (size_t)status.st_size);
	close(file);
	if (length != status.st_size) fail(the, xsmcToString(xsArg(0)));
}

/* Whether the power goes in this write of a kind. */
static bool isCut(const char *kind)
{
	return strcmp(kind, gCut.kind) == 0 && --gCut.until == 0;
}

/* How many of the bytes are written before the power goes. */
static uint32_t lasting(uint32_t length)
{
	return gCut.bytes < length ? gCut.bytes : length;
}

/* Old or new after a power cut, never torn: written beside, synced, renamed over. */
void machine_replaceFile(xsMachine *the)
{
	static const char *beside = "keyvalue/~new";
	uint8_t *bytes;
	uint32_t length;
	bool cut = isCut("value");
	int file = open(beside, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	if (file < 0) fail(the, beside);
	bufferOf(the, &xsArg(1), &bytes, &length);
	int failed = writeWhole(file, bytes, cut ? lasting(length) : length) != 0 || fsync(file) != 0;
	close(file);
	if (cut && gCut.bytes < length) _exit(POWER_CUT);
	if (failed || rename(beside, xsmcToString(xsArg(0))) != 0 || syncFolderOf(xsmcToString(xsArg(0))) != 0)
		fail(the, xsmcToString(xsArg(0)));
	gValues += 1;
	if (cut) _exit(POWER_CUT);
}

void machine_removeFile(xsMachine *the)
{
	if (unlink(xsmcToString(xsArg(0))) != 0 && errno != ENOENT) fail(the, xsmcToString(xsArg(0)));
	if (syncFolderOf(xsmcToString(xsArg(0))) != 0) fail(the, xsmcToString(xsArg(0)));
}

/* Writes cells to a file, as many as the power lasts for. */
static void writeCells(xsMachine *the, int file, uint32_t offset, const uint8_t *cells, uint32_t length, const char *kind)
{
	bool cut = isCut(kind);
	uint32_t lasts = cut ? lasting(length) : length;
	if (pwrite(file, cells, lasts, offset) != (ssize_t)lasts) fail(the, "flash");
	if (cut) _exit(POWER_CUT);
}

/* What the outbox writes: states of a byte, headers at a sector's start, entries (src/agent/sector.ts). */
static const char *kindOf(uint32_t offset, const uint8_t *bytes, uint32_t length)
{
	bool atStart = offset % SECTOR_BYTES == 0;
	if (length > 1) return atStart ? "header" : "entry";
	return atStart ? "retired" : bytes[0] == COMMITTED ? "committed" : "done";
}

void machine_appendFile(xsMachine *the)
{
	uint8_t *bytes;
	uint32_t length;
	int file = open(xsmcToString(xsArg(0)), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0) fail(the, xsmcToString(xsArg(0)));
	bufferOf(the, &xsArg(1), &bytes, &length);
	writeCells(the, file, (uint32_t)xsmcToInteger(xsArg(2)), bytes, length, "image");
	close(file);
}

/* bootloader.c says which slot it has booted. */
void machine_slot(xsMachine *the)
{
	const char *slot = getenv("GRIDSEAL_SLOT");
	if (slot != NULL) xsmcSetInteger(xsResult, atoi(slot));
}

/* This process becomes the bootloader again, in the folder that it is in already and with what it was started with. */
void machine_restart(xsMachine *the)
{
	char text[256], *arguments[8] = {"bootloader", getenv("GRIDSEAL_FACTORY")};
	const char *bootloader = getenv("GRIDSEAL_BOOTLOADER");
	int file = open("/proc/self/cmdline", O_RDONLY | O_CLOEXEC), count = 2;
	ssize_t length = file < 0 ? -1 : read(file, text, sizeof text - 1);
	if (bootloader == NULL || arguments[1] == NULL || length < 0) fail(the, "there is no bootloader");
	close(file);
	text[length] = 0;
	for (char *argument = text + strlen(text) + 1; argument < text + length && count < 7; argument += strlen(argument) + 1)
		arguments[count++] = argument;
	fflush(stdout);
	execv(bootloader, arguments);
	fail(the, bootloader);
}

static void checkRange(xsMachine *the, uint32_t offset, uint32_t length)
{
	if (gFlash.file < 0 || offset > gFlash.size || length > gFlash.size - offset)
		xsRangeError("flash has %u bytes: %u at %u are outside", gFlash.size, length, offset);
}

void machine_flashOpen(xsMachine *the)
{
	struct stat status;
	uint8_t erased[4096];
	uint32_t size = (uint32_t)xsmcToInteger(xsArg(1));
	int file = open(xsmcToString(xsArg(0)), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (file < 0 || fstat(file, &status) != 0) fail(the, xsmcToString(xsArg(0)));
	/* A file that was cut while it was made is made on: what is missing of it was never written to. */
	if (status.st_size > FLASH_BYTES_MAX) xsUnknownError("%s is larger than any chip's", xsmcToString(xsArg(0)));
	if (status.st_size > size) size = (uint32_t)status.st_size;
	memset(erased, 0xff, sizeof erased);
	if (lseek(file, 0, SEEK_END) < 0) fail(the, xsmcToString(xsArg(0)));
	for (uint32_t have = (uint32_t)status.st_size; have < size;) {
		uint32_t length = size - have < sizeof erased ? size - have : sizeof erased;
		if (writeWhole(file, erased, length) != 0) fail(the, xsmcToString(xsArg(0)));
		have += length;
	}
	gFlash.file = file;
	gFlash.size = size;
	xsmcSetInteger(xsResult, (xsIntegerValue)size);
}

void machine_flashRead(xsMachine *the)
{
	uint32_t offset = (uint32_t)xsmcToInteger(xsArg(0)), length = (uint32_t)xsmcToInteger(xsArg(1));
	checkRange(the, offset, length);
	xsmcSetArrayBuffer(xsResult, NULL, (xsIntegerValue)length);
	if (pread(gFlash.file, xsmcToArrayBuffer(xsResult), length, offset) != (ssize_t)length) fail(the, "flash");
}

void machine_flashWrite(xsMachine *the)
{
	uint8_t cells[4096];
	uint8_t *bytes;
	uint32_t offset = (uint32_t)xsmcToInteger(xsArg(0)), length;
	bufferOf(the, &xsArg(1), &bytes, &length);
	checkRange(the, offset, length);
	for (uint32_t done = 0; done < length;) {
		uint32_t part = length - done < sizeof cells ? length - done : sizeof cells;
		if (pread(gFlash.file, cells, part, offset + done) != (ssize_t)part) fail(the, "flash");
		for (uint32_t index = 0; index < part; index += 1) cells[index] &= bytes[done + index];
		writeCells(the, gFlash.file, offset + done, cells, part, kindOf(offset, bytes, length));
		done += part;
	}
	gFlash.writes += 1;
}

void machine_flashErase(xsMachine *the)
{
	uint8_t cells[4096];
	uint32_t offset = (uint32_t)xsmcToInteger(xsArg(0)), length = (uint32_t)xsmcToInteger(xsArg(1));
	checkRange(the, offset, length);
	memset(cells, 0xff, sizeof cells);
	for (uint32_t done = 0; done < length; done += sizeof cells) writeCells(the, gFlash.file, offset + done, cells, sizeof cells, "erased");
	gFlash.erases += 1;
}

/* Marks the unused part of the stack, so that `machine_use` sees how deep it was used. */
void machine_paintStack(xsMachine *the)
{
	memset(the->stackBottom, STACK_PATTERN, (size_t)((uint8_t *)the->stack - (uint8_t *)the->stackBottom));
}

/* How deep the stack was used: the first untouched gap below where it is now. Not from the bottom up, for a regular expression
 * takes the far end of the stack as its scratch memory. */
static txSlot *deepestOf(xsMachine *the)
{
	txSlot untouched, *slot = the->stack;
	int gap = 0;
	memset(&untouched, STACK_PATTERN, sizeof untouched);
	while (slot > the->stackBottom && gap < UNTOUCHED_SLOTS) {
		slot -= 1;
		gap = memcmp(slot, &untouched, sizeof untouched) == 0 ? gap + 1 : 0;
	}
	return slot + gap;
}

/* What the engine has reserved since its start, in its own units: chunk bytes, slots, stack slots used and there; what was written
 * to flash and key-value store. */
void machine_use(xsMachine *the)
{
	char text[400];
	txSlot *deepest = deepestOf(the);
	xsCollectGarbage();
	snprintf(text, sizeof text,
		"{\"chunkBytes\":%ld,\"slots\":%ld,\"stackSlotsUsed\":%ld,\"stackSlots\":%ld,\"keys\":%ld,\"erases\":%u,\"writes\":%u,\"values\":%u,\"liveChunkBytes\":%ld,\"liveSlots\":%ld}",
		(long)the->maximumChunksSize, (long)the->maximumHeapCount, (long)(the->stackTop - deepest),
		(long)(the->stackTop - the->stackBottom), (long)(the->keyIndex - the->keyOffset), gFlash.erases, gFlash.writes, gValues,
		(long)the->currentChunksSize, (long)the->currentHeapCount);
	xsmcSetString(xsResult, text);
}

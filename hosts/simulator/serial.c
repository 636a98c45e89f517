/* The serial port of a desk computer, pseudo-terminals included: raw, without flow control, as fast as its line and no faster. As on the
 * chip (hosts/esp32/meter-serial.c) a ring takes what comes while the engine is busy, and what finds no room in it is lost. */
#include "xsAll.h"
#include "xsmc.h"
#include "mc.xs.h"

#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <sys/ioctl.h>
#include <asm/termbits.h>
#include <unistd.h>

enum { RING_BYTES = 8192, READ_BYTES_MAX = 1024, LOOK_US = 1000, BITS_A_BYTE = 10, US_A_SECOND = 1000000 };

/* The meter has one port. The thread alone moves `end`, the engine alone `start`. */
static struct {
	int file;
	pthread_t thread;
	atomic_bool isOpen, hasFailed;
	atomic_int baud;
	atomic_uint start, end, overruns;
	uint8_t ring[RING_BYTES];
} gPort = {.file = -1};

static void fail(xsMachine *the, const char *what)
{
	xsUnknownError("%s: %s", (char *)what, strerror(errno));
}

/* Any baud, seven or eight bits, even parity or none: the arguments from the `first` on. 0 where it worked. */
static int setLine(xsMachine *the, int file, int first)
{
	struct termios2 mode;
	speed_t baud = (speed_t)xsmcToInteger(xsArg(first));
	tcflag_t bits = xsmcToInteger(xsArg(first + 1)) == 7 ? CS7 : CS8;
	tcflag_t parity = xsmcToBoolean(xsArg(first + 2)) ? PARENB : 0;
	memset(&mode, 0, sizeof mode);
	mode.c_cflag = BOTHER | CLOCAL | CREAD | bits | parity;
	mode.c_iflag = IGNPAR | (bits == CS7 ? ISTRIP : 0);
	mode.c_ispeed = baud;
	mode.c_ospeed = baud;
	mode.c_cc[VMIN] = 1;
	atomic_store(&gPort.baud, (int)baud);
	return ioctl(file, TCSETS2, &mode);
}

/* By the clock that the engine sees: where that runs faster, so does the line. */
static int64_t now_us(void)
{
	c_timeval now;
	c_gettimeofday(&now, NULL);
	return (int64_t)now.tv_sec * US_A_SECOND + now.tv_usec;
}

static void put(const uint8_t *bytes, unsigned length)
{
	unsigned end = atomic_load(&gPort.end), room = RING_BYTES - (end - atomic_load(&gPort.start));
	if (length > room) atomic_fetch_add(&gPort.overruns, 1);
	if (length > room) length = room;
	for (unsigned index = 0; index < length; index += 1) gPort.ring[(end + index) % RING_BYTES] = bytes[index];
	atomic_store(&gPort.end, end + length);
}

/* Brings what is on the line into the ring, whether the engine has time or not. */
static void *receive(void *unused)
{
	uint8_t bytes[READ_BYTES_MAX];
	int64_t before_us = now_us(), due = 0;
	while (atomic_load(&gPort.isOpen)) {
		usleep(LOOK_US);
		int64_t time_us = now_us(), byte_us = BITS_A_BYTE * US_A_SECOND;
		due += (time_us - before_us) * atomic_load(&gPort.baud);
		before_us = time_us;
		if (due < byte_us) continue;
		size_t most = (size_t)(due / byte_us) < sizeof bytes ? (size_t)(due / byte_us) : sizeof bytes;
		ssize_t length = read(gPort.file, bytes, most);
		if (length > 0) put(bytes, (unsigned)length);
		else if (length == 0 || (errno != EAGAIN && errno != EINTR)) break;
		/* A line that was idle has nothing to catch up with. */
		due = length < (ssize_t)most ? 0 : due - length * byte_us;
	}
	atomic_store(&gPort.hasFailed, true);
	return unused;
}

/* Opens a device with a line. */
void serial_open(xsMachine *the)
{
	const char *path = xsmcToString(xsArg(0));
	if (gPort.file >= 0) xsUnknownError("the port is open already");
	int file = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC);
	if (file < 0) fail(the, path);
	int failed = setLine(the, file, 1);
	gPort.file = file;
	atomic_store(&gPort.isOpen, true);
	atomic_store(&gPort.hasFailed, false);
	if (!failed) failed = errno = pthread_create(&gPort.thread, NULL, receive, NULL);
	if (!failed) return;
	gPort.file = -1;
	close(file);
	fail(the, path);
}

/* Another line for the open device, at once. */
void serial_setLine(xsMachine *the)
{
	if (setLine(the, gPort.file, 0) != 0) fail(the, "its line cannot be set");
}

/* How many of the bytes the device took. */
void serial_write(xsMachine *the)
{
	void *bytes;
	xsUnsignedValue length;
	xsmcGetBufferReadable(xsArg(0), &bytes, &length);
	ssize_t taken = write(gPort.file, bytes, length);
	if (taken < 0 && errno != EAGAIN) fail(the, "write");
	xsmcSetInteger(xsResult, taken < 0 ? 0 : (xsIntegerValue)taken);
}

/* Whether all that was written has left. */
void serial_isIdle(xsMachine *the)
{
	int waiting = 0;
	if (ioctl(gPort.file, TIOCOUTQ, &waiting) != 0) waiting = 0;
	xsmcSetBoolean(xsResult, waiting == 0);
}

/* At most so many bytes of what has come; undefined where nothing has. Throws where the device is gone. */
void serial_read(xsMachine *the)
{
	uint8_t bytes[READ_BYTES_MAX];
	unsigned most = (unsigned)xsmcToInteger(xsArg(0)), start = atomic_load(&gPort.start);
	bool hasFailed = atomic_load(&gPort.hasFailed);
	unsigned length = atomic_load(&gPort.end) - start;
	if (length == 0 && hasFailed) xsUnknownError("it has been closed");
	if (length == 0) return;
	if (length > most) length = most;
	if (length > sizeof bytes) length = sizeof bytes;
	for (unsigned index = 0; index < length; index += 1) bytes[index] = gPort.ring[(start + index) % RING_BYTES];
	atomic_store(&gPort.start, start + length);
	xsmcSetArrayBuffer(xsResult, bytes, (xsIntegerValue)length);
}

void serial_overruns(xsMachine *the)
{
	xsmcSetNumber(xsResult, atomic_load(&gPort.overruns));
}

void serial_close(xsMachine *the)
{
	(void)the;
	if (gPort.file < 0) return;
	atomic_store(&gPort.isOpen, false);
	pthread_join(gPort.thread, NULL);
	close(gPort.file);
	gPort.file = -1;
}

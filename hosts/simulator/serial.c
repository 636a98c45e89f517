/* Serial ports of a desk computer, pseudo-terminals included: raw, without flow control. Nothing here waits. */
#include "xsAll.h"
#include "xsmc.h"
#include "mc.xs.h"

#include <fcntl.h>
#include <sys/ioctl.h>
#include <asm/termbits.h>
#include <unistd.h>

enum { READ_BYTES_MAX = 1024 };

static void fail(xsMachine *the, const char *what)
{
	xsUnknownError("%s: %s", (char *)what, strerror(errno));
}

/* Any baud, seven or eight bits, even parity or none: the second to fourth argument. 0 where it worked. */
static int setLine(xsMachine *the, int file, unsigned long request)
{
	struct termios2 mode;
	speed_t baud = (speed_t)xsmcToInteger(xsArg(1));
	tcflag_t bits = xsmcToInteger(xsArg(2)) == 7 ? CS7 : CS8;
	tcflag_t parity = xsmcToBoolean(xsArg(3)) ? PARENB : 0;
	memset(&mode, 0, sizeof mode);
	mode.c_cflag = BOTHER | CLOCAL | CREAD | bits | parity;
	mode.c_iflag = IGNPAR | (bits == CS7 ? ISTRIP : 0);
	mode.c_ispeed = baud;
	mode.c_ospeed = baud;
	mode.c_cc[VMIN] = 1;
	return ioctl(file, request, &mode);
}

/* Opens a device. Returns its number. */
void serial_open(xsMachine *the)
{
	int file = open(xsmcToString(xsArg(0)), O_RDWR | O_NOCTTY | O_NONBLOCK);
	if (file < 0) fail(the, xsmcToString(xsArg(0)));
	if (setLine(the, file, TCSETS2) != 0) {
		close(file);
		fail(the, xsmcToString(xsArg(0)));
	}
	xsmcSetInteger(xsResult, file);
}

/* Another line for an open device. Waits for what was written before: some bytes of a request, a third of a second at 300 baud. */
void serial_setLine(xsMachine *the)
{
	if (setLine(the, xsmcToInteger(xsArg(0)), TCSETSW2) != 0) fail(the, "its line cannot be set");
}

/* What the driver has no room for is lost, as on a wire. */
void serial_write(xsMachine *the)
{
	void *bytes;
	xsUnsignedValue length;
	xsmcGetBufferReadable(xsArg(1), &bytes, &length);
	if (write(xsmcToInteger(xsArg(0)), bytes, length) < 0 && errno != EAGAIN) fail(the, "write");
}

/* What has come; undefined where nothing has. Throws where the device is gone. */
void serial_read(xsMachine *the)
{
	uint8_t bytes[READ_BYTES_MAX];
	ssize_t length = read(xsmcToInteger(xsArg(0)), bytes, sizeof bytes);
	if (length > 0) xsmcSetArrayBuffer(xsResult, bytes, (xsIntegerValue)length);
	else if (length == 0) xsUnknownError("it has been closed");
	else if (errno != EAGAIN && errno != EINTR) fail(the, "read");
}

void serial_close(xsMachine *the)
{
	close(xsmcToInteger(xsArg(0)));
}

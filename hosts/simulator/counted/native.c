/* What the program has of the emulated processor: a key-value store, a NOR flash and the meter's port in its memory, and whoever asks, who
 * is told what the agent publishes. Only that last exchange is no chip's, and not counted. */
#include "xsAll.h"
#include "xsmc.h"
#include "mc.xs.h"

#include "processor.h"

enum { RANDOM_BYTES_MAX = 4096, PIECE_BYTES_MAX = 1024 };

uint8_t gFlash[FLASH_BYTES];

static Value gValues[VALUES_MAX];
static uint8_t gRing[RING_BYTES];
static size_t gRead, gHeld;

Value *valueNamed(const char *name)
{
	Value *empty = NULL;
	for (int index = 0; index < VALUES_MAX; index++) {
		Value *value = &gValues[index];
		if (value->bytes != NULL && strcmp(value->name, name) == 0) return value;
		if (value->bytes == NULL && empty == NULL) empty = value;
	}
	return empty;
}

int putValue(const char *name, const uint8_t *bytes, size_t length)
{
	Value *value = valueNamed(name);
	if (value == NULL || strlen(name) > NAME_CHARACTERS_MAX) return -1;
	uint8_t *copy = malloc(length + 1); /* an empty value is a value too */
	if (copy == NULL) return -1;
	memcpy(copy, bytes, length);
	free(value->bytes);
	strcpy(value->name, name);
	value->bytes = copy;
	value->length = length;
	return 0;
}

void portTakes(const uint8_t *bytes, size_t length)
{
	for (size_t index = 0; index < length && gHeld < RING_BYTES; index++, gHeld++) gRing[(gRead + gHeld) % RING_BYTES] = bytes[index];
}

size_t portGives(uint8_t *bytes, size_t most)
{
	size_t length = gHeld < most ? gHeld : most;
	for (size_t index = 0; index < length; index++) bytes[index] = gRing[(gRead + index) % RING_BYTES];
	gRead = (gRead + length) % RING_BYTES;
	gHeld -= length;
	return length;
}

size_t portHolds(void) { return gHeld; }

static void bytesOf(xsMachine *the, int index, void **bytes, xsUnsignedValue *length)
{
	xsmcGetBufferReadable(xsArg(index), bytes, length);
}

static size_t rangeOf(xsMachine *the, int index, size_t length)
{
	xsIntegerValue offset = xsmcToInteger(xsArg(index));
	if (offset < 0 || length > FLASH_BYTES || (size_t)offset > FLASH_BYTES - length) xsRangeError("outside the flash");
	return (size_t)offset;
}

/* The same in every run: counts are to be the same. No key that anybody uses is made of it. */
void processor_random(xsMachine *the)
{
	static uint32_t state = 2463534242u; /* xorshift32 of Marsaglia, Xorshift RNGs, 2003 */
	xsIntegerValue length = xsmcToInteger(xsArg(0));
	uint8_t bytes[RANDOM_BYTES_MAX];
	if (length < 0 || length > RANDOM_BYTES_MAX) xsRangeError("at most %d random bytes at once", RANDOM_BYTES_MAX);
	for (xsIntegerValue index = 0; index < length; index++) {
		state ^= state << 13;
		state ^= state >> 17;
		state ^= state << 5;
		bytes[index] = (uint8_t)state;
	}
	xsmcSetArrayBuffer(xsResult, bytes, length);
}

void processor_get(xsMachine *the)
{
	Value *value = valueNamed(xsmcToString(xsArg(0)));
	if (value != NULL && value->bytes != NULL) xsmcSetArrayBuffer(xsResult, value->bytes, (xsIntegerValue)value->length);
}

void processor_set(xsMachine *the)
{
	void *bytes;
	xsUnsignedValue length;
	bytesOf(the, 1, &bytes, &length);
	if (putValue(xsmcToString(xsArg(0)), bytes, length) != 0) xsUnknownError("no room for another value");
}

void processor_remove(xsMachine *the)
{
	Value *value = valueNamed(xsmcToString(xsArg(0)));
	if (value == NULL) return;
	free(value->bytes);
	value->bytes = NULL;
}

void processor_flashRead(xsMachine *the)
{
	xsIntegerValue length = xsmcToInteger(xsArg(1));
	if (length < 0) xsRangeError("outside the flash");
	size_t offset = rangeOf(the, 0, (size_t)length);
	xsmcSetArrayBuffer(xsResult, gFlash + offset, length);
}

void processor_flashWrite(xsMachine *the)
{
	void *bytes;
	xsUnsignedValue length;
	bytesOf(the, 1, &bytes, &length);
	size_t offset = rangeOf(the, 0, length);
	for (size_t index = 0; index < length; index++) gFlash[offset + index] &= ((uint8_t *)bytes)[index];
}

void processor_flashErase(xsMachine *the)
{
	size_t offset = rangeOf(the, 0, SECTOR_BYTES);
	memset(gFlash + offset, 0xff, SECTOR_BYTES);
}

/* At most so many bytes of the port; undefined where none have come. */
void processor_portRead(xsMachine *the)
{
	uint8_t bytes[PIECE_BYTES_MAX];
	xsIntegerValue most = xsmcToInteger(xsArg(0));
	if (most < 0 || most > PIECE_BYTES_MAX) xsRangeError("at most %d bytes of the port at once", PIECE_BYTES_MAX);
	size_t length = portGives(bytes, (size_t)most);
	if (length > 0) xsmcSetArrayBuffer(xsResult, bytes, (xsIntegerValue)length);
}

/* word, number, text, bytes: to whoever asks. */
void processor_say(xsMachine *the)
{
	uint64_t began = instructionsRetired();
	void *bytes;
	xsUnsignedValue length;
	bytesOf(the, 3, &bytes, &length);
	/* Each text is used before the next one may move it. */
	char word[16], text[256];
	snprintf(word, sizeof word, "%s", xsmcToString(xsArg(0)));
	snprintf(text, sizeof text, "%s", xsmcToString(xsArg(2)));
	bytesOf(the, 3, &bytes, &length);
	say(word, (uint32_t)xsmcToInteger(xsArg(1)), text, bytes, length);
	setAside(began);
}

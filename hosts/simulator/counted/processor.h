/* An emulated RISC-V processor without an operating system: what it has counted, and the lines between it and who asks (counted.c). */
#ifndef GRIDSEAL_PROCESSOR_H
#define GRIDSEAL_PROCESSOR_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

/* Instructions retired since reset (RISC-V privileged architecture, minstret). */
uint64_t instructionsRetired(void);

/* Takes what was done since `began` for the exchange with whoever asks out of what is counted. */
void setAside(uint64_t began);

/* Prints a word, a number, a text without spaces, and bytes in hex as a line. */
void say(const char *word, uint32_t number, const char *text, const uint8_t *bytes, size_t length);

enum { VALUES_MAX = 32, NAME_CHARACTERS_MAX = 15, FLASH_BYTES = 1 << 20, SECTOR_BYTES = 4096, RING_BYTES = 8192 };

/* A value of the key-value store; without bytes it is none. */
typedef struct {
	char name[NAME_CHARACTERS_MAX + 1];
	uint8_t *bytes;
	size_t length;
} Value;

/* The value of this name, or a free place for it; NULL where there is none. */
Value *valueNamed(const char *name);

/* Replaces the value by a copy of these bytes; 0 where it worked. */
int putValue(const char *name, const uint8_t *bytes, size_t length);

/* The meter's port: bytes that have come and not been read. What has no room is lost. */
void portTakes(const uint8_t *bytes, size_t length);
size_t portGives(uint8_t *bytes, size_t most);
size_t portHolds(void);

/* The outbox's flash. */
extern uint8_t gFlash[FLASH_BYTES];

#endif

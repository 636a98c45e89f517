/* Verdicts and signatures of hosts/libsodium/ed25519.h for lines of stdin: `verify KEY MESSAGE SIGNATURE` or `sign SEED MESSAGE`, hex, `-`
 * for no bytes. A line of stdout each: 0 or 1, or public key and signature. */
#include <stdio.h>
#include <string.h>

#include "ed25519.h"

enum { FIELD_CHARACTERS = 8192 };

static size_t decode(const char *hex, unsigned char *bytes)
{
	size_t length = 0;
	if (strcmp(hex, "-") == 0) return 0;
	sodium_hex2bin(bytes, FIELD_CHARACTERS / 2, hex, strlen(hex), NULL, &length, NULL);
	return length;
}

static void show(const unsigned char *bytes, size_t length)
{
	for (size_t index = 0; index < length; index += 1) printf("%02x", bytes[index]);
}

int main(void)
{
	static char what[16], first[FIELD_CHARACTERS], second[FIELD_CHARACTERS], third[FIELD_CHARACTERS];
	static unsigned char one[FIELD_CHARACTERS / 2], message[FIELD_CHARACTERS / 2], signature[FIELD_CHARACTERS / 2];
	unsigned char secret[SECRET_BYTES];
	while (scanf("%15s %8191s %8191s", what, first, second) == 3) {
		decode(first, one);
		size_t length = decode(second, message);
		if (strcmp(what, "verify") == 0) {
			if (scanf("%8191s", third) != 1 || decode(third, signature) != SIGNATURE_BYTES) puts("0");
			else printf("%d\n", isSigned(one, message, length, signature));
			continue;
		}
		if (expandSeed(one, secret) || signMessage(secret, message, length, signature)) return 1;
		show(secret + KEY_BYTES, KEY_BYTES);
		show(signature, SIGNATURE_BYTES);
		putchar('\n');
	}
	return 0;
}

/* libsodium for the engine: see ed25519.h. Debian's libsodium and the component espressif/libsodium have the same functions. */
#include "xsmc.h"
#include "mc.xs.h"

#include "ed25519.h"

static const unsigned char *bytesOf(xsMachine *the, int index, xsUnsignedValue length)
{
	void *bytes;
	xsUnsignedValue found;
	xsmcGetBufferReadable(xsArg(index), &bytes, &found);
	if (found != length) xsRangeError("a seed, key or signature of another length");
	return bytes;
}

/* seed: what `sodium_sign` takes; its last 32 bytes are the public key. */
void sodium_expand(xsMachine *the)
{
	unsigned char secret[SECRET_BYTES];
	int failed = expandSeed(bytesOf(the, 0, SEED_BYTES), secret);
	if (!failed) xsmcSetArrayBuffer(xsResult, secret, SECRET_BYTES);
	sodium_memzero(secret, sizeof secret);
	if (failed) xsUnknownError("libsodium does not start");
}

/* what `sodium_expand` gave, message: the signature. */
void sodium_signMessage(xsMachine *the)
{
	unsigned char signature[SIGNATURE_BYTES];
	void *message;
	xsUnsignedValue length;
	xsmcGetBufferReadable(xsArg(1), &message, &length);
	if (signMessage(bytesOf(the, 0, SECRET_BYTES), message, length, signature)) xsUnknownError("libsodium does not sign");
	xsmcSetArrayBuffer(xsResult, signature, SIGNATURE_BYTES);
}

/* key, message, signature. */
void sodium_isSigned(xsMachine *the)
{
	void *message;
	xsUnsignedValue length;
	xsmcGetBufferReadable(xsArg(1), &message, &length);
	const unsigned char *key = bytesOf(the, 0, KEY_BYTES), *signature = bytesOf(the, 2, SIGNATURE_BYTES);
	xsmcSetBoolean(xsResult, isSigned(key, message, length, signature));
}

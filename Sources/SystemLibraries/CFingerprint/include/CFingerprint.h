// The chunker's inner loop with vector instructions, where the processor has them.
#ifndef CFINGERPRINT_H
#define CFINGERPRINT_H

#include <stdint.h>
#include <stddef.h>

/// Bytes in which the fingerprint is kept: it has 53 bits.
#define CFINGERPRINT_PLANES 7
/// Stretches that are scanned at once.
#define CFINGERPRINT_LANES 32
/// The fingerprint covers this many bytes.
#define CFINGERPRINT_WINDOW 64

/// The two linear maps of a step, cut into the contributions of half bytes: `[plane][low or high half][its value]`.
struct cfingerprint_tables {
    /// What the 8 bits above the degree leave behind when they are reduced, themselves included.
    uint8_t reduce[CFINGERPRINT_PLANES][2][16];
    /// What a byte still contributes 64 steps after it came in.
    uint8_t out[CFINGERPRINT_PLANES][2][16];
};

/// Whether `cfingerprint_find` can be called on this processor.
int cfingerprint_is_available(void);

/// Looks for the first position whose fingerprint ends in 20 zero bits, in 32 stretches of `stride` bytes from `start`.
///
/// The fingerprint at a position covers the 64 bytes up to and including it; `start` must be at least 64, `stride` a
/// multiple of 32. Returns the position, or -1.
ptrdiff_t cfingerprint_find(
    const struct cfingerprint_tables *tables, const uint8_t *bytes, size_t start, size_t stride);

#endif

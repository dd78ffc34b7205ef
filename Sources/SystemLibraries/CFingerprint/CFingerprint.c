#include "CFingerprint.h"

#if defined(__x86_64__)
#include <immintrin.h>

#define BLOCK 32

int cfingerprint_is_available(void) { return __builtin_cpu_supports("avx2"); }

// 32 bytes of each lane become 32 vectors, each of which has one byte of every lane.
__attribute__((target("avx2"))) static void transpose(const uint8_t *bytes, size_t stride, __m256i *output) {
    for (int half = 0; half < 2; half++) {
        __m256i a[16], b[16];
        for (int lane = 0; lane < 16; lane++) {
            const uint8_t *low = bytes + (size_t)lane * stride + 16 * half;
            a[lane] = _mm256_inserti128_si256(
                _mm256_castsi128_si256(_mm_loadu_si128((const __m128i *)low)),
                _mm_loadu_si128((const __m128i *)(low + 16 * stride)), 1);
        }
        // Interleaving the first half of the rows with the second half, four times over, transposes 16 by 16 bytes.
        for (int stage = 0; stage < 2; stage++) {
            for (int row = 0; row < 8; row++) {
                b[2 * row] = _mm256_unpacklo_epi8(a[row], a[row + 8]);
                b[2 * row + 1] = _mm256_unpackhi_epi8(a[row], a[row + 8]);
            }
            for (int row = 0; row < 8; row++) {
                a[2 * row] = _mm256_unpacklo_epi8(b[row], b[row + 8]);
                a[2 * row + 1] = _mm256_unpackhi_epi8(b[row], b[row + 8]);
            }
        }
        for (int row = 0; row < 16; row++) output[16 * half + row] = a[row];
    }
}

// One step of all lanes: the fingerprint moves up by a byte, what leaves at the top is reduced, `old` is taken out.
#define STEP(NEW, OLD)                                                                                                 \
    do {                                                                                                               \
        const __m256i new_ = (NEW), old_ = (OLD);                                                                      \
        const __m256i old_low = _mm256_and_si256(old_, low_half);                                                      \
        const __m256i old_high = _mm256_and_si256(_mm256_srli_epi16(old_, 4), low_half);                               \
        /* Bits 45 to 52 of the fingerprint, as two halves. */                                                         \
        const __m256i top_low = _mm256_or_si256(                                                                       \
            _mm256_and_si256(_mm256_srli_epi16(p5, 5), three_bits),                                                    \
            _mm256_and_si256(_mm256_slli_epi16(p6, 3), fourth_bit));                                                   \
        const __m256i top_high = _mm256_and_si256(_mm256_srli_epi16(p6, 1), low_half);                                 \
        p6 = PLANE(6, p5);                                                                                             \
        p5 = PLANE(5, p4);                                                                                             \
        p4 = PLANE(4, p3);                                                                                             \
        p3 = PLANE(3, p2);                                                                                             \
        p2 = PLANE(2, p1);                                                                                             \
        p1 = PLANE(1, p0);                                                                                             \
        p0 = PLANE(0, new_);                                                                                           \
    } while (0)

#define PLANE(K, BELOW)                                                                                                \
    _mm256_xor_si256(                                                                                                  \
        _mm256_xor_si256(                                                                                              \
            _mm256_xor_si256(                                                                                          \
                _mm256_shuffle_epi8(out[K][0], old_low), _mm256_shuffle_epi8(out[K][1], old_high)), (BELOW)),          \
        _mm256_xor_si256(_mm256_shuffle_epi8(reduce[K][0], top_low), _mm256_shuffle_epi8(reduce[K][1], top_high)))

__attribute__((target("avx2"))) ptrdiff_t cfingerprint_find(
    const struct cfingerprint_tables *tables, const uint8_t *bytes, size_t start, size_t stride) {
    __m256i reduce[CFINGERPRINT_PLANES][2], out[CFINGERPRINT_PLANES][2];
    for (int plane = 0; plane < CFINGERPRINT_PLANES; plane++) {
        for (int half = 0; half < 2; half++) {
            reduce[plane][half] =
                _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)tables->reduce[plane][half]));
            out[plane][half] = _mm256_broadcastsi128_si256(_mm_loadu_si128((const __m128i *)tables->out[plane][half]));
        }
    }
    const __m256i low_half = _mm256_set1_epi8(0x0f), three_bits = _mm256_set1_epi8(0x07);
    const __m256i fourth_bit = _mm256_set1_epi8(0x08), zero = _mm256_setzero_si256();
    __m256i p0 = zero, p1 = zero, p2 = zero, p3 = zero, p4 = zero, p5 = zero, p6 = zero;

    // The last 64 bytes of each lane and the 32 at work, transposed; blocks take the three places in turn.
    __m256i ring[3][BLOCK];
    const uint8_t *next = bytes + start - CFINGERPRINT_WINDOW;
    for (int block = 0; block < 2; block++, next += BLOCK) {
        transpose(next, stride, ring[block]);
        for (int step = 0; step < BLOCK; step++) STEP(ring[block][step], zero);
    }

    size_t first[CFINGERPRINT_LANES];
    for (int lane = 0; lane < CFINGERPRINT_LANES; lane++) first[lane] = SIZE_MAX;
    uint32_t found = 0;
    int place = 2;
    for (size_t position = 0; position < stride; position += BLOCK, next += BLOCK) {
        __m256i *block = ring[place];
        place = place == 2 ? 0 : place + 1;
        const __m256i *leaving = ring[place];
        transpose(next, stride, block);
        for (int step = 0; step < BLOCK; step++) {
            STEP(block[step], leaving[step]);
            const __m256i rest = _mm256_or_si256(_mm256_or_si256(p0, p1), _mm256_and_si256(p2, low_half));
            uint32_t hits = (uint32_t)_mm256_movemask_epi8(_mm256_cmpeq_epi8(rest, zero)) & ~found;
            if (__builtin_expect(hits != 0, 0)) {
                // Nothing comes before a hit in lane 0.
                if (hits & 1) return (ptrdiff_t)(start + position + (size_t)step);
                found |= hits;
                for (; hits != 0; hits &= hits - 1) first[__builtin_ctz(hits)] = position + (size_t)step;
            }
        }
    }
    for (size_t lane = 0; lane < CFINGERPRINT_LANES; lane++) {
        if (first[lane] != SIZE_MAX) return (ptrdiff_t)(start + lane * stride + first[lane]);
    }
    return -1;
}

#else

int cfingerprint_is_available(void) { return 0; }

ptrdiff_t cfingerprint_find(
    const struct cfingerprint_tables *tables, const uint8_t *bytes, size_t start, size_t stride) {
    (void)tables, (void)bytes, (void)start, (void)stride;
    return -1;
}

#endif

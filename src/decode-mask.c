/*
 * The bytes of a text that matter to encodings, 64 at a time as the bits of
 * words. All of a push goes through here: with AVX2 32 bytes are looked at at
 * once, with SSE2 (every x86-64 has it) 16, elsewhere a table is asked. Reads
 * no byte past those given.
 */
#include <string.h>

#if defined(__x86_64__) && !defined(DECODE_PORTABLE)
#include <immintrin.h>
#endif

#include "decode-internal.h"

/*
 * Of the leads those that are worth a look: % and & before a digit, a letter
 * or #, a backslash before a second byte of its escapes. What follows the
 * last bit is not known here.
 */
static inline uint64_t worthy(uint64_t after_lead, uint64_t lead,
			      uint64_t second, uint64_t back)
{
	const uint64_t last = UINT64_C(1) << 63;

	return (lead & (after_lead >> 1 | last)) |
	       (back & (second >> 1 | last));
}

#if defined(__x86_64__) && !defined(DECODE_PORTABLE)
/* Bytes of v in first..last. Those from 0x80 on are negative: in no range. */
static inline __m128i range(__m128i v, char first, char last)
{
	__m128i below = _mm_set1_epi8((char)(first - 1));
	__m128i above = _mm_set1_epi8((char)(last + 1));

	return _mm_and_si128(_mm_cmpgt_epi8(v, below),
			     _mm_cmplt_epi8(v, above));
}

static inline __m128i one(__m128i v, char c)
{
	return _mm_cmpeq_epi8(v, _mm_set1_epi8(c));
}

static inline uint64_t bits(__m128i v)
{
	return (unsigned)_mm_movemask_epi8(v);
}

static void masks_sse2(const char *text, size_t words, uint64_t *run,
		       uint64_t *lead)
{
	for (size_t w = 0; w < words; w++, text += 64) {
		uint64_t r = 0, l = 0, hash = 0, second = 0, back = 0;

		for (unsigned i = 0; i < 64; i += 16) {
			__m128i v = _mm_loadu_si128((const void *)(text + i));
			__m128i low = _mm_or_si128(v, _mm_set1_epi8(0x20));
			/* '/' is the neighbour of '0', '&' that of '%' */
			__m128i a = _mm_or_si128(range(low, 'a', 'z'),
						 range(v, '/', '9'));
			__m128i b = _mm_or_si128(one(v, '+'), one(v, '-'));
			__m128i c = _mm_or_si128(one(low, 'u'), one(low, 'x'));

			a = _mm_or_si128(a, _mm_or_si128(b, one(v, '_')));
			c = _mm_or_si128(c, range(v, '0', '3'));
			r |= bits(a) << i;
			l |= bits(range(v, '%', '&')) << i;
			hash |= bits(one(v, '#')) << i;
			back |= bits(one(v, '\\')) << i;
			second |= bits(c) << i;
		}
		run[w] = r;
		lead[w] = worthy(r | hash, l, second, back);
	}
}

/*
 * A byte's class by both of its halves: those of the table for the upper half
 * that are in the table for the lower one too. Bits 0 to 4 are base64's, 5 is
 * % and &, 6 the backslash, 7 what may be second after that (u U x 0-3, and
 * some that are not).
 */
#define UPPER 0, 0, 0x31, 0x82, 4, 0xd8, 4, 0x88, 0, 0, 0, 0, 0, 0, 0, 0
#define LOWER                                                                  \
	0x8a, 0x8e, 0x8e, 0x8e, 0x0e, 0xae, 0x2e, 0x0e, 0x8e, 0x0e, 0x0c,      \
		0x05, 0x44, 0x05, 0x04, 0x15
/* twice, for the two lanes that bytes are looked up in */
static const uint8_t uppers[32] = { UPPER, UPPER };
static const uint8_t lowers[32] = { LOWER, LOWER };

__attribute__((target("avx2"))) static void
masks_avx2(const char *text, size_t words, uint64_t *run, uint64_t *lead)
{
	const __m256i upper = _mm256_loadu_si256((const void *)uppers);
	const __m256i lower = _mm256_loadu_si256((const void *)lowers);
	const __m256i half = _mm256_set1_epi8(0x0f);

	for (size_t w = 0; w < words; w++, text += 64) {
		uint64_t r = 0, l = 0, hash = 0, second = 0, back = 0;

		for (unsigned i = 0; i < 64; i += 32) {
			const void *p = text + i;
			__m256i v = _mm256_loadu_si256(p);
			__m256i u =
				_mm256_and_si256(_mm256_srli_epi16(v, 4), half);
			__m256i d = _mm256_and_si256(v, half);
			__m256i c =
				_mm256_and_si256(_mm256_shuffle_epi8(upper, u),
						 _mm256_shuffle_epi8(lower, d));
			/* any of the bits 0 to 4: to the top of the byte */
			__m256i a = _mm256_adds_epu8(
				_mm256_and_si256(c, _mm256_set1_epi8(0x1f)),
				_mm256_set1_epi8(0x7f));
			__m256i h = _mm256_cmpeq_epi8(v, _mm256_set1_epi8('#'));

#define BITS(x) ((uint64_t)(unsigned)_mm256_movemask_epi8(x) << i)
			r |= BITS(a);
			hash |= BITS(h);
			second |= BITS(c);
			back |= BITS(_mm256_slli_epi16(c, 1));
			l |= BITS(_mm256_slli_epi16(c, 2));
		}
		run[w] = r;
		lead[w] = worthy(r | hash, l, second, back);
	}
}

static void masks(const char *text, size_t words, uint64_t *run, uint64_t *lead)
{
	if (__builtin_cpu_supports("avx2"))
		masks_avx2(text, words, run, lead);
	else
		masks_sse2(text, words, run, lead);
}
#else
static void masks(const char *text, size_t words, uint64_t *run, uint64_t *lead)
{
	for (size_t w = 0; w < words; w++, text += 64) {
		uint64_t r = 0, l = 0;

		for (unsigned i = 0; i < 64; i++) {
			unsigned c = decode_class[(uint8_t)text[i]];

			r |= (uint64_t)(c & DECODE_BASE64) << i;
			l |= (uint64_t)((c & DECODE_LEAD) != 0) << i;
		}
		run[w] = r;
		lead[w] = worthy(UINT64_MAX, l, 0, 0);
	}
}
#endif

void decode_masks(const char *text, size_t n, uint64_t *run, uint64_t *lead)
{
	char rest[64] = { 0 };

	masks(text, n / 64, run, lead);
	if (n % 64 == 0)
		return;
	memcpy(rest, text + n / 64 * 64, n % 64);
	masks(rest, 1, run + n / 64, lead + n / 64);
}

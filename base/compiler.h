/*
 * The only place that knows compiler attributes; everything else is plain C17.
 */
#ifndef BASE_COMPILER_H
#define BASE_COMPILER_H

#define MUST_CHECK               __attribute__((warn_unused_result))
#define PRINTF_LIKE(text, first) __attribute__((format(printf, text, first)))
#define ALWAYS_INLINE            inline __attribute__((always_inline))
#define NO_RETURN                __attribute__((noreturn))
#define LIKELY(condition)        __builtin_expect(!!(condition), 1)
#define UNLIKELY(condition)      __builtin_expect(!!(condition), 0)
#define PREFETCH(address)        __builtin_prefetch(address)

/* 128 bits, for the whole product of two 64-bit numbers. */
__extension__ typedef unsigned __int128 wide;

#endif

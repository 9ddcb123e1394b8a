/*
 * Numbers that look random and follow from the seed alone: the whole simulation draws from here, so
 * that a seed is a run. Each part of the world has a stream of its own, split off the first one, so
 * that one more draw in one part does not change what happens in another.
 */
#ifndef TESTS_SIM_CHANCE_H
#define TESTS_SIM_CHANCE_H

#include <stdbool.h>
#include <stdint.h>

struct chance {
    uint64_t state;
};

struct chance chance_of(uint64_t seed);
/* Another stream, decided by this one's seed and the tag. */
struct chance chance_split(const struct chance *chance, uint64_t tag);

uint64_t chance_next(struct chance *chance);
/* 0 .. below - 1; 0 for 0. */
uint64_t chance_below(struct chance *chance, uint64_t below);
/* least .. most, both included. */
uint64_t chance_between(struct chance *chance, uint64_t least, uint64_t most);
/* True once in so many; never for 0. */
bool chance_one_in(struct chance *chance, uint64_t times);

/* A well mixed number of two others, without state. */
uint64_t chance_mix(uint64_t a, uint64_t b);

#endif
